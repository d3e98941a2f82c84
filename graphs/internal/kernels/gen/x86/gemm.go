package x86

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"github.com/stheno-ebm/stheno/graphs/internal/kernels/gen/describe"
)

// products writes the inner loops of the matrix product: rows × vectors tiles for panels of two vectors, those of one
// vector for a last panel that is at most half full, and for few rows wider ones, so that there are accumulators
// enough to hide the latency of the fused multiply-add.
func products(e vec) {
	rows := 6 // 12 accumulators of 16 registers
	if e.wide() {
		rows = 8 // 16 of 32
	}
	for r := 1; r <= rows; r++ {
		product(e, r, 2)
		product(e, r, 1)
	}
	product(e, 1, 8)
	product(e, 2, 4)
	product(e, 3, 4)
}

// rows3 are pointers to rows at equal distances, one for three of them: base, base + ld, base + 2 ld.
type rows3 []GPVirtual

func rowPointers(rows int) rows3 {
	p := make(rows3, (rows+2)/3)
	for i := range p {
		p[i] = GP64()
	}
	return p
}

// set points to the rows from a on and returns their places.
func (p rows3) set(a, ld Register) (row func(i int) Mem) {
	MOVQ(a, p[0])
	for i := 1; i < len(p); i++ {
		LEAQ(Mem{Base: p[i-1], Index: ld, Scale: 2}, p[i])
		ADDQ(ld, p[i])
	}
	return func(i int) Mem {
		m := Mem{Base: p[i/3]}
		if i%3 > 0 {
			m.Index, m.Scale = ld, uint8(i%3)
		}
		return m
	}
}

