package density

import (
	"math"
	"sort"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// table is a table of two Gaussians, with spacings so wide that tents and Gaussians differ.
func table(t *testing.T, d int) *Tabulated {
	t.Helper()
	lo, hi := make([]float64, d), make([]float64, d)
	centres := mat.NewDense(2, d, nil)
	for j := range d {
		lo[j], hi[j] = -3, 4+float64(j)
		centres.Set(1, j, 1.5)
	}
	k, err := NewKernel(centres, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	q, err := Tabulate(k, lo, hi, 0.4)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// The density is the sum over all nodes that its definition gives, and -Inf outside.
func TestTabulatedDensity(t *testing.T) {
	for d := 1; d <= 3; d++ {
		q, rng := table(t, d), newRNG(uint64(d))
		x, got, node := mat.NewDense(50, d, nil), make([]float64, 50), make([]float64, d)
		for i := range 50 {
			for j := range d {
				x.Set(i, j, -3.5+8*rng.Float64())
			}
		}
		x.SetRow(0, q.lo)
		q.LogProb(got, x)
		var sum float64
		for _, w := range q.weights {
			sum += w
		}
		if math.Abs(sum-1) > 1e-12 {
			t.Errorf("d = %d: weights add up to %v", d, sum)
		}
		for i := range 50 {
			var want float64
			for k, w := range q.weights {
				q.node(node, k)
				for j := range d {
					w *= max(0, 1-math.Abs(x.At(i, j)-node[j])/q.h[j]) / q.h[j]
				}
				want += w
			}
			if math.Abs(math.Exp(got[i])-want) > 1e-12 {
				t.Errorf("d = %d, x = %v: density %g, want %g", d, x.RawRowView(i), math.Exp(got[i]), want)
			}
		}
	}
}

// Draws fall into parts of cells with the probability that the density gives them, by the χ² statistic; draws of the
// nodes alone, or with a single uniform number, do not.
func TestTabulatedSample(t *testing.T) {
	const n, parts = 200_000, 3 // parts of a cell, along an axis
	q := table(t, 2)
	rows, cols := parts*(q.n[0]-1), parts*(q.n[1]-1)
	want, mid := make([]float64, rows*cols), mat.NewDense(rows*cols, 2, nil)
	for c := range want {
		mid.SetRow(c, []float64{q.lo[0] + (float64(c/cols)+0.5)*q.h[0]/parts,
			q.lo[1] + (float64(c%cols)+0.5)*q.h[1]/parts})
	}
	q.LogProb(want, mid)
	for c, v := range want {
		want[c] = math.Exp(v) * q.h[0] * q.h[1] / (parts * parts) // exact for a bilinear function
	}
	chi2 := func(draw func(dst *mat.Dense)) float64 {
		draws, count := mat.NewDense(n, 2, nil), make([]float64, rows*cols)
		draw(draws)
		for i := range n {
			r := draws.RawRowView(i)
			a, b := int((r[0]-q.lo[0])/q.h[0]*parts), int((r[1]-q.lo[1])/q.h[1]*parts)
			count[a*cols+b]++
		}
		var sum, df, restWant, restGot float64
		for c, w := range want {
			if w*n < 20 { // cells with few draws are pooled
				restWant += w * n
				restGot += count[c]
				continue
			}
			sum += (count[c] - w*n) * (count[c] - w*n) / (w * n)
			df++
		}
		sum += (restGot - restWant) * (restGot - restWant) / restWant
		return (sum - df) / math.Sqrt(2*df) // variance 1 in the limit
	}
	if z := chi2(func(dst *mat.Dense) { q.Sample(dst, newRNG(1)) }); math.Abs(z) > 4.5 {
		t.Errorf("draws are off: z = %.1f", z)
	}
	twins := map[string]func(u, v float64) float64{
		"the nodes alone":    func(float64, float64) float64 { return 0 },
		"one uniform number": func(u, _ float64) float64 { return u - 0.5 },
		"half the width":     func(u, v float64) float64 { return (u - v) / 2 },
	}
	for name, f := range twins {
		z := chi2(func(dst *mat.Dense) {
			rng := newRNG(1)
			for i := range n {
				r := dst.RawRowView(i)
				q.node(r, sort.SearchFloat64s(q.cdf, rng.Float64()))
				for j := range r {
					r[j] += q.h[j] * f(rng.Float64(), rng.Float64())
				}
			}
		})
		if math.Abs(z) < 20 {
			t.Errorf("%s: z = %.1f, not caught", name, z)
		}
	}
}

// What cannot be tabulated is refused: boxes with no interior, too many nodes, a density that is zero everywhere.
func TestTabulateRefuses(t *testing.T) {
	unit := must(NewBox([]float64{0, 0}, []float64{1, 1}))
	normal := must(NewIsotropic([]float64{0}, 1))
	for name, f := range map[string]func() (*Tabulated, error){
		"empty box":  func() (*Tabulated, error) { return Tabulate(unit, []float64{0, 0}, []float64{0, 1}, 0.1) },
		"many nodes": func() (*Tabulated, error) { return Tabulate(unit, []float64{0, 0}, []float64{1, 1}, 1e-3) },
		"huge axis": func() (*Tabulated, error) {
			return Tabulate(
				unit, []float64{0, 0}, []float64{1e300, 1}, 1e-3)
		},
		"between nodes": func() (*Tabulated, error) { return Tabulate(normal, []float64{0}, []float64{200}, 100) },
		"nowhere":       func() (*Tabulated, error) { return Tabulate(unit, []float64{2, 2}, []float64{3, 3}, 0.1) },
		"not a number": func() (*Tabulated, error) {
			return Tabulate(
				unit, []float64{math.NaN(), 0}, []float64{1, 1}, 0.1)
		},
	} {
		if _, err := f(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
