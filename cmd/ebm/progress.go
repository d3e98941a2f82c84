package main

import (
	"fmt"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// progress shows how a run goes on: a bar on a terminal, nothing elsewhere.
type progress struct {
	e     *env
	bar   *progressbar.ProgressBar
	quiet bool
	shown time.Time
	first bool
}

func newProgress(e *env, quiet bool, steps int) *progress {
	p := &progress{e: e, quiet: quiet, first: true}
	if quiet || !terminal(e.stderr) {
		return p
	}
	p.bar = progressbar.NewOptions(steps,
		progressbar.OptionSetWriter(e.stderr),
		progressbar.OptionSetWidth(barWidth(steps)),
		progressbar.OptionShowIts(),
		progressbar.OptionSetItsString("step"),
		progressbar.OptionShowCount(),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionSetDescription("training"),
		progressbar.OptionClearOnFinish(),
	)
	return p
}

// barWidth leaves room, in 80 columns, for the text before the bar and the counts and times behind it.
func barWidth(steps int) int {
	digits := len(fmt.Sprint(steps))
	return max(6, min(20, 80-len("sampling acceptance 0.00 100% || (/, 1000 step/s) [00m00s:00m00s]")-2*digits))
}

// update is called after every training step.
func (p *progress) update(s train.Progress) {
	if p.bar == nil {
		return
	}
	now := time.Now()
	if now.Sub(p.shown) < 100*time.Millisecond && s.Step < s.Steps {
		return
	}
	p.shown = now
	p.bar.Describe(fmt.Sprintf("loss %9.4g", s.Stats.Loss))
	if p.first { // a resumed run does not begin at zero
		p.first = false
		p.bar.Reset()
	}
	_ = p.bar.Set(s.Step)
}

// stage says what comes now, after the training.
func (p *progress) stage(text string) {
	if p.bar != nil {
		_ = p.bar.Finish()
		p.bar = nil
	}
	if !p.quiet {
		p.e.logf("%s", text)
	}
}

func (p *progress) finish() {
	if p.bar != nil {
		_ = p.bar.Exit()
		fmt.Fprintln(p.e.stderr)
		p.bar = nil
	}
}

// newSampling shows how far sampling has come.
func newSampling(e *env, quiet bool) *progress {
	p := newProgress(e, quiet, 1)
	if p.bar != nil {
		p.bar.Describe("sampling")
	}
	return p
}

// sampling is called now and then by the sampler.
func (p *progress) sampling(s mcmc.Progress) {
	if p.bar == nil {
		return
	}
	if p.first {
		p.first = false
		p.bar.ChangeMax(s.Total)
	}
	text := "sampling"
	if s.Warmup {
		text = "warm-up "
	}
	p.bar.Describe(fmt.Sprintf("%s acceptance %.2f", text, s.AcceptProb))
	_ = p.bar.Set(s.Done)
}
