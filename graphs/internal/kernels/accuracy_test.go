package kernels

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// The reference: elementary functions on numbers of 300 bits.

const prec = 300

func num(x float64) *big.Float        { return new(big.Float).SetPrec(prec).SetFloat64(x) }
func badd(a, b *big.Float) *big.Float { return new(big.Float).SetPrec(prec).Add(a, b) }
func bsub(a, b *big.Float) *big.Float { return new(big.Float).SetPrec(prec).Sub(a, b) }
func bmul(a ...*big.Float) *big.Float {
	p := num(1)
	for _, x := range a {
		p.Mul(p, x)
	}
	return p
}
func bdiv(a, b *big.Float) *big.Float { return new(big.Float).SetPrec(prec).Quo(a, b) }
func babs(a *big.Float) *big.Float    { return new(big.Float).SetPrec(prec).Abs(a) }
func bmax(a ...*big.Float) *big.Float {
	m := babs(a[0])
	for _, x := range a[1:] {
		if y := babs(x); y.Cmp(m) > 0 {
			m = y
		}
	}
	return m
}

// bexp is eˣ by Taylor's series at x/2^k.
func bexp(x *big.Float) *big.Float {
	const halvings = 24
	if x.Sign() == 0 {
		return num(1)
	}
	k := max(0, x.MantExp(nil)) + halvings
	r := new(big.Float).SetPrec(prec+64).SetMantExp(x, -k)
	sum := new(big.Float).SetPrec(prec + 64).SetInt64(1)
	term := new(big.Float).SetPrec(prec + 64).SetInt64(1)
	for i := int64(1); i < 20; i++ {
		term.Mul(term, r)
		term.Quo(term, new(big.Float).SetInt64(i))
		sum.Add(sum, term)
	}
	for range k {
		sum.Mul(sum, sum)
	}
	return sum.SetPrec(prec)
}

// blog is ln x by Newton's iteration on bexp.
func blog(x *big.Float) *big.Float {
	mant := new(big.Float).SetPrec(prec)
	e := x.MantExp(mant)
	m, _ := mant.Float64()
	y := num(math.Log(m))
	for range 4 {
		t := bexp(new(big.Float).SetPrec(prec).Neg(y))
		y = badd(y, bsub(bmul(mant, t), num(1)))
	}
	return badd(y, bmul(num(float64(e)), ln2()))
}

var ln2Value *big.Float

func ln2() *big.Float {
	if ln2Value == nil {
		y := num(math.Ln2)
		for range 4 {
			t := bexp(new(big.Float).SetPrec(prec).Neg(y))
			y = badd(y, bsub(bmul(num(2), t), num(1)))
		}
		ln2Value = y
	}
	return ln2Value
}

// bpi by Machin's formula.
var bpi = func() *big.Float {
	atan := func(q float64) *big.Float {
		x := bdiv(num(1), num(q))
		x2, p, s := bmul(x, x), bmul(x), num(0)
		for i := 0; i < 250; i++ {
			t := bdiv(p, num(float64(2*i+1)))
			if i%2 == 0 {
				s = badd(s, t)
			} else {
				s = bsub(s, t)
			}
			p = bmul(p, x2)
		}
		return s
	}
	return bmul(num(4), bsub(bmul(num(4), atan(5)), atan(239)))
}()

// bnormal is φ(a) and Φ(−a), a ≥ 0.
func bnormal(a *big.Float) (pdf, tail *big.Float) {
	a2 := bmul(a, a)
	pdf = bdiv(bexp(bmul(num(-0.5), a2)), new(big.Float).SetPrec(prec).Sqrt(bmul(num(2), bpi)))
	if a.Cmp(num(6)) < 0 { // Φ = ½ + φ(a + a³/3 + a⁵/15 + …)
		t, s := bmul(a), bmul(a)
		for i := 3.0; i < 500; i += 2 {
			t = bdiv(bmul(t, a2), num(i))
			s = badd(s, t)
		}
		return pdf, bsub(num(0.5), bmul(pdf, s))
	}
	c := bmul(a) // Laplace's continued fraction
	for i := 400; i > 0; i-- {
		c = badd(a, bdiv(num(float64(i)), c))
	}
	return pdf, bdiv(pdf, c)
}

