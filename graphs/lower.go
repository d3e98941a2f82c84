package graphs

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/gorgonia"
	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
)

// lowering translates nodes to instructions. A tensor becomes a matrix: a scalar is (1,1), a vector (n) the row (1,n),
// a tensor of more than two dimensions the row of all its elements. Integers and booleans become floats.
type lowering struct {
	to    *ir.Graph
	at    map[*G.Node]ir.ID
	dt    tensor.Dtype                   // type in which the program computes
	input func(n *G.Node) (ir.ID, error) // lowers a node without operation that has not been lowered
	masks map[*G.Node]ir.ID              // what Dropout nodes multiply by

	foreign map[*G.Node]*foreignRunner // nodes that run by their own code
	modes   []G.TrainModeOp

	effects []ir.ID // what runs for the state that it changes

	byBLAS bool // Gorgonia's products run by their own code
	still  bool // operations with a mode of training are lowered as they are now
	rows   bool // pictures are best left in rows, because few values are kept
	norms  normMode

	statsOf map[*G.BatchNormOp]ir.ID
}

func newLowering(dt tensor.Dtype) *lowering {
	return &lowering{to: ir.New(), at: map[*G.Node]ir.ID{}, dt: dt, masks: map[*G.Node]ir.ID{},
		foreign: map[*G.Node]*foreignRunner{}, statsOf: map[*G.BatchNormOp]ir.ID{}}
}

// flat returns the rows and columns of the matrix that stands for a tensor of shape s.
func flat(s tensor.Shape) (rows, cols int) {
	switch len(s) {
	case 0:
		return 1, 1
	case 1:
		return 1, s[0]
	case 2:
		return s[0], s[1]
	}
	return 1, s.TotalSize()
}

// all lowers outs and everything they depend on. The operand of a constant is an anchor, not a dependency.
func (l *lowering) all(outs ...*G.Node) error {
	for _, n := range outs {
		if _, ok := l.at[n]; ok {
			continue
		}
		in := operands(n)
		if own, ok := ownOp(n); !ok || !isConstant(own) {
			if err := l.all(in...); err != nil {
				return err
			}
		}
		id, err := l.node(n, in)
		if err != nil {
			return err
		}
		rows, cols := flat(n.Shape())
		if got := l.to.At(id); got.Rows != rows || got.Cols != cols {
			return fmt.Errorf("%v of shape %v became (%d,%d)", n.Op(), n.Shape(), got.Rows, got.Cols)
		}
		l.at[n] = id
	}
	return nil
}

// node lowers n, whose operands in have already been lowered.
func (l *lowering) node(n *G.Node, in G.Nodes) (ir.ID, error) {
	if err := checkType(n); err != nil {
		return 0, err
	}
	if t, ok := n.Op().(G.TrainModeOp); ok {
		l.modes = append(l.modes, t)
	}
	args := make([]ir.ID, len(in))
	for i, c := range in {
		args[i] = l.at[c] // an anchor has none, and it is not used
	}
	if own, ok := ownOp(n); ok {
		return l.own(n, own, in, args), nil
	}
	kind := gorgonia.Unknown
	if n.Op() != nil {
		kind = gorgonia.KindOf(n.Op())
	}
	switch {
	case n.Op() == nil:
		return l.input(n)
	case len(in) == 0 && kind != gorgonia.Random:
		return l.constant(n)
	case kind == gorgonia.Dropout && isFloat(n.Dtype()):
		return l.to.Mul(args[0], l.mask(n)), nil
	case kind == gorgonia.Identity:
		rows, cols := flat(n.Shape())
		return l.to.Opaque(copyRunner{}, "", true, rows, cols, args...), nil
	}
	if !l.byBLAS || kind.Family() != gorgonia.Product {
		if id, ok := l.native(n, in, args); ok {
			return id, nil
		}
	}
	if id, ok := l.evaluated(n, args); ok {
		return id, nil
	}
	if id, ok := l.batchNorm(n, args); ok {
		return id, nil
	}
	rows, cols := flat(n.Shape())
	r := newForeign(n, in)
	l.foreign[n] = r
	// It may change its own state, so it is run once per node at every run.
	stateful := kind == gorgonia.Unknown || kind == gorgonia.Random || kind == gorgonia.BatchNorm
	return l.to.Opaque(r, "", stateful, rows, cols, args...), nil
}

