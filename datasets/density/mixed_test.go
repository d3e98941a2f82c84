package density

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// sexes is a mixture of rows of which the second column has three values and the fourth two.
func sexes(t testing.TB) *Mixed {
	t.Helper()
	g, err := NewMixture(Parameters{Dim: 4, Covariance: Full, Weights: []float64{3, 2},
		Means: []float64{0, 0, 1, 0, 4, 0.5, -1, 0.2},
		Factors: []float64{
			1, 0, 0, 0, 0.3, 0.8, 0, 0, -0.4, 0.2, 0.7, 0, 0.1, 0.2, 0.3, 0.9,
			0.6, 0, 0, 0, 0.2, 1, 0, 0, 0.5, 0.1, 0.4, 0, -0.3, 0.1, 0.2, 0.7}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewMixed(g, []Levels{
		{Column: 1, Values: []float64{-1, 0.5, 3}, Probs: [][]float64{{0.2, 0.5, 0.3}, {0.7, 0.1, 0.2}}},
		{Column: 3, Values: []float64{-1, 1}, Probs: [][]float64{{0.25, 0.75}, {0.9, 0.1}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// exact is P(c, x) of sexes, by conditional Gaussians found from covariances alone.
func exact(m *Mixed, k, c, s int, x []float64) float64 {
	g := m.Gaussians()
	cov, mean := g.CovarianceOf(k), g.Means().RawRowView(k)
	saa, sxa := mat.NewDense(2, 2, nil), mat.NewDense(2, 2, nil)
	sxx := mat.NewDense(2, 2, nil)
	a, free := []int{1, 3}, []int{0, 2}
	for i := range 2 {
		for j := range 2 {
			saa.Set(i, j, cov.At(a[i], a[j]))
			sxa.Set(i, j, cov.At(free[i], a[j]))
			sxx.Set(i, j, cov.At(free[i], free[j]))
		}
	}
	var inv, b, within, back mat.Dense
	if err := inv.Inverse(saa); err != nil {
		panic(err)
	}
	b.Mul(sxa, &inv)
	back.Mul(&b, sxa.T())
	within.Sub(sxx, &back)
	off := []float64{m.levels[0].Values[c] - mean[1], m.levels[1].Values[s] - mean[3]}
	r := make([]float64, 2)
	for i := range 2 {
		r[i] = x[i] - mean[free[i]] - b.At(i, 0)*off[0] - b.At(i, 1)*off[1]
	}
	det := mat.Det(&within)
	q := (r[0]*r[0]*within.At(1, 1) - 2*r[0]*r[1]*within.At(0, 1) + r[1]*r[1]*within.At(0, 0)) / det
	return g.Weights()[k] * m.levels[0].Probs[k][c] *
		m.levels[1].Probs[k][s] * math.Exp(-q/2) / (2 * math.Pi * math.Sqrt(det))
}

// The integral of the density over the cells of discrete values is their probability times the density of the rest,
// the log ratio leads from one to the other, and a Given of both columns is the conditional density of the rest.
func TestMixedDensity(t *testing.T) {
	m := sexes(t)
	const nodes = 4000
	for _, x := range [][]float64{{0.3, 0.8}, {4.2, -1.5}, {1, 0}} {
		for c := range 3 {
			for s := range 2 {
				want := exact(m, 0, c, s, x) + exact(m, 1, c, s, x)
				row := mat.NewDense(1, 4, []float64{x[0], m.levels[0].Values[c], x[1], m.levels[1].Values[s]})
				var lp [1]float64
				m.LogProb(lp[:], row)
				got := math.Exp(lp[0] - m.levels[0].LogRatio(c) - m.levels[1].LogRatio(s))
				if math.Abs(got/want-1) > 1e-10 {
					t.Errorf("%v, %d, %d: P %g by the log ratio, want %g", x, c, s, got, want)
				}
				if s == 0 { // over the cell of the first, at the value of the second
					lo, hi, sum := -30.0, 30.0, 0.0
					for i := range nodes {
						z := lo + (hi-lo)*(float64(i)+0.5)/nodes
						if m.levels[0].Of(z) != c {
							continue
						}
						row.Set(0, 1, z)
						m.LogProb(lp[:], row)
						sum += math.Exp(lp[0]-m.levels[1].LogRatio(s)) * (hi - lo) / nodes
					}
					if math.Abs(sum/want-1) > 0.02 { // edges fall between nodes
						t.Errorf("%v, %d: integral %g, want %g", x, c, sum, want)
					}
				}
				rest, err := m.Given([]int{1, 3}, []float64{m.levels[0].Values[c], m.levels[1].Values[s]})
				if err != nil {
					t.Fatal(err)
				}
				rest.LogProb(lp[:], mat.NewDense(1, 2, x))
				all := 0.0 // P(c)
				for k, w := range m.Gaussians().Weights() {
					all += w * m.levels[0].Probs[k][c] * m.levels[1].Probs[k][s]
				}
				if got := math.Exp(lp[0]) * all; math.Abs(got/want-1) > 1e-9 {
					t.Errorf("%v, %d, %d: conditional density times P %g, want %g", x, c, s, got, want)
				}
			}
		}
	}
}

// Draws have the probabilities, and within a value the moments, of the density; a value that is left after a Given is
// drawn, too.
func TestMixedSample(t *testing.T) {
	m := sexes(t)
	const n = 40000
	x := mat.NewDense(n, 4, nil)
	m.Sample(x, newRNG(1))
	for c := range 3 {
		for s := range 2 {
			var p, mean, count, sum, ss float64
			for k, w := range m.Gaussians().Weights() {
				q := w * m.levels[0].Probs[k][c] * m.levels[1].Probs[k][s]
				p += q
				cond, err := m.Gaussians().Given([]int{1, 3}, []float64{m.levels[0].Values[c], m.levels[1].Values[s]})
				if err != nil {
					t.Fatal(err)
				}
				mean += q * cond.Means().At(k, 0)
			}
			mean /= p
			for i := range n {
				if m.levels[0].Of(x.At(i, 1)) == c && m.levels[1].Of(x.At(i, 3)) == s {
					count++
					sum += x.At(i, 0)
					ss += x.At(i, 0) * x.At(i, 0)
				}
			}
			if math.Abs(count/n-p) > 4*math.Sqrt(p*(1-p)/n) {
				t.Errorf("values %d, %d: share %g, want %g", c, s, count/n, p)
			}
			got := sum / count
			if se := math.Sqrt((ss/count - got*got) / count); math.Abs(got-mean) > 4*se {
				t.Errorf("values %d, %d: mean %g ± %g, want %g", c, s, got, se, mean)
			}
		}
	}
	// z in a cell is from the Gaussian of the reference, cut off
	l := m.levels[0]
	mean, sd := l.Reference()
	ref, count, below := distuv.Normal{Mu: mean, Sigma: sd}, 0.0, 0.0
	for i := range n {
		if z := x.At(i, 1); l.Of(z) == 0 {
			count++
			if z < -1 {
				below++
			}
		}
	}
	if want := ref.CDF(-1) / ref.CDF(-0.25); math.Abs(below/count-want) > 4*math.Sqrt(want*(1-want)/count) {
		t.Errorf("share of z below the value %g, want %g", below/count, want)
	}
	q, err := m.Given([]int{0}, []float64{0.5})
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := q.(*Mixed); !ok || got.Dim() != 3 || got.levels[0].Column != 0 || got.levels[1].Column != 2 {
		t.Errorf("given the first column: %T %+v", q, q)
	}
}

// A fit finds the probabilities and the densities within values: KL against the density that drew the points is that
// of its number of parameters, half a nat each over all points, give or take chance. A mixture of Gaussians of the
// same points spread over their cells, the broken twin, is far from that.
func TestFitMixed(t *testing.T) {
	m := sexes(t)
	const n, fresh = 1000, 4000
	x, y := mat.NewDense(n, 4, nil), mat.NewDense(fresh, 4, nil)
	m.Sample(x, newRNG(2))
	m.Sample(y, newRNG(3))
	kl := func(q LogProber) (mean, se float64) {
		p, own := make([]float64, fresh), make([]float64, fresh)
		m.LogProb(p, y)
		q.LogProb(own, y)
		var sum, ss float64
		for i := range p {
			v := p[i] - own[i]
			sum += v
			ss += v * v
		}
		mean = sum / fresh
		return mean, math.Sqrt((ss/fresh - mean*mean) / fresh)
	}
	levels := []Levels{{Column: 1, Values: m.levels[0].Values}, {Column: 3, Values: m.levels[1].Values}}
	fit, err := FitMixed(x, levels, MixtureConfig{Components: []int{1, 2, 3}, Covariances: []Covariance{Full}}, newRNG(4))
	if err != nil {
		t.Fatal(err)
	}
	got, se := kl(fit)
	parameters := 1 + 2*(2+3+4+2+1)
	t.Logf("%d components, KL %.4f ± %.4f", fit.Components(), got, se)
	if limit := 3*float64(parameters)/2/n + 4*se; got > limit || got < -4*se {
		t.Errorf("KL %g ± %g, want at most %g", got, se, limit)
	}
	plain, err := FitMixture(x, MixtureConfig{Components: []int{1, 2, 3}, Covariances: []Covariance{Full}}, newRNG(4))
	if err != nil {
		t.Fatal(err)
	}
	twin, _ := kl(plain)
	t.Logf("Gaussians: KL %.4f", twin)
	if twin < 3*float64(parameters)/2/n+4*se {
		t.Errorf("a mixture of Gaussians has KL %g, so that the test says nothing", twin)
	}
	tails, err := fit.Contaminated(x)
	if err != nil || tails.Components() != fit.Components() {
		t.Errorf("tails for Gaussian columns: %d components, error %v", tails.Components(), err)
	}
}
