package rules

import (
	"slices"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/strided"
)

// product returns the flags of a MatMul.
func (n node) product() ir.MatMul { return n.Op.(ir.MatMul) }

var ofMatMul = slices.Concat(ofPatches, []rule{
	{"transposed operands are read as they are", func(n node) ir.ID {
		o, x, y := n.product(), n.a, n.b
		if ir.Is[ir.Transpose](&n.x) {
			x, o.TA = n.x.Args[0], !o.TA
		}
		if ir.Is[ir.Transpose](&n.y) {
			y, o.TB = n.y.Args[0], !o.TB
		}
		if x == n.a && y == n.b {
			return none
		}
		return n.MatMul(x, y, o.TA, o.TB)
	}},
	{"x·0 = 0", func(n node) ir.ID {
		if n.isZero(n.a) || n.isZero(n.b) {
			return n.like(0)
		}
		return none
	}},
	{"(c x)·y = c (x·y)", func(n node) ir.ID { // scales the smaller matrix
		o := n.product()
		if c, x, ok := factor(n.x); ok && !o.TA && n.Len() < n.x.Len() {
			return n.Scale(n.MatMul(x, n.b, o.TA, o.TB), c)
		}
		return none
	}},
	{"c·y: every row is c times the column sums of y", func(n node) ir.ID {
		c, ok := n.x.Constant()
		if !ok {
			return none
		}
		s := none
		if n.product().TB {
			s = n.Reshape(n.RowSum(n.b), 1, n.Cols)
		} else {
			s = n.ColSum(n.b)
		}
		return n.ExpandRows(n.Scale(s, c), n.Rows)
	}},
	{"x·c: every column is c times the row sums of x", func(n node) ir.ID {
		c, ok := n.y.Constant()
		if !ok {
			return none
		}
		s := none
		if n.product().TA {
			s = n.Reshape(n.ColSum(n.a), n.Rows, 1)
		} else {
			s = n.RowSum(n.a)
		}
		return n.ExpandCols(n.Scale(s, c), n.Cols)
	}},
	{"expand x · y = expand (x·y)", func(n node) ir.ID { // every row of the product is the same
		if o := n.product(); ir.Is[ir.ExpandRows](&n.x) && !o.TA && n.Rows > 1 {
			return n.ExpandRows(n.MatMul(n.x.Args[0], n.b, false, o.TB), n.Rows)
		}
		return none
	}},
	{"xᵀ·yᵀ = (y·x)ᵀ", func(n node) ir.ID {
		if o := n.product(); o.TA && o.TB {
			return n.Transpose(n.MatMul(n.b, n.a, false, false))
		}
		return none
	}},
	{"a column · a row = expand ∘ expand", func(n node) ir.ID { // a transposed row or column is the same numbers
		if n.product().K != 1 {
			return none
		}
		x := n.ExpandCols(n.Reshape(n.a, n.Rows, 1), n.Cols)
		return n.Mul(x, n.ExpandRows(n.Reshape(n.b, 1, n.Cols), n.Rows))
	}},
})

// batch returns the flags of a BatchMatMul and the number of rows of each product.
func (n node) batch() (o ir.BatchMatMul, m int) {
	o = n.Op.(ir.BatchMatMul)
	return o, n.Rows / o.Batch
}

var ofBatchMatMul = []rule{
	{"one product of a batch", func(n node) ir.ID {
		if o, _ := n.batch(); o.Batch == 1 {
			return n.MatMul(n.a, n.b, o.TA, o.TB)
		}
		return none
	}},
	{"batch x·0 = 0", func(n node) ir.ID {
		if n.isZero(n.a) || n.isZero(n.b) {
			return n.like(0)
		}
		return none
	}},
	{"batch xᵀ·yᵀ = (y·x)ᵀ", func(n node) ir.ID {
		o, m := n.batch()
		if !o.TA || !o.TB {
			return none
		}
		return n.Gather(n.BatchMatMul(n.b, n.a, o.Batch, false, false), transposed(o.Batch, n.Cols, m), n.Rows, n.Cols)
	}},
	{"batch of transposed columns", func(n node) ir.ID { // a row and its column have the same layout
		if o, m := n.batch(); o.TA && m == 1 {
			return n.BatchMatMul(n.Reshape(n.a, o.Batch, o.K), n.b, o.Batch, false, o.TB)
		}
		return none
	}},
	{"batch by transposed rows", func(n node) ir.ID {
		if o, _ := n.batch(); o.TB && n.Cols == 1 {
			return n.BatchMatMul(n.a, n.Reshape(n.b, o.Batch*o.K, 1), o.Batch, o.TA, false)
		}
		return none
	}},
}

// transposed is the view of n matrices (m,k), each transposed.
func transposed(n, m, k int) strided.View {
	return strided.New(n*m*k, 0, []int{n, k, m}, []int{m * k, 1, k})
}
