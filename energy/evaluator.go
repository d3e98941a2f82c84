package energy

import (
	"cmp"
	"errors"
	"fmt"
	"math/bits"
	"sync"
	"sync/atomic"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/graphs"
)

// EvaluatorConfig says how an energy is evaluated.
type EvaluatorConfig struct {
	// rows per call of the compiled function, ideally the number of chains or a few hundred; 0 means 256
	Batch     int
	Precision Precision // of the graph; zero is Float32
	Threads   int       // 0 means 1
}

// Evaluator computes energies and their gradients in x with the live θ of its Params. It satisfies mcmc.Target.
//
// Any number of rows is allowed: they are divided into blocks of Batch rows, and the rest goes through a function for
// the next power of two, compiled when first needed. θ is only converted and packed when its version has changed: after
// writing to θ call [Params.Changed]. A [NoiseConditional] energy is evaluated at its smallest level unless SetSigma
// sets another; the Evaluator then satisfies mcmc.NoiseTarget.
//
// An Evaluator must not be used by several goroutines at once, and panics if it is: give each a Clone, as mcmc.Cloned
// does.
type Evaluator struct {
	*compiler
	p        *Params
	step     uint64             // counts SetSigma
	sig      float64            // σ
	programs map[shape]*program // its own
	last     *program           // that of the previous call: most are of one shape
	busy     atomic.Bool
}

const errBusy = "energy: an Evaluator is called by two goroutines at a time: give each of them its own, made by " +
	"Clone; mcmc.Cloned instead of mcmc.Shared does so"

// use claims v for the calling goroutine until free.
func (v *Evaluator) use() {
	if !v.busy.CompareAndSwap(false, true) {
		panic(errBusy)
	}
}

func (v *Evaluator) free() { v.busy.Store(false) }

// compiler is shared by an evaluator and its clones: what one of them has compiled is not compiled again.
type compiler struct {
	e    Energy
	cfg  EvaluatorConfig
	cond NoiseConditional // e, if it is one

	mu   sync.Mutex
	done map[shape]*compiled
}

// shape is the shape of a call: the number of rows, and whether gradients are requested.
type shape struct {
	rows int
	grad bool
}

// compiled is a function, which belongs to the evaluator that first needed it, and its constants.
type compiled struct {
	fn    *graphs.Function
	fixed [][]float64
}

// program is one compiled function of a fixed number of rows.
type program struct {
	shape
	fn      *graphs.Function
	version uint64
	args    [][]float64 // θ…, constants…, σ (conditional energies), x
	fixed   [][]float64 // constants
	sigma   []float64   // σ of every row
	dst     [][]float64 // energies, gradient
	x, e, g []float64   // buffers for blocks that cannot be used in place
}

// NewEvaluator compiles e for blocks of cfg.Batch rows.
func NewEvaluator(e Energy, p *Params, cfg EvaluatorConfig) (*Evaluator, error) {
	cfg.Batch = cmp.Or(cfg.Batch, 256)
	cfg.Threads = cmp.Or(cfg.Threads, 1)
	if err := checkEvaluator(e, p, cfg); err != nil {
		return nil, err
	}
	if err := CheckRows(e, p, cfg.Batch); err != nil {
		return nil, err
	}
	c := &compiler{e: e, cfg: cfg, done: map[shape]*compiled{}}
	v := &Evaluator{compiler: c, p: p, programs: map[shape]*program{}}
	if cond, ok := e.(NoiseConditional); ok {
		c.cond = cond
		levels := cond.Levels()
		v.sig = levels[len(levels)-1]
	}
	if _, err := v.program(shape{cfg.Batch, true}); err != nil {
		return nil, err
	}
	return v, nil
}

func checkEvaluator(e Energy, p *Params, cfg EvaluatorConfig) error {
	return errors.Join(
		check(cfg.Batch >= 0, "energy: EvaluatorConfig.Batch = %d, want > 0", cfg.Batch),
		check(cfg.Threads >= 0, "energy: EvaluatorConfig.Threads = %d, want > 0", cfg.Threads),
		check(cfg.Precision == Float32 || cfg.Precision == Float64,
			"energy: EvaluatorConfig.Precision = %d, want Float32 or Float64", cfg.Precision),
		CheckParams(e, p))
}

