package x86

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"github.com/stheno-ebm/stheno/graphs/internal/kernels/gen/describe"
)

// Value is an operand of a formula: a register or a place in memory.
type Value = describe.Value

// vec writes instructions on vectors of one element type and width, so that a kernel is written once for float32 and
// float64, AVX2 and AVX-512. Operands stand in Go's order, destination last.
type vec struct {
	f64   bool
	width int // bits
}

var _ describe.Ops = vec{}

// F64 reports the element type.
func (e vec) F64() bool { return e.f64 }

// Reg is a new register.
func (e vec) Reg() Value { return e.reg() }

func (e vec) wide() bool { return e.width == 512 }
func (e vec) bytes() int { return e.width / 8 }
func (e vec) lanes() int { return e.bytes() / e.size() }

func (e vec) size() int {
	if e.f64 {
		return 8
	}
	return 4
}

// typ is the Go element type.
func (e vec) typ() string {
	if e.f64 {
		return "float64"
	}
	return "float32"
}

// name appends element type and instruction set.
func (e vec) name(s string) string {
	if e.f64 {
		s += "F64"
	} else {
		s += "F32"
	}
	if e.wide() {
		return s + "AVX512"
	}
	return s + "AVX2"
}

// text starts a function whose pointer arguments do not escape.
func text(name, signature string, doc ...string) {
	TEXT(name, NOSPLIT, signature)
	Doc(doc...)
	Pragma("noescape")
}

func (e vec) reg() VecVirtual {
	if e.wide() {
		return ZMM()
	}
	return YMM()
}

type inst = func(...Op)

// sel chooses the instruction for the element type.
func (e vec) sel(f32, f64 inst) inst {
	f := byType(e, f32, f64)
	return func(ops ...Op) { emit(func() { f(ops...) }) }
}

func byType[F any](e vec, f32, f64 F) F {
	if e.f64 {
		return f64
	}
	return f32
}

// recorded collects instructions instead of writing them, while it is not nil.
var recorded *[]func()

// emit writes the instructions of f, now or when what is recorded is written.
func emit(f func()) {
	if recorded != nil {
		*recorded = append(*recorded, f)
		return
	}
	f()
}

// interleave writes the instructions of n independent bodies of one shape by turns: the first of each, the second of
// each, … A long chain of dependent instructions fills the scheduler while it waits; several side by side keep the
// multipliers busy.
func interleave(n int, body func(i int)) {
	lists := make([][]func(), n)
	for i := range n {
		recorded = &lists[i]
		body(i)
	}
	recorded = nil
	for k := range lists[0] {
		for i := range n {
			lists[i][k]()
		}
	}
}

// bsel is sel with the form that broadcasts a constant from memory, where there is one.
func (e vec) bsel(x Op, f32, f64, b32, b64 inst) inst {
	if m, ok := x.(Mem); ok && m.Symbol.Name != "" && e.wide() {
		return e.sel(b32, b64)
	}
	return e.sel(f32, f64)
}

func (e vec) Mov(s, d Value) { e.sel(VMOVUPS, VMOVUPD)(s, d) }

// load returns a new register with the vector at m.
func (e vec) load(m Op) VecVirtual {
	r := e.reg()
	e.Mov(m, r)
	return r
}

// bcast loads one element into every lane.
func (e vec) Bcast(m, d Value) { e.sel(VBROADCASTSS, VBROADCASTSD)(m, d) }

// The three-operand forms: add, mul: d = y+x, y·x; sub: d = y−x; div: d = y/x; min, max: d = y or x; x where one is
// NaN.
func (e vec) Add(x, y, d Value)     { e.bsel(x, VADDPS, VADDPD, VADDPS_BCST, VADDPD_BCST)(x, y, d) }
func (e vec) Sub(x, y, d Value)     { e.bsel(x, VSUBPS, VSUBPD, VSUBPS_BCST, VSUBPD_BCST)(x, y, d) }
func (e vec) Mul(x, y, d Value)     { e.bsel(x, VMULPS, VMULPD, VMULPS_BCST, VMULPD_BCST)(x, y, d) }
func (e vec) Div(x, y, d Value)     { e.bsel(x, VDIVPS, VDIVPD, VDIVPS_BCST, VDIVPD_BCST)(x, y, d) }
func (e vec) Min(x, y, d Value)     { e.bsel(x, VMINPS, VMINPD, VMINPS_BCST, VMINPD_BCST)(x, y, d) }
func (e vec) Max(x, y, d Value)     { e.bsel(x, VMAXPS, VMAXPD, VMAXPS_BCST, VMAXPD_BCST)(x, y, d) }
func (e vec) Greater(x, y, d Value) { e.Max(x, y, d) } // y > x ? y : x
func (e vec) Sqrt(x, d Value)       { e.sel(VSQRTPS, VSQRTPD)(x, d) }

