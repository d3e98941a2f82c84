package onnx

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
)

// emitter translates instructions into nodes.
type emitter struct {
	p       *program
	elem    dataType
	nodes   []operator
	inits   []initializer
	value   []value           // by instruction
	indices map[string]string // the integers that a value was converted from, by its name
	uses    []int             // how often an instruction is an operand or an output
	user    []int             // the first instruction that has it as an operand; -1: none
	shared  map[string]string // constants and other values made only once, by content
	views   map[string]view   // what reshapes and transpositions view, by name
	count   int
	err     error
}

// operator is a node of the model.
type operator struct {
	kind, out string
	in        []string
	attrs     []attribute
}

// initializer is a constant of the model.
type initializer struct {
	name string
	data []byte
}

// value represents the result of an instruction. Where a dimension is 1 but the instruction's is not, the rows or
// columns are repeated: operations that broadcast take it as it is; for others, whole expands it.
type value struct {
	name       string
	rows, cols int
}

func (p *program) marshal(info Info) ([]byte, error) {
	n := len(p.code)
	e := &emitter{p: p, elem: float, value: make([]value, n), uses: make([]int, n), user: slices.Repeat([]int{-1}, n),
		shared: map[string]string{}, views: map[string]view{}, indices: map[string]string{}}
	if p.dt == tensor.Float64 {
		e.elem = double
	}
	for id, in := range p.code {
		for _, a := range in.args {
			if e.uses[a]++; e.user[a] < 0 {
				e.user[a] = id
			}
		}
	}
	for _, id := range p.result {
		e.uses[id]++
	}
	for id := range p.code {
		e.instruction(id)
		if e.err != nil {
			return nil, e.err
		}
	}
	for i, v := range p.Outputs {
		e.named(v.Name, "Identity", nil, e.reshape(e.whole(p.result[i]), p.dims(p.out[i])...))
	}
	if e.err != nil {
		return nil, e.err
	}
	return e.model(info), nil
}

// model writes everything that the outputs depend on.
func (e *emitter) model(info Info) []byte {
	p := e.p
	needed := map[string]bool{}
	var inputs, outputs, nodes, inits [][]byte
	for i, v := range p.Outputs {
		needed[v.Name] = true
		outputs = append(outputs, e.valueInfo(v.Name, e.elem, p.out[i]))
	}
	for i := len(e.nodes) - 1; i >= 0; i-- {
		if n := &e.nodes[i]; needed[n.out] {
			for _, x := range n.in {
				needed[x] = true
			}
			nodes = append(nodes, node(n.kind, n.out, n.in, n.attrs))
		}
	}
	slices.Reverse(nodes)
	for _, t := range e.inits {
		if needed[t.name] {
			inits = append(inits, t.data)
		}
	}
	for i, v := range p.Inputs {
		elem := e.elem
		if dt := v.Node.Dtype(); dt != tensor.Float64 && dt != tensor.Float32 {
			elem = integ
		}
		inputs = append(inputs, e.valueInfo(v.Name, elem, p.in[i]))
	}
	return model(info, nodes, inits, inputs, outputs)
}

func (e *emitter) fail(format string, args ...any) {
	if e.err == nil {
		e.err = fmt.Errorf("onnx: "+format, args...)
	}
}

// op adds a node with one output and returns the name of the output.
func (e *emitter) op(kind string, in ...string) string { return e.with(kind, nil, in...) }

func (e *emitter) with(kind string, attrs []attribute, in ...string) string {
	name := e.fresh("/")
	e.named(name, kind, attrs, in...)
	return name
}

func (e *emitter) named(out, kind string, attrs []attribute, in ...string) {
	e.nodes = append(e.nodes, operator{kind, out, in, attrs})
}

func (e *emitter) fresh(prefix string) string {
	e.count++
	return fmt.Sprint(prefix, e.count)
}

// once returns the name that make returned for key, and calls it only once.
func (e *emitter) once(key string, make func() string) string {
	if name, ok := e.shared[key]; ok {
		return name
	}
	name := make()
	e.shared[key] = name
	return name
}

// array is a constant of the graph's type.
func (e *emitter) array(dims []int, v []float64) string {
	name := e.fresh("/c")
	e.inits = append(e.inits, initializer{name, floats(name, e.elem, dims, v)})
	return name
}

// number is a constant (1,1).
func (e *emitter) number(c float64) string {
	return e.once(fmt.Sprintf("c %x", math.Float64bits(c)), func() string { return e.array([]int{1, 1}, []float64{c}) })
}

// ints is a constant vector of integers.
func (e *emitter) ints(v ...int) string { return e.intArray([]int{len(v)}, v) }

