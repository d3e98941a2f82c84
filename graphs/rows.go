package graphs

import G "gorgonia.org/gorgonia"

// RowWise reports that row i of y depends on row i of every x only, as far as the graph tells: Gorgonia's own operations, and those that
// mix rows under some arguments only, count as if they mixed them. Where it says no, numbers can tell more.
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
