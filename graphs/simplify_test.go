package graphs

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// operandsOf makes matrices of shape (n,m), or vectors of n for m = 0, in every form that the builders treat
// specially.
func operandsOf(g *G.ExprGraph, bound map[*G.Node]G.Value, n, m int) map[string]*G.Node {
	input := func(shape ...int) *G.Node {
		x := NewInput(g, tensor.Float64, fmt.Sprint("input", len(bound)), shape...)
		v := newValue(tensor.Float64, shape)
		rng := rand.New(rand.NewPCG(uint64(len(bound)), 2))
		d := make([]float64, tensor.Shape(shape).TotalSize())
		for i := range d {
			d[i] = rng.NormFloat64()
		}
		if err := writeValue(v, d); err != nil {
			panic(err)
		}
		bound[x] = v
		return x
	}
	if m == 0 {
		x := input(n)
		s := map[string]*G.Node{"any": x, "const": constant(1.5, x.Shape(), x), "zero": ZerosLike(x),
			"scaled": Scale(x, 2), "negated": Neg(x), "shifted": Shift(x, 1),
			"fill": fill(input(1), n), "reshaped": Reshape(input(n, 1), n)}
		if n > 1 {
			s["padded"] = PadRows(input(n-1), 1, 0)
			s["joined"] = ConcatRows(input(1), input(n-1))
			s["sliced"] = SliceRows(input(n+2), 1, n+1)
		}
		return s
	}
	x := input(n, m)
	s := map[string]*G.Node{
		"any": x, "const": constant(1.5, x.Shape(), x), "zero": ZerosLike(x), "scaled": Scale(x, 2),
		"negated": Neg(x), "shifted": Shift(x, 1), "unit": unit(x, m-1), "rows": ExpandRows(input(m), n),
		"cols": ExpandCols(input(n, 1), m), "fill": fill(input(1), n, m), "transposed": Transpose(input(m, n)),
		"reshaped": Reshape(input(m*n), n, m),
	}
	if m > 1 {
		s["padded cols"] = PadCols(input(n, m-1), 0, 1)
		s["joined cols"] = ConcatCols(input(n, 1), input(n, m-1))
		s["sliced cols"] = SliceCols(input(n, m+2), 1, m+1)
	}
	if n > 1 {
		s["padded rows"] = PadRows(input(n-1, m), 1, 0)
		s["joined rows"] = ConcatRows(input(1, m), input(n-1, m))
		s["sliced rows"] = SliceRows(input(n+2, m), 1, n+1)
	}
	return s
}

