package kernels

import "math"

// RowWork is the number of elements of workspace with which RowLogSumExp and RowSoftmax process a matrix of n rows of m
// elements fastest: as many rows at a time as stay in the first-level cache.
func RowWork(n, m int) int {
	const block = 2048
	n = max(min(n, block/m), 1)
	if m > longRow {
		return n * m
	}
	return n * (2*m + 2)
}

// longRow is the length above which rows are processed one by one. Many shorter ones are transposed, so that an
// instruction works on as many rows as it has lanes: rows of 16 take a fifth of the time.
const longRow = 32

// RowLogSumExp stores ln Σ_j exp x[i,j] for every row of m elements. work holds at least m elements, better RowWork.
func RowLogSumExp[T Float](dst, x []T, m int, work []T) {
	check(len(x) == len(dst)*m && len(work) >= min(len(x), m), "RowLogSumExp: lengths differ")
	for len(dst) > 0 {
		n := len(dst)
		if c, ok := columnsOf(n, m, work); ok {
			n = c.n
			c.exponentials(x[:n*m])
			copy(dst, c.top)
			for i, s := range c.sums() {
				dst[i] += T(math.Log(float64(s)))
			}
		} else {
			n = max(min(n, len(work)/max(m, 1)), 1)
			w := work[:n*m]
			for i := range n {
				row := x[i*m : (i+1)*m]
				dst[i] = finiteMax(row)
				Shift(w[i*m:(i+1)*m], row, -dst[i])
			}
			Unary(Exp, 0, w, w)
			for i := range n {
				dst[i] += T(math.Log(float64(Sum(w[i*m : (i+1)*m]))))
			}
		}
		dst, x = dst[n:], x[n*m:]
	}
}

// RowSoftmax stores exp(x[i,j]) / Σ_k exp x[i,k] for every row of m elements. dst may be x. work may be of any size,
// best is RowWork.
func RowSoftmax[T Float](dst, x []T, m int, work []T) {
	check(len(x) == len(dst), "RowSoftmax: lengths differ")
	for left := rows(x, m); left > 0; {
		n := left
		if c, ok := columnsOf(n, m, work); ok {
			n = c.n
			c.exponentials(x[:n*m])
			for i, s := range c.sums() {
				c.top[i] = 1 / s
			}
			for j := range m {
				e := c.x[j*n : (j+1)*n]
				Mul(e, c.top, e)
			}
			Transpose(dst[:n*m], c.x, m, n)
		} else {
			for i := range n {
				Shift(dst[i*m:(i+1)*m], x[i*m:(i+1)*m], -finiteMax(x[i*m:(i+1)*m]))
			}
			d := dst[:n*m]
			Unary(Exp, 0, d, d)
			for i := range n {
				d := dst[i*m : (i+1)*m]
				Scale(d, 1/Sum(d), d)
			}
		}
		dst, x, left = dst[n*m:], x[n*m:], left-n
	}
}

// columns is the workspace for n short rows: x is their transpose, (m,n), part another one.
type columns[T Float] struct {
	n, m              int
	x, part, top, sum []T
}

// columnsOf divides work for as many of n rows as it has room for. It reports false if they are better not transposed.
func columnsOf[T Float](n, m int, work []T) (columns[T], bool) {
	if m < 2 || m > longRow {
		return columns[T]{}, false
	}
	n = min(n, len(work)/(2*m+2))
	if n < max(16, 2*m) { // it would not pay
		return columns[T]{}, false
	}
	return columns[T]{n, m, work[:n*m], work[n*m : 2*n*m], work[2*n*m:][:n], work[2*n*m+n:][:n]}, true
}

// exponentials stores the largest element of every row of x in top, and exp(x - top) in c.x.
func (c columns[T]) exponentials(x []T) {
	n := c.n
	Transpose(c.x, x, n, c.m)
	Shift(c.top, c.x[:n], 0)
	for j := 1; j < c.m; j++ {
		Larger(c.top, c.top, c.x[j*n:(j+1)*n])
	}
	for i, v := range c.top {
		if math.IsInf(float64(v), 0) {
			c.top[i] = 0
		}
	}
	for j := range c.m {
		e := c.x[j*n : (j+1)*n]
		Sub(e, e, c.top)
	}
	Unary(Exp, 0, c.x, c.x)
}

// sums returns the sum of every row, in the order of Sum.
func (c columns[T]) sums() []T {
	n, l := c.n, min(c.m, lanes[T]())
	row := func(p []T, j int) []T { return p[j*n : (j+1)*n] }
	if c.m < shortSum {
		copy(c.sum, row(c.x, 0))
		for j := 1; j < c.m; j++ {
			Add(c.sum, c.sum, row(c.x, j))
		}
		return c.sum
	}
	copy(c.part, c.x[:l*n])
	for j := l; j < c.m; j++ {
		p := row(c.part, j%l)
		Add(p, p, row(c.x, j))
	}
	for h := lanes[T]() / 2; h > 0; h /= 2 {
		for j := h; j < l; j++ {
			p := row(c.part, j-h)
			Add(p, p, row(c.part, j))
		}
		l = min(l, h)
	}
	return row(c.part, 0)
}

// finiteMax is the largest element, or 0 where that is infinite: exp then overflows or vanishes by itself.
func finiteMax[T Float](x []T) T {
	m := Max(x)
	if math.IsInf(float64(m), 0) {
		return 0
	}
	return m
}
