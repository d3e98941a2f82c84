package ir

import (
	"testing"

	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
)

// Each expression must become the operation that is written beside it.
func TestSimplification(t *testing.T) {
	type args struct{ x, y, col, row, one ID } // (4,3), (4,3), (4,1), (1,3), (1,1)
	silu := func(g *Graph, a ID) ID { return g.Unary(kernels.SiLU, 0, 0, "", nil, a) }
	for name, c := range map[string]struct {
		build func(g *Graph, a args) ID
		want  func(g *Graph, a args) ID
	}{
		"x+0":         {func(g *Graph, a args) ID { return g.Add(a.x, g.Const(4, 3, 0)) }, func(g *Graph, a args) ID { return a.x }},
		"x+x":         {func(g *Graph, a args) ID { return g.Add(a.x, a.x) }, func(g *Graph, a args) ID { return g.Scale(a.x, 2) }},
		"x-x":         {func(g *Graph, a args) ID { return g.Sub(a.x, a.x) }, func(g *Graph, a args) ID { return g.Const(4, 3, 0) }},
		"x·0":         {func(g *Graph, a args) ID { return g.Mul(a.x, g.Const(4, 3, 0)) }, func(g *Graph, a args) ID { return g.Const(4, 3, 0) }},
		"x+y=y+x":     {func(g *Graph, a args) ID { return g.Add(a.y, a.x) }, func(g *Graph, a args) ID { return g.Add(a.x, a.y) }},
		"x-(-y)":      {func(g *Graph, a args) ID { return g.Sub(a.x, g.Scale(a.y, -1)) }, func(g *Graph, a args) ID { return g.Add(a.x, a.y) }},
		"2(3x)":       {func(g *Graph, a args) ID { return g.Scale(g.Scale(a.x, 3), 2) }, func(g *Graph, a args) ID { return g.Scale(a.x, 6) }},
		"xᵀᵀ":         {func(g *Graph, a args) ID { return g.Transpose(g.Transpose(a.x)) }, func(g *Graph, a args) ID { return a.x }},
		"xᵀ·y":        {func(g *Graph, a args) ID { return g.MatMul(g.Transpose(a.x), a.y, false, false) }, func(g *Graph, a args) ID { return g.MatMul(a.x, a.y, true, false) }},
		"x·0ᵀ":        {func(g *Graph, a args) ID { return g.MatMul(a.x, g.Const(4, 3, 0), false, true) }, func(g *Graph, a args) ID { return g.Const(4, 4, 0) }},
		"1ᵀ·x":        {func(g *Graph, a args) ID { return g.MatMul(g.Const(4, 1, 2), a.x, true, false) }, func(g *Graph, a args) ID { return g.Scale(g.ColSum(a.x), 2) }},
		"x·1":         {func(g *Graph, a args) ID { return g.MatMul(a.x, g.Const(3, 1, 1), false, false) }, func(g *Graph, a args) ID { return g.RowSum(a.x) }},
		"outer":       {func(g *Graph, a args) ID { return g.MatMul(a.col, a.row, false, false) }, func(g *Graph, a args) ID { return g.Mul(g.ExpandCols(a.col, 3), g.ExpandRows(a.row, 4)) }},
		"f(expand)":   {func(g *Graph, a args) ID { return silu(g, g.ExpandCols(a.col, 3)) }, func(g *Graph, a args) ID { return g.ExpandCols(silu(g, a.col), 3) }},
		"expand+":     {func(g *Graph, a args) ID { return g.Add(g.ExpandRows(a.row, 4), g.ExpandRows(a.row, 4)) }, func(g *Graph, a args) ID { return g.ExpandRows(g.Scale(a.row, 2), 4) }},
		"ΣΣ":          {func(g *Graph, a args) ID { return g.Sum(g.RowSum(a.x)) }, func(g *Graph, a args) ID { return g.Sum(a.x) }},
		"Σx+Σy":       {func(g *Graph, a args) ID { return g.Add(g.Sum(a.x), g.Sum(a.y)) }, func(g *Graph, a args) ID { return g.Sum(g.Add(a.x, a.y)) }},
		"Σ s x":       {func(g *Graph, a args) ID { return g.RowSum(g.Mul(a.x, g.ExpandCols(a.col, 3))) }, func(g *Graph, a args) ID { return g.Mul(a.col, g.RowSum(a.x)) }},
		"Σ_i s_i x_i": {func(g *Graph, a args) ID { return g.ColSum(g.Mul(a.x, g.ExpandCols(a.col, 3))) }, func(g *Graph, a args) ID { return g.MatMul(a.col, a.x, true, false) }},
		"square″":     {func(g *Graph, a args) ID { return g.Unary(kernels.Square, 2, 0, "", nil, a.x) }, func(g *Graph, a args) ID { return g.Const(4, 3, 2) }},
		"cos″":        {func(g *Graph, a args) ID { return g.Unary(kernels.Cos, 2, 0, "", nil, a.x) }, func(g *Graph, a args) ID { return g.Scale(g.Unary(kernels.Cos, 0, 0, "", nil, a.x), -1) }},
		"f(const)":    {func(g *Graph, a args) ID { return g.Unary(kernels.Exp, 0, 0, "", nil, g.Const(4, 3, 0)) }, func(g *Graph, a args) ID { return g.Const(4, 3, 1) }},
		"slice concat": {func(g *Graph, a args) ID { return g.SliceCols(g.Concat(ConcatCols, a.x, a.col, a.y), 4, 7) },
			func(g *Graph, a args) ID { return a.y }},
		"slice pad":  {func(g *Graph, a args) ID { return g.SliceCols(g.PadCols(a.x, 2, 1), 0, 2) }, func(g *Graph, a args) ID { return g.Const(4, 2, 0) }},
		"same data":  {func(g *Graph, a args) ID { return g.Data(1, 2, []float64{3, 3}) }, func(g *Graph, a args) ID { return g.Const(1, 2, 3) }},
		"c·(aᵀb)":    {func(g *Graph, a args) ID { return g.Scale(g.MatMul(a.x, a.y, true, false), 3) }, func(g *Graph, a args) ID { return g.MatMul(g.Scale(a.x, 3), a.y, true, false) }},
		"c·(x∘rows)": {func(g *Graph, a args) ID { return g.Scale(g.Mul(a.x, g.ExpandRows(a.row, 4)), 3) }, func(g *Graph, a args) ID { return g.Mul(a.x, g.ExpandRows(g.Scale(a.row, 3), 4)) }},
	} {
		g := New()
		a := args{g.Arg(4, 3, "x", false), g.Arg(4, 3, "y", false), g.Arg(4, 1, "col", false), g.Arg(1, 3, "row", false), g.Arg(1, 1, "one", false)}
		if got, want := c.build(g, a), c.want(g, a); got != want {
			t.Errorf("%s: got %v %v, want %v %v", name, g.At(got).Op, g.At(got).Args, g.At(want).Op, g.At(want).Args)
		}
	}
}