func (e *emitter) intArray(dims, v []int) string {
	return e.once(fmt.Sprint("i ", dims, v), func() string {
		name := e.fresh("/i")
		e.inits = append(e.inits, initializer{name, int64s(name, dims, v)})
		return name
	})
}

// constant is the number of an instruction, (1,1).
func (e *emitter) constant(in *instruction) string {
	n := func() string { return e.cast(e.op("Reshape", e.batch(), e.ints(1, 1))) }
	x := e.number(in.c)
	if in.exponent == 0 {
		return x
	}
	return e.once(fmt.Sprint("n ", in.c, in.exponent), func() string {
		switch in.exponent {
		case 1:
			return e.op("Mul", x, n())
		case -1:
			return e.op("Div", x, n())
		}
		return e.op("Mul", x, e.op("Pow", n(), e.number(in.exponent)))
	})
}

// whole is the result of an instruction in its own shape.
func (e *emitter) whole(id int) string {
	v, in := e.value[id], &e.p.code[id]
	if v.rows == in.rows && v.cols == in.cols {
		return v.name
	}
	e.value[id] = value{e.expand(v.name, e.p.dim(in.rows), e.p.dim(in.cols)), in.rows, in.cols}
	return e.value[id].name
}

// instruction translates an instruction.
func (e *emitter) instruction(id int) {
	in := &e.p.code[id]
	rows, cols := e.p.dim(in.rows), e.p.dim(in.cols)
	arg := func(i int) string { return e.whole(in.args[i]) }
	set := func(name string) { e.value[id] = value{name, in.rows, in.cols} }
	if e.deferred(id) {
		return
	}
	switch in.op.(type) {
	case ir.Input:
		e.input(id)
	case ir.Const:
		e.value[id] = value{e.constant(in), 1, 1}
	case ir.Data:
		set(e.array([]int{in.rows, in.cols}, in.values))
	case ir.ExpandCols, ir.ExpandRows, ir.Fill:
		e.value[id] = e.value[in.args[0]]
	case ir.Unary, ir.Pow, ir.Func, ir.Add, ir.Sub, ir.Mul, ir.Div, ir.Max, ir.Min, ir.Power, ir.Compare, ir.Scale,
		ir.Shift:
		e.elementwise(id)
	case ir.MatMul:
		set(e.product(in, ""))
	case ir.BatchMatMul:
		set(e.reshape(e.products(in), rows, cols))
	case ir.RowSum:
		set(e.op("ReduceSum", arg(0), e.ints(1)))
	case ir.ColSum:
		set(e.op("ReduceSum", arg(0), e.ints(0)))
	case ir.Sum:
		set(e.op("ReduceSum", arg(0), e.ints(0, 1)))
	case ir.RowMax:
		set(e.rowMax(arg(0)))
	case ir.RowLSE: // m + log Σ exp(x - m)
		m := e.rowMax(arg(0))
		set(e.op("Add", m, e.op("Log", e.op("ReduceSum", e.op("Exp", e.op("Sub", arg(0), m)), e.ints(1)))))
	case ir.RowSoftmax:
		set(e.with("Softmax", []attribute{integer("axis", 1)}, arg(0)))
	case ir.SliceCols, ir.SliceRows:
		set(e.sliced(in, arg(0)))
	case ir.PadCols, ir.PadRows:
		set(e.padded(in, arg(0)))
	case ir.ConcatCols, ir.ConcatRows:
		axis := 1
		if is[ir.ConcatRows](in) {
			axis = 0
		}
		var parts []string
		for i := range in.args {
			parts = append(parts, arg(i))
		}
		set(e.with("Concat", []attribute{integer("axis", axis)}, parts...))
	case ir.Transpose:
		set(e.transpose(arg(0), 1, 0))
	case ir.Reshape:
		set(e.reshape(arg(0), rows, cols))
	case ir.Gather, ir.Put, ir.Scatter, ir.ArgMax, ir.Pick, ir.Place:
		if x := e.strided(in, id); e.err == nil {
			set(e.reshape(x, rows, cols))
		}
	case ir.Conv:
		set(e.reshape(e.conv(in, in.op.(ir.Conv)), rows, cols))
	case ir.Patches:
		set(e.reshape(e.patches(e.whole(in.args[0]), in.op.(ir.Patches).Window, e.p.code[in.args[0]].rows), rows, cols))
	case ir.Fold:
		set(e.reshape(e.fold(e.whole(in.args[0]), in.op.(ir.Fold).Window, in.rows), rows, cols))
	case ir.PoolArgMax, ir.PoolPick, ir.PoolPlace, ir.PoolSum, ir.Spread:
		set(e.reshape(e.pool(in), rows, cols))
	case ir.Opaque:
		set(e.opaque(in))
	default:
		e.fail("operation %v is not known", in.op.Name())
	}
}

