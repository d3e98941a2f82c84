// Convnet trains Gorgonia's usual convolutional network on digits that the program draws, alternately on Gorgonia's tape
// machine and on graphs.NewMachine, from the same weights; in the end the latter reads fresh digits.
package main

import (
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/stheno-ebm/stheno/graphs"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

const batch, side, rounds, steps = 32, 20, 5, 30

// segments are the strokes of a digit on a clock: top, upper left and right, middle, lower left and right, bottom.
var segments = [10]string{"012456", "25", "02346", "02356", "1235", "01356", "013456", "025", "0123456", "012356"}

type model struct {
	vm           G.VM
	x, y         *tensor.Dense // pictures, and which digits they are, one-hot
	loss, logits G.Value
	weights      []G.ValueGrad
	solver       G.Solver
	rng          *rand.Rand
	elapsed      float64 // seconds
}

func newModel(newVM func(g *G.ExprGraph, loss *G.Node, learn G.Nodes) G.VM) *model {
	m := &model{rng: rand.New(rand.NewPCG(1, 2)), solver: G.NewAdamSolver(G.WithLearnRate(0.005))}
	g, learn := G.NewGraph(), G.Nodes{}
	input := func(name string, scale float64, shape ...int) *G.Node {
		d := tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(shape...))
		for i := range d.Float32s() {
			d.SetF32(i, float32(scale*m.rng.NormFloat64()))
		}
		return G.NewTensor(g, G.Float32, len(shape), G.WithName(name), G.WithShape(shape...), G.WithValue(d))
	}
	weight := func(from int, shape ...int) *G.Node {
		learn = append(learn, input(fmt.Sprint("w", len(learn)), math.Sqrt(2/float64(from)), shape...))
		return learn[len(learn)-1]
	}
	x, y := input("x", 0, batch, 1, side, side), input("y", 0, batch, 10)
	m.x, m.y = x.Value().(*tensor.Dense), y.Value().(*tensor.Dense)
	layer := func(x *G.Node, in, out int) *G.Node { // convolution, rectifier, largest of 2×2
		z := must(G.Conv2d(x, weight(9*in, out, in, 3, 3), tensor.Shape{3, 3}, []int{1, 1}, []int{1, 1}, []int{1, 1}))
		return must(G.MaxPool2D(must(G.Rectify(z)), tensor.Shape{2, 2}, []int{0, 0}, []int{2, 2}))
	}
	const left = 32 * side / 4 * side / 4
	h := must(G.Reshape(layer(layer(x, 1, 16), 16, 32), tensor.Shape{batch, left}))
	logits := must(G.Mul(must(G.Rectify(must(G.Mul(h, weight(left, left, 64))))), weight(64, 64, 10)))
	loss := must(G.Sum(must(G.HadamardProd(y, must(G.LogSoftMax(logits, 1))))))
	loss = must(G.HadamardDiv(loss, G.NewConstant(float32(-batch))))
	m.weights = G.NodesToValueGrads(learn)
	G.Read(loss, &m.loss)
	G.Read(logits, &m.logits)
	m.vm = newVM(g, loss, learn)
	return m
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

// run draws digits of different sizes and places, on noise, and runs the graph.
func (m *model) run() {
	m.y.Zero()
	for i, pixels := range slices.Collect(slices.Chunk(m.x.Float32s(), side*side)) {
		for j := range pixels {
			pixels[j] = float32(0.3 * m.rng.NormFloat64())
		}
		digit, half, top, start := m.rng.IntN(10), 4+m.rng.IntN(3), 2+m.rng.IntN(5), 3+m.rng.IntN(9)
		m.y.SetF32(10*i+digit, 1)
		for _, s := range segments[digit] {
			k, down := int(s-'0'), min(int(s-'0')%3, 1) // strokes 0, 3 and 6 go across, 2 and 5 are on the right
			for j := range half + 1 {
				pixels[(top+k/3*half+j*down)*side+start+k%3/2*half+j*(1-down)]++
			}
		}
	}
	defer func(began time.Time) { m.elapsed += time.Since(began).Seconds() }(time.Now())
	must(0, m.vm.RunAll())
}

func main() {
	tape := newModel(func(g *G.ExprGraph, loss *G.Node, learn G.Nodes) G.VM {
		must(G.Grad(loss, learn...))
		return G.NewTapeMachine(g, G.BindDualValues(learn...))
	})
	ours := newModel(func(g *G.ExprGraph, loss *G.Node, learn G.Nodes) G.VM {
		for i, gradient := range must(graphs.Grad(loss, learn...)) {
			G.SetDerivOf(gradient, learn[i])
		}
		return must(graphs.NewMachine(g))
	})
	for round := range rounds {
		for step := range 2 * steps {
			m := []*model{tape, ours}[step%2]
			m.run()
			must(0, m.solver.Step(m.weights))
			m.vm.Reset()
		}
		fmt.Printf("step %3d: loss %.4f on the tape, %.4f here\n", (round+1)*steps, tape.loss.Data(), ours.loss.Data())
	}
	fmt.Printf("%.2f s and %.2f s: %.1f times as fast\n", tape.elapsed, ours.elapsed, tape.elapsed/ours.elapsed)
	ours.run()
	right := float32(0)
	for i, row := range slices.Collect(slices.Chunk(ours.logits.Data().([]float32), 10)) {
		right += ours.y.GetF32(10*i + slices.Index(row, slices.Max(row)))
	}
	fmt.Printf("%g of %d fresh digits read\n", right, batch)
}
