package main

import (
	"fmt"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// progress shows the progress of a run: a bar on a terminal, nothing elsewhere.
type progress struct {
	e     *env
	bar   *progressbar.ProgressBar
	quiet bool
	shown time.Time // when the bar's text was last written
	first bool      // nothing has been shown yet
}

func newProgress(e *env, quiet bool, steps int) *progress {
	p := &progress{e: e, quiet: quiet, first: true}
	if quiet || !terminal(e.stderr) {
		return p
	}
	width, withTimes := barWidth(terminalWidth(e.stderr), steps)
	if width < 1 {
		return p
	}
	options := []progressbar.Option{
		progressbar.OptionSetWriter(e.stderr),
		progressbar.OptionSetWidth(width),
		progressbar.OptionShowCount(),
		progressbar.OptionSetPredictTime(withTimes),
		progressbar.OptionSetElapsedTime(withTimes),
		progressbar.OptionThrottle(100 * time.Millisecond),
		progressbar.OptionSetDescription("training"),
		progressbar.OptionClearOnFinish(),
	}
	if withTimes {
		options = append(options, progressbar.OptionShowIts(), progressbar.OptionSetItsString("step"))
	}
	p.bar = progressbar.NewOptions(steps, options...)
	return p
}

// barWidth returns a width of the bar, at most 20, that leaves room on the line for the text before it and for the
// counts and, if possible, rate and times after it. A bar that overflowed the line would be redrawn below itself every
// time.
func barWidth(columns, steps int) (width int, withTimes bool) {
	digits := len(fmt.Sprint(steps))
	room := func(text string) int { return min(20, columns-len(text)-2*digits) }
	if w := room("sampling acceptance 0.00 100% || (/, 1000 step/s) [00m00s:00m00s]"); w >= 6 {
		return w, true
	}
	return room("sampling acceptance 0.00 100% || (/) "), false
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
	if p.first { // a resumed run does not start at zero
		p.first = false
		p.bar.Reset()
	}
	_ = p.bar.Set(s.Step)
}

// stage shows what is being done after training.
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

// newSampling returns a progress display for sampling.
func newSampling(e *env, quiet bool) *progress {
	p := newProgress(e, quiet, 1)
	if p.bar != nil {
		p.bar.Describe("sampling")
	}
	return p
}

// sampling is called by the sampler from time to time.
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
