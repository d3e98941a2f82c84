package metrics_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/objectives/metrics"
)

// perfect returns the model whose density is that of d, with log Z = 3.
func perfect(d datasets.Distribution) (metrics.Energy, metrics.Gradient) {
	energy := func(dst []float64, x *mat.Dense) error {
		d.LogProb(dst, x)
		for i := range dst {
			dst[i] = -dst[i] - 3
		}
		return nil
	}
	return energy, func(e []float64, grad, x *mat.Dense) error {
		d.Score(grad, x)
		grad.Scale(-1, grad)
		return energy(e, x)
	}
}

// TestPerfectModel compares every distribution with itself: all divergences vanish, and samples are at their floor.
func TestPerfectModel(t *testing.T) {
	for _, name := range datasets.Names() {
		t.Run(name, func(t *testing.T) {
			d, err := datasets.New(name)
			if err != nil {
				t.Fatal(err)
			}
			const n = 600
			rng := rand.New(rand.NewPCG(1, 7))
			in := metrics.Input{Dataset: name, Truth: d, TestPoints: 5000, Samples: mat.NewDense(n, d.Dim(), nil)}
			// a multiple of 100 that resolves all of them
			in.Quadrature = metrics.QuadratureConfig{Start: 100, Max: 200}
			in.Energy, in.Gradient = perfect(d)
			d.Sample(in.Samples, rng)
			if d.Dim() > 2 {
				in.LogZ = &metrics.LogZ{Value: 3}
			}
			r, err := metrics.Evaluate(context.Background(), in, rng)
			if err != nil {
				t.Fatal(err)
			}
			near(t, "log Z", float64(r.LogZ), 3, 1e-4)
			near(t, "NLL", float64(r.NLL), float64(r.Entropy), 1e-4)
			near(t, "KL", float64(r.KL), 0, 1e-4)
			if d.Dim() == 2 {
				near(t, "TV", float64(r.TV), 0, 1e-4)
				near(t, "leak", float64(r.Leak), 0, 2e-6)
				near(t, "reverse KL", float64(r.ReverseKL), 0, 1e-4)
				near(t, "histogram", float64(r.Samples.HistTV), float64(r.Samples.Floor.HistTV),
					0.5*float64(r.Samples.Floor.HistTV))
			}
			near(t, "Fisher", float64(r.Fisher), 0, 1e-9)
			if name != "checkerboard" {
				near(t, "slope", float64(r.ScoreSlope), 1, 1e-9)
				near(t, "KSD from the model", float64(r.Samples.KSD), float64(r.Samples.KSDData), 1e-9)
				near(t, "KSD", float64(r.Samples.KSD), float64(r.Samples.Floor.KSD), 0.9*float64(r.Samples.Floor.KSD))
			} else if r.ScoreSlope.Known() {
				t.Errorf("slope against a score of zero: %v", r.ScoreSlope)
			}
			s := r.Samples
			if s.Modes != s.KnownModes {
				t.Errorf("%d modes found, want %d", s.Modes, s.KnownModes)
			}
			want := 0.99
			if name == "checkerboard" {
				want = 1 // the support is equally dense everywhere
			}
			near(t, "inside the 99 % region", float64(s.InHDR), want, 5*math.Sqrt(0.0099/n))
			if s.EnergyDistance > 2*s.Floor.EnergyDistance {
				t.Errorf("energy distance %v, floor %v", s.EnergyDistance, s.Floor.EnergyDistance)
			}
		})
	}
}

// TestWrongModels: what each measure is for.
func TestWrongModels(t *testing.T) {
	d, err := datasets.New("2gaussians")
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 8))
	x := mat.NewDense(2000, 2, nil)
	d.Sample(x, rng)
	lost := mat.DenseCopyOf(x) // everything in the larger mode
	for i := range 2000 {
		if lost.At(i, 0) < 0 {
			lost.SetRow(i, []float64{-lost.At(i, 0), -lost.At(i, 1)})
		}
	}
	in := metrics.Input{Truth: d, TestPoints: 2000, Samples: lost, Quadrature: metrics.QuadratureConfig{Max: 200}}
	in.Energy, in.Gradient = perfect(d)
	r, err := metrics.Evaluate(context.Background(), in, rng)
	if err != nil {
		t.Fatal(err)
	}
	s := r.Samples
	near(t, "mode TV of a lost mode", float64(s.ModeTV), 0.2, 1e-9)
	if s.Modes != 1 || s.MMD2 < 10*metrics.Value(math.Abs(float64(s.Floor.MMD2))) ||
		s.EnergyDistance < 5*s.Floor.EnergyDistance || s.HistTV < 2*s.Floor.HistTV {
		t.Errorf("a lost mode is not seen: %+v", s)
	}
	// Stein's discrepancy is as blind to it as score matching.
	if s.KSD > 2*s.Floor.KSD {
		t.Errorf("KSD %v of a lost mode, floor %v", s.KSD, s.Floor.KSD)
	}

	wide := mat.DenseCopyOf(x)
	wide.Apply(func(_, _ int, v float64) float64 { return v + 0.5*rng.NormFloat64() }, wide)
	in.Samples = wide
	if r, err = metrics.Evaluate(context.Background(), in, rng); err != nil {
		t.Fatal(err)
	}
	if s = r.Samples; s.KSD < 2*s.Floor.KSD || s.InHDR > 0.95 ||
		s.MMD2Narrow < 3*metrics.Value(math.Abs(float64(s.Floor.MMD2Narrow))) {
		t.Errorf("blurred samples are not seen: %+v", s)
	}
}

