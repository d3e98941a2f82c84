package datasets

import (
	"math"
	"math/big"
	"testing"
)

// TestBesselI compares with the defining integral I_n(x) = 1/π ∫₀^π exp(x cos θ) cos nθ dθ, by the trapezoidal rule,
// which converges geometrically for a periodic integrand.
func TestBesselI(t *testing.T) {
	for _, x := range []float64{0, 1e-8, 0.1, 1, 3, 10, 24.9, 25, 25.1, 60, 1000, 1e5} {
		n := 200 + int(40*math.Sqrt(x))
		var want0, want1 float64
		for k := range n {
			theta := 2 * math.Pi * float64(k) / float64(n)
			// exp(x(cos θ − 1)) without cancellation.
			s := math.Sin(theta / 2)
			e := math.Exp(-2*x*s*s) / float64(n)
			want0 += e
			want1 += e * math.Cos(theta)
		}
		got0, got1 := besselI(x)
		if math.Abs(got0-want0) > 1e-13*want0 || math.Abs(got1-want1) > 1e-13*want1+1e-15 {
			t.Errorf("x = %g: got %.16g and %.16g, want %.16g and %.16g", x, got0, got1, want0, want1)
		}
	}
}

// erfcBig returns √π/2 erfc(z) exp(z²) to 40 digits by the continued fraction of Laplace, for z ≥ 1.
func erfcBig(z *big.Float) *big.Float {
	num := func(v float64) *big.Float { return new(big.Float).SetPrec(200).SetFloat64(v) }
	f := new(big.Float).SetPrec(200).Set(z)
	for k := 4000; k > 0; k-- {
		f.Quo(num(float64(k)/2), f)
		f.Add(f, z)
	}
	return f.Quo(num(0.5), f)
}

// TestMills compares with the continued fraction, over both branches.
func TestMills(t *testing.T) {
	for _, z := range []float64{2, 5, 24.999, 25.001, 40, 1e3, 1e8} {
		w := new(big.Float).SetPrec(200).SetFloat64(z)
		w.Quo(w, new(big.Float).SetPrec(200).Sqrt(big.NewFloat(2).SetPrec(200)))
		want, _ := erfcBig(w).Float64()
		want *= math.Sqrt2 // √(π/2) erfc(z/√2) exp(z²/2)
		if got := mills(z); math.Abs(got-want) > 2e-13*want {
			t.Errorf("mills(%g): got %.16g, want %.16g", z, got, want)
		}
	}
}

// TestSmoothBox compares the table with the exact function between the knots and beyond its end, the exact function
// with quadrature of the definition, and the slopes with differences.
func TestSmoothBox(t *testing.T) {
	for _, c := range []struct{ half, sd float64 }{{0.5, 0.1}, {1. / 12, 0.1}, {2, 0.1}, {0.01, 0.01}} {
		b := newSmoothBox(c.half, c.sd)
		for i := range 4000 {
			z := (float64(i) + 0.37) / 4000 * (c.half + 45*c.sd)
			got, slope := b.score(z)
			want, wantSlope, _ := b.exact(z)
			if math.Abs(got-want) > 1e-10 || math.Abs(slope-wantSlope) > 1e-8/c.sd {
				t.Fatalf("box %v at %g: got %.15g, slope %.15g, want %.15g, %.15g", c, z, got, slope, want, wantSlope)
			}
			if neg, negSlope := b.score(-z); neg != got || negSlope != -slope {
				t.Fatalf("box %v is not even at %g", c, z)
			}
			const n = 20000 // midpoint rule for 1/2h ∫ φ((z−u)/σ)/σ du, relative to its largest term
			if i%40 == 0 {
				top := math.Max(0, z-c.half) / c.sd
				var sum float64
				for k := range n {
					u := c.half * (2*(float64(k)+0.5)/n - 1)
					r := (z - u) / c.sd
					sum += math.Exp((top*top - r*r) / 2)
				}
				definition := math.Log(sum/n/(c.sd*math.Sqrt(2*math.Pi))) - top*top/2
				if math.Abs(want-definition) > 1e-3 {
					t.Fatalf("box %v at %g: got %.9g, the definition says %.9g", c, z, want, definition)
				}
			}
		}
		for _, z := range []float64{1e3, 1e6, 1e12} {
			if g, s := b.score(z); math.IsInf(g, 0) || math.IsNaN(g) || !(s < 0) || math.IsInf(s, 0) {
				t.Errorf("box %v at %g: log f %g, slope %g", c, z, g, s)
			}
		}
	}
}

func TestExpNeg(t *testing.T) {
	for i := range 70000 {
		u := float64(i) / 100
		// u·(256/log 2) is rounded, hence u·2⁻⁵².
		if got, want := expNeg(u), math.Exp(-u); math.Abs(got-want) > (3e-15+u*0x1p-52)*want {
			t.Fatalf("expNeg(%g): got %.17g, want %.17g", u, got, want)
		}
	}
}

// TestCurveNodes moves the nodes: the sum does not change.
func TestCurveNodes(t *testing.T) {
	for _, name := range []string{"2spirals", "moons", "swissroll", "cos"} {
		d, err := New(name)
		if err != nil {
			t.Fatal(err)
		}
		c := d.(*plane).planar.(*curve)
		// An arm cut in two has its panels elsewhere.
		var halves []arm
		for _, a := range c.arms {
			mid := a.lo + 0.05*(a.hi-a.lo)
			left, right := a, a
			left.hi, right.lo = mid, mid
			halves = append(halves, left, right)
		}
		half := 0.0
		if c.box != nil {
			half = c.box.half
		}
		e := newCurve(c.sd, half, halves...)
		for i := range 400 {
			x, y := -4+8*float64(i%20)/19, -4+8*float64(i/20)/19
			a, b := c.logProb(x, y), e.logProb(x, y)
			tol := 1e-9
			if b < -60 { // beyond a bend the kernel is narrower along the curve, the more the farther
				tol = 2e-11 * b * b * math.Max(1, b*b/1e4)
			}
			if math.Abs(a-b) > tol {
				t.Errorf("%s: log p(%g, %g) = %.12g, with other panels %.12g", name, x, y, a, b)
			}
		}
	}
}
