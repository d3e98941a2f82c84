package density

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/internal/batch"
)

// Warped is a mixture m of Gaussians of straightened columns, beside a mixture b of the columns themselves,
//
//	p(x) = (1-ε) m(T(x)) + ε b(x),
//
// T a [Warp], so that the integral is 1. b has the points far out, where nobody knows how columns bend: with ε = 0 a
// narrow curve of 3000 points, of which 0.1 % lie beyond, was 0.16 nats off, of which 0.15 come from them, and is 0.008
// with b.
type Warped struct {
	warp             *Warp
	straight, beside *Mixture
	share            float64
	plain            *Mixture // m without tails, as fitted; else nil
}

var _ Density = (*Warped)(nil)

// NewWarped returns the density of m, b and 0 < ε < 1.
func NewWarped(warp *Warp, straight, beside *Mixture, share float64) (*Warped, error) {
	if d := warp.Dim(); straight.Dim() != d || beside.Dim() != d {
		return nil, fmt.Errorf("density: a warp of %d columns, and mixtures of %d and %d", d, straight.Dim(), beside.Dim())
	}
	if !(share > 0 && share < 1) {
		return nil, fmt.Errorf("density: the share of the mixture beside a warp is %g, want > 0 and < 1", share)
	}
	return &Warped{warp: warp, straight: straight, beside: beside, share: share}, nil
}

// Warp returns T.
func (w *Warped) Warp() *Warp { return w.warp }

// Straight returns m.
func (w *Warped) Straight() *Mixture { return w.straight }

// Beside returns b and ε.
func (w *Warped) Beside() (*Mixture, float64) { return w.beside, w.share }

// Dim returns the number of columns.
func (w *Warped) Dim() int { return w.warp.Dim() }

// LogProb stores log p.
func (w *Warped) LogProb(dst []float64, x *mat.Dense) {
	batch.LogProb(dst, x, w.Dim())
	bent, z := make([]float64, len(dst)), mat.DenseCopyOf(x)
	w.warp.Straighten(z, z)
	w.straight.LogProb(bent, z)
	w.beside.LogProb(dst, x)
	within, beside := math.Log1p(-w.share), math.Log(w.share)
	for i, v := range bent {
		a, b := v+within, dst[i]+beside
		dst[i] = max(a, b) + math.Log1p(math.Exp(-math.Abs(a-b)))
	}
}

// Sample draws points.
func (w *Warped) Sample(dst *mat.Dense, rng *rand.Rand) {
	n, d := dst.Dims()
	w.straight.Sample(dst, rng)
	w.warp.Bend(dst, dst)
	for i := range n {
		if rng.Float64() < w.share {
			w.beside.Sample(dst.Slice(i, i+1, 0, d).(*mat.Dense), rng)
		}
	}
}

// warpComponents are the numbers of components that are tried, if there may be so many.
var warpComponents = []int{1, 2, 3, 4, 6, 8, 12, 16, 24}

// FitWarped fits a warped mixture to the rows of x beside b, which was fitted to them. It is nil where nothing is bent
// or BIC prefers b to m of the straightened columns.
func FitWarped(x *mat.Dense, b *Mixture, cfg MixtureConfig, rng *rand.Rand) (*Warped, error) {
	warp, err := FitWarp(x)
	if err != nil || warp == nil {
		return nil, err
	}
	n, _ := x.Dims()
	if len(cfg.Components) == 0 {
		most := cfg.withDefaults(n).Most
		for _, k := range warpComponents {
			if k <= min(most, max(1, n/pointsEach)) {
				cfg.Components = append(cfg.Components, k)
			}
		}
	}
	z := mat.DenseCopyOf(x)
	warp.Straighten(z, z)
	w := &Warped{warp: warp}
	if w.plain, err = FitMixture(z, cfg, rng); err != nil {
		return nil, err
	}
	if err := w.settle(x, z, b); err != nil {
		return nil, err
	}
	if bic(w.straight, z, w.plain.free()+len(warp.Terms)) <= bic(b, x, b.free()) {
		return nil, nil
	}
	return w, nil
}

// Refit fits m, as many components of the same kind, and ε to the rows of x and b, which was fitted to them.
func (w *Warped) Refit(x *mat.Dense, b *Mixture, cfg MixtureConfig) (*Warped, error) {
	z := mat.DenseCopyOf(x)
	w.warp.Straighten(z, z)
	again := &Warped{warp: w.warp}
	var err error
	if again.plain, err = Refit(w.plain, z, cfg); err != nil {
		return nil, err
	}
	return again, again.settle(x, z, b)
}

// settle gives m tails and finds ε; z is T(x).
func (w *Warped) settle(x, z *mat.Dense, b *Mixture) (err error) {
	if w.straight, err = Contaminate(w.plain, z); err != nil {
		return err
	}
	n, _ := x.Dims()
	own, ratio := make([]float64, n), make([]float64, n)
	w.straight.LogProb(own, z)
	b.LogProb(ratio, x)
	floats.Sub(ratio, own)
	for i, v := range ratio {
		ratio[i] = math.Exp(min(v, 700))
	}
	_, share := contamination(ratio)
	w.beside, w.share = b, max(share, 1/float64(n+1))
	return nil
}
