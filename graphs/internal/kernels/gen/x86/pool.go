package x86

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// pools writes the maxima of windows of four elements: one below x, right bytes to the right of it, down bytes below,
// and both. A function walks over n windows, step bytes apart, of vecs vectors of channels each; what belongs to
// windows lies without gaps.
func pools(e vec) {
	e.pool("argMax4", "stores the numbers of the largest elements, 0 … 3, of the first of equal ones.",
		func(at [4]Mem, dst, _ Mem) {
			a, c := e.load(at[0]), e.load(at[2])
			b, d := e.load(at[1]), e.load(at[3])
			k, l := e.reg(), e.reg()
			e.less(a, b, k)
			e.And(e.kreg(1), k, k)
			e.less(c, d, l)
			e.And(e.kreg(1), l, l)
			e.Add(e.kreg(2), l, l)
			e.Max(a, b, a)
			e.Max(c, d, c)
			e.less(a, c, a)
			e.blend(a, l, k)
			e.Mov(k, dst)
		})
	e.pool("pick4", "stores the elements with the given numbers.", func(at [4]Mem, dst, number Mem) {
		k := e.load(number)
		v := e.load(at[0])
		for i := 1; i < 4; i++ {
			m := e.reg()
			e.equal(e.kreg(float64(i)), k, m)
			e.blend(m, at[i], v)
		}
		e.Mov(v, dst)
	})
	e.pool("place4", "stores the elements of dst where their numbers say, and zeros in the other three places; u "+
		"and dst have changed places.",
		func(at [4]Mem, u, number Mem) {
			k, v := e.load(number), e.load(u)
			for i := range 4 {
				m := e.reg()
				e.equal(e.kreg(float64(i)), k, m)
				e.And(v, m, m)
				e.Mov(m, at[i])
			}
		})
}

// blend stores x in d where the mask is set.
func (e vec) blend(mask, x, d Op) {
	if e.f64 {
		VBLENDVPD(mask, x, d, d)
		return
	}
	VBLENDVPS(mask, x, d, d)
}

// less is all ones where x < y.
func (e vec) less(x, y, d Op) { e.compare(0x11, x, y, d) }

// equal is all ones where x = y.
func (e vec) equal(x, y, d Op) { e.compare(0, x, y, d) }

func (e vec) compare(how uint8, x, y, d Op) {
	if e.f64 {
		VCMPPD(U8(how), y, x, d)
		return
	}
	VCMPPS(U8(how), y, x, d)
}

// pool writes one function. The windows are in wide, what belongs to each of them in dense and number.
func (e vec) pool(name, doc string, body func(at [4]Mem, dense, number Mem)) {
	name = e.name(name)
	text(name, fmt.Sprintf("func(n, vecs int, wide, dense, number *%s, right, down, step int)", e.typ()), name+" "+doc)
	n := Load(Param("n"), GP64())
	vecs := Load(Param("vecs"), GP64())
	x := Load(Param("wide"), GP64())
	dense := Load(Param("dense"), GP64())
	number := Load(Param("number"), GP64())
	right := Load(Param("right"), GP64())
	down := Load(Param("down"), GP64())
	step := Load(Param("step"), GP64())
	below := GP64()
	Label("window")
	p, q, i := GP64(), GP64(), GP64()
	MOVQ(x, p)
	LEAQ(Mem{Base: x, Index: down, Scale: 1}, below)
	MOVQ(below, q)
	MOVQ(vecs, i)
	Label("channels")
	body([4]Mem{{Base: p}, {Base: p, Index: right, Scale: 1}, {Base: q}, {Base: q, Index: right, Scale: 1}},
		Mem{Base: dense}, Mem{Base: number})
	for _, r := range []Register{p, q, dense, number} {
		ADDQ(U8(e.bytes()), r)
	}
	DECQ(i)
	JNZ(LabelRef("channels"))
	ADDQ(step, x)
	DECQ(n)
	JNZ(LabelRef("window"))
	VZEROUPPER()
	RET()
}
