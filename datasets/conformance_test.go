package datasets_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/datasets/datasettest"
)

func mustNew(t testing.TB, name string) datasets.Distribution {
	t.Helper()
	d, err := datasets.New(name)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestConformance checks every named distribution against the laws of the kit.
func TestConformance(t *testing.T) {
	for _, name := range datasets.Names() {
		t.Run(name, func(t *testing.T) {
			o := datasettest.Options{Jumps: name == "checkerboard"}
			if testing.Short() {
				o.Draws = 10000
			}
			datasettest.Check(t, mustNew(t, name), o)
		})
	}
}

// However far out a point is, log p is NaN only where a coordinate is, and −Inf at infinity; the score is never NaN.
func TestFarAway(t *testing.T) {
	far := []float64{0, 0.5, 1e160, -1e160, math.Inf(1), math.Inf(-1), math.NaN()}
	for _, name := range datasets.Names() {
		d := mustNew(t, name)
		x, s, logp := mat.NewDense(1, d.Dim(), nil), mat.NewDense(1, d.Dim(), nil), make([]float64, 1)
		for _, a := range far {
			for _, b := range far {
				x.Zero()
				x.Set(0, 0, a)
				x.Set(0, 1, b)
				d.LogProb(logp, x)
				nan := math.IsNaN(a) || math.IsNaN(b)
				if math.IsNaN(logp[0]) != nan {
					t.Errorf("%s: log p %g at (%g, %g)", name, logp[0], a, b)
				}
				if !nan && (math.IsInf(a, 0) || math.IsInf(b, 0)) && !math.IsInf(logp[0], -1) {
					t.Errorf("%s: log p %g at (%g, %g), want -Inf", name, logp[0], a, b)
				}
				d.Score(s, x)
				if !nan && math.IsNaN(mat.Sum(s)) && (math.IsNaN(s.At(0, 0)) || math.IsNaN(s.At(0, 1))) {
					t.Errorf("%s: score %v at (%g, %g)", name, s.RawRowView(0), a, b)
				}
			}
		}
	}
}

// twin is a distribution with some methods replaced.
type twin struct {
	datasets.Distribution
	sample  func(dst *mat.Dense, rng *rand.Rand)
	logProb func(dst []float64, x *mat.Dense)
	score   func(dst, x *mat.Dense)
	entropy float64
	weights []float64
	half    bool // half of the box
}

func (d twin) Sample(dst *mat.Dense, rng *rand.Rand) {
	d.Distribution.Sample(dst, rng)
	if d.sample != nil {
		d.sample(dst, rng)
	}
}

func (d twin) LogProb(dst []float64, x *mat.Dense) {
	d.Distribution.LogProb(dst, x)
	if d.logProb != nil {
		d.logProb(dst, x)
	}
}

func (d twin) Score(dst, x *mat.Dense) {
	d.Distribution.Score(dst, x)
	if d.score != nil {
		d.score(dst, x)
	}
}

func (d twin) Bounds() (lo, hi []float64) {
	lo, hi = d.Distribution.Bounds()
	if d.half {
		lo[0] = 0
	}
	return lo, hi
}

func (d twin) Entropy() float64 { return d.Distribution.(datasets.Entropic).Entropy() + d.entropy }

func (d twin) AssignMode(x []float64) int { return d.Distribution.(datasets.Modal).AssignMode(x) }

func (d twin) Modes() (*mat.Dense, []float64) {
	c, w := d.Distribution.(datasets.Modal).Modes()
	for i, v := range d.weights {
		w[i] += v
	}
	return c, w
}

// TestBrokenTwins breaks one thing at a time; the law that concerns it must notice, and the unbroken twin must pass.
func TestBrokenTwins(t *testing.T) {
	base := mustNew(t, "4squares")
	scale := func(m *mat.Dense, f float64) { m.Scale(f, m) }
	for _, c := range []struct {
		name, law string
		d         twin
	}{
		{"whole", "", twin{}},
		{"draws scaled by 1 %", "histogram", twin{sample: func(dst *mat.Dense, _ *rand.Rand) { scale(dst, 1.01) }}},
		{"draws moved by 0.01", "histogram", twin{sample: func(dst *mat.Dense, _ *rand.Rand) {
			dst.Apply(func(_, _ int, v float64) float64 { return v + 0.01 }, dst)
		}}},
		{"log p off by 1e-5", "bounds", twin{logProb: func(dst []float64, _ *mat.Dense) {
			for i := range dst {
				dst[i] += 1e-5
			}
		}}},
		{"tail of −Inf", "tails", twin{logProb: func(dst []float64, _ *mat.Dense) {
			for i := range dst {
				dst[i] = math.Log(math.Exp(dst[i]))
			}
		}}},
		{"a density at NaN", "tails", twin{logProb: func(dst []float64, _ *mat.Dense) {
			for i, v := range dst {
				if math.IsNaN(v) {
					dst[i] = -3
				}
			}
		}}},
		{"score off by 1e-4", "score", twin{score: func(dst, _ *mat.Dense) { scale(dst, 1.0001) }}},
		{"score of the other sign", "stein", twin{score: func(dst, _ *mat.Dense) { scale(dst, -1) }}},
		{"entropy off by 1e-4", "entropy", twin{entropy: 1e-4}},
		{"weights", "modes", twin{weights: []float64{0.02, -0.02}}},
		{"half of the box", "bounds", twin{half: true}},
		{"x modified", "shapes", twin{logProb: func(_ []float64, x *mat.Dense) { x.Set(0, 0, 0) }}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.d.Distribution = base
			broken := datasettest.Broken(c.d, datasettest.Options{})
			if c.law == "" && len(broken) > 0 {
				t.Errorf("laws broken by an unspoilt twin: %v", broken)
			}
			if c.law != "" && !slices.Contains(broken, c.law) {
				t.Errorf("laws broken: %v, want %q among them", broken, c.law)
			}
		})
	}
}
