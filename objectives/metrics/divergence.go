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
	KL        float64 // ∫ p (log p − log q); NaN if p has mass outside the box of the grid
	ReverseKL float64 // ∫ q (log q − log p); +Inf if q has mass where p has none, NaN if it has some outside the box
	TV        float64 // ½ ∫ |p − q|
}

// mostOutside is the share of a density outside the box up to which what it adds to a divergence is negligible.
const mostOutside = 1e-3

// Divergences compares two log-densities, normalised over the whole space, given at the midpoints of a grid. KL and
// ReverseKL are integrals over the box of the grid, unknown if more than a thousandth of the density that weights them
// lies outside: a model with all of its mass there would have an integral of 0. The mass of either density outside the
// box counts towards TV as if the two did not overlap there.
func Divergences(g Grid, logp, logq []float64) Divergence {
	if len(logp) != g.Len() || len(logq) != g.Len() {
		panic("metrics: log-densities differ in length from the grid")
	}
	cell := math.Exp(g.logCell())
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
	outP, outQ := math.Max(0, 1-inP*cell), math.Max(0, 1-inQ*cell)
	d.KL, d.ReverseKL = over(d.KL*cell, outP), over(d.ReverseKL*cell, outQ)
	d.TV = (d.TV*cell + outP + outQ) / 2
	return d
}

// over returns an integral over the box, NaN if too much of the density is outside, unless it is infinite within.
func over(integral, outside float64) float64 {
	if outside > mostOutside && !math.IsInf(integral, 1) {
		return math.NaN()
	}
	return integral
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
	if norm == 0 { // the true score vanishes
		norm = math.NaN()
	}
	return ScoreFit{Fisher: diff / float64(n), Relative: diff / norm, Slope: cross / norm}, nil
}
