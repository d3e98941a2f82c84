package energy

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/density"
)

// A ladder is the points, blurred at every width in equal shares, and a Gaussian broad times as wide as the data: the
// variance of such a mixture is the mean of those of its parts.
func TestLadder(t *testing.T) {
	data := normal(400, 1, newRNG(4))
	mean, std := density.Moments(data)
	m := must(Ladder(data, []float64{0.5, 1}, 400, 3, newRNG(5)))
	const n = 200000
	x := mat.NewDense(n, 1, nil)
	m.Sample(x, newRNG(6))
	gotMean, gotStd := density.Moments(x)
	v := std[0] * std[0]
	want := (v + 0.25 + v + 1 + 9*v) / 3
	// the fourth moment of the broadest part bounds the variance of the squares
	if tol := 5 * math.Sqrt(3*81*v*v/n); math.Abs(gotStd[0]*gotStd[0]-want) > tol ||
		math.Abs(gotMean[0]-mean[0]) > 5*math.Sqrt(want/n) {
		t.Errorf("mean %g, variance %g, want %g, %g ± %g", gotMean[0], gotStd[0]*gotStd[0], mean[0], want, tol)
	}
}

// Of a narrow and a wide cluster, each gets kernels of about its own width and wider ones, wherever its centres lie,
// except those so far out that there are too few data to tell.
func TestAdaptiveLadder(t *testing.T) {
	const n = 4000
	rng := newRNG(7)
	data := mat.NewDense(2*n, 2, nil)
	for i := range 2 * n {
		at, s := -5.0, 0.02
		if i >= n {
			at, s = 5, 1
		}
		data.SetRow(i, []float64{at + s*rng.NormFloat64(), s * rng.NormFloat64()})
	}
	m := must(AdaptiveLadder(data, []float64{0.1, 0.3, 0.9, 2.7}, 200, 0, newRNG(8)))
	var seen [2][4]int
	centres := m.Means()
	for k, s := range m.Parameters().Factors {
		cluster := 0
		if x := centres.RawRowView(k); x[0] > 0 {
			cluster = 1
			if math.Hypot(x[0]-5, x[1]) > 2 {
				continue
			}
		}
		seen[cluster][slices.Index([]float64{0.1, 0.3, 0.9, 2.7}, s)]++
	}
	narrow, wide := seen[0], seen[1]
	if narrow[2]+narrow[3] > 0 || narrow[0] == 0 || narrow[1] == 0 || wide[0]+wide[1] > 0 || wide[2] == 0 ||
		wide[3] == 0 {
		t.Errorf("kernels of widths 0.1, 0.3, 0.9, 2.7 on a cluster of deviation 0.02: %v, on one of 1: %v", narrow,
			wide)
	}
	for name, f := range map[string]func() (*Mixture, error){
		"falling widths": func() (*Mixture, error) { return AdaptiveLadder(data, []float64{0.3, 0.1}, 10, 1, rng) },
		"one width":      func() (*Mixture, error) { return AdaptiveLadder(data, []float64{0.3}, 10, 1, rng) },
		"no centres":     func() (*Mixture, error) { return AdaptiveLadder(data, []float64{0.1, 0.3}, 0, 1, rng) },
	} {
		if _, err := f(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// A Gaussian of deviation s loses d (h²/(h²+s²))² of log likelihood per unit of log h.
func TestBlurLoss(t *testing.T) {
	const n, some, sets, s = 2000, 200, 20, 0.7
	for _, h := range []float64{0.35, 0.7, 1.4} {
		var mean, square float64
		for k := range sets {
			data := normal(n, 2, newRNG(uint64(100+k)))
			data.Scale(s, data)
			var loss float64
			r2 := make([]float64, n)
			for i := range some {
				loss += blurLoss(data, i, h, r2) / some
			}
			mean += loss / sets
			square += loss * loss / sets
		}
		r := h * h / (h*h + s*s)
		want, se := 2*r*r, math.Sqrt((square-mean*mean)/(sets-1))
		if math.Abs(mean-want) > 4*se {
			t.Errorf("h = %g: %g ± %g, want %g", h, mean, se, want)
		}
	}
}

// Only the columns of a view are read and copied.
func TestMixtureOfView(t *testing.T) {
	wide := mat.NewDense(2, 3, []float64{math.NaN(), 1, 2, math.Inf(1), 3, 4})
	m, err := NewMixture(wide.Slice(0, 2, 1, 3).(*mat.Dense), []float64{1, 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := must(NewMixture(mat.NewDense(2, 2, []float64{1, 2, 3, 4}), []float64{1, 1}, nil))
	if got, want := m.EnergyAt(nil, []float64{0, 0}), want.EnergyAt(nil, []float64{0, 0}); got != want {
		t.Errorf("got energy %g, want %g", got, want)
	}
}
