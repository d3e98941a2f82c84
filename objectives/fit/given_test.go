package fit

import (
	"errors"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// Draws given two columns of a model that is a known mixture follow its exact conditional density, by the
// Kolmogorov–Smirnov distance at a level of 1e-4, with jumps and by the kernel alone; draws that ignore these columns
// do not.
func TestSampleGiven(t *testing.T) {
	rng := train.Stream(1, "two clusters")
	x := mat.NewDense(400, 4, nil)
	for i := range 400 {
		row, centre := x.RawRowView(i), 3*float64(i%2)
		for j := range row {
			row[j] = centre*float64(j-1) + rng.NormFloat64()
			if j > 0 {
				row[j] += 0.8 * row[j-1]
			}
		}
	}
	path := filepath.Join(t.TempDir(), "clusters.csv")
	if err := datasets.Save(path, x); err != nil {
		t.Fatal(err)
	}
	c := quick(1)
	c.Dataset, c.Samples, c.Standardize = path, -1, Off
	m, err := Train(t.Context(), opened(t, path), c)
	if err != nil {
		t.Fatal(err)
	}
	m.data.Share = 0
	if err := m.rebuild(); err != nil {
		t.Fatal(err)
	}
	const n = 2000
	given := map[int]float64{3: 4, 1: 0.5}
	exact, err := m.data.Base.Given([]int{1, 3}, []float64{0.5, 4})
	if err != nil {
		t.Fatal(err)
	}
	limit := math.Sqrt(-0.5 * math.Log(1e-4/2) / n)
	for name, c := range map[string]struct {
		sampler string
		jumps   int
	}{"independence": {}, "hmc": {sampler: "hmc"}, "hmc with jumps": {sampler: "hmc", jumps: 4}} {
		m.Config.SamplerJumps = c.jumps
		draw, err := m.Sample(t.Context(), SampleConfig{N: n, Chains: n, Seed: 5, Given: given, Sampler: c.sampler})
		if err != nil {
			t.Fatal(err)
		}
		if got := draw.Diagnostics.Sampler; got != name {
			t.Errorf("drawn by %s, want %s", got, name)
		}
		if c.sampler == "" && draw.Diagnostics.AcceptProb < 0.999 {
			t.Errorf("%g of draws from the conditional density itself are accepted", draw.Diagnostics.AcceptProb)
		}
		for i := range n {
			if draw.X.At(i, 3) != 4 || draw.X.At(i, 1) != 0.5 {
				t.Fatalf("row %d is %v, want the given values", i, draw.X.RawRowView(i))
			}
		}
		for free, j := range []int{0, 2} {
			if got := distance(mat.Col(nil, j, draw.X), exact, free); got > limit {
				t.Errorf("%s, column %d: distance %.4f, want at most %.4f", name, j, got, limit)
			}
		}
	}
	blind := mat.NewDense(n, 4, nil)
	m.data.Base.Sample(blind, train.Stream(1, "blind"))
	for free, j := range []int{0, 2} {
		if got := distance(mat.Col(nil, j, blind), exact, free); got <= limit {
			t.Errorf("draws that know nothing of the given values pass: %.4f", got)
		}
	}
	for _, bad := range []map[int]float64{{9: 0}, {0: math.NaN()}, {0: 0, 1: 0, 2: 0, 3: 0}} {
		var field *FieldError
		if _, err := m.Sample(t.Context(), SampleConfig{N: 10, Given: bad}); !errors.As(err, &field) || field.Key != "given" {
			t.Errorf("%v: got %v, want an error about given", bad, err)
		}
	}
}

// distance is the Kolmogorov–Smirnov distance between draws and coordinate j of a mixture.
func distance(x []float64, m *density.Mixture, j int) (most float64) {
	slices.Sort(x)
	for i, v := range x {
		var p float64
		for k, w := range m.Weights() {
			p += w * distuv.Normal{Mu: m.Means().At(k, j), Sigma: math.Sqrt(m.CovarianceOf(k).At(j, j))}.CDF(v)
		}
		n := float64(len(x))
		most = math.Max(most, math.Max(math.Abs(p-float64(i)/n), math.Abs(p-float64(i+1)/n)))
	}
	return most
}
