package objectives

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/graphs"
)

// Engine is a compiled Form. It must not be used by several goroutines at once.
type Engine struct {
	form    Form     // what is compiled
	inner   Form     // the form given: form itself, or the one wrapped for a background
	memory  Stateful // the form, or its method, if it remembers something
	p       *energy.Params
	fn      *graphs.Function
	n, d    int
	specs   []Input
	in      Inputs
	out     Inputs
	x       *mat.Dense // for batches that are not contiguous
	args    [][]float64
	dst     [][]float64 // loss, penalty, yields…, ∂/∂φ…, ∂/∂θ…
	xAt     int         // index of x in args
	thetaAt int         // index of ∂/∂θ in dst
	own     *ownState
	stats   Stats // of the last call; kept here so that reporting does not allocate
}

var (
	_ Objective = (*Engine)(nil)
	_ Stateful  = (*Engine)(nil)
)

// Compile builds the loss of f over e, with the regularisers of cfg, differentiates it in θ and compiles it. A form may
// also be a [Deriver], [Learner], [Reporter], [Stateful] or [Updater]. For a [Method] use New.
func Compile(f Form, e energy.Energy, p *energy.Params, cfg Config) (*Engine, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return compile(f, e, e, p, cfg)
}

// compile is Compile with regularisers on another energy with the same parameters.
func compile(f Form, e, regular energy.Energy, p *energy.Params, cfg Config) (*Engine, error) {
	if f == nil {
		return nil, errors.New("objectives: no Form to compile")
	}
	if err := energy.CheckParams(e, p); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	if err := energy.CheckRows(e, p, cfg.Batch); err != nil {
		return nil, err
	}
	n, d := cfg.Batch, e.Dim()
	o := &Engine{form: f, inner: f, p: p, n: n, d: d, specs: f.Inputs(n, d), in: Inputs{}, out: Inputs{},
		x: mat.NewDense(n, d, nil)}
	if b, ok := f.(beside); ok {
		o.inner = b.Form
	}
	o.memory, _ = o.inner.(Stateful)
	if l, ok := o.inner.(Learner); ok {
		o.own = newOwnState(l)
	}
	defer graphs.Building()()
	c := &compilation{Engine: o, b: &Builder{N: n, D: d, e: e, in: map[string]*G.Node{}}, g: G.NewGraph()}
	loss, err := graphs.Try(func() *G.Node {
		c.declare(cfg.Precision)
		return c.loss(cfg.Regularizers, regular)
	})
	if err != nil {
		return nil, err
	}
	if err := c.differentiate(loss); err != nil {
		return nil, err
	}
	if err := c.compile(cfg.Threads); err != nil {
		return nil, err
	}
	return o, nil
}

// compilation is an engine under construction: its graph, with inputs in the order of args and outputs in that of dst.
type compilation struct {
	*Engine
	b               *Builder
	g               *G.ExprGraph
	inputs, outputs G.Nodes
	penalty         *G.Node // nil without regularisers
	ownGrads        G.Nodes // of a Learner that is updated between the gradients in θ, by a separate function
}

// declare adds the inputs: θ, φ of a Learner, the auxiliary inputs, the batch.
func (c *compilation) declare(prec energy.Precision) {
	input := func(name string, shape []int) *G.Node {
		n := graphs.NewInput(c.g, prec.Dtype(), name, shape...)
		c.inputs = append(c.inputs, n)
		return n
	}
	theta, err := energy.Inputs(c.g, prec, c.b.e)
	graphs.Must(nil, err)
	c.b.Theta = theta
	c.inputs = append(c.inputs, theta...)
	c.args = c.p.Views(c.p.Data())
	if c.own != nil {
		for _, s := range c.own.p.Specs() {
			c.b.Own = append(c.b.Own, input("own."+s.Name, s.Shape))
		}
		c.args = c.own.p.AppendViews(c.args, c.own.p.Data())
	}
	for _, s := range c.specs {
		node := input("draw."+s.Name, s.Shape)
		buf := make([]float64, node.Shape().TotalSize())
		c.b.in[s.Name], c.in[s.Name] = node, buf
		c.args = append(c.args, buf)
	}
	c.b.X = input("batch.x", []int{c.n, c.d})
	c.xAt = len(c.args)
	c.args = append(c.args, nil)
}

