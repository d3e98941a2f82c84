package energy

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/graphs"
)

// The energies in this file are the usual hard cases for samplers, for tests, with learnable parameters. All are
// differentiable everywhere, with known Z and an exact sampler.

// perRow expands a parameter of shape (1) to (n, 1).
func perRow(v *G.Node, n int) *G.Node { return graphs.ExpandRows(v, n) }

// Banana is a Gaussian bent along a parabola,
//
//	E(x) = x₁²/(2a²) + (x₂ - k(x₁² - a²))²/(2c²),   a = exp(log_length), c = exp(log_width), k = bend.
//
// The bend preserves volume: Z = 2π a c. (Haario, Saksman and Tamminen, Computational Statistics 14 (1999) 375–395.)
// Parameters: log_length, log_width, bend, of one element each; it starts at a = 2, c = 1/2, k = 1/2.
type Banana struct{}

var (
	_ Known       = Banana{}
	_ Initializer = Banana{}
)

// Dim returns 2.
func (Banana) Dim() int { return 2 }

// Specs returns log_length, log_width and bend.
func (Banana) Specs() []Spec {
	return []Spec{{"log_length", []int{1}}, {"log_width", []int{1}}, {"bend", []int{1}}}
}

// Init sets a = 2, c = 1/2, k = 1/2.
func (Banana) Init(p *Params, _ *rand.Rand) {
	copy(p.Data(), []float64{math.Ln2, -math.Ln2, 0.5})
}

// Build builds the energy.
func (b Banana) Build(x *G.Node, theta G.Nodes) (*G.Node, error) {
	if err := checkBuild("Banana", b, x, theta); err != nil {
		return nil, err
	}
	n := x.Shape()[0]
	return graphs.Try(func() *G.Node {
		x1, x2 := graphs.SliceCols(x, 0, 1), graphs.SliceCols(x, 1, 2)
		sq := graphs.Square(x1)
		u := graphs.Mul(sq, perRow(graphs.Exp(graphs.Scale(theta[0], -2)), n)) // x₁²/a²
		v := graphs.Sub(x2, graphs.Mul(perRow(theta[2], n),
			graphs.Sub(sq, perRow(graphs.Exp(graphs.Scale(theta[0], 2)), n))))
		w := graphs.Mul(graphs.Square(v), perRow(graphs.Exp(graphs.Scale(theta[1], -2)), n))
		return graphs.Scale(graphs.Add(u, w), 0.5)
	})
}

// LogZ returns log 2π + log a + log c.
func (Banana) LogZ(p *Params) float64 {
	t := p.Data()
	return math.Log(2*math.Pi) + t[0] + t[1]
}

// Sample bends Gaussian draws.
func (Banana) Sample(p *Params, dst *mat.Dense, rng *rand.Rand) {
	t := p.Data()
	a, c, k := math.Exp(t[0]), math.Exp(t[1]), t[2]
	n, _ := dst.Dims()
	for i := range n {
		x1 := a * rng.NormFloat64()
		dst.Set(i, 0, x1)
		dst.Set(i, 1, c*rng.NormFloat64()+k*(x1*x1-a*a))
	}
}

// Funnel is Neal's funnel in D ≥ 2 dimensions: x₁ ~ N(0, s²) and, given x₁, the others N(0, exp x₁) each,
//
//	E(x) = x₁²/(2s²) + ½ exp(-x₁) Σ_{i>1} x_i² + ½ (D-1) x₁,   log Z = log s + D/2 log 2π.
//
// (Neal, Slice sampling, Annals of Statistics 31 (2003) 705–767, with s = 3.) Parameter: log_scale, log s; it starts at
// s = 1.
type Funnel struct{ D int }

var (
	_ Known       = Funnel{}
	_ Initializer = Funnel{}
)

// Dim returns D.
func (f Funnel) Dim() int { return f.D }

// Specs returns log_scale.
func (f Funnel) Specs() []Spec { return []Spec{{"log_scale", []int{1}}} }

// Init sets s = 1.
func (f Funnel) Init(p *Params, _ *rand.Rand) { clear(p.Data()) }

