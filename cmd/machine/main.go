// Machine moves a training program written for Gorgonia to graphs.NewMachine. The program is an ordinary one: a network
// that classifies the arms of two spirals, gorgonia.Grad and one of Gorgonia's solvers. The two runs differ in one
// line. Both are timed, alternately, and their losses compared.
package main

import (
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"time"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs"
)

const (
	batch  = 128
	hidden = 64
	rounds = 10 // rounds, alternating between the machines
	steps  = 50 // per round
)

// program is a graph with its data, weights and solver, written as in Gorgonia's documentation.
type program struct {
	vm      G.VM
	x, y    *tensor.Dense
	weights []G.ValueGrad
	solver  G.Solver
	loss    G.Value
	rng     *rand.Rand
	elapsed time.Duration
}

func newProgram(compiled bool) *program {
	p := &program{rng: rand.New(rand.NewPCG(1, 2)), solver: G.NewAdamSolver(G.WithLearnRate(0.005))}
	g := G.NewGraph()
	p.x = tensor.New(tensor.WithShape(batch, 2), tensor.WithBacking(make([]float32, 2*batch)))
	p.y = tensor.New(tensor.WithShape(batch, 1), tensor.WithBacking(make([]float32, batch)))
	x := G.NewMatrix(g, G.Float32, G.WithName("x"), G.WithShape(batch, 2), G.WithValue(p.x))
	y := G.NewMatrix(g, G.Float32, G.WithName("y"), G.WithShape(batch, 1), G.WithValue(p.y))

	var learn G.Nodes
	weight := func(rows, cols int) *G.Node {
		v := make([]float32, rows*cols)
		for i := range v {
			v[i] = float32(p.rng.NormFloat64() * math.Sqrt(1/float64(rows)))
		}
		n := G.NewMatrix(g, G.Float32, G.WithName(fmt.Sprint("w", len(learn))), G.WithShape(rows, cols),
			G.WithValue(tensor.New(tensor.WithShape(rows, cols), tensor.WithBacking(v))))
		learn = append(learn, n)
		return n
	}
	h := G.Must(G.Tanh(G.Must(G.Mul(x, weight(2, hidden)))))
	h = G.Must(G.Tanh(G.Must(G.Mul(h, weight(hidden, hidden)))))
	score := G.Must(G.Mul(h, weight(hidden, 1)))
	loss := G.Must(G.Mean(G.Must(G.Softplus(G.Must(G.Neg(G.Must(G.HadamardProd(y, score)))))))) // y = ±1
	if _, err := G.Grad(loss, learn...); err != nil {
		log.Fatal(err)
	}
	G.Read(loss, &p.loss)

	var err error
	if compiled {
		p.vm, err = graphs.NewMachine(g)
	} else {
		p.vm = G.NewTapeMachine(g, G.BindDualValues(learn...))
	}
	if err != nil {
		log.Fatal(err)
	}
	p.weights = G.NodesToValueGrads(learn)
	return p
}

// step draws a batch of the two spirals and takes one step.
func (p *program) step() {
	for i := range batch {
		t, arm := 4*math.Sqrt(p.rng.Float64()), float64(2*(i%2)-1)
		p.x.Set(2*i, float32(arm*t*math.Cos(2*t)/4+0.05*p.rng.NormFloat64()))
		p.x.Set(2*i+1, float32(arm*t*math.Sin(2*t)/4+0.05*p.rng.NormFloat64()))
		p.y.Set(i, float32(arm))
	}
	start := time.Now()
	if err := p.vm.RunAll(); err != nil {
		log.Fatal(err)
	}
	p.elapsed += time.Since(start)
	if err := p.solver.Step(p.weights); err != nil {
		log.Fatal(err)
	}
	p.vm.Reset()
}

func main() {
	log.SetFlags(0)
	tape, ours := newProgram(false), newProgram(true)
	fmt.Println("  step  tape machine  graphs.NewMachine   (loss)")
	for r := range rounds {
		for range steps {
			tape.step()
			ours.step()
		}
		fmt.Printf("%6d  %12.4f  %17.4f\n", (r+1)*steps, tape.loss.Data(), ours.loss.Data())
	}
	n := time.Duration(rounds * steps)
	fmt.Printf("per run: tape machine %v, graphs.NewMachine %v: %.1f times as fast\n",
		(tape.elapsed / n).Round(time.Microsecond),
		(ours.elapsed / n).Round(time.Microsecond), float64(tape.elapsed)/float64(ours.elapsed))
}
