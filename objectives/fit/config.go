package fit

import (
	"runtime"

	"github.com/stheno-ebm/stheno/datasets/table"
	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/objectives"
)

// Config is everything, besides the data, that determines a run and its result. The zero value of a field means the
// default that suits the data and the objective; where 0 is itself a valid value, a negative number means none. Under
// its key in a config.json, 0 is 0.
//
// [Job.Config] is complete: all defaults are filled in.
type Config struct {
	// Dataset is the name or path by which datasets.Open finds the data again. It is stored with the run.
	Dataset     string  `json:"dataset" group:"data" help:"Distribution by name (see: ebm data), a .csv, .tsv, .txt, .npy or .npz file, or a .png picture as a density."`
	Standardize Switch  `json:"standardize" group:"data" help:"Scale every column of the data to mean 0 and deviation 1; undone on output. On by default for files."`
	Discrete    string  `json:"discrete" before:"\"off\"" group:"data" help:"Columns of a file that are learnt as probabilities, in place of a density that rises without bound on values that repeat: auto, whole or rounded numbers of which most occur more than once, or whose steps exceed a tenth of the deviation, in cells as wide as a step, and where a base is corrected columns of at most 20 values in ten rows or more each, all of them frequent; on, all on a grid of up to six decimals; off, none."`
	Smooth      float64 `json:"smooth" zero:"none" group:"data" help:"Blur finitely many points by this share, 0 to 1, of the spread of their neighbours, or less if there are many; without it they are overfitted, soonest by score matching."`
	TrainPoints int     `json:"train-points" group:"data" help:"Draw this many points from a distribution once and train on them as on those of a file, a tenth held out, but judged by the truth; 0 draws fresh ones at every step."`

	// How files are read, see datasets.OpenOptions. They are rejected if the data are not a file of that kind.
	Header    string   `json:"header" group:"data" help:"Whether the first line of a text file is a header: auto, yes or no."`
	Missing   string   `json:"missing" group:"data" help:"What to do with rows of a file in which a value is missing: error; drop; or mean, which fills in the mean of the column."`
	Columns   []string `json:"columns" group:"data" placeholder:"C" help:"Columns of a file to read, by name or number, in this order; all by default."`
	Array     string   `json:"array" group:"data" help:"Array of an .npz file to read; by default the one called x, X, points, samples, data or arr_0, or the only one with rows and columns."`
	Transpose bool     `json:"transpose" group:"data" help:"Read the columns of a file as points."`
	Invert    bool     `json:"invert" group:"data" help:"Put mass where a picture is light; by default where it is dark."`
	Threshold float64  `json:"threshold" group:"data" help:"Ink of a picture, from 0 to 1, up to which a pixel is blank; 0: that of grey paper; -1: none."`
	MaxMemory int      `json:"max-memory" group:"data" placeholder:"MB" help:"Memory limit for reading the data, in MB, checked before it is allocated."`

	// Objective is what is minimised; its settings are stored beside the others in a config.json, under its registered
	// name. nil means nce for the user's own points, else sm. Name is its name if it is registered under several.
	Objective       objectives.Method `json:"-"`
	Name            string            `json:"objective" group:"objective" help:"What is minimised: ${objectives}; nce by default for files."`
	Bridge          float64           `json:"bridge" zero:"none" group:"objective" help:"Share of a known background mixed into the data and accounted for in the model, which shows score matching the weights of separate modes; 0 is off."`
	EnergyL2        float64           `json:"energy-l2" group:"objective" help:"Penalty on squared energies, for any objective."`
	GradientPenalty float64           `json:"gradient-penalty" group:"objective" help:"Penalty on squared gradients of the energy, for any objective; keeps it flat."`

	Base         Switch  `json:"base" before:"false" group:"energy" help:"Begin with a density fitted to the points, a mixture of Gaussians, that the network corrects, as far as that helps on points held back; it is the baseline of the measures. On by default for points of files and --train-points, where the objective learns one density."`
	Network      string  `json:"energy" group:"energy" help:"Kind of network: ${networks}."`
	Hidden       []int   `json:"hidden" group:"energy" placeholder:"W" help:"Widths of the hidden layers."`
	Activation   string  `json:"activation" group:"energy" help:"Activation of the hidden layers: ${activations}."`
	FirstGain    float64 `json:"first-gain" group:"energy" help:"Factor on the initial weights of the first layer; larger learns sharper detail."`
	SpectralNorm float64 `json:"spectral-norm" group:"energy" help:"Spectral norm to which every weight matrix of the layers is scaled, which bounds the slope of the network; 0 leaves them as they are."`
	Precision    string  `json:"precision" group:"energy" help:"Precision of the compiled graph: float32 or float64."`

	Batch        int     `json:"batch" group:"training" help:"Samples per step."`
	Steps        int     `json:"steps" group:"training" help:"Optimizer steps."`
	LearningRate float64 `json:"lr" group:"training" help:"Learning rate."`
	Schedule     string  `json:"schedule" group:"training" help:"Schedule of the learning rate: cosine or constant."`
	Warmup       int     `json:"warmup" zero:"none" group:"training" help:"Steps over which the learning rate rises."`
	Optimizer    string  `json:"optimizer" group:"training" help:"Optimizer: adam or adamw."`
	WeightDecay  float64 `json:"weight-decay" group:"training" help:"Weight decay of adamw."`
	Clip         float64 `json:"clip" zero:"none" group:"training" help:"Maximum gradient norm; 0 is off."`
	Average      float64 `json:"ema" zero:"none" group:"training" help:"Decay of the average of the weights, which covers at most the last quarter of the steps so far; 0 is off."`
	Patience     int     `json:"patience" group:"training" help:"Stop when held-out points have not improved for this many fiftieths of the steps, and keep the weights that were best on them; for points of a file and --train-points. 0 takes all steps and keeps the last weights; 15 by default where the network corrects a base, as for files of more than three columns or with columns of few values."`
	Seed         uint64  `json:"seed" group:"training" help:"Seed of every random stream."`
	Threads      int     `json:"threads" group:"training" help:"Threads of the compiled graph, 0 for one per core up to 4; results do not depend on it."`

	Sampler      string  `json:"sampler" group:"sampling" help:"${samplers}. By default a model that is its base alone is drawn from exactly, by none of them."`
	SamplerStep  float64 `json:"sampler-step" group:"sampling" help:"Step size (for annealed and tempering, the initial one); 0 finds one during warm-up."`
	Leapfrog     int     `json:"leapfrog" group:"sampling" help:"Leapfrog steps per transition of hmc."`
	SamplerJumps int     `json:"sampler-jumps" zero:"none" group:"sampling" help:"Metropolis proposals from blurred data before each transition of langevin, mala, hmc and nuts, by which chains change modes; 0 uses the bare sampler."`
	Samples      int     `json:"samples" zero:"none" group:"sampling" help:"Samples drawn at the end."`
	Chains       int     `json:"chains" group:"sampling" help:"Number of chains that draw the samples."`
	Adapt        int     `json:"adapt" zero:"none" group:"sampling" help:"Warm-up transitions, which adapt step size and mass of the sampler."`
	BurnIn       int     `json:"burn-in" zero:"none" group:"sampling" help:"Transitions between warm-up and the first sample."`
	Thin         int     `json:"thin" group:"sampling" help:"Transitions between samples of a chain."`

	TestPoints      int `json:"test-points" group:"output" help:"Fresh points on which the likelihood is measured."`
	Grid            int `json:"grid" group:"output" help:"Maximum cells along an axis for integrating densities."`
	Frames          int `json:"frames" zero:"none" group:"output" help:"Frames of the animation; 0 draws none."`
	RecordEvery     int `json:"record-every" group:"output" help:"Steps between records in metrics.jsonl; 0 means a hundredth of all."`
	CheckpointEvery int `json:"checkpoint-every" group:"output" help:"Steps between checkpoints; 0 means a twentieth of all."`

	// Out is the run directory to write; "" writes none. See package rundir for its content.
	Out string `json:"-"`

	Hooks Hooks `json:"-"`

	given    Layer    // settings to be taken literally, from Read
	complete bool     // every field has its final value
	unstored []string // fields of the objective that no config.json holds
}

