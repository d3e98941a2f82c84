package neon

import (
	"fmt"

	"github.com/stheno-ebm/stheno/graphs/internal/kernels/gen/a64"
)

// A vector of AVX2 is two of ours: sums that are kept in lanes of it are kept in pairs here, lane by lane the same.
const pair = 2

// sums writes total sums, dot products, maxima and column sums.
func (g *generator) sums(f64 bool) {
	g.sum(f64, false)
	g.sum(f64, true)
	g.maximum(f64)
	g.colSum(f64)
}

// sum adds n terms in the order of the package comment: four pairs of accumulators, what is left over to one pair
// after the other, the last of it padded with zeros.
func (g *generator) sum(f64, dot bool) {
	v := vec{f64: f64}
	name, names := v.name("sum"), []string{"x"}
	if dot {
		name, names = v.name("dot"), []string{"x", "y"}
	}
	at := 8 * (1 + len(names))
	doc := name + " adds n terms in the order of the package comment."
	g.function(f64, name, doc, fmt.Sprintf("(n int, %s *%s) %s", params(names), v.typ(), v.typ()), at+v.size(), 1,
		func(e vec) {
			f := e.f
			e.args(append([]string{"n"}, names...)...)
			acc := e.cleared(4 * pair)
			l, b := pair*e.lanes(), pair*vectorBytes
			// add adds pairs of vectors at the pointers to accumulators from a on.
			add := func(a, pairs int) {
				for q := range pairs {
					p, r := e.reg(), e.reg()
					e.loadPair(1, q*b, p, r)
					if !dot {
						e.accumulate("fadd", acc[a+2*q], p)
						e.accumulate("fadd", acc[a+2*q+1], r)
						continue
					}
					s, t := e.reg(), e.reg()
					e.loadPair(2, q*b, s, t)
					e.onto("fmla", acc[a+2*q], p, s)
					e.onto("fmla", acc[a+2*q+1], r, t)
				}
			}
			advance := func(pairs int) {
				for i := range names {
					f.Go("ADD $%d, R%d", pairs*b, 1+i)
				}
				f.Go("SUB $%d, R0", pairs*l)
			}
			f.Label("four")
			f.Go("CMP $%d, R0", 4*l)
			f.Jump("BLT", "rest0")
			add(0, 4)
			advance(4)
			f.Jump("B", "four")
			for i := range 4 {
				f.Label(fmt.Sprintf("rest%d", i))
				f.Go("CMP $%d, R0", l)
				f.Jump("BLT", fmt.Sprintf("part%d", i))
				if i == 3 {
					break // cannot happen: fewer than four pairs are left
				}
				add(2*i, 1)
				advance(1)
			}
			for i := range 4 {
				f.Label(fmt.Sprintf("part%d", i))
				f.Jump("CBZ R0,", "reduce")
				for k := range names {
					e.pad(1+k, 0, f.Local(pair*vectorBytes), fmt.Sprintf("%d_%d", i, k))
				}
				add(2*i, 1)
				f.Jump("B", "reduce")
			}
			f.Label("reduce")
			e.fold(acc, "fadd", at)
		})
}

func (e vec) cleared(n int) []V {
	acc := make([]V, n)
	for i := range acc {
		acc[i] = e.reg()
		e.clear(acc[i])
	}
	return acc
}

// pad copies as many elements as the register n says, fewer than a pair of vectors, to the stack at off, zeros behind
// them, and lets the pointer tell of that.
func (e vec) pad(p, n, off int, id string) {
	f := e.f
	f.Go("STP (ZR, ZR), %d(RSP)", off)
	f.Go("STP (ZR, ZR), %d(RSP)", off+16)
	f.Go("ADD $%d, RSP, R11", off)
	f.Go("MOVD R%d, R9", n)
	f.Label("pad" + id)
	f.Go("%s.P %d(R%d), R12", e.move(), e.size(), p)
	f.Go("%s.P R12, %d(R11)", e.move(), e.size())
	f.Go("SUBS $1, R9")
	f.Jump("BNE", "pad"+id)
	f.Go("ADD $%d, RSP, R%d", off, p)
}

// fold returns what an operation makes of all lanes of the accumulators, always of one half with the other.
func (e vec) fold(acc []V, mn string, result int) {
	for n := len(acc) / 2; n > 0; n /= 2 {
		for i := range n {
			e.accumulate(mn, acc[i], acc[i+n])
		}
	}
	for by := vectorBytes / 2; by >= e.size(); by /= 2 {
		t := e.reg()
		e.f.Op([]V{t}, []V{acc[0]}, func(r func(V) int) a64.Enc { return a64.Ext(r(t), r(acc[0]), r(acc[0]), by) })
		e.accumulate(mn, acc[0], t)
	}
	e.f.GoUse(acc[0], e.fmove()+" %%F, ret+%d(FP)", result)
	e.f.Ret()
}

