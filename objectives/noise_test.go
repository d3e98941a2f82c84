package objectives

import (
	"context"
	"math"
	"slices"
	"sync"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/mcmc"
)

func correlated(n int, seed uint64) *mat.Dense {
	rng := newRNG(seed)
	x := mat.NewDense(n, 2, nil)
	for i := range n {
		a, b := rng.NormFloat64(), rng.NormFloat64()
		x.SetRow(i, []float64{1 + a, 0.5*a + 0.3*b - 2})
	}
	return x
}

// Every noise is normalised, by quadrature, and its draws have its density: the mean of log q over draws is that of
// quadrature within 4.5 standard errors.
func TestNoises(t *testing.T) {
	data := correlated(300, 1)
	for _, name := range NoiseNames() {
		t.Run(name, func(t *testing.T) {
			q, err := NewNoise(name, data)
			if err != nil {
				t.Fatal(err)
			}
			const m, box = 160, 8.0
			row, lp := mat.NewDense(m, 2, nil), make([]float64, m)
			var mass, entropy float64
			for i := range m {
				for j := range m {
					row.SetRow(j, []float64{1 + box*(2*(float64(i)+0.5)/m-1), -2 + box*(2*(float64(j)+0.5)/m-1)})
				}
				q.LogProb(lp, row)
				for _, v := range lp {
					w := math.Exp(v) * (2 * box / m) * (2 * box / m)
					mass += w
					if w > 0 {
						entropy -= w * v
					}
				}
			}
			// the edge of a box passes through cells
			if math.Abs(mass-1) > 0.02 {
				t.Errorf("mass %g, want 1", mass)
			}
			const n = 20000
			draws, at := mat.NewDense(n, 2, nil), make([]float64, n)
			q.Sample(draws, newRNG(2))
			q.LogProb(at, draws)
			var mean, sq float64
			for _, v := range at {
				mean -= v / n
				sq += v * v / n
			}
			se := math.Sqrt(max(sq-mean*mean, 0)/n) + 0.03 // and the quadrature's error at the edges
			if math.Abs(mean-entropy) > 4.5*se {
				t.Errorf("entropy from draws %g ± %g, by quadrature %g", mean, se, entropy)
			}
		})
	}
	if _, err := NewNoise("kde", nil); err == nil {
		t.Error("a noise without data is made")
	}
}

// The log density is that of the explicit inverse and determinant of the 2×2 covariance.
func TestGaussianNoise(t *testing.T) {
	data := correlated(500, 3)
	g, err := FitGaussian(data, 1.5)
	if err != nil {
		t.Fatal(err)
	}
	mean, _ := energy.Moments(data)
	var aa, ab, bb float64
	for i := range 500 {
		a, b := data.At(i, 0)-mean[0], data.At(i, 1)-mean[1]
		aa += 2.25 * a * a / 500
		ab += 2.25 * a * b / 500
		bb += 2.25 * b * b / 500
	}
	det := aa*bb - ab*ab
	x, got := correlated(5, 4), make([]float64, 5)
	g.LogProb(got, x)
	for i := range got {
		a, b := x.At(i, 0)-mean[0], x.At(i, 1)-mean[1]
		want := -math.Log(2*math.Pi) - 0.5*math.Log(det) - 0.5*(bb*a*a-2*ab*a*b+aa*b*b)/det
		if math.Abs(got[i]-want) > 1e-10 {
			t.Errorf("row %d: got %g, want %g", i, got[i], want)
		}
	}
	if _, err := FitGaussian(mat.NewDense(3, 2, []float64{1, 1, 2, 2, 3, 3}), 1); err == nil {
		t.Error("data on a line are accepted")
	}
}

// Several goroutines use one noise at a time: the densities are those of one, and chains that jump by it do not race (-race).
func TestNoisesAreShared(t *testing.T) {
	wide := mat.NewDense(400, 4, nil)
	for i, rng := 0, newRNG(3); i < 1600; i++ {
		wide.RawMatrix().Data[i] = rng.NormFloat64()
	}
	for _, data := range []*mat.Dense{correlated(400, 1), wide} { // tables and kernels
		n, d := data.Dims()
		for _, name := range NoiseNames() {
			q, err := NewNoise(name, data)
			if err != nil {
				t.Fatal(err)
			}
			want := make([]float64, n)
			q.LogProb(want, data)
			var wg sync.WaitGroup
			for g := range 4 {
				wg.Go(func() {
					got, x := make([]float64, n), mat.NewDense(n, d, nil)
					for range 5 {
						q.LogProb(got, data)
						if !slices.Equal(got, want) {
							t.Errorf("%s, d = %d: densities depend on other goroutines", name, d)
							return
						}
						q.Sample(x, newRNG(uint64(g)))
					}
				})
			}
			wg.Wait()
			target := mcmc.RowFunc(func(grad, x []float64) float64 {
				copy(grad, x)
				return 0.5 * floats.Dot(x, x)
			})
			k := mcmc.Jumping{Kernel: mcmc.HMC{StepSize: 0.1, Leapfrog: 2}, Proposal: q}
			cfg := mcmc.SampleConfig{Draws: 2, Block: 16, Workers: 4}
			if _, err := mcmc.Sample(context.Background(), k, mcmc.Shared(target), data.Slice(0, 64, 0, d).(*mat.Dense), cfg, newRNG(1)); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestProjections(t *testing.T) {
	const n, d = 20000, 3
	for _, p := range []Projection{Rademacher, GaussianV, Sphere} {
		v := make([]float64, n*d)
		p.draw(v, d, newRNG(6))
		var cov [d][d]float64
		for i := 0; i < n*d; i += d {
			for a := range d {
				for b := range d {
					cov[a][b] += v[i+a] * v[i+b] / n
				}
			}
		}
		for a := range d {
			for b := range d {
				want := 0.0
				if a == b {
					want = 1
				}
				if math.Abs(cov[a][b]-want) > 4.5*math.Sqrt(2.0/n) { // at most the variance of a squared normal
					t.Errorf("%s: E v_%d v_%d = %g, want %g", p, a, b, cov[a][b], want)
				}
			}
		}
	}
}
