package graphs

import (
	"fmt"
	"math"
	"reflect"
	"strings"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
)

// Gorgonia keeps its operations to itself: they are recognised by the name of their type and by String, their parameters
// read by reflection. TestBuiltinOperations pins them; an operation that looks different is run by its own Do.

// builtin lowers an operation of Gorgonia or of a third party: by an instruction if there is one, else by its Do.
func (l *lowering) builtin(n *G.Node, in G.Nodes) (ir.ID, error) {
	if id, ok := l.native(n, in); ok {
		return id, nil
	}
	rows, cols := flat(n.Shape())
	r := &doRunner{op: n.Op(), dt: l.dt, shape: n.Shape().Clone()}
	args := make([]ir.ID, len(in))
	for i, c := range in {
		if c.Dtype() != l.dt {
			return 0, fmt.Errorf("graphs: Compile: %v has an operand of type %v, want %v", n.Op(), c.Dtype(), l.dt)
		}
		args[i] = l.at[c]
		r.shapes = append(r.shapes, c.Shape().Clone())
	}
	return l.to.Opaque(r, "", volatile(n.Op()), rows, cols, args...), nil
}

// volatile reports whether op gives another result at each run, or changes its own state.
func volatile(op G.Op) bool {
	switch typeName(op) {
	case "gorgonia.randomOp", "*gorgonia.dropoutOp", "*gorgonia.BatchNormOp":
		return true
	}
	return false
}

func typeName(op G.Op) string { return fmt.Sprintf("%T", op) }

// fields gives access to the unexported fields of an operation.
type fields struct{ v reflect.Value }

func fieldsOf(op any) fields {
	v := reflect.ValueOf(op)
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	return fields{v}
}

func (f fields) field(name string, kinds ...reflect.Kind) (reflect.Value, bool) {
	if f.v.Kind() != reflect.Struct {
		return reflect.Value{}, false
	}
	v := f.v.FieldByName(name)
	for _, k := range kinds {
		if v.IsValid() && v.Kind() == k {
			return v, true
		}
	}
	return reflect.Value{}, false
}

func (f fields) int(name string) (int, bool) {
	v, ok := f.field(name, reflect.Int, reflect.Uint8)
	switch {
	case !ok:
		return 0, false
	case v.Kind() == reflect.Uint8:
		return int(v.Uint()), true
	}
	return int(v.Int()), true
}

func (f fields) bool(name string) (val, ok bool) {
	v, ok := f.field(name, reflect.Bool)
	return ok && v.Bool(), ok
}

func (f fields) ints(name string) ([]int, bool) {
	v, ok := f.field(name, reflect.Slice)
	if !ok {
		return nil, false
	}
	s := make([]int, v.Len())
	for i := range s {
		if v.Index(i).Kind() != reflect.Int {
			return nil, false
		}
		s[i] = int(v.Index(i).Int())
	}
	return s, true
}

