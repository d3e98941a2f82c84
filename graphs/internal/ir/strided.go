package ir

import (
	"fmt"

	"github.com/stheno-ebm/stheno/graphs/internal/strided"
)

// Gather is the rows × cols matrix of the elements of the view v of a, in order.
func (g *Graph) Gather(a ID, v strided.View, rows, cols int) ID {
	in := *g.At(a)
	d, s := v.Dims, v.Strides
	switch {
	case v.Identity():
		return g.Reshape(a, rows, cols)
	case in.Op == Const:
		return g.Const(rows, cols, in.C)
	case in.Op == Fill:
		return g.Fill(in.Args[0], rows, cols)
	case in.Op == Reshape:
		return g.Gather(in.Args[0], v, rows, cols)
	case in.Op == Gather:
		if w, ok := in.View.Of(v); ok {
			return g.Gather(in.Args[0], w, rows, cols)
		}
	}
	switch whole := v.Offset == 0; {
	case v.Size == 1:
		return g.Fill(g.Reshape(a, 1, 1), rows, cols)
	case whole && len(d) == 2 && s[0] == 1 && s[1] == 0 && d[0] == v.Size:
		return g.Reshape(g.ExpandCols(g.Reshape(a, d[0], 1), d[1]), rows, cols)
	case whole && len(d) == 2 && s[0] == 0 && s[1] == 1 && d[1] == v.Size:
		return g.Reshape(g.ExpandRows(g.Reshape(a, 1, d[1]), d[0]), rows, cols)
	case whole && len(d) == 2 && s[0] == 1 && s[1] == d[0] && d[0]*d[1] == v.Size:
		return g.Reshape(g.Transpose(g.Reshape(a, d[1], d[0])), rows, cols)
	}
	return g.emit(Instr{Op: Gather, View: v, Label: v.String(), Rows: rows, Cols: cols, Args: []ID{a}})
}

// Put is the rows × cols matrix whose view v is a, with fill elsewhere. v sees no element twice.
func (g *Graph) Put(a ID, v strided.View, fill float64, rows, cols int) ID {
	in := *g.At(a)
	switch {
	case v.Identity():
		return g.Reshape(a, rows, cols)
	case in.Op == Const && in.C == fill:
		return g.Const(rows, cols, fill)
	case in.Op == Reshape:
		return g.Put(in.Args[0], v, fill, rows, cols)
	}
	return g.emit(Instr{Op: Put, View: v, Label: v.String(), C: fill, Rows: rows, Cols: cols, Args: []ID{a}})
}

// Scatter is the rows × cols matrix of zeros to whose view v a is added.
func (g *Graph) Scatter(a ID, v strided.View, rows, cols int) ID {
	if v.Distinct() {
		return g.Put(a, v, 0, rows, cols)
	}
	in := *g.At(a)
	d, s := v.Dims, v.Strides
	switch whole := v.Offset == 0; {
	case g.isZero(a):
		return g.Const(rows, cols, 0)
	case v.Size == 1:
		return g.Reshape(g.Sum(a), rows, cols)
	case whole && len(d) == 2 && s[0] == 1 && s[1] == 0 && d[0] == v.Size:
		return g.Reshape(g.RowSum(g.Reshape(a, d[0], d[1])), rows, cols)
	case whole && len(d) == 2 && s[0] == 0 && s[1] == 1 && d[1] == v.Size:
		return g.Reshape(g.ColSum(g.Reshape(a, d[0], d[1])), rows, cols)
	case in.Op == Reshape:
		return g.Scatter(in.Args[0], v, rows, cols)
	case in.Op == Scatter:
		if w, ok := v.Of(in.View); ok {
			return g.Scatter(in.Args[0], w, rows, cols)
		}
	}
	return g.emit(Instr{Op: Scatter, View: v, Label: v.String(), Rows: rows, Cols: cols, Args: []ID{a}})
}

// argMax is the numbers of the largest elements of the key in groups of them: once for all that picks and places by it.
func (g *Graph) argMax(key ID, of strided.Groups, rows, cols int) ID {
	n := g.emit(Instr{Op: ArgMax, Groups: of, Label: of.String(), Rows: 1, Cols: rows * cols, Args: []ID{key}})
	return g.Reshape(n, rows, cols)
}

// Pick is the rows × cols matrix of the elements of x at the largest elements of the key in groups of them.
func (g *Graph) Pick(key, x ID, of strided.Groups, rows, cols int) ID {
	if in := g.At(x); in.Op == Const {
		return g.Const(rows, cols, in.C)
	}
	key = g.argMax(key, of, rows, cols)
	return g.emit(Instr{Op: Pick, Groups: of, Label: of.String(), Rows: rows, Cols: cols, Args: []ID{key, x}})
}

// Place is the rows × cols matrix of zeros to which the elements of u are added at the largest elements of the key.
func (g *Graph) Place(key, u ID, of strided.Groups, rows, cols int) ID {
	if g.isZero(u) {
		return g.Const(rows, cols, 0)
	}
	in := *g.At(u)
	key = g.argMax(key, of, in.Rows, in.Cols)
	return g.emit(Instr{Op: Place, Groups: of, Label: of.String(), Rows: rows, Cols: cols, Args: []ID{key, u}})
}

// BatchMatMul is the products op(a_i)·op(b_i) of the i-th of n parts of a and b, one below the other.
func (g *Graph) BatchMatMul(a, b ID, n int, ta, tb bool) ID {
	x, y := *g.At(a), *g.At(b)
	if x.Rows%n != 0 || y.Rows%n != 0 {
		panic(fmt.Sprintf("ir: %d products of (%d,%d) and (%d,%d)", n, x.Rows, x.Cols, y.Rows, y.Cols))
	}
	m, k := x.Rows/n, x.Cols
	if ta {
		m, k = k, m
	}
	k2, cols := y.Rows/n, y.Cols
	if tb {
		k2, cols = cols, k2
	}
	switch {
	case k != k2:
		panic(fmt.Sprintf("ir: %d products of (%d,%d) and (%d,%d)", n, m, k, k2, cols))
	case n == 1:
		return g.MatMul(a, b, ta, tb)
	case g.isZero(a), g.isZero(b):
		return g.Const(n*m, cols, 0)
	case ta && tb: // (b a)ᵀ
		return g.Gather(g.BatchMatMul(b, a, n, false, false), transposed(n, cols, m), n*m, cols)
	case m == 1 && ta: // rows and columns are the same numbers
		return g.BatchMatMul(g.Reshape(a, n, k), b, n, false, tb)
	case cols == 1 && tb:
		return g.BatchMatMul(a, g.Reshape(b, n*k, 1), n, ta, false)
	}
	return g.emit(Instr{Op: BatchMatMul, TA: ta, TB: tb, Batch: n, Lo: k, Rows: n * m, Cols: cols, Args: []ID{a, b}})
}

// transposed views n matrices (m,k) with their axes exchanged.
func transposed(n, m, k int) strided.View {
	return strided.New(n*m*k, 0, []int{n, k, m}, []int{m * k, 1, k})
}
