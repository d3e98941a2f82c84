package rules

import (
	"testing"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
)

// Each expression must become the operation that is written beside it.
func TestSimplification(t *testing.T) {
	type args struct{ x, y, col, row, one ir.ID } // (4,3), (4,3), (4,1), (1,3), (1,1)
	silu := func(g *ir.Graph, a ir.ID) ir.ID { return g.Unary(kernels.SiLU, 0, a) }
	for name, c := range map[string]struct {
		build func(g *ir.Graph, a args) ir.ID
		want  func(g *ir.Graph, a args) ir.ID
	}{
		"x+0":         {func(g *ir.Graph, a args) ir.ID { return g.Add(a.x, g.Const(4, 3, 0)) }, func(g *ir.Graph, a args) ir.ID { return a.x }},
		"x+x":         {func(g *ir.Graph, a args) ir.ID { return g.Add(a.x, a.x) }, func(g *ir.Graph, a args) ir.ID { return g.Scale(a.x, 2) }},
		"x-x":         {func(g *ir.Graph, a args) ir.ID { return g.Sub(a.x, a.x) }, func(g *ir.Graph, a args) ir.ID { return g.Const(4, 3, 0) }},
		"x·0":         {func(g *ir.Graph, a args) ir.ID { return g.Mul(a.x, g.Const(4, 3, 0)) }, func(g *ir.Graph, a args) ir.ID { return g.Const(4, 3, 0) }},
		"x+y=y+x":     {func(g *ir.Graph, a args) ir.ID { return g.Add(a.y, a.x) }, func(g *ir.Graph, a args) ir.ID { return g.Add(a.x, a.y) }},
		"x-(-y)":      {func(g *ir.Graph, a args) ir.ID { return g.Sub(a.x, g.Scale(a.y, -1)) }, func(g *ir.Graph, a args) ir.ID { return g.Add(a.x, a.y) }},
		"2(3x)":       {func(g *ir.Graph, a args) ir.ID { return g.Scale(g.Scale(a.x, 3), 2) }, func(g *ir.Graph, a args) ir.ID { return g.Scale(a.x, 6) }},
		"xᵀᵀ":         {func(g *ir.Graph, a args) ir.ID { return g.Transpose(g.Transpose(a.x)) }, func(g *ir.Graph, a args) ir.ID { return a.x }},
		"xᵀ·y":        {func(g *ir.Graph, a args) ir.ID { return g.MatMul(g.Transpose(a.x), a.y, false, false) }, func(g *ir.Graph, a args) ir.ID { return g.MatMul(a.x, a.y, true, false) }},
		"x·0ᵀ":        {func(g *ir.Graph, a args) ir.ID { return g.MatMul(a.x, g.Const(4, 3, 0), false, true) }, func(g *ir.Graph, a args) ir.ID { return g.Const(4, 4, 0) }},
		"1ᵀ·x":        {func(g *ir.Graph, a args) ir.ID { return g.MatMul(g.Const(4, 1, 2), a.x, true, false) }, func(g *ir.Graph, a args) ir.ID { return g.Scale(g.ColSum(a.x), 2) }},
		"x·1":         {func(g *ir.Graph, a args) ir.ID { return g.MatMul(a.x, g.Const(3, 1, 1), false, false) }, func(g *ir.Graph, a args) ir.ID { return g.RowSum(a.x) }},
		"outer":       {func(g *ir.Graph, a args) ir.ID { return g.MatMul(a.col, a.row, false, false) }, func(g *ir.Graph, a args) ir.ID { return g.Mul(g.ExpandCols(a.col, 3), g.ExpandRows(a.row, 4)) }},
		"f(expand)":   {func(g *ir.Graph, a args) ir.ID { return silu(g, g.ExpandCols(a.col, 3)) }, func(g *ir.Graph, a args) ir.ID { return g.ExpandCols(silu(g, a.col), 3) }},
		"expand+":     {func(g *ir.Graph, a args) ir.ID { return g.Add(g.ExpandRows(a.row, 4), g.ExpandRows(a.row, 4)) }, func(g *ir.Graph, a args) ir.ID { return g.ExpandRows(g.Scale(a.row, 2), 4) }},
		"ΣΣ":          {func(g *ir.Graph, a args) ir.ID { return g.Sum(g.RowSum(a.x)) }, func(g *ir.Graph, a args) ir.ID { return g.Sum(a.x) }},
		"Σx+Σy":       {func(g *ir.Graph, a args) ir.ID { return g.Add(g.Sum(a.x), g.Sum(a.y)) }, func(g *ir.Graph, a args) ir.ID { return g.Sum(g.Add(a.x, a.y)) }},
		"Σ s x":       {func(g *ir.Graph, a args) ir.ID { return g.RowSum(g.Mul(a.x, g.ExpandCols(a.col, 3))) }, func(g *ir.Graph, a args) ir.ID { return g.Mul(a.col, g.RowSum(a.x)) }},
		"Σ_i s_i x_i": {func(g *ir.Graph, a args) ir.ID { return g.ColSum(g.Mul(a.x, g.ExpandCols(a.col, 3))) }, func(g *ir.Graph, a args) ir.ID { return g.MatMul(a.col, a.x, true, false) }},
		"square″":     {func(g *ir.Graph, a args) ir.ID { return g.Unary(kernels.Square, 2, a.x) }, func(g *ir.Graph, a args) ir.ID { return g.Const(4, 3, 2) }},
		"cos″":        {func(g *ir.Graph, a args) ir.ID { return g.Unary(kernels.Cos, 2, a.x) }, func(g *ir.Graph, a args) ir.ID { return g.Scale(g.Unary(kernels.Cos, 0, a.x), -1) }},
		"f(const)":    {func(g *ir.Graph, a args) ir.ID { return g.Unary(kernels.Exp, 0, g.Const(4, 3, 0)) }, func(g *ir.Graph, a args) ir.ID { return g.Const(4, 3, 1) }},
		"slice concat": {func(g *ir.Graph, a args) ir.ID { return g.SliceCols(g.ConcatCols(a.x, a.col, a.y), 4, 7) },
			func(g *ir.Graph, a args) ir.ID { return a.y }},
		"slice pad":  {func(g *ir.Graph, a args) ir.ID { return g.SliceCols(g.PadCols(a.x, 2, 1), 0, 2) }, func(g *ir.Graph, a args) ir.ID { return g.Const(4, 2, 0) }},
		"same data":  {func(g *ir.Graph, a args) ir.ID { return g.Data(1, 2, []float64{3, 3}) }, func(g *ir.Graph, a args) ir.ID { return g.Const(1, 2, 3) }},
		"c·(aᵀb)":    {func(g *ir.Graph, a args) ir.ID { return g.Scale(g.MatMul(a.x, a.y, true, false), 3) }, func(g *ir.Graph, a args) ir.ID { return g.MatMul(g.Scale(a.x, 3), a.y, true, false) }},
		"c·(x∘rows)": {func(g *ir.Graph, a args) ir.ID { return g.Scale(g.Mul(a.x, g.ExpandRows(a.row, 4)), 3) }, func(g *ir.Graph, a args) ir.ID { return g.Mul(a.x, g.ExpandRows(g.Scale(a.row, 3), 4)) }},
	} {
		g := ir.New()
		a := args{g.Arg(4, 3, "x", false), g.Arg(4, 3, "y", false), g.Arg(4, 1, "col", false), g.Arg(1, 3, "row", false), g.Arg(1, 1, "one", false)}
		g.Outputs = []ir.ID{c.build(g, a), c.want(g, a)}
		g = Simplify(g)
		if got, want := g.Outputs[0], g.Outputs[1]; got != want {
			t.Errorf("%s: got %v %v, want %v %v", name, g.At(got).Op, g.At(got).Args, g.At(want).Op, g.At(want).Args)
		}
	}
}

