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
			o, ok := epilogueOf(p.Op)
			if !ok || uses[in.Args[k]] != 1 || o.factor != 0 {
				continue
			}
			x := g.At(other)
			bias, isBias := o.biasOf(g, x)
			switch {
			case add && o.bias == 0 && isBias:
				p.Args = append(slices.Clone(p.Args), bias)
				o.bias = len(p.Args) - 1
			case mul && !x.Expands() &&
				!(x.Op.Class() == ir.Map && !isFunction(x) && uses[other] == 1) && // better a·b·c in one pass
				!(uses[i] == 1 && isSum(g.At(user[i]))): // better a·b + c in one pass
				p.Args = append(slices.Clone(p.Args), other)
				o.factor = len(p.Args) - 1
			default:
				continue
			}
			g.Code[i] = ir.Instr{Op: o.in(p.Op), Rows: in.Rows, Cols: in.Cols, Args: p.Args}
			break
		}
	}
}

// epilogue is what a product does besides: its bias and its factor, as numbers of arguments; 0: none.
type epilogue struct {
	bias, factor int
	channels     int // of a convolution
}

// epilogueOf returns that of a product that can have one.
func epilogueOf(op ir.Op) (e epilogue, ok bool) {
	switch o := op.(type) {
	case ir.MatMul:
		return epilogue{o.Bias, o.Factor, 0}, !o.TA
	case ir.Conv:
		return epilogue{o.Bias, o.Factor, o.Channels()}, !o.Reduces()
	}
	return e, false
}

// biasOf is the row that x adds to a product, if it adds the same to every row, or to every pixel.
func (e epilogue) biasOf(g *ir.Graph, x *ir.Instr) (ir.ID, bool) {
	if e.channels > 0 {
		return channelBias(g, x, e.channels)
	}
	if ir.Is[ir.ExpandRows](x) {
		return x.Args[0], true
	}
	return 0, false
}

// in is op with the epilogue e.
func (e epilogue) in(op ir.Op) ir.Op {
	switch o := op.(type) {
	case ir.MatMul:
		o.Bias, o.Factor = e.bias, e.factor
		return o
	case ir.Conv:
		o.Bias, o.Factor = e.bias, e.factor
		return o
	}
	panic("rules: " + op.Name() + " has no epilogue")
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
	type filter struct {
		b    ir.ID
		pack ir.ConvPack
	}
	filters := map[filter]ir.ID{}
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
		if o, ok := in.Op.(ir.Conv); ok && !o.Reduces() {
			k := filter{args[1], ir.ConvPack{Window: o.Window, Role: o.Role}}
			p, ok := filters[k]
			if !ok {
				f := out.At(args[1])
				p = out.Emit(k.pack, f.Rows, f.Cols, args[1])
				filters[k] = p
			}
			args[1] = p
		}
		at[i] = out.Emit(in.Op, in.Rows, in.Cols, args...)
	}
	for _, o := range g.Outputs {
		out.Outputs = append(out.Outputs, at[o])
	}
	return out
}
