package objectives

import (
	"context"
	"math"
	"slices"
	"sync"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/density"
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

// fittedNoises are the ones that are fitted to data.
func fittedNoises() []string {
	return slices.DeleteFunc(NoiseName("").Options(), func(name string) bool { return name == string(BaseNoise) })
}

// Every noise is normalised, by quadrature, and its draws have its density: the mean of log q over draws is that of
// quadrature within 4.5 standard errors.
func TestNoises(t *testing.T) {
	data := correlated(300, 1)
	for _, name := range fittedNoises() {
		t.Run(name, func(t *testing.T) {
			q, err := NewNoise(NoiseName(name), data)
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

// In five dimensions noises are normalised: beside a wide Gaussian r the mean of q/r over draws of r is 1 for
// kernels, which r covers, and that of r/q over draws of q for the mixture, which covers r. They are near the data,
// nearer than one Gaussian.
func TestNoisesInManyDimensions(t *testing.T) {
	const n, d, apart = 2000, 5, 4.0
	rng := newRNG(4)
	clusters := func() *mat.Dense {
		x := mat.NewDense(n, d, nil)
		for i := range n {
			row := x.RawRowView(i)
			for j := range row {
				row[j] = rng.NormFloat64()
			}
			row[0] += apart * float64(2*(i%2)-1)
		}
		return x
	}
	data := clusters()
	wide, err := density.FitGaussian(data, 1.3)
	if err != nil {
		t.Fatal(err)
	}
	mean := func(of, over Noise) (m, se float64) {
		const n = 40000
		x, a, b := mat.NewDense(n, d, nil), make([]float64, n), make([]float64, n)
		over.Sample(x, rng)
		of.LogProb(a, x)
		over.LogProb(b, x)
		var sq float64
		for i := range a {
			w := math.Exp(a[i] - b[i])
			m += w / n
			sq += w * w / n
		}
		return m, math.Sqrt((sq - m*m) / n)
	}
	for _, name := range []string{"kde", "mixture"} {
		q, err := NewNoise(NoiseName(name), data)
		if err != nil {
			t.Fatal(err)
		}
		m, se := 0.0, 0.0
		if name == "kde" {
			m, se = mean(q, wide)
		} else {
			m, se = mean(wide, q)
		}
		if math.Abs(m-1) > 4.5*se || se > 0.05 {
			t.Errorf("%s: mass %g ± %g, want 1", name, m, se)
		}
		fit, err := density.FitGaussian(data, 1)
		if err != nil {
			t.Fatal(err)
		}
		a, b, fresh := make([]float64, n), make([]float64, n), clusters()
		q.LogProb(a, fresh)
		fit.LogProb(b, fresh)
		// the clusters are log √17 - log 2 more likely than one Gaussian; a kernel density loses most of that, but
		// not all
		if gain := (floats.Sum(a) - floats.Sum(b)) / n; !(gain > 0.1) {
			t.Errorf("%s: fresh data are %g nats likelier than by a Gaussian, want > 0.1", name, gain)
		}
	}
	for i := range n { // in a plane: a Gaussian cannot be fitted
		data.Set(i, 4, data.At(i, 3))
	}
	if _, err := NewNoise("mixture", data); err != nil {
		t.Errorf("data in a plane: %v", err)
	}
}

// Several goroutines use one noise at the same time: the densities equal those of a single one, and chains that jump
// by it do not race (-race).
func TestNoisesAreShared(t *testing.T) {
	wide := mat.NewDense(400, 4, nil)
	for i, rng := 0, newRNG(3); i < 1600; i++ {
		wide.RawMatrix().Data[i] = rng.NormFloat64()
	}
	for _, data := range []*mat.Dense{correlated(400, 1), wide} { // tables and kernels
		n, d := data.Dims()
		for _, name := range fittedNoises() {
			q, err := NewNoise(NoiseName(name), data)
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
			if _, err := mcmc.Sample(context.Background(), k, mcmc.Shared(target), data.Slice(0, 64, 0, d).(*mat.Dense),
				cfg, newRNG(1)); err != nil {
				t.Error(err)
			}
		}
	}
}

// The noises of rescaled data are rescaled: log q(ax) + d log a does not depend on a. Tables stay tables.
func TestNoisesScale(t *testing.T) {
	const a = 1.0 / (1 << 20)
	data := correlated(400, 1)
	n, d := data.Dims()
	small := mat.NewDense(n, d, nil)
	small.Scale(a, data)
	for _, name := range fittedNoises() {
		var got [2][]float64
		for i, x := range []*mat.Dense{data, small} {
			q, err := NewNoise(NoiseName(name), x)
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := q.(*density.Tabulated); name == "kde" && !ok {
				t.Errorf("kde of data of scale %g is a %T", density.Spread(x), q)
			}
			got[i] = make([]float64, n)
			q.LogProb(got[i], x)
		}
		floats.AddConst(float64(d)*math.Log(a), got[1])
		if worst := floats.Distance(got[0], got[1], math.Inf(1)); !(worst < 1e-3) { // float32
			t.Errorf("%s: log densities differ by up to %g", name, worst)
		}
	}
}

// Having no points is an error, not a panic or a noise.
func TestNoiseOfNothing(t *testing.T) {
	for _, name := range fittedNoises() {
		if _, err := NewNoise(NoiseName(name), &mat.Dense{}); err == nil {
			t.Errorf("%s: a noise is fitted to no points", name)
		}
	}
	if err := (Config{Data: &mat.Dense{}}).Validate(); err == nil {
		t.Error("Config.Data without points is accepted")
	}
}
