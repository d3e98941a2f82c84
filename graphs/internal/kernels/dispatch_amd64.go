//go:build amd64 && !purego

package kernels

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

// table holds the assembly of one path for one element type.
type table[T Float] struct {
	lanes    int // of an AVX2 vector
	panel    int // columns of a packed panel
	maxRows  int // rows of the greatest tile
	product  [9]func(t *int)
	wide     [4]func(t *int) // tiles of 1, 2 and 3 rows with more columns
	wideCols [4]int
	rowDot   [thinN + 1]func(blocks int, a *T, lda int, b *T, ldb int, c *T, k int)
	rowDot1  [thinN + 1]func(blocks int, a *T, lda int, b *T, ldb int, c *T, k int)

	packTrans func(blocks int, src *T, ld int, dst *T, stride int)
}

var (
	path   string
	active struct {
		f32 *table[float32] // nil on the portable path
		f64 *table[float64]
	}
)

// Path is the name of the path in use: avx512, avx2 or generic.
func Path() string { return path }

// current is the table of the path in use, nil for the portable one.
func current[T Float]() *table[T] {
	if isFloat32[T]() {
		return (*table[T])(unsafe.Pointer(active.f32))
	}
	return (*table[T])(unsafe.Pointer(active.f64))
}

// available lists the paths of this processor, the best one first.
func available() []string {
	x := &cpu.X86
	var p []string
	if x.HasAVX2 && x.HasFMA && x.HasBMI2 {
		if x.HasAVX512F && x.HasAVX512DQ && x.HasAVX512VL && x.HasAVX512BW {
			p = append(p, "avx512")
		}
		p = append(p, "avx2")
	}
	return append(p, "generic")
}

// use makes a path of available the current one. It must not run together with anything else of this package.
func use(name string) {
	path = name
	switch name {
	case "avx512":
		active.f32, active.f64 = &avx512F32, &avx512F64
	case "avx2":
		active.f32, active.f64 = &avx2F32, &avx2F64
	default:
		active.f32, active.f64 = nil, nil
	}
}

func panelWidth[T Float]() int {
	if t := current[T](); t != nil {
		return t.panel
	}
	return genericPanel
}

// Run computes the product. work holds at least Workspace elements; nil is enough when B is packed.
func (p *Product[T]) Run(work []T) {
	p.validate(work)
	if p.M == 0 || p.N == 0 {
		return
	}
	if t := current[T](); t != nil {
		p.runAsm(t, work)
		return
	}
	p.runGeneric(work)
}

var avx2F32 = table[float32]{
	lanes: 8, panel: 16, maxRows: 6,
	product: [9]func(*int){1: product1x2F32AVX2, 2: product2x2F32AVX2, 3: product3x2F32AVX2, 4: product4x2F32AVX2,
		5: product5x2F32AVX2, 6: product6x2F32AVX2},
	wide:     [4]func(*int){1: product1x8F32AVX2, 2: product2x4F32AVX2, 3: product3x4F32AVX2},
	wideCols: [4]int{1: 64, 2: 32, 3: 32},
	rowDot: [5]func(int, *float32, int, *float32, int, *float32, int){1: rowDot8x1F32AVX2, 2: rowDot4x2F32AVX2,
		3: rowDot4x3F32AVX2, 4: rowDot2x4F32AVX2},
	rowDot1: [5]func(int, *float32, int, *float32, int, *float32, int){1: rowDot1x1F32AVX2, 2: rowDot1x2F32AVX2,
		3: rowDot1x3F32AVX2, 4: rowDot1x4F32AVX2},
	packTrans: packTransF32AVX2,
}

var avx2F64 = table[float64]{
	lanes: 4, panel: 8, maxRows: 6,
	product: [9]func(*int){1: product1x2F64AVX2, 2: product2x2F64AVX2, 3: product3x2F64AVX2, 4: product4x2F64AVX2,
		5: product5x2F64AVX2, 6: product6x2F64AVX2},
	wide:     [4]func(*int){1: product1x8F64AVX2, 2: product2x4F64AVX2, 3: product3x4F64AVX2},
	wideCols: [4]int{1: 32, 2: 16, 3: 16},
	rowDot: [5]func(int, *float64, int, *float64, int, *float64, int){1: rowDot8x1F64AVX2, 2: rowDot4x2F64AVX2,
		3: rowDot4x3F64AVX2, 4: rowDot2x4F64AVX2},
	rowDot1: [5]func(int, *float64, int, *float64, int, *float64, int){1: rowDot1x1F64AVX2, 2: rowDot1x2F64AVX2,
		3: rowDot1x3F64AVX2, 4: rowDot1x4F64AVX2},
	packTrans: packTransF64AVX2,
}

// The AVX-512 tables are the AVX2 ones with the kernels replaced that gain by wider vectors; sums, element-wise operations and
// dot products are bound by memory.
var avx512F32, avx512F64 = func() (table[float32], table[float64]) {
	f, d := avx2F32, avx2F64
	f.panel, f.maxRows = 32, 8
	f.product = [9]func(*int){1: product1x2F32AVX512, 2: product2x2F32AVX512, 3: product3x2F32AVX512, 4: product4x2F32AVX512,
		5: product5x2F32AVX512, 6: product6x2F32AVX512, 7: product7x2F32AVX512, 8: product8x2F32AVX512}
	f.wide = [4]func(*int){1: product1x8F32AVX512, 2: product2x4F32AVX512, 3: product3x4F32AVX512}
	f.wideCols = [4]int{1: 128, 2: 64, 3: 64}
	d.panel, d.maxRows = 16, 8
	d.product = [9]func(*int){1: product1x2F64AVX512, 2: product2x2F64AVX512, 3: product3x2F64AVX512, 4: product4x2F64AVX512,
		5: product5x2F64AVX512, 6: product6x2F64AVX512, 7: product7x2F64AVX512, 8: product8x2F64AVX512}
	d.wide = [4]func(*int){1: product1x8F64AVX512, 2: product2x4F64AVX512, 3: product3x4F64AVX512}
	d.wideCols = [4]int{1: 64, 2: 32, 3: 32}
	return f, d
}()

func binaryAsm[T Float](o op, dst, a, b []T) bool           { return false }
func unaryAsm[T Float](f Func, order int, dst, x []T) bool  { return false }
func multiAsm[T Float](f Func, d0, d1, d2, d3, x []T) bool  { return false }
func scalarAsm[T Float](o op, dst, a []T, c T) bool         { return false }
func ternaryAsm[T Float](o op, dst, a, b, c []T) bool       { return false }
func quaternaryAsm[T Float](o op, dst, a, b, c, d []T) bool { return false }
func scaleAddAsm[T Float](dst []T, alpha T, x, y []T) bool  { return false }
func sumAsm[T Float](x []T) (T, bool)                       { return 0, false }
func dotAsm[T Float](a, b []T) (T, bool)                    { return 0, false }
func colSumAsm[T Float](dst, x []T, n int) bool             { return false }
func narrowAsm(dst []float32, src []float64) bool           { return false }
func widenAsm(dst []float64, src []float32) bool            { return false }
