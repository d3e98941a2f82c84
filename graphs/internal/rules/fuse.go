package rules

import (
	"slices"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
)

// Fuse returns the instructions of g that its outputs depend on, with
//
//   - the right operands of products packed, where there are enough rows for this to pay;
//   - patches in Gorgonia's order taken directly from pictures stored as planes;
//   - the bias and the factor of a product fused into it as its epilogue: (a·b + 1·biasᵀ) ∘ factor.
//
// All inputs are kept, used or not.
func Fuse(g *ir.Graph) *ir.Graph {
	fused := &ir.Graph{Code: slices.Clone(g.Code), Outputs: g.Outputs, Held: g.Held}
	drawIn(fused)
	planes(fused)
	return pack(fused)
}

// packedRows is the least number of rows for which the right operand of a product is packed.
const packedRows = 9

func packs(in *ir.Instr) (o ir.MatMul, ok bool) {
	o, ok = in.Op.(ir.MatMul)
	return o, ok && !o.TA && in.Rows >= packedRows
}

// drawIn replaces a sum or element-wise product that reads a matrix product by that product with an epilogue. The
// original stays behind as dead code.
func drawIn(g *ir.Graph) {
	live := g.Live()
	uses := g.Uses(live)
	user := make([]ir.ID, len(g.Code)) // the reader, if there is exactly one
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
				!(x.Op.Class() == ir.Map && !isFunction(x) && uses[other] == 1) && // a·b·c in one pass is better
				!(uses[i] == 1 && isSum(g.At(user[i]))): // a·b + c in one pass is better
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

// epilogue is the bias and the factor of a product, as indices of its arguments; 0: none.
type epilogue struct {
	bias, factor int
	channels     int // of a convolution; 0 for a matrix product
}

// epilogueOf returns the epilogue of op, and whether op can have one.
func epilogueOf(op ir.Op) (e epilogue, ok bool) {
	switch o := op.(type) {
	case ir.MatMul:
		return epilogue{o.Bias, o.Factor, 0}, !o.TA
	case ir.Conv:
		return epilogue{o.Bias, o.Factor, o.Channels()}, !o.Reduces()
	}
	return e, false
}

// biasOf returns the row that x repeats for every row of a product, or for every pixel of a convolution.
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

// pack returns the live instructions of g, with a pack ahead of the products that read it, one per operand.
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