// Build builds the energy.
func (f Funnel) Build(x *G.Node, theta G.Nodes) (*G.Node, error) {
	if err := checkBuild("Funnel", f, x, theta); err != nil {
		return nil, err
	}
	n := x.Shape()[0]
	return graphs.Try(func() *G.Node {
		v := graphs.SliceCols(x, 0, 1)
		r := graphs.RowSum(graphs.Square(graphs.SliceCols(x, 1, f.D)))
		e := graphs.Scale(graphs.Mul(graphs.Square(v), perRow(graphs.Exp(graphs.Scale(theta[0], -2)), n)), 0.5)
		e = graphs.Add(e, graphs.Scale(graphs.Mul(graphs.Exp(graphs.Neg(v)), r), 0.5))
		return graphs.Add(e, graphs.Scale(v, 0.5*float64(f.D-1)))
	})
}

// LogZ returns log s + D/2 log 2π.
func (f Funnel) LogZ(p *Params) float64 {
	return p.Data()[0] + 0.5*float64(f.D)*math.Log(2*math.Pi)
}

// Sample draws x₁, then the others.
func (f Funnel) Sample(p *Params, dst *mat.Dense, rng *rand.Rand) {
	s := math.Exp(p.Data()[0])
	n, _ := dst.Dims()
	for i := range n {
		row := dst.RawRowView(i)
		row[0] = s * rng.NormFloat64()
		fillNormal(row[1:], math.Exp(row[0]/2), rng)
	}
}

// DoubleWell has two wells at x₁ = ±w with a barrier of height h between them and is Gaussian in the other directions,
//
//	E(x) = h ((x₁/w)² - 1)² + ½ Σ_{i>1} x_i²,   h = exp(log_height), w = exp(log_width).
//
// Parameters: log_height, log_width, of one element each; it starts at h = 3, w = 1.5.
type DoubleWell struct{ D int }

var (
	_ Known       = DoubleWell{}
	_ Initializer = DoubleWell{}
)

// Dim returns D.
func (w DoubleWell) Dim() int { return w.D }

// Specs returns log_height and log_width.
func (w DoubleWell) Specs() []Spec {
	return []Spec{{"log_height", []int{1}}, {"log_width", []int{1}}}
}

// Init sets h = 3 and w = 1.5.
func (w DoubleWell) Init(p *Params, _ *rand.Rand) {
	copy(p.Data(), []float64{math.Log(3), math.Log(1.5)})
}

// Build builds the energy.
func (w DoubleWell) Build(x *G.Node, theta G.Nodes) (*G.Node, error) {
	if err := checkBuild("DoubleWell", w, x, theta); err != nil {
		return nil, err
	}
	n := x.Shape()[0]
	return graphs.Try(func() *G.Node {
		u := graphs.Mul(graphs.Square(graphs.SliceCols(x, 0, 1)), perRow(graphs.Exp(graphs.Scale(theta[1], -2)), n))
		e := graphs.Mul(graphs.Square(graphs.Shift(u, -1)), perRow(graphs.Exp(theta[0]), n))
		if w.D > 1 {
			e = graphs.Add(e, graphs.Scale(graphs.RowSum(graphs.Square(graphs.SliceCols(x, 1, w.D))), 0.5))
		}
		return e
	})
}

// wellCells is the number of cells in the table for drawing the first coordinate, over |u| ≤ the reach beyond which
// exp(-E) < 1e-16.
const wellCells = 2048

func wellReach(h float64) float64 { return math.Sqrt(1 + math.Sqrt(37/h)) }

// LogZ returns log w + log ∫ exp(-h(u²-1)²) du + (D-1)/2 log 2π, the integral by the trapezoidal rule, which converges
// geometrically for functions of this kind.
func (w DoubleWell) LogZ(p *Params) float64 {
	h := math.Exp(p.Data()[0])
	reach := wellReach(h)
	var sum float64
	for i := -wellCells; i <= wellCells; i++ {
		u := float64(i) / wellCells * reach
		sum += math.Exp(-h * (u*u - 1) * (u*u - 1))
	}
	return p.Data()[1] + math.Log(sum*reach/wellCells) + 0.5*float64(w.D-1)*math.Log(2*math.Pi)
}

