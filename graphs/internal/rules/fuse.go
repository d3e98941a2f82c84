package rules

import (
	"slices"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
)

// Fuse returns the instructions that the outputs of g need, with
//
//   - the right operands of products packed, where there are enough rows for it to pay;
//   - bias and factor of a product drawn into it: (a·b + 1·biasᵀ) ∘ factor.
//
// All inputs stay, needed or not.
func Fuse(g *ir.Graph) *ir.Graph {
	fused := &ir.Graph{Code: slices.Clone(g.Code), Outputs: g.Outputs, Held: g.Held}
	drawIn(fused)
	return pack(fused)
}

// packedRows is the number of rows from which on the right operand of a product is packed.
const packedRows = 9

func packs(in *ir.Instr) (o ir.MatMul, ok bool) {
	o, ok = in.Op.(ir.MatMul)
	return o, ok && !o.TA && in.Rows >= packedRows
}

// drawIn makes products of sums and products that a product is part of. The product itself stays, dead.
func drawIn(g *ir.Graph) {
	live := g.Live()
	uses := g.Uses(live)
	user := make([]ir.ID, len(g.Code)) // the consumer, where there is one
	for i := range g.Code {
		if live[i] {
			for _, a := range g.Code[i].Args {
				user[a] = ir.ID(i)
			}
		}
	}
	for i := range g.Code {
		in := &g.Code[i]
		add, mul := ir.Is[ir.Add](in), ir.Is[ir.Mul](in)
		if !live[i] || !add && !mul {
			continue
		}
		for k := range 2 {
			p, other := g.Code[in.Args[k]], in.Args[1-k]
			o, ok := p.Op.(ir.MatMul)
			if !ok || uses[in.Args[k]] != 1 || o.TA || o.Factor != 0 {
				continue
			}
			x := g.At(other)
			switch {
			case add && o.Bias == 0 && ir.Is[ir.ExpandRows](x):
				p.Args = append(slices.Clone(p.Args), x.Args[0])
				o.Bias = len(p.Args) - 1
			case mul && !x.Expands() &&
				!(x.Op.Class() == ir.Map && !isFunction(x) && uses[other] == 1) && // better a·b·c in one pass
				!(uses[i] == 1 && isSum(g.At(user[i]))): // better a·b + c in one pass
				p.Args = append(slices.Clone(p.Args), other)
				o.Factor = len(p.Args) - 1
			default:
				continue
			}
			g.Code[i] = ir.Instr{Op: o, Rows: in.Rows, Cols: in.Cols, Args: p.Args}
			break
		}
	}
}

func isFunction(in *ir.Instr) bool {
	switch in.Op.(type) {
	case ir.Unary, ir.Pow, ir.Func:
		return true
	}
	return false
}

func isSum(in *ir.Instr) bool { return ir.Is[ir.Add](in) || ir.Is[ir.Sub](in) }

// pack returns what g needs, with packs before the products that read them, one for each operand.
func pack(g *ir.Graph) *ir.Graph {
	live := g.Live()
	out := ir.New()
	out.Held = g.Held
	at := make([]ir.ID, len(g.Code))
	type operand struct {
		b  ir.ID
		tb bool
	}
	packed := map[operand]ir.ID{}
	for i := range g.Code {
		if !live[i] {
			continue
		}
		in := g.Code[i]
		args := make([]ir.ID, len(in.Args))
		for j, a := range in.Args {
			args[j] = at[a]
		}
		if o, ok := packs(&in); ok {
			k := operand{args[1], o.TB}
			p, ok := packed[k]
			if !ok {
				p = out.Emit(ir.Pack{TB: o.TB}, o.K, in.Cols, args[1])
				packed[k] = p
			}
			args[1], o.Packed = p, true
			in.Op = o
		}
		at[i] = out.Emit(in.Op, in.Rows, in.Cols, args...)
	}
	for _, o := range g.Outputs {
		out.Outputs = append(out.Outputs, at[o])
	}
	return out
}