func TestVolatileIsNotMerged(t *testing.T) {
	g := ir.New()
	g.Outputs = []ir.ID{g.Opaque(nil, "", true, 1, 1), g.Opaque(nil, "", true, 1, 1)}
	if g = Simplify(g); g.Outputs[0] == g.Outputs[1] {
		t.Error("two random values became one")
	}
}

func TestFuse(t *testing.T) {
	g := ir.New()
	x, w, b := g.Arg(14, 3, "x", false), g.Arg(2, 3, "w", false), g.Arg(1, 2, "b", false)
	f := g.Arg(14, 2, "f", false)
	z := g.Add(g.MatMul(x, w, false, true), g.ExpandRows(b, 14))
	dead := g.Unary(kernels.Exp, 0, z)
	g.Outputs = []ir.ID{g.Mul(z, f)}
	h := Fuse(g)
	var ops []string
	for _, in := range h.Code {
		if !ir.Is[ir.Input](&in) {
			ops = append(ops, in.Op.Name())
		}
	}
	if len(ops) != 2 || ops[0] != "pack" || ops[1] != "matmul" {
		t.Fatalf("got %v, want a pack and a product (value %d is dead)", ops, dead)
	}
	p := h.At(h.Outputs[0])
	if o := p.Op.(ir.MatMul); o.Bias == 0 || o.Factor == 0 || !o.Packed || len(p.Args) != 4 {
		t.Errorf("bias and factor are not part of the product: %+v", p)
	}
}
