package main

import (
	"fmt"
	"math"
	"strings"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
	"github.com/stheno-ebm/stheno/objectives/fit"
	"github.com/stheno-ebm/stheno/objectives/metrics"
)

// summary returns the result in words, line by line.
func summary(r *fit.Result) []string {
	e := r.Eval
	lines := []string{fmt.Sprintf("%d steps in %.1f s", r.Steps, r.Seconds)}
	if r.Unimproved > 0 {
		lines[0] = fmt.Sprintf("%d of %d steps in %.1f s: held-out points had not improved for %d (--patience)", r.Steps,
			r.Planned, r.Seconds, r.Unimproved)
	}
	if what, ok := strings.CutPrefix(r.Bias, "learns "); ok {
		lines = append(lines, "learnt: "+what)
	} else if r.Bias != "" {
		lines = append(lines, fmt.Sprintf("bias of %s: %s", r.Objective, r.Bias))
	}
	if r.Dead {
		lines = append(
			lines, "the network is dead: it has one energy everywhere, and no gradient is left to change that; take "+
				"another --activation, such as silu, or a smaller --lr")
	}
	if e == nil {
		return lines
	}
	if e.KL.Known() {
		lines = append(lines, fmt.Sprintf("KL(data‖model) %.4f nats, NLL %.4f (entropy of the data %.4f)", e.KL, e.NLL,
			e.Entropy))
	} else if e.NLL.Known() {
		lines = append(lines, likelihood(e))
	}
	lines = append(lines, againstBase(r)...)
	if e.LogZ.Known() && !e.LogZKnown() {
		lines = append(
			lines, "log Z, and with it the NLL, is not reliable: few draws of importance sampling have weight")
	}
	if e.TrainNLL.Known() {
		lines = append(lines, byHeart(r)...)
	}
	if r.Dead { // the rest is of no use then
		return lines
	}
	if e.Leak > 0.01 {
		lines = append(
			lines, outside(float64(e.Leak))+" the box around the data: it has not learnt where they end; take more --steps")
	}
	s := e.Samples
	if s == nil {
		return lines
	}
	if s.ModeTV.Known() && s.KnownModes > 1 {
		lines = append(lines, fmt.Sprintf("samples: %d of %d modes, weights within %.3f TV", s.Modes, s.KnownModes,
			s.ModeTV))
	}
	return append(lines, chains(r)...)
}

// outside says how much of the probability of the model lies outside something.
func outside(share float64) string {
	switch {
	case share > 0.99:
		return "nearly all of the model's probability lies outside"
	case share >= 0.1:
		return fmt.Sprintf("%.0f %% of the model's probability lies outside", 100*share)
	}
	return fmt.Sprintf("%.2g %% of the model's probability lies outside", 100*share)
}

// likelihood formats the NLL with its standard error and the number of points.
func likelihood(e *metrics.Report) string {
	if e.TestPoints < 2 {
		return fmt.Sprintf("NLL %.4f nats per sample", e.NLL)
	}
	return fmt.Sprintf("NLL %.4f ± %.2g nats per sample, on %d points set aside", e.NLL, e.NLLErr, e.TestPoints)
}

// againstBase says how the model compares with its base, on the same points.
func againstBase(r *fit.Result) []string {
	b := r.Eval.Baseline
	if b == nil {
		return nil
	}
	text := fmt.Sprintf("the base alone, %s: NLL %.4f", b.Name, b.NLL)
	switch {
	case r.Share == 0 && !r.Warped:
		return []string{text + "; the network was not significantly better on held-back points, so the base alone " +
			"is kept"}
	case r.Share == 0:
		text += "; the model is a mixture of Gaussians of straightened columns, without a network, and "
	case r.Warped:
		text += "; the model, a network that corrects a mixture of Gaussians of straightened columns, is "
	default:
		text += "; the model is "
	}
	return []string{text + comparison(b)}
}

// comparison is the paired difference of a baseline in words.
func comparison(b *metrics.Baseline) string {
	word := "better"
	if b.Difference > 0 {
		word = "worse"
	}
	text := fmt.Sprintf("%s by %.4f ± %.2g nats per sample, point by point", word, math.Abs(float64(b.Difference)),
		b.DifferenceErr)
	if math.Abs(float64(b.Difference)) <= float64(b.DifferenceErr) {
		text += ", which is no more than chance"
	}
	return text
}

// byHeart compares the likelihood of the training points with that of the test points.
func byHeart(r *fit.Result) []string {
	e := r.Eval
	lines := []string{fmt.Sprintf("NLL of the training points %.4f", e.TrainNLL)}
	// What training gains on its own points shrinks with their number; this much is beyond that and beyond chance.
	if gap := e.NLL - e.TrainNLL; gap > 0.1+4*e.NLLErr {
		lines = append(lines, fmt.Sprintf("the training points are likelier by %.3g nats: %s", gap, remedy(r)))
	}
	return lines
}

// remedy returns what was seen to help a model that has memorised its points. With a base, the weights are already
// those that were best on points held back; without one, a base helps: on 456 points in 30 dimensions the NLL fell by
// 20 nats.
func remedy(r *fit.Result) string {
	switch {
	case r.Eval.Baseline == nil:
		return "they were memorised; an --objective that can have a base, such as nce with --base, memorises less"
	case r.Share == 0 && !r.Warped:
		return "the base has many parameters for so few points, and only more points would help"
	}
	return "they were memorised; the network's share was already chosen on points held back, so only more points " +
		"would help"
}

// chains says whether the samples represent the model, and whether the model represents the data: R̂ indicates the
// first, the distance between samples and data points both. Chains that have mixed far from the data are not the
// sampler's fault; few draws per chain, as close to the data as data points are to each other, are no fault at all. A
// model differs that is several times as far from the data as data are, and farther than data are but once in a while.
func chains(r *fit.Result) []string {
	const near, far = 1.5, 3
	s := r.Eval.Samples
	off := float64(s.EnergyDistance) / float64(s.Floor.EnergyDistance) // in floors; NaN where nobody knows
	switch {
	case !s.Mixed() && off <= near:
		return []string{fmt.Sprintf(
			"R̂ of the chains that drew the samples is %.3f, want at most %.4g; the samples are as close to the data as "+
				"equally many data points are, so that longer chains would change little", s.RHat, s.Limit())}
	case !s.Mixed():
		return []string{fmt.Sprintf(
			"the chains that drew the samples have not mixed: R̂ is %.3f, want at most %.4g; ebm sample %s says more",
			s.RHat, s.Limit(), exit.Quote(r.Run))}
	case off > far && s.EnergyDistance > s.Floor.EnergyLimit && s.Floor.EnergyLimit > 0:
		return []string{fmt.Sprintf(
			"the samples are %.1f times as far from the data as so many points are from others, by energy distance, which "+
				"for draws of the truth happens once in %.0f times or less, and the chains have mixed: it is the model that "+
				"differs, not the chains", off, 1/metrics.FalseAlarms)}
	}
	return nil
}
