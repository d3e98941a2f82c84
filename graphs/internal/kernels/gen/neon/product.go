package neon

import (
	"fmt"

	"github.com/stheno-ebm/stheno/graphs/internal/kernels/gen/a64"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels/gen/describe"
)

// General registers of a product.
const (
	rT = iota
	rA
	rRsa
	rCsa
	rLdb
	rC
	rBlocks
	rMul
	rB    // within a block: the panel of B
	rK    // steps left
	rRow  // six pointers to rows of A; the first also walks over columns
	_     //
	_     //
	_     //
	_     //
	_     //
	rTmp  // 16
	rTmp2 //
	_     // the platform's
	rSrc  // 19: walks over C, the bias or the factor
	_     // constants
	rX    // 21: offset within the rows of A
	rLd   // 22: distance of its rows
	rCols // 23
	rDst  // 24
	rRows // 25
)

// products writes the tiles of the matrix product under the numbers of vectors that AVX2 has: a vector of it is two of
// ours, so that panels and the cover by tiles are the same.
func (g *generator) products(f64 bool) {
	for r := 1; r <= 6; r++ {
		g.product(f64, r, 4)
		g.product(f64, r, 2)
	}
	g.product(f64, 1, 16)
	g.product(f64, 2, 8)
	g.product(f64, 3, 8)
}

// tile writes one product.
type tile struct {
	vec
	mr, nv int
	acc    [][]V
	frame  int // room for a partial tile
}

// product writes, for each block of mr rows, C = ([C | bias | 0] + A·B) ⊙ [mul] on nv vectors of columns. Of a partial
// tile the elements that exist are copied to the stack and back.
func (g *generator) product(f64 bool, mr, nv int) {
	v := vec{f64: f64}
	name := v.name(fmt.Sprintf("product%dx%d", mr, nv/2))
	doc := fmt.Sprintf("%s computes tiles of %d rows and %d columns; t points to a tile.", name, mr, nv*v.lanes())
	g.function(f64, name, doc, "(t *int)", 8, 1, func(e vec) {
		t := &tile{vec: e, mr: mr, nv: nv}
		t.write()
	})
}

func (t *tile) field(off, r int) { t.f.Go("MOVD %d(R%d), R%d", off, rT, r) }

func (t *tile) write() {
	f := t.f
	t.args("t")
	for _, x := range [][2]int{{describe.TileA, rA}, {describe.TileRsa, rRsa}, {describe.TileCsa, rCsa},
		{describe.TileLdb, rLdb}, {describe.TileC, rC}, {describe.TileMul, rMul}, {describe.TileBlocks, rBlocks}} {
		t.field(x[0], x[1])
	}
	t.acc = make([][]V, t.mr)
	for i := range t.acc {
		for range t.nv {
			t.acc[i] = append(t.acc[i], t.reg())
		}
	}
	if t.partial() {
		t.frame = f.Local(t.mr * t.nv * vectorBytes)
	}
	f.Label("block")
	t.begin()
	f.Label("sum")
	t.field(describe.TileK, rK)
	f.Jump(fmt.Sprintf("CBZ R%d,", rK), "factor")
	t.field(describe.TileB, rB)
	f.Go("MOVD R%d, R%d", rA, rRow)
	f.Go("CMP $%d, R%d", t.size(), rCsa)
	f.Jump("BNE", "columns")
	t.rows()
	f.Label("columns")
	t.columns()
	f.Label("factor")
	f.Jump(fmt.Sprintf("CBZ R%d,", rMul), "store")
	f.Go("MOVD R%d, R%d", rMul, rSrc)
	t.field(describe.TileLdm, rLd)
	t.toFrame("factor")
	t.eachRow(func(i, j, off int) {
		m := t.reg()
		t.load(rSrc, off, m)
		t.accumulate("fmul", t.acc[i][j], m)
	})
	t.field(describe.TileLdm, rTmp)
	t.advance(rTmp, rMul)
	f.Label("store")
	t.end()
	t.field(describe.TileLdc, rTmp)
	t.advance(rTmp, rC)
	t.advance(rRsa, rA)
	f.Go("SUBS $1, R%d", rBlocks)
	f.Jump("BNE", "block")
	f.Ret()
}

// partial reports whether a tile may have fewer columns: wider tiles have not.
func (t *tile) partial() bool { return t.nv <= 4 }

// advance adds mr strides to p; the stride may be lost.
func (t *tile) advance(stride, p int) {
	t.f.Go("MOVD $%d, R%d", t.mr, rTmp2)
	t.f.Go("MADD R%d, R%d, R%d, R%d", rTmp2, p, stride, p)
}