// native lowers n to instructions. It reports false if there are none for it.
func (l *lowering) native(n *G.Node, in G.Nodes) (id ir.ID, ok bool) {
	g := l.to
	arg := func(i int) ir.ID { return l.at[in[i]] }
	for _, c := range in {
		if c.Dtype() != l.dt {
			return 0, false
		}
	}
	if n.Dtype() != l.dt {
		return 0, false
	}
	rows, cols := flat(n.Shape())
	size := n.Shape().TotalSize()
	f := fieldsOf(n.Op())
	reshaped := func(id ir.ID) (ir.ID, bool) {
		if x := g.At(id); x.Len() != rows*cols {
			return 0, false
		}
		return g.Reshape(id, rows, cols), true
	}
	switch typeName(n.Op()) {
	case "gorgonia.elemUnaryOp":
		return l.builtinUnary(n.Op().String(), arg(0))

	case "gorgonia.elemBinOp":
		kind, _, _ := strings.Cut(n.Op().String(), " ")
		a, b := arg(0), arg(1)
		ra, rb := in[0].Shape().TotalSize(), in[1].Shape().TotalSize()
		switch { // a scalar and a tensor
		case in[0].Dims() == 0 && in[1].Dims() > 0:
			a = g.Fill(g.Reshape(a, 1, 1), rows, cols)
		case in[1].Dims() == 0 && in[0].Dims() > 0:
			if kind == "^" {
				if c := g.At(b); c.Op == ir.Const {
					return g.Unary(ir.Pow, 0, c.C, "", nil, a), true
				}
			}
			b = g.Fill(g.Reshape(b, 1, 1), rows, cols)
		case ra != rb:
			return 0, false
		}
		if a, ok = reshaped(a); !ok {
			return 0, false
		}
		if b, ok = reshaped(b); !ok {
			return 0, false
		}
		return l.builtinBinary(kind, a, b)

	case "gorgonia.maxBetween":
		return g.Binary(ir.Max, 0, arg(0), arg(1)), g.At(arg(0)).Len() == g.At(arg(1)).Len()
	case "gorgonia.minBetween":
		return g.Binary(ir.Min, 0, arg(0), arg(1)), g.At(arg(0)).Len() == g.At(arg(1)).Len()

	case "gorgonia.linAlgBinOp":
		kind, ok1 := f.int("āBinaryOperator")
		ta, ok2 := f.bool("transA")
		tb, ok3 := f.bool("transB")
		if !ok1 || !ok2 || !ok3 {
			return 0, false
		}
		da, db := in[0].Dims(), in[1].Dims()
		switch {
		case kind == 0 && da == 2 && db == 2: // A × B
			return reshaped(g.MatMul(arg(0), arg(1), ta, tb))
		case kind == 1 && da == 2 && db == 1: // A × b
			return reshaped(g.MatMul(arg(0), arg(1), ta, true))
		case kind == 2 && in[0].Shape().TotalSize() == in[1].Shape().TotalSize(): // a ⋅ b
			k := in[0].Shape().TotalSize()
			return reshaped(g.Sum(g.Mul(g.Reshape(arg(0), 1, k), g.Reshape(arg(1), 1, k))))
		case kind == 3 && da == 1 && db == 1: // a ⊗ b
			return reshaped(g.MatMul(g.Reshape(arg(0), in[0].Shape()[0], 1), arg(1), false, false))
		}

	case "gorgonia.sumOp", "*gorgonia.maxOp":
		along, ok := f.ints("along")
		if !ok {
			return 0, false
		}
		max := typeName(n.Op()) == "*gorgonia.maxOp"
		// Axes that are a run at the beginning, at the end, or all.
		s := in[0].Shape()
		on := make([]bool, len(s))
		for _, a := range along {
			if a < 0 || a >= len(s) {
				return 0, false
			}
			on[a] = true
		}
		r, c, split := 1, 1, 0
		for i := 1; i < len(on); i++ {
			if on[i] != on[i-1] {
				split++
			}
		}
		switch {
		case len(s) == 0:
			return reshaped(arg(0))
		case split > 1 || len(along) == 0:
			return 0, false
		case split == 0:
			c = s.TotalSize()
		default:
			at := 1
			for on[at] == on[at-1] {
				at++
			}
			r, c = tensor.Shape(s[:at]).TotalSize(), tensor.Shape(s[at:]).TotalSize()
		}
		x := g.Reshape(arg(0), r, c)
		first := on[0] && split == 1
		switch {
		case max && first:
			return 0, false
		case max:
			return reshaped(g.RowFn(ir.RowMax, x))
		case first:
			return reshaped(g.ColSum(x))
		case split == 0:
			return reshaped(g.Sum(x))
		}
		return reshaped(g.RowSum(x))

	case "gorgonia.transposeOp":
		p, ok := f.ints("pattern")
		if ok && len(p) == 2 && p[0] == 1 && p[1] == 0 {
			return g.Transpose(arg(0)), true
		}

	case "gorgonia.reshapeOp":
		return reshaped(arg(0))

	case "gorgonia.concatOp":
		axis, ok := f.int("axis")
		d := n.Dims()
		if !ok || d > 2 && axis != 0 || d == 0 {
			return 0, false
		}
		args := make([]ir.ID, len(in))
		for i := range in {
			if in[i].Dims() != d {
				return 0, false
			}
			args[i] = arg(i)
		}
		if d == 2 && axis == 0 {
			return g.Concat(ir.ConcatRows, args...), true
		}
		return g.Concat(ir.ConcatCols, args...), true

	case "*gorgonia.sliceOp", "gorgonia.sliceOp", "gorgonia.sliceIncrOp", "*gorgonia.sliceIncrOp":
		along, ok := f.int("along")
		s := in[0].Shape()
		if !ok || len(s) == 0 || len(s) > 2 || along >= len(s) {
			return 0, false
		}
		lo, hi := 0, s[along]
		if sl, ok := f.field("Slice", reflect.Interface); !ok {
			return 0, false
		} else if !sl.IsNil() {
			ts := n.Op().(tensor.Slice)
			if lo, hi = ts.Start(), ts.End(); ts.Step() > 1 {
				return 0, false
			}
		}
		if lo < 0 || hi > s[along] || lo >= hi {
			return 0, false
		}
		byRow := len(s) == 2 && along == 0
		if strings.HasSuffix(typeName(n.Op()), "sliceIncrOp") {
			r, c := flat(s)
			if byRow {
				return g.PadRows(g.Reshape(arg(1), hi-lo, c), lo, r-hi), true
			}
			return g.PadCols(g.Reshape(arg(1), r, hi-lo), lo, c-hi), true
		}
		if byRow {
			return reshaped(g.SliceRows(arg(0), lo, hi))
		}
		return reshaped(g.SliceCols(arg(0), lo, hi))

	case "gorgonia.sizeOp":
		axis, ok := f.int("axis")
		s := in[0].Shape()
		switch {
		case !ok || len(s) > 0 && axis >= len(s):
			return 0, false
		case len(s) == 0:
			return g.Const(1, 1, 1), true
		}
		return g.Const(1, 1, float64(s[axis])), true

	case "*gorgonia.repeatOp", "gorgonia.repeatOp":
		along, ok := f.int("along")
		s := in[0].Shape()
		switch {
		case !ok:
			return 0, false
		case s.TotalSize() == size:
			return reshaped(arg(0))
		case s.TotalSize() == 1:
			return g.Fill(g.Reshape(arg(0), 1, 1), rows, cols), true
		case along < len(s) && s[along] != 1:
			return 0, false
		}
		// One element along the axis: the block after it is repeated for each index before it.
		before, after := 1, 1
		for i, d := range s {
			if i < along {
				before *= d
			} else {
				after *= d
			}
		}
		rep := size / (before * after)
		switch {
		case before == 1:
			return reshaped(g.ExpandRows(g.Reshape(arg(0), 1, after), rep))
		case after == 1:
			return reshaped(g.ExpandCols(g.Reshape(arg(0), before, 1), rep))
		}

	case "*gorgonia.softmaxOp":
		axis, ok1 := f.int("axis")
		isLog, ok2 := f.bool("isLog")
		d := in[0].Dims()
		if !ok1 || !ok2 || d == 0 || d > 2 || axis != d-1 && axis != -1 {
			return 0, false
		}
		if isLog {
			return g.Sub(arg(0), g.ExpandCols(g.RowFn(ir.RowLSE, arg(0)), cols)), true
		}
		return g.RowFn(ir.RowSoftmax, arg(0)), true

	case "*gorgonia.softmaxDiffOp": // of the operand, the result y and the gradient g
		axis, ok1 := f.int("axis")
		isLog, ok2 := f.bool("isLog")
		d := n.Dims()
		if !ok1 || !ok2 || d == 0 || d > 2 || axis != d-1 && axis != -1 {
			return 0, false
		}
		y, grad := arg(1), arg(2)
		if isLog { // g − e^y Σ g
			return g.Sub(grad, g.Mul(g.Unary(kernels.Exp, 0, 0, "", nil, y), g.ExpandCols(g.RowSum(grad), cols))), true
		}
		// y ∘ (g − Σ y g)
		return g.Mul(y, g.Sub(grad, g.ExpandCols(g.RowSum(g.Mul(y, grad)), cols))), true

	case "gorgonia.Iop":
		return arg(0), true
	}
	return 0, false
}

