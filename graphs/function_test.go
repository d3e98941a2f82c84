package graphs_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs"
)

// smallMLP builds the energy of a 2-h-h-1 SiLU network and its gradient for a batch of n.
func smallMLP(t testing.TB, dt tensor.Dtype, n, h int) (x *G.Node, theta, out G.Nodes) {
	t.Helper()
	g := G.NewGraph()
	x = graphs.NewInput(g, dt, "x", n, 2)
	in := 2
	y := x
	_, err := graphs.Try(func() *G.Node {
		for i, w := range []int{h, h, 1} {
			name := string(rune('0' + i))
			W, b := graphs.NewInput(g, dt, "w"+name, w, in), graphs.NewInput(g, dt, "b"+name, w)
			theta = append(theta, W, b)
			y = graphs.Affine(y, W, b)
			if i < 2 {
				y = graphs.SiLU(y)
			}
			in = w
		}
		gs, err := graphs.Grad(graphs.Sum(y), x)
		graphs.Must(nil, err)
		out = G.Nodes{y, gs[0]}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return x, theta, out
}

// score adds the gradient in theta of the score matching loss with a given probe to the outputs of smallMLP.
func trainGraph(t testing.TB, dt tensor.Dtype, n, h int) (in, out G.Nodes) {
	t.Helper()
	x, theta, y := smallMLP(t, dt, n, h)
	v := graphs.NewInput(x.Graph(), dt, "v", n, 2)
	_, err := graphs.Try(func() *G.Node {
		hv := graphs.Must(graphs.JVP(y[1], G.Nodes{x}, G.Nodes{v}))
		loss := graphs.Scale(graphs.Sub(graphs.Scale(graphs.Sum(graphs.Square(y[1])), 0.5),
			graphs.Sum(graphs.Mul(hv, v))), 1/float64(n))
		gs, err := graphs.Grad(loss, theta...)
		graphs.Must(nil, err)
		out = append(G.Nodes{loss}, gs...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return append(G.Nodes{x, v}, theta...), out
}

func TestCallAllocatesNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
		for _, n := range []int{5, 300} {
			in, out := trainGraph(t, dt, n, 20)
			f, err := graphs.Compile(in, out, graphs.Held(in[3]))
			if err != nil {
				t.Fatal(err)
			}
			args, dst := normal(rng, in), buffers(out)
			if a := testing.AllocsPerRun(20, func() {
				f.Touch()
				if err := f.Call(dst, args...); err != nil {
					t.Fatal(err)
				}
			}); a != 0 {
				t.Errorf("%v, %d rows: %v allocations per call, want 0", dt, n, a)
			}
		}
	}
}

func TestHeldAndTouch(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 3))
	x, theta, out := smallMLP(t, tensor.Float64, 7, 6)
	in := append(G.Nodes{x}, theta...)
	free, err := graphs.Compile(in, out)
	if err != nil {
		t.Fatal(err)
	}
	held, err := graphs.Compile(in, out, graphs.Held(theta...))
	if err != nil {
		t.Fatal(err)
	}
	args := normal(rng, in)
	call := func(f *graphs.Function, args ...[]float64) [][]float64 {
		t.Helper()
		dst := buffers(out)
		if err := f.Call(dst, args...); err != nil {
			t.Fatal(err)
		}
		return dst
	}
	equal := func(a, b [][]float64) bool {
		for i := range a {
			for j := range a[i] {
				if a[i][j] != b[i][j] {
					return false
				}
			}
		}
		return true
	}
	before := call(held, args...)
	if !equal(before, call(free, args...)) {
		t.Fatal("held and free inputs give different results")
	}
	args[3][1] += 0.5
	after := call(free, args...)
	if equal(before, after) {
		t.Fatal("a free input was not read")
	}
	if !equal(before, call(held, args...)) {
		t.Error("a held input was read without Touch")
	}
	held.Touch()
	if !equal(after, call(held, args...)) {
		t.Error("a held input was not read after Touch")
	}
	// A nil argument keeps the previous value, and a nil destination is not written.
	if !equal(after, call(free, make([][]float64, len(in))...)) {
		t.Error("nil arguments: the values of the call before were not kept")
	}
	grad := make([]float64, len(after[1]))
	if err := free.Call([][]float64{nil, grad}); err != nil {
		t.Fatal(err)
	}
	if !equal([][]float64{grad}, after[1:]) {
		t.Error("a nil destination changes the other output")
	}
	// A clone has the inputs of the original, and memory of its own.
	c := held.Clone()
	if !equal(after, call(c, make([][]float64, len(in))...)) {
		t.Error("a clone does not have the inputs of its origin")
	}
	args[0][0]++
	args[5][0]++
	c.Touch()
	moved := call(c, args...)
	if equal(moved, after) {
		t.Error("the clone did not read its inputs")
	}
	if !equal(after, call(held, make([][]float64, len(in))...)) {
		t.Error("a call of the clone changed the origin")
	}
}

func TestCallErrors(t *testing.T) {
	x, theta, out := smallMLP(t, tensor.Float32, 7, 6)
	in := append(G.Nodes{x}, theta...)
	f, err := graphs.Compile(in, out)
	if err != nil {
		t.Fatal(err)
	}
	dst := buffers(out)
	args := buffers(in)
	for _, c := range []struct {
		name string
		want string
		call func() error
	}{
		{"no value", "input 0 (x) has no value", func() error { return f.Call(dst) }},
		{"short argument", "input 1 (w0) has 12 elements, its argument 11", func() error {
			return f.Call(dst, args[0], args[1][:11])
		}},
		{"long output", "output 0", func() error { return f.Call([][]float64{make([]float64, 8)}, args...) }},
		{"many inputs", "8 inputs", func() error { return f.Call(dst, append(args, nil)...) }},
	} {
		err := c.call()
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %q", c.name, err, c.want)
		}
	}
	if err := f.Call(dst, args[0], args[1][:11]); !errors.Is(err, graphs.ErrShape) {
		t.Errorf("got %v, want ErrShape", err)
	}
	args[0][0] = math.NaN()
	if err := f.Call(dst, args...); err != nil {
		t.Errorf("NaN is an error: %v", err)
	}
	if !math.IsNaN(dst[0][0]) || math.IsNaN(dst[0][1]) {
		t.Errorf("NaN in row 0: got energies %v, %v", dst[0][0], dst[0][1])
	}
	if _, err := graphs.Compile(theta, out); err == nil || !strings.Contains(err.Error(), `input "x"`) {
		t.Errorf("missing input: got %v", err)
	}
	if _, err := graphs.Compile(append(in, x), out); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("input given twice: got %v", err)
	}
	if _, err := graphs.Compile(append(in, out[0]), out); err == nil || !strings.Contains(err.Error(), "leaf") {
		t.Errorf("input that is no leaf: got %v", err)
	}
	if _, err := graphs.Compile(in, nil); err == nil {
		t.Error("no outputs: no error")
	}
	y, _, _ := smallMLP(t, tensor.Float32, 7, 6)
	if _, err := graphs.Compile(append(in, y), out); err == nil || !strings.Contains(err.Error(), "another graph") {
		t.Errorf("input of another graph: got %v", err)
	}
}

