package graphs_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/graphs/vector"
)

// BenchmarkFunction measures compiled calls of a 2-H-H-1 SiLU network: energy and gradient (langevin), and the training
// gradients of denoising, sliced and exact score matching. It reports the floating-point operations of the products of
// (batch,H,H) that each needs at least, as a rate and as a share of the FMA peak of one core, measured in the same
// process.
func BenchmarkFunction(b *testing.B) {
	for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
		for _, s := range [][2]int{{32, 32}, {128, 64}, {256, 128}, {1024, 256}} {
			for _, c := range []struct {
				name     string
				products int
			}{{"langevin", 2}, {"dsm", 6}, {"ssm", 9}, {"sm", 12}} {
				for _, threads := range []int{1, 2} {
					b.Run(fmt.Sprintf("%s/batch=%d/hidden=%d/%v/threads=%d", c.name, s[0], s[1], dt, threads), func(b *testing.B) {
						in, out, held := job(b, c.name, dt, s[0], s[1])
						f, err := graphs.Compile(in, out, graphs.Held(held...), graphs.Threads(threads))
						if err != nil {
							b.Fatal(err)
						}
						args, dst := normal(rand.New(rand.NewPCG(1, 1)), in), buffers(out)
						for b.Loop() {
							if err := f.Call(dst, args...); err != nil {
								b.Fatal(err)
							}
						}
						flops := float64(c.products) * 2 * float64(s[0]) * float64(s[1]) * float64(s[1])
						rate := flops * float64(b.N) / b.Elapsed().Seconds()
						peak := vector.PeakFLOPS[float32]()
						if dt == tensor.Float64 {
							peak = vector.PeakFLOPS[float64]()
						}
						b.ReportMetric(rate/1e9, "GFLOP/s")
						b.ReportMetric(100*rate/peak, "%peak")
					})
				}
			}
		}
	}
}

// job builds the graph of BenchmarkFunction.
func job(t testing.TB, name string, dt tensor.Dtype, n, h int) (in, out, held G.Nodes) {
	t.Helper()
	x, theta, y := smallMLP(t, dt, n, h)
	g := x.Graph()
	var loss *G.Node
	_, err := graphs.Try(func() *G.Node {
		mean := func(rows *G.Node) *G.Node { return graphs.Scale(graphs.Sum(rows), 1/float64(n)) }
		in = append(G.Nodes{x}, theta...)
		gx := y[1]
		switch name {
		case "langevin":
			out, held = y, theta
			return nil
		case "dsm":
			e := graphs.NewInput(g, dt, "e", n, 2)
			in = append(in, e)
			loss = graphs.Scale(mean(graphs.RowSum(graphs.Square(graphs.Sub(e, gx)))), 0.5)
		case "ssm":
			v := graphs.NewInput(g, dt, "v", n, 2)
			in = append(in, v)
			c := graphs.Must(graphs.DirectionalCurvature(y[0], x, v))
			loss = mean(graphs.Sub(graphs.Scale(graphs.Square(graphs.RowSum(graphs.Mul(v, gx))), 0.5), c))
		case "sm":
			tr := graphs.Must(graphs.HessianTrace(y[0], x))
			loss = mean(graphs.Sub(graphs.Scale(graphs.RowSum(graphs.Square(gx)), 0.5), tr))
		}
		gs, err := graphs.Grad(loss, theta...)
		graphs.Must(nil, err)
		out = append(G.Nodes{loss}, gs...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return in, out, held
}