// begin starts the sums from C, the bias or zero.
func (t *tile) begin() {
	f := t.f
	t.field(describe.TileInit, rTmp)
	f.Jump(fmt.Sprintf("CBNZ R%d,", rTmp), "given")
	for i := range t.acc {
		for _, a := range t.acc[i] {
			t.clear(a)
		}
	}
	f.Jump("B", "sum")
	f.Label("given")
	t.field(describe.TileBias, rSrc)
	f.Go("MOVD $0, R%d", rLd)
	f.Go("CMP $1, R%d", rTmp)
	f.Jump("BEQ", "bias")
	f.Go("MOVD R%d, R%d", rC, rSrc)
	t.field(describe.TileLdc, rLd)
	f.Label("bias")
	t.toFrame("begin")
	t.eachRow(func(i, j, off int) {
		if j+1 < t.nv && j%2 == 0 {
			t.loadPair(rSrc, off, t.acc[i][j], t.acc[i][j+1])
		}
	})
}

// end stores the sums.
func (t *tile) end() {
	f := t.f
	f.Go("MOVD R%d, R%d", rC, rSrc)
	t.field(describe.TileLdc, rLd)
	if t.partial() {
		t.field(describe.TileCols, rCols)
		f.Go("CMP $%d, R%d", t.nv*t.lanes(), rCols)
		f.Jump("BEQ", "full")
		f.Go("ADD $%d, RSP, R%d", t.frame, rSrc)
		f.Go("MOVD $%d, R%d", t.nv*vectorBytes, rLd)
		f.Label("full")
	}
	t.eachRow(func(i, j, off int) {
		if j%2 == 0 {
			t.storePair(t.acc[i][j], t.acc[i][j+1], rSrc, off)
		}
	})
	if !t.partial() {
		return
	}
	f.Go("CMP $%d, R%d", t.nv*t.lanes(), rCols)
	f.Jump("BEQ", "stored")
	f.Go("ADD $%d, RSP, R%d", t.frame, rSrc)
	f.Go("MOVD R%d, R%d", rC, rDst)
	t.field(describe.TileLdc, rTmp)
	t.copyElements("end", t.nv*vectorBytes, -1)
	f.Label("stored")
}

// toFrame copies the elements of a partial tile from rSrc, rows rLd apart, to the stack, and lets rSrc and rLd tell of
// that.
func (t *tile) toFrame(id string) {
	if !t.partial() {
		return
	}
	f := t.f
	t.field(describe.TileCols, rCols)
	f.Go("CMP $%d, R%d", t.nv*t.lanes(), rCols)
	f.Jump("BEQ", id+"Whole")
	f.Go("ADD $%d, RSP, R%d", t.frame, rDst)
	t.copyElements(id, -1, t.nv*vectorBytes)
	f.Go("ADD $%d, RSP, R%d", t.frame, rSrc)
	f.Go("MOVD $%d, R%d", t.nv*vectorBytes, rLd)
	f.Label(id + "Whole")
}

// copyElements copies mr rows of rCols elements from rSrc to rDst. A distance of rows that is not given is that in rLd
// for the source, in rTmp for the destination.
func (t *tile) copyElements(id string, from, to int) {
	f, move := t.f, t.move()
	f.Go("MOVD $%d, R%d", t.mr, rRows)
	f.Label(id + "Row")
	f.Go("MOVD $0, R%d", rX)
	f.Label(id + "Element")
	scale := 2
	if t.f64 {
		scale = 3
	}
	f.Go("%s (R%d)(R%d<<%d), R%d", move, rSrc, rX, scale, rTmp2)
	f.Go("%s R%d, (R%d)(R%d<<%d)", move, rTmp2, rDst, rX, scale)
	f.Go("ADD $1, R%d", rX)
	f.Go("CMP R%d, R%d", rCols, rX)
	f.Jump("BLT", id+"Element")
	step := func(bytes, register, p int) {
		if bytes < 0 {
			f.Go("ADD R%d, R%d", register, p)
		} else {
			f.Go("ADD $%d, R%d", bytes, p)
		}
	}
	step(from, rLd, rSrc)
	step(to, rTmp, rDst)
	f.Go("SUBS $1, R%d", rRows)
	f.Jump("BNE", id+"Row")
}

// eachRow walks over the rows at rSrc.
func (t *tile) eachRow(each func(i, j, off int)) {
	for i := range t.mr {
		for j := range t.nv {
			each(i, j, j*vectorBytes)
		}
		if i+1 < t.mr {
			t.f.Go("ADD R%d, R%d", rLd, rSrc)
		}
	}
}

// element is a number of A: lane l of v.
type element struct {
	v V
	l int
}

