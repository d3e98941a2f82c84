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
	compare := func(predicate int, not bool) func(o Ops, v []Value, c Value) Value {
		return op(func(o Ops, v []Value) {
			o.Cmp(predicate, v[1], v[0], v[0])
			if one := (vec{o}).k(1); not {
				o.Andn(one, v[0], v[0])
			} else {
				o.And(one, v[0], v[0])
			}
		})
	}
	two, three := []string{"a", "b"}, []string{"a", "b", "c"}
	return []Operation{
		{"add", two, false, op(func(o Ops, v []Value) { o.Add(v[1], v[0], v[0]) })},
		{"sub", two, false, op(func(o Ops, v []Value) { o.Sub(v[1], v[0], v[0]) })},
		{"mul", two, false, op(func(o Ops, v []Value) { o.Mul(v[1], v[0], v[0]) })},
		{"div", two, false, op(func(o Ops, v []Value) { o.Div(v[1], v[0], v[0]) })},
		{"less", two, false, compare(LessThan, false)},
		{"lessEqual", two, false, compare(NotLE, true)},
		{"equal", two, false, compare(Equal, false)},
		{"notEqual", two, false, compare(NotEqual, false)},
		{"larger", two, false, op(func(o Ops, v []Value) { vec{o}.extreme(o.Max, o.And, v) })},
		{"smaller", two, false, op(func(o Ops, v []Value) { vec{o}.extreme(o.Min, o.Or, v) })},
		{"mulAdd", three, false, op(func(o Ops, v []Value) { o.Fma213(v[2], v[1], v[0]) })},
		{"mulSub", three, false, op(func(o Ops, v []Value) { o.Fms213(v[2], v[1], v[0]) })},
		{"negMulAdd", three, false, op(func(o Ops, v []Value) { o.Fnma213(v[2], v[1], v[0]) })},
		{"mulMul", three, false, op(func(o Ops, v []Value) { o.Mul(v[1], v[0], v[0]); o.Mul(v[2], v[0], v[0]) })},
		{"mulMulAdd", []string{"a", "b", "c", "d"}, false, op(func(o Ops, v []Value) {
			o.Mul(v[3], v[2], v[2])
			o.Fma213(v[2], v[1], v[0])
		})},
		{"addScalar", two[:1], true, scalar(func(o Ops, v, c Value) { o.Add(c, v, v) })},
		{"mulScalar", two[:1], true, scalar(func(o Ops, v, c Value) { o.Mul(c, v, v) })},
		{"divScalar", two[:1], true, scalar(func(o Ops, v, c Value) { o.Div(c, v, v) })},
		{"scalarSub", two[:1], true, scalar(func(o Ops, v, c Value) { o.Sub(v, c, v) })},
		{"scalarDiv", two[:1], true, scalar(func(o Ops, v, c Value) { o.Div(v, c, v) })},
		{"scaleAdd", two, true, func(o Ops, v []Value, c Value) Value { o.Fma213(v[1], c, v[0]); return v[0] }},
		{"fill", nil, true, func(o Ops, v []Value, c Value) Value { return c }},
	}
}

// extreme makes v[0] the larger or smaller of v[0] and v[1]: of zeros the one whose sign join keeps, NaN where either
// is.
func (e vec) extreme(of, join func(x, y, d Value), v []Value) {
	a, b, nan := e.Reg(), e.Reg(), e.Reg()
	of(v[0], v[1], a)
	of(v[1], v[0], b)
	join(a, b, a)
	e.Cmp(Unordered, v[0], v[0], nan)
	e.Or(nan, a, a)
	e.Cmp(Unordered, v[1], v[1], nan)
	e.Or(nan, a, v[0])
}
