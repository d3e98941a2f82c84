package graphs_test

import (
	"strings"
	"sync"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs"
)

// outcome calls f and returns what it panicked with.
func outcome(f func()) (v any) {
	defer func() { v = recover() }()
	f()
	return nil
}

// Many goroutines that call one function get right numbers or a panic that says what to do, never wrong numbers and
// never a crash, and afterwards the function works as before. If each has a clone of its own, none is disturbed.
func TestFunctionOfManyGoroutines(t *testing.T) {
	const n, h, goroutines, calls = 64, 32, 8, 300
	x, theta, out := smallMLP(t, tensor.Float32, n, h)
	in := append(theta, x)
	f, err := graphs.Compile(in, out[:1], graphs.Held(theta...))
	if err != nil {
		t.Fatal(err)
	}
	args := make([][]float64, len(in))
	for i, node := range in {
		args[i] = make([]float64, node.Shape().TotalSize())
		for j := range args[i] {
			args[i][j] = float64((i+3*j)%7)/7 - .4
		}
	}
	want := make([]float64, n)
	if err := f.Call([][]float64{want}, args...); err != nil {
		t.Fatal(err)
	}
	run := func(own func() *graphs.Function) (panics int) {
		var wg sync.WaitGroup
		var mu sync.Mutex
		for range goroutines {
			wg.Go(func() {
				f, got := own(), make([]float64, n)
				for range calls {
					v := outcome(func() {
						if err := f.Call([][]float64{got}, args...); err != nil {
							t.Error(err)
						}
					})
					if v == nil {
						for i := range got {
							if got[i] != want[i] {
								t.Errorf("got %g, want %g", got[i], want[i])
								return
							}
						}
						continue
					}
					if s, ok := v.(string); !ok || !strings.Contains(s, "Clone") {
						t.Errorf("it panics with %v", v)
					}
					mu.Lock()
					panics++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		return panics
	}
	run(func() *graphs.Function { return f })
	if p := run(f.Clone); p != 0 {
		t.Errorf("%d panics of clones", p)
	}
	if p := run(f.Blank); p != 0 {
		t.Errorf("%d panics of blank clones", p)
	}
}

// waiting is a user-defined operation that lets another goroutine in while it runs.
type waiting struct {
	G.Op
	meanwhile func()
}

func (*waiting) String() string { return "waiting" }

func (w *waiting) Do(in ...G.Value) (G.Value, error) {
	w.meanwhile()
	return w.Op.Do(in...)
}

// A call during a call is detected every time.
func TestFunctionInUse(t *testing.T) {
	var f *graphs.Function
	var panics []any
	node := G.NewVector(G.NewGraph(), tensor.Float64, G.WithShape(3), G.WithName("x"))
	x := []float64{1, 2, 3}
	meanwhile := func() {
		for _, use := range []func(){func() { _ = f.Call(nil, x) }, func() { f.Clone() }, func() { _, _ = f.Profile(1) }} {
			panics = append(panics, outcome(use))
		}
		if err := f.Blank().Call(nil); err == nil {
			t.Error("a blank clone has values")
		}
	}
	square, err := G.Square(G.NewVector(G.NewGraph(), tensor.Float64, G.WithShape(3), G.WithName("x")))
	if err != nil {
		t.Fatal(err)
	}
	y, err := G.ApplyOp(&waiting{square.Op(), meanwhile}, node)
	if err != nil {
		t.Fatal(err)
	}
	if f, err = graphs.Compile(G.Nodes{node}, G.Nodes{y}); err != nil {
		t.Fatal(err)
	}
	got := make([]float64, 3)
	if err := f.Call([][]float64{got}, x); err != nil || got[2] != 9 {
		t.Errorf("got %v, %v", got, err)
	}
	if len(panics) != 3 {
		t.Fatalf("the operation ran %d times", len(panics))
	}
	for i, v := range panics {
		if s, ok := v.(string); !ok || !strings.Contains(s, "two goroutines") {
			t.Errorf("use %d during a call: %v", i, v)
		}
	}
}
