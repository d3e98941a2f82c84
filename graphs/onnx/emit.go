package onnx

import (
	"fmt"
	"math"
	"slices"

	"gorgonia.org/tensor"
)

// emitter translates instructions to nodes.
type emitter struct {
	p      *program
	elem   dataType
	nodes  [][]byte
	inits  [][]byte
	value  []value           // by instruction
	uses   []int             // how often an instruction is an operand or an output
	shared map[string]string // constants and what else is made once, by content
	count  int
	err    error
}

// value is what stands for the result of an instruction. Where a dimension is 1 but the instruction's is not, the rows or
// columns are repeated: operations that broadcast take it as it is, for others whole makes the repetition real.
type value struct {
	name       string
	rows, cols int
}

func (p *program) marshal(info Info) ([]byte, error) {
	e := &emitter{p: p, elem: float, value: make([]value, len(p.code)), uses: make([]int, len(p.code)), shared: map[string]string{}}
	if p.dt == tensor.Float64 {
		e.elem = double
	}
	for _, in := range p.code {
		for _, a := range in.Args {
			e.uses[a]++
		}
	}
	for _, id := range p.result {
		e.uses[id]++
	}
	var inputs, outputs [][]byte
	for i, v := range p.Inputs {
		inputs = append(inputs, valueInfo(v.Name, e.elem, p.in[i]))
	}
	for id := range p.code {
		e.instruction(id)
		if e.err != nil {
			return nil, e.err
		}
	}
	for i, v := range p.Outputs {
		x := e.whole(p.result[i])
		if len(p.out[i]) == 2 {
			e.named(v.Name, "Identity", nil, x)
		} else {
			e.named(v.Name, "Reshape", nil, x, e.shape(p.out[i]...))
		}
		outputs = append(outputs, valueInfo(v.Name, e.elem, p.out[i]))
	}
	if e.err != nil {
		return nil, e.err
	}
	return model(info, e.nodes, e.inits, inputs, outputs), nil
}

func (e *emitter) fail(format string, args ...any) {
	if e.err == nil {
		e.err = fmt.Errorf("onnx: "+format, args...)
	}
}

// op adds a node of one output and returns the name of that.
func (e *emitter) op(kind string, in ...string) string { return e.with(kind, nil, in...) }

func (e *emitter) with(kind string, attrs []attribute, in ...string) string {
	e.count++
	name := fmt.Sprintf("/%d", e.count)
	e.named(name, kind, attrs, in...)
	return name
}

func (e *emitter) named(out, kind string, attrs []attribute, in ...string) {
	e.nodes = append(e.nodes, node(kind, out, in, attrs))
}

// once returns the name that make gave to what key describes.
func (e *emitter) once(key string, make func() string) string {
	if name, ok := e.shared[key]; ok {
		return name
	}
	name := make()
	e.shared[key] = name
	return name
}

// number is a constant (1,1).
func (e *emitter) number(c float64) string {
	return e.once(fmt.Sprintf("c %x", math.Float64bits(c)), func() string {
		e.count++
		name := fmt.Sprintf("/c%d", e.count)
		e.inits = append(e.inits, floats(name, e.elem, []int{1, 1}, []float64{c}))
		return name
	})
}

// ints is a constant vector of whole numbers.
func (e *emitter) ints(v ...int) string {
	return e.once(fmt.Sprint("i ", v), func() string {
		e.count++
		name := fmt.Sprintf("/i%d", e.count)
		e.inits = append(e.inits, int64s(name, v))
		return name
	})
}

// shape is a vector of dimensions for Reshape, at most one of them open.
func (e *emitter) shape(dims ...int) string {
	n := 0
	for _, d := range dims {
		if d == batch {
			n++
		}
	}
	if n > 1 {
		e.fail("a reshape leaves two dimensions open")
	}
	return e.ints(dims...)
}

