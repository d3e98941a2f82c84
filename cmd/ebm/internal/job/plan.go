// Package job carries out one training run: it trains, draws, measures and draws pictures, each step into the run
// directory. Everything it does can be stopped and taken up again.
package job

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
	"github.com/stheno-ebm/stheno/cmd/ebm/internal/model"
	"github.com/stheno-ebm/stheno/cmd/ebm/internal/settings"
	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// Plan is a run that is ready to begin: every name is known, every value in range, every file of data read.
type Plan struct {
	Settings settings.Settings

	model     *model.Model
	source    train.Source
	objective objectives.Objective
	optimizer train.Optimizer
	schedule  train.Schedule
}

// Preset is what suits the objective and the data where the user says nothing.
func Preset(s settings.Settings) settings.Layer {
	l := make(settings.Layer)
	put := func(key string, v any) {
		b, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		l[key] = b
	}
	if s.Energy == "fourier" {
		put("first-gain", 1.0) // the embedding is sharp enough
	}
	spread := 2.0
	if model.Given(s) {
		spread = 1
		put("standardize", true)
	}
	if model.Finite(s) {
		put("smooth", 0.6)
	}
	switch s.Objective {
	case "sm", "sm-hutchinson", "ssm", "ssm-vr", "fd-ssm", "dsm", "dsm-multi", "ksd", "lsd":
		switch {
		case s.Energy == "fourier": // the other energies are what their name says, and nothing besides
			put("bridge", 0.2)
		case s.Objective == "dsm-multi":
			put("sampler", "annealed") // down the noise levels, at the large ones of which modes get their weights
		}
		put("lr", 5e-3)
		put("batch", 512)
		put("steps", 6000)
		put("clip", 10.0)
		put("ema", 0.9992) // over which the weights of modes, the least certain part, settle
		if model.Finite(s) {
			put("smooth", 0.9) // slopes tell more of single points than heights do
		}
		switch s.Objective {
		case "dsm":
			put("sigma", 0.00125*spread) // what it learns is blurred by it: slopes are low by σ²/s², with s the finest detail
			put("paired", true)          // so small a noise costs no scatter
		case "ksd":
			put("lr", 3e-3)
			put("steps", 3200)
		case "lsd": // slower than the critic, which is to keep up
			put("lr", 7e-4)
			put("clip", 1.0)
			put("batch", 400)
			put("steps", 2500)
		case "dsm-multi":
			put("sigma", 0.00125*spread) // so is the level that is reported; paired, so small a noise costs no scatter
			put("levels", 8)
			put("paired", true)
			put("batch", 576)
			put("warmup", 500)
		}
	// Perturbations reach from mode to mode: planar distributions have a deviation of about 2, standardised files of 1.
	case "cnce":
		put("sigma", 0.75*spread)
		put("batch", 512)
		put("steps", 6000)
	case "mpf":
		put("sigma", 0.5*spread)
		put("noise-ratio", 4)
	case "ed":
		put("sigma", 0.75*spread)
		put("noise-ratio", 16)
	// Chains are adjusted, so that their law is that of a sharp energy; jumps are their fresh starts, without a restart's bias.
	case "ml", "pcd", "cd":
		put("chain-sampler", "mala")
		put("chain-step-size", 2.5e-4*spread*spread)
		put("chain-steps", 2)
		put("jumps", 4)
		put("restart", 0)
		put("steps", 2500)
	}
	if model.Finite(s) && s.Objective == "nce" { // 10 000 points: what more steps gain in detail they lose to learning by heart
		put("steps", 2500)
	}
	return l
}

// Prepare builds everything that the settings ask for. It writes nothing.
func Prepare(s settings.Settings) (*Plan, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	if err := known("--objective", s.Objective, objectives.Names()); err != nil {
		return nil, err
	}
	if err := known("--sampler", s.Sampler, model.Samplers()); err != nil {
		return nil, err
	}
	if err := known("--noise", s.Noise, objectives.NoiseName("").Options()); err != nil {
		return nil, err
	}
	if err := known("--projection", s.Projection, objectives.Projection("").Options()); err != nil {
		return nil, err
	}
	if err := known("--energy", s.Energy, model.Energies()); err != nil {
		return nil, err
	}
	if err := known("--activation", s.Activation, energy.Activations()); err != nil {
		return nil, err
	}
	m, err := model.New(s)
	if err != nil {
		return nil, err
	}
	p := &Plan{Settings: s, model: m, source: m.Source()}
	if p.objective, err = m.Objective(); err != nil {
		return nil, exit.Usagef("--objective %s: %w", s.Objective, &Refusal{err})
	}
	p.optimizer = &train.Adam{WeightDecay: s.WeightDecay}
	p.schedule = train.Warmup{Steps: s.Warmup, Then: train.Constant{}}
	if s.Schedule == "cosine" {
		p.schedule = train.Warmup{Steps: s.Warmup, Then: train.Cosine{Floor: 0.01}}
	}
	return p, nil
}

// Refusal is the error of an objective that cannot learn from the data, or not by the settings; others may.
type Refusal struct{ Err error }

func (r *Refusal) Error() string { return r.Err.Error() }
func (r *Refusal) Unwrap() error { return r.Err }

// Notes says what is odd about the data.
func (p *Plan) Notes() []string { return p.model.Data.Notes }

// known refuses a name that is not on the list.
func known(flag, name string, names []string) error {
	for _, n := range names {
		if n == name {
			return nil
		}
	}
	return exit.Unknown(flag, name, names)
}

// fingerprint identifies what the course of the training depends on.
func (p *Plan) fingerprint() string {
	s := p.Settings
	s.Threads = 0
	return fmt.Sprintf("1 %s %s", p.model.Data.Checksum(), s.JSON())
}

// otherData reports whether a fingerprint is that of a run with the same settings on other points.
func (p *Plan) otherData(fingerprint string) bool {
	old, own := strings.SplitN(fingerprint, " ", 3), strings.SplitN(p.fingerprint(), " ", 3)
	return len(old) == 3 && old[1] != own[1] && old[2] == own[2]
}
