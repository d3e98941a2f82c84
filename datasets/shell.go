package datasets

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/internal/batch"
)

// shell is exp(−(|x|−R)²/2σ²)/Z in d dimensions: a blurred sphere. With S the area of the unit sphere,
//
//	Z = S ∫₀^∞ ρ^(d−1) exp(−(ρ−R)²/2σ²) dρ,   S = 2π^(d/2)/Γ(d/2).
type shell struct {
	dim        int
	radius, sd float64
	peak       float64 // the most likely |x|
	logZ       float64
	entropy    float64
}

var (
	_ Distribution = (*shell)(nil)
	_ Entropic     = (*shell)(nil)
	_ Modal        = (*shell)(nil)
	_ Unnormalized = (*shell)(nil)
)

func newShell(dim int, radius, sd float64) *shell {
	d := float64(dim)
	s := &shell{dim: dim, radius: radius, sd: sd}
	s.peak = (radius + math.Sqrt(radius*radius+4*(d-1)*sd*sd)) / 2
	// Z and the mean energy, by Gauss–Legendre quadrature in panels of one σ around the peak.
	top := s.radial(s.peak)
	var mass, energy float64
	lo := math.Max(0, s.peak-12*sd)
	for range 24 {
		mass += quad.Fixed(func(r float64) float64 { return math.Exp(s.radial(r) - top) }, lo, lo+sd, 12,
			quad.Legendre{}, 1)
		energy += quad.Fixed(func(r float64) float64 { return s.energy(r) * math.Exp(s.radial(r)-top) }, lo, lo+sd, 12,
			quad.Legendre{}, 1)
		lo += sd
	}
	gamma, _ := math.Lgamma(d / 2)
	s.logZ = math.Log(2) + d/2*math.Log(math.Pi) - gamma + top + math.Log(mass)
	s.entropy = s.logZ + energy/mass
	return s
}

func (s *shell) energy(r float64) float64 { return (r - s.radius) * (r - s.radius) / (2 * s.sd * s.sd) }

// radial returns the log of the unnormalised density of |x|.
func (s *shell) radial(r float64) float64 { return float64(s.dim-1)*math.Log(r) - s.energy(r) }

func (s *shell) Dim() int         { return s.dim }
func (s *shell) Entropy() float64 { return s.entropy }
func (s *shell) LogZ() float64    { return s.logZ }

func (s *shell) Bounds() (lo, hi []float64) {
	lo, hi = make([]float64, s.dim), make([]float64, s.dim)
	for j := range lo {
		hi[j] = s.peak + 6*s.sd
		lo[j] = -hi[j]
	}
	return lo, hi
}

func (s *shell) Modes() (centres *mat.Dense, weights []float64) {
	centres = mat.NewDense(1, s.dim, nil)
	centres.Set(0, 0, s.radius)
	return centres, []float64{1}
}

func (s *shell) AssignMode(x []float64) int {
	if len(x) != s.dim {
		panic(batch.BadDim)
	}
	return 0
}

// Sample draws a direction and a radius. The radius is drawn by rejection from N(m, σ²) around the peak m, which,
// scaled, touches its density from above because log ρ ≤ log m + (ρ−m)/m, and is accepted with probability
// exp((d−1)(log(ρ/m) − (ρ−m)/m)).
func (s *shell) Sample(dst *mat.Dense, rng *rand.Rand) {
	batch.Sample(dst, s.dim)
	for i := range dst.RawMatrix().Rows {
		row := dst.RawRowView(i)
		var r float64
		for {
			r = s.peak + s.sd*rng.NormFloat64()
			if r > 0 && rng.ExpFloat64() > float64(s.dim-1)*((r-s.peak)/s.peak-math.Log(r/s.peak)) {
				break
			}
		}
		var n2 float64
		for j := range row {
			row[j] = rng.NormFloat64()
			n2 += row[j] * row[j]
		}
		r /= math.Sqrt(n2)
		for j := range row {
			row[j] *= r
		}
	}
}

func (s *shell) Energy(dst []float64, x *mat.Dense) {
	batch.LogProb(dst, x, s.dim)
	for i := range dst {
		dst[i] = s.energy(norm(x.RawRowView(i)))
	}
}

func (s *shell) LogProb(dst []float64, x *mat.Dense) {
	s.Energy(dst, x)
	for i := range dst {
		dst[i] = -dst[i] - s.logZ
	}
}

func (s *shell) Score(dst, x *mat.Dense) {
	batch.Score(dst, x, s.dim)
	for i := range x.RawMatrix().Rows {
		row, out := x.RawRowView(i), dst.RawRowView(i)
		r := norm(row)
		if math.IsInf(r, 1) {
			clear(out)
			continue
		}
		c := 0.0
		if r > 0 {
			c = (s.radius - r) / (s.sd * s.sd * r)
		}
		for j, v := range row {
			out[j] = c * v
		}
	}
}

func norm(x []float64) float64 {
	var s float64
	for _, v := range x {
		s += v * v
	}
	return math.Sqrt(s)
}
