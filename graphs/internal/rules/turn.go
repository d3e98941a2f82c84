package rules

import (
	"github.com/stheno-ebm/stheno/graphs/internal/conv"
	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/strided"
)

// turned reports whether v exchanges the two inner axes of three. Such views convert pictures between channels-first
// and channels-last.
func turned(v strided.View) bool {
	return v.Offset == 0 && len(v.Dims) == 3 &&
		v.Strides[1] == 1 && v.Strides[2] == v.Dims[1] && v.Strides[0] == v.Dims[1]*v.Dims[2] && v.Len() == v.Size
}

// turnedArg returns the value that id is with its inner axes exchanged, in the shape of the result, and the view.
func (n node) turnedArg(id ir.ID) (x ir.ID, v strided.View, ok bool) {
	in := n.At(id)
	o, ok := in.Op.(ir.Gather)
	if !ok || !turned(o.View) {
		return 0, v, false
	}
	return n.Reshape(in.Args[0], n.Rows, n.Cols), o.View, true
}

// behindTurn is the rule that moves element-wise instructions ahead of an exchange of axes, so that consecutive
// exchanges meet and cancel. It does not apply where both argument and result are outputs: no exchange would be
// saved.
var behindTurn = rule{"f (turn x, turn y) = turn f (x, y)", func(n node) ir.ID {
	var v strided.View
	found := false
	for _, a := range n.Args {
		if _, w, ok := n.turnedArg(a); ok && !(n.out && n.outs[a]) {
			v, found = w, true
			break
		}
	}
	if !found {
		return none
	}
	args := make([]ir.ID, len(n.Args))
	for i, a := range n.Args {
		if args[i] = n.turnedBack(a, v); args[i] == none {
			return none
		}
	}
	return n.Gather(n.Emit(n.Op, n.Rows, n.Cols, args...), v, n.Rows, n.Cols)
}}

// turnedBack returns a value, in the shape of the result, whose exchange by v is id. For repeated elements it is
// another repetition. It is none if finding it would take an exchange of its own.
func (n node) turnedBack(id ir.ID, v strided.View) ir.ID {
	in := n.At(id)
	switch o := in.Op.(type) {
	case ir.Fill, ir.Const:
		return id
	case ir.Gather:
		if o.View.String() == v.String() {
			return n.Reshape(in.Args[0], n.Rows, n.Cols)
		}
	}
	x, u := n.repeated(id)
	if x == id || ir.Is[ir.MatMul](n.At(n.plainly(id))) { // the output of a layer, not laid out as pictures yet
		x = n.plainly(id)
		if !ir.Is[ir.MatMul](n.At(x)) {
			return none
		}
		return n.Gather(x, inverse(v), n.Rows, n.Cols)
	}
	if w, ok := u.Of(inverse(v)); ok && (repeatsRow(w) || repeatsColumn(w)) {
		return n.Gather(x, w, n.Rows, n.Cols)
	}
	return none
}

// repeated returns the value whose elements id repeats, and the view of it that id is.
func (n node) repeated(id ir.ID) (x ir.ID, v strided.View) {
	x, size := id, n.At(id).Len()
	v = strided.New(size, 0, []int{size}, []int{1})
	for {
		in := n.At(x)
		u, ok := strided.View{}, true
		switch o := in.Op.(type) {
		case ir.Reshape:
			x = in.Args[0]
			continue
		case ir.ExpandCols:
			u = strided.New(in.Rows, 0, []int{in.Rows, in.Cols}, []int{1, 0})
		case ir.ExpandRows:
			u = strided.New(in.Cols, 0, []int{in.Rows, in.Cols}, []int{0, 1})
		case ir.Gather:
			u, ok = o.View, 2*o.View.Size <= o.View.Len()
		default:
			ok = false
		}
		if !ok {
			return x, v
		}
		w, ok := u.Of(v)
		if !ok {
			return x, v
		}
		x, v = in.Args[0], w
	}
}

