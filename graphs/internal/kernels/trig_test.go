package kernels

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// bsinCos is sin x and cos x by Taylor's series at the remainder of x by 2π.
func bsinCos(x float64) (sin, cos *big.Float) {
	const bits = prec + 1100 // so that the remainder of the largest float64 is exact enough
	wide := func(v *big.Float) *big.Float { return new(big.Float).SetPrec(bits).Set(v) }
	turn := wide(twoPi())
	k, _ := new(big.Float).SetPrec(bits).Quo(wide(num(x)), turn).Int(nil)
	r := wide(num(x))
	r.Sub(r, new(big.Float).SetPrec(bits).Mul(turn, new(big.Float).SetPrec(bits).SetInt(k)))
	sin, cos = wide(num(0)), wide(num(0))
	term := wide(num(1))
	for i := 0; i < 160; i += 2 {
		cos.Add(cos, term)
		term.Quo(term.Mul(term, r), wide(num(float64(i+1))))
		sin.Add(sin, term)
		term.Quo(term.Mul(term, r), wide(num(-float64(i+2))))
	}
	return sin, cos
}

var twoPiValue *big.Float

// twoPi is 2π to 1500 bits by Machin's formula.
func twoPi() *big.Float {
	if twoPiValue != nil {
		return twoPiValue
	}
	const bits = 1500
	wide := func(x float64) *big.Float { return new(big.Float).SetPrec(bits).SetFloat64(x) }
	atan := func(q float64) *big.Float {
		p, s := new(big.Float).SetPrec(bits).Quo(wide(1), wide(q)), wide(0)
		for i := 0; i < 700; i++ {
			t := new(big.Float).SetPrec(bits).Quo(p, wide(float64(2*i+1)))
			if i%2 == 1 {
				t.Neg(t)
			}
			s.Add(s, t)
			p.Quo(p, wide(q*q))
		}
		return s
	}
	a := atan(5)
	a.Mul(a, wide(4))
	a.Sub(a, atan(239))
	twoPiValue = a.Mul(a, wide(8))
	return twoPiValue
}

// TestTrigAccuracy checks that sine and cosine are within 4 ulp of the correctly rounded value, in relative terms
// even next to their zeros.
func TestTrigAccuracy(t *testing.T) {
	onPaths(t, func(t *testing.T) {
		t.Run("float32", testTrig[float32])
		t.Run("float64", testTrig[float64])
	})
}

func testTrig[T Float](t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	limit := float64(1 << 13)
	if !isFloat32[T]() {
		limit = 1 << 20
	}
	x := []T{0, T(math.Copysign(0, -1)), 1e-30, -1e-30, T(limit), T(-limit), T(limit * 1.001), 1e30, T(math.Pi)}
	for len(x) < 600 {
		switch rng.IntN(4) {
		case 0: // next to a multiple of π/2
			x = append(x, T(float64(rng.IntN(int(limit*2/math.Pi)))*(math.Pi/2)))
		case 1:
			x = append(x, T(10*rng.NormFloat64()))
		case 2:
			x = append(x, T(limit*(2*rng.Float64()-1)))
		default:
			x = append(x, T(math.Exp2(140*rng.Float64()-100)))
		}
	}
	s, c, both := make([]T, len(x)), make([]T, len(x)), [2][]T{make([]T, len(x)), make([]T, len(x))}
	Unary(Sin, 0, s, x)
	Unary(Cos, 0, c, x)
	UnaryMulti(Sin, both[0], both[1], nil, nil, x)
	worst := 0.0
	for i, v := range x {
		ws, wc := bsinCos(float64(v))
		for k, got := range []T{s[i], c[i]} {
			want := []*big.Float{ws, wc}[k]
			scale := want
			if math.Abs(float64(v)) > 1<<20 {
				scale = num(1) // the error is absolute
			}
			e := errorUlps(got, want, scale)
			worst = max(worst, e)
			if !(e <= 4.5) {
				t.Errorf("%s %v = %v, want %v: %.2f ulp", []string{"sin", "cos"}[k], v, got, want.Text('g', 20), e)
			}
			if b := both[k][i]; b != got {
				t.Errorf("%s %v = %v alone, %v together", []string{"sin", "cos"}[k], v, got, b)
			}
		}
	}
	t.Logf("worst error %.2f ulp", worst)
	in := append([]T(nil), x...)
	Unary(Sin, 0, in, in)
	for i := range in {
		if in[i] != s[i] {
			t.Errorf("sin %v = %v in place, %v else", x[i], in[i], s[i])
		}
	}
}

// TestTrigDerivatives checks the signs of all derivatives.
func TestTrigDerivatives(t *testing.T) {
	onPaths(t, func(t *testing.T) {
		x := []float64{0.3, -2, 5, 1e7, 2, 1, -1, 0.1, 7}
		got := make([]float64, len(x))
		for k := range 6 {
			Unary(Sin, k, got, x)
			for i, v := range x {
				if want := []float64{math.Sin(v), math.Cos(v), -math.Sin(v), -math.Cos(v)}[k%4]; math.Abs(got[i]-want) > 1e-15 {
					t.Errorf("derivative %d of sin at %v = %v, want %v", k, v, got[i], want)
				}
			}
		}
	})
}
