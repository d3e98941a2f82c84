package mcmc_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/mcmc"
)

func masses(t testing.TB) map[string]mcmc.Mass {
	cov := mat.NewSymDense(3, []float64{2, .5, -.3, .5, 1, .2, -.3, .2, .7})
	d, err := mcmc.NewDense(cov)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]mcmc.Mass{"diagonal": mcmc.Diagonal{.3, 1, 4}, "dense": d, "low rank": lowRank(.5, 1, 2)}
}

// matrix returns L, column by column.
func matrix(m mcmc.Mass) *mat.Dense {
	d := m.Dim()
	l, e, col := mat.NewDense(d, d, nil), make([]float64, d), make([]float64, d)
	for j := range d {
		e[j] = 1
		m.Mul(col, e)
		l.SetCol(j, col)
		e[j] = 0
	}
	return l
}

// The three products with a mass are those of one matrix, its transpose and its inverse.
func TestMassProducts(t *testing.T) {
	for name, m := range masses(t) {
		l, rng := matrix(m), source(1)
		v, got := make([]float64, m.Dim()), make([]float64, m.Dim())
		for range 5 {
			for j := range v {
				v[j] = rng.NormFloat64()
			}
			var want mat.VecDense
			m.MulT(got, v)
			want.MulVec(l.T(), mat.NewVecDense(len(v), v))
			if !mat.EqualApprox(&want, mat.NewVecDense(len(v), got), 1e-13) {
				t.Errorf("%s: Lᵀg: got %v, want %v", name, got, want.RawVector().Data)
			}
			m.Mul(got, v)
			m.Solve(got, got)
			if !mat.EqualApprox(mat.NewVecDense(len(v), v), mat.NewVecDense(len(v), got), 1e-13) {
				t.Errorf("%s: L⁻¹Lz: got %v, want %v", name, got, v)
			}
		}
		if err := m.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	cov := mat.NewSymDense(2, []float64{2, .5, .5, 1})
	d, err := mcmc.NewDense(cov)
	if err != nil || !mat.EqualApprox(d.Covariance(), cov, 1e-14) {
		t.Errorf("LLᵀ of a dense mass: %v, %v", mat.Formatted(d.Covariance()), err)
	}
	for name, err := range map[string]error{
		"diagonal": mcmc.Diagonal{1, 0}.Validate(),
		"dense":    (&mcmc.Dense{}).Validate(),
		"low rank": (&mcmc.LowRank{}).Validate(),
		"kernel":   mcmc.NUTS{StepSize: 1, Mass: mcmc.Diagonal{math.NaN()}}.Validate(),
	} {
		if err == nil {
			t.Errorf("%s: a mass that is none: no error", name)
		}
	}
	if _, err := mcmc.NewDense(mat.NewSymDense(2, []float64{1, 2, 2, 1})); err == nil {
		t.Error("an indefinite covariance: no error")
	}
	if _, err := mcmc.NewLowRank([]float64{1, 1}, mat.NewDense(2, 1, []float64{1, 1}), []float64{2}); err == nil {
		t.Error("directions that are not orthonormal: no error")
	}
}

// A kernel with the mass M⁻¹ = LLᵀ moves x as the kernel with unit mass moves z = L⁻¹x, with the same noise.
func TestMassIsAChangeOfVariables(t *testing.T) {
	energy := mcmc.RowFunc(func(grad, x []float64) float64 { // not Gaussian, not separable
		a, b, c := x[0], x[1], x[2]
		grad[0] = a*a*a + a*b*b
		grad[1] = b + a*a*b + .3*c
		grad[2] = c + .3*b
		return a*a*a*a/4 + b*b/2 + a*a*b*b/2 + c*c/2 + .3*b*c
	})
	for name, m := range masses(t) {
		x3, g3 := make([]float64, 3), make([]float64, 3)
		round := mcmc.RowFunc(func(grad, z []float64) float64 {
			m.Mul(x3, z)
			e := energy(g3, x3)
			m.MulT(grad, g3)
			return e
		})
		for _, c := range []struct{ with, without mcmc.Kernel }{
			{mcmc.HMC{StepSize: .3, Leapfrog: 4, StepJitter: .3, Mass: m},
				mcmc.HMC{StepSize: .3, Leapfrog: 4, StepJitter: .3}},
			{mcmc.HMC{StepSize: .3, Length: 2, Mass: m}, mcmc.HMC{StepSize: .3, Length: 2}},
			{mcmc.NUTS{StepSize: .3, Mass: m}, mcmc.NUTS{StepSize: .3}},
			{mcmc.MALA{StepSize: .1, Mass: m}, mcmc.MALA{StepSize: .1}},
		} {
			z := normalBatch(6, 3, source(2))
			x := mat.NewDense(6, 3, nil)
			for i := range 6 {
				m.Mul(x.RawRowView(i), z.RawRowView(i))
			}
			a, b := mcmc.NewState(x), mcmc.NewState(z)
			ra, rb := source(3), source(3)
			for range 10 {
				ia, err := c.with.Step(a, energy, ra)
				if err != nil {
					t.Fatal(err)
				}
				ib, err := c.without.Step(b, round, rb)
				if err != nil {
					t.Fatal(err)
				}
				for i := range ia.Chains {
					if p, q := ia.Chains[i], ib.Chains[i]; math.Abs(p.AcceptProb-q.AcceptProb) > 1e-9 ||
						p.Leapfrog != q.Leapfrog || p.Accepted != q.Accepted {
						t.Fatalf("%s, %T: got %+v, want %+v", name, c.with, p, q)
					}
				}
			}
			for i := range 6 {
				m.Mul(x3, b.X.RawRowView(i))
				for j, v := range x3 {
					if math.Abs(v-a.X.At(i, j)) > 1e-9*(1+math.Abs(v)) {
						t.Errorf("%s, %T: chain %d at %v, want %v", name, c.with, i, a.X.RawRowView(i), x3)
						break
					}
				}
			}
			if n := testing.AllocsPerRun(20, func() { _, _ = c.with.Step(a, energy, ra) }); n != 0 {
				t.Errorf("%s, %T: %g allocations per step, want 0", name, c.with, n)
			}
		}
	}
}

// TestFitMass: for a Gaussian the mass is its covariance after a few correlated draws, and of the kind that the
// covariance calls for.
func TestFitMass(t *testing.T) {
	const d = 12
	rng := source(4)
	for _, c := range []struct {
		kind  string
		axes  int // of a standard deviation of their own
		scale float64
	}{{"diagonal", 0, 1}, {"rank 2", 2, 30}, {"dense", 8, 30}} {
		cov, prec := gaussianOf(d, c.axes, c.scale, rng)
		var chol mat.Cholesky
		if !chol.Factorize(cov) {
			t.Fatal("not a covariance")
		}
		var l mat.TriDense
		chol.LTo(&l)
		const n = 60
		x, g := mat.NewDense(n, d, nil), mat.NewDense(n, d, nil)
		z := make([]float64, d)
		for i := range n {
			for j := range z {
				z[j] = .9*z[j] + .44*rng.NormFloat64()
			}
			var v, w mat.VecDense
			v.MulVec(&l, mat.NewVecDense(d, append([]float64(nil), z...)))
			w.MulVec(prec, &v)
			x.SetRow(i, v.RawVector().Data)
			g.SetRow(i, w.RawVector().Data)
		}
		m, err := mcmc.FitMass(x, g)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(m); !strings.Contains(got, c.kind) {
			t.Errorf("got a %s, want %s", got, c.kind)
		}
		// The condition number of L⁻¹ΣL⁻ᵀ, 1 for the covariance itself.
		var a, b mat.Dense
		inv := mat.NewDense(d, d, nil)
		if err := inv.Inverse(matrix(m)); err != nil {
			t.Fatal(err)
		}
		a.Mul(inv, cov)
		b.Mul(&a, inv.T())
		var e mat.Eigen
		if !e.Factorize(&b, mat.EigenNone) {
			t.Fatal("no eigenvalues")
		}
		lo, hi := math.Inf(1), 0.0
		for _, v := range e.Values(nil) {
			lo, hi = min(lo, real(v)), max(hi, real(v))
		}
		if hi/lo > 10 {
			t.Errorf("%s: condition number %.3g, want near 1", c.kind, hi/lo)
		}
	}
	if _, err := mcmc.FitMass(mat.NewDense(3, 2, nil), mat.NewDense(2, 2, nil)); err == nil {
		t.Error("fewer gradients than draws: no error")
	}
}

// gaussianOf returns the covariance with scales 10^(-1 … 1), and with the given number of axes, in random directions,
// that have another standard deviation.
func gaussianOf(d, axes int, scale float64, rng *rand.Rand) (cov, prec *mat.SymDense) {
	var qr mat.QR
	qr.Factorize(normalBatch(d, d, rng))
	var q mat.Dense
	qr.QTo(&q)
	if axes == 2 { // in directions that involve all coordinates equally: scaling these leaves two axes
		for i := range d {
			q.Set(i, 0, 1/math.Sqrt(float64(d)))
			q.Set(i, 1, math.Copysign(1, float64(i%2)-.5)/math.Sqrt(float64(d)))
		}
	}
	cov, prec = mat.NewSymDense(d, nil), mat.NewSymDense(d, nil)
	for i := range d {
		for j := range i + 1 {
			var c, p float64
			if i == j {
				c, p = 1, 1
			}
			for k := range axes {
				v := scale * scale
				c += (v - 1) * q.At(i, k) * q.At(j, k)
				p += (1/v - 1) * q.At(i, k) * q.At(j, k)
			}
			s := math.Pow(10, 2*float64(i)/float64(d-1)-1) * math.Pow(10, 2*float64(j)/float64(d-1)-1)
			cov.SetSym(i, j, c*s)
			prec.SetSym(i, j, p/s)
		}
	}
	return cov, prec
}
