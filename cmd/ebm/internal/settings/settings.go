// Package settings is what one training run is made of: the flags of `ebm train`, the keys of config.json.
package settings

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
)

// Settings is everything the course and the result of a run depend on. Each field is a flag and a key of config.json,
// under the name of its json tag. The values in a run directory are complete: no default is left to be filled in.
type Settings struct {
	Dataset     string  `json:"dataset" help:"Distribution by name (see: ebm data), a .csv, .npy or .npz file, or a .png picture as a density." group:"data"`
	Standardize bool    `json:"standardize" negatable:"" help:"Bring every column of the data to mean 0 and deviation 1; undone on output. On by default for files." group:"data"`
	Smooth      float64 `json:"smooth" help:"Share from 0 to 1 of the scatter of a point's neighbours that noise takes over, on points of a file, less where these are many; without it they are learnt by heart, soonest by what matches scores." group:"data"`

	TrainPoints int `json:"train-points" help:"Draw that many points of a distribution once and train on them as on those of a file, a tenth set aside, with the truth to judge by; 0 draws fresh ones at every step." group:"data"`

	Objective  string  `json:"objective" help:"What is minimised: ${objectives}; nce by default for files." group:"objective"`
	Sigma      float64 `json:"sigma" help:"Noise of dsm, smallest of dsm-multi, perturbation of cnce, mpf, ed." group:"objective"`
	SigmaMax   float64 `json:"sigma-max" help:"Largest noise of dsm-multi." group:"objective"`
	Levels     int     `json:"levels" help:"Noise levels of dsm-multi." group:"objective"`
	Paired     bool    `json:"paired" negatable:"" help:"Noise of dsm and dsm-multi in pairs ±ε: less scatter the smaller it is, at twice the price." group:"objective"`
	Slices     int     `json:"slices" help:"Random directions per sample of ssm, ssm-vr, fd-ssm, sm-hutchinson." group:"objective"`
	Projection string  `json:"projection" help:"Their law: rademacher, gaussian or sphere." group:"objective"`
	Bridge     float64 `json:"bridge" help:"Share of a known background mixed into the data, which the model knows of: shows score matching the weights of separate modes. 0 is off." group:"objective"`
	Noise      string  `json:"noise" help:"Noise density of nce and of jumps: gaussian, box, kde or mixture." group:"objective"`
	NoiseRatio int     `json:"noise-ratio" help:"Noise samples per datum." group:"objective"`
	ChainSteps int     `json:"chain-steps" help:"Transitions per gradient of ml, pcd, cd." group:"objective"`
	ChainMoves string  `json:"chain-sampler" help:"Of these chains: langevin, or mala with a step that follows the acceptance." group:"objective"`
	ChainSize  float64 `json:"chain-step-size" help:"Their step, the first one of mala." group:"objective"`
	Jumps      int     `json:"jumps" help:"Proposals from the noise before them, which cross between modes." group:"objective"`
	Buffer     int     `json:"buffer" help:"Slots of the replay buffer of ml." group:"objective"`
	Restart    float64 `json:"restart" help:"Share of chains of ml that start afresh." group:"objective"`
	Alpha      float64 `json:"alpha" help:"Energy penalty of ml, cd, pcd; above 0 it is a bias." group:"objective"`
	L2         float64 `json:"energy-l2" help:"Penalty on squared energies, for any objective." group:"objective"`
	Gradient   float64 `json:"gradient-penalty" help:"Penalty on squared gradients of the energy, for any objective; keeps it flat." group:"objective"`

	Energy     string  `json:"energy" help:"Kind of network: fourier (an MLP on sines and cosines of x), mlp or residual." group:"energy"`
	Hidden     []int   `json:"hidden" help:"Widths of the hidden layers." placeholder:"W" group:"energy"`
	Activation string  `json:"activation" help:"Of the hidden layers: ${activations}." group:"energy"`
	FirstGain  float64 `json:"first-gain" help:"Factor on the initial weights of the first layer; larger learns sharper." group:"energy"`
	Spectral   float64 `json:"spectral-norm" help:"Spectral norm that every weight matrix of the layers is scaled to, which bounds the network's slope; 0 leaves them as they are." group:"energy"`
	Precision  string  `json:"precision" help:"Of the compiled graph: float32 or float64." group:"energy"`

	Batch       int     `json:"batch" help:"Samples per step." group:"training"`
	Steps       int     `json:"steps" help:"Optimizer steps." group:"training"`
	LR          float64 `json:"lr" help:"Learning rate." group:"training"`
	Schedule    string  `json:"schedule" help:"Of the learning rate: cosine or constant." group:"training"`
	Warmup      int     `json:"warmup" help:"Steps during which the rate rises." group:"training"`
	Optimizer   string  `json:"optimizer" help:"adam or adamw." group:"training"`
	WeightDecay float64 `json:"weight-decay" help:"Of adamw." group:"training"`
	Clip        float64 `json:"clip" help:"Largest gradient norm; 0 is off." group:"training"`
	EMA         float64 `json:"ema" help:"Decay of the weights' average, which reaches over at most the last quarter of the steps so far; 0 is off." group:"training"`
	Seed        uint64  `json:"seed" help:"Of every random stream." group:"training"`
	Threads     int     `json:"threads" help:"Of the compiled graph, 0 for one per core up to 4; results do not depend on it." group:"training"`

	Sampler     string  `json:"sampler" help:"langevin, mala, hmc, nuts, annealed (down the noise levels of dsm-multi, else down the temperature) or tempering." group:"sampling"`
	SamplerStep float64 `json:"sampler-step" help:"Step size, the first one of annealed and tempering; 0 finds one during warm-up." group:"sampling"`
	Leapfrog    int     `json:"leapfrog" help:"Leapfrog steps per transition of hmc." group:"sampling"`
	Crossings   int     `json:"sampler-jumps" help:"Proposals from blurred data before each transition of langevin, mala, hmc and nuts, accepted by Metropolis' rule: chains change modes by them. 0 is the bare sampler." group:"sampling"`
	Samples     int     `json:"samples" help:"Samples drawn at the end." group:"sampling"`
	Chains      int     `json:"chains" help:"Chains that draw them." group:"sampling"`
	Adapt       int     `json:"adapt" help:"Transitions that adapt step and mass of the sampler." group:"sampling"`
	BurnIn      int     `json:"burn-in" help:"Transitions between these and the first sample." group:"sampling"`
	Thin        int     `json:"thin" help:"Transitions between samples of a chain." group:"sampling"`

	TestPoints int `json:"test-points" help:"Fresh points that the likelihood is measured on." group:"output"`
	Grid       int `json:"grid" help:"Most cells along an axis that densities are integrated on." group:"output"`
	Frames     int `json:"frames" help:"Frames of the animation; 0 draws none." group:"output"`
	Record     int `json:"record-every" help:"Steps between records in metrics.jsonl; 0: a hundredth of all." group:"output"`
	Checkpoint int `json:"checkpoint-every" help:"Steps between checkpoints; 0: a twentieth of all." group:"output"`
}

