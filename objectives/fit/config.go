package fit

import (
	"runtime"

	"github.com/stheno-ebm/stheno/datasets/table"
	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/objectives"
)

// Config is everything that the course and the result of a run depend on, beside the data. The zero value of a field means
// the default that suits the data and the objective; where 0 could be meant itself, a negative number says none. Under its key,
// in a config.json, 0 is 0.
//
// [Job.Config] is complete: no default is left to be filled in.
type Config struct {
	// Dataset is what datasets.Open finds the data by again: a name, or the path of a file. It is stored with the run.
	Dataset     string  `json:"dataset" group:"data" help:"Distribution by name (see: ebm data), a .csv, .npy or .npz file, or a .png picture as a density."`
	Standardize Switch  `json:"standardize" group:"data" help:"Bring every column of the data to mean 0 and deviation 1; undone on output. On by default for files."`
	Smooth      float64 `json:"smooth" zero:"none" group:"data" help:"Share from 0 to 1 of the scatter of a point's neighbours by which finitely many points are blurred, less where these are many; without it they are overfitted, soonest by score matching."`
	TrainPoints int     `json:"train-points" group:"data" help:"Draw that many points of a distribution once and train on them as on those of a file, a tenth set aside, with the truth to judge by; 0 draws fresh ones at every step."`

	// How files are read, see datasets.OpenOptions. They are refused where the data are no file of that kind.
	Header    string   `json:"header" group:"data" help:"Whether the first line of a text file is a header: auto, yes or no."`
	Missing   string   `json:"missing" group:"data" help:"What becomes of rows of a file in which a value is missing: error; drop; or mean, which fills the mean of the column in."`
	Columns   []string `json:"columns" group:"data" placeholder:"C" help:"Columns of a file to read, by name or number, in this order; all by default."`
	Array     string   `json:"array" group:"data" help:"Array of an .npz file with several: by default the one called x, X, points, samples, data or arr_0, or the only one with rows and columns."`
	Transpose bool     `json:"transpose" group:"data" help:"Read the columns of a file as points."`
	Invert    bool     `json:"invert" group:"data" help:"Mass where a picture is light; by default it is where it is dark."`
	Threshold float64  `json:"threshold" group:"data" help:"Ink of a picture, from 0 to 1, up to which a pixel is blank; 0: that of grey paper; -1: none."`
	MaxMemory int      `json:"max-memory" group:"data" placeholder:"MB" help:"Memory that reading the data may take, in MB; more is refused before it is taken."`

	// Objective is what is minimised; its settings stand beside the others in a config.json, under its registered name. nil is
	// nce where the points are the user's own, else sm. Name is that name where an objective is registered under several.
	Objective       objectives.Method `json:"-"`
	Name            string            `json:"objective" group:"objective" help:"What is minimised: ${objectives}; nce by default for files."`
	Bridge          float64           `json:"bridge" zero:"none" group:"objective" help:"Share of a known background mixed into the data, which the model knows of: shows score matching the weights of separate modes. 0 is off."`
	EnergyL2        float64           `json:"energy-l2" group:"objective" help:"Penalty on squared energies, for any objective."`
	GradientPenalty float64           `json:"gradient-penalty" group:"objective" help:"Penalty on squared gradients of the energy, for any objective; keeps it flat."`

	Base         Switch  `json:"base" before:"false" group:"energy" help:"Begin with a density fitted to the points, a mixture of Gaussians, that the network corrects, as far as that helps on points held back; it is the baseline of the measures. On by default for points of files and --train-points, where the objective learns one density."`
	Network      string  `json:"energy" group:"energy" help:"Kind of network: ${networks}."`
	Hidden       []int   `json:"hidden" group:"energy" placeholder:"W" help:"Widths of the hidden layers."`
	Activation   string  `json:"activation" group:"energy" help:"Of the hidden layers: ${activations}."`
	FirstGain    float64 `json:"first-gain" group:"energy" help:"Factor on the initial weights of the first layer; larger learns sharper."`
	SpectralNorm float64 `json:"spectral-norm" group:"energy" help:"Spectral norm that every weight matrix of the layers is scaled to, which bounds the network's slope; 0 leaves them as they are."`
	Precision    string  `json:"precision" group:"energy" help:"Of the compiled graph: float32 or float64."`

	Batch        int     `json:"batch" group:"training" help:"Samples per step."`
	Steps        int     `json:"steps" zero:"none" group:"training" help:"Optimizer steps."`
	LearningRate float64 `json:"lr" group:"training" help:"Learning rate."`
	Schedule     string  `json:"schedule" group:"training" help:"Of the learning rate: cosine or constant."`
	Warmup       int     `json:"warmup" zero:"none" group:"training" help:"Steps during which the rate rises."`
	Optimizer    string  `json:"optimizer" group:"training" help:"adam or adamw."`
	WeightDecay  float64 `json:"weight-decay" group:"training" help:"Of adamw."`
	Clip         float64 `json:"clip" zero:"none" group:"training" help:"Largest gradient norm; 0 is off."`
	Average      float64 `json:"ema" zero:"none" group:"training" help:"Decay of the weights' average, which reaches over at most the last quarter of the steps so far; 0 is off."`
	Patience     int     `json:"patience" group:"training" help:"Stop when points that are held back are learnt no better for that many fiftieths of the steps, and keep the weights that were best on them; for points of a file and --train-points. 0 takes all steps, and the last weights."`
	Seed         uint64  `json:"seed" group:"training" help:"Of every random stream."`
	Threads      int     `json:"threads" group:"training" help:"Of the compiled graph, 0 for one per core up to 4; results do not depend on it."`

	Sampler      string  `json:"sampler" group:"sampling" help:"${samplers}."`
	SamplerStep  float64 `json:"sampler-step" group:"sampling" help:"Step size, the first one of annealed and tempering; 0 finds one during warm-up."`
	Leapfrog     int     `json:"leapfrog" group:"sampling" help:"Leapfrog steps per transition of hmc."`
	SamplerJumps int     `json:"sampler-jumps" zero:"none" group:"sampling" help:"Proposals from blurred data before each transition of langevin, mala, hmc and nuts, accepted by Metropolis' rule: chains change modes by them. 0 is the bare sampler."`
	Samples      int     `json:"samples" zero:"none" group:"sampling" help:"Samples drawn at the end."`
	Chains       int     `json:"chains" group:"sampling" help:"Chains that draw them."`
	Adapt        int     `json:"adapt" zero:"none" group:"sampling" help:"Transitions that adapt step and mass of the sampler."`
	BurnIn       int     `json:"burn-in" zero:"none" group:"sampling" help:"Transitions between these and the first sample."`
	Thin         int     `json:"thin" group:"sampling" help:"Transitions between samples of a chain."`

	TestPoints      int `json:"test-points" group:"output" help:"Fresh points that the likelihood is measured on."`
	Grid            int `json:"grid" group:"output" help:"Most cells along an axis that densities are integrated on."`
	Frames          int `json:"frames" zero:"none" group:"output" help:"Frames of the animation; 0 draws none."`
	RecordEvery     int `json:"record-every" group:"output" help:"Steps between records in metrics.jsonl; 0: a hundredth of all."`
	CheckpointEvery int `json:"checkpoint-every" group:"output" help:"Steps between checkpoints; 0: a twentieth of all."`

	// Out is the run directory that is written; "" writes none. See package rundir for what is in it.
	Out string `json:"-"`

	Hooks Hooks `json:"-"`

	given    Layer // what is meant literally, by Read
	complete bool  // every field is as it is meant
}

