package rules

import "github.com/stheno-ebm/stheno/graphs/internal/ir"

// A rule replaces an instruction by something cheaper.
type rule struct {
	name string             // the identity it applies
	try  func(n node) ir.ID // none if it does not apply
}

// none is returned by a rule that does not apply.
const none ir.ID = -1

// node is the instruction that a rule may replace, with the graph that the replacement goes into.
type node struct {
	*ir.Graph
	ir.Instr
	a, b ir.ID    // its first two arguments, or none
	x, y ir.Instr // the instructions that compute them

	out  bool           // whether it is an output
	outs map[ir.ID]bool // the outputs so far
}

// family returns the rules for instructions of the type of op.
func family(op ir.Op) []rule {
	switch op.(type) {
	case ir.Data:
		return ofData
	case ir.Unary, ir.Pow, ir.Func:
		return ofFunctions
	case ir.Add:
		return ofAdd
	case ir.Sub:
		return ofSub
	case ir.Mul:
		return ofMul
	case ir.Div:
		return ofDiv
	case ir.Power:
		return ofPower
	case ir.Scale:
		return ofScale
	case ir.Shift:
		return ofShift
	case ir.MatMul:
		return ofMatMul
	case ir.BatchMatMul:
		return ofBatchMatMul
	case ir.RowSum:
		return ofRowSum
	case ir.ColSum:
		return ofColSum
	case ir.Sum:
		return ofSum
	case ir.RowMax, ir.RowLSE, ir.RowSoftmax:
		return ofRows
	case ir.ExpandCols:
		return ofExpandCols
	case ir.ExpandRows:
		return ofExpandRows
	case ir.Fill:
		return ofFill
	case ir.SliceCols:
		return ofSliceCols
	case ir.SliceRows:
		return ofSliceRows
	case ir.PadCols, ir.PadRows:
		return ofPads
	case ir.ConcatCols, ir.ConcatRows:
		return ofConcats
	case ir.Transpose:
		return ofTranspose
	case ir.Reshape:
		return ofReshape
	case ir.Gather:
		return ofGather
	case ir.Put:
		return ofPut
	case ir.Scatter:
		return ofScatter
	case ir.Fold:
		return ofFold
	case ir.Conv:
		return ofConv
	case ir.PoolPick:
		return ofPoolPick
	case ir.PoolPlace, ir.PoolSum, ir.Spread:
		return []rule{zeroStays("pool 0 = 0")}
	case ir.Compare, ir.Max, ir.Min:
		return []rule{behindTurn, aroundReshape}
	case ir.Pick:
		return ofPick
	case ir.Place:
		return ofPlace
	}
	return nil
}

// Apply returns g after all passes of this package.
func Apply(g *ir.Graph) *ir.Graph { return Fuse(Fold(Simplify(g))) }

// Simplify returns g simplified by all rules.
func Simplify(g *ir.Graph) *ir.Graph { return simplify(g, nil) }

// simplify returns g simplified by the rules that use selects; nil selects all. Rules that were selected are not
// applied to the replacements that a rule emits.
func simplify(g *ir.Graph, use func(rule) bool) *ir.Graph {
	trying, isOut, outs := false, false, map[ir.ID]bool{}
	out := ir.Rewriting(func(to *ir.Graph, in *ir.Instr) (ir.ID, bool) {
		rules := family(in.Op)
		if len(rules) == 0 {
			return 0, false
		}
		n := node{Graph: to, Instr: *in, a: none, b: none, out: isOut, outs: outs}
		isOut = false // of the instructions that a rule emits, only the final result is an output
		if len(in.Args) > 0 {
			n.a = in.Args[0]
			n.x = *to.At(n.a)
		}
		if len(in.Args) > 1 {
			n.b = in.Args[1]
			n.y = *to.At(n.b)
		}
		for _, r := range rules {
			if use != nil && (trying || !use(r)) {
				continue
			}
			trying = true
			id := r.try(n)
			trying = false
			if id != none {
				return id, true
			}
		}
		return 0, false
	})
	out.Held = g.Held
	at := make([]ir.ID, len(g.Code))
	wanted := make([]bool, len(g.Code))
	for _, o := range g.Outputs {
		wanted[o] = true
	}
	for i := range g.Code {
		in := &g.Code[i]
		args := make([]ir.ID, len(in.Args))
		for j, a := range in.Args {
			args[j] = at[a]
		}
		isOut = wanted[i]
		at[i] = out.Emit(in.Op, in.Rows, in.Cols, args...)
		if isOut = false; wanted[i] {
			outs[at[i]] = true
		}
	}
	for _, o := range g.Outputs {
		out.Outputs = append(out.Outputs, at[o])
	}
	return out
}

// like is the constant c, shaped like the result.
func (n node) like(c float64) ir.ID { return n.Const(n.Rows, n.Cols, c) }

// isZero reports whether id is the constant 0.
func (n node) isZero(id ir.ID) bool {
	c, ok := n.At(id).Constant()
	return ok && c == 0
}

// lift moves f inside the broadcast that computes the argument, if there is one.
func (n node) lift(f func(ir.ID) ir.ID) ir.ID {
	switch n.x.Op.(type) {
	case ir.ExpandCols:
		return n.ExpandCols(f(n.x.Args[0]), n.Cols)
	case ir.ExpandRows:
		return n.ExpandRows(f(n.x.Args[0]), n.Rows)
	case ir.Fill:
		return n.Fill(f(n.x.Args[0]), n.Rows, n.Cols)
	}
	return none
}

// lift2 moves f inside two broadcasts of the same kind.
func (n node) lift2(f func(a, b ir.ID) ir.ID) ir.ID {
	if !n.x.Expands() || n.x.Op != n.y.Op { // expansions have no fields
		return none
	}
	return n.lift(func(a ir.ID) ir.ID { return f(a, n.y.Args[0]) })
}
