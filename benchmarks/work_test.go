package benchmarks

import (
	"fmt"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/objectives"
)

// Gradient is one evaluation of all energies and their gradients in x.
func Gradient(s Setting) (Work, error) {
	e, p, x, _, err := s.model()
	if err != nil {
		return Work{}, err
	}
	target, err := energy.NewEvaluator(e, p, s.evaluator())
	if err != nil {
		return Work{}, err
	}
	u, g := make([]float64, s.Batch), mat.NewDense(s.Batch, 2, nil)
	return Work{Products: 2, Step: func() error { return target.EnergyGrad(u, g, x) }}, nil
}

// Compilation builds, differentiates and compiles the training graph of an objective.
func Compilation(objective string, s Setting) (Work, error) {
	m, _, err := method(objective)
	if err != nil {
		return Work{}, err
	}
	e, p, x, _, err := s.model()
	if err != nil {
		return Work{}, err
	}
	return Work{Step: func() error {
		_, err := objectives.New(m, e, p, s.config(x))
		return err
	}}, nil
}

// Machines are the ways to run a Gorgonia graph: Gorgonia's own and ours.
var Machines = map[string]func(*G.ExprGraph) (G.VM, error){
	"tape":  func(g *G.ExprGraph) (G.VM, error) { return G.NewTapeMachine(g), nil },
	"graph": func(g *G.ExprGraph) (G.VM, error) { return graphs.NewMachine(g) },
}

// Machine is one run of energy and gradient as a Gorgonia program on a machine: with our operations (fused
// activations, affine layers) or with Gorgonia's own (matrix products, sums, sigmoid).
func Machine(machine string, ours bool, s Setting) (Work, error) {
	create, ok := Machines[machine]
	if !ok {
		return Work{}, fmt.Errorf("benchmarks: machine %q, want tape or graph", machine)
	}
	g, err := program(ours, s)
	if err != nil {
		return Work{}, err
	}
	vm, err := create(g)
	if err != nil {
		return Work{}, err
	}
	return Work{Products: 2, Step: func() error {
		defer vm.Reset()
		return vm.RunAll()
	}}, nil
}

// program builds the energy Σ w₃·φ(W₂ φ(W₁x)) of a batch and its gradient in x as a Gorgonia program whose inputs
// have values and whose results are read.
func program(ours bool, s Setting) (*G.ExprGraph, error) {
	rng := rand.New(rand.NewPCG(1, 2))
	g := G.NewGraph()
	dt := s.Precision.Dtype()
	input := func(name string, rows, cols int) *G.Node {
		return G.NewMatrix(g, dt, G.WithShape(rows, cols), G.WithName(name), G.WithValue(randomTensor(dt, rows, cols, rng)))
	}
	defer graphs.Building()()
	x := input("x", s.Batch, 2)
	w := []*G.Node{input("w1", 2, s.Hidden), input("w2", s.Hidden, s.Hidden), input("w3", s.Hidden, 1)}
	u, err := graphs.Try(func() *G.Node {
		h := x
		for i, wi := range w {
			if ours {
				h = graphs.MatMul(h, wi, false, false)
			} else {
				h = graphs.Must(G.Mul(h, wi))
			}
			switch {
			case i == len(w)-1:
			case ours:
				h = graphs.SiLU(h)
			default:
				h = graphs.Must(G.HadamardProd(h, graphs.Must(G.Sigmoid(h))))
			}
		}
		if ours {
			return graphs.Sum(h)
		}
		return graphs.Must(G.Sum(h))
	})
	if err != nil {
		return nil, err
	}
	gx, err := graphs.Grad(u, x)
	if err != nil {
		return nil, err
	}
	var values [2]G.Value
	G.Read(u, &values[0])
	G.Read(gx[0], &values[1])
	return g, nil
}

func randomTensor(dt tensor.Dtype, rows, cols int, rng *rand.Rand) *tensor.Dense {
	if dt == tensor.Float32 {
		v := make([]float32, rows*cols)
		for i := range v {
			v[i] = float32(rng.NormFloat64() / 4)
		}
		return tensor.New(tensor.WithShape(rows, cols), tensor.WithBacking(v))
	}
	v := make([]float64, rows*cols)
	for i := range v {
		v[i] = rng.NormFloat64() / 4
	}
	return tensor.New(tensor.WithShape(rows, cols), tensor.WithBacking(v))
}
