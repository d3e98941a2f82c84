// Pde solves a differential equation with a network: package graphs without an energy-based model. On the unit square
//
//	∂²u/∂x₁² + ∂²u/∂x₂² = -2π² sin πx₁ sin πx₂,   u = 0 on the border,
//
// with the solution u = sin πx₁ sin πx₂. The network is u(x) = x₁(1-x₁)x₂(1-x₂) net(x), which is zero on the boundary,
// and the loss is the mean square residual at random points (Raissi, Perdikaris and Karniadakis, Physics-informed
// neural networks, J. Comput. Phys. 378 (2019) 686–707). graphs.Grad is applied twice:
//
//	u ──Grad──▶ ∂u/∂x ──Grad──▶ ∂²u/∂x² ──▶ loss ──Grad──▶ ∂loss/∂θ
package main

import (
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"os"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/objectives/train"
	"github.com/stheno-ebm/stheno/viz"
)

const (
	width  = 32
	points = 256
	steps  = 1500
	out    = "runs/pde"
)

func main() {
	log.SetFlags(0)
	g := G.NewGraph()
	x := graphs.NewInput(g, tensor.Float32, "x", points, 2)
	rng := rand.New(rand.NewPCG(1, 2))
	var theta G.Nodes
	var values [][]float64            // one slice per parameter,
	flat := make([]float64, 0, 1<<14) // all slices of this one
	for i, shape := range [][]int{{width, 2}, {width}, {width, width}, {width}, {1, width}, {1}} {
		theta = append(theta, graphs.NewInput(g, tensor.Float32, fmt.Sprint("θ", i), shape...))
		from, scale := len(flat), 0.0 // biases start at zero
		if len(shape) == 2 {
			scale = math.Pow(float64(shape[1]), -0.5)
		}
		for range tensor.Shape(shape).TotalSize() {
			flat = append(flat, scale*rng.NormFloat64())
		}
		values = append(values, flat[from:])
	}
	column := func(m *G.Node, k int) *G.Node { return graphs.SliceCols(m, k, k+1) } // (n, 1)
	// Everything in here returns a node; the first failure becomes the error of Try.
	var u *G.Node
	loss, err := graphs.Try(func() *G.Node {
		x1, x2 := column(x, 0), column(x, 1)
		h := graphs.Tanh(graphs.Affine(x, theta[0], theta[1]))
		h = graphs.Tanh(graphs.Affine(h, theta[2], theta[3]))
		border := graphs.Mul(graphs.Sub(x1, graphs.Square(x1)), graphs.Sub(x2, graphs.Square(x2)))
		u = graphs.Mul(border, graphs.Affine(h, theta[4], theta[5]))
		gradient := must(graphs.Grad(graphs.Sum(u), x))[0] // (n, 2), since row i of u depends on row i of x alone
		wave := func(x *G.Node) *G.Node { return graphs.Sin(graphs.Scale(x, math.Pi)) }
		residual := graphs.Scale(graphs.Mul(wave(x1), wave(x2)), 2*math.Pi*math.Pi)
		for k := range 2 {
			second := must(graphs.Grad(graphs.Sum(column(gradient, k)), x))[0]
			residual = graphs.Add(residual, column(second, k))
		}
		return graphs.Mean(graphs.Square(residual))
	})
	check(err)
	inputs := append(G.Nodes{x}, theta...)
	f := must(graphs.Compile(inputs, append(G.Nodes{loss}, must(graphs.Grad(loss, theta...))...)))
	solution := must(graphs.Compile(inputs, G.Nodes{u}))

	adam := &train.Adam{}
	batch, value, grad := make([]float64, 2*points), []float64{0}, make([]float64, len(flat))
	args, results := append([][]float64{batch}, values...), [][]float64{value}
	for rest, i := grad, 0; i < len(values); rest, i = rest[len(values[i]):], i+1 {
		results = append(results, rest[:len(values[i])])
	}
	for k := range steps {
		for i := range batch {
			batch[i] = rng.Float64()
		}
		check(f.Call(results, args...))
		adam.SetLearningRate(0.005 * train.Cosine{}.Factor(k, steps))
		check(adam.Step(flat, grad))
		if (k+1)%300 == 0 {
			fmt.Printf("step %4d  mean square residual %.2e\n", k+1, value[0])
		}
	}
	// Compare with the exact solution on a grid of 16² points, which is one batch, and plot.
	grid, worst := viz.NewGrid([]float64{0, 0}, []float64{1, 1}, 16), 0.0
	args[0] = grid.Points().RawMatrix().Data
	check(solution.Call([][]float64{grid.Z}, args...))
	for i, v := range grid.Z {
		worst = max(worst, math.Abs(v-math.Sin(math.Pi*grid.X[i%16])*math.Sin(math.Pi*grid.Y[i/16])))
	}
	fmt.Printf("largest error %.1e\n", worst)
	surface := viz.Surface{Grid: grid, Scale: viz.Scale{Hi: 1, Map: viz.Viridis, Bands: 10}, Shadow: true,
		Labels: [3]string{"x₁", "x₂", "u"}}
	figure := viz.Figure{Title: "Poisson's equation"}
	figure.Add(viz.Cell{Draw: surface.Draw, Aspect: 0.7})
	check(os.MkdirAll(out, 0o755))
	check(viz.Save(out+"/solution.png", &figure))
	fmt.Println(out + "/solution.png")
}

func must[T any](v T, err error) T {
	check(err)
	return v
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
