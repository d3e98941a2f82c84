package fit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// Job is a run that is ready to start: every name is known, every value in range, all data read.
type Job struct {
	Config Config // complete
	Model  *Model // untrained

	objective objectives.Objective
	optimizer train.Optimizer
	schedule  train.Schedule
	corrected *corrections // judges the network where it corrects a base; nil: it does not
}

// Notes returns oddities of the data.
func (j *Job) Notes() []string { return j.Model.data.notes }

// Prepare builds everything that the settings require. It writes nothing.
func Prepare(src Source, c Config) (*Job, error) {
	return PrepareContext(context.Background(), src, c)
}

// PrepareContext is Prepare with a context. When that ends it returns at once, abandoning work in progress.
func PrepareContext(ctx context.Context, src Source, c Config) (*Job, error) {
	if src == nil {
		return nil, errors.New("fit: the source is nil")
	}
	return await(ctx, func() (*Job, error) { return prepare(ctx, src, c) })
}

// await returns the result of do, or the error of the context if that ends first.
func await[T any](ctx context.Context, do func() (T, error)) (T, error) {
	var none T
	if ctx.Err() != nil {
		return none, ctx.Err()
	}
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		v, err := do()
		done <- result{v, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// stage reports what is being done before the first step.
func (c *Config) stage(text string) {
	if c.Hooks.Stage != nil {
		c.Hooks.Stage(text)
	}
}

func prepare(ctx context.Context, src Source, c Config) (*Job, error) {
	d, err := c.settle(ctx, src)
	if err != nil {
		return nil, err
	}
	if err := d.blur(ctx, &c); err != nil {
		return nil, err
	}
	if c.confined(c.Objective.Traits()) && !c.tilts(&d.geometry) {
		d.notes = append(
			d.notes, fmt.Sprintf(
				"energies of %s are bounded: a wide quadratic beside the network makes the normaliser finite; `activation` silu needs none", c.Activation))
	}
	if c.blind() && !c.tilts(&d.geometry) && networks[c.Network].Sharp { // which has a bridge by default
		d.notes = append(d.notes, fmt.Sprintf("without a `bridge`, %s does not see the weights of separate modes; "+
			"whether the run makes progress is not judged", c.Name))
	}
	c.stage("compiling")
	m, err := assemble(c, d)
	if err != nil {
		return nil, err
	}
	j := &Job{Config: c, Model: m}
	if j.objective, err = m.objective(); err != nil {
		if own := fieldErrors(err); own != err { // a setting that conflicts with another
			return nil, own
		}
		return nil, &RefusedError{c.Name, err}
	}
	if j.corrected, err = m.corrections(); err != nil {
		return nil, err
	}
	j.optimizer = &train.Adam{WeightDecay: c.WeightDecay, Threads: c.cores()}
	j.schedule = train.Warmup{Steps: c.Warmup, Then: schedules[c.Schedule]}
	return j, nil
}

// settle completes the settings with what suits the data and the objective, and validates them. It returns the data,
// not yet blurred.
func (c *Config) settle(ctx context.Context, src Source) (*data, error) {
	if err := c.settleObjective(src); err != nil {
		return nil, err
	}
	if !c.complete {
		c.fill(Config{Seed: 1, Standardize: onIf(theirOwn(src, c)), Base: onIf(c.wantsBase(src))})
		if c.tilts(&geometry{Dim: src.Dim(), Cells: c.discreteOf(src)}) { // in fewer the points are smoothed enough
			c.fill(Config{Patience: basePatience})
		}
	}
	c.stage("looking at the data")
	d, err := newData(ctx, src, c)
	if err != nil {
		return nil, err
	}
	facts, err := d.facts(c.Seed)
	if err != nil {
		return nil, err
	}
	facts.Base = c.tilts(&d.geometry)
	if c.complete {
		c.Objective = c.Objective.Suited(facts) // settings without a key are not stored
	} else if err := c.suit(facts); err != nil {
		return nil, err
	}
	c.unstored = objectives.Unstored(c.Name, c.Objective, facts)
	return d, errors.Join(c.checkBase(src), c.Validate())
}

// settleObjective finds the objective's name, and reports obstacles to it before any data are examined.
func (c *Config) settleObjective(src Source) error {
	if c.complete {
		return c.Validate()
	}
	if c.Objective != nil && c.Name == "" {
		name, ok := objectives.NameOf(c.Objective)
		if !ok {
			name = strings.ToLower(reflect.Indirect(reflect.ValueOf(c.Objective)).Type().Name())
		}
		c.Name = name
	}
	if c.Name == "" {
		c.Name = defaultObjective(src, c)
	}
	if c.TrainPoints == 0 && c.Smooth > 0 {
		if _, ok := src.(finitely); !ok {
			return fieldErrorf("smooth", nil, "needs a file or `train-points`: %s draws new points at every step", c.Dataset)
		}
	}
	if _, ok := src.(finitely); c.Patience > 0 && !ok && c.TrainPoints == 0 {
		return fieldErrorf("patience", nil, "needs a file or `train-points`: %s draws new points at every step", c.Dataset)
	}
	trial := *c // report what is out of range for any data before examining them
	if err := trial.suit(objectives.Facts{}); err != nil {
		return err
	}
	return trial.Validate()
}

// finitely is a source of finitely many points.
type finitely interface{ Len() int }

// defaultObjective returns score matching for distributions only. On its own, score matching memorises a few thousand
// points, since a spike at each has the smallest loss; and pictures have sharp edges.
func defaultObjective(src Source, c *Config) string {
	var m objectives.Method = objectives.ScoreMatching{}
	if theirOwn(src, c) {
		m = objectives.NCE{}
	}
	name, _ := objectives.NameOf(m)
	return name
}

// Suited completes settings like [Prepare], for data of which only the facts are known. If no objective is named, it is
// the default for distributions.
func Suited(c Config, facts objectives.Facts) (Config, error) {
	if c.Name == "" && c.Objective == nil {
		c.Name = defaultObjective(nil, &c)
	}
	if c.complete {
		return c, nil
	}
	c.fill(Config{Seed: 1, Standardize: Off, Base: onIf(facts.Base)})
	return c, c.suit(facts)
}

// suit fills in what follows from the facts and the objective.
func (c *Config) suit(facts objectives.Facts) error {
	m, err := c.method(facts)
	if err != nil {
		return err
	}
	c.Objective = m.Suited(facts) // of which some have no key
	def, recipe := fallback(), m.Recipe(facts)
	def.LearningRate, def.Batch, def.Steps, def.Warmup = recipe.LearningRate, recipe.Batch, recipe.Steps, recipe.Warmup
	def.Clip, def.Average, def.Smooth = recipe.Clip, recipe.Average, recipe.Smooth
	if facts.Base {
		c.suitBase(&def, facts)
	}
	kind := networks[c.Network]
	if c.Network == "" {
		kind = networks[def.Network]
	}
	if kind.FirstGain > 0 {
		def.FirstGain = kind.FirstGain
	}
	switch {
	case facts.Base: // has the weights of modes
	case kind.Sharp:
		def.Bridge = recipe.Bridge
	// down the noise levels, since modes get their weights at the large ones
	case c.Objective.Validate() == nil && c.Objective.Traits().Levels != nil:
		def.Sampler = annealedSampler
	}
	c.fill(def)
	c.none()
	c.given, c.complete = nil, true
	return nil
}

// fill sets zero fields that are not meant literally to those of def, and negative ones that mean none to 0.
func (c *Config) fill(def Config) {
	v, from := reflect.ValueOf(c).Elem(), reflect.ValueOf(def)
	t := v.Type()
	for i := range t.NumField() {
		key := t.Field(i).Tag.Get("json")
		if !t.Field(i).IsExported() || key == "-" {
			continue
		}
		f := v.Field(i)
		if _, meant := c.given[key]; meant {
			continue
		}
		if f.IsZero() {
			f.Set(from.Field(i))
		}
	}
}

// none turns negative numbers that mean none into 0.
func (c *Config) none() {
	v := reflect.ValueOf(c).Elem()
	t := v.Type()
	for i := range t.NumField() {
		if t.Field(i).Tag.Get("zero") != "none" {
			continue
		}
		if _, meant := c.given[t.Field(i).Tag.Get("json")]; meant {
			continue // a negative number in a file is a mistake, to be reported
		}
		switch f := v.Field(i); {
		case f.CanInt() && f.Int() < 0, f.CanFloat() && f.Float() < 0:
			f.SetZero()
		}
	}
}

// objective compiles the objective of the settings for training this model.
func (m *Model) objective() (objectives.Objective, error) {
	c := &m.Config
	cfg := objectives.Config{
		Batch: c.Batch, Precision: m.precision(), Threads: c.cores(), Seed: c.Seed,
		Data: m.data.points(fitPoints, train.Stream(c.Seed, "fit")),
	}
	if c.EnergyL2 > 0 {
		cfg.Regularizers = append(cfg.Regularizers, objectives.EnergyL2{Alpha: c.EnergyL2})
	}
	if c.GradientPenalty > 0 {
		cfg.Regularizers = append(cfg.Regularizers, objectives.GradientPenalty{Lambda: c.GradientPenalty})
	}
	return objectives.New(c.Objective, m.Network, m.Params, cfg)
}

// fingerprint identifies what training depends on.
func (j *Job) fingerprint() (string, error) {
	c := j.Config
	c.Threads, c.MaxMemory = 0, 0
	l, err := c.Layer()
	if err != nil {
		return "", err
	}
	for key, value := range before() {
		if string(l[key]) == value {
			delete(l, key) // a run that was begun before there was the setting goes on
		}
	}
	if c.Bridge > 0 {
		l["odds"] = json.RawMessage(fmt.Sprint(oddsForm))
	}
	if j.Model.data.unwarped != nil { // an earlier program had none
		l["warp"] = json.RawMessage("1")
	}
	b, err := json.Marshal(l) // keys in alphabetical order
	return fmt.Sprintf("1 %s %s", j.Model.data.sum, b), err
}

// otherData reports whether a fingerprint is from a run with the same settings on other points.
func otherData(old, own string) bool {
	sum, settings, ok := fingerprintParts(old)
	ownSum, ownSettings, _ := fingerprintParts(own)
	return ok && sum != ownSum && settings == ownSettings
}

// fingerprintParts returns the sum of the points and the settings that a fingerprint is made of.
func fingerprintParts(fingerprint string) (sum, settings string, ok bool) {
	parts := strings.SplitN(fingerprint, " ", 3)
	if len(parts) != 3 {
		return "", "", false
	}
	return parts[1], parts[2], true
}
