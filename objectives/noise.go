package objectives

import (
	"fmt"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/energy"
)

// Noise is a normalised density with a sampler. *energy.Mixture is one. Those of this package may be used by several
// goroutines at a time, as mcmc.Jumping asks.
type Noise interface {
	// Sample fills the rows of dst with independent draws.
	Sample(dst *mat.Dense, rng *rand.Rand)

	// LogProb stores log q of the rows of x in dst.
	LogProb(dst []float64, x *mat.Dense)
}

var _ Noise = (*energy.Mixture)(nil)

// NoiseName is a density that is fitted to data, see [NewNoise]. The zero value means MixtureNoise.
type NoiseName string

// The noises that have a name.
const (
	GaussianNoise NoiseName = "gaussian"
	BoxNoise      NoiseName = "box"
	KernelNoise   NoiseName = "kde"
	MixtureNoise  NoiseName = "mixture"
)

// Options lists the noises.
func (NoiseName) Options() []string {
	return []string{string(GaussianNoise), string(BoxNoise), string(KernelNoise), string(MixtureNoise)}
}

// NewNoise returns a noise fitted to the rows of data:
//
//	gaussian  N(mean, 1.5² covariance): wider than the data, so that their tails are covered
//	box       uniform on the bounding box, widened by a quarter of its width on each side
//	kde       the data blurred, at most 1024 points, by sds of 0.05, 0.1 and 0.2 times their largest standard
//	          deviation in turn, in one and two dimensions as a table over the data and 1.2 of these deviations around them
//	mixture   0.7 kde + 0.2 box + 0.1 N(mean, 1.5² s² I), s the largest standard deviation: near the data, between
//	          them, and far out, where nothing else would keep a model from leaking
//
// In more than three dimensions data are so far apart that draws of these are alike neither to data nor to each
// other, and there is
//
//	kde       with sds of once and 1.5 times what is likeliest, energy.KernelWidth
//	mixture   0.5 kde + 0.3 N(mean, 1.1² covariance) + 0.2 N(mean, 1.25² s² I), without the second part where the
//	          covariance is singular
func NewNoise(name NoiseName, data *mat.Dense) (Noise, error) {
	if data == nil {
		return nil, fmt.Errorf("objectives: noise %q is fitted to data: set Config.Data", name)
	}
	n, d := data.Dims()
	if n == 0 || d == 0 {
		return nil, fmt.Errorf("objectives: noise %q is fitted to data: there are %d points of dimension %d", name, n,
			d)
	}
	const few = 3
	kde := func() (Noise, error) {
		const centres = 1024
		if d <= few {
			return blurred(data, []float64{0.05, 0.1, 0.2}, centres)
		}
		h := energy.KernelWidth(data.Slice(0, min(n, centres), 0, d).(*mat.Dense)) / energy.Spread(data)
		return blurred(data, []float64{h, 1.5 * h}, centres)
	}
	switch name {
	case GaussianNoise:
		return FitGaussian(data, 1.5)
	case BoxNoise:
		return BoxOf(data, 0.25), nil
	case KernelNoise:
		return kde()
	case "", MixtureNoise:
		near, err := kde()
		if err != nil {
			return nil, err
		}
		if d <= few {
			far, err := around(data, 1.5*energy.Spread(data))
			if err != nil {
				return nil, err
			}
			return NewBlend([]Noise{near, BoxOf(data, 0.25), far}, []float64{0.7, 0.2, 0.1})
		}
		far, err := around(data, 1.25*energy.Spread(data))
		if err != nil {
			return nil, err
		}
		if like, err := FitGaussian(data, 1.1); err == nil {
			return NewBlend([]Noise{near, like, far}, []float64{0.5, 0.3, 0.2})
		}
		return NewBlend([]Noise{near, far}, []float64{0.5, 0.2})
	}
	return nil, &UnknownError{Kind: "noise", Name: string(name), Known: name.Options()}
}
