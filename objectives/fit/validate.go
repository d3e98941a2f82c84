package fit

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// The largest accepted values. Beyond them a program would run out of memory, or a step would not end, and with it the
// wait for a checkpoint after a signal.
const (
	MaxRows    = 10_000_000    // of a table: samples, test points
	MaxThreads = 1024          // and workers
	maxSteps   = 1_000_000_000 // a run can be stopped between any two
	maxTurns   = 10_000        // of a loop within a step
	maxWeights = 1 << 27
	maxMemory  = 1 << 20 // MB
)

// ThreadsWant describes valid numbers of threads.
var ThreadsWant = fmt.Sprintf("1 to %d, or 0 for one per core", MaxThreads)

// Schedules of the learning rate by name; the first is the default.
var (
	scheduleNames = []string{"cosine", "constant"}
	schedules     = map[string]train.Schedule{scheduleNames[0]: train.Cosine{Floor: 0.01},
		scheduleNames[1]: train.Constant{}}
)

// optimizerNames lists the optimizers; the first is the default, and the others decay weights.
var optimizerNames = []string{"adam", "adamw"}

// weights returns the number of weights between the hidden layers.
func (c *Config) weights() int {
	n := 0
	for i := 1; i < len(c.Hidden); i++ {
		n += c.Hidden[i-1] * c.Hidden[i]
	}
	return n
}

// checks collects errors about values out of range.
type checks struct{ errs []error }

func (b *checks) that(ok bool, key string, value any, want string) {
	if !ok {
		b.errs = append(b.errs, &FieldError{Key: key, Value: value, Want: want})
	}
}
func (b *checks) atMost(key string, v, most int) {
	b.that(v <= most, key, v, fmt.Sprintf("at most %d", most))
}
func (b *checks) positive(key string, v, most int) {
	b.that(v > 0, key, v, "> 0")
	b.atMost(key, v, most)
}
func (b *checks) nonneg(key string, v, most int) {
	b.that(v >= 0, key, v, ">= 0")
	b.atMost(key, v, most)
}
func (b *checks) number(key string, v float64) {
	b.that(v >= 0 && !math.IsInf(v, 0), key, v, ">= 0")
}
func (b *checks) name(key, name string, known []string) {
	if !slices.Contains(known, name) {
		b.errs = append(b.errs, &UnknownError{Key: key, Name: name, Known: known})
	}
}

func isFinite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// Validate reports every setting of a complete Config that is out of range, each as a *FieldError or *UnknownError.
func (c *Config) Validate() error {
	b := new(checks)
	c.checkData(b)
	c.checkNetwork(b)
	c.checkTraining(b)
	c.checkSampling(b)
	if c.Objective != nil {
		b.errs = append(b.errs, fieldErrors(c.Objective.Suited(objectives.Facts{}).Validate()))
	}
	return errors.Join(b.errs...)
}

func (c *Config) checkData(b *checks) {
	b.that(c.TrainPoints == 0 || c.TrainPoints >= 2, "train-points", c.TrainPoints, "0 or >= 2")
	b.atMost("train-points", c.TrainPoints, MaxRows)
	b.name("header", c.Header, options["header"]())
	b.name("discrete", c.Discrete, discreteNames())
	b.name("missing", c.Missing, options["missing"]())
	b.that(c.MaxMemory > 0 && c.MaxMemory <= maxMemory, "max-memory", c.MaxMemory, fmt.Sprintf("1 to %d MB", maxMemory))
	b.that(c.Threshold == -1 || c.Threshold >= 0 && c.Threshold < 1, "threshold", c.Threshold,
		"in [0, 1), or -1 for none")
	b.that(c.Smooth >= 0 && c.Smooth <= 1, "smooth", c.Smooth, "in [0, 1]")
	b.that(c.Bridge >= 0 && c.Bridge < 1, "bridge", c.Bridge, "in [0, 1)")
	b.number("energy-l2", c.EnergyL2)
	b.number("gradient-penalty", c.GradientPenalty)
}