// checkType reports types that a program cannot represent.
func checkType(n *G.Node) error {
	switch dt := n.Dtype(); dt {
	case tensor.Float64, tensor.Float32, tensor.Int, tensor.Int64, tensor.Int32, tensor.Byte, tensor.Bool:
		return nil
	default:
		return fmt.Errorf("%v has type %v, want float32, float64, int, int64, int32, byte or bool", n, dt)
	}
}

// constant lowers a constant of Gorgonia's.
func (l *lowering) constant(n *G.Node) (ir.ID, error) {
	v := n.Value()
	if v == nil {
		return 0, fmt.Errorf("%v has no value", n)
	}
	x, err := readValue(v)
	if err != nil {
		return 0, fmt.Errorf("%v: %w", n, err)
	}
	r, c := flat(n.Shape())
	if len(x) != r*c {
		return 0, fmt.Errorf("%v has shape %v but a value of %d elements", n, n.Shape(), len(x))
	}
	return l.to.Data(r, c, append([]float64(nil), x...)), nil
}

// mask lowers the mask of the Dropout n.
func (l *lowering) mask(n *G.Node) ir.ID {
	if id, ok := l.masks[n]; ok {
		return id
	}
	rows, cols := flat(n.Shape())
	if l.still && (maskOp{op: n.Op(), p: gorgonia.Read(n.Op()).P}).off() {
		return l.to.Const(rows, cols, 1)
	}
	id := l.to.Opaque(&maskRunner{o: maskOp{n.Op(), gorgonia.Read(n.Op()).P}, own: gorgonia.OwnGenerator(n.Op())}, "",
		true, rows, cols)
	l.masks[n] = id
	return id
}

// maskRunner draws the mask of a Dropout: by a fast generator if the operation uses the default, clock-seeded one, else
// by the operation.
type maskRunner struct {
	o   maskOp
	own bool
}

func (r *maskRunner) Label() string                            { return r.o.String() }
func (r *maskRunner) Run32(dst []float32, _ [][]float32) error { return drawMask(r, dst) }
func (r *maskRunner) Run64(dst []float64, _ [][]float64) error { return drawMask(r, dst) }

func drawMask[T kernels.Float](r *maskRunner, dst []T) error {
	p := r.o.p
	if r.o.off() {
		kernels.Fill(dst, 1)
		return nil
	}
	if !r.own {
		kernels.Fill(dst, 1)
		v, err := r.o.op.Do(tensor.New(tensor.WithShape(len(dst)), tensor.WithBacking(slices.Clone(dst))))
		if err != nil {
			return err
		}
		return loadValue(dst, v)
	}
	draw(dst, p, rand.Uint64())
	return nil
}

// draw makes every element 0 with probability p, else 1/(1-p). Its numbers are those of splitmix64, two elements of
// each.
func draw[T kernels.Float](dst []T, p float64, seed uint64) {
	kept, below := [2]T{0, T(1 / (1 - p))}, uint64((1-p)*(1<<32))
	for i := 0; i < len(dst); i += 2 {
		seed += 0x9e3779b97f4a7c15
		u := seed
		u = (u ^ u>>30) * 0xbf58476d1ce4e5b9
		u = (u ^ u>>27) * 0x94d049bb133111eb
		u ^= u >> 31
		// The sign of the difference says whether a half is below the threshold.
		dst[i] = kept[(u>>32-below)>>63]
		if i+1 < len(dst) {
			dst[i+1] = kept[(u&(1<<32-1)-below)>>63]
		}
	}
}

