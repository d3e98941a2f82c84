package rules

import "github.com/stheno-ebm/stheno/graphs/internal/ir"

// part returns the argument of a concatenation that contains columns (or rows) lo … hi−1, and where it begins.
func (n node) part(lo, hi int, length func(*ir.Instr) int) (p ir.ID, at int) {
	for _, p := range n.x.Args {
		w := length(n.At(p))
		if lo >= at && hi <= at+w {
			return p, at
		}
		at += w
	}
	return none, 0
}

var ofSliceCols = []rule{
	asItIs("all columns"),
	uniform("slicecols c"),
	{"slicecols (expandcols x)", func(n node) ir.ID {
		if ir.Is[ir.ExpandCols](&n.x) {
			return n.ExpandCols(n.x.Args[0], n.Cols)
		}
		return none
	}},
	{"slicecols (slicecols x)", func(n node) ir.ID {
		if o, ok := n.x.Op.(ir.SliceCols); ok {
			s := n.Op.(ir.SliceCols)
			return n.SliceCols(n.x.Args[0], o.Lo+s.Lo, o.Lo+s.Hi)
		}
		return none
	}},
	{"slicecols (concatcols …)", func(n node) ir.ID {
		s := n.Op.(ir.SliceCols)
		if !ir.Is[ir.ConcatCols](&n.x) {
			return none
		}
		p, at := n.part(s.Lo, s.Hi, func(in *ir.Instr) int { return in.Cols })
		if p == none {
			return none
		}
		return n.SliceCols(p, s.Lo-at, s.Hi-at)
	}},
	{"slicecols (padcols x)", func(n node) ir.ID {
		s := n.Op.(ir.SliceCols)
		switch o, ok := n.x.Op.(ir.PadCols); {
		case !ok:
			return none
		case s.Lo >= o.Lo && s.Hi <= o.Hi:
			return n.SliceCols(n.x.Args[0], s.Lo-o.Lo, s.Hi-o.Lo)
		case s.Hi <= o.Lo || s.Lo >= o.Hi:
			return n.like(0)
		}
		return none
	}},
}

var ofSliceRows = []rule{
	asItIs("all rows"),
	uniform("slicerows c"),
	{"slicerows (expandrows x)", func(n node) ir.ID {
		if ir.Is[ir.ExpandRows](&n.x) {
			return n.ExpandRows(n.x.Args[0], n.Rows)
		}
		return none
	}},
	{"slicerows (slicerows x)", func(n node) ir.ID {
		if o, ok := n.x.Op.(ir.SliceRows); ok {
			s := n.Op.(ir.SliceRows)
			return n.SliceRows(n.x.Args[0], o.Lo+s.Lo, o.Lo+s.Hi)
		}
		return none
	}},
	{"slicerows (concatrows …)", func(n node) ir.ID {
		s := n.Op.(ir.SliceRows)
		if !ir.Is[ir.ConcatRows](&n.x) {
			return none
		}
		p, at := n.part(s.Lo, s.Hi, func(in *ir.Instr) int { return in.Rows })
		if p == none {
			return none
		}
		return n.SliceRows(p, s.Lo-at, s.Hi-at)
	}},
}

var ofPads = []rule{
	asItIs("no padding"),
	{"padded 0 = 0", func(n node) ir.ID {
		if n.isZero(n.a) {
			return n.like(0)
		}
		return none
	}},
}

var ofConcats = []rule{
	{"one part alone", func(n node) ir.ID {
		if len(n.Args) == 1 {
			return n.a
		}
		return none
	}},
}

var ofTranspose = []rule{
	{"a transposed row or column is the same numbers", func(n node) ir.ID {
		if n.Rows == 1 || n.Cols == 1 {
			return n.Reshape(n.a, n.Rows, n.Cols)
		}
		return none
	}},
	{"xᵀᵀ = x", func(n node) ir.ID {
		if ir.Is[ir.Transpose](&n.x) {
			return n.x.Args[0]
		}
		return none
	}},
	uniform("cᵀ"),
	{"(expand x)ᵀ = expand xᵀ", func(n node) ir.ID {
		switch n.x.Op.(type) {
		case ir.ExpandRows:
			return n.ExpandCols(n.Reshape(n.x.Args[0], n.Rows, 1), n.Cols)
		case ir.ExpandCols:
			return n.ExpandRows(n.Reshape(n.x.Args[0], 1, n.Cols), n.Rows)
		}
		return none
	}},
	{"(x·yᵀ)ᵀ = y·xᵀ", func(n node) ir.ID {
		if o, ok := n.x.Op.(ir.MatMul); ok && (o.TA || o.TB) {
			return n.MatMul(n.x.Args[1], n.x.Args[0], !o.TB, !o.TA)
		}
		return none
	}},
}

var ofReshape = []rule{
	asItIs("reshape x = x"),
	uniform("reshape c"),
	{"reshape (reshape x) = reshape x", func(n node) ir.ID {
		if ir.Is[ir.Reshape](&n.x) {
			return n.Reshape(n.x.Args[0], n.Rows, n.Cols)
		}
		return none
	}},
	withinReshape,
}