// builtinUnary lowers the element-wise function that Gorgonia calls name.
func (l *lowering) builtinUnary(name string, a ir.ID) (ir.ID, bool) {
	g := l.to
	known := map[string]kernels.Func{"abs": kernels.Abs, "sign": kernels.Sign, "sin": kernels.Sin, "cos": kernels.Cos, "exp": kernels.Exp,
		"ln": kernels.Log, "neg": kernels.Neg, "square": kernels.Square, "sqrt": kernels.Sqrt, "inv": kernels.Reciprocal, "tanh": kernels.Tanh,
		"sigmoid": kernels.Sigmoid, "softplus": kernels.Softplus}
	if f, ok := known[name]; ok {
		return g.Unary(f, 0, 0, "", nil, a), true
	}
	scalar := map[string]func(float64) float64{"ceil": math.Ceil, "floor": math.Floor, "log1p": math.Log1p, "expm1": math.Expm1}
	if f, ok := scalar[name]; ok {
		return g.Unary(ir.Scalar, 0, 0, name, f, a), true
	}
	switch name {
	case "log2":
		return g.Scale(g.Unary(kernels.Log, 0, 0, "", nil, a), 1/math.Ln2), true
	case "invSqrt":
		return g.Unary(kernels.Reciprocal, 0, 0, "", nil, g.Unary(kernels.Sqrt, 0, 0, "", nil, a)), true
	case "cube":
		return g.Unary(ir.Pow, 0, 3, "", nil, a), true
	}
	return 0, false
}

