package energy

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/graphs"
)

// Conditional is a family of energies E_θ(x, σ), one for every noise level σ > 0: E(·, σ) stands for the density of the data
// blurred by N(0, σ² I). As an Energy it is the member of the smallest level.
type Conditional interface {
	Energy

	// BuildAt builds the energies (n, 1) of the rows of x at the levels sigma (n, 1).
	BuildAt(x, sigma *G.Node, theta G.Nodes) (*G.Node, error)

	// Levels returns σ_1 > … > σ_K.
	Levels() []float64
}

// Annealable makes a conditional energy of an energy of d+1 variables,
//
//	E(x, σ) = |x|² / (2v²) + inner(x/v, ℓ),   v² = s² + σ²,   ℓ = (2 log σ - log σ_1σ_K) / log(σ_1/σ_K),
//
// with s the scale of the data: v is the scale of the blurred data, ℓ runs from -1 to 1, and the first term alone is
// right for Gaussian data (compare Karras et al., arXiv 2206.00364, for why inputs should have unit variance at every level).
//
// [Annealable.Over] puts a base density b in the place of that Gaussian,
//
//	E(x, σ) = -log b_σ(x) + inner(x/v, ℓ),   b_σ = b blurred by N(0, σ² I):
//
// at every level the family of b is blurred exactly as that of the data. Denoising does not see the weights of modes that
// are far apart at the small levels; a kernel density of the data brings them along, and inner learns what it has wrong,
// which is little, and at large levels nothing.
type Annealable struct {
	wrapped
	levels []float64
	scale  float64
	base   *Mixture // nil: the Gaussian
}

var (
	_ Conditional = (*Annealable)(nil)
	_ Initializer = (*Annealable)(nil)
	_ Smoothness  = (*Annealable)(nil)
)

// NewAnnealable conditions inner, an energy of d+1 variables, on the levels σ_1 > … > σ_K > 0, K ≥ 2; scale > 0 is that of
// the data, in units of x.
func NewAnnealable(inner Energy, levels []float64, scale float64) (*Annealable, error) {
	var errs []error
	if inner.Dim() < 2 {
		errs = append(errs, fmt.Errorf("energy: Annealable: inner energy of %d variables, want d+1", inner.Dim()))
	}
	if len(levels) < 2 {
		errs = append(errs, fmt.Errorf("energy: Annealable: %d levels, want at least 2", len(levels)))
	}
	for i, s := range levels {
		if !(s > 0) || i > 0 && !(s < levels[i-1]) {
			errs = append(errs, fmt.Errorf("energy: Annealable: level %d is %g, want decreasing levels > 0", i, s))
		}
	}
	if !(scale > 0) {
		errs = append(errs, fmt.Errorf("energy: Annealable: scale %g, want > 0", scale))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return &Annealable{wrapped{inner}, append([]float64(nil), levels...), scale, nil}, nil
}

// Over returns the energy with the base density b, all of whose components must have one width.
func (a *Annealable) Over(b *Mixture) (*Annealable, error) {
	if b.Dim() != a.Dim() {
		return nil, fmt.Errorf("energy: Annealable: base density of dimension %d, energy of %d", b.Dim(), a.Dim())
	}
	for _, s := range b.sds {
		if s != b.sds[0] {
			return nil, fmt.Errorf("energy: Annealable: base density with widths %g and %g, want one", b.sds[0], s)
		}
	}
	over := *a
	over.base = b
	return &over, nil
}

// GeometricLevels returns k levels from hi down to lo with equal ratios.
func GeometricLevels(hi, lo float64, k int) []float64 {
	s := make([]float64, k)
	for i := range s {
		s[i] = hi * math.Pow(lo/hi, float64(i)/float64(max(k-1, 1)))
	}
	return s
}

// Dim returns d.
func (a *Annealable) Dim() int { return a.inner.Dim() - 1 }

// Levels returns σ_1 > … > σ_K.
func (a *Annealable) Levels() []float64 { return a.levels }

// Build builds the energy of the smallest level.
func (a *Annealable) Build(x *G.Node, theta G.Nodes) (*G.Node, error) {
	return a.At(a.levels[len(a.levels)-1]).Build(x, theta)
}

// BuildAt builds the energy at the given levels.
func (a *Annealable) BuildAt(x, sigma *G.Node, theta G.Nodes) (*G.Node, error) {
	hi, lo := a.levels[0], a.levels[len(a.levels)-1]
	return graphs.Try(func() *G.Node {
		inv := graphs.Reciprocal(graphs.Shift(graphs.Square(sigma), a.scale*a.scale)) // 1/v², (n, 1)
		z := graphs.Mul(x, graphs.ExpandCols(graphs.Sqrt(inv), a.Dim()))
		l := graphs.Scale(graphs.Shift(graphs.Scale(graphs.Log(sigma), 2), -math.Log(hi*lo)), 1/math.Log(hi/lo))
		e := graphs.Must(a.inner.Build(graphs.ConcatCols(z, l), theta))
		if a.base != nil {
			return graphs.Sub(e, a.base.buildBlurred(x, sigma))
		}
		return graphs.Add(e, graphs.Scale(graphs.RowSum(graphs.Square(z)), 0.5))
	})
}

// At returns the energy at one level, with the same parameters: the target of one stage of annealed sampling.
func (a *Annealable) At(sigma float64) Energy { return level{a, sigma} }

// level is a member of the family, itself not conditional.
type level struct {
	of    *Annealable
	sigma float64
}

func (l level) Dim() int                       { return l.of.Dim() }
func (l level) Specs() []Spec                  { return l.of.Specs() }
func (l level) Smooth() error                  { return l.of.Smooth() }
func (l level) Init(p *Params, rng *rand.Rand) { l.of.Init(p, rng) }

func (l level) Build(x *G.Node, theta G.Nodes) (*G.Node, error) {
	if err := checkBuild("Annealable", l, x, theta); err != nil {
		return nil, err
	}
	return graphs.Try(func() *G.Node {
		sigma := graphs.Scale(graphs.OnesLike(graphs.SliceCols(x, 0, 1)), l.sigma)
		return graphs.Must(l.of.BuildAt(x, sigma, theta))
	})
}