// loss builds the loss, including penalties on an energy.
func (c *compilation) loss(regularizers []Regularizer, on energy.Energy) *G.Node {
	loss := c.form.Loss(c.b)
	if loss == nil {
		return graphs.Must(nil, errors.New("objectives: Form.Loss returned nil, want a node of one number"))
	}
	if c.own != nil && c.b.ownLoss == nil {
		return graphs.Must(nil, errors.New("objectives: the loss of a Learner names no loss of its own parameters; "+
			"call Builder.SetOwnLoss"))
	}
	if s := loss.Shape(); s.TotalSize() != 1 {
		graphs.Must(nil, fmt.Errorf("objectives: the loss has shape %v, want one number", s))
	}
	c.b.e = on
	for _, r := range regularizers {
		c.penalty = plus(c.penalty, r.Penalty(c.b))
	}
	if c.penalty == nil {
		return loss
	}
	return graphs.Add(loss, c.penalty)
}

// differentiate lists the outputs: the loss, the yields, the gradients.
func (c *compilation) differentiate(loss *G.Node) error {
	yield := func(name string, n *G.Node) {
		buf := make([]float64, n.Shape().TotalSize())
		c.out[name] = buf
		c.outputs = append(c.outputs, n)
		c.dst = append(c.dst, buf)
	}
	c.outputs, c.dst = G.Nodes{loss}, [][]float64{make([]float64, 1)}
	if c.penalty != nil {
		yield("penalty", c.penalty)
	}
	for i, name := range c.b.names {
		yield(name, c.b.yields[i])
	}
	if c.own != nil {
		gs, err := graphs.Grad(c.b.ownLoss, c.b.Own...)
		if err != nil {
			return err
		}
		if c.own.repeats == 0 {
			c.outputs = append(c.outputs, gs...)
			c.dst = c.own.p.AppendViews(c.dst, c.own.grad)
		} else {
			c.ownGrads = gs
		}
	}
	gs, err := graphs.Grad(loss, c.b.Theta...)
	if err != nil {
		return err
	}
	c.thetaAt = len(c.dst)
	c.outputs = append(c.outputs, gs...)
	c.dst = c.p.AppendViews(c.dst, make([]float64, c.p.Len())) // room for the views of Gradient's argument
	return nil
}

// compile compiles the functions.
func (c *compilation) compile(threads int) (err error) {
	constants, values, err := energy.Constants(c.g)
	if err != nil {
		return err
	}
	c.inputs = append(c.inputs, constants...)
	c.args = append(c.args, values...)
	function := func(outputs G.Nodes) (*graphs.Function, error) {
		return graphs.Compile(c.inputs, outputs, graphs.Held(constants...), graphs.Threads(threads))
	}
	if c.fn, err = function(c.outputs); err != nil || c.ownGrads == nil {
		return err
	}
	c.own.fn, err = function(c.ownGrads)
	c.own.dst = c.own.p.Views(c.own.grad)
	return err
}

// Gradient draws the auxiliary inputs and evaluates.
func (o *Engine) Gradient(grad []float64, x *mat.Dense, rng *rand.Rand) (Stats, error) {
	x, err := o.batch(x)
	if err != nil {
		return Stats{}, err
	}
	if err := o.draw(x, rng); err != nil {
		return Stats{}, err
	}
	s, err := o.call(grad, x)
	if err != nil {
		return s, err
	}
	if o.own != nil {
		if o.own.repeats == 0 {
			o.own.step()
		}
		for range o.own.repeats {
			if err := o.form.Draw(o.in, x, rng); err != nil {
				return s, err
			}
			if err := o.own.fn.Call(o.own.dst, o.args...); err != nil {
				return s, fmt.Errorf("objectives: %w", err)
			}
			o.own.step()
		}
	}
	if u, ok := o.inner.(Updater); ok {
		err = u.Update(o.out)
	}
	return s, err
}