// product writes, for each block of mr rows, C = ([C | bias | 0] + A·B) ⊙ [mul] on nv vectors of columns.
func product(e vec, mr, nv int) {
	name := e.name(fmt.Sprintf("product%dx%d", mr, nv))
	text(name, "func(t *int)",
		fmt.Sprintf("%s computes tiles of %d rows and %d vectors of columns; t points to a tile.", name, mr, nv))
	t := Load(Param("t"), GP64())
	field := func(off int) GPVirtual {
		r := GP64()
		MOVQ(Mem{Base: t, Disp: off}, r)
		return r
	}
	vb := e.bytes()
	a, rsa, csa := field(describe.TileA), field(describe.TileRsa), field(describe.TileCsa)
	ldb, c := field(describe.TileLdb), field(describe.TileC)
	mul := field(describe.TileMul)
	blocks := field(describe.TileBlocks)

	acc := make([][]VecVirtual, mr)
	for i := range acc {
		acc[i] = make([]VecVirtual, nv)
		for j := range acc[i] {
			acc[i][j] = e.reg()
		}
	}
	full := U32(nv * e.lanes())
	isFull := func(label string) { CMPQ(Mem{Base: t, Disp: describe.TileCols}, full); JNE(LabelRef(label)) }
	panels := nv <= 2 // wider tiles are never partial
	partial := func() tail { return e.tail(field(describe.TileCols)) }
	// eachRow walks over the rows of C or mul.
	eachRow := func(base GPVirtual, ldOff int, f func(i, j int, m Mem)) {
		p := GP64()
		MOVQ(base, p)
		for i := range mr {
			for j := range nv {
				f(i, j, Mem{Base: p, Disp: j * vb})
			}
			if i+1 < mr {
				ADDQ(Mem{Base: t, Disp: ldOff}, p)
			}
		}
	}

	// either emits code twice: for a full panel and for one with masked loads.
	either := func(id string, f func(get func(m Mem, j int, d Value))) {
		if panels {
			isFull(id + "Part")
		}
		f(func(m Mem, j int, d Value) { e.Mov(m, d) })
		if panels {
			JMP(LabelRef(id + "Full"))
			Label(id + "Part")
			pt := partial()
			f(pt.load)
			Label(id + "Full")
		}
	}

	Label("block")
	// Start from C, the bias or zero.
	CMPQ(Mem{Base: t, Disp: describe.TileInit}, U8(1))
	JEQ(LabelRef("bias"))
	JG(LabelRef("old"))
	for i := range acc {
		for j := range acc[i] {
			e.Zero(acc[i][j])
		}
	}
	JMP(LabelRef("sum"))
	Label("bias")
	bias := field(describe.TileBias)
	either("bias", func(get func(m Mem, j int, d Value)) {
		for j := range nv {
			get(Mem{Base: bias, Disp: j * vb}, j, acc[0][j])
		}
		for i := 1; i < mr; i++ {
			for j := range nv {
				e.Mov(acc[0][j], acc[i][j])
			}
		}
	})
	JMP(LabelRef("sum"))
	Label("old")
	either("old", func(get func(m Mem, j int, d Value)) {
		eachRow(c, describe.TileLdc, func(i, j int, m Mem) { get(m, j, acc[i][j]) })
	})

	Label("sum")
	cnt := field(describe.TileK)
	TESTQ(cnt, cnt)
	JZ(LabelRef("factor"))
	pb := field(describe.TileB)
	pa := rowPointers(mr)
	am := pa.set(a, rsa)
	bm := func(j int) Mem { return Mem{Base: pb, Disp: j * vb} }
	Label("step")
	switch {
	case mr == 1: // a vector of B that is used once is an operand of the multiplication
		av := e.reg()
		e.Bcast(am(0), av)
		for j := range nv {
			e.Fma231(bm(j), av, acc[0][j])
		}
	case mr < nv: // keep the column of A
		av := make([]VecVirtual, mr)
		for i := range av {
			av[i] = e.reg()
			e.Bcast(am(i), av[i])
		}
		for j := range nv {
			bv := e.load(bm(j))
			for i := range mr {
				e.Fma231(av[i], bv, acc[i][j])
			}
		}
	default: // keep the row of B
		bv := make([]VecVirtual, nv)
		for j := range bv {
			bv[j] = e.load(bm(j))
		}
		for i := range mr {
			av := e.reg()
			e.Bcast(am(i), av)
			for j := range nv {
				e.Fma231(av, bv[j], acc[i][j])
			}
		}
	}
	for i := range pa {
		ADDQ(csa, pa[i])
	}
	ADDQ(ldb, pb)
	DECQ(cnt)
	JNZ(LabelRef("step"))

	Label("factor")
	TESTQ(mul, mul)
	JZ(LabelRef("store"))
	either("factor", func(get func(m Mem, j int, d Value)) {
		eachRow(mul, describe.TileLdm, func(i, j int, m Mem) {
			f := e.reg()
			get(m, j, f)
			e.Mul(f, acc[i][j], acc[i][j])
		})
	})
	step := field(describe.TileLdm)
	IMUL3Q(I32(mr), step, step)
	ADDQ(step, mul)

	Label("store")
	if panels {
		isFull("storePart")
	}
	eachRow(c, describe.TileLdc, func(i, j int, m Mem) { e.Mov(acc[i][j], m) })
	if panels {
		JMP(LabelRef("advance"))
		Label("storePart")
		pt := partial()
		eachRow(c, describe.TileLdc, func(i, j int, m Mem) { pt.store(acc[i][j], m, j) })
		Label("advance")
	}
	step = field(describe.TileLdc)
	IMUL3Q(I32(mr), step, step)
	ADDQ(step, c)
	step = GP64()
	IMUL3Q(I32(mr), rsa, step)
	ADDQ(step, a)
	DECQ(blocks)
	JNZ(LabelRef("block"))
	VZEROUPPER()
	RET()
}

// rowDots writes the products with n ≤ 4 columns: every element is a dot product of a row of A with a row of Bᵀ.
func rowDots(e vec) {
	for n, r := range []int{0, 8, 4, 4, 2} {
		if n > 0 {
			rowDot(e, r, n)
			rowDot(e, 1, n)
		}
	}
}

