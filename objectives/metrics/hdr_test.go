package metrics

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// plane is N(0, I) in two dimensions.
type plane struct{}

func (plane) LogProb(dst []float64, x *mat.Dense) {
	for i := range dst {
		r := x.RawRowView(i)
		dst[i] = -0.5*(r[0]*r[0]+r[1]*r[1]) - math.Log(2*math.Pi)
	}
}

// The 99 % region of N(0, I) in the plane is the disc |x|² ≤ -2 log 0.01: log p at its edge lies log 0.01 below the
// top.
func TestHDRLevel(t *testing.T) {
	const n = 200000
	rng := rand.New(rand.NewPCG(1, 2))
	x := mat.NewDense(n, 2, nil)
	for i := range x.RawMatrix().Data {
		x.RawMatrix().Data[i] = rng.NormFloat64()
	}
	level, err := hdrLevel(t.Context(), plane{}, x)
	if err != nil {
		t.Fatal(err)
	}
	// The share outside of a level l below the top is exp(-l): that of the hundredth is 0.01 with a relative error of
	// 1/√(0.01 n).
	want, tol := math.Log(0.01)-math.Log(2*math.Pi), 5/math.Sqrt(0.01*n)
	if math.Abs(level-want) > tol {
		t.Errorf("level %g, want %g ± %g", level, want, tol)
	}
	logp := make([]float64, n)
	plane{}.LogProb(logp, x)
	slices.Sort(logp)
	if broken := logp[n/50]; math.Abs(broken-want) <= tol {
		t.Errorf("the level of 98 %%, %g, passes", broken)
	}
}
