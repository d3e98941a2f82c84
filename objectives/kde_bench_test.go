package objectives

import (
	"testing"

	"gonum.org/v1/gonum/mat"
)

// The price of the noise density: 256 points against 2048 kernels.
func BenchmarkKernelLogProb(b *testing.B) {
	data := correlated(2048, 1)
	k, err := NewKernel(data, 0.3, 2048)
	if err != nil {
		b.Fatal(err)
	}
	x := data.Slice(0, 256, 0, 2).(*mat.Dense)
	dst := make([]float64, 256)
	for b.Loop() {
		k.LogProb(dst, x)
	}
}
