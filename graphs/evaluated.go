package graphs

import (
	"math"

	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/graphs/internal/gorgonia"
	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/strided"
)

// evaluated lowers a BatchNorm that does not train, of programs whose operations keep their mode: every channel c of x
// (b,c,…) is multiplied by 1/√(v+ε), and -μ/√(v+ε) is added, with the running mean μ and variance v as they are now.
func (l *lowering) evaluated(n *G.Node, args []ir.ID) (ir.ID, bool) {
	op, ok := n.Op().(*G.BatchNormOp)
	if !l.still || !ok || (statsOp{op: op}).training() {
		return 0, false
	}
	s := n.Shape()
	epsilon := gorgonia.Read(op).Epsilon
	m, v := op.Stats()
	mean, err1 := readValue(m)
	variance, err2 := readValue(v)
	if err1 != nil || err2 != nil || len(s) < 2 || len(mean) != s[1] || len(variance) != s[1] {
		return 0, false
	}
	factor, shift := make([]float64, s[1]), make([]float64, s[1])
	for c := range factor {
		factor[c] = 1 / math.Sqrt(variance[c]+epsilon)
		shift[c] = -mean[c] * factor[c]
	}
	rows, cols := flat(s)
	channels := func(v []float64) ir.ID {
		view := strided.New(s[1], 0, []int{s[0], s[1], s[2:].TotalSize()}, []int{0, 1, 0})
		return l.to.Gather(l.to.Data(1, s[1], v), view, rows, cols)
	}
	return l.to.Add(l.to.Mul(args[0], channels(factor)), channels(shift)), true
}

// training reports the mode that the operation is in.
func (o statsOp) training() bool {
	on, known := gorgonia.Training(o.op)
	return !known || on
}
