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

// The bounding box is that of the data, at any scale; a coordinate without a width gets one in proportion.
func TestBoxOf(t *testing.T) {
	for _, c := range []struct{ a, b, margin, lo, hi float64 }{
		{0, 1, 0, 0, 1},
		{0, 1e-6, 0, 0, 1e-6},
		{-2e-9, 2e-9, 0.25, -3e-9, 3e-9},
		{0, 0, 0, -1e-3, 1e-3},
		{0, 0, 0.25, -0.25, 0.25},
		{1e-6, 1e-6, 0, 0.999e-6, 1.001e-6},
		{-8, -8, 0.25, -10, -6},
	} {
		b := BoxOf(mat.NewDense(2, 1, []float64{c.a, c.b}), c.margin)
		if w := 1e-12 * (c.hi - c.lo); math.Abs(b.Lo[0]-c.lo) > w || math.Abs(b.Hi[0]-c.hi) > w {
			t.Errorf("data at %g and %g, margin %g: [%g, %g], want [%g, %g]", c.a, c.b, c.margin, b.Lo[0], b.Hi[0], c.lo, c.hi)
		}
	}
	b, got := &Box{Lo: []float64{0, 0}, Hi: []float64{1, 2}}, make([]float64, 4)
	b.LogProb(got, mat.NewDense(4, 2, []float64{0, 2, math.NaN(), 1, 0.5, math.NaN(), 0.5, 2.1}))
	if want := []float64{-math.Ln2, math.Inf(-1), math.Inf(-1), math.Inf(-1)}; !slices.Equal(got, want) {
		t.Errorf("log density of a box: %v, want %v", got, want)
	}
}

// The noises of data in other units are those of the data, in other units: log q(ax) + d log a does not depend on a. Tables stay tables.
func TestNoisesScale(t *testing.T) {
	const a = 1.0 / (1 << 20)
	data := correlated(400, 1)
	n, d := data.Dims()
	small := mat.NewDense(n, d, nil)
	small.Scale(a, data)
	for _, name := range NoiseNames() {
		var got [2][]float64
		for i, x := range []*mat.Dense{data, small} {
			q, err := NewNoise(name, x)
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := q.(*Tabulated); name == "kde" && !ok {
				t.Errorf("kde of data of scale %g is a %T", energy.Spread(x), q)
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

// Coordinates in units of their own, deviations of 1e-7 and 1, are no plane.
func TestGaussianNoiseOfUnits(t *testing.T) {
	data := correlated(300, 2)
	one, err := FitGaussian(data, 1.5)
	if err != nil {
		t.Fatal(err)
	}
	scaled := mat.DenseCopyOf(data)
	for i := range 300 {
		scaled.Set(i, 0, 1e-7*data.At(i, 0))
	}
	q, err := FitGaussian(scaled, 1.5)
	if err != nil {
		t.Fatal(err)
	}
	want, got := make([]float64, 300), make([]float64, 300)
	one.LogProb(want, data)
	q.LogProb(got, scaled)
	floats.AddConst(math.Log(1e-7), got)
	if worst := floats.Distance(got, want, math.Inf(1)); worst > 1e-8 {
		t.Errorf("log densities differ by up to %g", worst)
	}
	for i := range 300 { // a line, in units of their own
		scaled.Set(i, 1, 1e7*scaled.At(i, 0))
	}
	if _, err := FitGaussian(scaled, 1); err == nil {
		t.Error("data on a line are accepted")
	}
}

// No points are an error, not a panic or a noise.
func TestNoiseOfNothing(t *testing.T) {
	for _, name := range NoiseNames() {
		if _, err := NewNoise(name, &mat.Dense{}); err == nil {
			t.Errorf("%s: a noise is fitted to no points", name)
		}
	}
	for _, name := range Names() {
		if _, err := Recommended(name, &mat.Dense{}); err == nil {
			t.Errorf("%s: settings are recommended for no points", name)
		}
	}
	if err := (Config{Data: &mat.Dense{}}).validate(); err == nil {
		t.Error("Config.Data without points is accepted")
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