// Default is the default job before the objective has had its say.
func Default() Settings {
	return Settings{
		Dataset: "4squares", Objective: "sm",
		Sigma: 0.1, SigmaMax: 3, Levels: 10, Slices: 1, Projection: "rademacher",
		Noise: "mixture", NoiseRatio: 2, ChainSteps: 10, ChainMoves: "langevin", ChainSize: 0.01, Jumps: 1, Buffer: 10000, Restart: 0.05,
		Energy: "fourier", Hidden: []int{128, 128}, Activation: "silu", FirstGain: 3, Precision: "float32",
		Batch: 256, Steps: 4000, LR: 2e-3, Schedule: "cosine", Warmup: 100, Optimizer: "adam", Clip: 1, EMA: 0.995, Seed: 1,
		Sampler: "hmc", Leapfrog: 10, Crossings: 4, Samples: 10000, Chains: 1000, Adapt: 100, BurnIn: 20, Thin: 5,
		TestPoints: 100000, Grid: 3200, Frames: 60, Record: 0, Checkpoint: 0,
	}
}

// Cores is the number of threads to use: that of the settings, or one per core of this machine up to 4.
func (s Settings) Cores() int {
	if s.Threads > 0 {
		return s.Threads
	}
	return min(runtime.GOMAXPROCS(0), 4)
}

// Keys are the names of the settings, in order.
func Keys() []string {
	t := reflect.TypeFor[Settings]()
	keys := make([]string, t.NumField())
	for i := range keys {
		keys[i] = t.Field(i).Tag.Get("json")
	}
	return keys
}

// Layer is a partial set of settings by key.
type Layer map[string]json.RawMessage

// Layer is s as a complete layer.
func (s Settings) Layer() Layer {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // plain numbers and strings
	}
	var l Layer
	if err := json.Unmarshal(b, &l); err != nil {
		panic(err)
	}
	return l
}