func (e *emitter) rowMax(x string) string {
	return e.with("ReduceMax", []attribute{integers("axes", 1)}, x)
}

// sliced is the rows or columns lo … hi-1 of x.
func (e *emitter) sliced(in *instruction, x string) string {
	from := &e.p.code[in.args[0]]
	axis, size := 1, e.p.dim(from.cols)
	if is[ir.SliceRows](in) {
		axis, size = 0, e.p.dim(from.rows)
	}
	lo, hi := e.p.dim(in.lo), e.p.dim(in.hi)
	if size.e == 0 || hi.e == 0 {
		return e.op("Slice", x, e.ints(in.lo), e.ints(in.hi), e.ints(axis))
	}
	if hi.e != size.e || in.lo > 0 && lo.e != size.e { // parts of k·N are parts of k
		e.fail("a slice of an open number of rows has bounds that do not grow with it")
		return ""
	}
	if in.lo == 0 {
		lo.k = 0
	}
	n := dim{1, size.e}
	rows, cols := e.p.dim(from.rows), e.p.dim(from.cols)
	if axis == 0 {
		x = e.op("Slice", e.reshape(x, fixed(size.k), times(n, cols)), e.ints(lo.k), e.ints(hi.k), e.ints(0))
		return e.reshape(x, e.p.dim(in.rows), cols)
	}
	x = e.op("Slice", e.reshape(x, rows, fixed(size.k), n), e.ints(lo.k), e.ints(hi.k), e.ints(1))
	return e.reshape(x, rows, e.p.dim(in.cols))
}

// padded is x with lo zeros before and hi after.
func (e *emitter) padded(in *instruction, x string) string {
	parts := []string{x}
	rows, cols := e.p.dim(in.rows), e.p.dim(in.cols)
	axis := 1
	if is[ir.PadRows](in) {
		axis = 0
	}
	lo, hi := e.p.dim(in.lo), e.p.dim(in.hi)
	if lo.e == 0 && hi.e == 0 {
		pads := []int{0, in.lo, 0, in.hi}
		if axis == 0 {
			pads = []int{in.lo, 0, in.hi, 0}
		}
		return e.op("Pad", x, e.ints(pads...))
	}
	zeros := func(d dim) string {
		if axis == 0 {
			return e.expand(e.number(0), d, cols)
		}
		return e.expand(e.number(0), rows, d)
	}
	if lo.k > 0 {
		parts = append([]string{zeros(lo)}, parts...)
	}
	if hi.k > 0 {
		parts = append(parts, zeros(hi))
	}
	return e.with("Concat", []attribute{integer("axis", axis)}, parts...)
}

// input names an input, or stores a weight.
func (e *emitter) input(id int) {
	in := &e.p.code[id]
	if k := in.index; k < len(e.p.Inputs) {
		name := e.p.Inputs[k].Name
		if dt := e.p.Inputs[k].Node.Dtype(); dt != tensor.Float64 && dt != tensor.Float32 {
			whole := name
			name = e.cast(name)
			e.indices[name] = whole
		}
		e.views[name] = view{of: name, dims: e.p.dims(e.p.in[k])}
		e.value[id] = value{e.reshape(name, e.p.dim(in.rows), e.p.dim(in.cols)), in.rows, in.cols}
		return
	}
	w := e.p.Weights[in.index-len(e.p.Inputs)]
	if e.uses[id] > 0 {
		e.inits = append(e.inits, initializer{w.Name, floats(w.Name, e.elem, []int{in.rows, in.cols}, w.Data)})
	}
	e.value[id] = value{w.Name, in.rows, in.cols}
}

// deferred reports whether id is a product that is fused into its only user, an addition.
func (e *emitter) deferred(id int) bool {
	if !is[ir.MatMul](&e.p.code[id]) || e.uses[id] != 1 || e.user[id] < 0 {
		return false
	}
	// The sum of two products is not fused.
	u := &e.p.code[e.user[id]]
	return is[ir.Add](u) && (!is[ir.MatMul](&e.p.code[u.args[0]]) || !is[ir.MatMul](&e.p.code[u.args[1]]))
}

// product is a matrix product, plus c unless that is "".
func (e *emitter) product(in *instruction, c string) string {
	var attrs []attribute
	if in.transA {
		attrs = append(attrs, integer("transA", 1))
	}
	if in.transB {
		attrs = append(attrs, integer("transB", 1))
	}
	args := []string{e.whole(in.args[0]), e.whole(in.args[1])}
	if c != "" {
		args = append(args, c)
	}
	return e.with("Gemm", attrs, args...)
}

