package kernels

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// Every path handles windows of four as their definition says.
func TestPool4(t *testing.T) {
	onPaths(t, func(t *testing.T) {
		testPool4[float32](t)
		testPool4[float64](t)
	})
}

func testPool4[T Float](t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, c := range []int{1, 3, 4, 8, 12, 32} {
		const n = 5
		right, step := c, 2*c
		down := n*step + 3
		x, dst := make([]T, 2*down), make([]T, n*c)
		for i := range x {
			x[i] = T(rng.IntN(7)) // with ties
		}
		ArgMax4(n, c, dst, x, right, down, step)
		picked, placed, want := make([]T, n*c), slices.Repeat([]T{9}, 2*down), slices.Repeat([]T{9}, 2*down)
		Pick4(n, c, picked, dst, x, right, down, step)
		Place4(n, c, placed, dst, picked, right, down, step)
		for i := range n {
			for j := range c {
				best, number := T(-1), -1
				for k, o := range []int{0, right, down, down + right} {
					at := i*step + j + o
					if x[at] > best {
						best, number = x[at], k
					}
				}
				for k, o := range []int{0, right, down, down + right} {
					want[i*step+j+o] = 0
					if k == number {
						want[i*step+j+o] = best
					}
				}
				if dst[i*c+j] != T(number) || picked[i*c+j] != best {
					t.Fatalf("%d channels: window %d, channel %d: got number %g and %g, want %d and %g", c, i, j,
						dst[i*c+j], picked[i*c+j], number, best)
				}
			}
		}
		if !slices.Equal(placed, want) {
			t.Fatalf("%d channels: placed %v, want %v", c, placed, want)
		}
	}
}

func TestTranspose(t *testing.T) {
	onPaths(t, func(t *testing.T) {
		for _, s := range [][2]int{{1, 1}, {3, 9}, {8, 8}, {49, 64}, {64, 49}, {17, 33}, {8, 7}} {
			n, m := s[0], s[1]
			x, y := make([]float32, n*m), make([]float32, n*m)
			u, v := make([]float64, n*m), make([]float64, n*m)
			for i := range x {
				x[i], u[i] = float32(i), float64(i)
			}
			Transpose(y, x, n, m)
			Transpose(v, u, n, m)
			for i := range n {
				for j := range m {
					if y[j*n+i] != x[i*m+j] || v[j*n+i] != u[i*m+j] {
						t.Fatalf("(%d,%d): element (%d,%d) is %g and %g, want %g", n, m, j, i, y[j*n+i], v[j*n+i], x[i*m+j])
					}
				}
			}
		}
	})
}
