package density

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// explicit is the log density from explicit covariances, with σ² added to their diagonals, their inverses and
// determinants.
func explicit(m *Mixture, sigma float64, x []float64) float64 {
	d := len(x)
	var terms []float64
	w := m.Weights()
	for k := range m.Components() {
		cov := m.CovarianceOf(k)
		for j := range d {
			cov.SetSym(j, j, cov.At(j, j)+sigma*sigma)
		}
		var inv mat.Dense
		if err := inv.Inverse(cov); err != nil {
			panic(err)
		}
		logDet, _ := mat.LogDet(cov)
		r := mat.NewVecDense(d, slices.Clone(x))
		r.SubVec(r, m.Means().RowView(k))
		terms = append(terms, math.Log(w[k])-0.5*(mat.Inner(r, &inv, r)+logDet+float64(d)*math.Log(2*math.Pi)))
	}
	return floats.LogSumExp(terms)
}

// The log density matches the explicit formula, blurred or not; EnergyAt and Shares agree with it.
func TestMixtureByHand(t *testing.T) {
	everyMixture(t, func(t *testing.T, m *Mixture) {
		const n = 40
		x := draw(m, n, 5)
		for _, sigma := range []float64{0, 0.7} {
			q := m
			if sigma > 0 {
				q = m.Blurred(sigma)
			}
			for i, got := range logProb(q, x) {
				if want := explicit(m, sigma, x.RawRowView(i)); math.Abs(got-want) > 1e-11*(1+math.Abs(want)) {
					t.Errorf("σ = %g, row %d: got %.15g, want %.15g", sigma, i, got, want)
				}
			}
		}
		grad, score, logp := make([]float64, m.Dim()), mat.NewDense(n, m.Dim(), nil), logProb(m, x)
		shares := mat.NewDense(n, m.Components(), nil)
		m.Score(score, x)
		m.Shares(shares, x)
		for i, want := range logp {
			e, only := m.EnergyAt(grad, x.RawRowView(i)), m.EnergyAt(nil, x.RawRowView(i))
			floats.Add(grad, score.RawRowView(i))
			if math.Abs(e+want) > 1e-12*(1+math.Abs(want)) || only != -want || floats.Norm(grad, 1) != 0 {
				t.Errorf("row %d: energy %g and %g, log density %g, sum of gradient and score %v", i, e, only, want,
					grad)
			}
			row := shares.RawRowView(i)
			if got := m.Likeliest(x.RawRowView(i)); got != floats.MaxIdx(row) {
				t.Errorf("row %d: component %d is the likeliest of %v", i, got, row)
			}
			if sum := floats.Sum(row); math.Abs(sum-1) > 1e-12 {
				t.Errorf("row %d: shares add up to %g", i, sum)
			}
		}
	})
}

