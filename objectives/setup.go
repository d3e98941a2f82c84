package objectives

import (
	"errors"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/energy"
)

// Setup describes what a Form is created for.
type Setup struct {
	Energy    energy.Energy
	Params    *energy.Params
	Data      *mat.Dense // points of the training set, to fit noises to; nil: none
	Batch     int
	Precision energy.Precision
	Threads   int
	Seed      uint64 // of what the objective initialises
}

// rng returns the random stream for what an objective initialises.
func (s Setup) rng() *rand.Rand { return rand.New(rand.NewPCG(s.Seed, 0x6f626a6563746976)) }

// evaluator returns the settings for compiling energies of batch points at a time.
func (s Setup) evaluator(batch int) energy.EvaluatorConfig {
	return energy.EvaluatorConfig{Batch: batch, Precision: s.Precision, Threads: s.Threads}
}

// noise returns the density, or the named noise fitted to the data.
func (s Setup) noise(name NoiseName, density Noise) (Noise, error) {
	if density != nil {
		return density, nil
	}
	if t, ok := s.Energy.(*energy.Tilted); ok && name == BaseNoise {
		return t.Base(), nil
	}
	return NewNoise(name, s.Data)
}

var errNoBase = errors.New(`objectives: noise "base" is the base of an energy.Tilted, which this energy is not; take "mixture"`)
