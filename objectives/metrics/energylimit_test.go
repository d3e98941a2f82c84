package metrics

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// twoModes fills x with draws of two distant modes, of which the first has the weight.
func twoModes(n int, weight float64, rng *rand.Rand) *mat.Dense {
	x := mat.NewDense(n, 2, nil)
	for i := range n {
		x.SetRow(i, []float64{rng.NormFloat64(), rng.NormFloat64()})
		if rng.Float64() > weight {
			x.Set(i, 0, x.At(i, 0)+10)
		}
	}
	return x
}

// Draws of the truth exceed the quantile of the energy distance as often as it says, of distant modes, whose distance
// varies most, and of one mode. A twin that takes the quantile for that of points alike, whose distance hardly varies,
// does not, and other weights of the modes exceed the quantile at 1/1000.
func TestNullQuantile(t *testing.T) {
	const n, trials, rate = 150, 400, 0.05
	tolerance := 4 * math.Sqrt(rate*(1-rate)/trials)
	for _, weight := range []float64{0.5, 1} {
		rng := rand.New(rand.NewPCG(1, 2))
		var over, twin, caught float64
		for range trials {
			x, y := twoModes(n, weight, rng), twoModes(n, weight, rng)
			d, err := Compare(context.Background(), x, y, 1)
			if err != nil {
				t.Fatal(err)
			}
			within, _ := newTwoSample(context.Background(), y, 1)
			mean := 2.0 / n * within.within.dist / (n * (n - 1) / 2)
			if d.Energy*d.Energy > mean*nullQuantile(y, rate) {
				over += 1. / trials
			}
			if d.Energy*d.Energy > mean*1.1 {
				twin += 1. / trials
			}
			if d, _ = Compare(context.Background(), twoModes(n, weight-0.4, rng), y, 1); d.Energy*d.Energy > mean*nullQuantile(y, 1e-3) {
				caught += 1. / trials
			}
		}
		if math.Abs(over-rate) > tolerance {
			t.Errorf("weight %g: %.3f of draws exceed the quantile, want %g ± %.3f", weight, over, rate, tolerance)
		}
		if math.Abs(twin-rate) < tolerance {
			t.Errorf("weight %g: a twin without the shape has a rate of %.3f, want another than %g", weight, twin, rate)
		}
		if caught < 0.99 {
			t.Errorf("weight %g: other weights are found in %.3f of the trials, want all", weight, caught)
		}
	}
}

// The limit allows for effective draws that are fewer than the draws, and for a reference drawn from few points.
func TestEnergyLimit(t *testing.T) {
	reference := twoModes(1000, 0.5, rand.New(rand.NewPCG(1, 2)))
	limit := func(ess Value, truth Source) float64 {
		s := &SampleReport{ESS: ess, Floor: Floor{EnergyDistance: 0.1}}
		s.limit(Input{Truth: truth}, reference)
		return float64(s.Floor.EnergyLimit)
	}
	independent := limit(5000, nil)
	for _, c := range []struct {
		what       string
		got, ratio float64 // to the variance of 1000 independent draws against 1000
	}{{"100 effective draws", limit(100, nil), 5.5}, {"500 points", limit(5000, few(500)), 2}} {
		if want := independent * math.Sqrt(c.ratio); math.Abs(c.got-want) > 1e-9*want {
			t.Errorf("%s: limit %g, want %g", c.what, c.got, want)
		}
	}
}

// few is a source of so many points.
type few int

func (f few) Len() int                    { return int(f) }
func (few) Dim() int                      { return 2 }
func (few) Sample(*mat.Dense, *rand.Rand) {}
func (few) Bounds() (lo, hi []float64)    { return nil, nil }
