package density_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/stheno-ebm/stheno/datasets/density"
)

// studentPoints are draws from a spherical Student density with ν degrees of freedom; from a Gaussian for ν = ∞.
func studentPoints(n, d int, nu float64, rng *rand.Rand) *mat.Dense {
	x := mat.NewDense(n, d, nil)
	for i := range n {
		scale := 1.0
		if !math.IsInf(nu, 1) {
			var chi float64
			for range int(nu) {
				z := rng.NormFloat64()
				chi += z * z
			}
			scale = math.Sqrt(nu / chi)
		}
		for j := range d {
			x.Set(i, j, scale*rng.NormFloat64())
		}
	}
	return x
}

// Heavy tails are found where there are any, and make unseen points more likely; where there are none, nothing
// changes.
func TestContaminate(t *testing.T) {
	for _, kind := range []density.Covariance{density.Full, density.Tied, density.Diagonal} {
		for _, nu := range []float64{3, math.Inf(1)} {
			rng := rand.New(rand.NewPCG(1, 2))
			x, fresh := studentPoints(1000, 4, nu, rng), studentPoints(40000, 4, nu, rng)
			m, err := density.FitMixture(x, density.MixtureConfig{Components: []int{1},
				Covariances: []density.Covariance{kind}}, rng)
			if err != nil {
				t.Fatal(err)
			}
			heavy, err := density.Contaminate(m, x)
			if err != nil {
				t.Fatal(err)
			}
			if math.IsInf(nu, 1) {
				if heavy != m {
					t.Errorf("%v: tails were found in Gaussian points", kind)
				}
				continue
			}
			n, _ := fresh.Dims()
			before, gain := make([]float64, n), make([]float64, n)
			m.LogProb(before, fresh)
			heavy.LogProb(gain, fresh)
			for i := range gain {
				gain[i] -= before[i]
			}
			mean, sd := stat.MeanStdDev(gain, nil)
			if se := sd / math.Sqrt(float64(n)); !(mean > 4*se) {
				t.Errorf("%v: log p gains %.3f ± %.3f, want more than by chance", kind, mean, se)
			}
		}
	}
}

// SampleAround draws from a component, relative to its mean.
func TestSampleAround(t *testing.T) {
	m, err := density.NewMixture(density.Parameters{Dim: 2, Covariance: density.Full, Weights: []float64{1, 1},
		Means: []float64{5, 5, -100, 3}, Factors: []float64{1, 0, 0, 1, 2, 0, 1.5, 0.5}})
	if err != nil {
		t.Fatal(err)
	}
	const n = 20000
	rng := rand.New(rand.NewPCG(3, 4))
	x := mat.NewDense(n, 2, nil)
	for i := range n {
		m.SampleAround(x.RawRowView(i), 1, rng)
	}
	want := m.CovarianceOf(1)
	for a := range 2 {
		mean, sd := stat.MeanStdDev(mat.Col(nil, a, x), nil)
		if se := sd / math.Sqrt(n); math.Abs(mean) > 4*se {
			t.Errorf("mean %d is %g ± %g, want 0", a, mean, se)
		}
		for b := range 2 {
			product := make([]float64, n)
			for i := range n {
				product[i] = x.At(i, a) * x.At(i, b)
			}
			mean, sd := stat.MeanStdDev(product, nil)
			if se := sd / math.Sqrt(n); math.Abs(mean-want.At(a, b)) > 4*se {
				t.Errorf("covariance %d, %d is %g ± %g, want %g", a, b, mean, se, want.At(a, b))
			}
		}
	}
}
