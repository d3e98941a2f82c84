package rules

import (
	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/strided"
)

// repeatsColumn, repeatsRow and transposes recognise the views that are ExpandCols, ExpandRows and Transpose.
func repeatsColumn(v strided.View) bool {
	return v.Offset == 0 && len(v.Dims) == 2 && v.Strides[0] == 1 && v.Strides[1] == 0 && v.Dims[0] == v.Size
}

func repeatsRow(v strided.View) bool {
	return v.Offset == 0 && len(v.Dims) == 2 && v.Strides[0] == 0 && v.Strides[1] == 1 && v.Dims[1] == v.Size
}

func transposes(v strided.View) bool {
	return v.Offset == 0 && len(v.Dims) == 2 && v.Dims[0]*v.Dims[1] == v.Size &&
		v.Strides[0] == 1 && v.Strides[1] == v.Dims[0]
}

// sameNumbers is the rule that a view of all elements in order is a reshape.
func sameNumbers(name string, view func(op ir.Op) strided.View) rule {
	return rule{name, func(n node) ir.ID {
		if view(n.Op).Identity() {
			return n.Reshape(n.a, n.Rows, n.Cols)
		}
		return none
	}}
}

// behindReshape is the rule that an instruction that reads its argument through a view may skip a reshape: it depends
// on the order of the elements, not on the shape.
func behindReshape(name string) rule {
	return rule{name, func(n node) ir.ID {
		if ir.Is[ir.Reshape](&n.x) {
			return n.Emit(n.Op, n.Rows, n.Cols, n.x.Args[0])
		}
		return none
	}}
}

var ofGather = []rule{
	sameNumbers("gather all in order", func(op ir.Op) strided.View { return op.(ir.Gather).View }),
	uniform("gather c"),
	behindReshape("gather (reshape x) = gather x"),
	{"gather (gather x) = gather x", func(n node) ir.ID {
		if o, ok := n.x.Op.(ir.Gather); ok {
			if w, ok := o.View.Of(n.Op.(ir.Gather).View); ok {
				return n.Gather(n.x.Args[0], w, n.Rows, n.Cols)
			}
		}
		return none
	}},
	{"gather of one is a fill", func(n node) ir.ID {
		if n.Op.(ir.Gather).View.Size == 1 {
			return n.Fill(n.Reshape(n.a, 1, 1), n.Rows, n.Cols)
		}
		return none
	}},
	{"gather that expands or transposes", func(n node) ir.ID {
		v := n.Op.(ir.Gather).View
		r := none
		switch {
		case repeatsColumn(v):
			r = n.ExpandCols(n.Reshape(n.a, v.Dims[0], 1), v.Dims[1])
		case repeatsRow(v):
			r = n.ExpandRows(n.Reshape(n.a, 1, v.Dims[1]), v.Dims[0])
		case transposes(v):
			r = n.Transpose(n.Reshape(n.a, v.Dims[1], v.Dims[0]))
		default:
			return none
		}
		return n.Reshape(r, n.Rows, n.Cols)
	}},
}

var ofPut = []rule{
	sameNumbers("put all in order", func(op ir.Op) strided.View { return op.(ir.Put).View }),
	{"put c among c", func(n node) ir.ID {
		if c, ok := n.x.Constant(); ok && c == n.Op.(ir.Put).Fill {
			return n.like(c)
		}
		return none
	}},
	behindReshape("put (reshape x) = put x"),
	{"put that turns = gather that turns back", func(n node) ir.ID {
		v := n.Op.(ir.Put).View
		if !turned(v) {
			return none
		}
		return n.Swap(n.a, v.Dims[0], v.Dims[1], v.Dims[2], n.Rows, n.Cols)
	}},
}

var ofScatter = []rule{
	{"scatter to places of their own is a put", func(n node) ir.ID {
		if v := n.Op.(ir.Scatter).View; v.Distinct() {
			return n.Put(n.a, v, 0, n.Rows, n.Cols)
		}
		return none
	}},
	{"scatter 0 = 0", func(n node) ir.ID {
		if n.isZero(n.a) {
			return n.like(0)
		}
		return none
	}},
	{"scatter that sums", func(n node) ir.ID {
		v := n.Op.(ir.Scatter).View
		r := none
		switch {
		case v.Size == 1:
			r = n.Sum(n.a)
		case repeatsColumn(v):
			r = n.RowSum(n.Reshape(n.a, v.Dims[0], v.Dims[1]))
		case repeatsRow(v):
			r = n.ColSum(n.Reshape(n.a, v.Dims[0], v.Dims[1]))
		default:
			return none
		}
		return n.Reshape(r, n.Rows, n.Cols)
	}},
	behindReshape("scatter (reshape x) = scatter x"),
	{"scatter (scatter x) = scatter x", func(n node) ir.ID {
		if o, ok := n.x.Op.(ir.Scatter); ok {
			if w, ok := n.Op.(ir.Scatter).View.Of(o.View); ok {
				return n.Scatter(n.x.Args[0], w, n.Rows, n.Cols)
			}
		}
		return none
	}},
}

var ofPick = []rule{
	{"pick of c", func(n node) ir.ID {
		if c, ok := n.y.Constant(); ok {
			return n.like(c)
		}
		return none
	}},
}

var ofPlace = []rule{
	{"place 0 = 0", func(n node) ir.ID {
		if n.isZero(n.b) {
			return n.like(0)
		}
		return none
	}},
}