// Switch is on, off, or as it suits the data.
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

// onIf is On or Off.
func onIf(b bool) Switch {
	if b {
		return On
	}
	return Off
}

// fallback is what suits every objective and all data; a Recipe goes over it.
func fallback() Config {
	return Config{
		Network: defaultNetwork, Hidden: []int{128, 128}, Activation: string(energy.SiLU), FirstGain: 3, Precision: energy.Float32.String(),
		Schedule: scheduleNames[0], Optimizer: optimizerNames[0], Seed: 1,
		Sampler: defaultSampler, Leapfrog: 10, SamplerJumps: 4, Samples: 10000, Chains: 1000, Adapt: 100, BurnIn: 20, Thin: 5,
		TestPoints: 100000, Grid: 3200, Frames: 60,
		Header: string(table.HeaderAuto), Missing: string(table.MissingError), Columns: []string{}, MaxMemory: table.DefaultMemory >> 20,
	}
}

// cores is the number of threads to use: that of the settings, or one per core of this machine up to 4.
func (c *Config) cores() int {
	if c.Threads > 0 {
		return c.Threads
	}
	return min(runtime.GOMAXPROCS(0), 4)
}

// RecordInterval is the number of steps between records.
func (c *Config) RecordInterval() int {
	if c.RecordEvery > 0 {
		return c.RecordEvery
	}
	return max(1, c.Steps/100)
}
