package mcmc_test

import (
	"math"
	"math/rand/v2"

	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/mcmc/mcmctest"
)

// Posterior is a target with reference values for the mean and standard deviation of some quantities.
type Posterior struct {
	Name   string
	Dim    int
	Energy mcmc.RowFunc
	Of     []Reference
}

// Reference is the true mean and standard deviation of f(x).
type Reference struct {
	Name      string
	Of        func(x []float64) float64
	Mean, Std float64
}

// Posteriors returns eight schools (non-centred), a Gaussian in 100 dimensions, Neal's funnel in 10, as it is and
// non-centred, and a logistic regression.
func Posteriors() []Posterior {
	return []Posterior{EightSchools(), Gaussian100(), Funnel10(), FunnelNonCentred(), Logistic()}
}

// EightSchools is the non-centred model of Rubin's data: μ ~ N(0, 5²), τ ~ half-Cauchy(5), z_j ~ N(0, 1), θ_j = μ + τ
// z_j, y_j ~ N(θ_j, σ_j²), in the coordinates μ, log τ, z. With θ integrated out, y_j ~ N(μ, τ² + σ_j²), so the
// reference values are two-dimensional sums, computed here on a fine grid.
//
// Gelman et al., Bayesian Data Analysis, section 5.5; priors as in Stan's posteriordb.
func EightSchools() Posterior {
	y := [8]float64{28, 8, -3, 7, -1, 1, 18, 12}
	sigma := [8]float64{15, 10, 16, 11, 9, 11, 10, 18}
	p := Posterior{Name: "eight schools", Dim: 10}
	p.Energy = func(grad, x []float64) float64 {
		mu, tau := x[0], math.Exp(x[1])
		e := mu*mu/50 + math.Log1p(tau*tau/25) - x[1]
		grad[0] = mu / 25
		grad[1] = 2*tau*tau/(25+tau*tau) - 1
		for j, z := range x[2:] {
			r := (y[j] - mu - tau*z) / (sigma[j] * sigma[j])
			e += z*z/2 + r*r*sigma[j]*sigma[j]/2
			grad[0] -= r
			grad[1] -= r * tau * z
			grad[2+j] = z - r*tau
		}
		return e
	}
	// Moments of μ, log τ and θ_1 given (μ, τ): θ_1 ~ N((τ²y + σ²μ)/(τ²+σ²), τ²σ²/(τ²+σ²)).
	var z, m1, m2, l1, l2, t1, t2 float64
	const n = 400
	for a := range n {
		mu := -25 + 60*(float64(a)+.5)/n
		for b := range n {
			lt := -12 + 17*(float64(b)+.5)/n
			tau := math.Exp(lt)
			logp := -mu*mu/50 - math.Log1p(tau*tau/25) + lt
			for j := range y {
				v := tau*tau + sigma[j]*sigma[j]
				logp -= (y[j]-mu)*(y[j]-mu)/(2*v) + math.Log(v)/2
			}
			w := math.Exp(logp)
			v := tau*tau + sigma[0]*sigma[0]
			mean := (tau*tau*y[0] + sigma[0]*sigma[0]*mu) / v
			z += w
			m1 += w * mu
			m2 += w * mu * mu
			l1 += w * lt
			l2 += w * lt * lt
			t1 += w * mean
			t2 += w * (mean*mean + tau*tau*sigma[0]*sigma[0]/v)
		}
	}
	std := func(s1, s2 float64) float64 { return math.Sqrt(s2/z - s1/z*s1/z) }
	p.Of = []Reference{
		{"mu", func(x []float64) float64 { return x[0] }, m1 / z, std(m1, m2)},
		{"log tau", func(x []float64) float64 { return x[1] }, l1 / z, std(l1, l2)},
		{"theta[1]", func(x []float64) float64 { return x[0] + math.Exp(x[1])*x[2] }, t1 / z, std(t1, t2)},
	}
	return p
}

