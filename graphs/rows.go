package graphs

import G "gorgonia.org/gorgonia"

// RowWise reports whether row i of y depends only on row i of every x, as far as the graph shows: Gorgonia's own
// operations, and those that mix rows only for some arguments, count as mixing them. If it returns false, a numerical
// test may show more.
func RowWise(y *G.Node, x ...*G.Node) bool {
	order, in := topological(y)
	depends := map[*G.Node]bool{}
	for _, n := range x {
		depends[n] = true
	}
	for _, n := range order {
		o, own := ownOp(n)
		if depends[n] || own && isConstant(o) {
			continue
		}
		for _, c := range in[n] {
			depends[n] = depends[n] || depends[c]
		}
		if depends[n] && !(own && rowwise(n, in[n], depends)) {
			return false
		}
	}
	return true
}
