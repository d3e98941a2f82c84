package objectives

import (
	"cmp"
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/density"
)

// Method is an objective as a value. Its settings are the fields of a struct, and it describes itself: a Method from
// another module can do everything that those of this package can.
//
// A method that is [Stateful] is part of the state of its objective, unless its form is.
//
// The fields that users may set carry the tags `json:"key" help:"sentence"`: the key names the setting in
// configuration files and on the command line. See [Fields], [Encode] and [Decode].
type Method interface {
	// Traits describes the objective and its needs under these settings.
	Traits() Traits

	// Validate names every field out of range, each by a [*FieldError], of a method with all fields set, as returned by
	// Suited.
	Validate() error

	// Suited returns a copy, of the same dynamic type, with zero fields set to suit the data. It is idempotent.
	Suited(data Facts) Method

	// Recipe returns training settings that suit it on such data.
	Recipe(data Facts) Recipe

	// Form returns the loss over s.Energy, or an error with the reason and the remedy if that cannot work. It is called
	// on a method that is suited and valid.
	Form(s Setup) (Form, error)
}

// Traits describes an objective.
type Traits struct {
	Summary string // one line
	Source  string // the paper
	Bias    string // what it learns other than the density of the data; "" if nothing

	Score  bool      // it differentiates the score: E must be smooth
	Bridge bool      // blind to the weights of separated modes: it needs an energy.Bridge around the network
	Whole  bool      // its loss is not a mean over single points: with a bridge it draws from the background itself
	Blur   float64   // σ by which the learnt density is blurred; energy.BridgeConfig.Blur must be the same
	Weight float64   // its loss as a multiple of half a Fisher divergence, to scale the terms of a bridge; 0 means 1
	Levels []float64 // decreasing noise levels for the energy to be conditioned on (energy.NewAnnealable); nil: none
	Chains bool      // its loss is a difference of energies at chains, which does not show progress
	LogZ   bool      // it learns the normaliser
	Aux    bool      // it trains an auxiliary network: a critic, a flow
	// its energies are not meant to become −log p up to a constant, like those of a margin: the sentinel does not judge
	// them
	Relative bool
}

// Facts is what default settings are derived from. The zero value means two dimensions and a deviation of 1.
type Facts struct {
	Dim    int     // of the points; 0 means 2
	Spread float64 // the largest standard deviation of a coordinate; 0 means 1
	Points int     // of a finite training set; 0: fresh draws at every step
	Base   bool    // the energy is an energy.Tilted: it has a base, of which draws can be had
}

// ManyPoints is the number of training points from which the correction of a base is learnt by a wider network, faster
// and longer.
const ManyPoints = 2000

// FactsOf measures points of the training set, or draws from a distribution; nil gives the zero Facts. It leaves Points
// zero: set it if the training set is finite.
func FactsOf(data *mat.Dense) Facts {
	if data == nil || data.IsEmpty() {
		return Facts{}
	}
	_, d := data.Dims()
	return Facts{Dim: d, Spread: density.Spread(data)}
}

// noise is the one that suits: the base, where there is one.
func (f Facts) noise() NoiseName {
	if f.Base {
		return BaseNoise
	}
	return MixtureNoise
}

// spread returns Spread or its default.
func (f Facts) spread() float64 { return cmp.Or(f.Spread, 1) }

// dim returns Dim or its default.
func (f Facts) dim() int { return cmp.Or(f.Dim, 2) }

// Recipe says how to train with an objective. Zeros are meant literally: no clipping, no average, no bridge.
type Recipe struct {
	LearningRate float64 // of Adam, after the warm-up
	Batch        int     // points per step
	Steps        int
	Warmup       int     // steps over which the learning rate rises
	Clip         float64 // maximum norm of the gradient
	Average      float64 // decay of the average of the weights
	Smooth       float64 // share of the spread of their neighbours by which finitely many points are blurred
	Bridge       float64 // share of the background, for an energy that takes one
}
