package energy

import (
	"math/rand/v2"
	"sync"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/density"
)

// CompiledDensity is a density whose log-density and score are computed by a compiled graph: many times faster than by
// the density itself if that is a mixture of many components.
type CompiledDensity struct {
	q     density.Density
	fresh *Evaluator // never called, so it allocates no buffers
	mu    sync.Mutex
	free  []*Evaluator // one for each goroutine that was ever active at once
}

var (
	_ density.Density = (*CompiledDensity)(nil)
	_ density.Scorer  = (*CompiledDensity)(nil)
)

// CompileDensity compiles q, a density for which [NewDensity] has a graph, in the precision and for the blocks of cfg.
// It may be used by several goroutines at once.
func CompileDensity(q density.Density, cfg EvaluatorConfig) (*CompiledDensity, error) {
	e, err := NewDensity(q)
	if err != nil {
		return nil, err
	}
	eval, err := NewEvaluator(e, NewParams(nil), cfg)
	if err != nil {
		return nil, err
	}
	return &CompiledDensity{q: q, fresh: eval.Clone(), free: []*Evaluator{eval}}, nil
}

func (c *CompiledDensity) borrow() *Evaluator {
	c.mu.Lock()
	defer c.mu.Unlock()
	last := len(c.free) - 1
	if last < 0 {
		return c.fresh.Clone()
	}
	eval := c.free[last]
	c.free = c.free[:last]
	return eval
}

func (c *CompiledDensity) giveBack(eval *Evaluator) {
	c.mu.Lock()
	c.free = append(c.free, eval)
	c.mu.Unlock()
}

// Dim returns the dimension of q.
func (c *CompiledDensity) Dim() int { return c.q.Dim() }

// Sample draws from q.
func (c *CompiledDensity) Sample(dst *mat.Dense, rng *rand.Rand) { c.q.Sample(dst, rng) }

// LogProb stores the log-density.
func (c *CompiledDensity) LogProb(dst []float64, x *mat.Dense) {
	eval := c.borrow()
	defer c.giveBack(eval)
	if err := eval.Energies(dst, x); err != nil {
		panic(err) // a function compiled for these shapes does not fail
	}
	for i := range dst {
		dst[i] = -dst[i]
	}
}

// Score stores ∇ log q.
func (c *CompiledDensity) Score(dst, x *mat.Dense) {
	eval := c.borrow()
	defer c.giveBack(eval)
	n, _ := x.Dims()
	if err := eval.EnergyGrad(make([]float64, n), dst, x); err != nil {
		panic(err)
	}
	dst.Scale(-1, dst)
}
