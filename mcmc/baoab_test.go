package mcmc_test

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/mcmc"
)

// Where the new energy is not finite, the chain stays and its momentum is reversed, friction and noise included.
func TestBAOABTurnsRound(t *testing.T) {
	const eps, gamma, p0, xi = .5, .3, 4, .7
	wall := mcmc.RowFunc(func(grad, x []float64) float64 {
		grad[0] = 0
		if x[0] > 1 {
			return math.Inf(1)
		}
		return 0
	})
	s := mcmc.NewState(mat.NewDense(1, 1, []float64{.5}))
	s.Momentum = mat.NewDense(1, 1, []float64{p0})
	info, err := mcmc.BAOAB{StepSize: eps, Friction: gamma}.Move(s, wall, mat.NewDense(1, 1, []float64{xi}))
	if err != nil {
		t.Fatal(err)
	}
	c := math.Exp(-gamma * eps)
	if want := -(c*p0 + math.Sqrt(1-c*c)*xi); math.Abs(s.Momentum.At(0, 0)-want) > 1e-12 || s.X.At(0, 0) != .5 ||
		info.Divergent != 1 {
		t.Errorf("momentum %g at %g, %d divergent; want %g at 0.5, 1", s.Momentum.At(0, 0), s.X.At(0, 0),
			info.Divergent, want)
	}
}