// Given is the settings under the named keys as a layer; keys that are no settings are passed over. A number that is not
// finite is an error.
func (s Settings) Given(keys []string) (Layer, error) {
	l := make(Layer)
	v := reflect.ValueOf(s)
	for i, key := range Keys() {
		if !slices.Contains(keys, key) {
			continue
		}
		raw, err := json.Marshal(v.Field(i).Interface())
		if err != nil {
			return nil, exit.Usagef("--%s %v: want %s", key, v.Field(i), want(v.Field(i).Type()))
		}
		l[key] = raw
	}
	return l, nil
}

// Flag is the name of the flag for a field of Settings, "" for other names.
func Flag(field string) string {
	f, ok := reflect.TypeFor[Settings]().FieldByName(field)
	if !ok {
		return ""
	}
	return f.Tag.Get("json")
}

// Merge puts the layers over one another, the last on top. The keys must be known and complete at the bottom.
func Merge(layers ...Layer) (Settings, error) {
	all := make(Layer)
	for _, l := range layers {
		maps.Copy(all, l)
	}
	b, err := json.Marshal(all)
	if err != nil {
		return Settings{}, err
	}
	var s Settings
	err = json.Unmarshal(b, &s)
	return s, err
}

// field is the type of the setting under key.
func field(key string) (reflect.Type, bool) {
	t := reflect.TypeFor[Settings]()
	for i := range t.NumField() {
		if t.Field(i).Tag.Get("json") == key {
			return t.Field(i).Type, true
		}
	}
	return nil, false
}

// want says in words what a value of type t looks like.
func want(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Int, reflect.Uint64:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "whole numbers, such as 128,128"
	}
	return "text"
}

// ParseAssignment reads key=value.
func ParseAssignment(text string) (Layer, error) {
	key, value, ok := strings.Cut(text, "=")
	if !ok {
		return nil, exit.Usagef("--set %s: want key=value, such as --set lr=0.001", text)
	}
	key = strings.TrimSpace(key)
	t, ok := field(key)
	if !ok {
		return nil, exit.Unknown("--set: key", key, Keys())
	}
	raw := []byte(strings.TrimSpace(value))
	switch t.Kind() {
	case reflect.String:
		raw, _ = json.Marshal(strings.TrimSpace(value))
	case reflect.Slice:
		raw = []byte("[" + strings.Trim(string(raw), "[]") + "]")
	case reflect.Float64:
		if f, err := strconv.ParseFloat(string(raw), 64); err == nil && !math.IsNaN(f) && !math.IsInf(f, 0) {
			raw = strconv.AppendFloat(nil, f, 'g', -1, 64)
		}
	}
	if json.Unmarshal(raw, reflect.New(t).Interface()) != nil || string(raw) == "null" {
		return nil, exit.Usagef("--set %s: value %q, want %s", key, value, want(t))
	}
	return Layer{key: raw}, nil
}

// Parse reads a configuration file's bytes. others are keys that it may hold besides the settings; they are returned
// apart.
func Parse(name string, b []byte, others []string) (settings, rest Layer, err error) {
	if len(b) > 1<<20 {
		return nil, nil, exit.Usagef("%s: %d bytes, a configuration has at most %d", name, len(b), 1<<20)
	}
	var all Layer
	dec := json.NewDecoder(bytes.NewReader(b))
	if err := dec.Decode(&all); err != nil || all == nil {
		var other *json.UnmarshalTypeError
		switch {
		case err == nil:
			err = errors.New("it is null")
		case errors.As(err, &other):
			err = fmt.Errorf("it is of type %s", other.Value)
		}
		return nil, nil, exit.Usagef("%s is not a JSON object of settings: %w", name, err)
	}
	if dec.More() {
		return nil, nil, exit.Usagef("%s: something follows the JSON object", name)
	}
	if err := checkFormat(name, all[formatKey]); err != nil {
		return nil, nil, err
	}
	delete(all, formatKey)
	settings, rest = make(Layer), make(Layer)
	for _, key := range slices.Sorted(maps.Keys(all)) {
		raw := all[key]
		if slices.Contains(others, key) {
			rest[key] = raw
			continue
		}
		t, ok := field(key)
		if !ok {
			return nil, nil, exit.Unknown(name+": key", key, append(Keys(), others...))
		}
		if json.Unmarshal(raw, reflect.New(t).Interface()) != nil || string(raw) == "null" {
			return nil, nil, exit.Usagef("%s: %q is %s, want %s", name, key, raw, want(t))
		}
		settings[key] = raw
	}
	return settings, rest, nil
}

// Format is the version of the run directory, which config.json names by the key of that name; a file without it is of version 1. It
// rises with every change by which a run directory of before cannot be read, or would be read wrongly.
const Format = 2

