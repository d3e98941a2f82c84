package rules

import "github.com/stheno-ebm/stheno/graphs/internal/ir"

var ofRowSum = []rule{
	{"the row sum of a column", func(n node) ir.ID {
		if n.x.Cols == 1 {
			return n.a
		}
		return none
	}},
	{"the row sum of c", func(n node) ir.ID {
		if c, ok := n.x.Constant(); ok {
			return n.like(c * float64(n.x.Cols))
		}
		return none
	}},
	{"rowsum (c x) = c rowsum x", func(n node) ir.ID {
		if c, x, ok := factor(n.x); ok {
			return n.Scale(n.RowSum(x), c)
		}
		return none
	}},
	{"rowsum (expand x)", func(n node) ir.ID {
		switch n.x.Op.(type) {
		case ir.ExpandCols:
			return n.Scale(n.x.Args[0], float64(n.x.Cols))
		case ir.ExpandRows:
			return n.ExpandRows(n.RowSum(n.x.Args[0]), n.Rows)
		case ir.Fill:
			return n.Fill(n.Scale(n.x.Args[0], float64(n.x.Cols)), n.Rows, 1)
		}
		return none
	}},
	{"rowsum (padcols x) = rowsum x", func(n node) ir.ID {
		if ir.Is[ir.PadCols](&n.x) {
			return n.RowSum(n.x.Args[0])
		}
		return none
	}},
	// A factor that is constant along the row moves out of the sum.
	{"rowsum (x ∘ expand s) = s ∘ rowsum x", func(n node) ir.ID {
		if !ir.Is[ir.Mul](&n.x) {
			return none
		}
		for i := range 2 {
			if e := *n.At(n.x.Args[i]); ir.Is[ir.ExpandCols](&e) {
				return n.Mul(e.Args[0], n.RowSum(n.x.Args[1-i]))
			}
		}
		return none
	}},
}

var ofColSum = []rule{
	ofTurn,
	{"channel sums of pool place x = channel sums of x", func(n node) ir.ID { // fewer elements
		if !ir.Is[ir.Reshape](&n.x) {
			return none
		}
		pixels := n.At(n.x.Args[0])
		if !ir.Is[ir.ColSum](pixels) {
			return none
		}
		summands := pixels.Args
		if add := n.At(summands[0]); ir.Is[ir.Add](add) {
			summands = add.Args
		}
		sum := none
		for _, x := range summands {
			w, _, u, ok := placed(*n.At(x))
			if !ok || n.x.Cols != w.C {
				return none
			}
			s := n.ColSum(n.Reshape(n.ColSum(u), w.OH()*w.OW(), w.C))
			if sum != none {
				s = n.Add(sum, s)
			}
			sum = s
		}
		return sum
	}},
	{"the column sum of a row", func(n node) ir.ID {
		if n.x.Rows == 1 {
			return n.a
		}
		return none
	}},
	{"the column sum of c", func(n node) ir.ID {
		if c, ok := n.x.Constant(); ok {
			return n.like(c * float64(n.x.Rows))
		}
		return none
	}},
	{"colsum (c x) = c colsum x", func(n node) ir.ID {
		if c, x, ok := factor(n.x); ok {
			return n.Scale(n.ColSum(x), c)
		}
		return none
	}},
	{"colsum (expand x)", func(n node) ir.ID {
		switch n.x.Op.(type) {
		case ir.ExpandRows:
			return n.Scale(n.x.Args[0], float64(n.x.Rows))
		case ir.ExpandCols:
			return n.ExpandCols(n.ColSum(n.x.Args[0]), n.Cols)
		case ir.Fill:
			return n.Fill(n.Scale(n.x.Args[0], float64(n.x.Rows)), 1, n.Cols)
		}
		return none
	}},
	{"colsum (x ∘ expand r) = r ∘ colsum x, colsum (x ∘ expand s) = sᵀ·x", func(n node) ir.ID {
		if !ir.Is[ir.Mul](&n.x) || n.Cols == 1 {
			return none
		}
		for i := range 2 {
			e, other := *n.At(n.x.Args[i]), n.x.Args[1-i]
			switch e.Op.(type) {
			case ir.ExpandRows: // a factor that is constant along the column moves out of the sum
				return n.Mul(e.Args[0], n.ColSum(other))
			case ir.ExpandCols: // Σ_i s_i o_ij
				if o := n.At(other); !ir.Is[ir.ExpandCols](o) && !ir.Is[ir.ExpandRows](o) {
					return n.MatMul(e.Args[0], other, true, false)
				}
			}
		}
		return none
	}},
}

var ofSum = []rule{
	{"the sum of one", func(n node) ir.ID {
		if n.x.Len() == 1 {
			return n.a
		}
		return none
	}},
	{"the sum of c", func(n node) ir.ID {
		if c, ok := n.x.Constant(); ok {
			return n.like(c * float64(n.x.Len()))
		}
		return none
	}},
	{"Σ c x = c Σ x", func(n node) ir.ID {
		if c, x, ok := factor(n.x); ok {
			return n.Scale(n.Sum(x), c)
		}
		return none
	}},
	{"Σ of sums, of reshaped, transposed, padded", func(n node) ir.ID {
		switch n.x.Op.(type) {
		case ir.RowSum, ir.ColSum, ir.Reshape, ir.Transpose, ir.PadCols, ir.PadRows:
			return n.Sum(n.x.Args[0])
		}
		return none
	}},
	{"Σ expand x", func(n node) ir.ID {
		switch n.x.Op.(type) {
		case ir.ExpandCols:
			return n.Scale(n.Sum(n.x.Args[0]), float64(n.x.Cols))
		case ir.ExpandRows:
			return n.Scale(n.Sum(n.x.Args[0]), float64(n.x.Rows))
		case ir.Fill:
			return n.Scale(n.x.Args[0], float64(n.x.Len()))
		}
		return none
	}},
}

// ofRows are the rules for functions of whole rows.
var ofRows = []rule{
	{"rows of one", func(n node) ir.ID {
		switch {
		case n.x.Cols != 1:
			return none
		case ir.Is[ir.RowSoftmax](&n.Instr):
			return n.like(1)
		}
		return n.a
	}},
	{"rowmax xᵀ = (colmax x)ᵀ", func(n node) ir.ID {
		if ir.Is[ir.RowMax](&n.Instr) && ir.Is[ir.Transpose](&n.x) {
			return n.Reshape(n.ColMax(n.x.Args[0]), n.Rows, 1)
		}
		return none
	}},
}