// exact returns the derivatives of orders 0 to 3 at a finite x, and the largest of the terms that cancel in each.
func exact(f Func, x float64) (v, scale [4]*big.Float) {
	if x == 0 {
		x = math.Abs(x)
	}
	X := num(x)
	a := babs(X)
	one := num(1)
	sgn := num(1)
	if x < 0 {
		sgn = num(-1)
	}
	set := func(i int, val *big.Float, terms ...*big.Float) {
		v[i], scale[i] = val, babs(val)
		if len(terms) > 0 {
			scale[i] = bmax(terms...)
		}
	}
	switch f {
	case Exp:
		e := bexp(X)
		for i := range v {
			set(i, e)
		}
		return
	case Log:
		set(0, blog(X))
		return
	case GELU:
		pdf, tail := bnormal(a)
		cdf := tail
		if x > 0 {
			cdf = bsub(one, tail)
		}
		set(0, bmul(X, cdf))
		set(1, badd(cdf, bmul(X, pdf)), cdf, bmul(X, pdf))
		x2 := bmul(X, X)
		set(2, bmul(pdf, bsub(num(2), x2)), bmul(num(2), pdf), bmul(pdf, x2))
		set(3, bmul(pdf, X, bsub(x2, num(4))), bmul(num(4), pdf, X), bmul(pdf, X, x2))
		return
	case Tanh:
		if x != 0 && math.Abs(x) < 1e-40 { // t = x, to a relative error of x²
			set(0, X)
			set(1, one)
			set(2, bmul(num(-2), X))
			set(3, num(-2))
			return
		}
		e := bexp(bmul(num(-2), a))
		d := bdiv(one, badd(one, e))
		t := bmul(sgn, bsub(one, e), d)
		q := bmul(num(4), e, d, d)
		set(0, t)
		set(1, q)
		set(2, bmul(num(-2), t, q))
		t2 := bmul(num(6), t, t)
		set(3, bmul(q, bsub(t2, num(2))), bmul(q, t2), bmul(q, num(2)))
		return
	}
	e := bexp(new(big.Float).SetPrec(prec).Neg(a))
	d := bdiv(one, badd(one, e))
	s, c := d, bmul(e, d)
	if x < 0 {
		s, c = c, s
	}
	q := bmul(s, c)
	h := bsub(c, s)
	switch f {
	case Sigmoid:
		set(0, s)
		set(1, q)
		set(2, bmul(q, h), q)
		set(3, bmul(q, bsub(one, bmul(num(6), q))), q, bmul(num(6), q, q))
	case Softplus:
		l := badd(one, e)
		var lg *big.Float
		if e.MantExp(nil) < -100 { // ln(1+e), to a relative error of e²
			lg = bsub(e, bmul(num(0.5), e, e))
		} else {
			lg = blog(l)
		}
		if x > 0 {
			lg = badd(lg, X)
		}
		set(0, lg)
		set(1, s)
		set(2, q)
		set(3, bmul(q, h), q)
	case SiLU:
		set(0, bmul(X, s))
		set(1, bmul(s, badd(one, bmul(X, c))), s, bmul(s, X, c))
		set(2, bmul(q, badd(num(2), bmul(X, h))), bmul(num(2), q), bmul(q, X, h))
		six := bmul(num(6), q)
		set(3, bmul(q, badd(bmul(num(3), h), bmul(X, bsub(one, six)))), bmul(num(3), q), bmul(q, X), bmul(q, X, six))
	}
	return
}

// ulp is the distance between floating-point numbers of type T around x.
func ulp[T Float](x *big.Float) float64 {
	digits, least := 53, -1074
	if isFloat32[T]() {
		digits, least = 24, -149
	}
	e := least
	if x.Sign() != 0 {
		e = max(e, x.MantExp(nil)-digits)
	}
	return math.Ldexp(1, e)
}

