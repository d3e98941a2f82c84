package rules

import (
	"testing"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
)

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
