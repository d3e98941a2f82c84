package mcmc_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/mcmc"
)

func TestResample(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	x := mat.NewDense(4, 1, []float64{0, 1, 2, 3})
	dst := mat.NewDense(100, 1, nil)
	logw := []float64{math.Log(0.5), math.NaN(), math.Log(0.125), math.Log(0.375)}
	got := mcmc.Resample(dst, x, logw, rng)
	if want := 1 / (0.25 + 0.125*0.125 + 0.375*0.375); math.Abs(got-want) > 1e-12 {
		t.Errorf("effective number %g, want %g", got, want)
	}
	counts := make([]float64, 4)
	for _, v := range dst.RawMatrix().Data {
		counts[int(v)]++
	}
	for i, want := range []float64{50, 0, 12.5, 37.5} { // each within one of n·w
		if math.Abs(counts[i]-want) >= 1 {
			t.Errorf("row %d taken %g times, want %g", i, counts[i], want)
		}
	}
	if got := mcmc.Resample(dst, x, []float64{math.Inf(-1), math.NaN(), math.Inf(-1), math.Inf(-1)}, rng); got != 0 {
		t.Errorf("no weights: effective number %g, want 0", got)
	}
}

// Draws from a wide Gaussian, resampled, have the moments of two narrow modes with weights 1 to 3.
func TestResampleModes(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	const n, m = 40000, 2000
	x, logw := mat.NewDense(n, 1, nil), make([]float64, n)
	for i := range n {
		v := 4 * rng.NormFloat64()
		x.Set(i, 0, v)
		logw[i] = math.Log(math.Exp(-8*(v-3)*(v-3))+3*math.Exp(-8*(v+3)*(v+3))) + v*v/32
	}
	dst := mat.NewDense(m, 1, nil)
	effective := mcmc.Resample(dst, x, logw, rng)
	var right float64
	for _, v := range dst.RawMatrix().Data {
		if v > 0 {
			right++
		}
	}
	if se := math.Sqrt(0.25 * 0.75 * (1/effective + 1.0/m)); math.Abs(right/m-0.25) > 4*se {
		t.Errorf("share of the right mode %g, want 0.25 ± %.2g", right/m, 4*se)
	}
}
