// Package datasettest checks that a distribution is consistent: the generator against the density, and the density
// against its score, entropy, bounds and modes. One line tests a distribution:
//
//	datasettest.Check(t, d, datasettest.Options{})
package datasettest

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/stheno-ebm/stheno/datasets"
)

// Options holds the properties of a distribution. The zero value suits a density that is smooth and positive
// everywhere.
type Options struct {
	Draws int    // draws for the statistical checks; 0 means 100 000
	Seed  uint64 // seed of the draws
	// Jumps says that the density is discontinuous and vanishes outside its support: derivatives are checked only where
	// neighbouring densities exist, the tail may be −Inf, and cell masses must come from a CellMasser.
	Jumps bool
}

// alpha is the rate of false alarms: every statistical law is tested at this level, two-sided.
const alpha = 1e-6

// zLimit is the normal quantile of alpha.
var zLimit = distuv.UnitNormal.Quantile(1 - alpha/2)

// law is one property that must hold. A law about an optional method holds for a distribution without that method.
type law struct {
	name  string
	check func(s *subject) error
}

var laws = []law{
	{"shapes", shapes},
	{"bounds", bounds},
	{"histogram", histogram},
	{"stein", stein},
	{"score", score},
	{"entropy", entropy},
	{"tails", tails},
	{"modes", modes},
	{"logz", logZ},
}

// Check tests every law as a subtest. It counts allocations, so the test must not run in parallel.
func Check(t *testing.T, d datasets.Distribution, o Options) {
	t.Helper()
	s := newSubject(d, o)
	for _, law := range laws {
		t.Run(law.name, func(t *testing.T) {
			if err := law.check(s); err != nil {
				t.Error(err)
			}
		})
	}
}

// Broken returns the names of the laws that d violates.
func Broken(d datasets.Distribution, o Options) (names []string) {
	s := newSubject(d, o)
	for _, law := range laws {
		if law.check(s) != nil {
			names = append(names, law.name)
		}
	}
	return names
}

// subject is a distribution with quantities shared by several laws.
type subject struct {
	datasets.Distribution
	Options
	x    *mat.Dense // draws
	logp []float64  // at x

	mass     []float64 // of the cells of Bounds, in two dimensions
	integral float64   // −∫ p log p
}

func newSubject(d datasets.Distribution, o Options) *subject {
	n := cmp.Or(o.Draws, 100000)
	s := &subject{Distribution: d, Options: o, x: mat.NewDense(n, d.Dim(), nil)}
	d.Sample(s.x, rand.New(rand.NewPCG(o.Seed, 1)))
	s.logp = logProb(d, mat.DenseCopyOf(s.x))
	if d.Dim() == 2 {
		s.mass, s.integral = integrate(d, o)
	}
	return s
}

func logProb(d datasets.Distribution, x *mat.Dense) []float64 {
	n, _ := x.Dims()
	dst := make([]float64, n)
	d.LogProb(dst, x)
	return dst
}

// shapes: equal seeds give equal draws, views into larger matrices are handled correctly, x is not modified, and
// nothing is allocated.
func shapes(d *subject) error {
	const n = 50
	dim := d.Dim()
	a, b := mat.NewDense(n, dim, nil), mat.NewDense(n, dim, nil)
	d.Sample(a, rand.New(rand.NewPCG(5, 5)))
	wide := mat.NewDense(n+2, dim+3, nil)
	wide.Apply(func(_, _ int, _ float64) float64 { return 77 }, wide)
	window := wide.Slice(1, n+1, 2, dim+2).(*mat.Dense)
	d.Sample(window, rand.New(rand.NewPCG(5, 5)))
	if !mat.Equal(a, window) {
		return fmt.Errorf("draws with the same seed differ between a matrix and a view into a larger one")
	}
	d.Score(b, a)
	logA, logW := logProb(d, a), logProb(d, window)
	if !slices.Equal(logA, logW) {
		return fmt.Errorf("log-densities differ between a matrix and a view into a larger one")
	}
	d.Score(window, mat.DenseCopyOf(window))
	if !mat.Equal(b, window) {
		return fmt.Errorf("scores differ between a matrix and a view into a larger one")
	}
	for i := range n + 2 {
		for j := range dim + 3 {
			inside := i >= 1 && i <= n && j >= 2 && j < dim+2
			if !inside && wide.At(i, j) != 77 {
				return fmt.Errorf("a method wrote outside its view, at (%d, %d)", i, j)
			}
		}
	}
	kept := mat.DenseCopyOf(a)
	d.LogProb(logA, a)
	d.Score(b, a)
	if !mat.Equal(kept, a) {
		return fmt.Errorf("LogProb or Score modified x")
	}
	rng := rand.New(rand.NewPCG(1, 1))
	if k := testing.AllocsPerRun(3, func() { d.LogProb(logA, a); d.Score(b, a); d.Sample(a, rng) }); k != 0 {
		return fmt.Errorf("LogProb, Score and Sample make %g allocations, want none", k)
	}
	return nil
}