// maximum writes the greatest of whole groups of eight vectors, at least one.
func (g *generator) maximum(f64 bool) {
	v := vec{f64: f64}
	name := v.name("max")
	doc := fmt.Sprintf("%s returns the greatest of groups of %d elements; NaN is passed over.", name, 4*pair*v.lanes())
	g.function(f64, name, doc, fmt.Sprintf("(groups int, x *%s) %[1]s", v.typ()), 16+v.size(), 1, func(e vec) {
		f := e.f
		e.args("groups", "x")
		acc := make([]V, 4*pair)
		for i := range acc {
			acc[i] = e.reg()
			e.load(1, i*vectorBytes, acc[i])
		}
		f.Label("group")
		for i := 0; i < len(acc); i += 2 {
			p, q := e.reg(), e.reg()
			e.loadPair(1, i*vectorBytes, p, q)
			e.accumulate("fmaxnm", acc[i], p)
			e.accumulate("fmaxnm", acc[i+1], q)
		}
		f.Go("ADD $%d, R1", len(acc)*vectorBytes)
		f.Go("SUBS $1, R0")
		f.Jump("BNE", "group")
		e.fold(acc, "fmaxnm", 16)
	})
}

// colSum adds the rows of a matrix to dst, one group of columns after the other.
func (g *generator) colSum(f64 bool) {
	v := vec{f64: f64}
	name := v.name("colSum")
	doc := name + " adds rows of cols elements, ld bytes apart, to dst."
	g.function(f64, name, doc, fmt.Sprintf("(rows, cols int, dst, x *%s, ld int)", v.typ()), 40, 1, func(e vec) {
		f := e.f
		const rows, cols, dst, x, ld, p, r = 0, 1, 2, 3, 4, 9, 10
		e.args("rows", "cols", "dst", "x", "ld")
		group := func(nv int, id, next string) {
			f.Label(id)
			f.Go("CMP $%d, R%d", nv*e.lanes(), cols)
			f.Jump("BLT", next)
			acc := make([]V, nv)
			for i := range acc {
				acc[i] = e.reg()
				e.load(dst, i*vectorBytes, acc[i])
			}
			f.Go("MOVD R%d, R%d", x, p)
			f.Go("MOVD R%d, R%d", rows, r)
			f.Label(id + "Row")
			for i := range acc {
				m := e.reg()
				e.load(p, i*vectorBytes, m)
				e.accumulate("fadd", acc[i], m)
			}
			f.Go("ADD R%d, R%d", ld, p)
			f.Go("SUBS $1, R%d", r)
			f.Jump("BNE", id+"Row")
			for i := range acc {
				e.store(acc[i], dst, i*vectorBytes)
			}
			f.Go("ADD $%d, R%d", nv*vectorBytes, dst)
			f.Go("ADD $%d, R%d", nv*vectorBytes, x)
			f.Go("SUB $%d, R%d", nv*e.lanes(), cols)
			f.Jump("B", id)
		}
		group(16, "sixteen", "four")
		group(4, "four", "one")
		group(1, "one", "part")
		move, add := e.fmove(), "FADDS"
		if f64 {
			add = "FADDD"
		}
		f.Label("part") // element by element
		f.Jump(fmt.Sprintf("CBZ R%d,", cols), "done")
		f.Go("MOVD R%d, R%d", x, p)
		f.Go("MOVD R%d, R%d", rows, r)
		acc, m := e.reg(), e.reg()
		f.GoDef(acc, move+" (R%d), %%F", dst)
		f.Label("partRow")
		f.GoDef(m, move+" (R%d), %%F", p)
		f.GoAdd(acc, m, add)
		f.Go("ADD R%d, R%d", ld, p)
		f.Go("SUBS $1, R%d", r)
		f.Jump("BNE", "partRow")
		f.GoUse(acc, move+" %%F, (R%d)", dst)
		f.Go("ADD $%d, R%d", e.size(), dst)
		f.Go("ADD $%d, R%d", e.size(), x)
		f.Go("SUB $1, R%d", cols)
		f.Jump("B", "part")
		f.Label("done")
		f.Ret()
	})
}

// rowDots writes the products with n ≤ 4 columns: every element is a dot product of a row of A with a row of Bᵀ.
func (g *generator) rowDots(f64 bool) {
	for n, r := range []int{0, 8, 4, 4, 2} {
		if n > 0 {
			g.rowDot(f64, r, n)
			g.rowDot(f64, 1, n)
		}
	}
}

