package objectives

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/energy"
)

// The cost of the noise density: 256 points against 2048 kernels.
func BenchmarkKernelLogProb(b *testing.B) {
	data := correlated(2048, 1)
	m, err := density.NewKernel(data, 0.3)
	if err != nil {
		b.Fatal(err)
	}
	k, err := energy.CompileDensity(m, energy.EvaluatorConfig{})
	if err != nil {
		b.Fatal(err)
	}
	x := data.Slice(0, 256, 0, 2).(*mat.Dense)
	dst := make([]float64, 256)
	for b.Loop() {
		k.LogProb(dst, x)
	}
}

// For planar data the noise is a table: the kernel density that it stands for, up to the width of its tents. With an
// outlier that would make the table too large, and in four dimensions, it is the kernel density itself.
func TestBlurred(t *testing.T) {
	data := correlated(2000, 1)
	q, err := NewNoise("kde", data)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := q.(*density.Tabulated); !ok {
		t.Fatalf("noise of the plane is a %T", q)
	}
	sds := []float64{0.05, 0.1, 0.2}
	_, spread := density.Moments(data)
	widest := max(spread[0], spread[1])
	x := data.Slice(0, 200, 0, 2).(*mat.Dense)
	got := make([]float64, 200)
	q.LogProb(got, x)
	for i := range got {
		var want float64
		for k := range 1024 {
			s := widest * sds[k%3]
			a, b := (x.At(i, 0)-data.At(k, 0))/s, (x.At(i, 1)-data.At(k, 1))/s
			want += math.Exp(-0.5*(a*a+b*b)) / (2 * math.Pi * s * s * 1024)
		}
		if r := math.Exp(got[i]) / want; r < 0.8 || r > 1.2 {
			t.Errorf("point %d: %g times the density of the kernels", i, r)
		}
	}
	outlier := mat.DenseCopyOf(data)
	outlier.SetRow(0, []float64{1e4, 0})
	if q, err := NewNoise("kde", outlier); err != nil {
		t.Error(err)
	} else if q.LogProb(got[:1], outlier.Slice(0, 1, 0, 2).(*mat.Dense)); math.IsInf(got[0], 0) {
		t.Error("no density at the outlier")
	}
	solid := mat.NewDense(100, 4, nil)
	for i, rng := 0, newRNG(3); i < 400; i++ {
		solid.RawMatrix().Data[i] = rng.NormFloat64()
	}
	if q, err := NewNoise("kde", solid); err != nil {
		t.Error(err)
	} else if _, ok := q.(*energy.CompiledDensity); !ok {
		t.Errorf("noise in four dimensions is a %T", q)
	}
}