// Inputs adds one input per parameter of e to g.
func Inputs(g *G.ExprGraph, prec Precision, e Energy) (G.Nodes, error) {
	var theta G.Nodes
	for _, s := range e.Specs() {
		n, err := graphs.Try(func() *G.Node { return graphs.NewInput(g, prec.Dtype(), s.Name, s.Shape...) })
		if err != nil {
			return nil, err
		}
		theta = append(theta, n)
	}
	return theta, nil
}

// program returns the function for calls of a shape, compiling it if no clone has done so.
func (v *Evaluator) program(s shape) (*program, error) {
	if p := v.last; p != nil && p.shape == s {
		return p, nil
	}
	if p := v.programs[s]; p != nil {
		v.last = p
		return p, nil
	}
	fn, fixed, err := v.function(s)
	if err != nil {
		return nil, err
	}
	p := v.newProgram(fn, s, fixed)
	v.programs[s], v.last = p, p
	return p, nil
}

// function returns a function that no other evaluator has.
func (c *compiler) function(s shape) (*graphs.Function, [][]float64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.done[s]; known != nil {
		return known.fn.Blank(), known.fixed, nil
	}
	fn, fixed, err := c.compile(s)
	if err != nil {
		return nil, nil, err
	}
	c.done[s] = &compiled{fn, fixed}
	return fn, fixed, nil
}

func (c *compiler) compile(s shape) (*graphs.Function, [][]float64, error) {
	defer graphs.Building()()
	b, err := build(c.e, c.cfg.Precision, s.rows)
	if err != nil {
		return nil, nil, err
	}
	outputs := G.Nodes{b.u}
	if s.grad {
		gx, err := graphs.VJP(b.u, graphs.OnesLike(b.u), b.x)
		if err != nil {
			return nil, nil, err
		}
		outputs = append(outputs, gx...)
	}
	constants, fixed, err := Constants(b.g)
	if err != nil {
		return nil, nil, err
	}
	held := append(append(G.Nodes(nil), b.theta...), constants...)
	if b.sigma != nil {
		held = append(held, b.sigma)
	}
	fn, err := graphs.Compile(append(held[:len(held):len(held)], b.x), outputs, graphs.Held(held...),
		graphs.Threads(c.cfg.Threads), graphs.Unguarded())
	if err != nil {
		return nil, nil, err
	}
	return fn, fixed, nil
}

// built is the graph of an energy for a number of points.
type built struct {
	g           *G.ExprGraph
	theta       G.Nodes
	x, sigma, u *G.Node          // sigma is nil if the energy is not conditioned on a noise level
	cond        NoiseConditional // the energy, if it is conditional
}

// build must be called with the lock of package graphs held.
func build(e Energy, prec Precision, rows int) (*built, error) {
	b := &built{g: G.NewGraph()}
	b.cond, _ = e.(NoiseConditional)
	var err error
	if b.theta, err = Inputs(b.g, prec, e); err != nil {
		return nil, err
	}
	b.u, err = graphs.Try(func() *G.Node {
		b.x = graphs.NewInput(b.g, prec.Dtype(), "batch.x", rows, e.Dim())
		if b.cond != nil {
			b.sigma = graphs.NewInput(b.g, prec.Dtype(), "batch.sigma", rows, 1)
			return graphs.Must(b.cond.BuildAt(b.x, b.sigma, b.theta))
		}
		return graphs.Must(e.Build(b.x, b.theta))
	})
	return b, err
}

func (v *Evaluator) newProgram(fn *graphs.Function, s shape, fixed [][]float64) *program {
	d, rows := v.e.Dim(), s.rows
	p := &program{shape: s, fn: fn, fixed: fixed, version: v.stamp(), x: make([]float64, rows*d),
		e: make([]float64, rows), g: make([]float64, rows*d)}
	p.args = append(v.p.Views(v.p.Data()), fixed...)
	if v.cond != nil {
		p.sigma = make([]float64, rows)
		p.setSigma(v.sig)
		p.args = append(p.args, p.sigma)
	}
	p.args = append(p.args, p.x)
	p.dst = make([][]float64, 2)
	return p
}

// stamp changes when a held input has changed.
func (v *Evaluator) stamp() uint64 { return v.p.Version() + v.step }

