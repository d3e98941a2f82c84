package ir

import "slices"

// Fold returns g with the factors of columns in products drawn into the right operands,
//
//	(a ∘ 1·v)·op(b) = a·(diag(v)·op(b)),
//
// where nothing else needs a ∘ 1·v. So a pass over the rows of a batch becomes one over weights, made when these change.
// Whether it is done does not depend on what is held nor on the number of rows, and so no result does.
func Fold(g *Graph) *Graph {
	uses := useCounts(g.Code, liveness(g.Code, g.Outputs), g.Outputs)
	out := New()
	out.Held = g.Held
	at := make([]ID, len(g.Code))
	for i := range g.Code {
		in := g.Code[i]
		args := make([]ID, len(in.Args))
		for j, a := range in.Args {
			args[j] = at[a]
		}
		if in.Op == MatMul && !in.TA && uses[in.Args[0]] == 1 {
			if a, v, ok := g.columnFactor(in.Args[0]); ok {
				args[0], args[1] = at[a], out.scaleInner(args[1], in.TB, at[v])
			}
		}
		in.Args = args
		at[i] = out.append(in)
	}
	for _, o := range g.Outputs {
		out.Outputs = append(out.Outputs, at[o])
	}
	return out
}

// columnFactor takes m apart if it is a ∘ 1·v.
func (g *Graph) columnFactor(m ID) (a, v ID, ok bool) {
	in := g.At(m)
	if in.Op != Mul {
		return 0, 0, false
	}
	for k := range 2 {
		if e := g.At(in.Args[k]); e.Op == ExpandRows {
			return in.Args[1-k], e.Args[0], true
		}
	}
	return 0, 0, false
}

// scaleInner is diag(v)·op(b), stored as b is.
func (g *Graph) scaleInner(b ID, trans bool, v ID) ID {
	y := g.At(b)
	rows, cols, k := y.Rows, y.Cols, g.At(v).Cols
	var factor ID
	if trans {
		factor = g.append(Instr{Op: ExpandRows, Rows: rows, Cols: cols, Args: []ID{v}})
	} else {
		column := g.append(Instr{Op: Reshape, Rows: k, Cols: 1, Args: []ID{v}})
		factor = g.append(Instr{Op: ExpandCols, Rows: rows, Cols: cols, Args: []ID{column}})
	}
	return g.append(Instr{Op: Mul, Rows: rows, Cols: cols, Args: []ID{b, factor}})
}

// StandStill marks what depends on held inputs and constants only.
func (g *Graph) StandStill() []bool {
	held := make([]bool, len(g.Code))
	for i := range g.Code {
		in := &g.Code[i]
		switch in.Op {
		case Input:
			held[i] = g.Held[in.Index]
		case Const, Data:
			held[i] = true
		default:
			held[i] = !in.Volatile && !slices.ContainsFunc(in.Args, func(a ID) bool { return !held[a] })
		}
	}
	return held
}