// errorUlps is |got − want| in units of the last place of scale.
func errorUlps[T Float](got T, want, scale *big.Float) float64 {
	g := float64(got)
	if math.IsNaN(g) {
		return math.Inf(1)
	}
	top := math.MaxFloat64
	if isFloat32[T]() {
		top = math.MaxFloat32
	}
	if math.IsInf(g, 0) { // right if the value exceeds the largest number by more than half a unit
		if want.Cmp(num(0)) != 0 && (want.Sign() > 0) == (g > 0) && babs(want).Cmp(num(top)) > 0 {
			return 0
		}
		return math.Inf(1)
	}
	d, _ := new(big.Float).SetPrec(prec).Quo(babs(bsub(num(g), want)), num(ulp[T](scale))).Float64()
	return d
}

// arguments covers the ordinary range densely and the whole range of T thinly.
func arguments[T Float](n int, rng *rand.Rand) []T {
	lo, hi := -1080.0, 1024.0
	if isFloat32[T]() {
		lo, hi = -149, 128
	}
	x := []T{0, T(math.Copysign(0, -1)), 1, -1, 0.5, -0.5}
	edges := []float64{87.33, 88.02, 88.72, 88.73, 89, 90, 95, 100, 103.5, 103.97, 104, 105, 110, 120, 121, 13, 14,
		14.2, 14.5, 15, 16, 9.01,
		700, 708.3, 708.4, 709.7, 709.79, 710, 720, 740, 744.4, 745.13, 745.2, 750, 760, 770, 771, 37, 38, 38.4, 38.6,
		39, 40, 41, 1e4}
	for _, e := range edges {
		x = append(x, T(e), T(-e))
	}
	// zeros of derivatives
	for _, z := range []float64{1.2784645427610738, 2.3993572805154, 1.5434046384182, 0.7517915246935645, math.Sqrt2, 2,
		0.6584789484624083, 1.3169578969248166} {
		x = append(x, T(z), T(-z))
	}
	for len(x) < n {
		switch rng.IntN(4) {
		case 0:
			x = append(x, T(rng.NormFloat64()))
		case 1:
			x = append(x, T(20*rng.Float64()-10))
		case 2:
			x = append(x, T(240*rng.Float64()-120))
		default:
			v := math.Exp2(lo + (hi-lo)*rng.Float64())
			if rng.IntN(2) == 0 {
				v = -v
			}
			x = append(x, T(v))
		}
	}
	return x
}

func testAccuracy[T Float](t *testing.T, f Func, orders, n int) {
	rng := rand.New(rand.NewPCG(3, uint64(f)))
	if testing.Short() {
		n = 250
	}
	x := arguments[T](n, rng)
	if f == Log {
		for i, v := range x {
			x[i] = max(v, -v)
			if v == 0 {
				x[i] = 1
			}
		}
	}
	if f == Exp && !isFloat32[T]() {
		for i := range x {
			if i%2 == 0 {
				x[i] = T(1500*rng.Float64() - 760)
			}
		}
	}
	single := make([][]T, orders)
	multi := make([][]T, 4)
	for k := range orders {
		single[k] = make([]T, len(x))
		multi[k] = make([]T, len(x))
		Unary(f, k, single[k], x)
	}
	if orders == 4 {
		UnaryMulti(f, multi[0], multi[1], multi[2], multi[3], x)
	} else {
		multi[0] = single[0]
	}
	worst := make([]float64, orders)
	for i, v := range x {
		if math.IsInf(float64(v), 0) {
			continue
		}
		want, scale := exact(f, float64(v))
		for k := range orders {
			for name, got := range map[string]T{"Unary": single[k][i], "UnaryMulti": multi[k][i]} {
				e := errorUlps(got, want[k], scale[k])
				worst[k] = max(worst[k], e)
				if !(e <= 4.5) { // within 4 of the rounded value
					t.Errorf("%s: %v order %d at %v = %v, want %s: %.3g ulp", name, f, k, v, got, want[k].Text('g', 20), e)
				}
			}
		}
		if t.Failed() && i > 3000 {
			return
		}
	}
	s := ""
	for _, w := range worst {
		s += fmt.Sprintf(" %.2f", w)
	}
	t.Logf("%v: worst error%s ulp", f, s)
}