// fma213: d = y·d + c. fma231: d += x·y. fnma231: d −= x·y. fnma213: d = c − y·d. fms213: d = y·d − c.
func (e vec) Fma213(c, y, d Value) {
	e.bsel(c, VFMADD213PS, VFMADD213PD, VFMADD213PS_BCST, VFMADD213PD_BCST)(c, y, d)
}
func (e vec) Fma231(x, y, d Value) {
	e.bsel(x, VFMADD231PS, VFMADD231PD, VFMADD231PS_BCST, VFMADD231PD_BCST)(x, y, d)
}
func (e vec) Fnma231(x, y, d Value) {
	e.bsel(x, VFNMADD231PS, VFNMADD231PD, VFNMADD231PS_BCST, VFNMADD231PD_BCST)(x, y, d)
}
func (e vec) Fnma213(c, y, d Value) {
	e.bsel(c, VFNMADD213PS, VFNMADD213PD, VFNMADD213PS_BCST, VFNMADD213PD_BCST)(c, y, d)
}
func (e vec) Fms213(c, y, d Value) {
	e.bsel(c, VFMSUB213PS, VFMSUB213PD, VFMSUB213PS_BCST, VFMSUB213PD_BCST)(c, y, d)
}

// Fms213Add: d = (y·d − c) + x.
func (e vec) Fms213Add(c, y, x, d Value) {
	e.Fms213(c, y, d)
	e.Add(x, d, d)
}

func (e vec) logic(x, y, d Op, narrow inst, f32, f64, b32, b64 inst) {
	if e.wide() {
		e.bsel(x, f32, f64, b32, b64)(x, y, d)
		return
	}
	emit(func() { narrow(x, y, d) })
}
func op3(f func(a, b, c Op)) inst { return func(o ...Op) { f(o[0], o[1], o[2]) } }
func (e vec) And(x, y, d Value) {
	e.logic(x, y, d, op3(VPAND), VPANDD, VPANDQ, VPANDD_BCST, VPANDQ_BCST)
}
func (e vec) Or(x, y, d Value) { e.logic(x, y, d, op3(VPOR), VPORD, VPORQ, VPORD_BCST, VPORQ_BCST) }
func (e vec) Xor(x, y, d Value) {
	e.logic(x, y, d, op3(VPXOR), VPXORD, VPXORQ, VPXORD_BCST, VPXORQ_BCST)
}

// andn: d = ^y & x.
func (e vec) Andn(x, y, d Value) {
	e.logic(x, y, d, op3(VPANDN), VPANDND, VPANDNQ, VPANDND_BCST, VPANDNQ_BCST)
}
func (e vec) Iadd(x, y, d Value)    { e.bsel(x, VPADDD, VPADDQ, VPADDD_BCST, VPADDQ_BCST)(x, y, d) }
func (e vec) Isub(x, y, d Value)    { e.bsel(x, VPSUBD, VPSUBQ, VPSUBD_BCST, VPSUBQ_BCST)(x, y, d) }
func (e vec) Shl(n int, x, d Value) { e.sel(VPSLLD, VPSLLQ)(U8(n), x, d) }
func (e vec) Shr(n int, x, d Value) { e.sel(VPSRLD, VPSRLQ)(U8(n), x, d) }
func (e vec) Zero(d Value)          { e.Xor(d, d, d) }

var consts = map[string]Mem{}

// Bits is a constant in every lane, given by its bit pattern.
func (e vec) Bits(b uint64) Value { return e.constant(b) }

func (e vec) constant(b uint64) Mem {
	key := fmt.Sprintf("k%d_%x", 8*e.size(), b)
	if m, ok := consts[key]; ok {
		return m
	}
	m := GLOBL(key, RODATA|NOPTR)
	n := 32 / e.size() // one vector; AVX-512 broadcasts, because Go aligns data to 32 bytes at most
	if e.wide() {
		n = 1
	}
	for i := range n {
		if e.f64 {
			DATA(i*8, U64(b))
		} else {
			DATA(i*4, U32(uint32(b)))
		}
	}
	consts[key] = m
	return m
}

// k is a constant in every lane.
func (e vec) k(x float64) Mem {
	if e.f64 {
		return e.constant(math.Float64bits(x))
	}
	return e.constant(uint64(math.Float32bits(float32(x))))
}

