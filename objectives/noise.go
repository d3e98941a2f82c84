package objectives

import (
	"fmt"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/energy"
)

// Noise is a density from which points are drawn. Several goroutines may use it at once, as mcmc.Jumping requires.
type Noise = density.Density

// NoiseName names a density that is fitted to data, see [NewNoise]. The zero value means MixtureNoise.
type NoiseName string

// The named noises.
const (
	GaussianNoise NoiseName = "gaussian"
	BoxNoise      NoiseName = "box"
	KernelNoise   NoiseName = "kde"
	MixtureNoise  NoiseName = "mixture"
	BaseNoise     NoiseName = "base" // of the energy, an energy.Tilted
)

// Options lists the noises.
func (NoiseName) Options() []string {
	return []string{string(GaussianNoise), string(BoxNoise), string(KernelNoise), string(MixtureNoise), string(BaseNoise)}
}

// few is the number of dimensions up to which data that were blurred reach everywhere that data do.
const few = 3

// NewNoise returns a noise fitted to the rows of data:
//
//	gaussian  N(mean, 1.5² covariance): wider than the data, so that their tails are covered
//	box       uniform on the bounding box, widened by a quarter of its width on each side
//	kde       the data blurred, at most 1024 points, by sds of 0.05, 0.1 and 0.2 times their largest standard
//	          deviation in turn, in one and two dimensions as a table over the data and 1.2 of these deviations around
//	          them
//	mixture   0.7 kde + 0.2 box + 0.1 N(mean, 1.5² s² I), s the largest standard deviation: near the data, between
//	          them, and far out, where nothing else would keep a model from leaking
//
// In more than three dimensions data are so sparse that draws from these resemble neither the data nor each other, and
// instead
//
//	kde       with sds of 1 and 1.5 times the most likely one, density.KernelWidth
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
	kde := func() (Noise, error) {
		const centres = 1024
		if d <= few {
			return blurred(data, []float64{0.05, 0.1, 0.2}, centres)
		}
		h := density.KernelWidth(data.Slice(0, min(n, centres), 0, d).(*mat.Dense)) / density.Spread(data)
		return blurred(data, []float64{h, 1.5 * h}, centres)
	}
	switch name {
	case GaussianNoise:
		return noise(density.FitGaussian(data, 1.5))
	case BoxNoise:
		return noise(density.BoxOf(data, 0.25))
	case KernelNoise:
		return kde()
	case "", MixtureNoise:
		near, err := kde()
		if err != nil {
			return nil, err
		}
		return mixed(near, data, d <= few)
	case BaseNoise:
		return nil, errNoBase
	}
	return nil, &UnknownError{Kind: "noise", Name: string(name), Known: name.Options()}
}

// noise returns q, or nil with an error.
func noise[Q Noise](q Q, err error) (Noise, error) {
	if err != nil {
		return nil, fmt.Errorf("objectives: noise: %w", err)
	}
	return q, nil
}

// mixed adds noise between the data and far out to noise near them.
func mixed(near Noise, data *mat.Dense, few bool) (Noise, error) {
	wide := 1.25
	if few {
		wide = 1.5
	}
	mean, _ := density.Moments(data)
	far, err := noise(density.NewIsotropic(mean, wide*density.Spread(data)))
	if err != nil {
		return nil, err
	}
	if few {
		box, err := noise(density.BoxOf(data, 0.25))
		if err != nil {
			return nil, err
		}
		return noise(density.NewBlend([]Noise{near, box, far}, []float64{0.7, 0.2, 0.1}))
	}
	if like, err := density.FitGaussian(data, 1.1); err == nil {
		return noise(density.NewBlend([]Noise{near, like, far}, []float64{0.5, 0.3, 0.2}))
	}
	return noise(density.NewBlend([]Noise{near, far}, []float64{0.5, 0.2}))
}

// blurred returns the density of the first rows of data, at most centres of them, blurred in turn by the given
// increasing fractions of the spread: close to the data at every scale from a sharp mode to the gaps. If a table
// resolves the smallest, it is a table; otherwise its log-density is computed by a compiled float32 graph, since an NCE
// step evaluates some thousand points times some thousand centres.
func blurred(data *mat.Dense, fractions []float64, centres int) (Noise, error) {
	n, d := data.Dims()
	spread := density.Spread(data)
	sds := make([]float64, len(fractions))
	floats.ScaleTo(sds, spread, fractions)
	m, err := density.NewKernel(data.Slice(0, min(n, centres), 0, d).(*mat.Dense), sds...)
	if err != nil {
		return nil, fmt.Errorf("objectives: noise: %w", err)
	}
	k, err := energy.CompileDensity(m, energy.EvaluatorConfig{})
	if err != nil {
		return nil, err
	}
	lo, hi := density.Bounds(data)
	margin := 6 * spread * fractions[len(fractions)-1]
	floats.AddConst(-margin, lo)
	floats.AddConst(margin, hi)
	if t, err := density.Tabulate(k, lo, hi, spread*fractions[0]/2); err == nil {
		return t, nil
	}
	return k, nil
}
