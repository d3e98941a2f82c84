package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

const canary = 12345.678

// guarded returns a slice of n elements inside a buffer whose other elements are a canary, starting off elements after
// the guard, and a function that reports damage.
func guarded[T Float](t *testing.T, n, off int) (s []T, intact func(name string)) {
	const g = 40
	canary := T(canary)
	buf := make([]T, n+2*g+off)
	for i := range buf {
		buf[i] = canary
	}
	lo := g + off
	return buf[lo : lo+n : lo+n], func(name string) {
		t.Helper()
		for i, v := range buf {
			if (i < lo || i >= lo+n) && v != canary {
				t.Fatalf("%s: element %d of %d was written", name, i-lo, n)
			}
		}
	}
}

func fillRand[T Float](x []T, rng *rand.Rand) {
	for i := range x {
		x[i] = T(rng.NormFloat64())
	}
}

func epsilon[T Float]() float64 {
	if isFloat32[T]() {
		return 1.0 / (1 << 24)
	}
	return 1.0 / (1 << 53)
}

// checkProduct compares a product with the plain sum in float64; the bound is that for two sums of K+2 terms, because
// the reference rounds too.
func checkProduct[T Float](t *testing.T, m, n, k int, transA, transB, acc, bias, mul, packed bool, rng *rand.Rand) {
	t.Helper()
	name := fmt.Sprintf("m=%d n=%d k=%d ta=%v tb=%v acc=%v bias=%v mul=%v packed=%v", m, n, k, transA, transB, acc,
		bias, mul, packed)
	extra := func() int { return rng.IntN(4) * rng.IntN(6) }
	dims := func(r, c int, trans bool) (int, int) {
		if trans {
			r, c = c, r
		}
		ld := c + extra()
		return ld, (r-1)*ld + c
	}
	lda, na := dims(m, k, transA)
	ldb, nb := dims(k, n, transB)
	ldc, nc := dims(m, n, false)
	ldm, nm := dims(m, n, false)
	a, okA := guarded[T](t, max(na, 0), rng.IntN(9))
	b, okB := guarded[T](t, max(nb, 0), rng.IntN(9))
	c, okC := guarded[T](t, nc, rng.IntN(9))
	mu, okM := guarded[T](t, nm, rng.IntN(9))
	bi, okBi := guarded[T](t, n, rng.IntN(9))
	work, okW := guarded[T](t, Workspace[T](m, n, k), rng.IntN(9))
	for _, s := range [][]T{a, b, c, mu, bi} {
		fillRand(s, rng)
	}
	old := append([]T(nil), c...)
	p := Product[T]{M: m, N: n, K: k, A: a, LdA: lda, TransA: transA, B: b, LdB: ldb, TransB: transB, C: c, LdC: ldc,
		Acc: acc}
	if bias {
		p.Bias = bi
	}
	if mul {
		p.Mul, p.LdMul = mu, ldm
	}
	if packed {
		p.Packed = new(Packed[T])
		p.Packed.Pack(b, ldb, transB, k, n)
		p.B = nil
	}
	p.Run(work)
	for _, ok := range []func(string){okA, okB, okC, okM, okBi, okW} {
		ok(name)
	}
	for i := range m {
		for j := range ldc {
			if j >= n {
				if x := i*ldc + j; x < len(c) && c[x] != old[x] {
					t.Fatalf("%s: wrote between rows at %d,%d", name, i, j)
				}
				continue
			}
			var s, abs float64
			if acc {
				s = float64(old[i*ldc+j])
			}
			if bias {
				s = float64(bi[j])
			}
			abs = math.Abs(s)
			for q := range k {
				x, y := i*lda+q, q*ldb+j
				if transA {
					x = q*lda + i
				}
				if transB {
					y = j*ldb + q
				}
				v := float64(a[x]) * float64(b[y])
				s += v
				abs += math.Abs(v)
			}
			if mul {
				f := float64(mu[i*ldm+j])
				s *= f
				abs *= math.Abs(f)
			}
			if got := float64(c[i*ldc+j]); !(math.Abs(got-s) <= float64(2*k+4)*epsilon[T]()*abs) {
				t.Fatalf("%s: C[%d,%d] = %v, want %v", name, i, j, got, s)
			}
		}
	}
}

func TestProduct(t *testing.T) {
	onPaths(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(1, 2))
		sizes := []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 15, 16, 17, 24, 31, 32, 33, 40, 63, 64, 65, 66}
		deep := append([]int{100, 255, 256, 257, 300, 515}, sizes...)
		rounds := 1500
		if testing.Short() {
			rounds = 150
		}
		for range rounds {
			m, n := sizes[rng.IntN(len(sizes))], sizes[rng.IntN(len(sizes))]
			k := deep[rng.IntN(len(deep))]
			if rng.IntN(50) == 0 {
				k = 0
			}
			f := rng.Uint32()
			bit := func(i int) bool { return f>>i&1 != 0 }
			acc, bias := bit(2), bit(3) && !bit(2)
			packed := bit(5) && k > 0
			checkProduct[float32](t, m, n, k, bit(0), bit(1), acc, bias, bit(4), packed, rng)
			checkProduct[float64](t, m, n, k, bit(0), bit(1), acc, bias, bit(4), packed, rng)
		}
	})
}