// copyRunner is Gorgonia's identity operation. It provides memory for another operation to write a second result to, so
// its value is never that of its operand.
type copyRunner struct{}

func (copyRunner) Label() string                               { return "copy" }
func (copyRunner) Run32(dst []float32, args [][]float32) error { copy(dst, args[0]); return nil }
func (copyRunner) Run64(dst []float64, args [][]float64) error { copy(dst, args[0]); return nil }

// kernelOf maps our functions to kernels.
var kernelOf = map[fn]kernels.Func{
	fnSiLU: kernels.SiLU, fnTanh: kernels.Tanh, fnSigmoid: kernels.Sigmoid, fnSoftplus: kernels.Softplus,
	fnGELU: kernels.GELU, fnReLU: kernels.ReLU, fnAbs: kernels.Abs, fnSign: kernels.Sign, fnSquare: kernels.Square,
	fnExp: kernels.Exp, fnLog: kernels.Log, fnSqrt: kernels.Sqrt, fnReciprocal: kernels.Reciprocal,
	fnSin: kernels.Sin, fnCos: kernels.Cos,
}

// own lowers one of our operations.
func (l *lowering) own(n *G.Node, own operation, in G.Nodes, a []ir.ID) ir.ID {
	g := l.to
	rows, cols := flat(n.Shape())
	switch o := own.(type) {
	case constOp:
		return g.Const(rows, cols, o.c)
	case unitOp:
		v := make([]float64, o.d)
		v[o.k] = 1
		return g.ExpandRows(g.Data(1, o.d, v), o.n)
	case binaryOp:
		switch o.kind {
		case add:
			return g.Add(a[0], a[1])
		case sub:
			return g.Sub(a[0], a[1])
		case mul:
			return g.Mul(a[0], a[1])
		default:
			return g.Div(a[0], a[1])
		}
	case scaleOp:
		return g.Scale(a[0], o.c)
	case shiftOp:
		return g.Shift(a[0], o.c)
	case unaryOp:
		return l.unary(o, a[0])
	case matmulOp:
		return g.MatMul(a[0], a[1], o.ta, o.tb)
	case affineOp:
		return g.Add(g.MatMul(a[0], a[1], false, true), g.ExpandRows(a[2], rows))
	case rowSumOp:
		return g.RowSum(a[0])
	case colSumOp:
		return g.ColSum(a[0])
	case sumOp:
		return g.Sum(a[0])
	case expandColsOp:
		return g.ExpandCols(a[0], o.m)
	case expandRowsOp:
		return g.ExpandRows(a[0], o.n)
	case fillOp:
		return g.Fill(g.Reshape(a[0], 1, 1), rows, cols)
	case transposeOp:
		return g.Transpose(a[0])
	case reshapeOp:
		return g.Reshape(a[0], rows, cols)
	case stopOp:
		return a[0]
	case rowLogSumExpOp:
		return g.RowLSE(a[0])
	case rowSoftmaxOp:
		return g.RowSoftmax(a[0])
	}
	if id, ok := l.moved(n, own, in, a); ok {
		return id
	}
	if _, ok := own.(maskOp); ok {
		return l.mask(in[1])
	}
	s, ok := own.(statsOp)
	if ok && !l.still {
		if l.foreign[in[0]] == nil {
			a = nil
		}
		return l.stats(s.op, s.c, a...)
	}
	if isConstant(own) || ok && !s.training() {
		v := make([]float64, rows*cols)
		own.eval(v, nil, nil)
		return g.Data(rows, cols, v)
	}
	r := &evalRunner{op: own}
	for _, c := range in {
		r.shapes = append(r.shapes, c.Shape())
	}
	_, volatile := own.(interface{ volatile() })
	return g.Opaque(r, fmt.Sprint(own, r.shapes), volatile, rows, cols, a...)
}

