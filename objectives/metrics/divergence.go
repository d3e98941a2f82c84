package metrics

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Divergence holds the distances between two densities on a grid, in nats.
type Divergence struct {
	KL        float64 // ∫ p (log p − log q)
	ReverseKL float64 // ∫ q (log q − log p); +Inf if q has mass outside the support of p
	TV        float64 // ½ ∫ |p − q|
}

// Divergences compares two log-densities, normalised over the whole space, given at the midpoints of a grid. KL and
// ReverseKL are integrals over the box of the grid. The mass of either density outside the box counts towards TV as if
// the two did not overlap there.
func Divergences(g Grid, logp, logq []float64) Divergence {
	if len(logp) != g.Len() || len(logq) != g.Len() {
		panic("metrics: log-densities differ in length from the grid")
	}
	cell := math.Exp(g.LogCell())
	var d Divergence
	var inP, inQ float64
	for i, lp := range logp {
		lq := logq[i]
		p, q := math.Exp(lp), math.Exp(lq)
		inP += p
		inQ += q
		if p > 0 {
			d.KL += p * (lp - lq)
		}
		if q > 0 {
			d.ReverseKL += q * (lq - lp)
		}
		d.TV += math.Abs(p - q)
	}
	d.KL *= cell
	d.ReverseKL *= cell
	d.TV = (d.TV*cell + math.Max(0, 1-inP*cell) + math.Max(0, 1-inQ*cell)) / 2
	return d
}

// ScoreFit compares the score of a model with the true score.
type ScoreFit struct {
	Fisher   float64 // E_p |s_q − s|²
	Relative float64 // Fisher / E_p |s|²; NaN if the true score is zero
	Slope    float64 // E_p s_q·s / E_p |s|²: the inverse temperature of the model
}

// Fisher averages over the rows of x, draws from p.
func Fisher(ctx context.Context, f Gradient, truth Scorer, x *mat.Dense) (ScoreFit, error) {
	n, d := x.Dims()
	if n == 0 {
		return ScoreFit{}, errors.New("metrics: the Fisher divergence needs at least one point")
	}
	var diff, norm, cross float64
	rows := min(n, chunk)
	e, grad, score := make([]float64, rows), mat.NewDense(rows, d, nil), mat.NewDense(rows, d, nil)
	for from := 0; from < n; from += chunk {
		if err := ctx.Err(); err != nil {
			return ScoreFit{}, err
		}
		k := min(chunk, n-from)
		part, g, s := rowsOf(x, from, from+k), rowsOf(grad, 0, k), rowsOf(score, 0, k)
		if err := f(e[:k], g, part); err != nil {
			return ScoreFit{}, err
		}
		truth.Score(s, part)
		for i := range k {
			gi, si := g.RawRowView(i), s.RawRowView(i)
			for j, v := range gi {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					return ScoreFit{}, fmt.Errorf("metrics: gradient %g at %v is %w", v, part.RawRowView(i),
						ErrNonFinite)
				}
				diff += (v + si[j]) * (v + si[j])
				norm += si[j] * si[j]
				cross -= v * si[j]
			}
		}
	}
	return ScoreFit{Fisher: diff / float64(n), Relative: diff / norm, Slope: cross / norm}.known(norm), nil
}

// known replaces the ratios by NaN if the true score vanishes.
func (s ScoreFit) known(norm float64) ScoreFit {
	if norm == 0 {
		s.Relative, s.Slope = math.NaN(), math.NaN()
	}
	return s
}