// TestFarSamples: if the true score overflows at some samples, its discrepancy is unknown, and the other measures are
// there.
func TestFarSamples(t *testing.T) {
	d, err := datasets.New("funnel")
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 9))
	x := mat.NewDense(100, 2, nil)
	d.Sample(x, rng)
	x.SetRow(7, []float64{-2000, 1})
	in := metrics.Input{Truth: d, TestPoints: 1000, Samples: x, Quadrature: metrics.QuadratureConfig{Max: 100}}
	in.Energy = func(e []float64, x *mat.Dense) error { // N(0, 3²I)
		for i := range e {
			v := x.RawRowView(i)
			e[i] = (v[0]*v[0] + v[1]*v[1]) / 18
		}
		return nil
	}
	r, err := metrics.Evaluate(context.Background(), in, rng)
	if err != nil {
		t.Fatal(err)
	}
	if s := r.Samples; s.KSDData.Known() || !s.EnergyDistance.Known() || !s.Floor.KSDData.Known() || !r.KL.Known() {
		t.Errorf("got %+v", s)
	}
}

// TestPointsOfAFile measures by points alone: what needs a density is unknown, the rest is there.
func TestPointsOfAFile(t *testing.T) {
	p := normal{[]float64{0, 0}, 1}
	source, err := datasets.NewPoints(p.draws(3000, 1))
	if err != nil {
		t.Fatal(err)
	}
	in := metrics.Input{Truth: source, Energy: p.energy(0), Gradient: p.gradient, Test: source.Matrix(),
		Samples: p.draws(1000, 2)}
	r, err := metrics.Evaluate(context.Background(), in, rand.New(rand.NewPCG(1, 9)))
	if err != nil {
		t.Fatal(err)
	}
	near(t, "NLL", float64(r.NLL), p.Entropy(), 4/math.Sqrt(3000))
	if r.KL.Known() || r.Entropy.Known() || r.Fisher.Known() || r.Samples.HistTV.Known() {
		t.Errorf("measures of an unknown density are known: %+v", r)
	}
	if !r.Samples.MMD2.Known() || !r.Samples.KSD.Known() {
		t.Errorf("measures of samples are unknown: %+v", r.Samples)
	}
}

func TestEvaluateCancel(t *testing.T) {
	d, err := datasets.New("rings")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	in := metrics.Input{Truth: d}
	in.Energy, _ = perfect(d)
	start := time.Now()
	if _, err := metrics.Evaluate(ctx, in, rand.New(rand.NewPCG(1, 1))); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got error %v, want %v", err, context.DeadlineExceeded)
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("cancelling took %v", took)
	}
}

func TestEvaluateErrors(t *testing.T) {
	p := normal{[]float64{0, 0}, 1}
	rng := rand.New(rand.NewPCG(1, 1))
	boom := errors.New("boom")
	fail := func([]float64, *mat.Dense) error { return boom }
	bad := mat.NewDense(3, 2, []float64{0, 0, math.NaN(), 1, 2, 2})
	for name, c := range map[string]struct {
		in   metrics.Input
		want error
	}{
		"nothing": {metrics.Input{}, nil},
		"failing": {metrics.Input{Truth: p, Energy: fail}, boom},
		"NaN sample": {metrics.Input{Truth: p, Energy: p.energy(0), Samples: bad, TestPoints: 10},
			metrics.ErrNonFinite},
		"fewer than no test points": {metrics.Input{Truth: p, Energy: p.energy(0), TestPoints: -5}, nil},
		"other number": {metrics.Input{Truth: p, Energy: p.energy(0), Samples: mat.NewDense(5, 3, nil)},
			nil},
	} {
		_, err := metrics.Evaluate(context.Background(), c.in, rng)
		if err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: got error %v, want %v", name, err, c.want)
		}
	}
}
