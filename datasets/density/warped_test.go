package density

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// someWarp has terms of every kind; the last column comes first.
func someWarp() *Warp {
	return must(NewWarp([]Reach{{0.5, 1, -1, 1.5}, {-1, 2, -1, 1}, {0, 0.5, -3, 3}}, []Bend{
		{Column: 1, From: 2, Times: -1, Knot: 0.3, Width: 0.2, Coefficient: 1.5},
		{Column: 1, From: 2, Times: 2, Coefficient: -0.2},
		{Column: 0, From: 1, Times: -1, Coefficient: 0.2},
		{Column: 0, From: 1, Times: 2, Knot: -0.2, Width: 0.5, Coefficient: 0.3},
	}))
}

// Bend undoes Straighten, whose Jacobian determinant is 1.
func TestWarp(t *testing.T) {
	w, x := someWarp(), draw(must(NewIsotropic([]float64{0, 0, 0}, 1)), 50, 1)
	z, back := mat.NewDense(50, 3, nil), mat.NewDense(50, 3, nil)
	w.Straighten(z, x)
	w.Bend(back, z)
	if !mat.EqualApprox(back, x, 1e-12) {
		t.Error("there and back is elsewhere")
	}
	const h = 1e-5
	jacobian := mat.NewDense(3, 3, nil)
	for i := range 50 {
		for j := range 3 {
			up, down := mat.DenseCopyOf(x.Slice(i, i+1, 0, 3)), mat.DenseCopyOf(x.Slice(i, i+1, 0, 3))
			up.Set(0, j, up.At(0, j)+h)
			down.Set(0, j, down.At(0, j)-h)
			w.Straighten(up, up)
			w.Straighten(down, down)
			up.Sub(up, down)
			up.Scale(1/(2*h), up)
			jacobian.SetRow(j, up.RawRowView(0))
		}
		if det := mat.Det(jacobian); !(math.Abs(det-1) < 1e-8) {
			t.Errorf("determinant %g, want 1", det)
		}
	}
}

func TestWarpRefuses(t *testing.T) {
	two := []Reach{{0, 1, -1, 1}, {0, 1, -1, 1}}
	for name, terms := range map[string][]Bend{
		"a circle":    {{Column: 0, From: 1, Times: -1}, {Column: 1, From: 0, Times: -1}},
		"itself":      {{Column: 0, From: 0, Times: -1}},
		"its factor":  {{Column: 0, From: 1, Times: 0}},
		"no column":   {{Column: 2, From: 0, Times: -1}},
		"no number":   {{Column: 1, From: 0, Times: -1, Coefficient: math.NaN()}},
		"an infinity": {{Column: 1, From: 0, Times: -1, Knot: math.Inf(1), Width: 1}},
		"width":       {{Column: 1, From: 0, Times: -1, Width: -1}},
	} {
		if _, err := NewWarp(two, terms); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for _, bad := range []Reach{{0, 0, -1, 1}, {0, 1, 1, 1}, {math.NaN(), 1, -1, 1}, {0, 1, math.Inf(-1), 1}} {
		if _, err := NewWarp([]Reach{bad}, nil); err == nil {
			t.Errorf("%+v: no error", bad)
		}
	}
}

// Draws and log densities are of one normalised density; a twin with another coefficient is not.
func TestWarped(t *testing.T) {
	p, q := parameters(Full, 2, 3), parameters(Full, 3, 3)
	w := must(NewWarped(someWarp(), must(NewMixture(p)), must(NewMixture(q)), 0.2))
	narrow := func(m *Mixture) *Mixture { return must(NewMixture(m.widened(0.8))) }
	g := must(NewWarped(someWarp(), narrow(w.straight), narrow(w.beside), 0.2))
	if err := agree(w, g, 200000, 4); err != nil {
		t.Error(err)
	}
	other := someWarp()
	other.Terms[0].Coefficient += 0.3
	twin := must(NewWarped(other, w.straight, w.beside, 0.2))
	const n = 20000
	own, theirs := logProb(w, draw(w, n, 5)), logProb(twin, draw(w, n, 5))
	floats.SubTo(theirs, own, theirs)
	if mean, sd := stat.MeanStdDev(theirs, nil); !(mean > 6*sd/math.Sqrt(n)) {
		t.Errorf("KL from the twin %g ± %g", mean, sd/math.Sqrt(n))
	}
	// by components: columns of draws against those of the definition, a warp of draws of m in four of five
	x, z := draw(w, n, 6), draw(w.straight, n, 7)
	w.warp.Bend(z, z)
	b := draw(w.beside, n, 8)
	for i := range n / 5 {
		z.SetRow(i, b.RawRowView(i))
	}
	for j := range 3 {
		a, b := mat.Col(nil, j, x), mat.Col(nil, j, z)
		slices.Sort(a)
		slices.Sort(b)
		if ks, most := stat.KolmogorovSmirnov(a, nil, b, nil), 1.95*math.Sqrt(2.0/n); ks > most {
			t.Errorf("column %d: KS distance %g, want at most %g", j, ks, most)
		}
	}
}

// waves are points of two columns, and a third that follows both.
func waves(n int) *mat.Dense {
	rng, x := newRNG(9), mat.NewDense(n, 3, nil)
	for i := range n {
		a, b := rng.NormFloat64(), rng.NormFloat64()
		x.SetRow(i, []float64{math.Sin(2*a) + a*b + 0.1*rng.NormFloat64(), a, b})
	}
	return x
}

// The fit finds how the third column follows; of a mixture it finds nothing, or nothing that BIC prefers.
func TestFitWarped(t *testing.T) {
	x, y := waves(1000), waves(2000)
	b := must(FitMixture(x, MixtureConfig{Most: 3, Covariances: []Covariance{Full}}, newRNG(1)))
	w := must(FitWarped(x, b, MixtureConfig{Most: 3, Covariances: []Covariance{Full}}, newRNG(2)))
	if w == nil {
		t.Fatal("no warp")
	}
	for _, term := range w.warp.Terms {
		if term.Column != 0 {
			t.Errorf("a term of column %d", term.Column+1)
		}
	}
	truth := -1.5*(1+math.Log(2*math.Pi)) - math.Log(0.1)
	if kl := truth - stat.Mean(logProb(w, y), nil); kl > 0.05 {
		t.Errorf("KL %g, of the mixture %g", kl, truth-stat.Mean(logProb(b, y), nil))
	}
	again := must(w.Refit(y, b, MixtureConfig{}))
	if gain := stat.Mean(logProb(again, y), nil) - stat.Mean(logProb(w, y), nil); gain < 0 {
		t.Errorf("refitted to other points it is likelier by %g at these", gain)
	}
	mixture := must(NewMixture(parameters(Full, 3, 4)))
	x = draw(mixture, 1000, 3)
	b = mixture
	if w := must(FitWarped(x, b, MixtureConfig{Most: 3, Covariances: []Covariance{Full}}, newRNG(2))); w != nil {
		t.Error("a warp of a mixture")
	}
}
