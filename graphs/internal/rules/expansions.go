package rules

import "github.com/stheno-ebm/stheno/graphs/internal/ir"

// asItIs is the rule that an instruction whose result has the shape of its argument does nothing.
func asItIs(name string) rule {
	return rule{name, func(n node) ir.ID {
		if n.Rows == n.x.Rows && n.Cols == n.x.Cols {
			return n.a
		}
		return none
	}}
}

// uniform is the rule for an instruction that only moves or repeats elements: of a uniform argument it gives the same
// value in its own shape.
func uniform(name string) rule {
	return rule{name, func(n node) ir.ID {
		if c, ok := n.x.Constant(); ok {
			return n.like(c)
		}
		if ir.Is[ir.Fill](&n.x) {
			return n.Fill(n.x.Args[0], n.Rows, n.Cols)
		}
		return none
	}}
}

var ofExpandCols = []rule{
	asItIs("expandcols x = x"),
	uniform("expandcols c"),
	{"expandcols of one number is a fill", func(n node) ir.ID { // (1,1) → (n,1) → (n,m)
		switch {
		case ir.Is[ir.ExpandRows](&n.x):
			return n.Fill(n.x.Args[0], n.Rows, n.Cols)
		case n.x.Rows == 1:
			return n.Fill(n.a, n.Rows, n.Cols)
		}
		return none
	}},
}

var ofExpandRows = []rule{
	asItIs("expandrows x = x"),
	uniform("expandrows c"),
	{"expandrows of one number is a fill", func(n node) ir.ID {
		if n.x.Cols == 1 {
			return n.Fill(n.a, n.Rows, 1)
		}
		return none
	}},
}

var ofFill = []rule{
	asItIs("fill x = x"),
	{"fill c", func(n node) ir.ID {
		if c, ok := n.x.Constant(); ok {
			return n.like(c)
		}
		return none
	}},
}
