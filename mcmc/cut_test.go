package mcmc_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/mcmc"
)

// Four chains of an expensive function are computed by four workers at a time, with the same draws as by one.
func TestBlocksAreCut(t *testing.T) {
	var inside, most atomic.Int64
	slow := mcmc.RowFunc(func(grad, x []float64) float64 {
		for n := inside.Add(1); ; {
			if m := most.Load(); n <= m || most.CompareAndSwap(m, n) {
				break
			}
		}
		defer inside.Add(-1)
		time.Sleep(200 * time.Microsecond)
		return gaussian(1, 2)(grad, x)
	})
	draw := func(workers int) *mcmc.Draws {
		most.Store(0)
		d, err := mcmc.Sample(context.Background(), mcmc.NUTS{}, mcmc.Shared(slow), normalBatch(4, 2, source(1)),
			mcmc.SampleConfig{Draws: 5, Warmup: mcmc.Warmup{Steps: 30}, Workers: workers}, source(2))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	one := draw(1)
	if n := most.Load(); n != 1 {
		t.Errorf("one worker computed %d rows at a time", n)
	}
	four := draw(4)
	if n := most.Load(); n != 4 {
		t.Errorf("four workers computed %d rows at a time, want 4", n)
	}
	if !mat.Equal(one.X, four.X) {
		t.Error("draws depend on the number of workers")
	}
}

// A compiled energy is split only where Rows says so, and then at the same places for any number of workers.
func TestRowsOfCompiledEnergies(t *testing.T) {
	e, p := network(t, 64, 64)
	v, err := energy.NewEvaluator(e, p, energy.EvaluatorConfig{Batch: 32})
	if err != nil {
		t.Fatal(err)
	}
	draw := func(workers, rows int) *mcmc.Draws {
		d, err := mcmc.Sample(context.Background(), mcmc.HMC{}, mcmc.Cloned(v), normalBatch(32, 2, source(1)),
			mcmc.SampleConfig{Draws: 10, Warmup: mcmc.Warmup{Steps: 50}, Workers: workers, Rows: rows}, source(2))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
	for _, rows := range []int{0, 1, 5} {
		if !mat.Equal(draw(1, rows).X, draw(4, rows).X) || !mat.Equal(draw(1, rows).X, draw(0, rows).X) {
			t.Errorf("Rows: %d: draws depend on the number of workers", rows)
		}
	}
}

// Errors and panics in the goroutines that compute parts reach the caller.
func TestCutFails(t *testing.T) {
	boom := errors.New("boom")
	for _, panics := range []bool{false, true} {
		var calls atomic.Int64
		target := mcmc.TargetFunc(func(e []float64, grad, x *mat.Dense) error {
			time.Sleep(100 * time.Microsecond)
			if calls.Add(1) > 200 {
				if panics {
					panic(boom)
				}
				return boom
			}
			return gaussian().EnergyGrad(e, grad, x)
		})
		err := func() (err error) {
			defer func() {
				if p, ok := recover().(*mcmc.Panic); ok {
					err = p
				}
			}()
			_, err = mcmc.Sample(context.Background(), mcmc.MALA{StepSize: .1}, mcmc.Shared(target),
				normalBatch(4, 2, source(1)),
				mcmc.SampleConfig{Draws: 1000, Workers: 4, Rows: 1}, source(2))
			return err
		}()
		if !errors.Is(err, boom) {
			t.Errorf("panics %t: got %v", panics, err)
		}
	}
}

// BenchmarkExpensiveChains is the time of four chains of a function of 0.2 ms, by number of workers; ns/op falls with
// them where there are cores.
func BenchmarkExpensiveChains(b *testing.B) {
	heavy := mcmc.RowFunc(func(grad, x []float64) float64 {
		s := 0.0
		for i := range 20000 {
			s += math.Sqrt(float64(i)) * x[0]
		}
		grad[0] = x[0] + 0*s
		return x[0] * x[0] / 2
	})
	for _, workers := range []int{1, 2, 4} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			for b.Loop() {
				if _, err := mcmc.Sample(context.Background(), mcmc.HMC{StepSize: .3}, mcmc.Shared(heavy),
					normalBatch(4, 1, source(1)),
					mcmc.SampleConfig{Draws: 20, Workers: workers}, source(2)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
