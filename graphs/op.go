package graphs

import (
	"fmt"
	"hash"
	"hash/fnv"
	"strconv"

	"github.com/chewxy/hm"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// operation is the mathematics of one of our own operations: a value that holds the parameters. Everything else that
// Gorgonia requires is derived from it by op.
//
// The methods that make nodes panic with a buildError, like the builders they are written with.
type operation interface {
	// String names the operation and all its parameters in full: equal strings mean equal operations.
	String() string
	arity() int
	shape(in []tensor.Shape) (tensor.Shape, error)
	// eval stores the value in dst, row-major. It is the reference: plain loops in float64, whatever the type of the
	// graph.
	eval(dst []float64, in [][]float64, shape []tensor.Shape)
	// vjp returns gᵀ·∂out/∂in[i] for every i in want; other entries, and structural zeros, are nil.
	vjp(in G.Nodes, out, g *G.Node, want []bool) G.Nodes
	// jvp returns Σ_i ∂out/∂in[i]·t[i]. Tangents and result may be nil: a structural zero.
	jvp(in G.Nodes, out *G.Node, t G.Nodes) *G.Node
	// curve returns Σ_k ∂²out[t_k, t_k], the second derivative along the tangents, summed over directions; nil is zero.
	curve(in G.Nodes, out *G.Node, dirs []G.Nodes) *G.Node
}

// An operation may say more about its operands:
//
//	constant()         all lend their graph and type only, and are not dependences
//	fixed() []bool     which have no derivative
//	whole() []bool     which are whole numbers (of type int) in a graph of floats
//
// and about itself:
//
//	volatile()         it gives another result at each run
//	run32(…)           eval in float32, where that is worth it

// linear is embedded in operations whose second derivative vanishes.
type linear struct{}

func (linear) curve(G.Nodes, *G.Node, []G.Nodes) *G.Node { return nil }

// op turns an operation into a Gorgonia operation: it can be differentiated by gorgonia.Grad, and run on Gorgonia's
// tape machine (UsePreallocDo) and lisp machine (DoDiff), all in plain Go. Compile uses the operations directly.
type op struct {
	operation
	name     string // operation.String()
	in       []int  // dimensions of the operands
	whole    []bool // operands that are whole numbers; nil: none
	out      int    // dimensions of the result
	salt     uint32
	derived  bool // made while differentiating, see derive
	returned bool // and returned as a derivative
}

var (
	_ G.SDOp            = (*op)(nil)
	_ G.ADOp            = (*op)(nil)
	_ G.UsePreallocDoer = (*op)(nil)
)

// ownOp returns the operation of n if it is one of ours.
func ownOp(n *G.Node) (operation, bool) {
	if o, ok := n.Op().(*op); ok {
		return o.operation, true
	}
	return nil, false
}

func typeOf(dt hm.Type, dims int) hm.Type {
	if dims == 0 {
		return dt
	}
	return G.TensorType{Dims: dims, Of: dt}
}

func (o *op) String() string { return o.name }
func (o *op) Arity() int     { return o.arity() }

func (o *op) Type() hm.Type {
	a := hm.TypeVariable('a')
	ts := make([]hm.Type, 0, len(o.in)+1)
	for i, d := range o.in {
		if o.whole != nil && o.whole[i] {
			ts = append(ts, typeOf(tensor.Int, d))
			continue
		}
		ts = append(ts, typeOf(a, d))
	}
	return hm.NewFnType(append(ts, typeOf(a, o.out))...)
}

func (o *op) InferShape(in ...G.DimSizer) (tensor.Shape, error) {
	shapes, err := G.DimSizersToShapes(in)
	if err != nil {
		return nil, err
	}
	return o.shape(shapes)
}

func (o *op) ReturnsPtr() bool     { return true }
func (o *op) CallsExtern() bool    { return false }
func (o *op) OverwritesInput() int { return -1 }

// WriteHash writes name and dimensions, and the salt that distinguishes what would collide.
func (o *op) WriteHash(h hash.Hash) {
	b := make([]byte, 0, 64)
	b = append(b, "graphs."...)
	b = append(b, o.name...)
	for _, d := range o.in {
		b = strconv.AppendInt(append(b, ' '), int64(d), 10)
	}
	b = strconv.AppendInt(append(b, " → "...), int64(o.out), 10)
	b = strconv.AppendUint(append(b, ' '), uint64(o.salt), 10)
	h.Write(b)
}

func (o *op) Hashcode() uint32 {
	h := fnv.New32a()
	o.WriteHash(h)
	return h.Sum32()
}

func (o *op) Do(in ...G.Value) (G.Value, error) {
	shapes := make([]tensor.Shape, len(in))
	for i, v := range in {
		shapes[i] = v.Shape()
	}
	s, err := o.shape(shapes)
	if err != nil {
		return nil, fmt.Errorf("graphs: %v of shapes %v: %w", o, shapes, err)
	}
	return o.UsePreallocDo(newValue(in[0].Dtype(), s), in...)
}

func (o *op) UsePreallocDo(dst G.Value, in ...G.Value) (G.Value, error) {
	shapes := make([]tensor.Shape, len(in))
	args := make([][]float64, len(in))
	var err error
	for i, v := range in {
		shapes[i] = v.Shape()
		if args[i], err = readValue(v); err != nil {
			return nil, fmt.Errorf("graphs: %v: operand %d: %w", o, i, err)
		}
	}
	out := make([]float64, dst.Shape().TotalSize())
	o.eval(out, args, shapes)
	return dst, writeValue(dst, out)
}

// DiffWRT says which operands have a derivative: all except those that only provide their shape.
func (o *op) DiffWRT(n int) []bool {
	w := make([]bool, n)
	var fixed []bool
	if f, ok := o.operation.(interface{ fixed() []bool }); ok {
		fixed = f.fixed()
	}
	constant := isConstant(o.operation)
	for i := range w {
		w[i] = !constant && (fixed == nil || !fixed[i])
	}
	return w
}

// SymDiff is the reverse rule in Gorgonia's form, for gorgonia.Grad.
func (o *op) SymDiff(in G.Nodes, out, grad *G.Node) (G.Nodes, error) {
	var gs G.Nodes
	err := try(func() {
		gs = o.vjp(in, out, grad, o.DiffWRT(len(in)))
		for i, w := range o.DiffWRT(len(in)) {
			if w && gs[i] == nil {
				gs[i] = ZerosLike(in[i])
			}
		}
	})
	return gs, err
}

// DoDiff adds the gradients of the operands to their accumulators, for Gorgonia's lisp machine. It evaluates the
// reverse rule on a separate graph and takes the lock of Building for it.
func (o *op) DoDiff(_ G.ExecutionContext, in G.Nodes, out *G.Node) error {
	dout, err := out.Grad()
	if err != nil {
		return err
	}
	bound := map[*G.Node]G.Value{}
	var gs G.Nodes
	unlock := Building()
	err = try(func() {
		g := G.NewGraph()
		args := make(G.Nodes, len(in))
		for i, n := range in {
			args[i] = NewInput(g, n.Dtype(), fmt.Sprint("x", i), n.Shape()...)
			bound[args[i]] = n.Value()
		}
		seed := NewInput(g, out.Dtype(), "g", out.Shape()...)
		bound[seed] = dout
		gs = o.vjp(args, apply(o.operation, args...), seed, o.DiffWRT(len(in)))
	})
	unlock()
	if err != nil {
		return err
	}
	for i, d := range gs {
		if d == nil {
			continue
		}
		v, err := interpret(d, bound)
		if err != nil {
			return err
		}
		acc, err := in[i].Grad()
		if err != nil {
			return err
		}
		a, err := readValue(acc)
		if err != nil {
			return err
		}
		b, err := readValue(v)
		if err != nil {
			return err
		}
		sum := make([]float64, len(a))
		for j := range a {
			sum[j] = a[j] + b[j]
		}
		if err := writeValue(acc, sum); err != nil {
			return err
		}
	}
	return nil
}

// interpret evaluates n by Op.Do, node by node; leaves take their value from bound.
func interpret(n *G.Node, bound map[*G.Node]G.Value) (G.Value, error) {
	var order G.Nodes
	var in map[*G.Node]G.Nodes
	if err := try(func() { order, in = topological(n) }); err != nil {
		return nil, err
	}
	value := map[*G.Node]G.Value{}
	for _, m := range order {
		if len(in[m]) == 0 {
			if value[m] = bound[m]; value[m] == nil {
				value[m] = m.Value()
			}
			if value[m] == nil {
				return nil, fmt.Errorf("graphs: input %v has no value", m)
			}
			continue
		}
		args := make([]G.Value, len(in[m]))
		for i, c := range in[m] {
			args[i] = value[c]
		}
		v, err := m.Op().Do(args...)
		if err != nil {
			return nil, err
		}
		value[m] = v
	}
	return value[n], nil
}
