package rules

import (
	"testing"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
)

// A column scaling moves into the weights, in either orientation, unless the scaled operand is needed elsewhere.
func TestFold(t *testing.T) {
	for _, trans := range []bool{false, true} {
		for _, shared := range []bool{false, true} {
			g := ir.New()
			x, w, v := g.Arg(8, 3, "x", false), g.Arg(3, 2, "w", true), g.Arg(1, 3, "v", true)
			if trans {
				w = g.Arg(2, 3, "wt", true)
			}
			m := g.Mul(x, g.ExpandRows(v, 8))
			g.Outputs = []ir.ID{g.MatMul(m, w, false, trans)}
			if shared {
				g.Outputs = append(g.Outputs, m)
			}
			f := Fold(g)
			p := f.At(f.Outputs[0])
			if moved := p.Args[0] == x; moved == shared {
				t.Errorf("transposed %v, shared %v: left operand %v", trans, shared, f.At(p.Args[0]).Op)
			}
			s := f.At(p.Args[1])
			if shared {
				if !ir.Is[ir.Input](s) {
					t.Errorf("transposed %v: the weights became %v", trans, s.Op)
				}
				continue
			}
			if !ir.Is[ir.Mul](s) || s.Args[0] != w || s.Rows != g.At(w).Rows || s.Cols != g.At(w).Cols {
				t.Errorf("transposed %v: weights %+v", trans, s)
			}
		}
	}
}
