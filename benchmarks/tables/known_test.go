package main

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/floats/scalar"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/objectives/train"
)

const draws = 100000

func drawn(p density.Density) (x *mat.Dense, logp []float64) {
	x, logp = mat.NewDense(draws, p.Dim(), nil), make([]float64, draws)
	p.Sample(x, train.Stream(3, "test"))
	p.LogProb(logp, x)
	return x, logp
}

// mean checks the mean of v against what it should be, in four standard errors.
func mean(v []float64, want float64) error {
	got, sd := stat.MeanStdDev(v, nil)
	if se := sd / math.Sqrt(float64(len(v))); !(math.Abs(got-want) <= 4*se) {
		return fmt.Errorf("the mean is %g ± %g, want %g", got, se, want)
	}
	return nil
}

// The means of the log densities over draws are the negative entropies in closed form: Σ log s_j √2πe of a chain, and
// of exp(z) that of z plus the means of z, which are 0. The twin is wider by a fifth.
func TestEntropies(t *testing.T) {
	for _, table := range simulated {
		var entropy float64
		var twin density.Density
		switch p := table.truth().(type) {
		case *chain:
			wide := *p
			wide.sd = nil
			for _, s := range p.sd {
				entropy += math.Log(s * math.Sqrt(2*math.Pi*math.E))
				wide.sd = append(wide.sd, 1.2*s)
			}
			twin = &wide
		case *logNormal:
			z := p.z.(*density.Mixture)
			logDet, _ := mat.LogDet(z.CovarianceOf(0))
			entropy = (float64(p.Dim())*math.Log(2*math.Pi*math.E) + logDet) / 2
			twin = &logNormal{factors(p.Dim(), 2, 0.6)}
		default:
			continue
		}
		x, logp := drawn(table.truth())
		if err := mean(logp, -entropy); err != nil {
			t.Errorf("%s: log p: %v", table.name, err)
		}
		if twin.LogProb(logp, x); mean(logp, -entropy) == nil {
			t.Errorf("%s: the wider twin passes", table.name)
		}
	}
}

// Student densities integrate to 1 over a Gaussian that lies within them, E g/p = 1, and their draws have the
// covariance Σ ν/(ν-2) about the centres.
func TestStudents(t *testing.T) {
	p := heavy().(*students)
	var cov mat.SymDense
	cov.SymOuterK(1, p.root)
	half := mat.NewSymDense(5, nil)
	half.ScaleSym(0.5, &cov)
	within, err := density.NewGaussian(p.means.RawRowView(0), half)
	if err != nil {
		t.Fatal(err)
	}
	x, logp := drawn(p)
	ratio := func(shift float64) []float64 {
		v := make([]float64, draws)
		within.LogProb(v, x)
		for i := range v {
			v[i] = math.Exp(v[i] - logp[i] + shift)
		}
		return v
	}
	if err := mean(ratio(0), 1); err != nil {
		t.Errorf("E g/p: %v", err)
	}
	if mean(ratio(0.05), 1) == nil {
		t.Error("a constant that is wrong by a twentieth passes")
	}
	light := *p // with moments of the fourth order, so that a covariance has an error
	light.nu = 10
	x, _ = drawn(&light)
	square := make([]float64, draws)
	for i := range square {
		a, b := x.At(i, 0), x.At(i, 0)-4
		square[i] = math.Min(a*a, b*b)
	}
	got, want := stat.Mean(square, nil), cov.At(0, 0)*light.nu/(light.nu-2)
	if got > want || got < 0.8*want { // below it, by what is nearer to the other centre
		t.Errorf("variance %g, want a little less than %g", got, want)
	}
}

// The covariances are R(a) diag(s²) R(a)ᵀ, written out.
func TestAniso(t *testing.T) {
	m := aniso().(*density.Mixture)
	for k, g := range [][3]float64{{0.5, 1, 0.25}, {-0.8, 0.6, 0.05}, {1.2, 0.4, 0.08}, {0, 0.05, 0.05}} {
		c, s, a, b := math.Cos(g[0]), math.Sin(g[0]), g[1]*g[1], g[2]*g[2]
		want := []float64{c*c*a + s*s*b, c * s * (a - b), s*s*a + c*c*b}
		cov := m.CovarianceOf(k)
		if got := []float64{cov.At(0, 0), cov.At(0, 1), cov.At(1, 1)}; !floats.EqualApprox(got, want, 1e-12) {
			t.Errorf("covariance %d: %v, want %v", k, got, want)
		}
	}
}