// rows is the number of rows as a vector (1).
func (e *emitter) rows() string {
	return e.once("rows", func() string {
		for i, v := range e.p.Inputs {
			for j, d := range e.p.in[i] {
				if d == batch {
					return e.with("Shape", []attribute{integer("start", j), integer("end", j+1)}, v.Name)
				}
			}
		}
		e.fail("no input has the open number of rows")
		return ""
	})
}

// whole is the result of an instruction in its own shape.
func (e *emitter) whole(id int) string {
	v, in := e.value[id], &e.p.code[id]
	if v.rows == in.Rows && v.cols == in.Cols {
		return v.name
	}
	var shape string
	if in.Rows != batch && in.Cols != batch {
		shape = e.ints(in.Rows, in.Cols)
	} else {
		dims := [2]string{}
		for i, d := range []int{in.Rows, in.Cols} {
			if dims[i] = e.rows(); d != batch {
				dims[i] = e.ints(d)
			}
		}
		shape = e.once(fmt.Sprint("s ", in.Rows, in.Cols), func() string {
			return e.with("Concat", []attribute{integer("axis", 0)}, dims[0], dims[1])
		})
	}
	e.value[id] = value{e.op("Expand", v.name, shape), in.Rows, in.Cols}
	return e.value[id].name
}

// instruction translates one instruction.
func (e *emitter) instruction(id int) {
	in := &e.p.code[id]
	full := func(name string) value { return value{name, in.Rows, in.Cols} }
	arg := func(i int) string { return e.whole(in.Args[i]) }
	set := func(name string) { e.value[id] = full(name) }
	if e.deferred(id) {
		return
	}
	switch in.Op {
	case "input":
		e.input(id)
	case "const":
		e.value[id] = value{e.number(in.C), 1, 1}
	case "data":
		e.count++
		name := fmt.Sprintf("/d%d", e.count)
		e.inits = append(e.inits, floats(name, e.elem, []int{in.Rows, in.Cols}, in.Values))
		set(name)
	case "expandcols", "expandrows", "fill":
		e.value[id] = e.value[in.Args[0]]
	case "unary", "add", "sub", "mul", "div", "max", "min", "cmp", "scale", "shift":
		e.elementwise(id)
	case "matmul":
		set(e.product(in, ""))
	case "rowsum":
		set(e.op("ReduceSum", arg(0), e.ints(1)))
	case "colsum":
		set(e.op("ReduceSum", arg(0), e.ints(0)))
	case "sum":
		set(e.op("ReduceSum", arg(0), e.ints(0, 1)))
	case "rowmax":
		set(e.rowMax(arg(0)))
	case "rowlse": // m + log Σ exp(x - m)
		m := e.rowMax(arg(0))
		set(e.op("Add", m, e.op("Log", e.op("ReduceSum", e.op("Exp", e.op("Sub", arg(0), m)), e.ints(1)))))
	case "rowsoftmax":
		set(e.with("Softmax", []attribute{integer("axis", 1)}, arg(0)))
	case "slicecols":
		set(e.op("Slice", arg(0), e.ints(in.Lo), e.ints(in.Hi), e.ints(1)))
	case "slicerows":
		set(e.op("Slice", arg(0), e.ints(in.Lo), e.ints(in.Hi), e.ints(0)))
	case "padcols":
		set(e.op("Pad", arg(0), e.ints(0, in.Lo, 0, in.after)))
	case "padrows":
		set(e.op("Pad", arg(0), e.ints(in.Lo, 0, in.after, 0)))
	case "concatcols", "concatrows":
		axis := 1
		if in.Op == "concatrows" {
			axis = 0
		}
		var parts []string
		for i := range in.Args {
			parts = append(parts, arg(i))
		}
		set(e.with("Concat", []attribute{integer("axis", axis)}, parts...))
	case "transpose":
		set(e.op("Transpose", arg(0)))
	case "reshape":
		set(e.op("Reshape", arg(0), e.shape(in.Rows, in.Cols)))
	case "gather", "put", "scatter", "argmax", "pick", "place", "batchmatmul":
		e.fail("operation %s is not exported yet", in.Op)
	case "opaque":
		e.fail("operation %s has no counterpart in ONNX", in.Name)
	default:
		e.fail("operation %s is not known", in.Op)
	}
}