// Sample draws the first coordinate by rejection from a step function above exp(-h(u²-1)²).
func (w DoubleWell) Sample(p *Params, dst *mat.Dense, rng *rand.Rand) {
	h, width := math.Exp(p.Data()[0]), math.Exp(p.Data()[1])
	reach := wellReach(h)
	f := func(u float64) float64 { return math.Exp(-h * (u*u - 1) * (u*u - 1)) }
	top := make([]float64, wellCells) // of cell i, [i, i+1]·reach/cells; the density is even
	for i := range top {
		lo, hi := float64(i)/wellCells*reach, float64(i+1)/wellCells*reach
		top[i] = max(f(lo), f(hi))
		if lo <= 1 && 1 <= hi {
			top[i] = 1
		}
	}
	cdf := floats.CumSum(make([]float64, wellCells), top)
	n, _ := dst.Dims()
	for r := range n {
		row := dst.RawRowView(r)
		for {
			i := density.Pick(cdf, rng)
			u := (float64(i) + rng.Float64()) / wellCells * reach
			if rng.Float64()*top[i] < f(u) {
				if rng.Uint64()&1 == 0 {
					u = -u
				}
				row[0] = width * u
				break
			}
		}
		fillNormal(row[1:], 1, rng)
	}
}

// Ring is a circle of radius r and width s in the plane,
//
//	E(x) = (|x|² - r²)² / (8 r² s²) ≈ (|x| - r)² / (2s²),   r = exp(log_radius), s = exp(log_width),
//
// smooth at the origin too. |x|² is normal with mean r² and standard deviation 2rs, truncated at 0, so that
// Z = 2π r s √(2π) Φ(r/2s). Parameters: log_radius, log_width, of one element each; it starts at r = 2, s = 0.3.
type Ring struct{}

var (
	_ Known       = Ring{}
	_ Initializer = Ring{}
)

// Dim returns 2.
func (Ring) Dim() int { return 2 }

// Specs returns log_radius and log_width.
func (Ring) Specs() []Spec { return []Spec{{"log_radius", []int{1}}, {"log_width", []int{1}}} }

// Init sets r = 2 and s = 0.3.
func (Ring) Init(p *Params, _ *rand.Rand) { copy(p.Data(), []float64{math.Ln2, math.Log(0.3)}) }

// Build builds the energy.
func (r Ring) Build(x *G.Node, theta G.Nodes) (*G.Node, error) {
	if err := checkBuild("Ring", r, x, theta); err != nil {
		return nil, err
	}
	n := x.Shape()[0]
	return graphs.Try(func() *G.Node {
		u := graphs.Sub(graphs.RowSum(graphs.Square(x)), perRow(graphs.Exp(graphs.Scale(theta[0], 2)), n))
		c := graphs.Exp(graphs.Scale(graphs.Add(theta[0], theta[1]), -2)) // 1/(r²s²)
		return graphs.Scale(graphs.Mul(graphs.Square(u), perRow(c, n)), 0.125)
	})
}

// LogZ returns log(2π r s √(2π) Φ(r/2s)).
func (Ring) LogZ(p *Params) float64 {
	t := p.Data()
	return 1.5*math.Log(2*math.Pi) + t[0] + t[1] + math.Log(distuv.UnitNormal.CDF(math.Exp(t[0]-t[1])/2))
}

// Sample draws |x|² and the angle.
func (Ring) Sample(p *Params, dst *mat.Dense, rng *rand.Rand) {
	r, s := math.Exp(p.Data()[0]), math.Exp(p.Data()[1])
	n, _ := dst.Dims()
	for i := range n {
		u := -1.0
		for u < 0 {
			u = r*r + 2*r*s*rng.NormFloat64()
		}
		sin, cos := math.Sincos(2 * math.Pi * rng.Float64())
		dst.Set(i, 0, math.Sqrt(u)*cos)
		dst.Set(i, 1, math.Sqrt(u)*sin)
	}
}
