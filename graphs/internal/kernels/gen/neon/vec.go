package neon

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/stheno-ebm/stheno/graphs/internal/kernels/gen/a64"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels/gen/describe"
)

// V is a vector register, Value an operand of a formula: a register, a constant or a place in memory.
type (
	V     = *a64.V
	Value = describe.Value
)

// constant is a number in every lane, given by its bits.
type constant struct{ bits uint64 }

// Asm makes a constant an operand.
func (c constant) Asm() string { return fmt.Sprintf("%#x", c.bits) }

// place is a vector in memory, off bytes after what a general register points to.
type place struct{ base, off int }

// Asm makes a place an operand.
func (p place) Asm() string { return fmt.Sprintf("%d(R%d)", p.off, p.base) }

// vec writes instructions on vectors of one element type. Where a destination is written anew it gets a new register,
// so that independent bodies do not wait for each other on processors that do not rename, and copies vanish.
type vec struct {
	f64 bool
	*state
}

var _ describe.Ops = vec{}

// state is that of one function.
type state struct {
	f      *a64.Func
	g      *generator
	side   int            // independent bodies in the main loop
	hoist  map[uint64]V   // constants in registers
	count  map[uint64]int // uses of constants as operands
	step   map[uint64]V   // constants read for the present instruction of all bodies
	rec    *[]func()      // collects instructions instead of writing them
	origin map[V]place    // where arguments come from: what is to be overwritten is read again rather than copied
	loops  int
	table  bool // a constant was read
}

const vectorBytes = 16

func (e vec) arr() a64.Arr { return a64.Arr{F64: e.f64} }

func (e vec) size() int {
	if e.f64 {
		return 8
	}
	return 4
}

func (e vec) lanes() int { return vectorBytes / e.size() }

func (e vec) typ() string {
	if e.f64 {
		return "float64"
	}
	return "float32"
}

// move is the instruction that moves an element through a general register.
func (e vec) move() string {
	if e.f64 {
		return "MOVD"
	}
	return "MOVW"
}

// fmove is the instruction that moves the first lane.
func (e vec) fmove() string {
	if e.f64 {
		return "FMOVD"
	}
	return "FMOVS"
}

func (e vec) name(s string) string {
	if e.f64 {
		return s + "F64NEON"
	}
	return s + "F32NEON"
}

func (e vec) reg() V { return e.f.New() }

// F64 reports the element type.
func (e vec) F64() bool { return e.f64 }

// Reg is a new register.
func (e vec) Reg() Value { return e.f.New() }

// do writes the instructions of g, now or when what is recorded is written.
func (e vec) do(g func()) {
	if e.rec != nil {
		*e.rec = append(*e.rec, g)
		return
	}
	g()
}

// interleave writes the instructions of n independent bodies of one shape by turns.
func (e vec) interleave(n int, body func(i int)) {
	lists := make([][]func(), n)
	for i := range n {
		e.rec = &lists[i]
		body(i)
	}
	e.rec = nil
	for k := range lists[0] {
		e.step = map[uint64]V{}
		for i := range n {
			lists[i][k]()
		}
	}
	e.step = nil
}

// constants is the general register with the address of the table.
const constants = 20

func (e vec) fetch(b uint64, d V) {
	off := e.g.offset(e.size(), b)
	e.table = true
	e.f.Op([]V{d}, nil, func(r func(V) int) a64.Enc { return a64.Ldr(r(d), constants, off) })
}

// val is x in a register.
func (e vec) val(x Value) V {
	switch x := x.(type) {
	case place:
		d := e.reg()
		e.load(x.base, x.off, d)
		return d
	case constant:
		e.count[x.bits]++
		if v := e.hoist[x.bits]; v != nil {
			return v
		}
		if v := e.step[x.bits]; v != nil {
			return v
		}
		d := e.reg()
		e.fetch(x.bits, d)
		if e.step != nil {
			e.step[x.bits] = d
		}
		return d
	}
	return x.(V)
}

// fresh is a copy of x, to be overwritten.
func (e vec) fresh(x Value) V {
	d := e.reg()
	switch x := x.(type) {
	case place:
		e.load(x.base, x.off, d)
	case constant:
		e.fetch(x.bits, d)
	default:
		e.copyTo(x.(V), d)
	}
	return d
}

func (e vec) copyTo(s, d V) {
	if p, ok := e.origin[s]; ok {
		e.load(p.base, p.off, d)
		return
	}
	e.f.Move(d, s, func(d, s int) a64.Enc { return a64.Bit3("orr", d, s, s) })
}

func (e vec) three(enc func(d, n, m int) a64.Enc, n, m, d Value) {
	e.do(func() {
		a, b, t := e.val(n), e.val(m), e.reg()
		e.f.Op([]V{t}, []V{a, b}, func(r func(V) int) a64.Enc { return enc(r(t), r(a), r(b)) })
		e.rename(d, t)
	})
}