// Evaluate computes the loss and, unless grad is nil, its gradient with the given auxiliary inputs instead of drawn
// ones. Inputs not given keep the values of the last call; derived ones are computed unless given. The state of the
// objective does not change.
func (o *Engine) Evaluate(grad []float64, x *mat.Dense, in Inputs) (Stats, error) {
	x, err := o.batch(x)
	if err != nil {
		return Stats{}, err
	}
	set := func() error {
		for name, v := range in {
			buf, ok := o.in[name]
			if !ok || len(buf) != len(v) {
				return fmt.Errorf("objectives: input %q of %d numbers; the objective has %s", name, len(v),
					o.describeInputs())
			}
			copy(buf, v)
		}
		return nil
	}
	if err := set(); err != nil {
		return Stats{}, err
	}
	if err := o.derive(x); err != nil {
		return Stats{}, err
	}
	if err := set(); err != nil { // derived inputs that were given
		return Stats{}, err
	}
	return o.call(grad, x)
}

// Dims returns the shape of its batches: Config.Batch and the dimension of the energy.
func (o *Engine) Dims() (n, d int) { return o.n, o.d }

// Draws returns the auxiliary inputs of the last call, the live buffers.
func (o *Engine) Draws() Inputs { return o.in }

// InputSpecs returns the names and shapes of the auxiliary inputs.
func (o *Engine) InputSpecs() []Input { return o.specs }

// Form returns the compiled form, without what New added to it for a background.
func (o *Engine) Form() Form { return o.inner }

// Params returns θ, from which gradients read.
func (o *Engine) Params() *energy.Params { return o.p }

func (o *Engine) describeInputs() string {
	if len(o.specs) == 0 {
		return "no inputs"
	}
	s := ""
	for i, in := range o.specs {
		if i > 0 {
			s += ", "
		}
		s += fmt.Sprintf("%s %v", in.Name, in.Shape)
	}
	return s
}

// batch checks x and makes it contiguous.
func (o *Engine) batch(x *mat.Dense) (*mat.Dense, error) {
	n, d := x.Dims()
	switch {
	case d != o.d:
		return nil, fmt.Errorf("objectives: points of dimension %d, the energy has dimension %d", d, o.d)
	case n != o.n:
		return nil, fmt.Errorf("objectives: batch of %d points, compiled for %d; objectives.Config.Batch is to be "+
			"what is drawn, in a run train.Config.Batch", n, o.n)
	}
	if x.RawMatrix().Stride != d {
		o.x.Copy(x)
		x = o.x
	}
	return x, nil
}

func (o *Engine) draw(x *mat.Dense, rng *rand.Rand) error {
	if err := o.form.Draw(o.in, x, rng); err != nil {
		return err
	}
	return o.derive(x)
}

func (o *Engine) derive(x *mat.Dense) error {
	if f, ok := o.inner.(Deriver); ok {
		return f.Derive(o.in, x)
	}
	return nil
}

// call runs the compiled function.
func (o *Engine) call(grad []float64, x *mat.Dense) (Stats, error) {
	o.args[o.xAt] = x.RawMatrix().Data
	dst := o.dst[:o.thetaAt]
	if grad != nil {
		dst = o.p.AppendViews(dst, grad)
	} else {
		for range o.p.Specs() {
			dst = append(dst, nil)
		}
	}
	if err := o.fn.Call(dst, o.args...); err != nil {
		return Stats{}, fmt.Errorf("objectives: %w", err)
	}
	o.stats = Stats{Loss: o.dst[0][0]}
	if p := o.out["penalty"]; p != nil {
		o.stats.Penalty = p[0]
	}
	if r, ok := o.inner.(Reporter); ok {
		r.Report(o.out, &o.stats)
	}
	return o.stats, nil
}

// String shows the compiled program.
func (o *Engine) String() string { return o.fn.String() }
