package verify

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/graphs/vector"
	"github.com/stheno-ebm/stheno/objectives"
)

// links returns two identities of Song and Kingma, How to train your energy-based models (arXiv 2101.03288), that
// connect the families of objectives.
//
// Contrastive divergence with one Langevin step of size h is score matching (section 4.1, after Hyvärinen 2007): with
// x⁻ = x - hg + √(2h)ξ held fixed,
//
//	E_ξ ∂θ(E(x) - E(x⁻)) = h ∂θ(½|g|² - tr H) + O(h²).
//
// Noise contrastive estimation against the model's own density shifted by a small v is sliced score matching (section
// 5.2, after Gutmann and Hirayama 2011): u(x) = E(x - v) - E(x), noise points x + v, and
//
//	softplus(E(x) - E(x-v)) + softplus(E(x) - E(x+v)) = 2 log 2 + ½ (½(vᵀg)² - vᵀHv) + O(|v|⁴),
//
// which is the conditional objective with the perturbations v and -v.
func links() []Check {
	return []Check{
		{"cd", "sm", "z, one step over h", func() (float64, float64, error) { return contrastiveToScore(7001) }},
		{"cnce", "ssm", "error, near noise", func() (float64, float64, error) { return noiseToScore(7002) }},
	}
}

// linkSetup returns a small network and a batch.
func linkSetup(seed uint64) (energy.Energy, *energy.Params, *mat.Dense, error) {
	rng := newRNG(seed, 1)
	e, err := energy.NewMLP(energy.MLPConfig{Dim: 2, Hidden: []int{8, 8}, Activation: energy.Tanh})
	if err != nil {
		return nil, nil, nil, err
	}
	x := mat.NewDense(32, 2, nil)
	vector.Normal(x.RawMatrix().Data, rng)
	return e, energy.Init(e, rng), x, nil
}

// contrastiveToScore averages the gradient of cd over pairs of one Langevin step with noise ξ and -ξ, and compares each
// element, divided by h, with score matching. The step has a bias of order h, far below the standard error.
func contrastiveToScore(seed uint64) (value, tol float64, err error) {
	const h, reps = 1e-4, 400
	e, p, x, err := linkSetup(seed)
	if err != nil {
		return 0, 0, err
	}
	n, d := x.Dims()
	cfg := objectives.Config{Batch: n, Precision: energy.Float64}
	sm, err := objectives.New(objectives.ScoreMatching{}, e, p, cfg)
	if err != nil {
		return 0, 0, err
	}
	cd, err := objectives.New(objectives.ContrastiveDivergence{Chains: objectives.Chains{Jumps: -1}}, e, p, cfg)
	if err != nil {
		return 0, 0, err
	}
	eval, err := energy.NewEvaluator(e, p, energy.EvaluatorConfig{Precision: energy.Float64})
	if err != nil {
		return 0, 0, err
	}
	rng := newRNG(seed, 2)
	want := make([]float64, p.Len())
	if _, err := sm.Gradient(want, x, rng); err != nil {
		return 0, 0, err
	}
	g := mat.NewDense(n, d, nil)
	if err := eval.EnergyGrad(make([]float64, n), g, x); err != nil {
		return 0, 0, err
	}
	xi, neg := make([]float64, n*d), make([]float64, n*d)
	grad, pair := make([]float64, p.Len()), make([]float64, p.Len())
	m := newMoments(p.Len())
	for range reps {
		vector.Normal(xi, rng)
		clear(pair)
		for _, sign := range []float64{1, -1} {
			for i := range neg {
				neg[i] = x.RawMatrix().Data[i] - h*g.RawMatrix().Data[i] + sign*math.Sqrt(2*h)*xi[i]
			}
			if _, err := cd.Evaluate(grad, x, objectives.Inputs{"neg": neg}); err != nil {
				return 0, 0, err
			}
			vector.Axpy(pair, 0.5/h, grad)
		}
		m.add(pair)
	}
	return m.worst(want), threshold(p.Len(), reps), nil
}

// noiseToScore compares the mean of cnce's gradients for v and -v with ½|v|² times that of ssm, relative to its largest
// element.
func noiseToScore(seed uint64) (value, tol float64, err error) {
	const size = 1e-3
	e, p, x, err := linkSetup(seed)
	if err != nil {
		return 0, 0, err
	}
	n, d := x.Dims()
	cfg := objectives.Config{Batch: n, Precision: energy.Float64}
	ssm, err := objectives.New(objectives.Sliced{}, e, p, cfg)
	if err != nil {
		return 0, 0, err
	}
	cnce, err := objectives.New(objectives.ConditionalNCE{Sigma: size}, e, p, cfg)
	if err != nil {
		return 0, 0, err
	}
	rng := newRNG(seed, 2)
	v := make([]float64, n*d)
	vector.Normal(v, rng)
	want, grad, got := make([]float64, p.Len()), make([]float64, p.Len()), make([]float64, p.Len())
	if _, err := ssm.Evaluate(want, x, objectives.Inputs{"v": v}); err != nil {
		return 0, 0, err
	}
	for range 2 {
		if _, err := cnce.Evaluate(grad, x, objectives.Inputs{"eps": v}); err != nil {
			return 0, 0, err
		}
		vector.Axpy(got, 1/(size*size), grad)
		vector.Scale(v, -1, v)
	}
	most := 0.0
	for i := range got {
		value = max(value, math.Abs(got[i]-want[i]))
		most = max(most, math.Abs(want[i]))
	}
	return value / most, 1e-4, nil
}