func (e *emitter) rowMax(x string) string {
	return e.with("ReduceMax", []attribute{integers("axes", 1)}, x)
}

// input names an input, or stores a weight.
func (e *emitter) input(id int) {
	in := &e.p.code[id]
	if k := in.Index; k < len(e.p.Inputs) {
		name := e.p.Inputs[k].Name
		if e.uses[id] > 0 && !slices.Equal(e.p.in[k], []int{in.Rows, in.Cols}) {
			name = e.op("Reshape", name, e.shape(in.Rows, in.Cols))
		}
		e.value[id] = value{name, in.Rows, in.Cols}
		return
	}
	w := e.p.Weights[in.Index-len(e.p.Inputs)]
	if e.uses[id] > 0 {
		e.inits = append(e.inits, floats(w.Name, e.elem, []int{in.Rows, in.Cols}, w.Data))
	}
	e.value[id] = value{w.Name, in.Rows, in.Cols}
}

// deferred reports whether id is a product that its only user, an addition, computes along with itself.
func (e *emitter) deferred(id int) bool {
	if e.p.code[id].Op != "matmul" || e.uses[id] != 1 {
		return false
	}
	for i := id + 1; i < len(e.p.code); i++ {
		if user := &e.p.code[i]; slices.Contains(user.Args, id) {
			// Where two products are added, each is computed for itself.
			return user.Op == "add" && (e.p.code[user.Args[0]].Op != "matmul" || e.p.code[user.Args[1]].Op != "matmul")
		}
	}
	return false
}

// product is a matrix product, plus c unless that is "".
func (e *emitter) product(in *instruction, c string) string {
	var attrs []attribute
	if in.TransA {
		attrs = append(attrs, integer("transA", 1))
	}
	if in.TransB {
		attrs = append(attrs, integer("transB", 1))
	}
	args := []string{e.whole(in.Args[0]), e.whole(in.Args[1])}
	if c != "" {
		args = append(args, c)
	}
	return e.with("Gemm", attrs, args...)
}

// relations are those of a cmp; the last, not equal, is the negation of Equal.
var relations = [...]string{"Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Equal"}

// elementwise translates what broadcasts.
func (e *emitter) elementwise(id int) {
	in := &e.p.code[id]
	out := value{rows: 1, cols: 1}
	for _, a := range in.Args {
		if v := e.value[a]; v.name != "" {
			if v.rows != 1 {
				out.rows = v.rows
			}
			if v.cols != 1 {
				out.cols = v.cols
			}
		}
	}
	arg := func(i int) string { return e.value[in.Args[i]].name }
	switch in.Op {
	case "add":
		for i, a := range in.Args {
			if e.value[a].name == "" { // a product that waits for its bias
				out.name, out.rows, out.cols = e.product(&e.p.code[a], arg(1-i)), in.Rows, in.Cols
				e.value[id] = out
				return
			}
		}
		out.name = e.op("Add", arg(0), arg(1))
	case "sub":
		out.name = e.op("Sub", arg(0), arg(1))
	case "mul":
		out.name = e.op("Mul", arg(0), arg(1))
	case "div":
		out.name = e.op("Div", arg(0), arg(1))
	case "max":
		out.name = e.op("Max", arg(0), arg(1))
	case "min":
		out.name = e.op("Min", arg(0), arg(1))
	case "cmp":
		if in.Index < len(relations) {
			out.name = e.cast(e.op(relations[in.Index], arg(0), arg(1)))
		} else {
			out.name = e.cast(e.op("Not", e.op("Equal", arg(0), arg(1))))
		}
	case "scale":
		out.name = e.scale(arg(0), in.C)
	case "shift":
		out.name = e.op("Add", arg(0), e.number(in.C))
	case "unary":
		out.name = e.unary(in, arg(0))
	}
	e.value[id] = out
}

// cast makes numbers of truth values.
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
