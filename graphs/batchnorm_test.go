package graphs_test

import (
	"fmt"
	"math/rand/v2"
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