// rowDot handles r rows at a time. B holds n rows of whole pairs of vectors, padded with zeros.
func (g *generator) rowDot(f64 bool, r, n int) {
	v := vec{f64: f64}
	name := v.name(fmt.Sprintf("rowDot%dx%d", r, n))
	doc := fmt.Sprintf("%s stores the dot products of %d rows of a with %d rows of b in c, without gaps; strides "+
		"are in bytes.", name, r, n)
	g.function(f64, name, doc, fmt.Sprintf("(blocks int, a *%[1]s, lda int, b *%[1]s, ldb int, c *%[1]s, k int)",
		v.typ()), 56, 1, func(e vec) {
		f := e.f
		const blocks, a, lda, b, ldb, c, k, cnt, pb, pa = 0, 1, 2, 3, 4, 5, 6, 7, 21, 8
		e.args("blocks", "a", "lda", "b", "ldb", "c", "k")
		row := func(i int) int { return []int{8, 10, 13, 14, 15, 16, 17, 19}[i] } // pointers to rows of A
		col := func(j int) int { return []int{21, 22, 23, 24}[j] }                // and of B
		f.Label("block")
		acc := e.cleared(pair * r * n)
		f.Go("MOVD R%d, R%d", a, row(0))
		for i := 1; i < r; i++ {
			f.Go("ADD R%d, R%d, R%d", lda, row(i-1), row(i))
		}
		f.Go("MOVD R%d, R%d", b, col(0))
		for j := 1; j < n; j++ {
			f.Go("ADD R%d, R%d, R%d", ldb, col(j-1), col(j))
		}
		f.Go("SUBS $%d, R%d, R%d", pair*e.lanes(), k, cnt)
		f.Jump("BLT", "rest")
		// step adds a pair of vectors of every row.
		step := func(at func(i int) int) {
			bv := make([]V, pair*n)
			for j := range n {
				bv[2*j], bv[2*j+1] = e.reg(), e.reg()
				e.loadPair(col(j), 0, bv[2*j], bv[2*j+1])
			}
			for i := range r {
				x, y := e.reg(), e.reg()
				e.loadPair(at(i), 0, x, y)
				for j := range n {
					e.onto("fmla", acc[2*(i*n+j)], x, bv[2*j])
					e.onto("fmla", acc[2*(i*n+j)+1], y, bv[2*j+1])
				}
			}
		}
		f.Label("step")
		step(row)
		for i := range r {
			f.Go("ADD $%d, R%d", pair*vectorBytes, row(i))
		}
		for j := range n {
			f.Go("ADD $%d, R%d", pair*vectorBytes, col(j))
		}
		f.Go("SUBS $%d, R%d", pair*e.lanes(), cnt)
		f.Jump("BGE", "step")
		f.Label("rest")
		f.Go("ADDS $%d, R%d", pair*e.lanes(), cnt)
		f.Jump("BEQ", "reduce")
		// The rows of A that end within a pair are padded on the stack.
		off := f.Local(r * pair * vectorBytes)
		for i := range r {
			e.pad(row(i), cnt, off+i*pair*vectorBytes, fmt.Sprint(i))
		}
		step(row)
		f.Label("reduce")
		e.neighbours(acc, c)
		f.Go("ADD $%d, R%d", r*n*e.size(), c)
		f.Go("MOVD $%d, R9", r)
		f.Go("MADD R9, R%d, R%d, R%d", a, lda, a)
		f.Go("SUBS $1, R%d", blocks)
		f.Jump("BNE", "block")
		f.Ret()
	})
}

// neighbours adds the lanes of each pair of accumulators in neighbouring pairs and stores the sums at c.
func (e vec) neighbours(acc []V, c int) {
	add := func(x, y V) V {
		d := e.reg()
		e.f.Op([]V{d}, []V{x, y}, func(r func(V) int) a64.Enc { return a64.FP3("faddp", e.arr(), r(d), r(x), r(y)) })
		return d
	}
	var s []V // sums of neighbours: with both halves of a pair in one vector
	for i := 0; i < len(acc); i += 2 {
		s = append(s, add(acc[i], acc[i+1]))
	}
	width := 2 // what is left of a sum in float64, 4 in float32
	if !e.f64 {
		width = 4
	}
	for width > 1 {
		var next []V
		for i := 0; i < len(s); i += 2 {
			next = append(next, add(s[i], s[min(i+1, len(s)-1)]))
		}
		s, width = next, width/2
	}
	n := len(acc) / 2
	for i, v := range s {
		e.storeSome(v, c, i*vectorBytes, min(e.lanes(), n-i*e.lanes()))
	}
}

// storeSome stores the first n lanes of v.
func (e vec) storeSome(v V, base, off, n int) {
	if n == e.lanes() {
		e.store(v, base, off)
		return
	}
	for i := range n {
		t := v
		if i > 0 {
			t = e.reg()
			e.f.Op([]V{t}, []V{v}, func(r func(V) int) a64.Enc { return a64.Dup(e.arr(), r(t), r(v), i) })
		}
		e.f.GoUse(t, e.fmove()+" %%F, %d(R%d)", off+i*e.size(), base)
	}
}
