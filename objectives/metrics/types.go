package metrics

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"

	"gonum.org/v1/gonum/mat"
)

// Energy stores E(x_i) in dst[i] for every row x_i of x, with any number of rows: q ∝ exp(−E). It must not keep or
// modify x.
type Energy func(dst []float64, x *mat.Dense) error

// Gradient stores E(x_i) in e[i] and ∇E(x_i) in row i of grad. The score of the model is −∇E.
type Gradient func(e []float64, grad, x *mat.Dense) error

// Source is the source of the true data. If it also has methods of LogProber, Scorer, Entropic, Modal or CellMasser,
// the measures they allow are computed.
type Source interface {
	Sample(dst *mat.Dense, rng *rand.Rand) // fills every row
	Dim() int
	Bounds() (lo, hi []float64) // a box that holds all but a negligible part of the mass
}

// LogProber is a Source with a known log-density, in nats. It must be safe for concurrent use.
type LogProber interface {
	LogProb(dst []float64, x *mat.Dense)
}

// Scorer is a Source with a known score ∇ log p. It must be safe for concurrent use.
type Scorer interface {
	Score(dst, x *mat.Dense)
}

// Entropic is a Source with a known entropy, in nats.
type Entropic interface {
	Entropy() float64
}

// Modal is a Source with known modes.
type Modal interface {
	Modes() (centres *mat.Dense, weights []float64)
	AssignMode(x []float64) int
}

// CellMasser is a Source that knows the mass of a box where quadrature fails.
type CellMasser interface {
	CellMass(lo, hi []float64) float64
}

// ErrNonFinite is wrapped by the error of a measure that encounters a NaN energy or gradient, or an energy of −Inf.
var ErrNonFinite = errors.New("not finite")

// Value is a float64 that is written to JSON as null if it is unknown (NaN) or infinite.
type Value float64

// MarshalJSON writes a number or null.
func (v Value) MarshalJSON() ([]byte, error) {
	if f := float64(v); !math.IsNaN(f) && !math.IsInf(f, 0) {
		return json.Marshal(f)
	}
	return []byte("null"), nil
}

// UnmarshalJSON reads a number, or null as NaN.
func (v *Value) UnmarshalJSON(raw []byte) error {
	if string(raw) == "null" {
		*v = Value(math.NaN())
		return nil
	}
	return json.Unmarshal(raw, (*float64)(v))
}

// Known reports whether v is finite.
func (v Value) Known() bool { return !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0) }

// unknown returns the Value of a measure that cannot be computed.
func unknown() Value { return Value(math.NaN()) }

// chunk is the number of rows passed to a function at once: small enough to stop soon after cancellation.
const chunk = 1 << 14

// rowsOf returns a view of rows [from, to) of x.
func rowsOf(x *mat.Dense, from, to int) *mat.Dense {
	_, d := x.Dims()
	return x.Slice(from, to, 0, d).(*mat.Dense)
}

// energies evaluates f on the rows of x, chunk by chunk.
func energies(ctx context.Context, f Energy, x *mat.Dense) ([]float64, error) {
	n, _ := x.Dims()
	e := make([]float64, n)
	for from := 0; from < n; from += chunk {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		to := min(from+chunk, n)
		part := rowsOf(x, from, to)
		if err := f(e[from:to], part); err != nil {
			return nil, err
		}
		if err := checkEnergies(e[from:to], part); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// checkEnergies reports the first energy that is NaN or −Inf. An energy of +Inf means zero density.
func checkEnergies(e []float64, x *mat.Dense) error {
	for i, v := range e {
		if math.IsNaN(v) || math.IsInf(v, -1) {
			return fmt.Errorf("metrics: energy %g at %v is %w", v, x.RawRowView(i), ErrNonFinite)
		}
	}
	return nil
}

// parallel calls f(from, to) for blocks of [0, n) on all cores and returns when all are done. The blocks do not depend
// on the number of cores. It stops early when ctx is cancelled.
func parallel(ctx context.Context, n, block int, f func(from, to int)) error {
	var wg sync.WaitGroup
	next := make(chan int)
	for range min(runtime.GOMAXPROCS(0), (n+block-1)/block) {
		wg.Go(func() {
			for from := range next {
				f(from, min(from+block, n))
			}
		})
	}
	for from := 0; from < n && ctx.Err() == nil; from += block {
		next <- from
	}
	close(next)
	wg.Wait()
	return ctx.Err()
}

// logProbs evaluates the true log-density on the rows of x, on all cores.
func logProbs(ctx context.Context, p LogProber, x *mat.Dense) ([]float64, error) {
	n, _ := x.Dims()
	logp := make([]float64, n)
	err := parallel(ctx, n, 4096, func(from, to int) { p.LogProb(logp[from:to], rowsOf(x, from, to)) })
	return logp, err
}

// logAdd returns log(exp a + exp b).
func logAdd(a, b float64) float64 {
	if a < b {
		a, b = b, a
	}
	if math.IsInf(b, -1) {
		return a
	}
	return a + math.Log1p(math.Exp(b-a))
}

// meanErr returns the mean of x and its standard error.
func meanErr(x []float64) (mean, se float64) {
	n := float64(len(x))
	for _, v := range x {
		mean += v
	}
	mean /= n
	var ss float64
	for _, v := range x {
		ss += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(ss / (n - 1) / n)
}
