package energy

import (
	"strings"
	"sync"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// Many goroutines that call one evaluator get right numbers or a panic that says what to do, never wrong numbers and
// never a crash. If each has a clone of its own, made at the same time, none is disturbed, and nothing is compiled
// twice.
func TestEvaluatorOfManyGoroutines(t *testing.T) {
	const goroutines, calls = 8, 100
	e := must(NewMLP(MLPConfig{Dim: 2, Hidden: []int{16, 16}}))
	v := must(NewEvaluator(e, Init(e, newRNG(1)), EvaluatorConfig{Batch: 16}))
	sizes := []int{16, 3, 21, 9}
	x, want := make([]*mat.Dense, len(sizes)), make([][]float64, len(sizes))
	for k, n := range sizes {
		x[k], want[k] = normal(n, 2, newRNG(uint64(k))), make([]float64, n)
		if err := v.Energies(want[k], x[k]); err != nil {
			t.Fatal(err)
		}
	}
	known := len(v.done)
	run := func(own func() *Evaluator) (panics int) {
		var mu sync.Mutex
		one := func(v *Evaluator, k int) {
			defer func() {
				if p := recover(); p != nil {
					if s, ok := p.(string); !ok || !strings.Contains(s, "mcmc.Cloned") {
						t.Errorf("it panics with %v", p)
					}
					mu.Lock()
					panics++
					mu.Unlock()
				}
			}()
			got := make([]float64, sizes[k])
			if err := v.Energies(got, x[k]); err != nil {
				t.Error(err)
			}
			for i := range got {
				if got[i] != want[k][i] {
					t.Errorf("got %g, want %g", got[i], want[k][i])
					return
				}
			}
		}
		var wg sync.WaitGroup
		for range goroutines {
			wg.Go(func() {
				v := own()
				for i := range calls {
					one(v, i%len(sizes))
				}
			})
		}
		wg.Wait()
		return panics
	}
	run(func() *Evaluator { return v })
	if p := run(v.Clone); p != 0 {
		t.Errorf("%d panics of clones", p)
	}
	if len(v.done) != known {
		t.Errorf("clones compiled %d shapes anew", len(v.done)-known)
	}
	v.use() // as an ongoing call does
	if p := run(func() *Evaluator { return v }); p != goroutines*calls {
		t.Errorf("%d of %d calls during a call are refused", p, goroutines*calls)
	}
	v.free()
	func() {
		defer func() { _ = recover() }()
		_ = v.Energies(nil, x[0]) // a wrong shape, which panics
	}()
	if err := v.Energies(want[0], x[0]); err != nil {
		t.Error(err)
	}
}

// An evaluator given other parameters reads those, and refuses those of another energy.
func TestEvaluatorWith(t *testing.T) {
	p, q := NewParams(Gaussian{1}.Specs()), NewParams(Gaussian{1}.Specs())
	copy(p.Data(), []float64{0, 1})
	copy(q.Data(), []float64{1, 1})
	v := must(NewEvaluator(Gaussian{1}, p, EvaluatorConfig{}))
	w := must(v.With(q))
	u, x := []float64{0}, mat.NewDense(1, 1, []float64{2})
	for e, want := range map[*Evaluator]float64{v: 2, w: .5} {
		if err := e.Energies(u, x); err != nil || u[0] != want {
			t.Errorf("got %g, %v, want %g", u[0], err, want)
		}
	}
	if _, err := v.With(NewParams(Gaussian{2}.Specs())); err == nil {
		t.Error("parameters of another energy are accepted")
	}
}