// kreg is a constant in a register.
func (e vec) kreg(x float64) VecVirtual {
	r := e.reg()
	e.Bcast(e.k(x), r)
	return r
}

func (e vec) signBit() uint64 { return 1 << (8*e.size() - 1) }

// masks is a table of 256 bytes of ones followed by 256 of zeros: 32 bytes from 256−n·size on are the mask of the
// first n elements.
func masks() Mem {
	if m, ok := consts["masks"]; ok {
		return m
	}
	m := GLOBL("masks", RODATA|NOPTR)
	for i := range 64 {
		v := uint64(math.MaxUint64)
		if i >= 32 {
			v = 0
		}
		DATA(8*i, U64(v))
	}
	consts["masks"] = m
	return m
}

// tail is the mask of the elements that do not fill a vector, or of a row of nv vectors of which they fill the first.
type tail struct {
	e     vec
	table Register // AVX2: address of the mask of the first vector
	bits  Register // AVX-512: one bit for each element
}

// tail prepares the mask of the first n elements; n is kept.
func (e vec) tail(n Register) tail {
	t := tail{e: e}
	if e.wide() {
		b := GP64()
		MOVQ(I32(-1), b)
		BZHIQ(n, b, b)
		t.bits = b
		return t
	}
	m := masks()
	at := GP64()
	LEAQ(m.Offset(256), at)
	off := GP64()
	MOVQ(n, off)
	SHLQ(U8(e.shift()), off)
	SUBQ(off, at)
	t.table = at
	return t
}

// shift is log2 of the element size.
func (e vec) shift() int {
	if e.f64 {
		return 3
	}
	return 2
}

// kmask is the AVX-512 mask of vector j.
func (t tail) kmask(j int) OpmaskVirtual {
	k := K()
	b := t.bits
	if j > 0 {
		s := GP64()
		MOVQ(b, s)
		SHRQ(U8(j*t.e.lanes()), s)
		b = s
	}
	KMOVW(b.(GPVirtual).As32(), k)
	return k
}

// ymask is the AVX2 mask of vector j.
func (t tail) ymask(j int) VecVirtual {
	m := YMM()
	VMOVUPS(Mem{Base: t.table, Disp: 32 * j}, m)
	return m
}

// load reads the elements of vector j that exist, zeros for the others.
func (t tail) load(m Mem, j int, d Value) {
	if t.e.wide() {
		byType(t.e, VMOVUPS_Z, VMOVUPD_Z)(m, t.kmask(j), d)
		return
	}
	byType(t.e, VMASKMOVPS, VMASKMOVPD)(m, t.ymask(j), d)
}

// store writes the elements of vector j that exist.
func (t tail) store(s VecVirtual, m Mem, j int) {
	if t.e.wide() {
		byType(t.e, VMOVUPS, VMOVUPD)(s, t.kmask(j), m)
		return
	}
	byType(t.e, VMASKMOVPS, VMASKMOVPD)(s, t.ymask(j), m)
}

// jumpAbove jumps if an element of x is greater than limit in absolute value, or NaN.
func (e vec) jumpAbove(limit float64, x Value, label string) {
	const notLE = 6 // or unordered
	abs := e.reg()
	e.And(e.Bits(e.signBit()-1), x, abs)
	if e.wide() {
		k := K()
		if e.f64 {
			VCMPPD_BCST(U8(notLE), e.k(limit), abs, k)
			KTESTB(k, k)
		} else {
			VCMPPS_BCST(U8(notLE), e.k(limit), abs, k)
			KTESTW(k, k)
		}
	} else {
		e.sel(func(o ...Op) { VCMPPS(U8(notLE), o[0], o[1], o[2]) },
			func(o ...Op) { VCMPPD(U8(notLE), o[0], o[1], o[2]) })(e.k(limit), abs, abs)
		VPTEST(abs, abs)
	}
	JNZ(LabelRef(label))
}

var loops int

type loopBody = func(x []Value, store func(v Value, i int))

// short is a second body, for vectors all of whose elements are at most limit in absolute value, side of them at a
// time.
type short struct {
	limit float64
	side  int
	body  loopBody
}