// Gaussian100 has 100 coordinates, standard deviations from 0.5 to 2 and correlations 0.8^|i-j|: an autoregression.
func Gaussian100() Posterior {
	const d, rho = 100, .8
	sd := make([]float64, d)
	for j := range sd {
		sd[j] = .5 * math.Pow(4, float64(j)/(d-1))
	}
	p := Posterior{Name: "gaussian 100", Dim: d}
	p.Energy = func(grad, x []float64) float64 {
		var e, last float64
		for j, v := range x {
			z := v / sd[j]
			r, c := z, 1.0
			if j > 0 {
				r, c = z-rho*last, 1-rho*rho
				grad[j-1] -= rho * r / c / sd[j-1]
			}
			e += r * r / (2 * c)
			grad[j] = r / c / sd[j]
			last = z
		}
		return e
	}
	for _, j := range []int{0, 50, 99} {
		p.Of = append(p.Of, Reference{"x", func(x []float64) float64 { return x[j] }, 0, sd[j]})
	}
	p.Of = append(p.Of, Reference{"x[50]/sd - x[49]/sd",
		func(x []float64) float64 { return x[50]/sd[50] - x[49]/sd[49] }, 0, math.Sqrt(2 - 2*rho)})
	return p
}

// Funnel10 is Neal's funnel, v ~ N(0, 3²) and nine x ~ N(0, e^v).
func Funnel10() Posterior {
	f := mcmctest.Funnel(10, 3)
	return Posterior{Name: "funnel 10", Dim: 10, Energy: f.Energy, Of: []Reference{
		{"v", f.Laws[0].Of, 0, 1},
		{"x1|v", f.Laws[1].Of, 0, 1},
	}}
}

// FunnelNonCentred is the same funnel in the coordinates w = v/3 and z_j = x_j e^{-v/2}, in which it is N(0, I): the
// standard remedy for hierarchical models. log|x_1| = v/2 + log|z_1| has mean -(γ + log 2)/2 and variance 9/4 + π²/8
// (that of half the logarithm of χ²₁).
func FunnelNonCentred() Posterior {
	const gamma = 0.57721566490153286 // Euler's
	unit := make([]float64, 10)
	for j := range unit {
		unit[j] = 1
	}
	return Posterior{Name: "funnel 10 non-centred", Dim: 10, Energy: mcmctest.Scaled(unit...).Energy, Of: []Reference{
		{"v", func(x []float64) float64 { return 3 * x[0] }, 0, 3},
		{"log|x1|", func(x []float64) float64 { return 1.5*x[0] + math.Log(math.Abs(x[1])) },
			-(gamma + math.Ln2) / 2, math.Sqrt(2.25 + math.Pi*math.Pi/8)},
	}}
}

// Logistic is a logistic regression of 60 simulated outcomes on two covariates and a constant, prior N(0, 2.5²). The
// reference values are three-dimensional sums on a grid, computed here.
func Logistic() Posterior {
	const n, d = 60, 3
	rng := rand.New(rand.NewPCG(2024, 5))
	var a [n][d]float64 // covariates times the sign of the outcome
	for i := range a {
		a[i] = [d]float64{1, rng.NormFloat64(), rng.NormFloat64()}
		a[i][2] += .7 * a[i][1]
		if u := .5 + 1.2*a[i][1] - .8*a[i][2]; rng.Float64() > 1/(1+math.Exp(-u)) {
			for j := range a[i] {
				a[i][j] = -a[i][j]
			}
		}
	}
	p := Posterior{Name: "logistic", Dim: d}
	p.Energy = func(grad, x []float64) float64 {
		var e float64
		for j, v := range x {
			e += v * v / 12.5
			grad[j] = v / 6.25
		}
		for i := range a {
			u := a[i][0]*x[0] + a[i][1]*x[1] + a[i][2]*x[2]
			q := 1 / (1 + math.Exp(u))
			e -= math.Log1p(-q)
			for j := range x {
				grad[j] -= q * a[i][j]
			}
		}
		return e
	}
	const m = 48
	var z float64
	var s1, s2 [d]float64
	grad, x := make([]float64, d), make([]float64, d)
	for i := range m * m * m {
		at := [d]int{i % m, i / m % m, i / m / m}
		for j, k := range at {
			x[j] = -3 + 6.5*(float64(k)+.5)/m
		}
		w := math.Exp(-p.Energy(grad, x))
		z += w
		for j, v := range x {
			s1[j] += w * v
			s2[j] += w * v * v
		}
	}
	for j := range d {
		mean := s1[j] / z
		p.Of = append(p.Of, Reference{"beta", func(x []float64) float64 { return x[j] }, mean,
			math.Sqrt(s2[j]/z - mean*mean)})
	}
	return p
}
