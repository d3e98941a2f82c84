package objectives

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/energy"
)

// The log density is that of the explicit inverse and determinant of the 2×2 covariance.
func TestGaussianNoise(t *testing.T) {
	data := correlated(500, 3)
	g, err := FitGaussian(data, 1.5)
	if err != nil {
		t.Fatal(err)
	}
	mean, _ := energy.Moments(data)
	var aa, ab, bb float64
	for i := range 500 {
		a, b := data.At(i, 0)-mean[0], data.At(i, 1)-mean[1]
		aa += 2.25 * a * a / 500
		ab += 2.25 * a * b / 500
		bb += 2.25 * b * b / 500
	}
	det := aa*bb - ab*ab
	x, got := correlated(5, 4), make([]float64, 5)
	g.LogProb(got, x)
	for i := range got {
		a, b := x.At(i, 0)-mean[0], x.At(i, 1)-mean[1]
		want := -math.Log(2*math.Pi) - 0.5*math.Log(det) - 0.5*(bb*a*a-2*ab*a*b+aa*b*b)/det
		if math.Abs(got[i]-want) > 1e-10 {
			t.Errorf("row %d: got %g, want %g", i, got[i], want)
		}
	}
	if _, err := FitGaussian(mat.NewDense(3, 2, []float64{1, 1, 2, 2, 3, 3}), 1); err == nil {
		t.Error("data on a line are accepted")
	}
}

// Coordinates in units of their own, deviations of 1e-7 and 1, are no plane.
func TestGaussianNoiseOfUnits(t *testing.T) {
	data := correlated(300, 2)
	one, err := FitGaussian(data, 1.5)
	if err != nil {
		t.Fatal(err)
	}
	scaled := mat.DenseCopyOf(data)
	for i := range 300 {
		scaled.Set(i, 0, 1e-7*data.At(i, 0))
	}
	q, err := FitGaussian(scaled, 1.5)
	if err != nil {
		t.Fatal(err)
	}
	want, got := make([]float64, 300), make([]float64, 300)
	one.LogProb(want, data)
	q.LogProb(got, scaled)
	floats.AddConst(math.Log(1e-7), got)
	if worst := floats.Distance(got, want, math.Inf(1)); worst > 1e-8 {
		t.Errorf("log densities differ by up to %g", worst)
	}
	for i := range 300 { // a line, in units of their own
		scaled.Set(i, 1, 1e7*scaled.At(i, 0))
	}
	if _, err := FitGaussian(scaled, 1); err == nil {
		t.Error("data on a line are accepted")
	}
}
