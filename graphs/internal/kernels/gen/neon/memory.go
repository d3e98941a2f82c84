package neon

import (
	"fmt"

	"github.com/stheno-ebm/stheno/graphs/internal/kernels/gen/a64"
)

// packing writes the routine that packs a panel of a transposed B by blocks as wide as a vector of AVX2, transposed in
// registers.
func (g *generator) packing(f64 bool) {
	v := vec{f64: f64}
	name := v.name("packTrans")
	n := pair * v.lanes()
	doc := fmt.Sprintf("%s transposes blocks of %d × %[2]d: rows of src, ld bytes apart, become columns of dst, "+
		"whose rows are stride bytes apart.", name, n)
	g.function(f64, name, doc, fmt.Sprintf("(blocks int, src *%[1]s, ld int, dst *%[1]s, stride int)", v.typ()), 40, 1,
		func(e vec) {
			f := e.f
			const blocks, src, ld, dst, stride, p = 0, 1, 2, 3, 4, 9
			e.args("blocks", "src", "ld", "dst", "stride")
			f.Label("block")
			for half := range pair { // columns of src
				f.Go("MOVD R%d, R%d", src, p)
				in := make([]V, n)
				for i := range in {
					in[i] = e.reg()
					e.load(p, half*vectorBytes, in[i])
					if i+1 < n {
						f.Go("ADD R%d, R%d", ld, p)
					}
				}
				lo, hi := e.transposed(in[:n/2]), e.transposed(in[n/2:])
				for i := range lo {
					e.storePair(lo[i], hi[i], dst, 0)
					f.Go("ADD R%d, R%d", stride, dst)
				}
			}
			f.Go("ADD $%d, R%d", pair*vectorBytes, src)
			f.Go("SUBS $1, R%d", blocks)
			f.Jump("BNE", "block")
			f.Ret()
		})
}

// transposed are the columns of a square of vectors.
func (e vec) transposed(r []V) []V {
	op := func(mn string, f64 bool, a, b V) V {
		d := e.reg()
		e.f.Op([]V{d}, []V{a, b}, func(r func(V) int) a64.Enc { return a64.Int3(mn, a64.Arr{F64: f64}, r(d), r(a), r(b)) })
		return d
	}
	if e.f64 {
		return []V{op("trn1", true, r[0], r[1]), op("trn2", true, r[0], r[1])}
	}
	a, b := op("trn1", false, r[0], r[1]), op("trn2", false, r[0], r[1])
	c, d := op("trn1", false, r[2], r[3]), op("trn2", false, r[2], r[3])
	return []V{op("trn1", true, a, c), op("trn1", true, b, d), op("trn2", true, a, c), op("trn2", true, b, d)}
}

// copying writes the copies of narrow blocks of rows into a buffer without gaps.
func (g *generator) copying() {
	for _, n := range []int{2, 3, 4, 6} {
		name := fmt.Sprintf("copyRows%d", n)
		doc := fmt.Sprintf("%s copies rows of %d bytes, ld bytes apart in src, without gaps to dst.", name, 2*n*vectorBytes)
		g.function(false, name, doc, "(rows int, src *byte, ld int, dst *byte)", 32, 1, func(e vec) {
			f := e.f
			e.args("rows", "src", "ld", "dst")
			f.Label("row")
			for j := range n {
				x, y := e.reg(), e.reg()
				e.loadPair(1, 2*j*vectorBytes, x, y)
				e.storePair(x, y, 3, 2*j*vectorBytes)
			}
			f.Go("ADD R2, R1")
			f.Go("ADD $%d, R3", 2*n*vectorBytes)
			f.Go("SUBS $1, R0")
			f.Jump("BNE", "row")
			f.Ret()
		})
	}
}

// conversions writes the roundings between the element types, for whole blocks of 8.
func (g *generator) conversions() {
	two := func(e vec, mn string, d, s V, keep bool) {
		use := []V{s}
		if keep {
			use = append(use, d)
		}
		e.f.Op([]V{d}, use, func(r func(V) int) a64.Enc { return a64.Cvt(mn, r(d), r(s)) })
	}
	g.function(true, "narrowVectors", "narrowVectors rounds 8·blocks elements.",
		"(blocks int, dst *float32, src *float64)",
		24, 1, func(e vec) {
			f := e.f
			e.args("blocks", "dst", "src")
			f.Label("loop")
			var out [2]V
			for i := range out {
				x, y := e.reg(), e.reg()
				e.loadPair(2, 2*i*vectorBytes, x, y)
				out[i] = e.reg()
				two(e, "fcvtn", out[i], x, false)
				two(e, "fcvtn2", out[i], y, true)
			}
			e.storePair(out[0], out[1], 1, 0)
			f.Go("ADD $64, R2")
			f.Go("ADD $32, R1")
			f.Go("SUBS $1, R0")
			f.Jump("BNE", "loop")
			f.Ret()
		})
	g.function(true, "widenVectors", "widenVectors converts 8·blocks elements.",
		"(blocks int, dst *float64, src *float32)",
		24, 1, func(e vec) {
			f := e.f
			e.args("blocks", "dst", "src")
			f.Label("loop")
			x, y := e.reg(), e.reg()
			e.loadPair(2, 0, x, y)
			for i, v := range []V{x, y} {
				lo, hi := e.reg(), e.reg()
				two(e, "fcvtl", lo, v, false)
				two(e, "fcvtl2", hi, v, false)
				e.storePair(lo, hi, 1, 2*i*vectorBytes)
			}
			f.Go("ADD $32, R2")
			f.Go("ADD $64, R1")
			f.Go("SUBS $1, R0")
			f.Jump("BNE", "loop")
			f.Ret()
		})
}

// peak writes a loop of independent fused multiply-adds: the core's peak, for the benchmarks.
func (g *generator) peak(f64 bool) {
	v := vec{f64: f64}
	name := v.name("peak")
	doc := fmt.Sprintf("%s runs 48 fused multiply-adds on vectors of %d lanes for each iteration.", name, v.lanes())
	g.function(f64, name, doc, "(iters int)", 8, 1, func(e vec) {
		f := e.f
		e.args("iters")
		acc := e.cleared(26)
		f.Label("loop")
		for range 2 {
			for i := range 24 {
				e.onto("fmla", acc[i], acc[24], acc[25])
			}
		}
		f.Go("SUBS $1, R0")
		f.Jump("BNE", "loop")
		f.Ret()
	})
}
