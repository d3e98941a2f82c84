package graphs

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// costs is the cost of evaluating a graph once, with equal expressions counted once.
type costs struct {
	MatMul         int64 // floating-point operations of matrix products, 2mkn for (m,k)·(k,n)
	Elementwise    int64 // elements of sums, products, quotients and other cheap functions
	Transcendental int64 // elements of exp, log, tanh, SiLU … and their derivatives
	Memory         int64 // elements read or written by reductions, expansions and copies
	Nodes          int   // operations

	// Products counts the matrix products by (m,k,n).
	Products map[[3]int]int
}

// Weights of an element in floating-point operations of a product. They are rounded ratios of the times of vectorised
// kernels: a product runs at some 100 operations per nanosecond and core, exp-like functions at three elements, cheap
// ones, limited by the cache, at ten.
const (
	elementWeight        = 10
	transcendentalWeight = 40
)

// Total returns the cost as one number, in floating-point operations of a matrix product.
func (c costs) Total() float64 {
	return float64(c.MatMul) + elementWeight*float64(c.Elementwise+c.Memory) +
		transcendentalWeight*float64(c.Transcendental)
}

// Count returns the number of products whose three dimensions are m, k and n, in any order.
func (c costs) Count(m, k, n int) int {
	want := sorted([3]int{m, k, n})
	total := 0
	for dims, times := range c.Products {
		if sorted(dims) == want {
			total += times
		}
	}
	return total
}

func sorted(d [3]int) [3]int {
	slices.Sort(d[:])
	return d
}

func (c costs) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d operations: products %.3g Mflop, %d elements, %d transcendental, %d moved", c.Nodes,
		float64(c.MatMul)/1e6, c.Elementwise, c.Transcendental, c.Memory)
	dims := slices.SortedFunc(maps.Keys(c.Products), func(x, y [3]int) int { return y[0]*y[1]*y[2] - x[0]*x[1]*x[2] })
	for _, d := range dims {
		fmt.Fprintf(&b, "\n%4d × (%d,%d)·(%d,%d)", c.Products[d], d[0], d[1], d[1], d[2])
	}
	return b.String()
}

// costOf counts the cost of evaluating outputs together. Gorgonia's operations count as their translations, or, if
// there is none, as cheap element-wise ones.
func costOf(outputs ...*G.Node) costs {
	c := costs{Products: map[[3]int]int{}}
	for i, n := range outputs {
		if missing(n) {
			failf("cost: output %d is missing or in no graph", i)
		}
	}
	order, in := topological(outputs...)
	number := map[*G.Node]int{} // equal expressions have equal numbers
	seen := map[string]int{}
	for _, n := range order {
		o, own := ownOp(n)
		var b []byte
		switch {
		case len(in[n]) == 0:
			b = fmt.Appendf(b, "leaf %p", n)
		default:
			b = append(b, n.Op().String()...)
			for _, d := range n.Shape() {
				b = append(strconv.AppendInt(b, int64(d), 10), ',')
			}
			if own && isConstant(o) {
				break
			}
			for _, x := range in[n] {
				b = strconv.AppendInt(append(b, ' '), int64(number[x]), 10)
			}
		}
		key := string(b)
		if k, ok := seen[key]; ok {
			number[n] = k
			continue
		}
		number[n] = len(seen)
		seen[key] = len(seen)
		switch {
		case len(in[n]) == 0:
		case own:
			c.add(o, n, in[n])
		default:
			c.addBuiltin(n, in[n])
		}
	}
	return c
}

// addBuiltin counts the operations into which a Gorgonia operation is translated.
func (c *costs) addBuiltin(n *G.Node, in G.Nodes) {
	var e *G.Node
	if err := try(func() { e = translate(n, in) }); err != nil || e == nil {
		c.Nodes++
		c.Elementwise += int64(n.Shape().TotalSize())
		return
	}
	order, args := topologicalFrom(below(n, in), e)
	for _, m := range order {
		if o, ok := ownOp(m); ok && len(args[m]) > 0 {
			c.add(o, m, args[m])
		}
	}
}

func (c *costs) add(o operation, n *G.Node, in G.Nodes) {
	size := int64(n.Shape().TotalSize())
	c.Nodes++
	product := func(m, k, n int) {
		c.Products[[3]int{m, k, n}]++
		c.MatMul += 2 * int64(m) * int64(k) * int64(n)
	}
	operand := func(i int) tensor.Shape { return in[i].Shape() }
	switch o := o.(type) {
	case matmulOp:
		m, k, n, _ := o.sizes(operand(0), operand(1))
		product(m, k, n)
	case batchMatmulOp:
		m, k, n, _ := o.sizes(operand(0)[1:], operand(1)[1:])
		for range operand(0)[0] {
			product(m, k, n)
		}
	case affineOp:
		product(operand(0)[0], operand(0)[1], operand(1)[0])
	case convOp: // per sample and group
		product(operand(0)[0]*o.w.OH()*o.w.OW(), o.w.Taps(), o.w.OC)
	case unaryOp:
		if o.transcendental() {
			c.Transcendental += size
		} else {
			c.Elementwise += size
		}
	case rowLogSumExpOp, rowSoftmaxOp:
		c.Transcendental += int64(operand(0).TotalSize())
	case rowSumOp, colSumOp, sumOp:
		c.Memory += int64(operand(0).TotalSize())
	case constOp, unitOp, reshapeOp, fillOp, stopOp:
		c.Nodes-- // need not be computed at all
	case expandRowsOp, expandColsOp:
		// read in place by their users
	case transposeOp, sliceOp, padOp, concatOp, gatherOp, scatterOp, pickOp, placeOp, poolPickOp, poolPlaceOp,
		poolSumOp:
		c.Memory += size
	default:
		c.Elementwise += size
	}
}

func (o unaryOp) transcendental() bool {
	switch o.fn {
	case fnReLU, fnStep, fnAbs, fnSign, fnSquare, fnSqrt, fnReciprocal:
		return false
	}
	return true
}
