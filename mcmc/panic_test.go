package mcmc_test

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stheno-ebm/stheno/mcmc"
)

// userCode is the function that the stack of a panic must name.
func userCode(value any) { panic(value) }

// TestPanicOfTarget: the panic of a target reaches the goroutine that called Sample, with its value and its origin.
func TestPanicOfTarget(t *testing.T) {
	for _, value := range []any{"boom", fs.ErrNotExist} {
		for _, workers := range []int{1, 4} {
			func() {
				defer func() {
					p, ok := recover().(*mcmc.Panic)
					if !ok || p.Value != value {
						t.Fatalf("%d workers: recovered %v, want the panic %v", workers, p, value)
					}
					if text := p.Error(); !strings.Contains(text, "userCode") ||
						!strings.Contains(text, "panic_test.go") {
						t.Errorf("%d workers: the text does not say where: %s", workers, text)
					}
					if _, is := value.(error); errors.Is(p, fs.ErrNotExist) != is {
						t.Errorf("%d workers: errors.Is of %v: got %v, want %v", workers, value, !is, is)
					}
				}()
				var calls atomic.Int64
				target := mcmc.RowFunc(func(grad, x []float64) float64 {
					if calls.Add(1) == 500 {
						userCode(value)
					}
					grad[0] = x[0]
					return x[0] * x[0] / 2
				})
				// There are fewer blocks than concurrent tasks: workers wait for the block that panics.
				_, err := mcmc.Sample(context.Background(), mcmc.HMC{StepSize: .1}, mcmc.Shared(target),
					normalBatch(8, 1, source(1)),
					mcmc.SampleConfig{Draws: 500, Block: 2, Workers: workers}, source(1))
				t.Errorf("%d workers: Sample returned, error %v", workers, err)
			}()
		}
	}
}
