package vector

import (
	"math"
	"math/rand/v2"

	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
)

// Normal fills dst with independent standard normal numbers. They depend only on the state of rng, and are the same on
// every machine; two draws from rng are consumed whatever the length of dst.
func Normal(dst []float64, rng *rand.Rand) { kernels.Normal(dst, rng) }

// Sum returns Σ x[i], in an order that depends on len(x) alone.
func Sum(x []float64) float64 { return kernels.Sum(x) }

// Dot returns Σ x[i]·y[i], in the order of Sum.
func Dot(x, y []float64) float64 { return kernels.Dot(x, y) }

// Norm returns the Euclidean norm √Σ x[i]². It is +Inf if a square overflows.
func Norm(x []float64) float64 { return math.Sqrt(kernels.Dot(x, x)) }

// Scale stores c·x in dst, which may be x.
func Scale(dst []float64, c float64, x []float64) { kernels.Scale(dst, c, x) }

// Axpy adds alpha·x to dst.
func Axpy(dst []float64, alpha float64, x []float64) { kernels.Axpy(dst, alpha, x) }

// ScaleAdd stores alpha·x + y in dst, which may be x or y.
func ScaleAdd(dst []float64, alpha float64, x, y []float64) { kernels.ScaleAdd(dst, alpha, x, y) }

// Lerp moves avg towards x: avg = d·avg + (1−d)·x, the exponential moving average of decay d.
func Lerp(avg []float64, d float64, x []float64) {
	kernels.Scale(avg, d, avg)
	kernels.Axpy(avg, 1-d, x)
}

// ToFloat32 rounds src to dst.
func ToFloat32(dst []float32, src []float64) { kernels.ToFloat32(dst, src) }

// ToFloat64 widens src to dst.
func ToFloat64(dst []float64, src []float32) { kernels.ToFloat64(dst, src) }

// PeakFLOPS measures the peak rate of fused multiply-adds on one core, in floating-point operations per second; 0 on
// the portable path. It takes a few milliseconds; benchmarks print their figures as a share of it.
func PeakFLOPS[T float32 | float64]() float64 { return kernels.PeakFLOPS[T]() }
