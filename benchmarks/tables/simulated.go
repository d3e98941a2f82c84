package main

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// table is a simulated table: points of a known density.
type table struct {
	name, about string
	rows        []int // how many points are drawn, in turn
	mixture     bool  // of the kind that a base is, so that there is nothing to correct
	truth       func() density.Density
}

var simulated = []table{
	{"mixture8", "four correlated Gaussians", []int{1000, 10000}, true, func() density.Density { return modes(8) }},
	{"mixture21", "four correlated Gaussians", []int{10000}, true, func() density.Density { return modes(21) }},
	{"factors30", "one Gaussian of three factors", []int{300, 3000}, true,
		func() density.Density { return factors(30, 3, 1) }},
	{"aniso", "four Gaussians, one to twelve times as long as wide", []int{1000, 10000}, true, aniso},
	{"ridge", "a bent ridge, 0.03 wide", []int{1000, 10000}, false, ridge},
	{"steep", "another, 0.03 wide along one column, so that it is three times narrower where it is steep",
		[]int{10000}, false, steep},
	{"coil4", "a noisy coil, and a column that follows the product of two", []int{3000, 10000}, false, coil},
	{"bananas6", "a chain of three bananas", []int{3000, 10000}, false, bananas},
	{"students5", "two clusters with tails of three degrees of freedom", []int{3000, 10000}, true, heavy},
	{"lognormal10", "exponentials of correlated normal columns", []int{3000, 30000}, false,
		func() density.Density { return &logNormal{factors(10, 2, 0.5)} }},
	{"rounded6", "four classes of normal columns, all rounded to a grid", []int{3000}, true, rounded},
	{"mixed5", "three classes: two columns of few values, one rounded, two of real numbers", []int{1000, 10000}, true,
		mixed},
}

// modes is a mixture of four Gaussians, weights .4 .3 .2 .1, whose covariances and means are drawn once: factors of the
// deviations 0.3 … 1.2 in directions of their own, centres some two deviations apart in every direction.
func modes(dim int) density.Density {
	rng := train.Stream(1, "modes")
	p := density.Parameters{Dim: dim, Weights: []float64{0.4, 0.3, 0.2, 0.1}}
	for range p.Weights {
		for range dim {
			p.Means = append(p.Means, 1.5*rng.NormFloat64())
		}
		p.Factors = append(p.Factors, root(dim, rng)...)
	}
	return must(density.NewMixture(p))
}

// root returns the Cholesky factor of Q diag(s²) Qᵀ, Q a random rotation, s from 0.3 to 1.2.
func root(dim int, rng *rand.Rand) []float64 {
	var qr mat.QR
	var q mat.Dense
	qr.Factorize(normal(dim, dim, rng))
	qr.QTo(&q)
	scaled := mat.NewDense(dim, dim, nil)
	scaled.Apply(func(_, j int, v float64) float64 { return v * 0.3 * math.Pow(4, float64(j)/float64(dim-1)) }, &q)
	return lower(scaled)
}

// lower returns the Cholesky factor of a aᵀ, row-major.
func lower(a *mat.Dense) []float64 {
	n, _ := a.Dims()
	var square mat.SymDense
	square.SymOuterK(1, a)
	var chol mat.Cholesky
	if !chol.Factorize(&square) {
		panic("tables: a covariance is singular")
	}
	var l mat.TriDense
	chol.LTo(&l)
	return mat.DenseCopyOf(&l).RawMatrix().Data[:n*n]
}

func normal(rows, columns int, rng *rand.Rand) *mat.Dense {
	m := mat.NewDense(rows, columns, nil)
	m.Apply(func(int, int, float64) float64 { return rng.NormFloat64() }, m)
	return m
}

// factors is a Gaussian of so many common factors, drawn once, and noise of deviation 0.5, all times scale.
func factors(dim, count int, scale float64) density.Density {
	rng := train.Stream(1, "factors")
	a := mat.NewDense(dim, count+dim, nil)
	for i := range dim {
		for j := range count {
			a.Set(i, j, scale*rng.NormFloat64())
		}
		a.Set(i, count+i, 0.5*scale)
	}
	return must(density.NewMixture(density.Parameters{Dim: dim, Weights: []float64{1}, Means: make([]float64, dim),
		Factors: lower(a)}))
}

