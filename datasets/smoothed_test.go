package datasets_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets"
)

// The widths are those of a search through all pairs, copies among the points included.
func TestSmoothedWidths(t *testing.T) {
	const n, d, k, a = 60, 3, 4, 0.7
	rng := rand.New(rand.NewPCG(5, 6))
	x := mat.NewDense(n, d, nil)
	for i := range n {
		for j := range d {
			x.Set(i, j, rng.NormFloat64())
		}
	}
	for i := range k + 1 { // one point k+1 times
		x.SetRow(i, []float64{0.1, 0.2, 0.3})
	}
	points, err := datasets.NewPoints(x)
	if err != nil {
		t.Fatal(err)
	}
	got := datasets.NewSmoothed(points, k, a).Widths()
	want := make([]float64, n)
	least := math.Inf(1)
	for i := range n {
		var sq []float64
		for j := range n {
			var s float64
			for c := range d {
				s += (x.At(i, c) - x.At(j, c)) * (x.At(i, c) - x.At(j, c))
			}
			sq = append(sq, s)
		}
		slices.Sort(sq)
		if want[i] = a * math.Sqrt(sq[k]/d); want[i] > 0 {
			least = min(least, want[i])
		}
	}
	for i, w := range want {
		if i <= k {
			w = least
		}
		if math.Abs(got[i]-w) > 1e-12 {
			t.Errorf("point %d: width %g, want %g", i, got[i], w)
		}
	}
}

// Draws have the mean of the points, and their second moment is that of the points and of the noise.
func TestSmoothedLaw(t *testing.T) {
	const n = 200000
	x := []float64{-2, -1, 0.5, 4}
	points, err := datasets.NewPoints(mat.NewDense(4, 1, x))
	if err != nil {
		t.Fatal(err)
	}
	s := datasets.NewSmoothed(points, 1, 0.5) // widths 0.5, 0.5, 0.75, 1.75
	y := mat.NewDense(n, 1, nil)
	s.Sample(y, rand.New(rand.NewPCG(7, 8)))
	var mean, second, third, fourth float64
	for _, v := range y.RawMatrix().Data {
		mean, second, third, fourth = mean+v/n, second+v*v/n, third+v*v*v/n, fourth+v*v*v*v/n
	}
	var wantMean, wantSecond float64
	for i, h := range []float64{0.5, 0.5, 0.75, 1.75} {
		wantMean += x[i] / 4
		wantSecond += (x[i]*x[i] + h*h) / 4
	}
	if se := math.Sqrt((second - mean*mean) / n); math.Abs(mean-wantMean) > 4*se {
		t.Errorf("mean %g, want %g ± %.2g", mean, wantMean, 4*se)
	}
	if se := math.Sqrt((fourth - second*second) / n); math.Abs(second-wantSecond) > 4*se {
		t.Errorf("second moment %g, want %g ± %.2g", second, wantSecond, 4*se)
	}
}