// add adds one step; b returns the vectors of B.
func (t *tile) add(b func(j int) V, a func(i int) element) {
	for j := range t.nv {
		for i := range t.mr {
			d, bv, x := t.acc[i][j], b(j), a(i)
			t.f.Op([]V{d}, []V{d, bv, x.v}, func(r func(V) int) a64.Enc {
				return a64.Elem("fmla", t.arr(), r(d), r(bv), r(x.v), x.l)
			})
		}
	}
}

// panelBytes is the distance of two rows of a packed panel.
const panelBytes = 64

// unroll is the number of steps of a turn of the main loops.
const unroll = 4

// steps writes the loops over k: turns of unroll steps, then single ones.
func (t *tile) steps(id string, turn, one func()) {
	f := t.f
	f.Go("SUBS $%d, R%d", unroll, rK)
	f.Jump("BLT", id+"Few")
	f.Label(id + "Turn")
	turn()
	f.Go("SUBS $%d, R%d", unroll, rK)
	f.Jump("BGE", id+"Turn")
	f.Label(id + "Few")
	f.Go("ADDS $%d, R%d", unroll, rK)
	f.Jump("BEQ", "factor")
	f.Label(id + "One")
	one()
	f.Go("SUBS $1, R%d", rK)
	f.Jump("BNE", id+"One")
	f.Jump("B", "factor")
}

// panel returns the vectors of B of n steps by step and column, read in pairs when they are first needed, and what
// moves on. Tiles of more than four rows read packed panels, the others rows of B that may be any distance apart.
func (t *tile) panel(n int) (b func(s, j int) V, next func(s int)) {
	got := map[int]V{}
	packed := t.mr > 4
	b = func(s, j int) V {
		q := s*t.nv + j
		if got[q] != nil {
			return got[q]
		}
		got[q], got[q+1] = t.reg(), t.reg() // j is even
		off := j * vectorBytes
		if packed {
			off += s * panelBytes
		}
		t.loadPair(rB, off, got[q], got[q+1])
		return got[q]
	}
	next = func(s int) {
		switch {
		case !packed:
			t.f.Go("ADD R%d, R%d", rLdb, rB)
		case s == n-1:
			t.f.Go("ADD $%d, R%d", n*panelBytes, rB)
		}
	}
	return b, next
}

// rows writes the sums where the steps of a row of A lie side by side: a vector holds several of them.
func (t *tile) rows() {
	f := t.f
	for i := 1; i < t.mr; i++ {
		f.Go("ADD R%d, R%d, R%d", rRsa, rRow+i-1, rRow+i)
	}
	f.Go("MOVD $0, R%d", rX)
	t.steps("row", func() {
		b, next := t.panel(unroll)
		av := make([]V, t.mr)
		for s := range unroll {
			if s%t.lanes() == 0 {
				for i := range av {
					v := t.reg()
					av[i] = v
					f.Op([]V{v}, nil, func(r func(V) int) a64.Enc { return a64.Ldrx(r(v), rRow+i, rX) })
				}
				f.Go("ADD $%d, R%d", vectorBytes, rX)
			}
			t.add(func(j int) V { return b(s, j) }, func(i int) element { return element{av[i], s % t.lanes()} })
			next(s)
		}
	}, func() {
		b, next := t.panel(1)
		av := make([]V, t.mr)
		for i := range av {
			v := t.reg()
			av[i] = v
			f.Op([]V{v}, nil, func(r func(V) int) a64.Enc { return a64.Ld1(t.arr(), r(v), rRow+i, rX) })
		}
		f.Go("ADD $%d, R%d", t.size(), rX)
		t.add(func(j int) V { return b(0, j) }, func(i int) element { return element{av[i], 0} })
		next(0)
	})
}

// columns writes the sums where the rows of a step of A lie side by side.
func (t *tile) columns() {
	step := func(s int, b func(s, j int) V, next func(s int)) {
		var at []element
		for i := 0; i < t.mr; {
			v := t.reg()
			n := t.lanes()
			for n > t.mr-i {
				n /= 2
			}
			off := i * t.size()
			t.f.Op([]V{v}, nil, func(r func(V) int) a64.Enc {
				if n*t.size() == vectorBytes {
					return a64.Ldr(r(v), rRow, off)
				}
				return a64.LdrPart(n*t.size(), r(v), rRow, off)
			})
			for l := range n {
				at = append(at, element{v, l})
			}
			i += n
		}
		t.f.Go("ADD R%d, R%d", rCsa, rRow)
		t.add(func(j int) V { return b(s, j) }, func(i int) element { return at[i] })
		next(s)
	}
	t.steps("column", func() {
		b, next := t.panel(unroll)
		for s := range unroll {
			step(s, b, next)
		}
	}, func() {
		b, next := t.panel(1)
		step(0, b, next)
	})
}
