package energy

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"

	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/graphs"
)

// FourierConfig describes an embedding by sines and cosines.
type FourierConfig struct {
	Dim         int     // d > 0; required
	Frequencies int     // m > 0, directions; 0 means 32
	Condition   int     // k more directions, for the last variable alone, see Fourier; 0: it is treated like the others
	Scale       float64 // standard deviation of the angular frequencies, in radians per unit of x; 0 means 2
	WithoutX    bool    // leave x itself out of the embedding
}

// Fourier is an energy on an embedding of x,
//
//	E(x) = inner(x, cos Bx, sin Bx),
//
// with the rows of B drawn from N(0, Scale² I) and learnt along with the rest. Networks learn low frequencies first;
// the embedding lets small ones learn sharp densities (Tancik et al., Fourier features let networks learn high
// frequency functions, arXiv 2006.10739). Its parameter is features.weight [m+k, d]; the inner energy keeps its names.
//
// If the last variable is a condition, such as the noise level of an [Annealable], it is better to separate its
// resolution from that in x: with Condition = k > 0 the first m rows of B start without it, and the last k with nothing
// else.
//
// The more dimensions there are, the farther apart points are: a Scale that suits two dimensions should be divided by
// about d/2 in d dimensions.
//
// The energy is periodic except for the dependence of the inner energy on x: keep x in the embedding, or add
// [Confined], if Z must be finite.
type Fourier struct {
	cfg   FourierConfig
	inner Energy
}

var (
	_ Energy      = (*Fourier)(nil)
	_ Initializer = (*Fourier)(nil)
	_ Smoothness  = (*Fourier)(nil)
)

// NewFourier builds the inner energy by calling inner with the width of the embedding, d + 2(m+k), or 2(m+k) without x.
func NewFourier(cfg FourierConfig, inner func(dim int) (Energy, error)) (*Fourier, error) {
	cfg.Frequencies = cmp.Or(cfg.Frequencies, 32)
	cfg.Scale = cmp.Or(cfg.Scale, 2)
	if err := errors.Join(
		check(cfg.Dim > 0, "energy: Fourier.Dim = %d, want > 0", cfg.Dim),
		check(cfg.Frequencies >= 0 && cfg.Frequencies <= maxWidth, "energy: Fourier.Frequencies = %d, want 1 to %d",
			cfg.Frequencies, maxWidth),
		check(cfg.Condition == 0 || cfg.Condition > 0 && cfg.Dim >= 2,
			"energy: Fourier.Condition = %d with %d variables, want >= 0, and one variable besides", cfg.Condition, cfg.Dim),
		check(positive(cfg.Scale), "energy: Fourier.Scale = %g, want > 0", cfg.Scale),
		check(inner != nil, "energy: Fourier without a function that makes the inner energy")); err != nil {
		return nil, err
	}
	width := 2 * (cfg.Frequencies + cfg.Condition)
	if !cfg.WithoutX {
		width += cfg.Dim
	}
	e, err := inner(width)
	if err != nil {
		return nil, err
	}
	if e == nil {
		return nil, errors.New("energy: Fourier: the inner energy is nil")
	}
	for _, spec := range e.Specs() {
		if spec.Name == featuresWeight {
			return nil, errors.New(
				"energy: Fourier: the inner energy has a parameter features.weight already: it is a Fourier itself; put a " +
					"network there")
		}
	}
	if e.Dim() != width {
		return nil, fmt.Errorf("energy: Fourier: the inner energy takes %d variables, want %d", e.Dim(), width)
	}
	return &Fourier{cfg, e}, nil
}

// featuresWeight is the name of B.
const featuresWeight = "features.weight"

// Dim returns d.
func (f *Fourier) Dim() int { return f.cfg.Dim }

// Specs returns features.weight and the parameters of the inner energy.
func (f *Fourier) Specs() []Spec {
	return append([]Spec{{featuresWeight, []int{f.cfg.Frequencies + f.cfg.Condition, f.cfg.Dim}}}, f.inner.Specs()...)
}

// Smooth asks the inner energy.
func (f *Fourier) Smooth() error { return Smooth(f.inner) }

// Init draws the frequencies and initialises the inner energy.
func (f *Fourier) Init(p *Params, rng *rand.Rand) {
	b, d := p.views[0], f.cfg.Dim
	fillNormal(b, f.cfg.Scale, rng)
	if f.cfg.Condition > 0 {
		for i := range f.cfg.Frequencies {
			b[i*d+d-1] = 0
		}
		for i := range f.cfg.Condition {
			row := (f.cfg.Frequencies + i) * d
			clear(b[row : row+d-1])
		}
	}
	initialise(f.inner, p.Sub(1, len(p.specs)-1), rng)
}

// Build embeds and builds the inner energy.
func (f *Fourier) Build(x *G.Node, theta G.Nodes) (*G.Node, error) {
	if err := checkBuild("Fourier", f, x, theta); err != nil {
		return nil, err
	}
	return graphs.Try(func() *G.Node {
		z := graphs.MatMul(x, theta[0], false, true)            // (n, m)
		feat := graphs.ConcatCols(graphs.Cos(z), graphs.Sin(z)) // (n, 2m)
		if !f.cfg.WithoutX {
			feat = graphs.ConcatCols(x, feat)
		}
		return graphs.Must(f.inner.Build(feat, theta[1:]))
	})
}
