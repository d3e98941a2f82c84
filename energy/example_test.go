package energy_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/energy/safetensors"
	"github.com/stheno-ebm/stheno/graphs"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// A user-defined energy: a harmonic trap of learnable stiffness, E(x) = ½ k |x|².
func ExampleFunc() {
	trap := energy.Func{
		D:      2,
		Params: []energy.Spec{{Name: "stiffness", Shape: []int{1}}},
		F: func(x *G.Node, theta G.Nodes) (*G.Node, error) {
			return graphs.Try(func() *G.Node {
				half := graphs.Scale(graphs.RowSum(graphs.Square(x)), 0.5) // (n, 1)
				return graphs.Mul(graphs.Fill(theta[0], half), half)
			})
		},
	}
	theta := energy.NewParams(trap.Specs())
	theta.View("stiffness")[0] = 10
	eval := must(energy.NewEvaluator(trap, theta, energy.EvaluatorConfig{}))
	e, grad := make([]float64, 1), mat.NewDense(1, 2, nil)
	if err := eval.EnergyGrad(e, grad, mat.NewDense(1, 2, []float64{3, 4})); err != nil {
		panic(err)
	}
	fmt.Println(e, grad.RawRowView(0))
	// Output: [125] [30 40]
}

// An evaluator follows its parameters: write to them, then tell it.
func ExampleEvaluator() {
	well := energy.Gaussian{D: 1}
	theta := energy.Init(well, nil)
	eval := must(energy.NewEvaluator(well, theta, energy.EvaluatorConfig{Batch: 100, Precision: energy.Float64}))
	x, e := mat.NewDense(3, 1, []float64{0, 1, 2}), make([]float64, 3)
	for _, mean := range []float64{0, 2} {
		theta.View("mean")[0] = mean
		theta.Changed()
		if err := eval.Energies(e, x); err != nil {
			panic(err)
		}
		fmt.Println(e)
	}
	// Output:
	// [0 0.5 2]
	// [2 0.5 0]
}

// One flat slice, a view for every array, and a file that PyTorch can read.
func ExampleParams() {
	net := must(energy.NewMLP(energy.MLPConfig{Dim: 2, Hidden: []int{8}}))
	theta := energy.Init(net, rand.New(rand.NewPCG(1, 2)))
	for _, s := range theta.Specs() {
		fmt.Println(s.Name, s.Shape)
	}
	var file bytes.Buffer
	if err := safetensors.Write(&file, &safetensors.File{Tensors: theta.Tensors(safetensors.F64)}); err != nil {
		panic(err)
	}
	f := must(safetensors.Read(bytes.NewReader(file.Bytes()), int64(file.Len())))
	loaded := energy.NewParams(net.Specs())
	fmt.Println(loaded.Load(f), loaded.Data()[0] == theta.Data()[0])
	// Output:
	// net.0.weight [8 2]
	// net.0.bias [8]
	// net.2.weight [1 8]
	// net.2.bias [1]
	// <nil> true
}

// A network on sines and cosines of x, confined so that exp(-E) has a finite integral.
func ExampleConfine() {
	net := must(energy.NewFourier(energy.FourierConfig{Dim: 2, Frequencies: 16}, func(dim int) (energy.Energy, error) {
		return energy.NewMLP(energy.MLPConfig{Dim: dim, Hidden: []int{32}})
	}))
	e := must(energy.Confine(net, nil, 4))
	fmt.Println(e.Dim(), energy.NewParams(e.Specs()).Len(), energy.Smooth(e))
	// Output: 2 1185 <nil>
}

// Before training, f = 0 and the energy is about that of the background.
func ExampleBridge() {
	b := must(energy.NewMixture(mat.NewDense(1, 1, nil), []float64{6}, nil))
	e := must(energy.NewBridge(energy.Func{D: 1, F: func(x *G.Node, _ G.Nodes) (*G.Node, error) {
		return graphs.ZerosLike(x), nil
	}}, energy.BridgeConfig{Background: b}))
	x := mat.NewDense(2, 1, []float64{-5, 1})
	u, logb := make([]float64, 2), make([]float64, 2)
	eval := must(energy.NewEvaluator(e, energy.NewParams(nil), energy.EvaluatorConfig{Precision: energy.Float64}))
	if err := eval.Energies(u, x); err != nil {
		panic(err)
	}
	b.LogProb(logb, x)
	fmt.Printf("%.2f %.2f\n%.2f %.2f\n", u[0], -logb[0], u[1], -logb[1])
	// Output:
	// 3.06 3.06
	// 2.72 2.72
}

// A network that knows the noise level: the data blurred by σ, from 2 down to 0.1.
func ExampleAnnealable() {
	net := must(energy.NewMLP(energy.MLPConfig{Dim: 3, Hidden: []int{16}})) // x and the level
	e := must(energy.NewAnnealable(net, energy.GeometricLevels(2, 0.1, 5), 1))
	fmt.Printf("%d %.2f\n", e.Dim(), e.Levels())
	// Output: 2 [2.00 0.95 0.45 0.21 0.10]
}

// A small network on learnt sines and cosines of x, as the default energy of ebm is.
func ExampleNewFourier() {
	e := must(energy.NewFourier(energy.FourierConfig{Dim: 2, Frequencies: 16}, func(dim int) (energy.Energy, error) {
		return energy.NewMLP(energy.MLPConfig{Dim: dim, Hidden: []int{32, 32}, Activation: "silu"})
	}))
	p := energy.NewParams(e.Specs())
	e.Init(p, rand.New(rand.NewPCG(1, 2)))
	fmt.Println(e.Dim(), p.Len())
	// Output: 2 2241
}

// A network whose layers have spectral norm 1: its energy does not change faster than x.
func ExampleNewSpectral() {
	e := must(energy.NewMLP(energy.MLPConfig{Dim: 2, Hidden: []int{16, 16}, Activation: "tanh"}))
	s := must(energy.NewSpectral(e, 1))
	p := energy.NewParams(s.Specs())
	s.Init(p, rand.New(rand.NewPCG(1, 2)))
	v := must(energy.NewEvaluator(s, p, energy.EvaluatorConfig{Batch: 2}))
	u := make([]float64, 2)
	if err := v.Energies(u, mat.NewDense(2, 2, []float64{0, 0, 3, 4})); err != nil {
		panic(err)
	}
	fmt.Println(u[1]-u[0] < 5, u[0]-u[1] < 5)
	// Output: true true
}
