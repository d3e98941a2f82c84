package x86

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"github.com/stheno-ebm/stheno/graphs/internal/kernels/gen/describe"
)

// normals writes Box and Muller's transform on four lanes of xoshiro256++.
func normals() {
	e := vec{f64: true, width: 256}
	text("normalVectors", "func(blocks int, dst *float64, state *[4][4]uint64)",
		"normalVectors writes 8·blocks normal numbers; state[i] is word i of the four lanes.")
	blocks := Load(Param("blocks"), GP64())
	dst := Load(Param("dst"), GP64())
	st := Load(Param("state"), GP64())
	var s [4]Value
	for i := range s {
		s[i] = e.load(Mem{Base: st, Disp: 32 * i})
	}
	Label("loop")
	c, d := describe.BoxMuller(e, func() Value { return describe.Xoshiro(e, &s) })
	e.Mov(c, Mem{Base: dst})
	e.Mov(d, Mem{Base: dst, Disp: 32})
	ADDQ(U8(64), dst)
	DECQ(blocks)
	JNZ(LabelRef("loop"))
	for i := range s {
		e.Mov(s[i], Mem{Base: st, Disp: 32 * i})
	}
	VZEROUPPER()
	RET()
}

// adam writes the Adam step on vectors of four.
func adam() {
	e := vec{f64: true, width: 256}
	text("adamVectors", "func(blocks int, theta, m, v, grad, avg, p *float64)",
		"adamVectors updates 4·blocks parameters; p holds scale, 1−β1, 1−β2, β1, β2, bias2, ε, decay, −step, d, 1−d; avg "+
			"may be nil.")
	blocks := Load(Param("blocks"), GP64())
	theta := Load(Param("theta"), GP64())
	m := Load(Param("m"), GP64())
	v := Load(Param("v"), GP64())
	grad := Load(Param("grad"), GP64())
	avg := Load(Param("avg"), GP64())
	p := Load(Param("p"), GP64())
	var c [11]Value
	for i := range c {
		c[i] = YMM()
		e.Bcast(Mem{Base: p, Disp: 8 * i}, c[i])
	}
	i := GP64()
	XORQ(i, i)
	at := func(base Register) Mem { return Mem{Base: base, Index: i, Scale: 1} }
	Label("loop")
	th := describe.Adam(e, &c, at(theta), at(m), at(v), at(grad))
	TESTQ(avg, avg)
	JZ(LabelRef("next"))
	describe.AdamAverage(e, &c, th, at(avg))
	Label("next")
	ADDQ(U8(32), i)
	DECQ(blocks)
	JNZ(LabelRef("loop"))
	VZEROUPPER()
	RET()
}