// summed returns the value x whose elements id sums, and the view by which id is the Scatter of x. It is none if any
// value on the way is an output.
func (n node) summed(id ir.ID) (x ir.ID, v strided.View) {
	x, size := id, n.At(id).Len()
	v = strided.New(size, 0, []int{size}, []int{1})
	for !n.outs[x] {
		in := n.At(x)
		u := strided.View{}
		switch o := in.Op.(type) {
		case ir.Reshape:
			x = in.Args[0]
			continue
		case ir.RowSum:
			m := n.At(in.Args[0])
			u = strided.New(m.Rows, 0, []int{m.Rows, m.Cols}, []int{1, 0})
		case ir.ColSum:
			m := n.At(in.Args[0])
			u = strided.New(m.Cols, 0, []int{m.Rows, m.Cols}, []int{0, 1})
		case ir.Scatter:
			u = o.View
		default:
			return x, v
		}
		w, ok := v.Of(u)
		if !ok {
			return none, v
		}
		x, v = in.Args[0], w
	}
	return none, v
}

// ofTurn is the rule that channel sums after an exchange of axes are column sums before it.
var ofTurn = rule{"channel sums of (turn x) = column sums of x", func(n node) ir.ID {
	u := strided.New(n.Cols, 0, []int{n.x.Rows, n.x.Cols}, []int{0, 1})
	x, v := n.summed(n.a)
	if x == none {
		return none
	}
	o, ok := n.At(x).Op.(ir.Gather)
	if !ok || !turned(o.View) {
		return none
	}
	if v, ok = u.Of(v); !ok {
		return none
	}
	if v, ok = v.Of(inverse(o.View)); !ok || !repeatsRow(v) {
		return none
	}
	return n.Scatter(n.At(x).Args[0], v, n.Rows, n.Cols)
}}

// inverse is the exchange that undoes v.
func inverse(v strided.View) strided.View { return ir.Swapped(v.Dims[0], v.Dims[1], v.Dims[2]) }

// planes takes patches in Gorgonia's order, whose columns are exchanged after they are written, directly from pictures
// stored as planes, where there are some. The instructions that this bypasses stay in the graph, perhaps dead.
func planes(g *ir.Graph) {
	live := g.Live()
	for i := range g.Code {
		in := &g.Code[i]
		of := in // the patches
		if ir.Is[ir.Gather](in) {
			of = g.At(plainly(g, in.Args[0]))
		}
		o, ok := of.Op.(ir.Patches)
		if !ok || o.Planes {
			continue
		}
		w, x := o.Window, of.Args[0]
		switch o, ok := in.Op.(ir.Gather); {
		case w.C == 1 && of == in:
		case ok && o.View.String() == ir.Swapped(of.Rows, w.KH*w.KW, w.C).String():
			if x = planar(g, live, x, w, ir.ID(i)); x == none {
				continue
			}
		default:
			continue
		}
		g.Code[i] = ir.Instr{Op: ir.Patches{Window: w, Planes: true}, Rows: in.Rows, Cols: in.Cols, Args: []ir.ID{x}}
	}
}

// planar returns the pictures x stored as planes, if that value exists before instruction end: the one that x was
// made from, or one that is made from x anyway.
func planar(g *ir.Graph, live []bool, x ir.ID, w conv.Window, end ir.ID) ir.ID {
	n := g.At(x).Rows
	x = plainly(g, x)
	if o, ok := g.At(x).Op.(ir.Gather); ok && o.View.String() == ir.Swapped(n, w.C, w.H*w.W).String() {
		return plainly(g, g.At(x).Args[0])
	}
	to := ir.Swapped(n, w.H*w.W, w.C).String()
	for j := x + 1; j < end; j++ {
		in := g.At(j)
		if o, ok := in.Op.(ir.Gather); ok && live[j] && plainly(g, in.Args[0]) == x && o.View.String() == to {
			return j
		}
	}
	return none
}

// plainly returns id without the reshapes around it.
func plainly(g *ir.Graph, id ir.ID) ir.ID {
	for ir.Is[ir.Reshape](g.At(id)) {
		id = g.At(id).Args[0]
	}
	return id
}
