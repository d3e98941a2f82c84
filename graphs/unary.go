package graphs

import (
	"fmt"
	"math"
	"strconv"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// fn names an element-wise function of one variable.
type fn int

const (
	fnSiLU       fn = iota // x σ(x)
	fnTanh                 // tanh x
	fnSigmoid              // σ(x) = 1/(1+exp(-x))
	fnSoftplus             // log(1+exp x); its derivatives are those of fnSigmoid
	fnGELU                 // x Φ(x), Φ the normal distribution function
	fnReLU                 // max(x, 0)
	fnStep                 // 1 where x > 0, else 0
	fnAbs                  // |x|
	fnSign                 // -1, 0, 1
	fnSquare               // x²
	fnExp                  // exp x
	fnLog                  // log x
	fnSqrt                 // √x
	fnReciprocal           // 1/x
	fnSin                  // sin x
	fnCos                  // cos x
	fnPow                  // x^p
)

var fnNames = [...]string{"silu", "tanh", "sigmoid", "softplus", "gelu", "relu", "step", "abs", "sign", "square", "exp",
	"log", "sqrt", "reciprocal", "sin", "cos", "pow"}

func (f fn) String() string { return fnNames[f] }

// unaryOp is y_i = f^(order)(x_i), for any shape.
//
// SiLU, tanh, sigmoid and GELU are closed under differentiation by their order: one node for each, never a formula of
// many. The order of every other function is 0; its derivative is written with other operations.
type unaryOp struct {
	fn    fn
	order int
	p     float64 // the exponent of fnPow, else 0
}

func (o unaryOp) String() string {
	switch {
	case o.fn == fnPow:
		return "pow(" + strconv.FormatFloat(o.p, 'g', -1, 64) + ")"
	case o.order > 0:
		return fmt.Sprintf("%v^(%d)", o.fn, o.order)
	}
	return o.fn.String()
}

func (o unaryOp) arity() int                                    { return 1 }
func (o unaryOp) shape(in []tensor.Shape) (tensor.Shape, error) { return in[0].Clone(), nil }

func (o unaryOp) eval(dst []float64, in [][]float64, _ []tensor.Shape) {
	f := o.scalar()
	for i, x := range in[0] {
		dst[i] = f(x)
	}
}

// derivative returns f'(x) where out = f(x), nil where it vanishes (almost) everywhere.
func (o unaryOp) derivative(x, out *G.Node) *G.Node {
	switch o.fn {
	case fnSiLU, fnTanh, fnSigmoid, fnGELU:
		return unary(unaryOp{fn: o.fn, order: o.order + 1}, x)
	case fnSoftplus:
		return Sigmoid(x)
	case fnReLU:
		return unary(unaryOp{fn: fnStep}, x)
	case fnAbs:
		return unary(unaryOp{fn: fnSign}, x)
	case fnStep, fnSign:
		return nil
	case fnSquare:
		return Scale(x, 2)
	case fnExp:
		return out
	case fnLog:
		return Reciprocal(x)
	case fnSqrt:
		return Scale(Reciprocal(out), 0.5)
	case fnReciprocal:
		return Neg(Square(out))
	case fnSin:
		return Cos(x)
	case fnCos:
		return Neg(Sin(x))
	case fnPow:
		return Scale(Pow(x, o.p-1), o.p)
	}
	panic("graphs: unaryOp without derivative: " + o.String())
}

// second returns f″(x), nil where it vanishes.
func (o unaryOp) second(x, out *G.Node) *G.Node {
	switch o.fn {
	case fnSiLU, fnTanh, fnSigmoid, fnGELU:
		return unary(unaryOp{fn: o.fn, order: o.order + 2}, x)
	case fnSoftplus:
		return unary(unaryOp{fn: fnSigmoid, order: 1}, x)
	case fnReLU, fnAbs, fnStep, fnSign:
		return nil
	case fnSquare:
		return constant(2, x.Shape(), x)
	case fnExp:
		return out
	case fnLog:
		return Neg(Square(Reciprocal(x)))
	case fnSqrt:
		return Scale(Mul(Square(Reciprocal(out)), Reciprocal(out)), -0.25)
	case fnReciprocal:
		return Scale(Mul(Square(out), out), 2)
	case fnSin, fnCos:
		return Neg(out)
	case fnPow:
		return Scale(Pow(x, o.p-2), o.p*(o.p-1))
	}
	panic("graphs: unaryOp without derivative: " + o.String())
}

func (o unaryOp) vjp(in G.Nodes, out, g *G.Node, _ []bool) G.Nodes {
	d := o.derivative(in[0], out)
	if d == nil {
		return G.Nodes{nil}
	}
	return G.Nodes{Mul(g, d)}
}

func (o unaryOp) jvp(in G.Nodes, out *G.Node, t G.Nodes) *G.Node {
	if t[0] == nil {
		return nil
	}
	d := o.derivative(in[0], out)
	if d == nil {
		return nil
	}
	return Mul(d, t[0])
}

// curve is f″(x) ⊙ Σ_k t_k².
func (o unaryOp) curve(in G.Nodes, out *G.Node, dirs []G.Nodes) *G.Node {
	var squares *G.Node
	for _, t := range dirs {
		if t[0] != nil {
			squares = plus(squares, Square(t[0]))
		}
	}
	if squares == nil {
		return nil
	}
	d := o.second(in[0], out)
	if d == nil {
		return nil
	}
	return Mul(d, squares)
}

// unary applies o, and moves it through expansions: f of a repeated row is the repeated f of the row.
func unary(o unaryOp, x *G.Node) *G.Node {
	need(o, x)
	if c, ok := constantOf(x); ok {
		return constant(o.scalar()(c), x.Shape(), x)
	}
	if e, ok := expansionOf(x); ok {
		return e.expand(unary(o, e.x))
	}
	return apply(o, x)
}

// SiLU is x σ(x).
func SiLU(x *G.Node) *G.Node { return unary(unaryOp{fn: fnSiLU}, x) }

// Tanh is the hyperbolic tangent.
func Tanh(x *G.Node) *G.Node { return unary(unaryOp{fn: fnTanh}, x) }

// Sigmoid is σ(x) = 1/(1+exp(-x)).
func Sigmoid(x *G.Node) *G.Node { return unary(unaryOp{fn: fnSigmoid}, x) }

// Softplus is log(1+exp x).
func Softplus(x *G.Node) *G.Node { return unary(unaryOp{fn: fnSoftplus}, x) }

// GELU is x Φ(x) with the exact normal distribution function Φ, not the approximation by tanh.
func GELU(x *G.Node) *G.Node { return unary(unaryOp{fn: fnGELU}, x) }

// ReLU is max(x, 0). Its derivative at 0 is taken as 0, its second derivative as 0 everywhere.
func ReLU(x *G.Node) *G.Node { return unary(unaryOp{fn: fnReLU}, x) }

// Abs is |x|; its derivative at 0 is taken as 0.
func Abs(x *G.Node) *G.Node { return unary(unaryOp{fn: fnAbs}, x) }

// Square is x².
func Square(x *G.Node) *G.Node { return unary(unaryOp{fn: fnSquare}, x) }

// Exp is the exponential function.
func Exp(x *G.Node) *G.Node { return unary(unaryOp{fn: fnExp}, x) }

// Log is the natural logarithm.
func Log(x *G.Node) *G.Node { return unary(unaryOp{fn: fnLog}, x) }

// Sqrt is the square root.
func Sqrt(x *G.Node) *G.Node { return unary(unaryOp{fn: fnSqrt}, x) }

// Reciprocal is 1/x.
func Reciprocal(x *G.Node) *G.Node { return unary(unaryOp{fn: fnReciprocal}, x) }

// Sin is the sine.
func Sin(x *G.Node) *G.Node { return unary(unaryOp{fn: fnSin}, x) }

// Cos is the cosine.
func Cos(x *G.Node) *G.Node { return unary(unaryOp{fn: fnCos}, x) }

// Pow is x^p for a constant p. Whole p are defined for every x, others for x ≥ 0.
func Pow(x *G.Node, p float64) *G.Node {
	need(unaryOp{fn: fnPow, p: p}, x)
	switch p {
	case 0:
		return OnesLike(x)
	case 1:
		return x
	case 2:
		return Square(x)
	case -1:
		return Reciprocal(x)
	case 0.5:
		return Sqrt(x)
	}
	return unary(unaryOp{fn: fnPow, p: p}, x)
}

// scalar returns the function in float64, accurate for every argument: the reference of the compiled kernels, and their
// stand-in for orders that have none.
func (o unaryOp) scalar() func(float64) float64 {
	switch o.fn {
	case fnSiLU:
		return siluDeriv(o.order)
	case fnTanh:
		if o.order == 0 {
			return math.Tanh
		}
		// tanh x = 2σ(2x) - 1
		s, c := sigmoidDeriv(o.order), math.Ldexp(1, o.order+1)
		return func(x float64) float64 { return c * s(2*x) }
	case fnSigmoid:
		return sigmoidDeriv(o.order)
	case fnSoftplus:
		return func(x float64) float64 { return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }
	case fnGELU:
		return geluDeriv(o.order)
	case fnReLU:
		return func(x float64) float64 {
			if x <= 0 {
				return 0
			}
			return x // NaN stays NaN
		}
	case fnStep:
		return func(x float64) float64 {
			switch {
			case x > 0:
				return 1
			case x <= 0:
				return 0
			}
			return x
		}
	case fnAbs:
		return math.Abs
	case fnSign:
		return func(x float64) float64 {
			switch {
			case x > 0:
				return 1
			case x < 0:
				return -1
			}
			return x
		}
	case fnSquare:
		return func(x float64) float64 { return x * x }
	case fnExp:
		return math.Exp
	case fnLog:
		return math.Log
	case fnSqrt:
		return math.Sqrt
	case fnReciprocal:
		return func(x float64) float64 { return 1 / x }
	case fnSin:
		return math.Sin
	case fnCos:
		return math.Cos
	case fnPow:
		return func(x float64) float64 { return math.Pow(x, o.p) }
	}
	panic("graphs: unaryOp without value: " + o.String())
}

// sigmoidPoly returns the coefficients of P_k, σ^(k) = P_k(σ): P_0(s) = s and, because σ' = σ - σ²,
// P_{k+1}(s) = P_k'(s)(s - s²).
func sigmoidPoly(k int) []float64 {
	p := []float64{0, 1}
	for range k {
		q := make([]float64, len(p)+1)
		for i := 1; i < len(p); i++ {
			d := float64(i) * p[i]
			q[i] += d
			q[i+1] -= d
		}
		p = q
	}
	return p
}

func horner(p []float64, x float64) float64 {
	r := 0.0
	for i := len(p) - 1; i >= 0; i-- {
		r = r*x + p[i]
	}
	return r
}

// sigmoidDeriv returns σ^(k). Because σ(-x) = 1 - σ(x), σ^(k)(-x) = (-1)^{k+1} σ^(k)(x) for k ≥ 1; the polynomial is
// evaluated on the side where σ is small and nothing cancels.
func sigmoidDeriv(k int) func(float64) float64 {
	if k == 0 {
		return sigmoid
	}
	p := sigmoidPoly(k)
	odd := 1.0
	if k%2 == 0 {
		odd = -1
	}
	return func(x float64) float64 {
		if x > 0 {
			return odd * horner(p, sigmoid(-x))
		}
		return horner(p, sigmoid(x))
	}
}

func sigmoid(x float64) float64 {
	if x < 0 {
		e := math.Exp(x)
		return e / (1 + e)
	}
	return 1 / (1 + math.Exp(-x))
}

// siluDeriv returns the k-th derivative of xσ(x): xσ^(k) + kσ^(k-1).
func siluDeriv(k int) func(float64) float64 {
	s := sigmoidDeriv(k)
	if k == 0 {
		return func(x float64) float64 { return timesTail(x, s(x)) }
	}
	s1, c := sigmoidDeriv(k-1), float64(k)
	return func(x float64) float64 { return timesTail(x, s(x)) + c*s1(x) }
}

// geluDeriv returns the k-th derivative of xΦ(x): Φ + xφ for k = 1 and q_k φ for k ≥ 2, with q_2 = 2 - x² and, because
// φ' = -xφ, q_{k+1} = q_k' - x q_k.
func geluDeriv(k int) func(float64) float64 {
	phi := func(x float64) float64 { return math.Exp(-x*x/2) / math.Sqrt(2*math.Pi) }
	cdf := func(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }
	switch k {
	case 0:
		return func(x float64) float64 { return timesTail(x, cdf(x)) }
	case 1:
		return func(x float64) float64 { return cdf(x) + timesTail(x, phi(x)) }
	}
	q := []float64{2, 0, -1}
	for range k - 2 {
		r := make([]float64, len(q)+1)
		for i, c := range q {
			if i > 0 {
				r[i-1] += float64(i) * c
			}
			r[i+1] -= c
		}
		q = r
	}
	return func(x float64) float64 {
		f := phi(x)
		if f == 0 {
			return 0
		}
		return horner(q, x) * f
	}
}

// timesTail returns x·f where f underflows faster than x grows.
func timesTail(x, f float64) float64 {
	if f == 0 && !math.IsNaN(x) {
		return 0
	}
	return x * f
}
