package mcmc_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stheno-ebm/stheno/mcmc"
)

// Weights 1 and 3: their mean is 2, its standard error 1, and (1+3)²/(1+9) of them count. One of NaN counts as zero.
func TestWeigh(t *testing.T) {
	logw := []float64{0, math.Log(3)}
	e, err := mcmc.Weigh(logw)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name      string
		got, want float64
	}{{"log Z", e.LogZ, math.Log(2)}, {"standard error", e.StdErr, 0.5}, {"ESS", e.ESS, 1.6}} {
		if math.Abs(c.got-c.want) > 1e-12 {
			t.Errorf("%s: got %g, want %g", c.name, c.got, c.want)
		}
	}
	if e, err = mcmc.Weigh([]float64{math.NaN(), 2000}); err != nil || math.Abs(e.LogZ-(2000-math.Log(2))) > 1e-9 {
		t.Errorf("got %g, %v, want %g", e.LogZ, err, 2000-math.Log(2))
	}
	if !slices.Equal(logw, []float64{0, math.Log(3)}) {
		t.Error("the weights were written to")
	}
	for want, logw := range map[string][]float64{"all weights are zero": {math.Inf(-1), math.NaN()},
		"infinite": {0, math.Inf(1)}} {
		if _, err := mcmc.Weigh(logw); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: error %v, want one with %q", logw, err, want)
		}
	}
}

// Draws of a wide Gaussian give log Z of a narrow one; without the density of the draws, as the twin has it, they do
// not.
func TestWeighDraws(t *testing.T) {
	const n, sd, height = 20000, 1.5, 3.
	rng := source(1)
	logw, twin := make([]float64, n), make([]float64, n)
	for i := range logw {
		z := rng.NormFloat64()
		x := sd * z
		logq := -z*z/2 - math.Log(sd) - math.Log(2*math.Pi)/2
		twin[i] = math.Log(height) - x*x/2
		logw[i] = twin[i] - logq
	}
	want := math.Log(height) + math.Log(2*math.Pi)/2
	off := func(logw []float64) float64 {
		e, err := mcmc.Weigh(logw)
		if err != nil {
			t.Fatal(err)
		}
		return math.Abs(e.LogZ-want) / e.StdErr
	}
	if z := off(logw); z > 4 {
		t.Errorf("log Z is off by %.1f standard errors", z)
	}
	if off(twin) < 4 {
		t.Error("the test has no power")
	}
}

// If one draw in eleven decides the result, its error is unknown.
func TestReliable(t *testing.T) {
	for n, want := range map[int]bool{10: true, 11: false} {
		logw := make([]float64, n)
		for i := range logw[1:] {
			logw[1+i] = math.Inf(-1)
		}
		e, err := mcmc.Weigh(logw)
		if err != nil {
			t.Fatal(err)
		}
		if e.Reliable() != want {
			t.Errorf("one of %d: reliable %v, want %v", n, e.Reliable(), want)
		}
	}
}
