package mcmc

import (
	"errors"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// Evidence is an estimate of log Z.
type Evidence struct {
	LogZ        float64   `json:"log_z"`
	StdErr      float64   `json:"std_err"` // of LogZ: sd(w)/(mean(w)√n)
	ESS         float64   `json:"ess"`     // (Σw)²/Σw²: if small, StdErr cannot be trusted
	Levels      int       `json:"levels"`
	Evaluations int       `json:"evaluations"` // gradients or energies, counted per chain or draw
	LogWeights  []float64 `json:"-"`           // per chain or draw: log w
}

// Reliable reports whether at least a tenth of the weights count, ESS ≥ 0.1 n. Below that StdErr is unknown: rare,
// heavy points may not have been drawn at all.
func (e Evidence) Reliable() bool { return e.ESS >= 0.1*float64(len(e.LogWeights)) }

// Weigh estimates log Z = log ∫exp(-E) by importance sampling, from logw = -E - log q of independent draws of a
// normalised density q: E w = Z. It is AIS without a path, suitable if q is so close to the target that many draws have
// weight. q must be positive wherever the target is. Errors are as for [AIS.Forward].
func Weigh(logw []float64) (Evidence, error) { return evidence(slices.Clone(logw), 1, len(logw)) }

// evidence reduces log weights. A NaN weight counts as zero. It is an error if all are zero or one is infinite.
func evidence(w []float64, levels, rows int) (Evidence, error) {
	top := math.Inf(-1)
	for i, v := range w {
		if math.IsNaN(v) {
			w[i] = math.Inf(-1)
		}
		top = math.Max(top, w[i])
	}
	switch {
	case math.IsInf(top, -1):
		return Evidence{}, errors.New(
			"mcmc: importance sampling: all weights are zero: nothing was drawn where both target and reference have a " +
				"finite energy; want a Reference nearer to the target, or more draws")
	case math.IsInf(top, 1):
		return Evidence{}, errors.New(
			"mcmc: importance sampling: a weight is infinite: a draw was where the energy is not finite; want exact " +
				"draws of the target")
	}
	n := float64(len(w))
	rel := make([]float64, len(w))
	var sum, sq float64
	for i, v := range w {
		rel[i] = math.Exp(v - top)
		sum += rel[i]
		sq += rel[i] * rel[i]
	}
	mean, sd := stat.MeanStdDev(rel, nil)
	return Evidence{
		LogZ: top + math.Log(mean), StdErr: sd / mean / math.Sqrt(n), ESS: sum * sum / sq,
		Levels: levels, Evaluations: rows, LogWeights: w,
	}, nil
}
