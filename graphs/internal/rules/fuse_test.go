package rules

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stheno-ebm/stheno/graphs/internal/conv"
	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
	"github.com/stheno-ebm/stheno/graphs/internal/reference"
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

// Patches in Gorgonia's order are taken from planes, with the same values. A product with them is a convolution
// unless they are outputs.
func TestPlanes(t *testing.T) {
	for _, c := range []int{1, 2} {
		for _, test := range []struct{ kept, made bool }{{false, false}, {true, false}, {true, true}} {
			kept := test.kept
			w := conv.Window{H: 3, W: 4, C: c, KH: 2, KW: 3, OC: 1, Stride: [2]int{1, 1}, Pad: [2]int{1, 1},
				Dilation: [2]int{1, 1}, Groups: 1}
			g := ir.New()
			x, f := g.Arg(1, 2*w.In(), "x", false), g.Arg(5, w.Taps(), "f", false)
			rows := g.Swap(x, 2, c, 12, 2, w.In())
			if test.made { // planes from rows
				rows = g.Reshape(x, 2, w.In())
				g.Outputs = append(g.Outputs, g.Swap(x, 2, 12, c, 1, 2*w.In()))
			}
			p := g.Patches(w, rows)
			p = g.Swap(p, g.At(p).Rows, 6, c, g.At(p).Rows, w.Taps())
			g.Outputs = append(g.Outputs, g.MatMul(p, f, false, true))
			if kept {
				g.Outputs = append(g.Outputs, p)
			}
			h := Apply(g)
			has := func(is func(op ir.Op) bool) bool {
				return slices.ContainsFunc(h.Code, func(in ir.Instr) bool { return is(in.Op) })
			}
			if has(func(op ir.Op) bool { o, ok := op.(ir.Patches); return ok && o.Planes }) != kept ||
				has(func(op ir.Op) bool { _, ok := op.(ir.Conv); return ok }) == kept {
				t.Errorf("%d channels, kept %v: got %v", c, kept, h.Code)
			}
			if !kept {
				continue
			}
			rng := rand.New(rand.NewPCG(1, 2))
			in := [][]float64{make([]float64, 2*w.In()), make([]float64, 5*w.Taps())}
			for i := range in[0] {
				in[0][i] = rng.NormFloat64()
			}
			if want, got := reference.Outputs(g, in),
				reference.Outputs(h, in); !slices.Equal(got[len(got)-1], want[len(want)-1]) {
				t.Errorf("%d channels: got patches %v, want %v", c, got[len(got)-1], want[len(want)-1])
			}
		}
	}
}
