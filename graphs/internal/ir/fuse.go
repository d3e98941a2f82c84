package ir

import "slices"

// Fuse returns the instructions that the outputs of g need, with
//
//   - the right operands of products packed, where packs says so;
//   - bias and factor of a product drawn into it: (a·b + 1·biasᵀ) ∘ factor.
//
// All inputs stay, needed or not.
func Fuse(g *Graph, packs func(in *Instr) bool) *Graph {
	code := slices.Clone(g.Code)
	need := liveness(code, g.Outputs)
	uses := useCounts(code, need, g.Outputs)
	user := make([]ID, len(code)) // the consumer, where there is one
	for i := range code {
		if need[i] {
			for _, a := range code[i].Args {
				user[a] = ID(i)
			}
		}
	}
	for i := range code {
		in := &code[i]
		if !need[i] || len(in.Args) != 2 || in.Op != Add && in.Op != Mul {
			continue
		}
		for k := range 2 {
			p, other := code[in.Args[k]], in.Args[1-k]
			if p.Op != MatMul || uses[in.Args[k]] != 1 || p.Factor != 0 {
				continue
			}
			o := code[other]
			switch {
			case in.Op == Add && !p.TA && p.Bias == 0 && o.Op == ExpandRows:
				p.Args = append(slices.Clone(p.Args), o.Args[0])
				p.Bias = len(p.Args) - 1
			case in.Op == Mul && !p.TA && o.Op != ExpandRows && o.Op != ExpandCols && o.Op != Fill &&
				!(o.Op.Elementwise() && o.Op != Unary && uses[other] == 1) && // better a·b·c in one pass
				!(uses[i] == 1 && (code[user[i]].Op == Add || code[user[i]].Op == Sub)): // better a·b + c in one pass
				p.Args = append(slices.Clone(p.Args), other)
				p.Factor = len(p.Args) - 1
			default:
				continue
			}
			p.Rows, p.Cols = in.Rows, in.Cols
			code[i] = p
			break
		}
	}

	need = liveness(code, g.Outputs)
	out := New()
	out.Held = g.Held
	at := make([]ID, len(code))
	type packKey struct {
		a ID
		t bool
	}
	packed := map[packKey]ID{}
	for i := range code {
		if !need[i] {
			continue
		}
		in := code[i]
		in.Args = slices.Clone(in.Args)
		for j, a := range in.Args {
			in.Args[j] = at[a]
		}
		if in.Op == MatMul && packs(&in) {
			k := packKey{in.Args[1], in.TB}
			p, ok := packed[k]
			if !ok {
				p = out.append(Instr{Op: Pack, TB: in.TB, Rows: in.Lo, Cols: in.Cols, Args: []ID{in.Args[1]}})
				packed[k] = p
			}
			in.Args[1] = p
		}
		at[i] = out.append(in)
	}
	for _, o := range g.Outputs {
		out.Outputs = append(out.Outputs, at[o])
	}
	return out
}

// liveness marks what outputs need, and all inputs.
func liveness(code []Instr, outputs []ID) []bool {
	need := make([]bool, len(code))
	for _, o := range outputs {
		need[o] = true
	}
	for i := len(code) - 1; i >= 0; i-- {
		if code[i].Op == Input {
			need[i] = true
		}
		if need[i] {
			for _, a := range code[i].Args {
				need[a] = true
			}
		}
	}
	return need
}

// useCounts says how often a needed instruction reads each value; an output counts as read twice, since it is never another's alone.
func useCounts(code []Instr, need []bool, outputs []ID) []int {
	uses := make([]int, len(code))
	for i := range code {
		if need[i] {
			for _, a := range code[i].Args {
				uses[a]++
			}
		}
	}
	for _, o := range outputs {
		uses[o] += 2
	}
	return uses
}

// append adds in as it is.
func (g *Graph) append(in Instr) ID {
	g.Code = append(g.Code, in)
	return ID(len(g.Code) - 1)
}
