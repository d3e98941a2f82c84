package fit

import (
	"context"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// tiltedLogZ is log Z = log E_b[exp(-λ f)] by draws of the base, more of them until the standard error is small or
// there are very many. Where nothing is kept of the correction it is 0.
func (m *Model) tiltedLogZ(ctx context.Context, t *energy.Tilted) (mcmc.Evidence, error) {
	const block, most, enough = 1 << 14, 1 << 18, 0.003
	eval, err := energy.NewEvaluator(t.Alone(), m.Params,
		energy.EvaluatorConfig{Batch: 1024, Precision: m.precision(), Threads: m.Config.cores()})
	if err != nil {
		return mcmc.Evidence{}, err
	}
	rng := train.Stream(m.Config.Seed, "log Z")
	x, f := mat.NewDense(block, m.data.Dim, nil), make([]float64, block)
	var logw []float64
	for {
		if err := ctx.Err(); err != nil {
			return mcmc.Evidence{}, err
		}
		t.Base().Sample(x, rng)
		if err := eval.Energies(f, x); err != nil {
			return mcmc.Evidence{}, err
		}
		for _, v := range f {
			logw = append(logw, -v)
		}
		z, err := mcmc.Weigh(logw)
		if err != nil || len(logw) >= most || z.Reliable() && z.StdErr <= enough || floats.Max(logw) == floats.Min(logw) {
			return z, err
		}
	}
}