// bounds: the box is not empty and at most 1e-6 of the mass lies outside it.
func bounds(d *subject) error {
	lo, hi := d.Bounds()
	if len(lo) != d.Dim() || len(hi) != d.Dim() {
		return fmt.Errorf("method Bounds has %d and %d coordinates, want %d", len(lo), len(hi), d.Dim())
	}
	for j := range lo {
		if !(lo[j] < hi[j]) || math.IsInf(hi[j]-lo[j], 0) {
			return fmt.Errorf("bounds are %g and %g along axis %d", lo[j], hi[j], j)
		}
	}
	n, _ := d.x.Dims()
	outside := 0
	for i := range n {
		for j, v := range d.x.RawRowView(i) {
			if v < lo[j] || v > hi[j] {
				outside++
				break
			}
		}
	}
	// One draw in 1e5 may be outside with probability 0.1; three have 2e-4, five 1e-8.
	if limit := 1e-6*float64(n) + 5; float64(outside) > limit {
		return fmt.Errorf("%d of %d draws are outside of Bounds, want at most %.0f", outside, n, limit)
	}
	if d.Dim() == 2 {
		if sum := floats.Sum(d.mass); math.Abs(sum-1) > 1.5e-6 {
			return fmt.Errorf("the density integrates to %.9f over Bounds, want 1 within 1e-6", sum)
		}
	}
	return nil
}

// cells is the number of cells along each axis of the histogram.
const cells = 25

// integrate returns the mass of each cell of Bounds and −∫ p log p, by Gauss–Legendre quadrature in every cell, refined
// until both converge.
func integrate(d datasets.Distribution, o Options) (mass []float64, entropy float64) {
	lo, hi := d.Bounds()
	w0, w1 := (hi[0]-lo[0])/cells, (hi[1]-lo[1])/cells
	mass = make([]float64, cells*cells)
	if c, ok := d.(datasets.CellMasser); ok {
		for i := range mass {
			a := []float64{lo[0] + w0*float64(i/cells), lo[1] + w1*float64(i%cells)}
			mass[i] = c.CellMass(a, []float64{a[0] + w0, a[1] + w1})
		}
	}
	const nodes = 8
	t, w := make([]float64, nodes), make([]float64, nodes)
	quad.Legendre{}.FixedLocations(t, w, 0, 1)
	x, logp := mat.NewDense(nodes*nodes, 2, nil), make([]float64, nodes*nodes)
	last := math.NaN()
	for cut := 1; ; cut *= 2 {
		if !o.Jumps {
			clear(mass)
		}
		entropy = 0
		n := cells * cut
		h0, h1 := (hi[0]-lo[0])/float64(n), (hi[1]-lo[1])/float64(n)
		for i := range n {
			for j := range n {
				for k := range logp {
					x.Set(k, 0, lo[0]+h0*(float64(i)+t[k/nodes]))
					x.Set(k, 1, lo[1]+h1*(float64(j)+t[k%nodes]))
				}
				d.LogProb(logp, x)
				for k, l := range logp {
					if p := math.Exp(l) * w[k/nodes] * w[k%nodes] * h0 * h1; p > 0 {
						entropy -= p * l
						if !o.Jumps {
							mass[i/cut*cells+j/cut] += p
						}
					}
				}
			}
		}
		if math.Abs(entropy-last) < 1e-6 || cut == 16 || o.Jumps {
			return mass, entropy
		}
		last = entropy
	}
}

// histogram: Pearson's χ² of the draws against the exact cell masses, in cells merged to ten expected draws or more. In
// other than two dimensions, Stein's identity takes its place.
func histogram(d *subject) error {
	if d.Dim() != 2 {
		return nil
	}
	x := d.x
	n, _ := x.Dims()
	lo, hi := d.Bounds()
	counts := make([]float64, len(d.mass))
	outside := 0.0
	for i := range n {
		a := int(math.Floor((x.At(i, 0) - lo[0]) / (hi[0] - lo[0]) * cells))
		b := int(math.Floor((x.At(i, 1) - lo[1]) / (hi[1] - lo[1]) * cells))
		if a < 0 || b < 0 || a >= cells || b >= cells {
			outside++
			continue
		}
		counts[a*cells+b]++
	}
	chi2, df := 0.0, -1.0
	restMass, restCount := 1.0, outside // everything too small for a cell of its own
	for i, m := range d.mass {
		if e := m * float64(n); e >= 10 {
			chi2 += (counts[i] - e) * (counts[i] - e) / e
			df++
			restMass -= m
		} else {
			restCount += counts[i]
		}
	}
	if e := restMass * float64(n); e >= 10 {
		chi2 += (restCount - e) * (restCount - e) / e
		df++
	} else if restCount > e+10*math.Sqrt(e+1) {
		return fmt.Errorf("%.0f draws fell where %.2g are expected", restCount, e)
	}
	p := distuv.ChiSquared{K: df}.Survival(chi2)
	if p < alpha || p > 1-alpha {
		return fmt.Errorf("χ² of %d draws against the cell masses is %.1f with %.0f degrees of freedom (p = %.2g)", n,
			chi2, df, p)
	}
	return nil
}

