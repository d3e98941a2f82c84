package model

import (
	"context"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// LogZ estimates log ∫ exp(−E), for dimensions where there is no quadrature: by importance sampling where the
// model is so much like a density around the data that a tenth of its draws have weight, and by annealed importance sampling where
// it is not. Of models of 150 to 5000 points in four to eight dimensions the first had standard errors of 0.004 to 0.015; the second
// of 0.012 to 0.06, and was off by 0.12 where it named 0.04.
func (m *Model) LogZ(ctx context.Context, seed uint64) (mcmc.Evidence, error) {
	if near, err := m.ImportanceSampling(seed); err == nil && near.Reliable() {
		return near, nil
	}
	return m.AnnealedImportanceSampling(ctx, seed)
}

// ImportanceSampling estimates log Z by draws of the smoothed bootstrap of the data at its broadest, and of a Gaussian broader still.
func (m *Model) ImportanceSampling(seed uint64) (mcmc.Evidence, error) {
	const most, work, draws = 2000, 1 << 20, 10000 // work is that of one draw, which goes with the square of the dimension
	d := m.Data.Dim
	centres := min(most, max(most/10, work/(d*d)))
	rng := train.Stream(seed, "log Z")
	points, err := m.Data.bare(centres, rng)
	if err != nil {
		return mcmc.Evidence{}, err
	}
	broad, err := objectives.FitGaussian(points.Matrix(), 1.5)
	if err != nil {
		return mcmc.Evidence{}, err
	}
	q, err := objectives.NewBlend([]objectives.Noise{datasets.NewSmoothed(points, 1), broad}, []float64{0.8, 0.2})
	if err != nil {
		return mcmc.Evidence{}, err
	}
	x := mat.NewDense(draws, d, nil)
	q.Sample(x, rng)
	logw, err := m.logWeights(x, q)
	if err != nil {
		return mcmc.Evidence{}, err
	}
	return mcmc.Weigh(logw)
}

// AnnealedImportanceSampling estimates log Z by chains that are led from a reference to the model.
func (m *Model) AnnealedImportanceSampling(ctx context.Context, seed uint64) (mcmc.Evidence, error) {
	target, err := m.Evaluator(m.Params, 256)
	if err != nil {
		return mcmc.Evidence{}, err
	}
	rng := train.Stream(seed, "log Z")
	path, err := m.ais(200).Tune(ctx, target, 0.99, rng)
	if err != nil {
		return mcmc.Evidence{}, err
	}
	path.Chains = 1000
	if m.Data.Dim > few {
		path.Chains = 2000
	}
	found, _, err := path.Forward(ctx, target, rng)
	return found, err
}

// ais is annealed importance sampling. In up to three dimensions it starts from the broad density around the data: that knows their modes,
// so that chains need not find them. In more it starts from a Gaussian somewhat wider than the data, which is about as good there and costs
// much less: log Z of four models of mixture10 and ring20 differed by 0.02 to 0.07, its standard errors, at 4 to 20 times the CPU seconds.
func (m *Model) ais(chains int) mcmc.AIS {
	var from mcmc.Reference = m.Data.Background
	if m.Data.Dim > few {
		wide := &mcmc.Gaussian{Mean: m.Data.Mean, Std: make([]float64, m.Data.Dim)}
		for j, v := range m.Data.Std {
			wide.Std[j] = 1.3 * v
		}
		from = wide
	}
	return mcmc.AIS{Reference: from, Kernel: mcmc.HMC{StepSize: 0.2 * slices.Min(m.Data.Std), Leapfrog: 5, StepJitter: 0.2}, Moves: 2, Chains: chains}
}

// logWeights are log exp(−E)/q of draws of q, in the units of the network.
func (m *Model) logWeights(x *mat.Dense, q mcmc.Proposal) ([]float64, error) {
	n, _ := x.Dims()
	logw, logq := make([]float64, n), make([]float64, n)
	ev, err := m.Evaluator(m.Params, 1024)
	if err != nil {
		return nil, err
	}
	if err := ev.Energies(logw, x); err != nil {
		return nil, err
	}
	q.LogProb(logq, x)
	for i := range logw {
		logw[i] = -logw[i] - logq[i]
	}
	return logw, nil
}
