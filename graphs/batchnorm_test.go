package graphs_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs"
)

// A BatchNorm in training has the results, the gradients and the running statistics of Gorgonia's own, run after run,
// whether its pictures are outputs or may stay in rows.
func TestBatchNormOfGorgonia(t *testing.T) {
	for _, dt := range []tensor.Dtype{tensor.Float64, tensor.Float32} {
		for _, shape := range [][]int{{16, 3, 5, 4}, {30, 1, 3, 3}, {130, 33, 2, 1}, {256, 5}, {300, 2, 1, 1}, {4, 3, 2, 2}} {
			for _, values := range []bool{false, true} {
				t.Run(fmt.Sprintf("%v/%v/values=%v", dt, shape, values), func(t *testing.T) {
					tape := newNormalised(t, dt, shape, func(g *G.ExprGraph) (G.VM, error) { return G.NewTapeMachine(g), nil })
					ours := newNormalised(t, dt, shape, func(g *G.ExprGraph) (G.VM, error) {
						if values {
							return graphs.NewMachine(g, graphs.AllValues())
						}
						return graphs.NewMachine(g)
					})
					tolerance := map[tensor.Dtype]float64{tensor.Float64: 1e-11, tensor.Float32: 3e-4}[dt]
					for run := range 3 {
						want, got := tape.run(t, run), ours.run(t, run)
						for name, w := range want {
							if err := same(got[name], w, tolerance); err != nil {
								t.Errorf("run %d, %s: %v", run, name, err)
							}
						}
					}
				})
			}
		}
	}
}

// normalised is the loss Σ u∘tanh(BatchNorm(c x)) on a machine, and its derivatives.
type normalised struct {
	vm    G.VM
	x     *tensor.Dense
	op    *G.BatchNormOp
	value []G.Value // of the result, and derivatives in x, scale and bias
}

func newNormalised(t *testing.T, dt tensor.Dtype, shape []int, create func(*G.ExprGraph) (G.VM, error)) *normalised {
	t.Helper()
	rng := rand.New(rand.NewPCG(3, 4))
	g := G.NewGraph()
	n := &normalised{}
	input := func(name string, s ...int) *G.Node {
		return G.NewTensor(g, dt, len(s), G.WithShape(s...), G.WithName(name), G.WithValue(dense(rng, dt, 1, s...)))
	}
	channel := make([]int, len(shape))
	for i := range channel {
		channel[i] = 1
	}
	channel[1] = shape[1]
	x, scale, bias, u := input("x", shape...), input("scale", channel...), input("bias", channel...), input("u", shape...)
	n.x = x.Value().(*tensor.Dense)
	y, _, _, op, err := G.BatchNorm(G.Must(G.Tanh(x)), scale, bias, 0.3, 1e-3)
	if err != nil {
		t.Fatal(err)
	}
	n.op = op
	loss := G.Must(G.Sum(G.Must(G.HadamardProd(u, G.Must(G.Tanh(y))))))
	grads, err := G.Grad(loss, x, scale, bias)
	if err != nil {
		t.Fatal(err)
	}
	of := append(G.Nodes{y}, grads...)
	n.value = make([]G.Value, len(of))
	for i, o := range of {
		G.Read(o, &n.value[i])
	}
	if n.vm, err = create(g); err != nil {
		t.Fatal(err)
	}
	return n
}

// run runs the machine on different data each time.
func (n *normalised) run(t *testing.T, run int) map[string][]float64 {
	t.Helper()
	rng := rand.New(rand.NewPCG(5, uint64(run)))
	if err := dense(rng, n.x.Dtype(), 2, n.x.Shape()...).CopyTo(n.x); err != nil {
		t.Fatal(err)
	}
	if err := n.vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	n.vm.Reset()
	mean, variance := n.op.Stats()
	r := map[string][]float64{"running mean": numbers(mean), "running variance": numbers(variance)}
	for i, name := range []string{"result", "∂x", "∂scale", "∂bias"} {
		r[name] = numbers(n.value[i])
	}
	return r
}

// A compiled BatchNorm does what its operation is set to at each call, with the derivatives of that, whether these are
// by this package or taken from differences; training moves its running statistics as Gorgonia's own code does.
func TestBatchNormCompiled(t *testing.T) {
	const b, c, h = 5, 3, 2
	rng := rand.New(rand.NewPCG(7, 8))
	g := G.NewGraph()
	x := G.NewTensor(g, tensor.Float64, 4, G.WithShape(b, c, h, 1), G.WithName("x"))
	u := G.NewTensor(g, tensor.Float64, 4, G.WithShape(b, c, h, 1), G.WithName("u"))
	scale := G.NewTensor(g, tensor.Float64, 4, G.WithShape(1, c, 1, 1), G.WithName("scale"))
	y, _, _, op, err := G.BatchNorm(x, scale, scale, 0.3, 1e-3)
	if err != nil {
		t.Fatal(err)
	}
	cost := graphs.Sum(graphs.Mul(u, graphs.Tanh(y)))
	gs, err := graphs.Grad(cost, x)
	if err != nil {
		t.Fatal(err)
	}
	var f [2]*graphs.Function // the second gives derivatives alone
	for i, out := range []G.Nodes{{cost, gs[0]}, gs} {
		if f[i], err = graphs.Compile(G.Nodes{x, u, scale}, out, graphs.Threads(i+1)); err != nil {
			t.Fatal(err)
		}
	}
	scales := []float64{1, 2, -1}
	xs, us := numbers(dense(rng, tensor.Float64, 2, b, c, h, 1)), numbers(dense(rng, tensor.Float64, 1, b, c, h, 1))
	loss, d, again := make([]float64, 1), make([]float64, len(xs)), make([]float64, len(xs))
	call := func(f *graphs.Function, dst ...[]float64) {
		if err := f.Call(dst, xs, us, scales); err != nil {
			t.Fatal(err)
		}
	}
	stats := func() []float64 {
		mean, variance := op.Stats()
		return append(slices.Clone(numbers(mean)), numbers(variance)...)
	}
	for i, train := range []bool{true, false, true} {
		was := stats()
		if err := op.SetTraining(train); err != nil { // which resets the statistics
			t.Fatal(err)
		}
		if !train {
			if err := op.SetStats(tensor.New(tensor.WithBacking(was[:c])), tensor.New(tensor.WithBacking(was[c:]))); err != nil {
				t.Fatal(err)
			}
		}
		before := stats()
		call(f[0], loss, d)
		if moved := !slices.Equal(stats(), before); moved != train {
			t.Errorf("call %d: the statistics moved: %v", i, moved)
		}
		call(f[1], again)
		if !slices.Equal(again, d) {
			t.Errorf("call %d: another gradient without the cost", i)
		}
		for j := range xs {
			const step = 1e-5
			at, low, high := xs[j], []float64{0}, []float64{0}
			xs[j] = at - step
			call(f[0], low)
			xs[j] = at + step
			call(f[0], high)
			xs[j] = at
			if want := (high[0] - low[0]) / (2 * step); math.Abs(d[j]-want) > 1e-6 {
				t.Errorf("call %d: derivative %d is %g, differences give %g", i, j, d[j], want)
			}
		}
	}
	if n := testing.AllocsPerRun(10, func() { call(f[0], loss, d) }); n > 0 {
		t.Errorf("%g allocations per call", n)
	}
	if f[0].Clone().String() != f[0].String() {
		t.Error("a clone is another program")
	}
}
