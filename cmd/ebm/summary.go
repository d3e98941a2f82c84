package main

import (
	"fmt"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
	"github.com/stheno-ebm/stheno/objectives/fit"
	"github.com/stheno-ebm/stheno/objectives/metrics"
)

// summary is the result in words, a line each.
func summary(r *fit.Result) []string {
	e := r.Eval
	lines := []string{fmt.Sprintf("%d steps in %.1f s", r.Steps, r.Seconds)}
	if r.Bias != "" {
		lines = append(lines, fmt.Sprintf("bias of %s: %s", r.Objective, r.Bias))
	}
	if r.Dead {
		lines = append(lines, "the network is dead: it has one energy everywhere, and no gradient is left to change that; take another --activation, such as silu, or a smaller --lr")
	}
	if e == nil {
		return lines
	}
	if e.KL.Known() {
		lines = append(lines, fmt.Sprintf("KL(data‖model) %.4f nats, NLL %.4f (entropy of the data %.4f)", e.KL, e.NLL, e.Entropy))
	} else if e.NLL.Known() {
		lines = append(lines, fmt.Sprintf("NLL %.4f nats per sample", e.NLL))
	}
	if e.LogZ.Known() && !e.LogZKnown() {
		lines = append(lines, "log Z, and with it the NLL, is not reliable: few draws of importance sampling have weight")
	}
	if e.TrainNLL.Known() {
		lines = append(lines, byHeart(e)...)
	}
	if r.Dead { // what follows is of no use then
		return lines
	}
	if e.Leak > 0.01 {
		lines = append(lines, fmt.Sprintf("%.2g of the mass of the model lies outside of the box around the data: it has not learnt where they end; take more --steps", e.Leak))
	}
	s := e.Samples
	if s == nil {
		return lines
	}
	if s.ModeTV.Known() && s.KnownModes > 1 {
		lines = append(lines, fmt.Sprintf("samples: %d of %d modes, weights within %.3f TV", s.Modes, s.KnownModes, s.ModeTV))
	}
	if !s.Mixed() {
		lines = append(lines, fmt.Sprintf("the chains that drew the samples have not mixed: R̂ is %.3f, want at most %.4g; ebm sample %s says more", s.RHat, s.Limit(), exit.Quote(r.Run)))
	}
	return lines
}

// byHeart compares the likelihood of the points that were learnt with that of the points set aside.
func byHeart(e *metrics.Report) []string {
	lines := []string{fmt.Sprintf("NLL of the training points %.4f", e.TrainNLL)}
	// What training gains on its own points shrinks with their number; this much is beyond that and beyond chance.
	if gap := e.NLL - e.TrainNLL; gap > 0.1+4*e.NLLErr {
		lines = append(lines, fmt.Sprintf("the training points are likelier by %.3g nats: they were learnt by heart; take a larger --smooth, fewer --steps or a smaller --hidden", gap))
	}
	return lines
}