// aniso is a mixture of N(μ_k, R(a_k) diag(s²) R(a_k)ᵀ), R(a) the rotation by a.
func aniso() density.Density {
	p := density.Parameters{Dim: 2, Weights: []float64{0.5, 0.3, 0.15, 0.05},
		Means: []float64{-2, 0, 2, 1, 0, -2.5, 3, -3}}
	for _, g := range [][3]float64{{0.5, 1, 0.25}, {-0.8, 0.6, 0.05}, {1.2, 0.4, 0.08}, {0, 0.05, 0.05}} {
		c, s := math.Cos(g[0]), math.Sin(g[0])
		p.Factors = append(p.Factors, lower(mat.NewDense(2, 2, []float64{c * g[1], -s * g[2], s * g[1], c * g[2]}))...)
	}
	return must(density.NewMixture(p))
}

// ridge is noise of deviation 0.03 about points of the curve y = sin 2x + 0.3 x² - 1 within |x| < 2.5, as dense along
// it as N(0, 1.3²) is at x: a mixture of so many round Gaussians that nothing is between them.
func ridge() density.Density {
	const pieces, reach, spread, width = 1000, 2.5, 1.3, 0.03
	p := density.Parameters{Dim: 2, Covariance: density.Tied, Factors: []float64{width, 0, 0, width}}
	curve := func(x float64) float64 { return math.Sin(2*x) + 0.3*x*x - 1 }
	for i := range pieces {
		step := 2 * reach / float64(pieces)
		x := -reach + (float64(i)+0.5)*step
		length := math.Hypot(step, curve(x+step/2)-curve(x-step/2))
		p.Weights = append(p.Weights, length*math.Exp(-x*x/(2*spread*spread)))
		p.Means = append(p.Means, x, curve(x))
	}
	return must(density.NewMixture(p))
}

func steep() density.Density {
	return &chain{sd: []float64{1, 0.03}, mean: func(j int, x []float64) float64 {
		if j == 0 {
			return 0
		}
		return math.Sin(2*x[0]) + x[0]*x[0]/3
	}}
}

func coil() density.Density {
	return &chain{sd: []float64{1, 0.2, 0.2, 1}, mean: func(j int, x []float64) float64 {
		switch j {
		case 1:
			return math.Sin(2 * x[0])
		case 2:
			return math.Cos(2 * x[0])
		case 3:
			return x[0] * x[1]
		}
		return 0
	}}
}

// bananas bends every second column by the square of the one before, and the next follows that.
func bananas() density.Density {
	return &chain{sd: []float64{1, 0.4, 0.8, 0.4, 0.8, 0.4}, mean: func(j int, x []float64) float64 {
		switch {
		case j == 0:
			return 0
		case j%2 == 1:
			return 0.6 * (x[j-1]*x[j-1] - 1)
		}
		return 0.5 * x[j-1]
	}}
}

func heavy() density.Density {
	root := mat.NewTriDense(5, mat.Lower, nil)
	for i := range 5 {
		for j := range i + 1 {
			root.SetTri(i, j, math.Pow(0.6, float64(i-j)))
		}
	}
	return &students{means: mat.NewDense(2, 5, []float64{0, 0, 0, 0, 0, 4, 4, 0, -4, 0}), root: root, nu: 3}
}

func rounded() density.Density {
	rng := train.Stream(1, "rounded")
	c := &classes{weights: []float64{0.4, 0.3, 0.2, 0.1}}
	for _, grid := range []float64{0.1, 0.25, 0.5, 0.5, 1, 2} {
		col := column{grid: grid}
		for range c.weights {
			col.mean, col.sd = append(col.mean, 3*rng.NormFloat64()), append(col.sd, 0.5+rng.Float64())
		}
		c.columns = append(c.columns, col)
	}
	return c
}

func mixed() density.Density {
	return &classes{weights: []float64{0.5, 0.3, 0.2}, columns: []column{
		{values: [][]float64{{0.8, 0.2}, {0.3, 0.7}, {0.5, 0.5}}},
		{values: [][]float64{{0.6, 0.3, 0.1, 0}, {0.1, 0.2, 0.3, 0.4}, {0, 0, 0.5, 0.5}}},
		{mean: []float64{10, 14, 20}, sd: []float64{1.5, 3, 2}, grid: 1},
		{mean: []float64{-1, 1, 2}, sd: []float64{0.5, 0.7, 0.3}},
		{mean: []float64{0, 3, 0}, sd: []float64{1, 0.5, 2}},
	}}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