// rowDot handles r rows at a time. B holds n rows of whole vectors, padded with zeros.
func rowDot(e vec, r, n int) {
	name := e.name(fmt.Sprintf("rowDot%dx%d", r, n))
	text(name, fmt.Sprintf("func(blocks int, a *%[1]s, lda int, b *%[1]s, ldb int, c *%[1]s, k int)", e.typ()),
		fmt.Sprintf("%s stores the dot products of %d rows of a with %d rows of b in c, without gaps; strides are in "+
			"bytes.", name, r, n))
	blocks := Load(Param("blocks"), GP64())
	a := Load(Param("a"), GP64())
	lda := Load(Param("lda"), GP64())
	ldb := Load(Param("ldb"), GP64())
	c := Load(Param("c"), GP64())
	vb := e.bytes()
	acc := make([]VecVirtual, r*n)
	for i := range acc {
		acc[i] = e.reg()
	}
	pa := rowPointers(r)
	pb, pb3 := GP64(), GP64()
	cnt := GP64()
	Label("block")
	for _, v := range acc {
		e.Zero(v)
	}
	am := pa.set(a, lda)
	Load(Param("b"), pb)
	LEAQ(Mem{Base: pb, Index: ldb, Scale: 2}, pb3)
	ADDQ(ldb, pb3)
	Load(Param("k"), cnt)
	SUBQ(U8(e.lanes()), cnt)
	JLT(LabelRef("rest"))
	bm := func(j int) Mem {
		switch j {
		case 1, 2:
			return Mem{Base: pb, Index: ldb, Scale: uint8(j)}
		case 3:
			return Mem{Base: pb3}
		}
		return Mem{Base: pb}
	}
	bv := make([]VecVirtual, n)
	for j := range bv {
		bv[j] = e.reg()
	}
	Label("step")
	for j := range bv {
		e.Mov(bm(j), bv[j])
	}
	for i := range r {
		if n == 1 {
			e.Fma231(am(i), bv[0], acc[i])
			continue
		}
		av := e.load(am(i))
		for j := range n {
			e.Fma231(av, bv[j], acc[i*n+j])
		}
	}
	for _, p := range append(append([]GPVirtual{}, pa...), pb, pb3) {
		ADDQ(U8(vb), p)
	}
	SUBQ(U8(e.lanes()), cnt)
	JGE(LabelRef("step"))
	Label("rest")
	ADDQ(U8(e.lanes()), cnt)
	JZ(LabelRef("reduce"))
	t := e.tail(cnt)
	for i := range r {
		av := e.reg()
		t.load(am(i), 0, av)
		for j := range n {
			e.Fma231(bm(j), av, acc[i*n+j])
		}
	}
	Label("reduce")
	// Four sums (two in float64 at the end) at a time: lanes are added in neighbouring pairs.
	for g := 0; g < len(acc); g += 4 {
		at := func(i int) VecVirtual { return acc[min(g+i, len(acc)-1)] }
		have := min(4, len(acc)-g)
		if e.f64 {
			for h := 0; h < have; h += 2 {
				s := YMM()
				VHADDPD(at(h+1), at(h), s)
				hi := XMM()
				VEXTRACTF128(U8(1), s, hi)
				VADDPD(hi, s.AsX(), hi)
				if have-h >= 2 {
					VMOVUPD(hi, Mem{Base: c, Disp: 8 * (g + h)})
				} else {
					VMOVSD(hi, Mem{Base: c, Disp: 8 * (g + h)})
				}
			}
			continue
		}
		s, s2 := YMM(), YMM()
		VHADDPS(at(1), at(0), s)
		VHADDPS(at(3), at(2), s2)
		VHADDPS(s2, s, s)
		hi := XMM()
		VEXTRACTF128(U8(1), s, hi)
		VADDPS(hi, s.AsX(), hi)
		if have == 4 {
			VMOVUPS(hi, Mem{Base: c, Disp: 4 * g})
			continue
		}
		for i := range have {
			VEXTRACTPS(U8(i), hi, Mem{Base: c, Disp: 4 * (g + i)})
		}
	}
	ADDQ(U32(r*n*e.size()), c)
	if r == 1 {
		ADDQ(lda, a)
	} else {
		LEAQ(Mem{Base: a, Index: lda, Scale: uint8(r)}, a)
	}
	DECQ(blocks)
	JNZ(LabelRef("block"))
	VZEROUPPER()
	RET()
}

