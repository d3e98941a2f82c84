package vector

import (
	"math"
	"math/rand/v2"

	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
)

// Normal fills dst with independent standard normal numbers. They depend only on the state of rng, and are the same on
// every machine; two draws from rng are consumed whatever the length of dst.
func Normal(dst []float64, rng *rand.Rand) { kernels.Normal(dst, rng) }

// Norm returns the Euclidean norm √Σ x[i]², summed in an order that depends on len(x) alone. It is +Inf if a
// square overflows.
func Norm(x []float64) float64 { return math.Sqrt(kernels.Dot(x, x)) }

// Scale stores c·x in dst, which may be x.
func Scale(dst []float64, c float64, x []float64) { kernels.Scale(dst, c, x) }

// Axpy adds alpha·x to dst.
func Axpy(dst []float64, alpha float64, x []float64) { kernels.Axpy(dst, alpha, x) }

// PeakFLOPS measures the peak rate of fused multiply-adds on one core, in floating-point operations per second; 0 on
// the portable path. It takes a few milliseconds; benchmarks print their figures as a share of it.
func PeakFLOPS[T float32 | float64]() float64 { return kernels.PeakFLOPS[T]() }