// For operands of special form, the builders give the value and shape of the plain operation.
func TestSimplifications(t *testing.T) {
	defer Building()()
	g := G.NewGraph()
	bound := map[*G.Node]G.Value{}
	checked := 0
	check := func(what string, build func() *G.Node, plain operation, in ...*G.Node) {
		t.Helper()
		checked++
		value := func(n *G.Node) []float64 {
			v, err := interpret(n, bound)
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			x, err := readValue(v)
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			return x
		}
		var got *G.Node
		derive(nil, func() { got = build() })
		want := apply(plain, in...)
		if !sameShape(got, want) {
			t.Fatalf("%s: got shape %v, want %v", what, got.Shape(), want.Shape())
		}
		x, y := value(got), value(want)
		for i := range x {
			if !(math.Abs(x[i]-y[i]) <= 1e-12*(1+math.Abs(y[i]))) {
				t.Fatalf("%s = %v: element %d: got %g, want %g", what, got, i, x[i], y[i])
			}
		}
	}
	for _, s := range [][2]int{{1, 1}, {3, 1}, {1, 3}, {3, 2}} {
		n, m := s[0], s[1]
		// Two sets, so that the operands of a product differ.
		var as, bs, vs, ws map[string]*G.Node
		derive(nil, func() {
			as, bs = operandsOf(g, bound, n, m), operandsOf(g, bound, n, m)
			vs, ws = operandsOf(g, bound, n, 0), operandsOf(g, bound, n, 0)
		})
		for an, a := range as {
			what := fmt.Sprint(s, " ", an)
			check("RowSum "+what, func() *G.Node { return RowSum(a) }, rowSumOp{}, a)
			check("ColSum "+what, func() *G.Node { return ColSum(a) }, colSumOp{}, a)
			check("Sum "+what, func() *G.Node { return Sum(a) }, sumOp{}, a)
			check("Transpose "+what, func() *G.Node { return Transpose(a) }, transposeOp{}, a)
			check("Reshape "+what, func() *G.Node { return Reshape(a, m, n) }, reshapeOp{s: tensor.Shape{m, n}}, a)
			check("Scale "+what, func() *G.Node { return Scale(a, -1) }, scaleOp{-1}, a)
			check("Shift "+what, func() *G.Node { return Shift(a, 2) }, shiftOp{2}, a)
			check("Sin "+what, func() *G.Node { return Sin(a) }, unaryOp{fn: fnSin}, a)
			for lo := range m {
				for hi := lo + 1; hi <= m; hi++ {
					check(fmt.Sprint("SliceCols ", lo, hi, what), func() *G.Node {
						return SliceCols(a, lo, hi)
					}, sliceOp{axis: 1, lo: lo, hi: hi}, a)
				}
			}
			for lo := range n {
				for hi := lo + 1; hi <= n; hi++ {
					check(fmt.Sprint("SliceRows ", lo, hi, what), func() *G.Node {
						return SliceRows(a, lo, hi)
					}, sliceOp{axis: 0, lo: lo, hi: hi}, a)
				}
			}
			check("PadCols "+what, func() *G.Node { return PadCols(a, 1, 0) }, padOp{axis: 1, before: 1}, a)
			if m == 1 {
				check("ExpandCols "+what, func() *G.Node { return ExpandCols(a, 3) }, expandColsOp{m: 3}, a)
			}
			if n*m == 1 {
				check("Fill "+what, func() *G.Node { return fill(a, 3, 2) }, fillOp{s: tensor.Shape{3, 2}}, a)
			}
			for bn, b := range bs {
				what := what + ", " + bn
				check("Add "+what, func() *G.Node { return Add(a, b) }, binaryOp{add}, a, b)
				check("Sub "+what, func() *G.Node { return Sub(a, b) }, binaryOp{sub}, a, b)
				check("Mul "+what, func() *G.Node { return Mul(a, b) }, binaryOp{mul}, a, b)
				if bn != "zero" && bn != "unit" && bn != "padded cols" && bn != "padded rows" {
					check("Div "+what, func() *G.Node { return Div(a, b) }, binaryOp{div}, a, b)
				}
				check("MatMul NT "+what, func() *G.Node { return MatMul(a, b, false, true) }, matmulOp{false, true}, a, b)
				check("MatMul TN "+what, func() *G.Node { return MatMul(a, b, true, false) }, matmulOp{true, false}, a, b)
			}
		}
		var cs map[string]*G.Node
		derive(nil, func() { cs = operandsOf(g, bound, m, 4) })
		for an, a := range as {
			for cn, c := range cs {
				what := fmt.Sprint(s, " ", an, ", ", cn)
				check("MatMul NN "+what, func() *G.Node { return MatMul(a, c, false, false) }, matmulOp{false, false}, a, c)
				check("MatMul TT "+what, func() *G.Node { return MatMul(c, a, true, true) }, matmulOp{true, true}, c, a)
			}
		}
		for vn, v := range vs {
			what := fmt.Sprint(n, " ", vn)
			check("ExpandRows "+what, func() *G.Node { return ExpandRows(v, 2) }, expandRowsOp{n: 2}, v)
			check("Sum "+what, func() *G.Node { return Sum(v) }, sumOp{}, v)
			check("Reshape "+what, func() *G.Node { return Reshape(v, n, 1) }, reshapeOp{s: tensor.Shape{n, 1}}, v)
			for wn, w := range ws {
				check("Mul "+what+wn, func() *G.Node { return Mul(v, w) }, binaryOp{mul}, v, w)
				check("Sub "+what+wn, func() *G.Node { return Sub(v, w) }, binaryOp{sub}, v, w)
			}
		}
	}
	t.Log(checked, "expressions")
}
