package density

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// A mixture refitted to the points that it was fitted to stays, one refitted to more is likelier on these than before,
// and a Gaussian becomes that of all points, whatever the units.
func TestRefit(t *testing.T) {
	truth := must(NewMixture(parameters(Full, 3, 2)))
	x := draw(truth, 3000, 5)
	for j, unit := range []float64{1e-6, 1e6} {
		for i := range 3000 {
			x.Set(i, j, unit*(x.At(i, j)+7))
		}
	}
	some := x.Slice(0, 400, 0, 2).(*mat.Dense)
	mean := func(m *Mixture, x *mat.Dense) float64 { return stat.Mean(logProb(m, x), nil) }
	for _, kind := range []Covariance{Full, Tied, Diagonal} {
		m := must(FitMixture(some,
			MixtureConfig{Components: []int{3}, Covariances: []Covariance{kind}, Tolerance: 1e-9}, newRNG(1)))
		same := must(Refit(m, some, MixtureConfig{Tolerance: 1e-9}))
		if gap := mean(same, some) - mean(m, some); math.Abs(gap) > 1e-6 {
			t.Errorf("%v: log p of the same points changed by %g", kind, gap)
		}
		if more := must(Refit(m, x, MixtureConfig{})); mean(more, x) <= mean(m, x) {
			t.Errorf("%v: log p of all points %g, before %g", kind, mean(more, x), mean(m, x))
		}
	}
	one := must(Refit(&must(FitGaussian(some, 1)).Mixture, x, MixtureConfig{Shrink: 1e-9}))
	want := must(FitGaussian(x, 1))
	for j := range 2 {
		got, of := one.CovarianceOf(0).At(j, j), want.Covariance().At(j, j)
		if math.Abs(got/of-1) > 1e-6 || math.Abs(one.Means().At(0, j)/want.Mean()[j]-1) > 1e-6 {
			t.Errorf("column %d: variance %g, want %g; mean %g, want %g", j, got, of, one.Means().At(0, j), want.Mean()[j])
		}
	}
	for name, err := range map[string]error{
		"columns":   second(Refit(m1(t), x, MixtureConfig{})),
		"spherical": second(Refit(must(NewKernel(some, 1)), x, MixtureConfig{})),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func m1(t *testing.T) *Mixture {
	t.Helper()
	return must(NewMixture(parameters(Full, 2, 3)))
}

func second[T any](_ T, err error) error { return err }
