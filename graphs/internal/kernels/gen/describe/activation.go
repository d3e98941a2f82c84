package describe

// A Smooth is an activation with its derivatives of orders 1, 2 and 3.
//
// All of them are built on e = exp(z), z = −|x|, −2|x| or −x²/2, which never overflows. What is small there, e itself
// included, is kept as E = e·2^B and multiplied by 2^−B at the very end, so that results below the least normal number
// are rounded once. Arguments are clamped where e has vanished altogether, so that infinite ones need no care; NaN
// passes every step.
type Smooth struct {
	Name  string
	Body  func(a *Activation)
	Short func(a *Activation) // for arguments within ShortLimit; may be nil
	limit func(e vec) float64
}

// Activations are the smooth activations.
func Activations() []Smooth {
	return []Smooth{{"sigmoid", sigmoid, shortSigmoid, vec.lim}, {"softplus", softplus, nil, vec.lim},
		{"tanh", tanh, nil, vec.lim},
		{"silu", silu, shortSiLU, vec.lim}, {"gelu", gelu, nil, vec.geluLim}}
}

// Activation is the state of one routine: x is the argument, out the results.
type Activation struct {
	vec
	orders int
	x      Value
	least  Value // the least argument, below which everything has vanished
	mask   Value // where x has its sign bit set, made when it is first needed
	out    [4]Value
}

// New prepares the derivatives of orders 0 … orders−1.
func (s Smooth) New(o Ops, orders int) *Activation {
	a := &Activation{vec: vec{o}, orders: orders}
	a.least = a.kreg(-s.limit(a.vec))
	return a
}

// Run writes a body for the argument x and returns its results.
func (a *Activation) Run(body func(*Activation), x Value) []Value {
	a.x, a.mask = x, nil
	body(a)
	return a.out[:a.orders]
}

// ShortLimit is the greatest |x| for which no exponential overflows and no result is denormal.
func ShortLimit(o Ops) float64 {
	if o.F64() {
		return 600
	}
	return 80
}

// Within is x within ShortLimit.
func (a *Activation) Within(x Value) Value {
	d := a.Reg()
	a.Max(x, a.kreg(-ShortLimit(a)), d)
	a.Min(d, a.kreg(ShortLimit(a)), d)
	return d
}

// Beyond has its sign bit set where x is beyond ShortLimit, or is NaN where that is.
func (a *Activation) Beyond(x Value) Value {
	m := a.negAbs(x)
	a.Add(a.k(ShortLimit(a)), m, m)
	return m
}

// Pick is far where the sign bit of beyond is set, near elsewhere.
func (a *Activation) Pick(beyond, near, far Value) Value { return a.bySign(beyond, near, far) }

// negClamped is −|x|, not less than a.least.
func (a *Activation) negClamped(x Value) Value {
	z := a.negAbs(x)
	a.Max(z, a.least, z) // z itself where it is NaN
	return z
}

// negative is the mask of negative x.
func (a *Activation) negative() Value {
	if a.mask == nil {
		a.mask = a.SignMask(a.x)
	}
	return a.mask
}

// choose is neg where x is negative, pos elsewhere.
func (a *Activation) choose(pos, neg Value) Value {
	d := a.Reg()
	a.Blend(a.negative(), neg, pos, d)
	return d
}

// unscaleNegative multiplies v by 2^−B where x is negative.
func (a *Activation) unscaleNegative(v Value) { a.MulWhere(a.negative(), a.down(), v) }