// packing writes the routine that packs a panel of a transposed B: lanes × lanes transposes in registers.
func packing(e vec) {
	name := e.name("packTrans")
	text(name, fmt.Sprintf("func(blocks int, src *%[1]s, ld int, dst *%[1]s, stride int)", e.typ()),
		name+" transposes blocks of lanes × lanes: rows of src, ld bytes apart, become columns of dst, whose rows are "+
			"stride bytes apart.")
	blocks := Load(Param("blocks"), GP64())
	src := Load(Param("src"), GP64())
	ld := Load(Param("ld"), GP64())
	dst := Load(Param("dst"), GP64())
	stride := Load(Param("stride"), GP64())
	n := e.lanes()
	p := GP64()
	Label("block")
	MOVQ(src, p)
	in := make([]VecVirtual, n)
	for i := range in {
		in[i] = e.load(Mem{Base: p})
		if i+1 < n {
			ADDQ(ld, p)
		}
	}
	for _, v := range transposed(e, in) {
		e.Mov(v, Mem{Base: dst})
		ADDQ(stride, dst)
	}
	ADDQ(U8(e.bytes()), src)
	DECQ(blocks)
	JNZ(LabelRef("block"))
	VZEROUPPER()
	RET()
}

// copying writes the copies of narrow blocks of rows, nv vectors of 32 bytes wide, into a buffer without gaps.
func copying() {
	for _, nv := range []int{2, 3, 4, 6} {
		name := fmt.Sprintf("copyRows%d", nv)
		text(name, "func(rows int, src *byte, ld int, dst *byte)",
			fmt.Sprintf("%s copies rows of %d bytes, ld bytes apart in src, without gaps to dst.", name, 32*nv))
		rows := Load(Param("rows"), GP64())
		src := Load(Param("src"), GP64())
		ld := Load(Param("ld"), GP64())
		dst := Load(Param("dst"), GP64())
		Label("row")
		for j := range nv {
			v := YMM()
			VMOVUPS(Mem{Base: src, Disp: 32 * j}, v)
			VMOVUPS(v, Mem{Base: dst, Disp: 32 * j})
		}
		ADDQ(ld, src)
		ADDQ(U8(32*nv), dst)
		DECQ(rows)
		JNZ(LabelRef("row"))
		VZEROUPPER()
		RET()
	}
}

func transposed(e vec, r []VecVirtual) []VecVirtual {
	if e.f64 {
		return halves([]VecVirtual{un(VUNPCKLPD, r[0], r[1]), un(VUNPCKHPD, r[0], r[1]),
			un(VUNPCKLPD, r[2], r[3]), un(VUNPCKHPD, r[2], r[3])})
	}
	var q []VecVirtual // pairs of rows, then of pairs
	for h := 0; h < 8; h += 4 {
		a, b := un(VUNPCKLPS, r[h], r[h+1]), un(VUNPCKHPS, r[h], r[h+1])
		c, d := un(VUNPCKLPS, r[h+2], r[h+3]), un(VUNPCKHPS, r[h+2], r[h+3])
		q = append(q, un(VUNPCKLPD, a, c), un(VUNPCKHPD, a, c), un(VUNPCKLPD, b, d), un(VUNPCKHPD, b, d))
	}
	return halves(q)
}

func un(unpack inst, a, b VecVirtual) VecVirtual { d := YMM(); unpack(b, a, d); return d }

// halves recombines the 128-bit halves of the last step of a transpose.
func halves(q []VecVirtual) []VecVirtual {
	out, n := make([]VecVirtual, len(q)), len(q)/2
	for i := range n {
		out[i], out[i+n] = YMM(), YMM()
		VPERM2F128(U8(0x20), q[i+n], q[i], out[i])
		VPERM2F128(U8(0x31), q[i+n], q[i], out[i+n])
	}
	return out
}

// peak writes a loop of independent fused multiply-adds: the core's peak, for the benchmarks.
func peak(e vec) {
	name := e.name("peak")
	text(name, "func(iters int)",
		fmt.Sprintf("%s runs 48 fused multiply-adds on vectors of %d lanes for each iteration.", name, e.lanes()))
	it := Load(Param("iters"), GP64())
	var r []VecVirtual
	for range 14 {
		v := e.reg()
		e.Zero(v)
		r = append(r, v)
	}
	Label("loop")
	for range 4 {
		for i := range 12 {
			e.Fma231(r[12], r[13], r[i])
		}
	}
	DECQ(it)
	JNZ(LabelRef("loop"))
	VZEROUPPER()
	RET()
}
