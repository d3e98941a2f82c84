package graphs

import (
	"fmt"
	"slices"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// batchMatmulOp multiplies op(A_i)·op(B_i), the matrices along the first axis of two arrays: (b,m,k)·(b,k,n).
type batchMatmulOp struct{ matmulOp }

func (o batchMatmulOp) String() string { return "batch" + o.matmulOp.String() }

func (o batchMatmulOp) shape(in []tensor.Shape) (tensor.Shape, error) {
	a, b := in[0], in[1]
	if len(a) != 3 || len(b) != 3 || a[0] != b[0] {
		return nil, fmt.Errorf("%w: want as many matrices on both sides", ErrShape)
	}
	m, _, n, err := o.sizes(a[1:], b[1:])
	if err != nil {
		return nil, err
	}
	return tensor.Shape{a[0], m, n}, nil
}

func (o batchMatmulOp) eval(dst []float64, in [][]float64, shape []tensor.Shape) {
	n := shape[0][0]
	each := func(x []float64, i int) []float64 { return x[i*len(x)/n : (i+1)*len(x)/n] }
	for i := range n {
		o.matmulOp.eval(each(dst, i), [][]float64{each(in[0], i), each(in[1], i)}, []tensor.Shape{shape[0][1:], shape[1][1:]})
	}
}

func (o batchMatmulOp) vjp(in G.Nodes, _, g *G.Node, want []bool) G.Nodes {
	return o.vjpOf(batchMatMul, in, g, want)
}

func (o batchMatmulOp) jvp(in G.Nodes, _ *G.Node, t G.Nodes) *G.Node {
	return o.jvpOf(batchMatMul, in, t)
}

func (o batchMatmulOp) curve(_ G.Nodes, _ *G.Node, dirs []G.Nodes) *G.Node {
	return o.curveOf(batchMatMul, dirs)
}

func batchMatMul(a, b *G.Node, ta, tb bool) *G.Node {
	for _, x := range []*G.Node{a, b} {
		if c, ok := constantOf(x); ok && c == 0 {
			if s, err := (batchMatmulOp{matmulOp{ta, tb}}).shape([]tensor.Shape{a.Shape(), b.Shape()}); err == nil {
				return constant(0, s, a)
			}
		}
	}
	return apply(batchMatmulOp{matmulOp{ta, tb}}, a, b)
}

// BatchMatMul is op(a)·op(b) for every pair of matrices on the last two axes of a (…,m,k) and b (…,k,n), where op
// transposes if transA, transB are set: (…,m,n). The leading axes are batch axes. They must agree, or be 1 or missing
// on one side, whose matrices are then reused.
func BatchMatMul(a, b *G.Node, transA, transB bool) *G.Node {
	o := batchMatmulOp{matmulOp{transA, transB}}
	need(o, a, b)
	sa, sb := a.Shape(), b.Shape()
	if len(sa) < 2 || len(sb) < 2 {
		return apply(o, a, b) // fails
	}
	batch, ok := broadcast(sa[:len(sa)-2], sb[:len(sb)-2])
	m, _, n, err := o.sizes(sa[len(sa)-2:], sb[len(sb)-2:])
	if !ok || err != nil {
		return apply(o, a, b) // fails
	}
	to := append(slices.Clone(batch), m, n)
	if sb[:len(sb)-2].TotalSize() == 1 && !transA { // one matrix on the right: one product of all rows
		rows := batch.TotalSize() * m
		return Reshape(MatMul(Reshape(a, rows, sa[len(sa)-1]), Reshape(b, sb[len(sb)-2:]...), false, transB), to...)
	}
	parts := func(x *G.Node, s tensor.Shape) *G.Node {
		two := s[len(s)-2:]
		x = expanded(x, append(slices.Clone(batch), two...))
		return Reshape(x, batch.TotalSize(), two[0], two[1])
	}
	return Reshape(batchMatMul(parts(a, sa), parts(b, sb), transA, transB), to...)
}