func (e vec) two(enc func(d, n int) a64.Enc, n, d Value) {
	e.do(func() {
		a, t := e.val(n), e.reg()
		e.f.Op([]V{t}, []V{a}, func(r func(V) int) a64.Enc { return enc(r(t), r(a)) })
		e.rename(d, t)
	})
}

// rename lets d stand for t.
func (e vec) rename(d Value, t V) {
	delete(e.origin, d.(V))
	d.(V).Rename(t)
}

// onto is t op= n·m.
func (e vec) onto(mn string, t V, n, m Value) {
	delete(e.origin, t)
	a, b := e.val(n), e.val(m)
	e.f.Op([]V{t}, []V{t, a, b}, func(r func(V) int) a64.Enc { return a64.FP3(mn, e.arr(), r(t), r(a), r(b)) })
}

// accumulate is d = d op x, in the same register: for sums that go round loops.
func (e vec) accumulate(mn string, d, x V) {
	e.f.Op([]V{d}, []V{d, x}, func(r func(V) int) a64.Enc { return a64.FP3(mn, e.arr(), r(d), r(d), r(x)) })
}

func (e vec) clear(d V) { e.f.Op([]V{d}, nil, func(r func(V) int) a64.Enc { return a64.Clear(r(d)) }) }

func (e vec) load(base, off int, d V) {
	e.f.Op([]V{d}, nil, func(r func(V) int) a64.Enc { return a64.Ldr(r(d), base, off) })
}

// loadPair loads two successive vectors.
func (e vec) loadPair(base, off int, d, c V) {
	e.f.Op([]V{d, c}, nil, func(r func(V) int) a64.Enc { return a64.Ldp(r(d), r(c), base, off) })
}

func (e vec) store(v V, base, off int) {
	e.f.Op(nil, []V{v}, func(r func(V) int) a64.Enc { return a64.Str(r(v), base, off) })
}

// storePair stores two vectors side by side.
func (e vec) storePair(v, w V, base, off int) {
	e.f.Op(nil, []V{v, w}, func(r func(V) int) a64.Enc { return a64.Stp(r(v), r(w), base, off) })
}

func (e vec) fp(mn string, n, m, d Value) {
	e.three(func(d, n, m int) a64.Enc { return a64.FP3(mn, e.arr(), d, n, m) }, n, m, d)
}

func (e vec) bit(mn string, n, m, d Value) {
	e.three(func(d, n, m int) a64.Enc { return a64.Bit3(mn, d, n, m) }, n, m, d)
}

func (e vec) integer(mn string, n, m, d Value) {
	e.three(func(d, n, m int) a64.Enc { return a64.Int3(mn, e.arr(), d, n, m) }, n, m, d)
}

// Mov copies, loads or stores.
func (e vec) Mov(s, d Value) {
	e.do(func() {
		if p, ok := d.(place); ok {
			e.store(e.val(s), p.base, p.off)
			return
		}
		e.rename(d, e.fresh(s))
	})
}

// The operations of describe.Ops.
func (e vec) Bcast(c, d Value)  { e.Mov(c, d) }
func (e vec) Add(x, y, d Value) { e.fp("fadd", y, x, d) }
func (e vec) Sub(x, y, d Value) { e.fp("fsub", y, x, d) }
func (e vec) Mul(x, y, d Value) { e.fp("fmul", y, x, d) }
func (e vec) Div(x, y, d Value) { e.fp("fdiv", y, x, d) }
func (e vec) Min(x, y, d Value) { e.fp("fmin", y, x, d) } // NaN where either is
func (e vec) Max(x, y, d Value) { e.fp("fmax", y, x, d) }
func (e vec) Sqrt(x, d Value) {
	e.two(func(d, s int) a64.Enc { return a64.FP2("fsqrt", e.arr(), d, s) }, x, d)
}

// Greater is y where it is greater than x, else x.
func (e vec) Greater(x, y, d Value) {
	m := e.reg()
	e.fp("fcmgt", y, x, m)
	e.Blend(m, y, x, d)
}

func (e vec) Fma213(c, y, d Value) {
	e.do(func() { t := e.fresh(c); e.onto("fmla", t, y, d); e.rename(d, t) })
}

func (e vec) Fnma213(c, y, d Value) {
	e.do(func() { t := e.fresh(c); e.onto("fmls", t, y, d); e.rename(d, t) })
}

func (e vec) Fms213(c, y, d Value) {
	e.do(func() {
		a, t := e.val(c), e.reg()
		e.f.Op([]V{t}, []V{a}, func(r func(V) int) a64.Enc { return a64.FP2("fneg", e.arr(), r(t), r(a)) })
		e.onto("fmla", t, y, d)
		e.rename(d, t)
	})
}

