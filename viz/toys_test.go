package viz

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// Exact densities for the pictures of the tests.

// squares is 4squares: centres (±2, ±2), Uniform(−½,½)² + N(0, 0.1²).
func squaresEnergy(x, y float64) float64 {
	f := func(v float64) float64 {
		s := 0.0
		for _, c := range [2]float64{-2, 2} {
			a, b := (v-c-0.5)/(0.1*math.Sqrt2), (v-c+0.5)/(0.1*math.Sqrt2)
			s += (math.Erf(b) - math.Erf(a)) / 4
			if a > 3 || b < -3 { // tails, where the difference cancels
				t := math.Min(math.Abs(a), math.Abs(b))
				s += math.Exp(-t*t) / (4 * t * math.Sqrt(math.Pi))
			}
		}
		return s
	}
	return -math.Log(math.Max(f(x)*f(y), 1e-300))
}

func squaresSamples(n int, rng *rand.Rand) *mat.Dense {
	m := mat.NewDense(n, 2, nil)
	for i := range n {
		for k := range 2 {
			m.Set(i, k, float64(rng.IntN(2))*4-2+rng.Float64()-0.5+0.1*rng.NormFloat64())
		}
	}
	return m
}

func squaresGrid(n int) *Grid {
	g := NewGrid([]float64{-4, -4}, []float64{4, 4}, n)
	return fill(g, squaresEnergy)
}

func fill(g *Grid, f func(x, y float64) float64) *Grid {
	for j, y := range g.Y {
		for i, x := range g.X {
			g.Z[j*len(g.X)+i] = f(x, y)
		}
	}
	return g
}

// gaussians is 8gaussians, with a wider standard deviation.
func gaussiansEnergy(x, y float64) float64 {
	const sd = 0.35
	s := 0.0
	for k := range 8 {
		b, a := math.Sincos(float64(k) * math.Pi / 4)
		r := 4 / math.Sqrt2
		s += math.Exp(-((x-r*a)*(x-r*a) + (y-r*b)*(y-r*b)) / (2 * sd * sd))
	}
	return -math.Log(s/(8*2*math.Pi*sd*sd) + 1e-12)
}

// lossSeries is a loss that decreases with noise.
func lossSeries(n int, floor float64, rng *rand.Rand) Series {
	s := Series{Name: "loss"}
	for i := range n {
		t := float64(i) / float64(n)
		s.X = append(s.X, float64(i))
		s.Y = append(s.Y, floor+40*math.Exp(-14*t)+2*math.Exp(-3*t)+(1+10*math.Exp(-9*t))*0.6*rng.NormFloat64())
	}
	return s
}

func toyPanel() *Panel {
	rng := rand.New(rand.NewPCG(1, 2))
	g := squaresGrid(121)
	return &Panel{
		Title: "4squares · score matching", Step: 2000, Steps: 2000,
		Data: squaresSamples(4000, rng), Samples: squaresSamples(4000, rng), Energy: g,
		Loss: []Series{lossSeries(2000, -30, rng)},
	}
}
