package kernels

import "math"

// lanes is the number of partial sums of a reduction.
func lanes[T Float]() int { return 128 / sizeof[T]() }

// shortSum is the length below which a sum runs from left to right.
const shortSum = 8

// Sum returns Σ x[i], in the order given in the package comment.
func Sum[T Float](x []T) T {
	if len(x) < shortSum {
		var s T
		for _, v := range x {
			s += v
		}
		return s
	}
	if s, ok := sumAsm(x); ok {
		return s
	}
	var p [32]T
	l := lanes[T]()
	for ; len(x) >= l; x = x[l:] {
		for j, v := range x[:l] {
			p[j] += v
		}
	}
	for j, v := range x {
		p[j] += v
	}
	return pairwise(p[:l])
}

// Dot returns Σ a[i]·b[i], in the order of Sum.
func Dot[T Float](a, b []T) T {
	check(len(a) == len(b), "Dot: lengths differ")
	if len(a) < shortSum {
		var s T
		for i, v := range a {
			s = fma(v, b[i], s)
		}
		return s
	}
	if s, ok := dotAsm(a, b); ok {
		return s
	}
	var p [32]T
	l := lanes[T]()
	for i, v := range a {
		p[i%l] = fma(v, b[i], p[i%l])
	}
	return pairwise(p[:l])
}

func pairwise[T Float](p []T) T {
	for h := len(p) / 2; h > 0; h /= 2 {
		for j := range h {
			p[j] += p[j+h]
		}
	}
	return p[0]
}

// RowSum stores Σ_j x[i,j] for every row of m elements; with acc it adds to dst.
func RowSum[T Float](dst, x []T, m int, acc bool) {
	check(len(x) == len(dst)*m, "RowSum: lengths differ")
	for i := range dst {
		s := Sum(x[i*m : (i+1)*m])
		if acc {
			s += dst[i]
		}
		dst[i] = s
	}
}

// RowDot stores Σ_j a[i,j]·b[i,j] for every row of m elements; with acc it adds to dst.
func RowDot[T Float](dst, a, b []T, m int, acc bool) {
	check(len(a) == len(dst)*m && len(b) == len(a), "RowDot: lengths differ")
	for i := range dst {
		s := Dot(a[i*m:(i+1)*m], b[i*m:(i+1)*m])
		if acc {
			s += dst[i]
		}
		dst[i] = s
	}
}

// ColSum stores Σ_i x[i,j], j < m = len(dst); with acc it adds to dst, so that blocks of rows in ascending order give
// the same bits as one call.
func ColSum[T Float](dst, x []T, acc bool) {
	m := len(dst)
	if m == 0 {
		return
	}
	n := rows(x, m)
	if !acc {
		clear(dst)
	}
	if n == 0 || colSumAsm(dst, x, n) {
		return
	}
	for i := range n {
		for j, v := range x[i*m:][:m] {
			dst[j] += v
		}
	}
}

// Max returns the largest element: NaN if any is, −Inf for an empty slice, and +0 for zeros of either sign.
func Max[T Float](x []T) T {
	m, rest := T(math.Inf(-1)), x
	if v, n := maxAsm(x); n > 0 {
		if s := Sum(x[:n]); s == s { // there is no NaN, which the instruction would ignore
			m, rest = v, x[n:]
		}
	}
	for _, v := range rest {
		if !(v <= m) { // seldom, where the built-in max pays for NaN and signed zeros at every element: 4.0 → 0.6 ns
			if v != v {
				return v
			}
			m = v
		}
	}
	return m + 0
}