// A mixture that is written is read back to the bit, and one that cannot be written is refused by name.
func TestMixtureJSON(t *testing.T) {
	everyMixture(t, func(t *testing.T, m *Mixture) {
		b := must(json.Marshal(m))
		var read Mixture
		if err := json.Unmarshal(b, &read); err != nil {
			t.Fatal(err)
		}
		x := draw(m, 10, 1)
		if !slices.Equal(logProb(m, x), logProb(&read, x)) || !bytes.Equal(b, must(json.Marshal(&read))) {
			t.Error("what was read differs")
		}
	})
	good := parameters(Full, 2, 2)
	for want, spoil := range map[string]func(p *Parameters){
		"weight 2 of a mixture is -1":           func(p *Parameters) { p.Weights[1] = -1 },
		"add up to infinity":                    func(p *Parameters) { p.Weights[0], p.Weights[1] = 1e308, 1e308 },
		"3 means, want 4":                       func(p *Parameters) { p.Means = p.Means[1:] },
		"coordinate 2 of mean 1 of a mixture":   func(p *Parameters) { p.Means[1] = math.NaN() },
		"8 factors":                             func(p *Parameters) { p.Covariance = Tied },
		"standard deviation of a full":          func(p *Parameters) { p.Factors[3] = 0 },
		"want a lower triangle":                 func(p *Parameters) { p.Factors[1] = 1 },
		"unknown Covariance(9)":                 func(p *Parameters) { p.Covariance = 9 },
		"0 components":                          func(p *Parameters) { p.Weights = nil },
		"in 0 dimensions, want at least one of": func(p *Parameters) { p.Dim = 0 },
	} {
		p := good.clone()
		spoil(&p)
		if _, err := NewMixture(p); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// Units do not matter: a mixture in units of 1e±150 has the same density, up to the logarithm of the units.
func TestUnits(t *testing.T) {
	everyMixture(t, func(t *testing.T, m *Mixture) {
		x := draw(m, 20, 2)
		want, score := logProb(m, x), mat.NewDense(20, m.Dim(), nil)
		m.Score(score, x)
		for _, unit := range []float64{1e-150, 1e150} {
			p := m.Parameters()
			floats.Scale(unit, p.Means)
			floats.Scale(unit, p.Factors)
			q := must(NewMixture(p))
			y, slope := mat.DenseCopyOf(x), mat.NewDense(20, m.Dim(), nil)
			y.Scale(unit, y)
			got := logProb(q, y)
			q.Score(slope, y)
			slope.Scale(unit, slope)
			floats.AddConst(float64(m.Dim())*math.Log(unit), got)
			if !floats.EqualApprox(got, want, 1e-9) || !mat.EqualApprox(slope, score, 1e-9) {
				t.Errorf("in units of %g: %v, want %v", unit, got, want)
			}
		}
	})
}

// The Gaussian is the mixture of one component, with the entropy -E log p.
func TestGaussian(t *testing.T) {
	cov := mat.NewSymDense(3, []float64{4, 1.5, 0.2, 1.5, 1, -0.1, 0.2, -0.1, 0.3})
	g := must(NewGaussian([]float64{1, 2, 3}, cov))
	if !mat.EqualApprox(g.Covariance(), cov, 1e-14) || !slices.Equal(g.Mean(), []float64{1, 2, 3}) {
		t.Errorf("covariance %v, mean %v", g.Covariance(), g.Mean())
	}
	const n = 200_000
	logp := logProb(g, draw(g, n, 1)) // variance d/2
	if z := (floats.Sum(logp)/n + g.Entropy()) / math.Sqrt(1.5/n); math.Abs(z) > zLimit {
		t.Errorf("entropy %g, over draws %g: z = %.1f", g.Entropy(), -floats.Sum(logp)/n, z)
	}
	for _, bad := range []*mat.SymDense{
		mat.NewSymDense(2, []float64{1, 1, 1, 1}), mat.NewSymDense(2, []float64{1, 2, 2, 1}),
		mat.NewSymDense(2, []float64{1, 0, 0, 0}),
	} {
		if _, err := NewGaussian([]float64{0, 0}, bad); err == nil {
			t.Errorf("covariance %v is accepted", bad)
		}
	}
}

// The fitted Gaussian has the moments of the points, in any units, and refuses points in a plane.
func TestFitGaussian(t *testing.T) {
	m := must(NewMixture(parameters(Full, 3, 3)))
	x := draw(m, 500, 4)
	for _, unit := range []float64{1, 1e-150, 1e150} {
		y := mat.DenseCopyOf(x)
		y.Scale(unit, y)
		g := must(FitGaussian(y, 1.5))
		c := moment(mat.DenseCopyOf(must3(standardise(x))))
		_, sd := Moments(x)
		for a := range 3 {
			for b := range 3 {
				var got float64
				for i := range 3 {
					got += g.p.Factors[a*3+i] / unit * g.p.Factors[b*3+i] / unit
				}
				if want := 2.25 * c.At(a, b) * sd[a] * sd[b]; math.Abs(got-want) > 1e-12*sd[a]*sd[b] {
					t.Errorf("unit %g: covariance %d, %d is %g, want %g", unit, a, b, got, want)
				}
			}
		}
	}
	for i := range 500 {
		x.Set(i, 2, 1e9*(x.At(i, 0)-2*x.At(i, 1)))
	}
	var e *SingularError
	if _, err := FitGaussian(x, 1); !errors.As(err, &e) || e.Columns != nil {
		t.Errorf("points in a plane: %v", err)
	}
}

func must3(z *mat.Dense, _ units, err error) *mat.Dense { return must(z, err) }
