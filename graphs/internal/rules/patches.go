package rules

import (
	"github.com/stheno-ebm/stheno/graphs/internal/conv"
	"github.com/stheno-ebm/stheno/graphs/internal/ir"
)

// plainly returns id without the reshapes around it.
func (n node) plainly(id ir.ID) ir.ID { return plainly(n.Graph, id) }

// swapped returns the value of which id is the transpose of the two inner axes (count,r,c), if there is one.
func (n node) swapped(id ir.ID, count, r, c int) (ir.ID, bool) {
	id = n.plainly(id)
	if r == 1 || c == 1 {
		return id, true
	}
	in := n.At(id)
	o, ok := in.Op.(ir.Gather)
	if !ok || o.View.String() != ir.Swapped(count, r, c).String() {
		return 0, false
	}
	return n.plainly(in.Args[0]), true
}

// patchesOf returns the pictures that id holds the patches of, with columns in Gorgonia's order (channel, row, column).
func (n node) patchesOf(id ir.ID) (x ir.ID, w conv.Window, ok bool) {
	m := n.At(id)
	// The windows are known only from the Patches instruction underneath: find it, then check the path to it.
	in := n.At(n.plainly(id))
	if ir.Is[ir.Gather](in) {
		in = n.At(n.plainly(in.Args[0]))
	}
	o, ok := in.Op.(ir.Patches)
	if !ok || m.Rows != in.Rows || m.Cols != in.Cols {
		return 0, w, false
	}
	at, ok := n.swapped(id, in.Rows, o.Window.KH*o.Window.KW, o.Window.C)
	if !ok || n.At(at) != in {
		return 0, w, false
	}
	return in.Args[0], o.Window, true
}

// filterOf is op(b) (c·kh·kw, oc), with its rows reordered to make a filter (kh·kw·c, oc).
func (n node) filterOf(b ir.ID, tb bool, w conv.Window) ir.ID {
	if !tb {
		b = n.Transpose(b)
	}
	oc, k := n.At(b).Rows, w.KH*w.KW
	return n.Transpose(n.Swap(b, oc, w.C, k, oc, w.C*k))
}

// ofPatches are the rules that turn products with patches into convolutions. Patches that are outputs, and have to be
// stored anyway, stay operands of products: these are as fast, and need no pictures in rows.
var ofPatches = []rule{
	{"patches x · f = x ⋆ f", func(n node) ir.ID {
		o := n.product()
		if o.TA {
			return none
		}
		x, w, ok := n.patchesOf(n.a)
		if !ok {
			return none
		}
		if w.OC = n.Cols; n.outs[n.a] {
			return none
		}
		return n.Reshape(n.Conv(w, conv.Out, x, n.filterOf(n.b, o.TB, w)), n.Rows, n.Cols)
	}},
	{"(patches x)ᵀ · y = filter(x, y)", func(n node) ir.ID {
		o := n.product()
		if !o.TA || o.TB {
			return none
		}
		x, w, ok := n.patchesOf(n.a)
		y, turned := n.b, false
		if !ok {
			if x, w, ok = n.patchesOf(n.b); !ok {
				return none
			}
			y, turned = n.a, true
		}
		if w.OC = n.At(y).Cols; n.outs[n.a] || n.outs[n.b] {
			return none
		}
		f := n.Conv(w, conv.Filter, x, n.Reshape(y, n.At(x).Rows, w.Out()))
		f = n.Transpose(f) // (oc, kh·kw·c)
		f = n.Swap(f, w.OC, w.KH*w.KW, w.C, w.OC, w.Taps())
		if turned {
			return f
		}
		return n.Transpose(f)
	}},
}

var ofFold = []rule{
	{"fold 0 = 0", func(n node) ir.ID {
		if n.isZero(n.a) {
			return n.like(0)
		}
		return none
	}},
	{"fold (y · fᵀ) = y ⋆ᵀ f", func(n node) ir.ID {
		w := n.Op.(ir.Fold).Window
		id, ok := n.swapped(n.a, n.x.Rows, w.C, w.KH*w.KW)
		if !ok {
			return none
		}
		in := n.At(id)
		o, ok := in.Op.(ir.MatMul)
		if !ok || o.TA || in.Rows != n.x.Rows || in.Cols != n.x.Cols {
			return none
		}
		y, b := in.Args[0], in.Args[1]
		w.OC = n.At(y).Cols
		return n.Conv(w, conv.In, n.Reshape(y, n.Rows, w.Out()), n.filterOf(b, !o.TB, w))
	}},
}

// withinReshape is the rule that an element-wise instruction between two reshapes is computed in the shape outside
// them.
var withinReshape = rule{"reshape f (reshape x, y) = f (x, reshape y)", func(n node) ir.ID {
	if n.x.Op.Class() != ir.Map {
		return none
	}
	found := false
	for _, a := range n.x.Args {
		if in := n.At(a); ir.Is[ir.Reshape](in) {
			of := n.At(in.Args[0])
			found = found || of.Rows == n.Rows && of.Cols == n.Cols
		}
	}
	if !found {
		return none
	}
	args := make([]ir.ID, len(n.x.Args))
	for i, a := range n.x.Args {
		args[i] = n.Reshape(a, n.Rows, n.Cols)
	}
	return n.Emit(n.x.Op, n.Rows, n.Cols, args...)
}}

// aroundReshape is the rule that computes an element-wise instruction in the shape in which one of its arguments is a
// broadcast, so that the broadcast need not be written out.
var aroundReshape = rule{"f (reshape x, reshape (expand y)) = reshape f (x, expand y)", func(n node) ir.ID {
	var shape *ir.Instr
	for _, a := range n.Args {
		if in := n.At(a); ir.Is[ir.Reshape](in) &&
			(n.At(in.Args[0]).Expands() || n.Rows == 1 && n.At(in.Args[0]).Op.Class() == ir.Map) {
			shape = n.At(in.Args[0])
		}
	}
	if shape == nil {
		return none
	}
	rows, cols := shape.Rows, shape.Cols
	args := make([]ir.ID, len(n.Args))
	for i, a := range n.Args {
		switch in := n.At(a); in.Op.(type) {
		case ir.Reshape:
			if of := n.At(in.Args[0]); of.Rows != rows || of.Cols != cols {
				return none
			}
			args[i] = in.Args[0]
		case ir.Fill, ir.Const:
			args[i] = n.Reshape(a, rows, cols)
		default:
			return none
		}
	}
	return n.Reshape(n.Emit(n.Op, rows, cols, args...), n.Rows, n.Cols)
}}
