package ir

import "slices"

// Fold returns g with the factors of columns in products drawn into the right operands,
//
//	(a ∘ 1·v)·op(b) = a·(diag(v)·op(b)),
//
// where nothing else needs a ∘ 1·v. So a pass over the rows of a batch becomes one over weights, made when these change.
// Whether it is done does not depend on what is held nor on the number of rows, and so no result does.
func Fold(g *Graph) *Graph {
	uses := make([]int, len(g.Code))
	for i, need := range liveness(g.Code, g.Outputs) {
		if need {
			for _, a := range g.Code[i].Args {
				uses[a]++
			}
		}
	}
	for _, o := range g.Outputs {
		uses[o]++
	}
	out := New()
	out.Held = g.Held
	at := make([]ID, len(g.Code))
	for i := range g.Code {
		in := g.Code[i]
		args := slices.Clone(in.Args)
		if in.Op == MatMul && !in.TA && uses[args[0]] == 1 {
			if a, v, ok := g.columnFactor(args[0]); ok {
				args[0], args[1] = at[a], out.scaleInner(at[args[1]], in.TB, at[v])
				in.Args = args
				at[i] = out.append(in)
				continue
			}
		}
		for j, a := range args {
			args[j] = at[a]
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

// append adds in as it is.
func (g *Graph) append(in Instr) ID {
	g.Code = append(g.Code, in)
	return ID(len(g.Code) - 1)
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
