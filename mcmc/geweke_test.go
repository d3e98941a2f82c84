package mcmc_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/mcmc/mcmctest"
)

// hierarchy is μ ~ N(0, 1), log τ ~ N(0, ½²), θ_j ~ N(μ, τ²), y_j ~ N(θ_j, 1) as an energy of (μ, log τ, θ) given y.
func hierarchy(y []float64, forget bool) mcmc.RowFunc {
	return func(grad, x []float64) float64 {
		mu, lt := x[0], x[1]
		p := math.Exp(-2 * lt)
		n := float64(len(y))
		if forget { // the normaliser of θ, which is easily forgotten
			n = 0
		}
		e := mu*mu/2 + 2*lt*lt + n*lt
		grad[0], grad[1] = mu, 4*lt+n
		for j, th := range x[2:] {
			r, s := th-mu, th-y[j]
			e += r*r*p/2 + s*s/2
			grad[0] -= r * p
			grad[1] -= r * r * p
			grad[2+j] = r*p + s
		}
		return e
	}
}

// kindsOfMass holds one of each kind in d dimensions, none of which suits particularly well.
func kindsOfMass(d int) (diagonal, full, low mcmc.Mass) {
	sd, cov, axis := make(mcmc.Diagonal, d), mat.NewSymDense(d, nil), mat.NewDense(d, 1, nil)
	for j := range d {
		sd[j] = .6 + .2*float64(j)
		axis.Set(j, 0, 1/math.Sqrt(float64(d)))
		for i := range j + 1 {
			cov.SetSym(i, j, math.Pow(.6, float64(j-i)))
		}
	}
	full, err := mcmc.NewDense(cov)
	if err != nil {
		panic(err)
	}
	if low, err = mcmc.NewLowRank(sd, axis, []float64{3}); err != nil {
		panic(err)
	}
	return sd, full, low
}

// TestGeweke is the joint distribution test: from draws of (parameters, data), alternately move the parameters given
// the data by the kernel and draw the data given the parameters. The parameters must keep their prior.
//
// Geweke, Getting it right, JASA 99 (2004) 799–804, in the form of many independent chains started in stationarity.
func TestGeweke(t *testing.T) {
	t.Parallel()
	const chains, cycles, groups = 1500, 25, 3
	joint := func(k mcmc.Kernel, forget bool, rng *rand.Rand) (smallest float64) {
		var mu, lt, z []float64
		for range chains {
			x := make([]float64, 2+groups)
			x[0], x[1] = rng.NormFloat64(), rng.NormFloat64()/2
			for j := range groups {
				x[2+j] = x[0] + math.Exp(x[1])*rng.NormFloat64()
			}
			y := make([]float64, groups)
			target := hierarchy(y, forget)
			s := mcmc.NewState(mat.NewDense(1, len(x), x))
			for range cycles {
				for j := range y {
					y[j] = x[2+j] + rng.NormFloat64()
				}
				s.Invalidate()
				if _, err := k.Step(s, target, rng); err != nil {
					t.Fatal(err)
				}
			}
			mu, lt, z = append(mu, x[0]), append(lt, 2*x[1]), append(z, (x[2]-x[0])*math.Exp(-x[1]))
		}
		smallest = 1
		for _, v := range [][]float64{mu, lt, z} {
			smallest = min(smallest, mcmctest.KS(v, distuv.UnitNormal.CDF))
		}
		return smallest
	}
	diagonal, full, low := kindsOfMass(2 + groups)
	for name, k := range map[string]mcmc.Kernel{
		"mala":             mcmc.MALA{StepSize: .15},
		"mala diagonal":    mcmc.MALA{StepSize: .15, Mass: diagonal},
		"mala dense":       mcmc.MALA{StepSize: .15, Mass: full},
		"mala low rank":    mcmc.MALA{StepSize: .15, Mass: low},
		"hmc":              mcmc.HMC{StepSize: .3, Leapfrog: 4, StepJitter: .3},
		"hmc diagonal":     mcmc.HMC{StepSize: .3, Leapfrog: 4, StepJitter: .3, Mass: diagonal},
		"hmc dense":        mcmc.HMC{StepSize: .3, Leapfrog: 4, StepJitter: .3, Mass: full},
		"hmc low rank":     mcmc.HMC{StepSize: .3, Leapfrog: 4, StepJitter: .3, Mass: low},
		"length":           mcmc.HMC{StepSize: .3, Length: 2},
		"length, dense":    mcmc.HMC{StepSize: .3, Length: 2, Mass: full},
		"length, low rank": mcmc.HMC{StepSize: .3, Length: 2, Mass: low},
		"nuts":             mcmc.NUTS{StepSize: .4},
		"nuts diagonal":    mcmc.NUTS{StepSize: .4, Mass: diagonal},
		"nuts dense":       mcmc.NUTS{StepSize: .4, Mass: full},
		"nuts low rank":    mcmc.NUTS{StepSize: .4, Mass: low},
	} {
		if p := joint(k, false, source(12)); p < 1e-4/3 {
			t.Errorf("%s: the parameters left their prior: p = %.2g", name, p)
		}
		if p := joint(k, true, source(12)); p > 1e-4/3 {
			t.Errorf("%s: a forgotten normaliser passes: p = %.2g", name, p)
		}
	}
}