// TestAccuracy checks that every value is within 4 ulp of the correctly rounded one, which is 4.5 ulp of the exact
// one. Derivatives that pass through zero are measured in ulp of the largest term that cancels (see exact), which is
// the value itself where nothing cancels.
func TestAccuracy(t *testing.T) {
	onPaths(t, func(t *testing.T) {
		for _, f := range []Func{Sigmoid, Tanh, Softplus, SiLU, GELU} {
			t.Run("float32/"+f.String(), func(t *testing.T) { testAccuracy[float32](t, f, 4, 700) })
			t.Run("float64/"+f.String(), func(t *testing.T) { testAccuracy[float64](t, f, 4, 700) })
		}
		for _, f := range []Func{Exp, Log} {
			t.Run("float32/"+f.String(), func(t *testing.T) { testAccuracy[float32](t, f, 1, 700) })
			t.Run("float64/"+f.String(), func(t *testing.T) { testAccuracy[float64](t, f, 1, 700) })
		}
	})
}

// TestAccuracyDense compares float32 with float64, which TestAccuracy has tested on the portable path, at many more
// points.
func TestAccuracyDense(t *testing.T) {
	onPaths(t, func(t *testing.T) {
		if Path() == "generic" {
			t.Skip("the portable path computes float32 in float64")
		}
		rng := rand.New(rand.NewPCG(5, 6))
		n := 100_000
		if testing.Short() {
			n = 3000
		}
		x := arguments[float32](n, rng)
		y := make([]float32, len(x))
		for _, f := range []Func{Sigmoid, Tanh, Softplus, SiLU, GELU, Exp} {
			for k := range 2 { // nothing cancels in these orders except in SiLU' and GELU'
				Unary(f, k, y, x)
				for i, v := range x {
					want := scalar(f, k, float64(v))
					r := float32(want)
					if y[i] == r {
						continue
					}
					scale := math.Abs(want)
					if k == 1 && (f == SiLU || f == GELU) {
						scale += math.Abs(scalar(Sigmoid, 0, float64(v)))
						if f == GELU {
							scale = math.Abs(want) + math.Abs(scalar(GELU, 0, float64(v))/float64(v))
						}
					}
					if e := math.Abs(float64(y[i])-want) / ulp[float32](num(scale)); !(e <= 4.5) {
						t.Fatalf("%v order %d at %v = %v, want %v: %.2f ulp", f, k, v, y[i], want, e)
					}
				}
			}
		}
	})
}

