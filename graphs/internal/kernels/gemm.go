package kernels

import "unsafe"

// Product is one matrix product with its epilogue,
//
//	C = ( [C | Bias | 0] + op(A)·op(B) ) ⊙ [Mul]
//
// op(A) is M×K, op(B) is K×N, C is M×N. A compiled program keeps its Products and changes the slices between runs; a
// Product holds scratch of its own and must not be used by two goroutines at once.
//
// Bias and Mul are what pays inside the product: the accumulators start from the bias instead of zero (free), and the
// factor is multiplied in when a tile is stored (one pass over C saved). Activations are not fused: a tile of C in
// registers leaves none for an exponential, and a block of rows is still in the first or second cache when
// [UnaryMulti] reads it.
type Product[T Float] struct {
	M, N, K int

	A      []T // M×K, or K×M when TransA
	LdA    int
	TransA bool

	B      []T // K×N, or N×K when TransB; not looked at when Packed is given
	LdB    int
	TransB bool
	Packed *Packed[T] // op(B), packed beforehand; its K×N must agree

	C   []T
	LdC int

	Acc   bool // start from the old C
	Bias  []T  // start from this row, added to every row; length N; not together with Acc
	Mul   []T  // multiply the result, element by element; M×N; may be C's old values only if it is not C itself
	LdMul int

	from int // the first row of Packed that a product in portable Go reads
	tile tile
	sums [16 * thinN]T // of dot products, before the epilogue
}

// Packed is a matrix op(B), laid out in panels for the innermost loop of a product. Weights that do not change are
// packed once. The layout belongs to the path that packed it.
type Packed[T Float] struct {
	K, N int
	nr   int // columns of a panel
	data []T // ⌈N/nr⌉ panels of K×nr, padded with zeros
	thin []T // op(B)ᵀ, N×K, when N ≤ thinN
}

// thinN is the largest number of columns for which a product is computed as rows of dot products.
const thinN = 4

// Pack lays out op(B), K×N, of the row-major matrix b (K×N, or N×K when trans) with leading dimension ldb. The memory
// of an earlier Pack is reused if it is large enough, so that repeated packing does not allocate.
func (p *Packed[T]) Pack(b []T, ldb int, trans bool, k, n int) {
	p.PackPanels(b, ldb, trans, 0, p.Reserve(k, n))
}

// Reserve makes room for op(B), K×N, and returns the number of its panels: Pack may be divided into calls of
// PackPanels, which may run at the same time.
func (p *Packed[T]) Reserve(k, n int) (panels int) {
	check(k > 0 && n > 0, "Pack: K and N must be positive")
	p.K, p.N, p.nr = k, n, panelWidth[T]()
	panels = (n + p.nr - 1) / p.nr
	p.data = room(p.data, panels*p.nr*k)
	p.thin = p.thin[:0]
	if n <= thinN {
		p.thin = room(p.thin, n*thinStride[T](k))
	}
	return panels
}

// PackPanels lays out panels lo … hi-1 of op(B).
func (p *Packed[T]) PackPanels(b []T, ldb int, trans bool, lo, hi int) {
	if trans {
		check(ldb >= p.K && len(b) >= (p.N-1)*ldb+p.K, "Pack: B is too short")
	} else {
		check(ldb >= p.N && len(b) >= (p.K-1)*ldb+p.N, "Pack: B is too short")
	}
	for i := lo; i < hi; i++ {
		j := i * p.nr
		packPanel(p.data[j*p.K:(j+p.nr)*p.K], b, ldb, trans, 0, p.K, j, min(p.nr, p.N-j), p.nr)
	}
	if len(p.thin) > 0 { // it has a single panel
		copyThin(p.thin, b, ldb, trans, p.K, p.N)
	}
}

// room returns n elements, in the memory of s if that is enough.
func room[T Float](s []T, n int) []T {
	if cap(s) < n {
		return aligned[T](n)
	}
	return s[:n]
}

// aligned returns n zeroed elements that start on a cache line.
func aligned[T Float](n int) []T {
	const line = 64
	e := line / sizeof[T]()
	s := make([]T, n+e)
	off := (e - int(uintptr(unsafe.Pointer(&s[0]))%line)/sizeof[T]()) % e
	return s[off : off+n : off+n]
}

// thinStride is the length of a row of op(B)ᵀ with its padding.
func thinStride[T Float](k int) int {
	l := 32 / sizeof[T]()
	return (k + l - 1) / l * l
}

// copyThin stores op(B)ᵀ, n rows of k elements padded with zeros.
func copyThin[T Float](dst, b []T, ldb int, trans bool, k, n int) {
	s := thinStride[T](k)
	for j := range n {
		row := dst[j*s : (j+1)*s]
		clear(row[k:])
		if trans {
			copy(row, b[j*ldb:j*ldb+k])
			continue
		}
		for i := range k {
			row[i] = b[i*ldb+j]
		}
	}
}

// Run computes the product. work holds at least Workspace elements; nil is enough when B is packed.
func (p *Product[T]) Run(work []T) {
	p.validate(work)
	if p.M > 0 && p.N > 0 && !p.runAsm(work) {
		p.runGeneric(work)
	}
}

// Workspace returns the largest number of scratch elements that Run needs for any product of this shape.
func Workspace[T Float](m, n, k int) int {
	nr := panelWidth[T]()
	w := min(k, kUnpacked) * ((n+nr-1)/nr*nr + transRows)
	last := min(k, kBlock) * nr // the last panel of runFewRows
	if n <= thinN {
		w += n * thinStride[T](k)
		last += n * m // its result, transposed
	}
	return max(w, last)
}

// WholePanels reports whether n columns fill the panels of a product, so that B may be read in place.
func WholePanels[T Float](n int) bool { return n%panelWidth[T]() == 0 }

const (
	// kBlock is the number of steps of k per pass: a panel of B with kBlock rows stays in the first-level cache.
	kBlock = 256
	// kUnpacked is the same where B is packed on the way: a block of all columns stays in the second-level cache.
	kUnpacked = 128
	// transRows is the number of rows of a transposed A that are packed at a time: whole tiles of 6 and of 8.
	transRows = 24
)

func (p *Product[T]) validate(work []T) {
	m, n, k := p.M, p.N, p.K
	check(m >= 0 && n >= 0 && k >= 0, "Product: negative size")
	if m == 0 || n == 0 {
		return
	}
	check(p.LdC >= n && len(p.C) >= (m-1)*p.LdC+n, "Product: C is too short")
	if k > 0 {
		if p.TransA {
			check(p.LdA >= m && len(p.A) >= (k-1)*p.LdA+m, "Product: A is too short")
		} else {
			check(p.LdA >= k && len(p.A) >= (m-1)*p.LdA+k, "Product: A is too short")
		}
		switch {
		case p.Packed != nil:
			check(p.Packed.K == k && p.Packed.N == n, "Product: Packed has another shape")
			check(p.Packed.nr == panelWidth[T](), "Product: Packed was packed for another path")
		case p.TransB:
			check(p.LdB >= k && len(p.B) >= (n-1)*p.LdB+k, "Product: B is too short")
		default:
			check(p.LdB >= n && len(p.B) >= (k-1)*p.LdB+n, "Product: B is too short")
		}
	}
	check(p.Bias == nil || len(p.Bias) >= n && !p.Acc, "Product: Bias is too short or given together with Acc")
	check(p.Mul == nil || p.LdMul >= n && len(p.Mul) >= (m-1)*p.LdMul+n, "Product: Mul is too short")
	if p.Packed == nil {
		check(len(work) >= Workspace[T](m, n, k), "Product: workspace is too short")
	}
}