// formatKey is the key of Format in config.json.
const formatKey = "format"

// JSON is the settings as a JSON object.
func (s Settings) JSON() []byte { return indent(s) }

// Config is the text of config.json: the settings, and the format of the directory it stands in.
func (s Settings) Config() []byte {
	return indent(struct {
		Format int `json:"format"`
		Settings
	}{Format, s})
}

func indent(v any) []byte {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		panic(err)
	}
	return append(b, '\n')
}

// checkFormat refuses a configuration of another format than this program's, by both numbers.
func checkFormat(name string, raw json.RawMessage) error {
	if raw == nil {
		return nil
	}
	var v int
	switch err := json.Unmarshal(raw, &v); {
	case err != nil || v < 1:
		return exit.Usagef("%s: %q is %s, want a whole number of at least 1", name, formatKey, raw)
	case v > Format:
		return exit.Usagef("%s: run directory format version %d, this program reads version %d: use the program that wrote it, or a newer one", name, v, Format)
	case v < Format:
		return exit.Usagef("%s: run directory format version %d, this program reads version %d: use the program that wrote it", name, v, Format)
	}
	return nil
}

// The largest values that are taken at their word. Beyond them memory ends, which no program survives, or a step does not, and with it
// the wait for a checkpoint after a signal.
const (
	MaxRows    = 10_000_000    // of a table: samples, test points, a replay buffer
	MaxThreads = 1024          // and workers
	maxSteps   = 1_000_000_000 // between any two of which the program can be stopped
	maxTurns   = 10_000        // of a loop within a step
	maxWeights = 1 << 27
)

// threads is what is wanted of a number of threads.
var threads = fmt.Sprintf("1 to %d, or 0 for one per core", MaxThreads)

// CheckThreads refuses a number of threads of the flag that is none.
func CheckThreads(flag string, n int) error {
	if n < 0 || n > MaxThreads {
		return exit.Usagef("%s %d: want %s", flag, n, threads)
	}
	return nil
}

// weights is the number of weights between the hidden layers.
func (s Settings) weights() int {
	n := 0
	for i := 1; i < len(s.Hidden); i++ {
		n += s.Hidden[i-1] * s.Hidden[i]
	}
	return n
}

