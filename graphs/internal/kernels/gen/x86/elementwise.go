package x86

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"github.com/stheno-ebm/stheno/graphs/internal/kernels/gen/describe"
)

// elementwise writes the operations of several operands.
func elementwise(e vec) {
	for _, o := range describe.Elementwise() {
		name := e.name(o.Name)
		sig := "func(n int, dst"
		for _, a := range o.Arrays {
			sig += ", " + a
		}
		sig += " *" + e.typ()
		if o.Scalar {
			sig += ", s " + e.typ()
		}
		text(name, sig+")", name+" handles n elements.")
		n := Load(Param("n"), GP64())
		dst := Load(Param("dst"), GP64())
		var in []Register
		for _, a := range o.Arrays {
			in = append(in, Load(Param(a), GP64()))
		}
		var s VecVirtual
		if o.Scalar {
			x := XMM()
			Load(Param("s"), x)
			s = YMM()
			e.Bcast(x, s)
		}
		const unroll = 4
		all := append(append([]Register{}, in...), dst)
		Label("four")
		CMPQ(n, U32(unroll*e.lanes()))
		JLT(LabelRef("one"))
		for i := range unroll {
			v := make([]Value, len(in))
			for j, p := range in {
				v[j] = e.load(Mem{Base: p, Disp: i * e.bytes()})
			}
			e.Mov(o.Body(e, v, s), Mem{Base: dst, Disp: i * e.bytes()})
		}
		for _, p := range all {
			ADDQ(U32(unroll*e.bytes()), p)
		}
		SUBQ(U32(unroll*e.lanes()), n)
		JMP(LabelRef("four"))
		Label("one")
		e.each(nil, n, in, []Register{dst}, func(v []Value, store func(v Value, i int)) {
			store(o.Body(e, v, s), 0)
		}, nil)
	}
}

// sums writes total sums, dot products, maxima and column sums.
func sums(e vec) {
	for _, dot := range []bool{false, true} {
		name, sig, params := e.name("sum"), "x", []string{"x"}
		if dot {
			name, sig, params = e.name("dot"), "x, y", []string{"x", "y"}
		}
		text(name, fmt.Sprintf("func(n int, %s *%s) %s", sig, e.typ(), e.typ()),
			name+" adds n terms in the order of the package comment.")
		n := Load(Param("n"), GP64())
		var p []Register
		for _, s := range params {
			p = append(p, Load(Param(s), GP64()))
		}
		var acc [4]VecVirtual
		for i := range acc {
			acc[i] = e.reg()
			e.Zero(acc[i])
		}
		// add adds vector i from the pointers on to an accumulator.
		add := func(i int, acc VecVirtual) {
			m := func(p Register) Mem { return Mem{Base: p, Disp: i * e.bytes()} }
			if dot {
				v := e.load(m(p[0]))
				e.Fma231(m(p[1]), v, acc)
			} else {
				e.Add(m(p[0]), acc, acc)
			}
		}
		l := e.lanes()
		Label("four")
		CMPQ(n, U32(4*l))
		JLT(LabelRef("rest0"))
		for i := range acc {
			add(i, acc[i])
		}
		for _, q := range p {
			ADDQ(U32(4*e.bytes()), q)
		}
		SUBQ(U32(4*l), n)
		JMP(LabelRef("four"))
		// What is left goes to the accumulators in turn, the last of it masked.
		for i := range acc {
			Label(fmt.Sprintf("rest%d", i))
			CMPQ(n, U32(l))
			JLT(LabelRef(fmt.Sprintf("part%d", i)))
			if i == 3 {
				break // cannot happen: fewer than four vectors are left
			}
			add(0, acc[i])
			for _, q := range p {
				ADDQ(U32(e.bytes()), q)
			}
			SUBQ(U32(l), n)
		}
		for i := range acc {
			Label(fmt.Sprintf("part%d", i))
			TESTQ(n, n)
			JZ(LabelRef("reduce"))
			t := e.tail(n)
			v := e.reg()
			t.load(Mem{Base: p[0]}, 0, v)
			if dot {
				w := e.reg()
				t.load(Mem{Base: p[1]}, 0, w)
				e.Fma231(w, v, acc[i])
			} else {
				e.Add(v, acc[i], acc[i])
			}
			JMP(LabelRef("reduce"))
		}
		Label("reduce")
		e.fold(acc, e.Add)
	}
	maximum(e)
	colSum(e)
}

