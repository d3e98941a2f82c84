package energy

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/graphs"
)

// Mixture is a fixed, normalised mixture of isotropic Gaussians: a kernel density of the data, a background for [Bridge],
// the noise of noise contrastive estimation.
//
//	b(x) = Σ_k w_k N(x; c_k, s_k² I)
type Mixture struct {
	centres *mat.Dense
	sds     []float64
	weights []float64 // as they were given, so that what is stored is read back to the bit
	logw    []float64 // log w_k - d log s_k - d/2 log 2π
	cdf     []float64
}

// NewMixture returns the mixture of Gaussians at the rows of centres, with standard deviations sds > 0 and weights > 0, which
// are scaled to sum 1; nil weights are equal.
func NewMixture(centres *mat.Dense, sds, weights []float64) (*Mixture, error) {
	if centres == nil || centres.IsEmpty() {
		return nil, errors.New("energy: mixture without centres")
	}
	centres = mat.DenseCopyOf(centres)
	k, d := centres.Dims()
	if weights == nil {
		weights = make([]float64, k)
		for i := range weights {
			weights[i] = 1
		}
	}
	if len(sds) != k || len(weights) != k {
		return nil, fmt.Errorf("energy: mixture of %d centres with %d standard deviations and %d weights", k, len(sds), len(weights))
	}
	for _, v := range centres.RawMatrix().Data {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("energy: mixture with a centre at %g, want finite coordinates", v)
		}
	}
	var sum float64
	for i, s := range sds {
		if !positive(s) || !positive(weights[i]) {
			return nil, fmt.Errorf("energy: mixture: component %d has standard deviation %g and weight %g, want > 0", i, s, weights[i])
		}
		sum += weights[i]
	}
	if math.IsInf(sum, 1) {
		return nil, fmt.Errorf("energy: mixture: infinite weight")
	}
	m := &Mixture{centres: centres, sds: slices.Clone(sds), weights: slices.Clone(weights), logw: make([]float64, k)}
	w := make([]float64, k)
	for i, s := range sds {
		w[i] = weights[i] / sum
		m.logw[i] = math.Log(w[i]) - float64(d)*(math.Log(s)+0.5*math.Log(2*math.Pi))
	}
	m.cdf = cumulative(w)
	return m, nil
}

// mixtureJSON is the form in which a mixture is stored beside the weights of a model.
type mixtureJSON struct {
	Centres [][]float64 `json:"centres"`
	SDs     []float64   `json:"sds"`
	Weights []float64   `json:"weights"`
}

