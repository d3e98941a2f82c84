package rules

import "github.com/stheno-ebm/stheno/graphs/internal/ir"

// Fold returns g with the column scalings of left operands moved into the right operands,
//
//	(a ∘ 1·v)·op(b) = a·(diag(v)·op(b)),
//
// where nothing else reads a ∘ 1·v. A pass over the batch becomes a pass over the weights, needed only when these
// change. The decision depends neither on what is held nor on the number of rows, so results do not depend on them
// either.
func Fold(g *ir.Graph) *ir.Graph {
	uses := g.Uses(g.Live())
	out := ir.New()
	out.Held = g.Held
	at := make([]ir.ID, len(g.Code))
	for i := range g.Code {
		in := g.Code[i]
		args := make([]ir.ID, len(in.Args))
		for j, a := range in.Args {
			args[j] = at[a]
		}
		if o, ok := in.Op.(ir.MatMul); ok && !o.TA && uses[in.Args[0]] == 1 {
			if a, v, ok := columnFactor(g, in.Args[0]); ok {
				args[0], args[1] = at[a], scaleInner(out, args[1], o.TB, at[v])
			}
		}
		at[i] = out.Emit(in.Op, in.Rows, in.Cols, args...)
	}
	for _, o := range g.Outputs {
		out.Outputs = append(out.Outputs, at[o])
	}
	return out
}

// columnFactor returns a and v if m is a ∘ 1·v.
func columnFactor(g *ir.Graph, m ir.ID) (a, v ir.ID, ok bool) {
	in := g.At(m)
	if !ir.Is[ir.Mul](in) {
		return 0, 0, false
	}
	for k := range 2 {
		if e := g.At(in.Args[k]); ir.Is[ir.ExpandRows](e) {
			return in.Args[1-k], e.Args[0], true
		}
	}
	return 0, 0, false
}

// scaleInner is diag(v)·op(b), stored like b: transposed if trans.
func scaleInner(g *ir.Graph, b ir.ID, trans bool, v ir.ID) ir.ID {
	y := *g.At(b)
	if trans {
		return g.Mul(b, g.ExpandRows(v, y.Rows))
	}
	return g.Mul(b, g.ExpandCols(g.Reshape(v, g.At(v).Cols, 1), y.Cols))
}
