// Package mcmctest provides targets with known distributions, and the checks that every kernel must pass.
package mcmctest

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/stheno-ebm/stheno/mcmc"
)

// Known is a target with exact draws and functions of known one-dimensional distribution.
type Known struct {
	Name   string
	Dim    int
	Energy mcmc.RowFunc                      // E and ∇E
	Draw   func(x []float64, rng *rand.Rand) // an exact draw
	Laws   []Law                             // functions of a draw with a known distribution
	Modes  *mcmc.KnownModes                  // nil for a single mode
}

// Law is a function f(x) and its distribution function.
type Law struct {
	Name string
	Of   func(x []float64) float64
	CDF  func(v float64) float64
}

// Sample fills the rows of dst with exact draws.
func (k Known) Sample(dst *mat.Dense, rng *rand.Rand) {
	n, _ := dst.Dims()
	for i := range n {
		k.Draw(dst.RawRowView(i), rng)
	}
}

func standard(name string, of func(x []float64) float64) Law {
	return Law{name, of, distuv.UnitNormal.CDF}
}

// Scaled is N(0, diag(sd²)).
func Scaled(sd ...float64) Known {
	k := Known{Name: "scaled", Dim: len(sd)}
	k.Energy = func(grad, x []float64) float64 {
		var e float64
		for j, s := range sd {
			z := x[j] / s
			e += z * z / 2
			grad[j] = z / s
		}
		return e
	}
	k.Draw = func(x []float64, rng *rand.Rand) {
		for j, s := range sd {
			x[j] = s * rng.NormFloat64()
		}
	}
	for j, s := range sd {
		k.Laws = append(k.Laws, standard("x", func(x []float64) float64 { return x[j] / s }))
	}
	k.Laws = append(k.Laws, Law{"2E", func(x []float64) float64 { return 2 * k.Energy(make([]float64, len(x)), x) },
		distuv.ChiSquared{K: float64(len(sd))}.CDF})
	return k
}

// Correlated is the two-dimensional normal distribution with unit variances and correlation rho.
func Correlated(rho float64) Known {
	c := 1 - rho*rho
	return Known{
		Name: "correlated", Dim: 2,
		Energy: func(grad, x []float64) float64 {
			a, b := (x[0]-rho*x[1])/c, (x[1]-rho*x[0])/c
			grad[0], grad[1] = a, b
			return (x[0]*a + x[1]*b) / 2
		},
		Draw: func(x []float64, rng *rand.Rand) {
			x[0] = rng.NormFloat64()
			x[1] = rho*x[0] + math.Sqrt(c)*rng.NormFloat64()
		},
		Laws: []Law{
			standard("x0", func(x []float64) float64 { return x[0] }),
			standard("x1", func(x []float64) float64 { return x[1] }),
			standard("x1|x0", func(x []float64) float64 { return (x[1] - rho*x[0]) / math.Sqrt(c) }),
		},
	}
}

// Mixture is the two-dimensional Σ_k weights[k] N(centres[k], sd² I).
func Mixture(name string, sd float64, centres [][2]float64, weights []float64) Known {
	cum := make([]float64, len(weights))
	var sum float64
	flat := make([]float64, 0, 2*len(centres))
	for k, w := range weights {
		sum += w
		cum[k] = sum
		flat = append(flat, centres[k][:]...)
	}
	m := Known{Name: name, Dim: 2,
		Modes: &mcmc.KnownModes{Centres: mat.NewDense(len(centres), 2, flat), Weights: weights}}
	logw := make([]float64, len(weights))
	for k, w := range weights {
		logw[k] = math.Log(w)
	}
	m.Energy = func(grad, x []float64) float64 {
		at := func(k int) float64 { return logw[k] - (sq(x[0]-centres[k][0])+sq(x[1]-centres[k][1]))/(2*sd*sd) }
		top := math.Inf(-1)
		for k := range centres {
			top = max(top, at(k))
		}
		var z, g0, g1 float64
		for k, c := range centres {
			d := at(k) - top
			if d < -40 {
				continue // zero in double precision
			}
			p := math.Exp(d)
			z += p
			g0 += p * (x[0] - c[0])
			g1 += p * (x[1] - c[1])
		}
		grad[0], grad[1] = g0/(z*sd*sd), g1/(z*sd*sd)
		return -top - math.Log(z)
	}
	m.Draw = func(x []float64, rng *rand.Rand) {
		u := rng.Float64() * sum
		k := 0
		for k < len(cum)-1 && u > cum[k] {
			k++
		}
		x[0], x[1] = centres[k][0]+sd*rng.NormFloat64(), centres[k][1]+sd*rng.NormFloat64()
	}
	for j, name := range []string{"x0", "x1"} {
		m.Laws = append(m.Laws, Law{name, func(x []float64) float64 { return x[j] }, func(v float64) float64 {
			var p float64
			for k, c := range centres {
				p += weights[k] * distuv.UnitNormal.CDF((v-c[j])/sd)
			}
			return p
		}})
	}
	return m
}

// EightGaussians is the ring of eight modes at radius 4/√2 with standard deviation 0.1/√2.
func EightGaussians() Known {
	var c [][2]float64
	var w []float64
	for k := range 8 {
		s, co := math.Sincos(float64(k) * math.Pi / 4)
		c = append(c, [2]float64{4 / math.Sqrt2 * co, 4 / math.Sqrt2 * s})
		w = append(w, 1./8)
	}
	return Mixture("8gaussians", .1/math.Sqrt2, c, w)
}

// Banana is x0 ~ N(0, 1), x1 ~ N(x0² - 1, width²).
func Banana(width float64) Known {
	return Known{
		Name: "banana", Dim: 2,
		Energy: func(grad, x []float64) float64 {
			r := (x[1] - x[0]*x[0] + 1) / (width * width)
			grad[0] = x[0] - 2*x[0]*r
			grad[1] = r
			return x[0]*x[0]/2 + r*r*width*width/2
		},
		Draw: func(x []float64, rng *rand.Rand) {
			x[0] = rng.NormFloat64()
			x[1] = x[0]*x[0] - 1 + width*rng.NormFloat64()
		},
		Laws: []Law{
			standard("x0", func(x []float64) float64 { return x[0] }),
			standard("x1|x0", func(x []float64) float64 { return (x[1] - x[0]*x[0] + 1) / width }),
		},
	}
}

// Funnel is Neal's funnel: v ~ N(0, sd²), and d-1 further coordinates ~ N(0, e^v).
func Funnel(d int, sd float64) Known {
	return Known{
		Name: "funnel", Dim: d,
		Energy: func(grad, x []float64) float64 {
			v := x[0]
			p := math.Exp(-v)
			var s float64
			for j, a := range x[1:] {
				s += a * a
				grad[1+j] = a * p
			}
			m := float64(d-1) / 2
			grad[0] = v/(sd*sd) + m - s*p/2
			return v*v/(2*sd*sd) + m*v + s*p/2
		},
		Draw: func(x []float64, rng *rand.Rand) {
			x[0] = sd * rng.NormFloat64()
			for j := range x[1:] {
				x[1+j] = math.Exp(x[0]/2) * rng.NormFloat64()
			}
		},
		Laws: []Law{
			standard("v", func(x []float64) float64 { return x[0] / sd }),
			standard("x1|v", func(x []float64) float64 { return x[1] * math.Exp(-x[0]/2) }),
		},
	}
}

func sq(v float64) float64 { return v * v }
