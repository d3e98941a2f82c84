package ir

import "fmt"

type (
	// MatMul is op(a)·op(b), where op transposes if TA or TB is set.
	MatMul struct {
		byRow
		TA, TB bool
		K      int // the inner dimension

		// What package rules fuses into it.
		Packed bool // b is the result of a Pack
		Bias   int  // index of the argument (1,Cols) added to every row; 0: none
		Factor int  // index of the argument (Rows,Cols) that multiplies the result; 0: none
	}
	// BatchMatMul stacks the products op(a_i)·op(b_i) of the Batch equal row blocks of a and b.
	BatchMatMul struct {
		whole
		TA, TB   bool
		Batch, K int
	}
	// Pack is op(a) packed into the layout in which the kernels read a right operand.
	Pack struct {
		whole
		TB bool
	}
)

func (MatMul) Name() string      { return "matmul" }
func (BatchMatMul) Name() string { return "batchmatmul" }
func (Pack) Name() string        { return "pack" }

// Reduces is true if the left operand is transposed: the product then sums over its rows.
func (o MatMul) Reduces() bool { return o.TA }

// Aligned is true for the left operand and the factor, whose rows give rows of the result, and for both operands if
// the product sums over their rows.
func (o MatMul) Aligned(j int) bool { return j == 0 || o.TA || j == o.Factor }

func (o MatMul) Text(a []string) string {
	text := transposed(a[0], o.TA) + " · " + transposed(a[1], o.TB && !o.Packed)
	if o.Bias > 0 {
		text += " + " + a[o.Bias]
	}
	if o.Factor > 0 {
		text = "(" + text + ") ∘ " + a[o.Factor]
	}
	return text
}

func (o BatchMatMul) Text(a []string) string {
	return fmt.Sprintf("%d of %s · %s", o.Batch, transposed(a[0], o.TA), transposed(a[1], o.TB))
}

func (o Pack) Text(a []string) string { return "pack " + transposed(a[0], o.TB) }

// productShape returns the shape (m,n) of op(a)·op(b) and its inner dimension k.
func productShape(aRows, aCols, bRows, bCols int, ta, tb bool) (m, k, n int) {
	m, k = aRows, aCols
	if ta {
		m, k = k, m
	}
	k2, n := bRows, bCols
	if tb {
		k2, n = n, k2
	}
	if k != k2 {
		panic(fmt.Sprintf("ir: product of (%d,%d) and (%d,%d)", m, k, k2, n))
	}
	return m, k, n
}

// MatMul is op(a)·op(b).
func (g *Graph) MatMul(a, b ID, ta, tb bool) ID {
	x, y := g.At(a), g.At(b)
	m, k, n := productShape(x.Rows, x.Cols, y.Rows, y.Cols, ta, tb)
	return g.Emit(MatMul{TA: ta, TB: tb, K: k}, m, n, a, b)
}

// BatchMatMul stacks the products op(a_i)·op(b_i) of the n equal row blocks of a and b.
func (g *Graph) BatchMatMul(a, b ID, n int, ta, tb bool) ID {
	x, y := g.At(a), g.At(b)
	if x.Rows%n != 0 || y.Rows%n != 0 {
		panic(fmt.Sprintf("ir: %d products of (%d,%d) and (%d,%d)", n, x.Rows, x.Cols, y.Rows, y.Cols))
	}
	m, k, cols := productShape(x.Rows/n, x.Cols, y.Rows/n, y.Cols, ta, tb)
	return g.Emit(BatchMatMul{TA: ta, TB: tb, Batch: n, K: k}, n*m, cols, a, b)
}
