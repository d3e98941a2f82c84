package ir

import "fmt"

type (
	ExpandCols struct{ expansion } // (n,1) → (n,m)
	ExpandRows struct{ expansion } // (1,m) → (n,m)
	Fill       struct{ expansion } // (1,1) → (n,m)
)

func (ExpandCols) Name() string { return "expandcols" }
func (ExpandRows) Name() string { return "expandrows" }
func (Fill) Name() string       { return "fill" }

// Aligned is true: row i of the result repeats row i of the column.
func (ExpandCols) Aligned(int) bool { return true }

func (ExpandCols) Text(a []string) string { return "expandcols(" + a[0] + ")" }
func (ExpandRows) Text(a []string) string { return "expandrows(" + a[0] + ")" }
func (Fill) Text(a []string) string       { return "fill(" + a[0] + ")" }

// Expands reports whether in repeats the elements of its argument.
func (in *Instr) Expands() bool { return in.Op.Class() == Expansion }

func (g *Graph) want(op Op, a ID, ok bool) {
	if in := g.At(a); !ok {
		panic(fmt.Sprintf("ir: %s of (%d,%d)", op.Name(), in.Rows, in.Cols))
	}
}

// ExpandCols repeats the column a m times.
func (g *Graph) ExpandCols(a ID, m int) ID {
	g.want(ExpandCols{}, a, g.At(a).Cols == 1)
	return g.Emit(ExpandCols{}, g.At(a).Rows, m, a)
}

// ExpandRows repeats the row a n times.
func (g *Graph) ExpandRows(a ID, n int) ID {
	g.want(ExpandRows{}, a, g.At(a).Rows == 1)
	return g.Emit(ExpandRows{}, n, g.At(a).Cols, a)
}

// Fill is the matrix with the (1,1) value a everywhere.
func (g *Graph) Fill(a ID, rows, cols int) ID {
	g.want(Fill{}, a, g.At(a).Len() == 1)
	return g.Emit(Fill{}, rows, cols, a)
}