func (p *program) setSigma(sigma float64) {
	for i := range p.sigma {
		p.sigma[i] = sigma
	}
}

// SetSigma sets the noise level σ > 0 of a [NoiseConditional] energy for the following calls.
func (v *Evaluator) SetSigma(sigma float64) error {
	v.use()
	defer v.free()
	if v.cond == nil {
		return errors.New(
			"energy: SetSigma: the energy is not conditioned on a noise level; train it by dsm-multi on an Annealable")
	}
	if !positive(sigma) {
		return fmt.Errorf("energy: SetSigma(%g), want > 0", sigma)
	}
	if sigma != v.sig {
		v.sig = sigma
		v.step++
	}
	return nil
}

// EnergyGrad stores E(x_i) in e and, unless grad is nil, ∇E(x_i) in grad for every row x_i of x. It panics if the
// shapes do not match.
func (v *Evaluator) EnergyGrad(e []float64, grad, x *mat.Dense) error {
	n, d := x.Dims()
	if d != v.e.Dim() || len(e) != n {
		panic("energy: batch and energies have wrong shapes")
	}
	if grad != nil {
		if r, c := grad.Dims(); r != n || c != d {
			panic("energy: gradient has the wrong shape")
		}
	}
	v.use()
	defer v.free()
	for lo := 0; lo < n; {
		rows := min(v.cfg.Batch, n-lo)
		size := rows
		if rows < v.cfg.Batch {
			size = min(v.cfg.Batch, 1<<bits.Len(uint(rows-1)))
		}
		p, err := v.program(shape{size, grad != nil})
		if err != nil {
			return err
		}
		if p.version != v.stamp() {
			p.version = v.stamp()
			p.setSigma(v.sig)
			p.fn.Touch()
		}
		if err := p.call(e, grad, x, lo, rows, size); err != nil {
			return err
		}
		lo += rows
	}
	return nil
}

// call evaluates rows lo … lo+rows of x by the function of size ≥ rows rows.
func (p *program) call(e []float64, grad, x *mat.Dense, lo, rows, size int) error {
	rx := x.RawMatrix()
	d := rx.Cols
	whole := rows == size
	xs := p.x
	if whole && rx.Stride == d {
		xs = rx.Data[lo*d : (lo+rows)*d]
	} else {
		for i := range size {
			copy(p.x[i*d:(i+1)*d], x.RawRowView(lo+min(i, rows-1))) // padded with the last row
		}
	}
	p.args[len(p.args)-1] = xs
	p.dst[0] = p.e
	if whole {
		p.dst[0] = e[lo : lo+rows]
	}
	dst := p.dst[:1]
	direct := false
	if grad != nil {
		rg := grad.RawMatrix()
		dst = p.dst[:2]
		dst[1] = p.g
		if direct = whole && rg.Stride == d; direct {
			dst[1] = rg.Data[lo*d : (lo+rows)*d]
		}
	}
	if err := p.fn.Call(dst, p.args...); err != nil {
		return fmt.Errorf("energy: %w", err)
	}
	if !whole {
		copy(e[lo:lo+rows], p.e)
	}
	if grad != nil && !direct {
		for i := range rows {
			copy(grad.RawRowView(lo+i), p.g[i*d:(i+1)*d])
		}
	}
	return nil
}

// Energies stores E(x_i) in e.
func (v *Evaluator) Energies(e []float64, x *mat.Dense) error { return v.EnergyGrad(e, nil, x) }

// Params returns the parameters that the evaluator reads.
func (v *Evaluator) Params() *Params { return v.p }

// Dim returns d.
func (v *Evaluator) Dim() int { return v.e.Dim() }

// Clone returns an evaluator of the same θ for another goroutine; several may call it at once. What v or another clone
// has compiled is not compiled again.
func (v *Evaluator) Clone() *Evaluator {
	return &Evaluator{compiler: v.compiler, p: v.p, sig: v.sig, programs: map[shape]*program{}}
}

// With returns a clone that reads other parameters of the same energy, such as an average.
func (v *Evaluator) With(p *Params) (*Evaluator, error) {
	if err := CheckParams(v.e, p); err != nil {
		return nil, err
	}
	c := v.Clone()
	c.p = p
	return c, nil
}