// moved lowers those of our operations that move elements, or multiply parts of arrays. It reports false for others.
func (l *lowering) moved(n *G.Node, own operation, in G.Nodes, a []ir.ID) (ir.ID, bool) {
	g := l.to
	rows, cols := flat(n.Shape())
	switch o := own.(type) {
	case sliceOp:
		if o.axis == 1 || n.Dims() == 1 {
			return g.SliceCols(a[0], o.lo, o.hi), true
		}
		return g.SliceRows(a[0], o.lo, o.hi), true
	case padOp:
		if o.axis == 1 || n.Dims() == 1 {
			return g.PadCols(a[0], o.before, o.after), true
		}
		return g.PadRows(a[0], o.before, o.after), true
	case concatOp:
		if o.axis == 1 || n.Dims() == 1 {
			return g.ConcatCols(a...), true
		}
		return g.ConcatRows(a...), true
	case batchMatmulOp:
		sa, sb := in[0].Shape(), in[1].Shape()
		x, y := g.Reshape(a[0], sa[0]*sa[1], sa[2]), g.Reshape(a[1], sb[0]*sb[1], sb[2])
		return g.Reshape(g.BatchMatMul(x, y, sa[0], o.ta, o.tb), rows, cols), true
	case gatherOp:
		return g.Gather(a[0], o.as.now(o.v), rows, cols), true
	case scatterOp:
		if o.fill != 0 {
			return g.Put(a[0], o.as.now(o.v), o.fill, rows, cols), true
		}
		return g.Scatter(a[0], o.as.now(o.v), rows, cols), true
	case pickOp:
		return g.Pick(a[0], a[1], o.of, rows, cols), true
	case placeOp:
		return g.Place(a[0], a[1], o.of, rows, cols), true
	case convOp:
		return g.Conv(o.w, o.role, a[0], a[1]), true
	case patchesOp:
		return g.Patches(o.w, a[0]), true
	case foldOp:
		return g.Fold(o.w, a[0]), true
	case poolPickOp:
		return g.PoolPick(o.w, a[0], a[1]), true
	case poolPlaceOp:
		return g.PoolPlace(o.w, a[0], a[1]), true
	case poolSumOp:
		if o.spread {
			return g.Spread(o.w, a[0]), true
		}
		return g.PoolSum(o.w, a[0]), true
	}
	return 0, false
}

func (l *lowering) unary(o unaryOp, a ir.ID) ir.ID {
	switch {
	case o.fn == fnStep:
		return l.to.Unary(kernels.ReLU, 1, a)
	case o.fn == fnPow:
		return l.to.Pow(o.p, o.order, a)
	}
	if f, ok := kernelOf[o.fn]; ok {
		return l.to.Unary(f, o.order, a)
	}
	return l.to.Func(o.String(), o.scalar(), a)
}

// evalRunner runs one of our operations without an instruction by its reference implementation. That panics with a
// string if a value known only at run time, such as an index, is invalid.
type evalRunner struct {
	op     operation
	shapes []tensor.Shape
}

func (r *evalRunner) Label() string { return r.op.String() }

func (r *evalRunner) Run64(dst []float64, args [][]float64) (err error) {
	defer unsuitable(&err)
	r.op.eval(dst, args, r.shapes)
	return nil
}

func (r *evalRunner) Run32(dst []float32, args [][]float32) (err error) {
	defer unsuitable(&err)
	if o, ok := r.op.(interface {
		run32(dst []float32, in [][]float32, shape []tensor.Shape)
	}); ok {
		o.run32(dst, args, r.shapes)
		return nil
	}
	in := make([][]float64, len(args))
	for i, a := range args {
		in[i] = make([]float64, len(a))
		kernels.ToFloat64(in[i], a)
	}
	out := make([]float64, len(dst))
	r.op.eval(out, in, r.shapes)
	kernels.ToFloat32(dst, out)
	return nil
}

func unsuitable(err *error) {
	switch p := recover().(type) {
	case nil:
	case string:
		*err = errors.New(p)
	default:
		panic(p)
	}
}