// Fms213Add is x − (c − y·d): there is no multiplication with a negated addend, and the roundings are the same.
func (e vec) Fms213Add(c, y, x, d Value) {
	e.Fnma213(c, y, d)
	e.Sub(d, x, d)
}
func (e vec) Fma231(x, y, d Value)  { e.do(func() { e.onto("fmla", d.(V), x, y) }) }
func (e vec) Fnma231(x, y, d Value) { e.do(func() { e.onto("fmls", d.(V), x, y) }) }
func (e vec) And(x, y, d Value)     { e.bit("and", x, y, d) }
func (e vec) Or(x, y, d Value)      { e.bit("orr", x, y, d) }
func (e vec) Xor(x, y, d Value)     { e.bit("eor", x, y, d) }
func (e vec) Andn(x, y, d Value)    { e.bit("bic", x, y, d) }
func (e vec) Iadd(x, y, d Value)    { e.integer("add", y, x, d) }
func (e vec) Isub(x, y, d Value)    { e.integer("sub", y, x, d) }

func (e vec) shift(mn string, n int, x, d Value) {
	e.two(func(d, s int) a64.Enc { return a64.Shift(mn, e.arr(), d, s, n) }, x, d)
}
func (e vec) Shl(n int, x, d Value) { e.shift("shl", n, x, d) }
func (e vec) Shr(n int, x, d Value) { e.shift("ushr", n, x, d) }

func (e vec) Zero(d Value) {
	e.do(func() {
		t := e.reg()
		e.clear(t)
		e.rename(d, t)
	})
}

func (e vec) Bits(b uint64) Value { return constant{b} }

// k is a constant.
func (e vec) k(x float64) Value {
	if e.f64 {
		return e.Bits(math.Float64bits(x))
	}
	return e.Bits(uint64(math.Float32bits(float32(x))))
}

// SignMask is all ones where the sign bit of s is set.
func (e vec) SignMask(s Value) Value {
	d := e.reg()
	e.two(func(d, s int) a64.Enc { return a64.Zero2("cmlt", e.arr(), d, s) }, s, d)
	return d
}

// Blend is a where the mask is set, b elsewhere.
func (e vec) Blend(mask, a, b, d Value) {
	e.do(func() {
		t := e.fresh(mask)
		x, y := e.val(a), e.val(b)
		e.f.Op([]V{t}, []V{t, x, y}, func(r func(V) int) a64.Enc { return a64.Bit3("bsl", r(t), r(x), r(y)) })
		e.rename(d, t)
	})
}

// MulWhere multiplies v by c where the mask is set.
func (e vec) MulWhere(mask Value, c float64, v Value) {
	d := e.reg()
	e.Blend(mask, e.k(c), e.k(1), d)
	e.Mul(d, v, v)
}

// Scales: there is no multiplication by a power of two.
func (e vec) Scales() bool         { return false }
func (e vec) Scalef(n, x, d Value) { panic("neon: no Scalef") }

// Cmp sets the bits of d where y o x.
func (e vec) Cmp(predicate int, x, y, d Value) {
	mn, n, m, not := "", y, x, false
	switch predicate {
	case describe.Equal:
		mn = "fcmeq"
	case describe.Unordered: // x and y are the same wherever it is used
		if x != y {
			panic("neon: Unordered of two operands")
		}
		mn, not = "fcmeq", true
	case describe.NotEqual:
		mn, not = "fcmeq", true
	case describe.LessThan:
		mn, n, m = "fcmgt", x, y
	case describe.NotLess:
		mn, n, m, not = "fcmgt", x, y, true
	case describe.NotLE:
		mn, n, m, not = "fcmge", x, y, true
	default:
		panic("neon: unknown predicate")
	}
	e.fp(mn, n, m, d)
	if not {
		e.two(a64.Not, d, d)
	}
}

type loopBody = func(x []Value, store func(v Value, i int))

// short is a second body, for vectors all of whose elements are at most limit in absolute value.
type short struct {
	limit float64
	body  loopBody
}

