package objectives

import (
	"cmp"
	"errors"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/energy"
)

// Config holds settings common to all objectives. The zero value of a field means the default.
type Config struct {
	Batch        int              // points per batch; 0 means 128
	Precision    energy.Precision // of the graph; zero is float32
	Threads      int              // 0 means 1
	Seed         uint64           // of what an objective initialises: critics, flows
	Regularizers []Regularizer    // penalties, for any objective

	// Data holds points of the training set, at least a few hundred: settings are derived from them, and noises fitted
	// to them.
	Data *mat.Dense
}

func (c Config) withDefaults() Config {
	c.Batch = cmp.Or(c.Batch, 128)
	c.Threads = cmp.Or(c.Threads, 1)
	return c
}

// Validate names every field out of range.
func (c Config) Validate() error {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("objectives: Config."+format, args...))
	}
	if c.Batch < 0 {
		bad("Batch = %d, want > 0", c.Batch)
	}
	if c.Threads < 0 {
		bad("Threads = %d, want > 0", c.Threads)
	}
	if c.Precision != energy.Float32 && c.Precision != energy.Float64 {
		bad("Precision = %d, want Float32 or Float64", c.Precision)
	}
	if c.Data != nil && c.Data.IsEmpty() {
		bad("Data has no points; give some, or nil")
	}
	for i, r := range c.Regularizers {
		if r == nil {
			bad("Regularizers[%d] is nil", i)
			continue
		}
		errs = append(errs, r.Validate())
	}
	return errors.Join(errs...)
}