// products multiplies the parts of two operands, (batch, m, n).
func (e *emitter) products(in *instruction) string {
	part := func(i int, t bool) string {
		from := &e.p.code[in.args[i]]
		x := e.reshape(e.whole(in.args[i]), e.p.dim(in.batch), e.p.dim(from.rows/in.batch), e.p.dim(from.cols))
		if t {
			x = e.transpose(x, 0, 2, 1)
		}
		return x
	}
	return e.op("MatMul", part(0, in.transA), part(1, in.transB))
}

// binaries are the operators of two operands by the names of instructions.
var binaries = map[string]string{"sub": "Sub", "mul": "Mul", "div": "Div", "max": "Max", "min": "Min", "power": "Pow"}

// relations are the operators of a cmp; the last, not equal, is the negation of Equal.
var relations = [...]string{ir.Lt: "Less", ir.Le: "LessOrEqual", ir.Gt: "Greater", ir.Ge: "GreaterOrEqual",
	ir.Eq: "Equal"}

// elementwise translates operations that broadcast.
func (e *emitter) elementwise(id int) {
	in := &e.p.code[id]
	out := value{rows: 1, cols: 1}
	for _, a := range in.args {
		if v := e.value[a]; v.name != "" {
			if v.rows != 1 {
				out.rows = v.rows
			}
			if v.cols != 1 {
				out.cols = v.cols
			}
		}
	}
	arg := func(i int) string { return e.value[in.args[i]].name }
	switch in.op.(type) {
	case ir.Add:
		for i, a := range in.args {
			if e.value[a].name == "" { // a deferred product
				out.name, out.rows, out.cols = e.product(&e.p.code[a], arg(1-i)), in.rows, in.cols
				e.value[id] = out
				return
			}
		}
		out.name = e.op("Add", arg(0), arg(1))
	case ir.Sub, ir.Mul, ir.Div, ir.Max, ir.Min, ir.Power:
		out.name = e.op(binaries[in.op.Name()], arg(0), arg(1))
	case ir.Compare:
		if in.index < len(relations) {
			out.name = e.cast(e.op(relations[in.index], arg(0), arg(1)))
		} else {
			out.name = e.cast(e.op("Not", e.op("Equal", arg(0), arg(1))))
		}
	case ir.Scale:
		if in.exponent != 0 {
			out.name = e.op("Mul", arg(0), e.constant(in))
		} else {
			out.name = e.scale(arg(0), in.c)
		}
	case ir.Shift:
		out.name = e.op("Add", arg(0), e.constant(in))
	case ir.Unary, ir.Pow, ir.Func:
		out.name = e.unary(in, arg(0))
	}
	e.value[id] = out
}

// cast converts booleans and integers to numbers.
func (e *emitter) cast(x string) string {
	return e.with("Cast", []attribute{integer("to", int(e.elem))}, x)
}

func (e *emitter) scale(x string, c float64) string {
	switch c {
	case 1:
		return x
	case -1:
		return e.op("Neg", x)
	}
	return e.op("Mul", x, e.number(c))
}

// opaque translates what the compiler runs as Go functions, if there are operations for it.
func (e *emitter) opaque(in *instruction) string {
	name, args, _ := strings.Cut(in.name, "(")
	switch name {
	case "copy":
		return e.whole(in.args[0])
	case "take", "put":
		var before, size, after, k int
		if _, err := fmt.Sscanf(args, "%d,%d,%d;%d)", &before, &size, &after, &k); err == nil {
			return e.taken(in, name == "put", [4]int{before, size, after, k})
		}
	case "rowsparsemax":
		return e.sparsemax(e.whole(in.args[0]), in.cols)
	case "dropoutmask", "batchnormstats":
		e.fail("a Dropout or BatchNorm is training; call SetTraining(false) of its operation, or build the graph without it")
		return ""
	}
	e.fail("operation %s has no counterpart in ONNX", in.name)
	return ""
}

// sparsemax is max(x - τ, 0) with the τ for which the rows add up to 1: of the elements in descending order, those
// belong to the support of which 1 + k x_k > Σ_{j≤k} x_j, and τ is their sum less 1, over their number.
func (e *emitter) sparsemax(x string, cols int) string {
	ranks := make([]float64, cols)
	for k := range ranks {
		ranks[k] = float64(k + 1)
	}
	sorted := e.with("TopK", []attribute{integer("axis", 1)}, x, e.ints(cols))
	least := e.op("Add", e.op("Mul", sorted, e.array([]int{1, cols}, ranks)), e.number(1))
	support := e.cast(e.op("Greater", least, e.op("CumSum", sorted, e.intArray(nil, []int{1}))))
	sum := func(y string) string { return e.op("ReduceSum", y, e.ints(1)) }
	tau := e.op("Div", e.op("Sub", sum(e.op("Mul", support, sorted)), e.number(1)), sum(support))
	return e.op("Relu", e.op("Sub", x, tau))
}
