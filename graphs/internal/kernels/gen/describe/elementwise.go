package describe

// An Operation works on several operands, element by element.
type Operation struct {
	Name   string
	Arrays []string
	Scalar bool // whether there is an operand that is the same for all elements
	Body   func(o Ops, v []Value, c Value) Value
}

// Elementwise are the operations on several operands.
func Elementwise() []Operation {
	op := func(f func(o Ops, v []Value)) func(o Ops, v []Value, c Value) Value {
		return func(o Ops, v []Value, c Value) Value { f(o, v); return v[0] }
	}
	scalar := func(f func(o Ops, v, c Value)) func(o Ops, v []Value, c Value) Value {
		return func(o Ops, v []Value, c Value) Value { f(o, v[0], c); return v[0] }
	}
	two, three := []string{"a", "b"}, []string{"a", "b", "c"}
	return []Operation{
		{"add", two, false, op(func(o Ops, v []Value) { o.Add(v[1], v[0], v[0]) })},
		{"sub", two, false, op(func(o Ops, v []Value) { o.Sub(v[1], v[0], v[0]) })},
		{"mul", two, false, op(func(o Ops, v []Value) { o.Mul(v[1], v[0], v[0]) })},
		{"div", two, false, op(func(o Ops, v []Value) { o.Div(v[1], v[0], v[0]) })},
		{"mulAdd", three, false, op(func(o Ops, v []Value) { o.Fma213(v[2], v[1], v[0]) })},
		{"mulSub", three, false, op(func(o Ops, v []Value) { o.Fms213(v[2], v[1], v[0]) })},
		{"negMulAdd", three, false, op(func(o Ops, v []Value) { o.Fnma213(v[2], v[1], v[0]) })},
		{"mulMul", three, false, op(func(o Ops, v []Value) { o.Mul(v[1], v[0], v[0]); o.Mul(v[2], v[0], v[0]) })},
		{"mulMulAdd", []string{"a", "b", "c", "d"}, false, op(func(o Ops, v []Value) { o.Mul(v[3], v[2], v[2]); o.Fma213(v[2], v[1], v[0]) })},
		{"addScalar", two[:1], true, scalar(func(o Ops, v, c Value) { o.Add(c, v, v) })},
		{"mulScalar", two[:1], true, scalar(func(o Ops, v, c Value) { o.Mul(c, v, v) })},
		{"divScalar", two[:1], true, scalar(func(o Ops, v, c Value) { o.Div(c, v, v) })},
		{"scalarSub", two[:1], true, scalar(func(o Ops, v, c Value) { o.Sub(v, c, v) })},
		{"scalarDiv", two[:1], true, scalar(func(o Ops, v, c Value) { o.Div(v, c, v) })},
		{"scaleAdd", two, true, func(o Ops, v []Value, c Value) Value { o.Fma213(v[1], c, v[0]); return v[0] }},
		{"fill", nil, true, func(o Ops, v []Value, c Value) Value { return c }},
	}
}