// TestSpecial checks zeros, infinities and NaN.
func TestSpecial(t *testing.T) {
	inf, nan, neg0 := math.Inf(1), math.NaN(), math.Copysign(0, -1)
	onPaths(t, func(t *testing.T) {
		for _, c := range []struct {
			f       Func
			order   int
			x, want float64
		}{
			{Exp, 0, inf, inf}, {Exp, 0, -inf, 0}, {Exp, 0, 0, 1}, {Exp, 0, neg0, 1}, {Exp, 0, 1e30, inf}, {Exp, 0, -1e30, 0},
			{Log, 0, inf, inf}, {Log, 0, 0, -inf}, {Log, 0, neg0, -inf}, {Log, 0, -1, nan}, {Log, 0, -inf, nan}, {Log, 0, 1, 0},
			{Sqrt, 0, inf, inf}, {Sqrt, 0, neg0, neg0}, {Sqrt, 0, -1, nan}, {Sqrt, 1, 4, 0.25},
			{Reciprocal, 0, inf, 0}, {Reciprocal, 0, neg0, -inf}, {Reciprocal, 1, 2, -0.25}, {Reciprocal, 2, 2, 0.25},
			{Log, 1, 4, 0.25}, {Log, 2, 4, -0.0625}, {Log, 3, 2, 0.25}, {Abs, 0, neg0, 0}, {Abs, 0, -inf, inf},
			{Abs, 1, -3, -1}, {Abs, 1, 3, 1}, {Abs, 1, 0, 0}, {Abs, 1, inf, 1}, {Abs, 2, 3, 0}, {Neg, 0, 0, neg0},
			{Neg, 0, -inf, inf}, {Neg, 1, 2, -1}, {Neg, 2, 2, 0}, {Sign, 0, -2, -1}, {Sign, 0, neg0, neg0},
			{Sign, 0, inf, 1}, {ReLU, 0, -inf, 0}, {ReLU, 0, inf, inf}, {ReLU, 1, 0, 0}, {ReLU, 1, neg0, 0},
			{ReLU, 1, 1e-30, 1}, {ReLU, 1, -inf, 0}, {ReLU, 1, inf, 1}, {Square, 0, -inf, inf}, {Square, 1, -3, -6},
			{Square, 2, 5, 2}, {Square, 3, 5, 0}, {Sigmoid, 0, inf, 1}, {Sigmoid, 0, -inf, 0},
			{Sigmoid, 0, neg0, 0.5}, {Sigmoid, 1, inf, 0}, {Sigmoid, 1, -inf, 0}, {Sigmoid, 2, inf, neg0},
			{Sigmoid, 3, -inf, 0}, {Tanh, 0, inf, 1}, {Tanh, 0, -inf, -1}, {Tanh, 0, neg0, neg0}, {Tanh, 0, 0, 0},
			{Tanh, 0, 1e-30, 1e-30}, {Tanh, 1, 0, 1}, {Tanh, 1, inf, 0}, {Tanh, 2, inf, neg0}, {Tanh, 3, inf, 0},
			{Tanh, 3, 0, -2}, {Softplus, 0, inf, inf}, {Softplus, 0, -inf, 0}, {Softplus, 1, inf, 1},
			{Softplus, 1, -inf, 0}, {Softplus, 0, 1e30, 1e30}, {SiLU, 0, inf, inf}, {SiLU, 0, -inf, neg0},
			{SiLU, 0, 0, 0}, {SiLU, 0, neg0, neg0}, {SiLU, 1, inf, 1}, {SiLU, 1, -inf, neg0}, {SiLU, 1, 0, 0.5},
			{SiLU, 2, 0, 0.5}, {SiLU, 2, inf, neg0}, {SiLU, 3, inf, 0}, {SiLU, 3, -inf, neg0}, {SiLU, 0, 1e30, 1e30},
			{SiLU, 0, -1e30, neg0}, {Sin, 0, inf, nan}, {Sin, 0, -inf, nan}, {Sin, 0, 0, 0}, {Sin, 0, neg0, neg0},
			{Cos, 0, inf, nan}, {Cos, 0, neg0, 1}, {Cos, 0, -inf, nan}, {GELU, 0, inf, inf}, {GELU, 0, -inf, neg0},
			{GELU, 0, 0, 0}, {GELU, 0, neg0, neg0}, {GELU, 1, inf, 1}, {GELU, 1, -inf, neg0}, {GELU, 1, 0, 0.5},
			{GELU, 2, inf, neg0}, {GELU, 3, -inf, neg0}, {GELU, 3, inf, 0}, {GELU, 0, 1e30, 1e30},
		} {
			special(t, c.f, c.order, float32(c.x), float32(c.want))
			special(t, c.f, c.order, c.x, c.want)
		}
		for f := range numFuncs {
			for k := range 4 {
				if f == Neg && k > 0 || f == Square && k > 1 || (f == Abs || f == Sign || f == ReLU) && k > 0 {
					continue // constants, or not differentiable
				}
				special(t, f, k, float32(nan), float32(nan))
				special(t, f, k, nan, nan)
			}
		}
	})
}

func special[T Float](t *testing.T, f Func, order int, x, want T) {
	t.Helper()
	in, out := make([]T, 11), make([]T, 11)
	Fill(in, x)
	Unary(f, order, out, in)
	for _, i := range []int{0, 10} { // in a full vector and in the masked remainder
		got := out[i]
		if (got != want && (got == got || want == want)) ||
			(want == 0 && f <= GELU && f >= Sin && order == 0 && math.Signbit(float64(got)) != math.Signbit(float64(want))) {
			t.Errorf("%T %v order %d at %v = %v, want %v", x, f, order, x, got, want)
		}
	}
}
