package energy

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/graphs"
)

// NoiseConditional is a family of energies E_θ(x, σ), one for every noise level σ > 0: E(·, σ) represents the density
// of the data blurred by N(0, σ² I). As an Energy it is the member at the smallest level.
type NoiseConditional interface {
	Energy

	// BuildAt builds the energies (n, 1) of the rows of x at the levels sigma (n, 1).
	BuildAt(x, sigma *G.Node, theta G.Nodes) (*G.Node, error)

	// Levels returns σ_1 > … > σ_K.
	Levels() []float64
}

// Annealable turns an energy of d+1 variables into a conditional energy,
//
//	E(x, σ) = |x|² / (2v²) + inner(x/v, ℓ),   v² = s² + σ²,   ℓ = a log(σ² + c²) + b,   c = s/50,
//
// with s the scale of the data: v is the scale of the blurred data; ℓ runs from -1 to 1; a blur well below c is like
// none, so that the smallest levels share what they learn; and the first term alone is right for Gaussian data (see
// Karras et al., arXiv 2206.00364, for why inputs should have unit variance at every level).
//
// [Annealable.Beside] adds a known background.
type Annealable struct {
	wrapped
	levels []float64
	scale  float64
	beside *Mixture // nil: the energy as above
	share  float64
}

var (
	_ NoiseConditional = (*Annealable)(nil)
	_ Initializer      = (*Annealable)(nil)
	_ Smoothness       = (*Annealable)(nil)
)

// NewAnnealable conditions inner, an energy of d+1 variables, on the levels σ_1 > … > σ_K > 0, K ≥ 2; scale > 0 is that
// of the data, in units of x.
func NewAnnealable(inner Energy, levels []float64, scale float64) (*Annealable, error) {
	if inner == nil {
		return nil, errors.New("energy: Annealable without an energy")
	}
	var errs []error
	for i, s := range levels {
		errs = append(errs, check(positive(s) && !(i > 0 && s >= levels[i-1]),
			"energy: Annealable: level %d is %g, want decreasing levels > 0", i, s))
	}
	if n, c := len(levels), resolution*scale; n > 1 {
		first, last := levels[0], levels[n-1]
		errs = append(errs, check(math.Log((first*first+c*c)/(last*last+c*c)) > 1e-3,
			"energy: Annealable: levels from %g to %g are all as good as none beside data of scale %g; take a larger "+
				"first one", first, last, scale))
	}
	if err := errors.Join(
		check(inner.Dim() >= 2, "energy: Annealable: inner energy of %d variables, want d+1", inner.Dim()),
		check(len(levels) >= 2, "energy: Annealable: %d levels, want at least 2", len(levels)),
		errors.Join(errs...),
		check(positive(scale), "energy: Annealable: scale %g, want > 0", scale)); err != nil {
		return nil, err
	}
	return &Annealable{wrapped{inner}, append([]float64(nil), levels...), scale, nil, 0}, nil
}

// Beside returns the energy of a density that is learnt together with a broad known one: a [Bridge] at every level.
// With b_σ the background b blurred by σ,
//
//	q_σ = (1-ε) p_σ + ε b_σ,   p_σ = exp(-E(·, σ)),
//
// and E and E_q are those of the bridge with b_σ for b, and inner for f. Denoising is blind to the weights of modes
// that are far apart compared with σ, since a constant added to E around one of them does not change the score where
// the data are. E_q is fitted to data and draws from b, with the integral of q kept at 1 at the smallest level; E is
// the result.
func (a *Annealable) Beside(b *Mixture, share float64) (*Annealable, error) {
	if b.Dim() != a.Dim() {
		return nil, fmt.Errorf("energy: Annealable: background of dimension %d, energy of %d", b.Dim(), a.Dim())
	}
	if !(share > 0 && share < 1) {
		return nil, fmt.Errorf("energy: Annealable: background of share %g, want between 0 and 1", share)
	}
	beside := *a
	beside.beside, beside.share = b, share
	return &beside, nil
}

// Background returns the arguments of Beside, nil and 0 if it was not used.
func (a *Annealable) Background() (b *Mixture, share float64) { return a.beside, a.share }

// GeometricLevels returns k levels from hi down to lo in equal ratios.
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

// Build builds the energy at the smallest level.
func (a *Annealable) Build(x *G.Node, theta G.Nodes) (*G.Node, error) {
	return a.At(a.levels[len(a.levels)-1]).Build(x, theta)
}

// BuildAt builds the energy at the given levels.
func (a *Annealable) BuildAt(x, sigma *G.Node, theta G.Nodes) (*G.Node, error) {
	return graphs.Try(func() *G.Node {
		z, f := a.buildInner(x, sigma, theta)
		if a.beside == nil {
			return graphs.Add(f, graphs.Scale(graphs.RowSum(graphs.Square(z)), 0.5))
		}
		return graphs.Neg(graphs.Add(a.beside.buildBlurred(x, sigma),
			graphs.Shift(odds(f, a.share), -evens(a.share))))
	})
}

var errNoBackground = errors.New("energy: Annealable: there is no background; give one by Beside")

// BuildMixed builds E_q + log b_σ = -log q/b_σ at the given levels, and log b_σ.
func (a *Annealable) BuildMixed(x, sigma *G.Node, theta G.Nodes) (excess, logb *G.Node, err error) {
	if a.beside == nil {
		return nil, nil, errNoBackground
	}
	excess, err = graphs.Try(func() *G.Node {
		_, f := a.buildInner(x, sigma, theta)
		logb = a.beside.buildBlurred(x, sigma)
		return mixedExcess(odds(f, a.share), a.share)
	})
	return excess, logb, err
}

// Odds builds log r (n, 1), the odds of p_σ against b_σ, at the given levels.
func (a *Annealable) Odds(x, sigma *G.Node, theta G.Nodes) (*G.Node, error) {
	if a.beside == nil {
		return nil, errNoBackground
	}
	return graphs.Try(func() *G.Node {
		_, f := a.buildInner(x, sigma, theta)
		return odds(f, a.share)
	})
}

// resolution is c in units of s.
const resolution = 0.02

// buildInner builds the scaled points and the inner energy.
func (a *Annealable) buildInner(x, sigma *G.Node, theta G.Nodes) (z, f *G.Node) {
	inv := graphs.Reciprocal(graphs.Shift(graphs.Square(sigma), a.scale*a.scale)) // 1/v², (n, 1)
	z = graphs.Mul(x, graphs.ExpandCols(graphs.Sqrt(inv), a.Dim()))
	hi, lo := a.levels[0], a.levels[len(a.levels)-1]
	c := resolution * a.scale
	hi, lo = math.Log(hi*hi+c*c), math.Log(lo*lo+c*c)
	l := graphs.Scale(graphs.Shift(graphs.Log(graphs.Shift(graphs.Square(sigma), c*c)), -0.5*(hi+lo)), 2/(hi-lo))
	return z, graphs.Must(a.inner.Build(graphs.ConcatCols(z, l), theta))
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
