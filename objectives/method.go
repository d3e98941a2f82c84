package objectives

import (
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/density"
)

// Method is an objective as a value. Its settings are the fields of a struct, and whatever others need to know of it,
// it says itself: a Method from another module is as good as those of this package.
//
// A method that is [Stateful] is part of the state of its objective, unless its form is.
//
// The fields that users may set carry the tags `json:"key" help:"sentence"`: the key names the setting in
// configuration files and on the command line. See [Fields], [Encode] and [Decode].
type Method interface {
	// Traits says what the objective is and needs under these settings.
	Traits() Traits

	// Validate names every field out of range, each by a [*FieldError], of a method whose fields are all filled, as
	// Suited leaves it.
	Validate() error

	// Suited returns a copy, of the same dynamic type, whose zero fields hold what suits the data. Suited twice is
	// Suited once.
	Suited(data Facts) Method

	// Recipe returns the training settings that suit it on such data.
	Recipe(data Facts) Recipe

	// Form returns the loss over s.Energy. It refuses what cannot work, with the reason and the remedy. It is called
	// on a method that is suited and valid.
	Form(s Setup) (Form, error)
}

// Traits is what others need to know of an objective.
type Traits struct {
	Summary string // one line
	Source  string // the paper
	Bias    string // what it learns other than the density of the data; "" if nothing

	Score  bool      // it differentiates the score: E must be smooth
	Bridge bool      // blind to the weights of modes that do not touch, it wants an energy.Bridge around the network
	Whole  bool      // its loss is no mean over single points: beside a bridge it draws from the background itself
	Blur   float64   // σ of the blur of the density that it learns; energy.BridgeConfig.Blur is to be the same
	Weight float64   // multiple of half a Fisher divergence that its loss is, as terms of a bridge are to be; 0 means 1
	Levels []float64 // noise levels that the energy is to be conditioned on (energy.NewAnnealable), falling; nil: none
	Chains bool      // its loss is a difference of energies at chains, which tells nothing of progress
	LogZ   bool      // it learns the normaliser
	Aux    bool      // it trains an auxiliary network: a critic, a flow
}

// Facts is what settings follow from. The zero value is a plane with a deviation of 1.
type Facts struct {
	Dim    int     // of the points; 0 means 2
	Spread float64 // the largest standard deviation of a coordinate; 0 means 1
	Points int     // of a finite training set; 0: fresh draws at every step
	Base   bool    // the energy is an energy.Tilted: it has a base, of which draws can be had
}

// FactsOf measures points of the training set, or draws of a distribution; nil gives the zero Facts. Points stays
// zero: set it where the training set is finite.
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

// spread is Spread with its default.
func (f Facts) spread() float64 { return or(f.Spread, 1) }

// dim is Dim with its default.
func (f Facts) dim() int { return or(f.Dim, 2) }

// Recipe is how to train with an objective. A zero is meant: no clipping, no average, no bridge.
type Recipe struct {
	LearningRate float64 // of Adam, after the warm-up
	Batch        int     // points per step
	Steps        int
	Warmup       int     // steps over which the rate rises
	Clip         float64 // largest norm of the gradient
	Average      float64 // decay of the average of the weights
	Smooth       float64 // share of the scatter of their neighbours that finitely many points are blurred by
	Bridge       float64 // share of the background, for an energy that takes one
}