func TestOutputIsInput(t *testing.T) {
	g := G.NewGraph()
	x := graphs.NewInput(g, tensor.Float32, "x", 3)
	f, err := graphs.Compile(G.Nodes{x}, G.Nodes{x, graphs.OnesLike(x), x})
	if err != nil {
		t.Fatal(err)
	}
	dst := buffers(G.Nodes{x, x, x})
	if err := f.Call(dst, []float64{1, 2, 3}); err != nil {
		t.Fatal(err)
	}
	if dst[0][2] != 3 || dst[2][1] != 2 || dst[1][0] != 1 {
		t.Errorf("got %v", dst)
	}
}

func TestThreadsAreBitIdentical(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 4))
	for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
		in, out := trainGraph(t, dt, 777, 33)
		args := normal(rng, in)
		var want [][]float64
		for _, n := range []int{1, 2, 3, 8} {
			f, err := graphs.Compile(in, out, graphs.Threads(n))
			if err != nil {
				t.Fatal(err)
			}
			for range 10 {
				got := buffers(out)
				if err := f.Call(got, args...); err != nil {
					t.Fatal(err)
				}
				if want == nil {
					want = got
				}
				for i := range got {
					for j := range got[i] {
						if got[i][j] != want[i][j] {
							t.Fatalf("%v, %d threads: output %d[%d] is %v, with one thread %v", dt, n, i, j, got[i][j], want[i][j])
						}
					}
				}
			}
		}
	}
}

// Functions that run concurrently take turns with the helpers, and never wait for each other.
func TestThreadsSideBySide(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 5))
	in, out := trainGraph(t, tensor.Float32, 300, 20)
	args := normal(rng, in)
	f, err := graphs.Compile(in, out, graphs.Threads(2))
	if err != nil {
		t.Fatal(err)
	}
	want := buffers(out)
	if err := f.Call(want, args...); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 3 {
		f := f.Clone()
		wg.Go(func() {
			got := buffers(out)
			for range 30 {
				if err := f.Call(got, args...); err != nil {
					t.Error(err)
					return
				}
				for i := range got {
					if err := same(got[i], want[i], 0); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
}
