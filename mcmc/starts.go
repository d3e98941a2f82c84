package mcmc

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"gonum.org/v1/gonum/mat"
)

// Start fills x with a starting point for a chain.
type Start func(x []float64, rng *rand.Rand)

// Within draws starts uniformly from (-r, r) in every coordinate; Stan uses r = 2.
func Within(r float64) Start {
	return func(x []float64, rng *rand.Rand) {
		for j := range x {
			x[j] = r * (2*rng.Float64() - 1)
		}
	}
}

// mostStarts is the maximum number of attempts per start.
const mostStarts = 100

// Starts draws n starts of dimension d at which the energy and its gradient are finite; others are redrawn, up to 100
// times, after which a *[StartError] says what was not finite. A nil draw means Within(2).
func Starts(t Target, n, d int, draw Start, rng *rand.Rand) (*mat.Dense, error) {
	if t == nil || rng == nil {
		return nil, fmt.Errorf("mcmc: Starts without a target or random numbers")
	}
	if n < 1 || d < 1 {
		return nil, fmt.Errorf("mcmc: Starts of %d chains in %d dimensions, want at least 1 of each", n, d)
	}
	if draw == nil {
		draw = Within(2)
	}
	x := mat.NewDense(n, d, nil)
	left := make([]int, n)
	for i := range left {
		left[i] = i
	}
	var failed StartError
	for range mostStarts {
		y, e, g := mat.NewDense(len(left), d, nil), make([]float64, len(left)), mat.NewDense(len(left), d, nil)
		for k := range left {
			draw(y.RawRowView(k), rng)
		}
		if err := t.EnergyGrad(e, g, y); err != nil {
			return nil, fmt.Errorf("mcmc: energy and gradient: %w", err)
		}
		again := left[:0]
		for k, i := range left {
			if finite(y.RawRowView(k)) && failed.fine(e[k], g.RawRowView(k), y.RawRowView(k)) {
				x.SetRow(i, y.RawRowView(k))
			} else {
				again = append(again, i)
			}
		}
		if left = again; len(left) == 0 {
			return x, nil
		}
	}
	failed.Chain, failed.Tries = left[0], mostStarts
	return nil, &failed
}

// StartError reports that no start was found, and what was wrong with the last one tried.
type StartError struct {
	Chain, Tries int
	Energy       float64
	Grad, X      []float64
}

var _ error = (*StartError)(nil)

// fine reports whether energy and gradient are finite, and records them if not.
func (e *StartError) fine(energy float64, grad, x []float64) bool {
	if energy-energy == 0 && finite(grad) {
		return true
	}
	e.Energy, e.Grad, e.X = energy, append(e.Grad[:0], grad...), append(e.X[:0], x...)
	return false
}

// Error names the chain, what was not finite and where.
func (e *StartError) Error() string {
	what := fmt.Sprintf("the energy was %g", e.Energy)
	if e.Energy-e.Energy == 0 {
		var bad []string
		for j, v := range e.Grad {
			if v-v != 0 && len(bad) < 3 {
				bad = append(bad, fmt.Sprintf("%g in coordinate %d", v, j+1))
			}
		}
		what = "the gradient was " + strings.Join(bad, ", ")
	}
	at := e.X[:min(len(e.X), 6)]
	more := ""
	if len(at) < len(e.X) {
		more = " …"
	}
	return fmt.Sprintf(
		"mcmc: no start for chain %d in %d tries: %s, the last at x = %.3g%s; draw from where the density is, e.g. "+
			"Within(0.1)",
		e.Chain, e.Tries, what, at, more)
}