// Switch is on, off, or whatever suits the data.
type Switch int8

// The positions of a Switch; the zero value is Auto.
const (
	Off  Switch = -1
	Auto Switch = 0
	On   Switch = 1
)

// MarshalJSON writes true for On.
func (s Switch) MarshalJSON() ([]byte, error) {
	if s == On {
		return []byte("true"), nil
	}
	return []byte("false"), nil
}

// UnmarshalJSON reads true and false.
func (s *Switch) UnmarshalJSON(b []byte) error {
	switch string(b) {
	case "true":
		*s = On
	case "false":
		*s = Off
	default:
		return errNotBool
	}
	return nil
}

// onIf returns On or Off.
func onIf(b bool) Switch {
	if b {
		return On
	}
	return Off
}

// fallback returns settings that suit every objective and all data; a Recipe overrides them.
func fallback() Config {
	return Config{
		Network: defaultNetwork, Hidden: []int{128, 128}, Activation: string(energy.SiLU), FirstGain: 3,
		Precision: energy.Float32.String(),
		Schedule:  scheduleNames[0], Optimizer: optimizerNames[0], Seed: 1,
		Sampler: defaultSampler, Leapfrog: 10, SamplerJumps: 4, Samples: 10000, Chains: 1000, Adapt: 100, BurnIn: 20,
		Thin:       5,
		TestPoints: 100000, Grid: 3200, Frames: 60,
		Header: string(table.HeaderAuto), Missing: string(table.MissingError), Columns: []string{},
		Discrete:  discreteAuto,
		MaxMemory: table.DefaultMemory >> 20,
	}
}

// cores returns the number of threads to use: from the settings, or one per core up to 4.
func (c *Config) cores() int {
	if c.Threads > 0 {
		return c.Threads
	}
	return min(runtime.GOMAXPROCS(0), 4)
}

// recordInterval returns the number of steps between records.
func (c *Config) recordInterval() int {
	if c.RecordEvery > 0 {
		return c.RecordEvery
	}
	return max(1, c.Steps/100)
}
