package kernels

import (
	"math"
	"math/rand/v2"
	"testing"
)

// FuzzProduct holds products of any shape, leading dimensions, offsets and epilogue against plain sums on every path, with guards around
// all operands and the workspace.
func FuzzProduct(f *testing.F) {
	f.Add(uint64(1), uint16(31), uint16(1), uint16(257), uint8(1))
	f.Add(uint64(2), uint16(256), uint16(128), uint16(2), uint8(0b101010))
	f.Add(uint64(3), uint16(5), uint16(33), uint16(0), uint8(0b010100))
	f.Add(uint64(4), uint16(3), uint16(97), uint16(300), uint8(0b000011))
	f.Fuzz(func(t *testing.T, seed uint64, m, n, k uint16, flags uint8) {
		m, n, k = m%300+1, n%300+1, k%600
		bit := func(i int) bool { return flags>>i&1 != 0 }
		onPaths(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 0))
			check := checkProduct[float32]
			if bit(6) {
				check = checkProduct[float64]
			}
			check(t, int(m), int(n), int(k), bit(0), bit(1), bit(2), bit(3) && !bit(2), bit(4), bit(5) && k > 0, rng)
		})
	})
}

// FuzzUnary holds functions and their derivatives, at any number, against the scalar form of the portable path: alone, with the other
// orders, in place, at any place of a vector. What becomes of an element does not depend on its neighbours.
func FuzzUnary(f *testing.F) {
	for fn := range numFuncs {
		f.Add(uint64(fn), uint8(fn), uint8(19), 1.5, -88.5)
		f.Add(uint64(fn), uint8(fn), uint8(70), math.Inf(1), math.NaN())
	}
	f.Fuzz(func(t *testing.T, seed uint64, fn, n uint8, u, v float64) {
		onPaths(t, func(t *testing.T) {
			fuzzUnary[float32](t, seed, Func(fn)%numFuncs, int(n), u, v)
			fuzzUnary[float64](t, seed, Func(fn)%numFuncs, int(n), u, v)
		})
	})
}

func fuzzUnary[T Float](t *testing.T, seed uint64, f Func, n int, u, v float64) {
	if n == 0 {
		return
	}
	rng := rand.New(rand.NewPCG(seed, uint64(f)))
	x, xOK := guarded[T](t, n, rng.IntN(9))
	for i := range x {
		x[i] = T(3 * rng.NormFloat64())
	}
	x[rng.IntN(n)], x[rng.IntN(n)] = T(u), T(v)
	var multi [4][]T
	for k := range multi {
		if rng.IntN(3) > 0 {
			multi[k] = make([]T, n)
		}
	}
	smooth := f == SiLU || f == Tanh || f == Softplus || f == GELU || f == Sigmoid
	if smooth {
		UnaryMulti(f, multi[0], multi[1], multi[2], multi[3], x)
	}
	for k := range 4 {
		dst, ok := guarded[T](t, n, rng.IntN(9))
		Unary(f, k, dst, x)
		ok(f.String())
		xOK(f.String())
		alone, place := make([]T, 1), append([]T(nil), x...)
		Unary(f, k, place, place)
		for i, z := range x {
			Unary(f, k, alone, x[i:i+1])
			if same := func(a, b T) bool { return a == b || a != a && b != b }; !same(dst[i], alone[0]) || !same(dst[i], place[i]) {
				t.Fatalf("%v order %d at %v = %v among others, %v alone, %v in place", f, k, z, dst[i], alone[0], place[i])
			}
			want := scalar(f, k, float64(z))
			if d := math.Abs(float64(dst[i]) - want); d > 16*epsilon[T]()*(1+math.Abs(want)) && !math.IsInf(float64(T(want)), 0) && want == want {
				t.Fatalf("%v order %d at %v = %v, want %v", f, k, z, dst[i], want)
			}
			if smooth && multi[k] != nil && !(math.Abs(float64(multi[k][i]-dst[i])) <= 8*epsilon[T]()*(1+math.Abs(want))) && want == want && !math.IsInf(want, 0) {
				t.Fatalf("%v order %d at %v = %v with the others, %v alone", f, k, z, multi[k][i], dst[i])
			}
		}
	}
}