// stein: E[f(x) s_j(x) + ∂_j f(x)] = 0 for every density that vanishes at infinity. Draws and score are compared by f =
// tanh of each coordinate and f = sin of their sum, in any dimension.
func stein(d *subject) error {
	if d.Jumps {
		return nil
	}
	x := d.x
	n, dim := x.Dims()
	s := mat.NewDense(n, dim, nil)
	d.Score(s, x)
	v := make([]float64, n)
	for j := range dim {
		for k := range dim + 1 {
			for i := range n {
				row := x.RawRowView(i)
				if k == dim {
					sin, cos := math.Sincos(floats.Sum(row))
					v[i] = sin*s.At(i, j) + cos
					continue
				}
				f := math.Tanh(row[k])
				v[i] = f * s.At(i, j)
				if j == k {
					v[i] += 1 - f*f
				}
			}
			mean, sd := stat.MeanStdDev(v, nil)
			if z := mean / (sd / math.Sqrt(float64(n))); math.Abs(z) > zLimit {
				return fmt.Errorf(
					"for s_%d and test function %d Stein's identity fails: %.3g, %.1f standard errors from 0", j, k,
					mean, z)
			}
		}
	}
	return nil
}

// score: central differences of log p at draws, at points of the box, and at points well outside.
func score(d *subject) error {
	const n = 600
	dim := d.Dim()
	lo, hi := d.Bounds()
	x := mat.NewDense(n, dim, nil)
	rng := rand.New(rand.NewPCG(d.Seed, 2))
	d.Sample(x, rng)
	for i := n / 3; i < n; i++ {
		for j := range dim {
			u := rng.Float64()
			if i >= 2*n/3 {
				u = 3*u - 1
			}
			x.Set(i, j, lo[j]+u*(hi[j]-lo[j]))
		}
	}
	s := mat.NewDense(n, dim, nil)
	d.Score(s, x)
	const h = 1e-4
	shifted := mat.NewDense(4, dim, nil)
	l := make([]float64, 4)
	for i := range n {
		var norm float64
		for _, v := range s.RawRowView(i) {
			norm = math.Max(norm, math.Abs(v))
		}
		for j := range dim {
			for k, step := range []float64{-2, -1, 1, 2} {
				shifted.SetRow(k, x.RawRowView(i))
				shifted.Set(k, j, x.At(i, j)+step*h)
			}
			d.LogProb(l, shifted)
			want := (l[0] - 8*l[1] + 8*l[2] - l[3]) / (12 * h)
			if math.IsInf(l[0]+l[1]+l[2]+l[3], 0) || math.IsNaN(want) {
				if d.Jumps {
					continue
				}
				return fmt.Errorf("log p around %v is %v", x.RawRowView(i), l)
			}
			// Allows for rounding of log p, and for the fifth derivative of a density with details of 0.05.
			tol := 1e-5*(1+norm) + 1e-15*math.Abs(l[0])/h*10
			if got := s.At(i, j); !(math.Abs(got-want) <= tol) {
				return fmt.Errorf("score at %v, coordinate %d: got %.9g, want %.9g ± %.1g", x.RawRowView(i), j, got,
					want, tol)
			}
		}
	}
	return nil
}

// entropy: against the mean of −log p over draws, and in two dimensions against quadrature.
func entropy(d *subject) error {
	e, ok := d.Distribution.(datasets.Entropic)
	if !ok {
		return nil
	}
	mean, sd := stat.MeanStdDev(d.logp, nil)
	se := sd / math.Sqrt(float64(len(d.logp)))
	if got := e.Entropy(); !(math.Abs(got+mean) <= zLimit*se+1e-9) {
		return fmt.Errorf("entropy: got %.6f, draws say %.6f ± %.1g", got, -mean, se)
	}
	if d.Dim() == 2 && !d.Jumps {
		if want := d.integral; math.Abs(e.Entropy()-want) > 3e-5 {
			return fmt.Errorf("entropy: got %.9f, quadrature says %.9f", e.Entropy(), want)
		}
	}
	return nil
}