// each emits the loop over n elements: in are the pointers read, out those written; body gets the vectors read and
// stores its results; s, unless nil, has a shorter body where that will do; then, unless nil, is what to do at the end.
// What does not fill a vector is copied to the stack and goes through the same loop once more, so that the body is
// written once and has no branches.
func (e vec) each(s *short, n Register, in, out []Register, body loopBody, then func()) {
	loops++
	u := fmt.Sprintf("%d", loops)
	x := make([]Value, len(in))
	for i := range x {
		x[i] = e.reg()
	}
	advance := func(vectors int) {
		for _, p := range append(append([]Register(nil), in...), out...) {
			ADDQ(U32(vectors*e.bytes()), p)
		}
		SUBQ(U32(vectors*e.lanes()), n)
	}
	store := func(k int) func(v Value, i int) {
		return func(v Value, i int) { e.Mov(v, Mem{Base: out[i], Disp: k * e.bytes()}) }
	}
	rest := GP64()
	XORQ(rest, rest)
	if s != nil {
		Label("side" + u)
		CMPQ(n, U32(s.side*e.lanes()))
		JLT(LabelRef("few" + u))
		y := make([][]Value, s.side)
		for k := range y {
			y[k] = []Value{e.load(Mem{Base: in[0], Disp: k * e.bytes()})}
			e.jumpAbove(s.limit, y[k][0], "loop"+u)
		}
		interleave(s.side, func(k int) { s.body(y[k], store(k)) })
		advance(s.side)
		JMP(LabelRef("side" + u))
		Label("few" + u)
	}
	CMPQ(n, U8(e.lanes()))
	JLT(LabelRef("rest" + u))
	Label("loop" + u)
	for i, p := range in {
		e.Mov(Mem{Base: p}, x[i])
	}
	body(x, store(0))
	advance(1)
	if s == nil {
		CMPQ(n, U8(e.lanes()))
		JGE(LabelRef("loop" + u))
	} else {
		TESTQ(rest, rest)
		JZ(LabelRef("side" + u))
	}
	Label("rest" + u)
	TESTQ(rest, rest)
	JNZ(LabelRef("finish" + u))
	TESTQ(n, n)
	JZ(LabelRef("done" + u))
	MOVQ(n, rest)
	t := e.tail(rest)
	for i, p := range in {
		buf := AllocLocal(e.bytes())
		t.load(Mem{Base: p}, 0, x[i])
		e.Mov(x[i], buf)
		LEAQ(buf, p)
	}
	bufs, saved := make([]Mem, len(out)), make([]Mem, len(out))
	for i, p := range out {
		bufs[i], saved[i] = AllocLocal(e.bytes()), AllocLocal(8)
		MOVQ(p, saved[i])
		LEAQ(bufs[i], p)
	}
	JMP(LabelRef("loop" + u))
	Label("finish" + u)
	t = e.tail(rest)
	for i, p := range out {
		MOVQ(saved[i], p)
		v := e.load(bufs[i])
		t.store(v, Mem{Base: p}, 0)
	}
	Label("done" + u)
	if then != nil {
		then()
	}
	VZEROUPPER()
	RET()
}

// Cmp sets the bits of d where y o x. AVX2 only.
func (e vec) Cmp(predicate int, x, y, d Value) {
	f32 := func(o ...Op) { VCMPPS(U8(predicate), o[0], o[1], o[2]) }
	f64 := func(o ...Op) { VCMPPD(U8(predicate), o[0], o[1], o[2]) }
	e.sel(f32, f64)(x, y, d)
}

// SignMask is where the sign bit of s is set: s itself for AVX2.
func (e vec) SignMask(s Value) Value {
	if !e.wide() {
		return s
	}
	k := K()
	emit(func() {
		if e.f64 {
			VPMOVQ2M(s, k)
		} else {
			VPMOVD2M(s, k)
		}
	})
	return k
}

// Blend is a where the mask is set, b elsewhere.
func (e vec) Blend(mask, a, b, d Value) {
	if e.wide() {
		e.sel(VBLENDMPS, VBLENDMPD)(a, b, mask, d)
		return
	}
	e.sel(op4(VBLENDVPS), op4(VBLENDVPD))(mask, a, b, d)
}

func op4(f func(a, b, c, d Op)) inst { return func(o ...Op) { f(o[0], o[1], o[2], o[3]) } }

// MulWhere multiplies v by c where the mask is set.
func (e vec) MulWhere(mask Value, c float64, v Value) {
	if e.wide() {
		e.sel(VMULPS_BCST, VMULPD_BCST)(e.k(c), v, mask, v)
		return
	}
	one, factor := e.kreg(1), e.kreg(c)
	d := e.reg()
	e.Blend(mask, factor, one, d)
	e.Mul(d, v, v)
}

// Scales reports whether there is an instruction that multiplies by a power of two.
func (e vec) Scales() bool { return e.wide() }

// Scalef is x·2ⁿ.
func (e vec) Scalef(n, x, d Value) { e.sel(VSCALEFPS, VSCALEFPD)(n, x, d) }