// builtinBinary lowers the element-wise operation that Gorgonia writes as kind, on operands of one shape.
func (l *lowering) builtinBinary(kind string, a, b ir.ID) (ir.ID, bool) {
	g := l.to
	switch kind {
	case "+":
		return g.Add(a, b), true
	case "-":
		return g.Sub(a, b), true
	case "⊙":
		return g.Mul(a, b), true
	case "÷":
		return g.Div(a, b), true
	case "^":
		x := g.At(a)
		return g.Opaque(powRunner{}, "pow", false, x.Rows, x.Cols, a, b), true
	}
	rel, ok := map[string]ir.Relation{"<": ir.Lt, "<=": ir.Le, ">": ir.Gt, ">=": ir.Ge, "==": ir.Eq, "!=": ir.Ne}[kind]
	if !ok {
		return 0, false
	}
	return g.Binary(ir.Cmp, rel, a, b), true
}

// powRunner is a^b for arrays of exponents.
type powRunner struct{}

func (powRunner) Label() string { return "pow" }

func (powRunner) Run64(dst []float64, args [][]float64) error {
	for i, a := range args[0] {
		dst[i] = math.Pow(a, args[1][i])
	}
	return nil
}

func (powRunner) Run32(dst []float32, args [][]float32) error {
	for i, a := range args[0] {
		dst[i] = float32(math.Pow(float64(a), float64(args[1][i])))
	}
	return nil
}

// doRunner runs an operation by its Do, on copies of the operands.
type doRunner struct {
	op     G.Op
	dt     tensor.Dtype
	shapes []tensor.Shape
	shape  tensor.Shape
}

func (r *doRunner) Label() string { return r.op.String() }

func (r *doRunner) Run64(dst []float64, args [][]float64) error {
	return r.do(func(v G.Value, i int) { _ = writeValue(v, args[i]) }, func(v G.Value) error {
		x, err := readValue(v)
		if err == nil && len(x) != len(dst) {
			return fmt.Errorf("value of %d elements for shape %v", len(x), r.shape)
		}
		copy(dst, x)
		return err
	})
}

func (r *doRunner) Run32(dst []float32, args [][]float32) error {
	wide := make([][]float64, len(args))
	for i, a := range args {
		wide[i] = make([]float64, len(a))
		kernels.ToFloat64(wide[i], a)
	}
	out := make([]float64, len(dst))
	if err := r.Run64(out, wide); err != nil {
		return err
	}
	kernels.ToFloat32(dst, out)
	return nil
}

func (r *doRunner) do(set func(v G.Value, i int), get func(G.Value) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v panics: %v", r.op, p)
		}
	}()
	in := make([]G.Value, len(r.shapes))
	for i, s := range r.shapes {
		in[i] = newValue(r.dt, s)
		set(in[i], i)
	}
	v, err := r.op.Do(in...)
	if err != nil {
		return err
	}
	return get(v)
}