func TestVolatileIsNotMerged(t *testing.T) {
	g := New()
	a := g.Opaque(nil, "", true, 1, 1)
	if b := g.Opaque(nil, "", true, 1, 1); a == b {
		t.Error("two random values became one")
	}
}

func TestFuse(t *testing.T) {
	g := New()
	x, w, b := g.Arg(4, 3, "x", false), g.Arg(2, 3, "w", false), g.Arg(1, 2, "b", false)
	f := g.Arg(4, 2, "f", false)
	z := g.Add(g.MatMul(x, w, false, true), g.ExpandRows(b, 4))
	dead := g.Unary(kernels.Exp, 0, 0, "", nil, z)
	g.Outputs = []ID{g.Mul(z, f)}
	h := Fuse(g, func(*Instr) bool { return true })
	var ops []Op
	for _, in := range h.Code {
		if in.Op != Input {
			ops = append(ops, in.Op)
		}
	}
	if len(ops) != 2 || ops[0] != Pack || ops[1] != MatMul {
		t.Fatalf("got %v, want a pack and a product (value %d is dead)", ops, dead)
	}
	p := h.At(h.Outputs[0])
	if p.Bias == 0 || p.Factor == 0 || len(p.Args) != 4 {
		t.Errorf("bias and factor are not part of the product: %+v", p)
	}
}
