//go:build (amd64 || arm64) && !purego

package kernels

import "unsafe"

// table holds the assembly of one path for one element type.
type table[T Float] struct {
	lanes    int // of an AVX2 vector, or two of NEON
	panel    int // columns of a packed panel
	maxRows  int // rows of the largest tile
	product  [9]func(t *int)
	narrow   [9]func(t *int) // for panels that are at most half filled
	wide     [4]func(t *int) // tiles of 1, 2 and 3 rows with more columns
	wideCols [4]int
	rowDot   [thinN + 1]func(blocks int, a *T, lda int, b *T, ldb int, c *T, k int)
	rowDot1  [thinN + 1]func(blocks int, a *T, lda int, b *T, ldb int, c *T, k int)

	anyRows bool // whether tiles of more than four rows can read rows of B at any distance, or packed panels only

	pool4     [3]func(n, vecs int, wide, dense, number *T, right, down, step int)
	packTrans func(blocks int, src *T, ld int, dst *T, stride int)

	act1 [numFuncs]func(n int, d0, x *T) // values of the smooth activations and the other functions
	act2 [numFuncs]func(n int, d0, d1, x *T)
	act3 [numFuncs]func(n int, d0, d1, d2, x *T)
	act4 [numFuncs]func(n int, d0, d1, d2, d3, x *T)
	step func(n int, dst, x *T)

	sin    func(n int, s, x *T) (far int)
	sinCos func(n int, s, c, x *T) (far int)

	binary   [numOps]func(n int, dst, a, b *T)
	scalar   [numOps]func(n int, dst, a *T, s T)
	ternary  [numOps]func(n int, dst, a, b, c *T)
	mulMul   func(n int, dst, a, b, c, d *T)
	scaleAdd func(n int, dst, x, y *T, s T)
	fill     func(n int, dst *T, s T)
	sum      func(n int, x *T) T
	max      func(groups int, x *T) T
	dot      func(n int, x, y *T) T
	colSum   func(rows, cols int, dst, x *T, ld int)

	peak func(iters int) // a loop of independent fused multiply-adds
}

var (
	path   string
	active struct {
		f32 *table[float32] // nil on the portable path
		f64 *table[float64]
	}
)

// Path is the name of the path in use: avx512, avx2, neon or generic.
func Path() string { return path }

// current is the table of the path in use, nil for the portable one.
func current[T Float]() *table[T] {
	if isFloat32[T]() {
		return (*table[T])(unsafe.Pointer(active.f32))
	}
	return (*table[T])(unsafe.Pointer(active.f64))
}

func panelWidth[T Float]() int {
	if t := current[T](); t != nil {
		return t.panel
	}
	return genericPanel
}

// peakLoop returns a loop of fused multiply-adds and the lanes of its vectors.
func peakLoop[T Float]() (func(iters int), int) {
	t := current[T]()
	switch {
	case t == nil:
		return nil, 0
	case path == "neon":
		return t.peak, t.panel / 4
	}
	return t.peak, t.panel / 2
}