// tails: far out, log p is finite and below that of any draw, and the score is finite; at NaN log p is NaN.
func tails(d *subject) error {
	dim := d.Dim()
	lo, hi := d.Bounds()
	x, s := mat.NewDense(1, dim, nil), mat.NewDense(1, dim, nil)
	l := make([]float64, 1)
	for j := range dim {
		x.SetRow(0, d.x.RawRowView(0))
		x.Set(0, j, math.NaN())
		if d.LogProb(l, x); !math.IsNaN(l[0]) {
			return fmt.Errorf("log p at %v is %g", x.RawRowView(0), l[0])
		}
	}
	rng := rand.New(rand.NewPCG(d.Seed, 3))
	least := slices.Min(d.logp)
	for range 50 {
		direction, longest := make([]float64, dim), 0.0
		for j := range direction {
			direction[j] = 2*rng.Float64() - 1
			longest = math.Max(longest, math.Abs(direction[j]))
		}
		for _, far := range []float64{1, 10, 100, 1e4} { // from half a box beyond its border
			for j, u := range direction {
				x.Set(0, j, (lo[j]+hi[j])/2+far*u/longest*(hi[j]-lo[j]))
			}
			d.LogProb(l, x)
			d.Score(s, x)
			if d.Jumps && math.IsInf(l[0], -1) {
				continue
			}
			// Where exp(−x₁) overflows, the density of a funnel cannot be represented.
			if math.IsNaN(l[0]) || math.IsInf(l[0], 1) || math.IsInf(l[0], -1) && far <= 1 {
				return fmt.Errorf("log p at %v is %g", x.RawRowView(0), l[0])
			}
			if math.IsInf(l[0], -1) {
				break
			}
			if l[0] > least {
				return fmt.Errorf("log p at %v is %g, more than at the rarest draw, %g", x.RawRowView(0), l[0], least)
			}
			for _, v := range s.RawRowView(0) {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					return fmt.Errorf("score at %v is %v", x.RawRowView(0), s.RawRowView(0))
				}
			}
		}
	}
	return nil
}

// modes: weights are probabilities, each centre belongs to its own mode, and draws fall in the modes in proportion to
// their weights.
func modes(d *subject) error {
	m, ok := d.Distribution.(datasets.Modal)
	if !ok {
		return nil
	}
	centres, weights := m.Modes()
	k, dim := centres.Dims()
	if k != len(weights) || dim != d.Dim() {
		return fmt.Errorf("method Modes: %d×%d centres and %d weights", k, dim, len(weights))
	}
	var sum float64
	for i, w := range weights {
		sum += w
		if !(w > 0) {
			return fmt.Errorf("weight %d is %g, want > 0", i, w)
		}
		if got := m.AssignMode(centres.RawRowView(i)); got != i {
			return fmt.Errorf("centre %d, %v, is assigned to mode %d", i, centres.RawRowView(i), got)
		}
	}
	if math.Abs(sum-1) > 1e-12 {
		return fmt.Errorf("weights add up to %g, want 1", sum)
	}
	if l := logProb(d, centres); slices.ContainsFunc(l,
		func(v float64) bool { return math.IsInf(v, 0) || math.IsNaN(v) }) {
		return fmt.Errorf("log p at the centres is %v", l)
	}
	n, _ := d.x.Dims()
	n = min(n, 30000)
	counts := make([]float64, k)
	for i := range n {
		counts[m.AssignMode(d.x.RawRowView(i))]++
	}
	for i, w := range weights {
		got, se := counts[i]/float64(n), math.Sqrt(w*(1-w)/float64(n))
		if math.Abs(got-w) > zLimit*se+2e-3*w {
			return fmt.Errorf("mode %d: share of draws %.5f, want %.5f ± %.1g", i, got, w, se)
		}
	}
	return nil
}

// logZ: the unnormalised energy is −log p − log Z.
func logZ(d *subject) error {
	u, ok := d.Distribution.(datasets.Unnormalized)
	if !ok {
		return nil
	}
	x := mat.NewDense(100, d.Dim(), nil)
	d.Sample(x, rand.New(rand.NewPCG(8, 8)))
	logp, e := logProb(d, x), make([]float64, 100)
	u.Energy(e, x)
	for i := range e {
		if got := -e[i] - u.LogZ(); math.Abs(got-logp[i]) > 1e-9*(1+math.Abs(logp[i])) {
			return fmt.Errorf("−E − log Z at %v: got %g, want log p = %g", x.RawRowView(i), got, logp[i])
		}
	}
	return nil
}