func (c *Config) checkNetwork(b *checks) {
	b.name("energy", c.Network, networkNames())
	b.name("activation", c.Activation, energy.Activations())
	b.number("spectral-norm", c.SpectralNorm)
	b.that(c.SpectralNorm == 0 || c.WeightDecay == 0, "spectral-norm", c.SpectralNorm,
		"0 with `weight-decay`: scaled weights have no size left to decay, take one of both")
	b.that(len(c.Hidden) > 0 && len(c.Hidden) <= 16, "hidden", c.Hidden, "1 to 16 widths, such as 128,128")
	for _, w := range c.Hidden {
		b.that(w > 0 && w <= 8192, "hidden", w, "widths from 1 to 8192")
	}
	if len(b.errs) == 0 {
		n := c.weights()
		b.that(n <= maxWeights, "hidden", c.Hidden, fmt.Sprintf("at most %d weights, these are %d", maxWeights, n))
	}
	b.that(c.FirstGain > 0 && isFinite(c.FirstGain), "first-gain", c.FirstGain, "> 0")
	_, err := energy.ParsePrecision(c.Precision)
	b.that(err == nil, "precision", c.Precision, "float32 or float64")
}

func (c *Config) checkTraining(b *checks) {
	b.that(c.Batch > 0 && c.Batch <= 1<<20, "batch", c.Batch, "1 to 1048576")
	b.that(c.Steps >= 1, "steps", c.Steps, ">= 1")
	b.atMost("steps", c.Steps, maxSteps)
	b.that(c.LearningRate > 0 && isFinite(c.LearningRate), "lr", c.LearningRate, "> 0")
	b.name("schedule", c.Schedule, scheduleNames)
	b.nonneg("warmup", c.Warmup, maxSteps)
	b.name("optimizer", c.Optimizer, optimizerNames)
	b.number("weight-decay", c.WeightDecay)
	b.that(c.WeightDecay == 0 || c.Optimizer != optimizerNames[0], "weight-decay", c.WeightDecay,
		"0, or `optimizer` adamw")
	b.number("clip", c.Clip)
	b.that(c.Average >= 0 && c.Average < 1, "ema", c.Average, "in [0, 1)")
	b.that(c.Threads >= 0 && c.Threads <= MaxThreads, "threads", c.Threads, ThreadsWant)
	b.nonneg("patience", c.Patience, maxSteps)
	b.nonneg("record-every", c.RecordEvery, maxSteps)
	b.nonneg("checkpoint-every", c.CheckpointEvery, maxSteps)
}

func (c *Config) checkSampling(b *checks) {
	b.name("sampler", c.Sampler, samplerNames())
	b.that(c.SamplerStep >= 0 && isFinite(c.SamplerStep), "sampler-step", c.SamplerStep, "> 0, or 0 to find one")
	b.positive("leapfrog", c.Leapfrog, maxTurns)
	b.nonneg("sampler-jumps", c.SamplerJumps, maxTurns)
	b.that(c.Samples == 0 || c.Samples >= 2, "samples", c.Samples, "0 or at least 2: one is not judged")
	b.atMost("samples", c.Samples, MaxRows)
	b.positive("chains", c.Chains, MaxRows)
	b.nonneg("adapt", c.Adapt, maxSteps)
	s := samplers[c.Sampler]
	b.that(c.Adapt != 0 || c.SamplerStep > 0 || c.Samples == 0 || s.tunesItself, "adapt", c.Adapt,
		"> 0, or `sampler-step`: without adaptation no step is found")
	b.nonneg("burn-in", c.BurnIn, maxSteps)
	b.positive("thin", c.Thin, maxSteps)
	b.that(c.TestPoints >= 100, "test-points", c.TestPoints, ">= 100")
	b.atMost("test-points", c.TestPoints, MaxRows)
	b.that(c.Grid >= 50, "grid", c.Grid, ">= 50")
	b.atMost("grid", c.Grid, 20000)
	b.that(c.Frames >= 0 && c.Frames <= 1000, "frames", c.Frames, "0 to 1000")
}

// fieldErrors converts errors of an objective about its fields to errors about keys.
func fieldErrors(err error) error {
	var field *objectives.FieldError
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var errs []error
		for _, e := range joined.Unwrap() {
			errs = append(errs, fieldErrors(e))
		}
		return errors.Join(errs...)
	}
	if errors.As(err, &field) && field.Key != "" {
		return &FieldError{Key: field.Key, Value: field.Value, Want: field.Want}
	}
	return err
}
