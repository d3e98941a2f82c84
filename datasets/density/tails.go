package density

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// tailWidths are the factors on deviations that Contaminate tries.
var tailWidths = []float64{1.5, 2, 3, 4, 6, 10}

// Contaminate gives a mixture heavy tails where the rows of x have them: of every component it puts a share ε a factor
// s further out,
//
//	(1-ε) p(x) + ε Σ_k w_k N(x; μ_k, s² Σ_k),
//
// with the ε and s, of a few s, that make x likeliest. It is the mixture itself unless BIC favours two parameters more.
//
// Tukey, A survey of sampling from contaminated distributions, in Contributions to Probability and Statistics (1960)
// 448–485; of mixtures, Punzo and McNicholas, Parsimonious mixtures of multivariate contaminated normal distributions,
// Biom. J. 58 (2016) 1506–1537, who give every component its own ε and s.
func Contaminate(m *Mixture, x *mat.Dense) (*Mixture, error) {
	if err := checkPoints(x); err != nil {
		return nil, err
	}
	share, width, err := tails(m, x, func(s float64) (LogProber, error) { return NewMixture(m.widened(s)) })
	if err != nil || share == 0 {
		return m, err
	}
	return NewMixture(m.contaminated(share, width))
}

// tails are ε and s, ε = 0 where BIC does not favour them.
func tails(m LogProber, x *mat.Dense, widened func(s float64) (LogProber, error)) (share, width float64, err error) {
	n, _ := x.Dims()
	ratio, own := make([]float64, n), make([]float64, n)
	m.LogProb(own, x)
	gain := math.Log(float64(n))
	for _, s := range tailWidths {
		wide, err := widened(s)
		if err != nil {
			return 0, 0, err
		}
		wide.LogProb(ratio, x)
		for i, v := range ratio {
			ratio[i] = math.Exp(min(v-own[i], 700))
		}
		if g, eps := contamination(ratio); g > gain {
			gain, share, width = g, eps, s
		}
	}
	return share, width, nil
}

// contamination is the ε that maximises Σ log(1 - ε + ε r), by expectation and maximisation, and that sum.
func contamination(ratio []float64) (gain, eps float64) {
	const passes = 100
	eps = 0.05
	for range passes {
		gain = 0
		var sum float64
		for _, r := range ratio {
			p := 1 - eps + eps*r
			gain += math.Log(p)
			sum += eps * r / p
		}
		eps = sum / float64(len(ratio))
	}
	return gain, min(eps, 0.5)
}

// widened are the parameters with deviations s times as large.
func (m *Mixture) widened(s float64) Parameters {
	p := m.p.clone()
	for i := range p.Factors {
		p.Factors[i] *= s
	}
	return p
}

// contaminated are the parameters of (1-ε) times the mixture and ε times the one of s times its deviations. A tied
// covariance becomes one for every component.
func (m *Mixture) contaminated(eps, s float64) Parameters {
	k, w := len(m.logw), m.Weights()
	own := m.widened(1)
	if own.Covariance == Tied {
		own.Covariance, own.Factors = Full, slices.Repeat(own.Factors, k)
	}
	p := own
	p.Weights, p.Means, p.Factors = nil, slices.Repeat(own.Means, 2), slices.Clone(own.Factors)
	for _, v := range own.Factors {
		p.Factors = append(p.Factors, s*v)
	}
	for _, share := range []float64{1 - eps, eps} {
		for _, v := range w {
			p.Weights = append(p.Weights, share*v)
		}
	}
	return p
}