// each writes the loop over n elements, e.side vectors at a time; what does not fill a vector is copied to the stack
// and goes through the loop for one vector once more. n is R0, in and out are numbers of general registers; R9 to R12
// are used.
func (e vec) each(s *short, in, out []int, body loopBody, then func()) {
	f, side := e.f, e.side
	e.loops++
	u := strconv.Itoa(e.loops)
	b, l := vectorBytes, e.lanes()
	advance := func(vectors int) {
		for _, p := range append(append([]int(nil), in...), out...) {
			f.Go("ADD $%d, R%d", vectors*b, p)
		}
		f.Go("SUB $%d, R0", vectors*l)
	}
	held := make([]V, len(out)) // stored together with the next one
	store := func(k int) func(v Value, i int) {
		return func(v Value, i int) {
			e.do(func() {
				switch {
				case k%2 != 0:
					e.storePair(held[i], e.val(v), out[i], (k-1)*b)
				case e.step != nil && side > 1:
					held[i] = e.val(v)
				default:
					e.store(e.val(v), out[i], k*b)
				}
			})
		}
	}
	f.Go("MOVD $0, R9") // the number of elements on the stack
	main := body
	if s != nil {
		main = s.body
	}
	f.Label("side" + u)
	f.Go("CMP $%d, R0", side*l)
	f.Jump("BLT", "few"+u)
	x := make([][]Value, side)
	for _, p := range in {
		for k := 0; k < side; k++ {
			v := e.reg()
			x[k] = append(x[k], v)
			e.origin[v] = place{p, k * b}
			if side == 1 {
				e.load(p, k*b, v)
				continue
			}
			w := e.reg()
			k++
			x[k] = append(x[k], w)
			e.origin[w] = place{p, k * b}
			e.loadPair(p, (k-1)*b, v, w)
		}
	}
	if s != nil {
		e.jumpAbove(s.limit, x, "one"+u)
	}
	e.interleave(side, func(k int) { main(x[k], store(k)) })
	advance(side)
	f.Jump("B", "side"+u)
	f.Label("few" + u)
	f.Go("CMP $%d, R0", l)
	f.Jump("BLT", "rest"+u)
	f.Label("one" + u)
	y := make([]Value, len(in))
	for i, p := range in {
		v := e.reg()
		e.load(p, 0, v)
		y[i] = v
	}
	body(y, store(0))
	advance(1)
	f.Jump("CBZ R9,", "side"+u)
	f.Label("rest" + u)
	f.Jump("CBNZ R9,", "finish"+u)
	f.Jump("CBZ R0,", "done"+u)
	f.Go("MOVD R0, R9")
	for _, p := range in {
		off := f.Local(16)
		f.Go("STP (ZR, ZR), %d(RSP)", off)
		f.Go("ADD $%d, RSP, R10", off)
		f.Go("MOVD R10, R11")
		e.copyPart(p, 10, fmt.Sprintf("in%d_%s", p, u))
		f.Go("MOVD R11, R%d", p)
	}
	bufs, saved := make([]int, len(out)), make([]int, len(out))
	for i, p := range out {
		bufs[i], saved[i] = f.Local(16), f.Local(8)
		f.Go("MOVD R%d, %d(RSP)", p, saved[i])
		f.Go("ADD $%d, RSP, R%d", bufs[i], p)
	}
	f.Jump("B", "one"+u)
	f.Label("finish" + u)
	for i, p := range out {
		f.Go("MOVD %d(RSP), R%d", saved[i], p)
		f.Go("ADD $%d, RSP, R10", bufs[i])
		e.copyPart(10, p, fmt.Sprintf("out%d_%s", p, u))
	}
	f.Label("done" + u)
	if then != nil {
		then()
	}
	f.Ret()
}

// copyPart copies R9 elements, fewer than a vector; both pointers advance.
func (e vec) copyPart(from, to int, id string) {
	move := func(op string, bytes int) {
		e.f.Go("%s.P %d(R%d), R12", op, bytes, from)
		e.f.Go("%s.P R12, %d(R%d)", op, bytes, to)
	}
	if e.f64 { // one element
		move("MOVD", 8)
		return
	}
	e.f.Jump("TBZ $1, R9,", "half"+id)
	move("MOVD", 8)
	e.f.Label("half" + id)
	e.f.Jump("TBZ $0, R9,", "last"+id)
	move("MOVW", 4)
	e.f.Label("last" + id)
}

// jumpAbove jumps if an element of the vectors is greater than limit in absolute value, or NaN.
func (e vec) jumpAbove(limit float64, x [][]Value, label string) {
	lim := e.val(e.k(limit))
	var all V
	for _, v := range x {
		m, a := e.reg(), v[0].(V)
		e.f.Op([]V{m}, []V{lim, a}, func(r func(V) int) a64.Enc { return a64.FP3("facge", e.arr(), r(m), r(lim), r(a)) })
		if all == nil {
			all = m
			continue
		}
		e.And(m, all, all)
	}
	d := e.reg()
	e.f.Op([]V{d}, []V{all}, func(r func(V) int) a64.Enc { return a64.Across("uminv", e.arr(), r(d), r(all)) })
	e.f.GoUse(d, "FMOVS %%F, R12")
	e.f.Go("CMNW $1, R12")
	e.f.Jump("BNE", label)
}

// args loads the parameters of a signature into general registers from R0 on.
func (e vec) args(names ...string) {
	for i, n := range names {
		e.f.Go("MOVD %s+%d(FP), R%d", n, 8*i, i)
	}
}

func params(names []string) string { return strings.Join(names, ", ") }