// The probabilities of the cells of every two rounded columns add up to 1, and draws fall into them as often: each mean
// of the log of the probability is the sum Σ P log P.
func TestClasses(t *testing.T) {
	for name, p := range map[string]density.Density{"rounded": rounded(), "mixed": mixed()} {
		c := p.(*classes)
		for j := range c.columns {
			for i := range j {
				if width(c.columns[i]) == 0 || width(c.columns[j]) == 0 {
					continue
				}
				pair := &classes{weights: c.weights, columns: []column{c.columns[i], c.columns[j]}}
				total, negentropy := cells(pair)
				if !scalar.EqualWithinAbs(total, 1, 1e-9) {
					t.Errorf("%s, columns %d and %d: cells of probability %g", name, i, j, total)
				}
				_, logp := drawn(pair)
				if err := mean(logp, negentropy); err != nil {
					t.Errorf("%s, columns %d and %d: %v", name, i, j, err)
				}
			}
		}
		pair := &classes{weights: c.weights, columns: c.columns[:2]}
		_, negentropy := cells(pair)
		_, logp := drawn(&classes{weights: c.weights[1:], columns: pair.columns})
		if mean(logp, negentropy) == nil {
			t.Errorf("%s: classes of other weights pass", name)
		}
	}
}

// cells returns the sums of P and of P log (P/volume) over the cells of two columns.
func cells(c *classes) (total, negentropy float64) {
	volume := width(c.columns[0]) * width(c.columns[1])
	a, b := span(c.columns[0]), span(c.columns[1])
	x, logp := mat.NewDense(1, 2, nil), make([]float64, 1)
	for _, u := range a {
		for _, v := range b {
			x.SetRow(0, []float64{u, v})
			c.LogProb(logp, x)
			if p := math.Exp(logp[0]) * volume; p > 0 {
				total += p
				negentropy += p * logp[0]
			}
		}
	}
	return total, negentropy
}

// width is that of the cells of a column, 0 if it has none.
func width(c column) float64 {
	if c.values != nil {
		return 1
	}
	return c.grid
}

// span lists the values of a column.
func span(c column) (v []float64) {
	if c.values != nil {
		for k := range c.values[0] {
			v = append(v, float64(k))
		}
		return v
	}
	far := 10 * floats.Max(c.sd)
	for k := math.Floor((floats.Min(c.mean) - far) / c.grid); k*c.grid <= floats.Max(c.mean)+far; k++ {
		v = append(v, k*c.grid)
	}
	return v
}

// A kernel density of rounded points is that of the points where the grid is fine, and its cells add up to 1.
func TestKernel(t *testing.T) {
	x := mat.NewDense(50, 2, nil)
	rng := train.Stream(1, "kernel")
	for i := range 50 {
		x.SetRow(i, []float64{rng.NormFloat64(), 3 * rng.NormFloat64()})
	}
	plain := newKernel(x, make([]cellsOf, 2), rng.Float64)
	z := mat.DenseCopyOf(x)
	plain.scaler.Apply(z, z)
	want, err := density.FitKernel(z)
	if err != nil {
		t.Fatal(err)
	}
	a, b := make([]float64, 50), make([]float64, 50)
	plain.LogProb(a, x)
	want.LogProb(b, z)
	floats.AddConst(-plain.scaler.LogDet(), b)
	if !floats.EqualApprox(a, b, 1e-9) {
		t.Errorf("log p %v, want %v", a[:3], b[:3])
	}
	values := []float64{-2, 0, 1, 5}
	coarse := newKernel(x, []cellsOf{{width: 0.5}, {width: 1, values: values}}, rng.Float64)
	at := mat.NewDense(1, 2, nil)
	total := 0.0
	for i := -40; i <= 40; i++ {
		for _, v := range values {
			at.SetRow(0, []float64{0.5 * float64(i), v})
			coarse.LogProb(a[:1], at)
			total += 0.5 * math.Exp(a[0])
		}
	}
	if !scalar.EqualWithinAbs(total, 1, 1e-9) {
		t.Errorf("cells of probability %g", total)
	}
}
