package mcmc_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/mcmc"
)

// posterior is a model of posteriordb on unconstrained coordinates.
type posterior struct {
	name   string // as in reference.json
	dim    int
	energy mcmc.RowFunc
	values func(x []float64) map[string]float64 // the parameters of the reference
}

// table is a data file.
type table map[string]json.RawMessage

func readTable(t testing.TB, folder, name string) table {
	b, err := os.ReadFile(filepath.Join(folder, "data", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var d table
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d table) column(t testing.TB, name string) []float64 {
	var v []float64
	if err := json.Unmarshal(d[name], &v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v
}

func (d table) rows(t testing.TB, name string) [][]float64 {
	var v [][]float64
	if err := json.Unmarshal(d[name], &v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v
}

// prior adds an energy and its derivative in one parameter.
type prior func(v float64) (e, slope float64)

func flat(float64) (float64, float64) { return 0, 0 }

func normalPrior(mean, sd float64) prior {
	return func(v float64) (float64, float64) {
		z := (v - mean) / sd
		return z * z / 2, z / sd
	}
}

func studentPrior(df, mean, scale float64) prior {
	return func(v float64) (float64, float64) {
		z := (v - mean) / scale
		return (df + 1) / 2 * math.Log1p(z*z/df), (df + 1) * z / (df + z*z) / scale
	}
}

// regression is y ~ N(Xβ, σ) in the coordinates β, log σ.
func regression(name string, x [][]float64, y []float64, beta func(j int) prior, sigma prior,
	names func(j int) string) posterior {
	n, k := len(x), len(x[0])
	a := mat.NewDense(n, k, nil)
	for i, r := range x {
		a.SetRow(i, r)
	}
	// |y - Xβ|² = |Rβ - Qᵀy|² + rest
	var qr mat.QR
	qr.Factorize(a)
	var q, r mat.Dense
	qr.QTo(&q)
	qr.RTo(&r)
	var qty mat.VecDense
	qty.MulVec(q.T(), mat.NewVecDense(n, y))
	rest := 0.0
	for i := k; i < n; i++ {
		rest += qty.AtVec(i) * qty.AtVec(i)
	}
	energy := func(grad, x []float64) float64 {
		s := math.Exp(x[k])
		p := 1 / (s * s)
		ss := rest
		clear(grad)
		for i := range k {
			res := -qty.AtVec(i)
			for j := i; j < k; j++ {
				res += r.At(i, j) * x[j]
			}
			ss += res * res
			for j := i; j < k; j++ {
				grad[j] += r.At(i, j) * res * p
			}
		}
		e := float64(n)*x[k] + ss*p/2 - x[k]
		grad[k] = float64(n) - ss*p - 1
		for j := range k {
			pe, pg := beta(j)(x[j])
			e += pe
			grad[j] += pg
		}
		pe, pg := sigma(s)
		grad[k] += pg * s
		return e + pe
	}
	return posterior{name, k + 1, energy, func(x []float64) map[string]float64 {
		m := map[string]float64{"sigma": math.Exp(x[k])}
		for j := range k {
			m[names(j)] = x[j]
		}
		return m
	}}
}

func betas(j int) string { return "beta[" + string(rune('1'+j)) + "]" }

func all(p prior) func(int) prior { return func(int) prior { return p } }

// posteriors reads the models in the folder.
func posteriors(t testing.TB, folder string) []posterior {
	return append(regressions(t, folder), eightSchools(), blr(t, folder), diamonds(t, folder), arK(t, folder),
		garch11(t, folder), arma11(t, folder), gpPois(t, folder))
}

// regressions are six ordinary ones with (nearly) flat priors.
func regressions(t testing.TB, folder string) []posterior {
	design := func(n int, row func(i int) []float64) [][]float64 {
		x := make([][]float64, n)
		for i := range x {
			x[i] = row(i)
		}
		return x
	}
	logs := func(v []float64) []float64 {
		out := make([]float64, len(v))
		for i, a := range v {
			out[i] = math.Log(a)
		}
		return out
	}
	d := readTable(t, folder, "earnings")
	earn, height, male := d.column(t, "earn"), d.column(t, "height"), d.column(t, "male")
	k := readTable(t, folder, "kidiq")
	score, hs, iq := k.column(t, "kid_score"), k.column(t, "mom_hs"), k.column(t, "mom_iq")
	m := readTable(t, folder, "mesquite")
	w, d1, d2, ch, th, den, gr := m.column(t, "weight"), m.column(t, "diam1"), m.column(t, "diam2"),
		m.column(t, "canopy_height"), m.column(t, "total_height"), m.column(t, "density"), m.column(t, "group")
	ns := readTable(t, folder, "nes1972")
	party, ideo, race, age, educ, gender, income := ns.column(t, "partyid7"), ns.column(t, "real_ideo"),
		ns.column(t, "race_adj"), ns.column(t, "age_discrete"), ns.column(t, "educ1"), ns.column(t, "gender"),
		ns.column(t, "income")
	is := func(v, want float64) float64 {
		if v == want {
			return 1
		}
		return 0
	}
	return []posterior{
		regression("earnings-earn_height", design(len(earn), func(i int) []float64 { return []float64{1, height[i]} }),
			earn, all(flat), flat, betas),
		regression("earnings-logearn_interaction", design(len(earn), func(i int) []float64 {
			return []float64{1, height[i], male[i], height[i] * male[i]}
		}), logs(earn), all(flat), flat, betas),
		regression("kidiq-kidscore_interaction", design(len(score), func(i int) []float64 {
			return []float64{1, hs[i], iq[i], hs[i] * iq[i]}
		}), score, all(flat), studentPrior(1, 0, 2.5), betas),
		regression("mesquite-mesquite", design(len(w), func(i int) []float64 {
			return []float64{1, d1[i], d2[i], ch[i], th[i], den[i], gr[i]}
		}), w, all(flat), flat, betas),
		regression("mesquite-logmesquite_logvas", design(len(w), func(i int) []float64 {
			area := d1[i] * d2[i]
			return []float64{1, math.Log(area * ch[i]), math.Log(area), math.Log(d1[i] / d2[i]), math.Log(th[i]),
				math.Log(den[i]), gr[i]}
		}), logs(w), all(flat), flat, betas),
		regression("nes1972-nes", design(len(party), func(i int) []float64 {
			return []float64{1, ideo[i], race[i], is(age[i], 2), is(age[i], 3), is(age[i], 4), educ[i], gender[i],
				income[i]}
		}), party, all(flat), flat, betas),
	}
}

func eightSchools() posterior {
	p := EightSchools()
	return posterior{"eight_schools-eight_schools_noncentered", 10, p.Energy, func(x []float64) map[string]float64 {
		m := map[string]float64{"mu": x[0], "tau": math.Exp(x[1])}
		for j := range 8 {
			m["theta["+string(rune('1'+j))+"]"] = x[0] + math.Exp(x[1])*x[2+j]
		}
		return m
	}}
}

func blr(t testing.TB, folder string) posterior {
	d := readTable(t, folder, "sblri")
	return regression("sblri-blr", d.rows(t, "X"), d.column(t, "y"), all(normalPrior(0, 10)), normalPrior(0, 10), betas)
}

func diamonds(t testing.TB, folder string) posterior {
	d := readTable(t, folder, "diamonds")
	x := d.rows(t, "X")
	k := len(x[0])
	for j := 1; j < k; j++ {
		mean := 0.0
		for i := range x {
			mean += x[i][j] / float64(len(x))
		}
		for i := range x {
			x[i][j] -= mean
		}
	}
	prior := func(j int) prior {
		if j == 0 {
			return studentPrior(3, 8, 10)
		}
		return normalPrior(0, 1)
	}
	return regression("diamonds-diamonds", x, d.column(t, "Y"), prior, studentPrior(3, 0, 10), func(j int) string {
		if j == 0 {
			return "Intercept"
		}
		return "b[" + itoa(j) + "]"
	})
}

func itoa(j int) string {
	if j < 10 {
		return string(rune('0' + j))
	}
	return string(rune('0'+j/10)) + string(rune('0'+j%10))
}

func arK(t testing.TB, folder string) posterior {
	y := readTable(t, folder, "arK").column(t, "y")
	const lags = 5
	var x [][]float64
	for i := lags; i < len(y); i++ {
		r := []float64{1}
		for k := 1; k <= lags; k++ {
			r = append(r, y[i-k])
		}
		x = append(x, r)
	}
	return regression("arK-arK", x, y[lags:], all(normalPrior(0, 10)), studentPrior(1, 0, 2.5), func(j int) string {
		if j == 0 {
			return "alpha"
		}
		return betas(j - 1)
	})
}

func sigmoid(u float64) float64 { return 1 / (1 + math.Exp(-u)) }

// garch11 is in the coordinates μ, log α₀, logit α₁, logit(β₁/(1-α₁)).
func garch11(t testing.TB, folder string) posterior {
	d := readTable(t, folder, "garch")
	y := d.column(t, "y")
	var sigma1 float64
	if err := json.Unmarshal(d["sigma1"], &sigma1); err != nil {
		t.Fatal(err)
	}
	values := func(x []float64) (mu, a0, a1, b1 float64) {
		a1 = sigmoid(x[2])
		return x[0], math.Exp(x[1]), a1, (1 - a1) * sigmoid(x[3])
	}
	energy := func(grad, x []float64) float64 {
		mu, a0, a1, b1 := values(x)
		v := sigma1 * sigma1
		var dv, g [4]float64 // ∂σ²/∂, ∂E/∂ of μ, α₀, α₁, β₁
		e := 0.0
		for i, yi := range y {
			if i > 0 {
				r := y[i-1] - mu
				next := a0 + a1*r*r + b1*v
				dv = [4]float64{-2*a1*r + b1*dv[0], 1 + b1*dv[1], r*r + b1*dv[2], v + b1*dv[3]}
				v = next
			}
			r := yi - mu
			e += math.Log(v)/2 + r*r/(2*v)
			c := 1/(2*v) - r*r/(2*v*v)
			for k := range g {
				g[k] += c * dv[k]
			}
			g[0] -= r / v
		}
		s := sigmoid(x[3])
		// Jacobians: α₀; α₁(1-α₁); (1-α₁)s(1-s).
		e -= x[1] + math.Log(a1) + 2*math.Log1p(-a1) + math.Log(s) + math.Log1p(-s)
		grad[0] = g[0]
		grad[1] = g[1]*a0 - 1
		grad[2] = (g[2]-g[3]*s)*a1*(1-a1) - ((1 - a1) - 2*a1)
		grad[3] = g[3]*(1-a1)*s*(1-s) - (1 - 2*s)
		return e
	}
	return posterior{"garch-garch11", 4, energy, func(x []float64) map[string]float64 {
		mu, a0, a1, b1 := values(x)
		return map[string]float64{"mu": mu, "alpha0": a0, "alpha1": a1, "beta1": b1}
	}}
}

// arma11 is in the coordinates μ, φ, θ, log σ.
func arma11(t testing.TB, folder string) posterior {
	y := readTable(t, folder, "arma").column(t, "y")
	energy := func(grad, x []float64) float64 {
		mu, phi, theta, s := x[0], x[1], x[2], math.Exp(x[3])
		p := 1 / (s * s)
		var err float64
		var de, g [3]float64
		ss := 0.0
		for i, yi := range y {
			nu := mu + phi*mu
			dnu := [3]float64{1 + phi, mu, 0}
			if i > 0 {
				nu = mu + phi*y[i-1] + theta*err
				dnu = [3]float64{1 + theta*de[0], y[i-1] + theta*de[1], err + theta*de[2]}
			}
			err = yi - nu
			for k := range de {
				de[k] = -dnu[k]
				g[k] += err * de[k] * p
			}
			ss += err * err
		}
		e := float64(len(y))*x[3] + ss*p/2 - x[3]
		grad[3] = float64(len(y)) - ss*p - 1
		for k, sd := range []float64{10, 2, 2} {
			pe, pg := normalPrior(0, sd)(x[k])
			e += pe
			grad[k] = g[k] + pg
		}
		pe, pg := studentPrior(1, 0, 2.5)(s)
		grad[3] += pg * s
		return e + pe
	}
	return posterior{"arma-arma11", 4, energy, func(x []float64) map[string]float64 {
		return map[string]float64{"mu": x[0], "phi": x[1], "theta": x[2], "sigma": math.Exp(x[3])}
	}}
}

// gpPois is in the coordinates log ρ, log α, t; f = L t.
func gpPois(t testing.TB, folder string) posterior {
	d := readTable(t, folder, "gp_pois_regr")
	at, k := d.column(t, "x"), d.column(t, "k")
	n := len(at)
	type factor struct{ l, lr, la [][]float64 } // L and its derivatives in log ρ, log α
	build := func(rho, alpha float64) (factor, bool) {
		zeros := func() [][]float64 {
			m := make([][]float64, n)
			for i := range m {
				m[i] = make([]float64, n)
			}
			return m
		}
		c, cr, ca := zeros(), zeros(), zeros()
		for i := range n {
			for j := range n {
				z := (at[i] - at[j]) / rho
				c[i][j] = alpha * alpha * math.Exp(-z*z/2)
				cr[i][j], ca[i][j] = c[i][j]*z*z, 2*c[i][j]
			}
			c[i][i] += 1e-10
		}
		f := factor{zeros(), zeros(), zeros()}
		for j := range n { // forward mode through the Cholesky factorisation
			v, vr, va := c[j][j], cr[j][j], ca[j][j]
			for m := range j {
				v -= f.l[j][m] * f.l[j][m]
				vr -= 2 * f.l[j][m] * f.lr[j][m]
				va -= 2 * f.l[j][m] * f.la[j][m]
			}
			if !(v > 0) {
				return f, false
			}
			r := math.Sqrt(v)
			f.l[j][j], f.lr[j][j], f.la[j][j] = r, vr/(2*r), va/(2*r)
			for i := j + 1; i < n; i++ {
				v, vr, va := c[i][j], cr[i][j], ca[i][j]
				for m := range j {
					v -= f.l[i][m] * f.l[j][m]
					vr -= f.lr[i][m]*f.l[j][m] + f.l[i][m]*f.lr[j][m]
					va -= f.la[i][m]*f.l[j][m] + f.l[i][m]*f.la[j][m]
				}
				f.l[i][j] = v / r
				f.lr[i][j] = (vr - f.l[i][j]*f.lr[j][j]) / r
				f.la[i][j] = (va - f.l[i][j]*f.la[j][j]) / r
			}
		}
		return f, true
	}
	latent := func(f factor, x []float64) []float64 {
		v := make([]float64, n)
		for i := range n {
			for j := range i + 1 {
				v[i] += f.l[i][j] * x[2+j]
			}
		}
		return v
	}
	energy := func(grad, x []float64) float64 {
		rho, alpha := math.Exp(x[0]), math.Exp(x[1])
		f, ok := build(rho, alpha)
		if !ok {
			return math.NaN()
		}
		clear(grad)
		// ρ ~ Gamma(25, 4), α ~ half-N(0, 2), both with Jacobian.
		e := -24*x[0] + 4*rho - x[0] + alpha*alpha/8 - x[1]
		grad[0] = -25 + 4*rho
		grad[1] = alpha*alpha/4 - 1
		for i, v := range latent(f, x) {
			r := math.Exp(v) - k[i]
			e += math.Exp(v) - k[i]*v + x[2+i]*x[2+i]/2
			grad[2+i] += x[2+i]
			for j := range i + 1 {
				grad[2+j] += r * f.l[i][j]
				grad[0] += r * f.lr[i][j] * x[2+j]
				grad[1] += r * f.la[i][j] * x[2+j]
			}
		}
		return e
	}
	return posterior{"gp_pois_regr-gp_pois_regr", 2 + n, energy, func(x []float64) map[string]float64 {
		m := map[string]float64{"rho": math.Exp(x[0]), "alpha": math.Exp(x[1])}
		f, ok := build(m["rho"], m["alpha"])
		if !ok {
			return m
		}
		for i, v := range latent(f, x) {
			m["f["+itoa(i+1)+"]"] = v
		}
		return m
	}}
}
