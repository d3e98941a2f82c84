package kernels

import "math"

// Func names a function of one variable.
type Func uint8

// The smooth activations SiLU, Tanh, Softplus, GELU and Sigmoid have derivatives of every order: 0 to 3 are fast,
// higher ones are computed from Taylor series. So have Exp, Log, Sqrt, Reciprocal, Sin, Cos and Square. The
// derivatives of ReLU, Abs, Neg and Sign are those almost everywhere, with value 0 at the kink of ReLU and Abs. Sin
// and Cos of large arguments run in portable Go on every path.
const (
	Neg        Func = iota // −x
	Abs                    // |x|
	Sign                   // −1, 0, 1
	ReLU                   // max(x, 0)
	Square                 // x²
	Sqrt                   // √x
	Reciprocal             // 1/x
	Exp                    // eˣ
	Log                    // ln x
	Sin
	Cos
	Sigmoid  // σ(x) = 1/(1+e⁻ˣ)
	Tanh     //
	Softplus // ln(1+eˣ)
	SiLU     // x σ(x)
	GELU     // x Φ(x) = x/2 (1 + erf(x/√2))
	numFuncs
)

var funcNames = [numFuncs]string{"neg", "abs", "sign", "relu", "square", "sqrt", "reciprocal", "exp", "log", "sin",
	"cos",
	"sigmoid", "tanh", "softplus", "silu", "gelu"}

func (f Func) String() string { return funcNames[f] }

// Unary stores the derivative of the given order of f at every x: order 0 is f itself.
func Unary[T Float](f Func, order int, dst, x []T) {
	check(len(dst) == len(x), "Unary: lengths differ")
	check(order >= 0 && f < numFuncs, "Unary: no such function or order")
	if len(x) == 0 || unaryAsm(f, order, dst, x) {
		return
	}
	unaryGeneric(f, order, dst, x)
}

// UnaryMulti stores f and its derivatives of orders 1, 2 and 3 at every x, in one pass; a nil slice is left out.
// The destinations must differ from each other; one of them may be x.
func UnaryMulti[T Float](f Func, d0, d1, d2, d3, x []T) {
	n := len(x)
	check((d0 == nil || len(d0) == n) && (d1 == nil || len(d1) == n) && (d2 == nil || len(d2) == n) &&
		(d3 == nil || len(d3) == n), "UnaryMulti: lengths differ")
	if n == 0 || multiAsm(f, d0, d1, d2, d3, x) {
		return
	}
	multiGeneric(f, d0, d1, d2, d3, x)
}

// Pow stores the derivative of the given order of x^p,
//
//	p (p−1) … (p−order+1) x^(p−order).
//
// Small integer and half-integer exponents are computed by products and square roots; others by math.Pow.
func Pow[T Float](p float64, order int, dst, x []T) {
	check(len(dst) == len(x), "Pow: lengths differ")
	c := 1.0
	for i := range order {
		c *= p - float64(i)
	}
	q := p - float64(order)
	switch {
	case c == 0:
		Fill(dst, 0)
		return
	case q == 0:
		Fill(dst, T(c))
		return
	case q == 1:
		copy(dst, x)
	case q == 2:
		Mul(dst, x, x)
	case q == 0.5:
		Unary(Sqrt, 0, dst, x)
	case q == -1:
		Unary(Reciprocal, 0, dst, x)
	case q == -2:
		Mul(dst, x, x)
		Unary(Reciprocal, 0, dst, dst)
	case q == 3:
		for i, v := range x {
			dst[i] = v * v * v
		}
	default:
		for i, v := range x {
			dst[i] = T(c * math.Pow(float64(v), q))
		}
		return
	}
	if c != 1 {
		Scale(dst, T(c), dst)
	}
}

// reciprocalDerivative is (−1)^k k! x^−(k+1).
func reciprocalDerivative[T Float](order int, dst, x []T) {
	c := factorial(order)
	if order%2 != 0 {
		c = -c
	}
	for i, v := range x {
		p := v
		for range order {
			p *= v
		}
		dst[i] = T(c) / p
	}
}