// Check reports every setting that is out of range, in terms of its flag. Names are checked by those who know them.
func (s Settings) Check() error {
	var bad []string
	check := func(ok bool, key string, value any, want string) {
		if !ok {
			bad = append(bad, fmt.Sprintf("--%s %v: want %s", key, value, want))
		}
	}
	atMost := func(key string, v, most int) { check(v <= most, key, v, fmt.Sprintf("at most %d", most)) }
	positive := func(key string, v, most int) { check(v > 0, key, v, "> 0"); atMost(key, v, most) }
	nonneg := func(key string, v, most int) { check(v >= 0, key, v, ">= 0"); atMost(key, v, most) }
	finite := func(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

	check(s.TrainPoints == 0 || s.TrainPoints >= 2, "train-points", s.TrainPoints, "0 or >= 2")
	atMost("train-points", s.TrainPoints, MaxRows)
	check(s.Smooth >= 0 && s.Smooth <= 1, "smooth", s.Smooth, "in [0, 1]")
	sigma := "> 0"
	if s.Objective == "dsm" {
		sigma = "> 0: without noise there is nothing to denoise; take a tenth of the finest detail of the data, or --objective sm"
	}
	check(s.Sigma > 0 && finite(s.Sigma), "sigma", s.Sigma, sigma)
	if s.Objective == "dsm-multi" {
		check(s.SigmaMax > s.Sigma, "sigma-max", s.SigmaMax, fmt.Sprintf("> --sigma, which is %v: the levels fall from one to the other", s.Sigma))
	}
	check(s.SigmaMax > 0 && finite(s.SigmaMax), "sigma-max", s.SigmaMax, "> 0")
	check(s.Levels >= 2, "levels", s.Levels, ">= 2")
	atMost("levels", s.Levels, 1000)
	positive("slices", s.Slices, 256)
	positive("noise-ratio", s.NoiseRatio, 1000)
	positive("chain-steps", s.ChainSteps, maxTurns)
	check(s.ChainMoves == "langevin" || s.ChainMoves == "mala", "chain-sampler", s.ChainMoves, "langevin or mala")
	check(s.ChainSize > 0 && finite(s.ChainSize), "chain-step-size", s.ChainSize, "> 0")
	nonneg("jumps", s.Jumps, maxTurns)
	positive("buffer", s.Buffer, MaxRows)
	if s.Objective == "ml" {
		check(s.Buffer >= s.Batch, "buffer", s.Buffer, fmt.Sprintf("at least --batch, which is %d: every row takes a slot of its own", s.Batch))
	}
	check(s.Restart >= 0 && s.Restart <= 1, "restart", s.Restart, "in [0, 1]")
	check(s.L2 >= 0 && finite(s.L2), "energy-l2", s.L2, ">= 0")
	check(s.Gradient >= 0 && finite(s.Gradient), "gradient-penalty", s.Gradient, ">= 0")
	check(s.Spectral >= 0 && finite(s.Spectral), "spectral-norm", s.Spectral, ">= 0")
	check(s.Spectral == 0 || s.WeightDecay == 0, "spectral-norm", s.Spectral, "0 with --weight-decay: scaled weights have no size left to decay, take one of both")
	check(s.Alpha >= 0 && finite(s.Alpha), "alpha", s.Alpha, ">= 0")
	check(s.Bridge >= 0 && s.Bridge < 1, "bridge", s.Bridge, "in [0, 1)")
	check(len(s.Hidden) > 0 && len(s.Hidden) <= 16, "hidden", s.Hidden, "1 to 16 widths, such as 128,128")
	for _, w := range s.Hidden {
		check(w > 0 && w <= 8192, "hidden", w, "widths from 1 to 8192")
	}
	if weights := s.weights(); len(bad) == 0 {
		check(weights <= maxWeights, "hidden", s.Hidden, fmt.Sprintf("at most %d weights, these are %d", maxWeights, weights))
	}
	check(s.FirstGain > 0 && finite(s.FirstGain), "first-gain", s.FirstGain, "> 0")
	check(s.Precision == "float32" || s.Precision == "float64", "precision", s.Precision, "float32 or float64")
	check(s.Batch > 0 && s.Batch <= 1<<20, "batch", s.Batch, "1 to 1048576")
	nonneg("steps", s.Steps, maxSteps)
	check(s.LR > 0 && finite(s.LR), "lr", s.LR, "> 0")
	check(s.Schedule == "cosine" || s.Schedule == "constant", "schedule", s.Schedule, "cosine or constant")
	nonneg("warmup", s.Warmup, maxSteps)
	check(s.Optimizer == "adam" || s.Optimizer == "adamw", "optimizer", s.Optimizer, "adam or adamw")
	check(s.WeightDecay >= 0 && finite(s.WeightDecay), "weight-decay", s.WeightDecay, ">= 0")
	check(s.WeightDecay == 0 || s.Optimizer == "adamw", "weight-decay", s.WeightDecay, "--optimizer adamw with it")
	check(s.Clip >= 0 && finite(s.Clip), "clip", s.Clip, ">= 0")
	check(s.EMA >= 0 && s.EMA < 1, "ema", s.EMA, "in [0, 1)")
	check(s.Threads >= 0 && s.Threads <= MaxThreads, "threads", s.Threads, threads)
	check(s.SamplerStep >= 0 && finite(s.SamplerStep), "sampler-step", s.SamplerStep, "> 0, or 0 to find one")
	positive("leapfrog", s.Leapfrog, maxTurns)
	nonneg("sampler-jumps", s.Crossings, maxTurns)
	check(s.Samples == 0 || s.Samples >= 2, "samples", s.Samples, "0 or at least 2: one is not judged")
	atMost("samples", s.Samples, MaxRows)
	positive("chains", s.Chains, MaxRows)
	nonneg("adapt", s.Adapt, maxSteps)
	check(s.Adapt != 0 || s.SamplerStep > 0 || s.Samples == 0 || s.Sampler == "langevin", "adapt", s.Adapt, "> 0, or --sampler-step: without adaptation no step is found")
	nonneg("burn-in", s.BurnIn, maxSteps)
	positive("thin", s.Thin, maxSteps)
	check(s.TestPoints >= 100, "test-points", s.TestPoints, ">= 100")
	atMost("test-points", s.TestPoints, MaxRows)
	check(s.Grid >= 50, "grid", s.Grid, ">= 50")
	atMost("grid", s.Grid, 20000)
	check(s.Frames >= 0 && s.Frames <= 1000, "frames", s.Frames, "0 to 1000")
	nonneg("record-every", s.Record, maxSteps)
	nonneg("checkpoint-every", s.Checkpoint, maxSteps)
	if len(bad) == 0 {
		return nil
	}
	return exit.Usagef("%s", strings.Join(bad, "; "))
}