// maximum writes the greatest of whole groups of four vectors, at least one.
func maximum(e vec) {
	name := e.name("max")
	text(name, fmt.Sprintf("func(groups int, x *%s) %[1]s", e.typ()),
		fmt.Sprintf("%s returns the greatest of groups of %d elements; NaN is passed over.", name, 4*e.lanes()))
	groups := Load(Param("groups"), GP64())
	x := Load(Param("x"), GP64())
	var acc [4]VecVirtual
	for i := range acc {
		acc[i] = e.load(Mem{Base: x, Disp: i * e.bytes()})
	}
	Label("group")
	for i := range acc {
		v := e.load(Mem{Base: x, Disp: i * e.bytes()})
		e.Max(acc[i], v, acc[i])
	}
	ADDQ(U32(4*e.bytes()), x)
	DECQ(groups)
	JNZ(LabelRef("group"))
	e.fold(acc, e.Max)
}

// fold returns what a binary operation makes of all lanes of four accumulators.
func (e vec) fold(acc [4]VecVirtual, op func(x, y, d Value)) {
	op(acc[2], acc[0], acc[0])
	op(acc[3], acc[1], acc[1])
	op(acc[1], acc[0], acc[0])
	hi, lo := XMM(), acc[0].AsX()
	VEXTRACTF128(U8(1), acc[0], hi)
	op(hi, lo, lo)
	if !e.f64 {
		VMOVHLPS(lo, lo, hi)
		op(hi, lo, lo)
		VMOVSHDUP(lo, hi)
	} else {
		VUNPCKHPD(lo, lo, hi)
	}
	op(hi, lo, lo)
	Store(lo, ReturnIndex(0))
	VZEROUPPER()
	RET()
}

// colSum adds the rows of a matrix to dst, one group of columns after the other.
func colSum(e vec) {
	name := e.name("colSum")
	text(name, fmt.Sprintf("func(rows, cols int, dst, x *%s, ld int)", e.typ()),
		name+" adds rows of cols elements, ld bytes apart, to dst.")
	rows := Load(Param("rows"), GP64())
	cols := Load(Param("cols"), GP64())
	dst := Load(Param("dst"), GP64())
	x := Load(Param("x"), GP64())
	ld := Load(Param("ld"), GP64())
	p, r := GP64(), GP64()
	group := func(nv int, id, next string) {
		Label(id)
		CMPQ(cols, U32(nv*e.lanes()))
		JLT(LabelRef(next))
		acc := make([]VecVirtual, nv)
		for i := range acc {
			acc[i] = e.load(Mem{Base: dst, Disp: i * e.bytes()})
		}
		MOVQ(x, p)
		MOVQ(rows, r)
		Label(id + "Row")
		for i := range acc {
			e.Add(Mem{Base: p, Disp: i * e.bytes()}, acc[i], acc[i])
		}
		ADDQ(ld, p)
		DECQ(r)
		JNZ(LabelRef(id + "Row"))
		for i := range acc {
			e.Mov(acc[i], Mem{Base: dst, Disp: i * e.bytes()})
		}
		ADDQ(U32(nv*e.bytes()), dst)
		ADDQ(U32(nv*e.bytes()), x)
		SUBQ(U32(nv*e.lanes()), cols)
		JMP(LabelRef(id))
	}
	group(8, "eight", "two")
	group(2, "two", "one")
	group(1, "one", "part")
	Label("part")
	TESTQ(cols, cols)
	JZ(LabelRef("done"))
	t := e.tail(cols)
	acc := e.reg()
	t.load(Mem{Base: dst}, 0, acc)
	Label("partRow")
	v := e.reg()
	t.load(Mem{Base: x}, 0, v)
	e.Add(v, acc, acc)
	ADDQ(ld, x)
	DECQ(rows)
	JNZ(LabelRef("partRow"))
	t.store(acc, Mem{Base: dst}, 0)
	Label("done")
	VZEROUPPER()
	RET()
}

// conversions writes the roundings between the element types, for whole vectors of 8.
func conversions() {
	conversion("narrowVectors", "func(blocks int, dst *float32, src *float64)", "rounds", 4, 8,
		func(src, dst Mem) {
			v := XMM()
			VCVTPD2PSY(src, v)
			VMOVUPS(v, dst)
		})
	conversion("widenVectors", "func(blocks int, dst *float64, src *float32)", "converts", 8, 4,
		func(src, dst Mem) {
			v := YMM()
			VCVTPS2PD(src, v)
			VMOVUPD(v, dst)
		})
}

// conversion writes a loop around the conversion of four elements, whose sizes are given.
func conversion(name, signature, does string, to, from int, four func(src, dst Mem)) {
	text(name, signature, name+" "+does+" 8·blocks elements.")
	n := Load(Param("blocks"), GP64())
	dst := Load(Param("dst"), GP64())
	src := Load(Param("src"), GP64())
	Label("loop")
	for i := range 2 {
		four(Mem{Base: src, Disp: 4 * from * i}, Mem{Base: dst, Disp: 4 * to * i})
	}
	ADDQ(U8(8*from), src)
	ADDQ(U8(8*to), dst)
	DECQ(n)
	JNZ(LabelRef("loop"))
	VZEROUPPER()
	RET()
}
