package datasets

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/internal/batch"
)

// funnel is x₁ ~ N(0, s²), x_i ~ N(0, c² exp(x₁)) for i > 1 (Neal, Annals of Statistics 31 (2003) 705, with s = 3, c =
// 1 and ten dimensions).
type funnel struct {
	dim       int
	sd, scale float64 // s and c
}

var (
	_ Distribution = (*funnel)(nil)
	_ Entropic     = (*funnel)(nil)
	_ Modal        = (*funnel)(nil)
	_ Unnormalized = (*funnel)(nil)
)

func (f *funnel) Dim() int { return f.dim }

// Entropy is that of x₁ plus the mean conditional entropy of the others, whose log-widths average to log c.
func (f *funnel) Entropy() float64 {
	d := float64(f.dim)
	return d/2*math.Log(2*math.Pi*math.E) + math.Log(f.sd) + (d-1)*math.Log(f.scale)
}

// Bounds extends 5.5 sd along x₁, and across it to where the log-density has fallen by as much: x² = c² exp(x₁)(5.5² −
// x₁²/s²) at the x₁ where that is largest.
func (f *funnel) Bounds() (lo, hi []float64) {
	const reach = 5.5
	lo, hi = make([]float64, f.dim), make([]float64, f.dim)
	v := f.sd * f.sd
	at := math.Sqrt(1+reach*reach*v) - 1 // where x₁² + 2x₁ = 5.5²s²
	width := f.scale * math.Sqrt(math.Exp(at)*(reach*reach-at*at/v))
	for j := range lo {
		lo[j], hi[j] = -width, width
	}
	lo[0], hi[0] = -reach*f.sd, reach*f.sd
	return lo, hi
}

func (f *funnel) Modes() (centres *mat.Dense, weights []float64) {
	return mat.NewDense(1, f.dim, nil), []float64{1}
}

func (f *funnel) AssignMode(x []float64) int {
	if len(x) != f.dim {
		panic(batch.BadDim)
	}
	return 0
}

func (f *funnel) Sample(dst *mat.Dense, rng *rand.Rand) {
	batch.Sample(dst, f.dim)
	for i := range dst.RawMatrix().Rows {
		row := dst.RawRowView(i)
		row[0] = f.sd * rng.NormFloat64()
		w := f.scale * math.Exp(row[0]/2)
		for j := range row[1:] {
			row[j+1] = w * rng.NormFloat64()
		}
	}
}

// energy returns E = x₁²/2s² + (d−1)x₁/2 + Σ x_i²/(2c² exp(x₁)).
func (f *funnel) energy(x []float64) float64 {
	var s float64
	for _, v := range x[1:] {
		s += v * v
	}
	if math.IsInf(x[0], 0) && !math.IsNaN(s) { // its two terms, or s and the width, would give NaN
		return math.Inf(1)
	}
	e := x[0]*x[0]/(2*f.sd*f.sd) + float64(f.dim-1)*x[0]/2
	if s != 0 {
		e += math.Exp(math.Log(s/(2*f.scale*f.scale)) - x[0])
	}
	return e
}

// LogZ is (d/2) log 2π + log s + (d−1) log c.
func (f *funnel) LogZ() float64 {
	d := float64(f.dim)
	return d/2*math.Log(2*math.Pi) + math.Log(f.sd) + (d-1)*math.Log(f.scale)
}

func (f *funnel) Energy(dst []float64, x *mat.Dense) {
	batch.LogProb(dst, x, f.dim)
	for i := range dst {
		dst[i] = f.energy(x.RawRowView(i))
	}
}

func (f *funnel) LogProb(dst []float64, x *mat.Dense) {
	f.Energy(dst, x)
	z := f.LogZ()
	for i := range dst {
		dst[i] = -dst[i] - z
	}
}

func (f *funnel) Score(dst, x *mat.Dense) {
	batch.Score(dst, x, f.dim)
	for i := range x.RawMatrix().Rows {
		row, s := x.RawRowView(i), dst.RawRowView(i)
		precision := math.Exp(-row[0]) / (f.scale * f.scale)
		s[0] = -row[0]/(f.sd*f.sd) - float64(f.dim-1)/2
		for j, v := range row[1:] {
			s[0] += v * v * precision / 2
			s[j+1] = -v * precision
		}
		if (math.IsNaN(s[0]) || math.IsInf(s[0], 0)) && math.IsInf(f.energy(row), 1) {
			clear(s)
		}
	}
}
