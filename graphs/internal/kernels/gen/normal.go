package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// normals writes Box and Muller's transform on four lanes of xoshiro256++; the portable path repeats it operation by
// operation.
func normals() {
	e := vec{f64: true, width: 256}
	text("normalAVX2", "func(blocks int, dst *float64, state *[4][4]uint64)",
		"normalAVX2 writes 8·blocks normal numbers; state[i] is word i of the four lanes.")
	blocks := Load(Param("blocks"), GP64())
	dst := Load(Param("dst"), GP64())
	st := Load(Param("state"), GP64())
	var s [4]VecVirtual
	for i := range s {
		s[i] = e.load(Mem{Base: st, Disp: 32 * i})
	}
	rotl := func(x VecVirtual, k int) VecVirtual {
		d, t := YMM(), YMM()
		VPSLLQ(U8(k), x, d)
		VPSRLQ(U8(64-k), x, t)
		VPOR(t, d, d)
		return d
	}
	next := func() VecVirtual {
		t := YMM()
		VPADDQ(s[0], s[3], t)
		r := rotl(t, 23)
		VPADDQ(s[0], r, r)
		VPSLLQ(U8(17), s[1], t)
		e.xor(s[0], s[2], s[2])
		e.xor(s[1], s[3], s[3])
		e.xor(s[2], s[1], s[1])
		e.xor(s[3], s[0], s[0])
		e.xor(t, s[2], s[2])
		n := rotl(s[3], 45)
		e.mov(n, s[3])
		return r
	}
	Label("loop")
	// a in (0, 1], 52 bits: 2 − [1, 2)
	a := next()
	e.shr(12, a, a)
	e.or(e.k(1), a, a)
	two := e.kreg(2)
	e.sub(a, two, a)
	// −2 ln a with a = 2ⁿ m: s = (m−1)/(m+1), ln m = 2s + s³Q(s²)
	e.iadd(e.bits(1024<<52), a, a)
	t := YMM()
	e.isub(e.bits(math.Float64bits(math.Sqrt(0.5))), a, t)
	n := YMM()
	e.shr(52, t, n)
	e.or(e.k(1<<52), n, n)
	e.sub(e.k(1<<52+1024), n, n)
	e.and(e.bits(0xfff0000000000000), t, t)
	m := YMM()
	e.isub(t, a, m)
	num, den := e.sub2(e.k(1), m), e.add2(e.k(1), m)
	q := e.div2(den, num)
	q2 := e.mul2(q, q)
	p := e.horner(logNormal, q2)
	e.fma213(e.k(2), q2, p)
	e.mul(q, p, p)
	e.fma231(e.k(math.Ln2), n, p)
	e.mul(e.k(-2), p, p)
	r := YMM()
	e.sqrt(p, r)
	// cos and sin of 2πu, u in [0, 1): u = j/4 + v with |v| ≤ 1/8
	v := next()
	e.shr(12, v, v)
	e.or(e.k(1), v, v)
	e.sub(e.k(1), v, v)
	j := e.kreg(e.magic())
	e.fma231(e.k(4), v, j)
	f := e.sub2(e.k(e.magic()), j)
	e.fnma231(e.k(0.25), f, v)
	v2 := e.mul2(v, v)
	sn := e.horner(sinNormal, v2)
	e.mul(v, sn, sn)
	cs := e.horner(cosNormal, v2)
	e.fma213(e.k(1), v2, cs)
	// Odd quarters exchange them; bit 1 of j turns the sine, bit 1 of j+1 the cosine.
	odd := YMM()
	e.shl(63, j, odd)
	c, d := YMM(), YMM()
	e.blend(odd, sn, cs, c)
	e.blend(odd, cs, sn, d)
	sg := YMM()
	e.shl(62, j, sg)
	e.and(e.bits(1<<63), sg, sg)
	e.xor(sg, d, d)
	e.iadd(e.bits(1), j, j)
	e.shl(62, j, j)
	e.and(e.bits(1<<63), j, j)
	e.xor(j, c, c)
	e.mul(r, c, c)
	e.mul(r, d, d)
	e.mov(c, Mem{Base: dst})
	e.mov(d, Mem{Base: dst, Disp: 32})
	ADDQ(U8(64), dst)
	DECQ(blocks)
	JNZ(LabelRef("loop"))
	for i := range s {
		e.mov(s[i], Mem{Base: st, Disp: 32 * i})
	}
	VZEROUPPER()
	RET()
}

// adam writes the Adam step on vectors of four; see kernels.Adam for the order of the operations.
func adam() {
	e := vec{f64: true, width: 256}
	text("adamAVX2", "func(blocks int, theta, m, v, grad, avg, p *float64)",
		"adamAVX2 updates 4·blocks parameters; p holds scale, 1−β1, 1−β2, β1, β2, bias2, ε, decay, −step, d, 1−d; avg may be nil.")
	blocks := Load(Param("blocks"), GP64())
	theta := Load(Param("theta"), GP64())
	m := Load(Param("m"), GP64())
	v := Load(Param("v"), GP64())
	grad := Load(Param("grad"), GP64())
	avg := Load(Param("avg"), GP64())
	p := Load(Param("p"), GP64())
	var c [11]VecVirtual
	for i := range c {
		c[i] = YMM()
		e.bcast(Mem{Base: p, Disp: 8 * i}, c[i])
	}
	i := GP64()
	XORQ(i, i)
	at := func(base Register) Mem { return Mem{Base: base, Index: i, Scale: 1} }
	Label("loop")
	g := e.load(at(grad))
	e.mul(c[0], g, g)
	mm := e.mul2(g, c[1])
	e.fma231(at(m), c[3], mm)
	e.mov(mm, at(m))
	w := e.mul2(g, c[2])
	e.mul(g, w, w)
	e.fma231(at(v), c[4], w)
	e.mov(w, at(v))
	e.sqrt(w, w)
	e.fma213(c[6], c[5], w) // √v·bias2 + ε
	e.div(w, mm, mm)
	th := e.mul2(at(theta), c[7])
	e.fma231(mm, c[8], th)
	e.mov(th, at(theta))
	TESTQ(avg, avg)
	JZ(LabelRef("next"))
	e.mul(c[10], th, th)
	e.fma231(at(avg), c[9], th)
	e.mov(th, at(avg))
	Label("next")
	ADDQ(U8(32), i)
	DECQ(blocks)
	JNZ(LabelRef("loop"))
	VZEROUPPER()
	RET()
}