// MarshalJSON writes centres, standard deviations and weights.
func (m *Mixture) MarshalJSON() ([]byte, error) {
	j := mixtureJSON{SDs: m.sds, Weights: m.weights}
	for k := range m.sds {
		j.Centres = append(j.Centres, m.centres.RawRowView(k))
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads what MarshalJSON wrote, and refuses what NewMixture refuses.
func (m *Mixture) UnmarshalJSON(b []byte) error {
	var j mixtureJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return fmt.Errorf("energy: mixture: %w", err)
	}
	if len(j.Centres) == 0 || len(j.Centres[0]) == 0 {
		return errors.New("energy: mixture without centres")
	}
	d := len(j.Centres[0])
	var rows []float64
	for k, c := range j.Centres {
		if len(c) != d {
			return fmt.Errorf("energy: mixture: centre %d has %d coordinates, the first %d", k, len(c), d)
		}
		rows = append(rows, c...)
	}
	read, err := NewMixture(mat.NewDense(len(j.Centres), d, rows), j.SDs, j.Weights)
	if err != nil {
		return err
	}
	*m = *read
	return nil
}

// Dim returns d.
func (m *Mixture) Dim() int { _, d := m.centres.Dims(); return d }

// Blurred returns the law of X + σξ for X from m and ξ ~ N(0, I).
func (m *Mixture) Blurred(sigma float64) *Mixture {
	k, d := m.centres.Dims()
	out := &Mixture{centres: m.centres, weights: m.weights, cdf: m.cdf, sds: make([]float64, k), logw: make([]float64, k)}
	for i, s := range m.sds {
		out.sds[i] = math.Hypot(s, sigma)
		out.logw[i] = m.logw[i] + float64(d)*math.Log(s/out.sds[i])
	}
	return out
}

// Sample fills the rows of dst with independent draws.
func (m *Mixture) Sample(dst *mat.Dense, rng *rand.Rand) {
	n, _ := dst.Dims()
	for i := range n {
		m.SampleRow(dst.RawRowView(i), rng)
	}
}

// SampleRow draws one point.
func (m *Mixture) SampleRow(dst []float64, rng *rand.Rand) {
	k := pick(m.cdf, rng)
	for j, c := range m.centres.RawRowView(k) {
		dst[j] = c + m.sds[k]*rng.NormFloat64()
	}
}

// nothing is how far below the greatest term, in nats, another one adds nothing to a sum of a million in float64.
const nothing = 52

// LogProb stores log b of the rows of x in dst.
func (m *Mixture) LogProb(dst []float64, x *mat.Dense) {
	for i := range dst {
		row := x.RawRowView(i)
		most, sum := math.Inf(-1), 0.0
		for k, lw := range m.logw {
			switch v := lw - squaredDistance(row, m.centres.RawRowView(k))/(2*m.sds[k]*m.sds[k]); {
			case v < most-nothing:
			case v <= most:
				sum += math.Exp(v - most)
			default: // NaN, too
				sum = sum*math.Exp(most-v) + 1
				most = v
			}
		}
		dst[i] = most + math.Log(sum)
	}
}

// EnergyAt returns -log b(x) and stores its gradient, Σ_k p_k (x - c_k)/s_k² with p_k the share of component k at x, in grad
// unless that is nil. It satisfies mcmc.Reference.
func (m *Mixture) EnergyAt(grad, x []float64) float64 {
	most, sum := math.Inf(-1), 0.0
	clear(grad)
	for k, lw := range m.logw {
		c, inv := m.centres.RawRowView(k), 1/(m.sds[k]*m.sds[k])
		v := lw - squaredDistance(x, c)*inv/2
		if v < most-nothing {
			continue
		}
		if v > most { // what is summed so far counts less
			f := math.Exp(most - v)
			sum *= f
			for j := range grad {
				grad[j] *= f
			}
			most = v
		}
		p := math.Exp(v - most)
		sum += p
		for j := range grad {
			grad[j] += p * inv * (x[j] - c[j])
		}
	}
	for j := range grad {
		grad[j] /= sum
	}
	return -most - math.Log(sum)
}

// Build adds log b of the rows of x to x's graph, (n, 1). The squared distances of all components are one product,
//
//	log w_k - |x - c_k|²/(2s_k²) = (x - x̄)·(c_k - x̄)/s_k² - |x - x̄|²/(2s_k²) + const,
//
// with x̄ the mean of the centres, which keeps the cancellation small near them: it costs about (|x - x̄|/s_k)² roundings, in float32 0.01
// nats 400 widths away.
func (m *Mixture) Build(x *G.Node) (*G.Node, error) {
	k, d := m.centres.Dims()
	mean, _ := Moments(m.centres)
	w := make([]float64, 0, k*(d+1))
	b := make([]float64, k)
	for i, s := range m.sds {
		inv := 1 / (s * s)
		b[i] = m.logw[i]
		for j, c := range m.centres.RawRowView(i) {
			c -= mean[j]
			w = append(w, c*inv)
			b[i] -= 0.5 * c * c * inv
		}
		w = append(w, -0.5*inv)
	}
	return graphs.Try(func() *G.Node {
		r := graphs.Sub(x, graphs.ExpandRows(constant(x, mean, d), x.Shape()[0])) // (n, d)
		in := graphs.ConcatCols(r, graphs.RowSum(graphs.Square(r)))               // (n, d+1)
		logs := graphs.Affine(in, constant(x, w, k, d+1), constant(x, b, k))      // (n, K)
		return graphs.RowLogSumExp(logs)                                          // (n, 1)
	})
}

// buildBlurred builds log b_σ of the rows of x at the levels sigma (n, 1), log Σ_k w_k N(x; c_k, v_k² I) with v_k² = s_k² + σ². Here too
// one product is enough,
//
//	log w_k - d/2 log v_k² - |x - c_k|²/(2v_k²) = r·c'_k/v_k² - ½|c'_k|²/v_k² - (½|r|²/v_k² + d/2 log v_k²) + log w_k,
//
// r = x - x̄, c'_k = c_k - x̄: components of the same deviation take the same d+2 columns, r/v², 1/v² and the bracket.
func (m *Mixture) buildBlurred(x, sigma *G.Node) *G.Node {
	k, d := m.centres.Dims()
	mean, _ := Moments(m.centres)
	widths := slices.Compact(slices.Sorted(slices.Values(m.sds)))
	w, b := mat.NewDense(k, len(widths)*(d+2), nil), make([]float64, k)
	for i, s := range m.sds {
		g, _ := slices.BinarySearch(widths, s)
		row := w.RawRowView(i)[g*(d+2) : (g+1)*(d+2)]
		for j, c := range m.centres.RawRowView(i) {
			row[j] = c - mean[j]
			row[d] -= 0.5 * row[j] * row[j]
		}
		row[d+1] = -1
		b[i] = m.logw[i] + float64(d)*math.Log(s)
	}
	r := graphs.Sub(x, graphs.ExpandRows(constant(x, mean, d), x.Shape()[0]))
	half := graphs.Scale(graphs.RowSum(graphs.Square(r)), 0.5)
	var in G.Nodes
	for _, s := range widths {
		v := graphs.Shift(graphs.Square(sigma), s*s)
		inv := graphs.Reciprocal(v) // (n, 1)
		in = append(in, graphs.Mul(r, graphs.ExpandCols(inv, d)), inv,
			graphs.Add(graphs.Mul(half, inv), graphs.Scale(graphs.Log(v), 0.5*float64(d))))
	}
	all := w.RawMatrix()
	return graphs.RowLogSumExp(graphs.Affine(graphs.ConcatCols(in...), constant(x, all.Data, all.Rows, all.Cols), constant(x, b, k)))
}

// Energy returns -log b, an energy without parameters.
func (m *Mixture) Energy() Energy {
	return Func{D: m.Dim(), F: func(x *G.Node, _ G.Nodes) (*G.Node, error) {
		return graphs.Try(func() *G.Node { return graphs.Neg(graphs.Must(m.Build(x))) })
	}}
}
