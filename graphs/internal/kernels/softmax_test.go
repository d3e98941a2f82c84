package kernels

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Rows give the same bits whether they are transposed or not, and in however many blocks.
func TestShortRows(t *testing.T) {
	onPaths(t, func(t *testing.T) {
		testShortRows[float32](t, rand.New(rand.NewPCG(3, 4)))
		testShortRows[float64](t, rand.New(rand.NewPCG(5, 6)))
	})
}

func testShortRows[T Float](t *testing.T, rng *rand.Rand) {
	special := []T{T(math.Inf(1)), T(math.Inf(-1)), T(math.NaN()), 0, T(math.Copysign(0, -1)), 1e30, -1e30}
	for range 300 {
		n, m := 1+rng.IntN(200), 1+rng.IntN(longRow+8)
		x := make([]T, n*m)
		fillRand(x, rng)
		for range rng.IntN(8) {
			x[rng.IntN(len(x))] = special[rng.IntN(len(special))]
		}
		if rng.IntN(4) == 0 { // a row without anything else
			for j := range m {
				x[j] = special[1]
			}
		}
		run := func(work []T) []T {
			r := make([]T, n*m+n)
			RowSoftmax(r[:n*m], x, m, work)
			RowLogSumExp(r[n*m:], x, m, work)
			return r
		}
		want := run(make([]T, m))
		for _, size := range []int{RowWork(n, m), m + rng.IntN(4*m*m)} {
			for i, got := range run(make([]T, size)) {
				if got != want[i] && !(got != got && want[i] != want[i]) {
					t.Fatalf("%T, %d rows of %d, workspace %d: element %d is %v, want %v", got, n, m, size, i, got, want[i])
				}
			}
		}
	}
}
