package graphs

import (
	"errors"
	"fmt"
	"slices"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/gorgonia"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
)

// Two of Gorgonia's operations have state that their derivatives need.

// maskOp is the mask of a Dropout: 1/(1-p) for the elements that it keeps, 0 for the others, 1 outside training. Its
// operands are operand and result of the Dropout. A Machine and a compiled Function draw the mask once per run, by run,
// and use it for value and gradient alike; on Gorgonia's own machines, where the operation itself draws, it is
// recovered from the two values, which treats an element that was 0 before as dropped, like Gorgonia's gradient.
type maskOp struct {
	op G.Op
	p  float64
}

func (o maskOp) String() string { return fmt.Sprintf("dropoutmask(%g,%p)", o.p, o.op) }
func (o maskOp) arity() int     { return 2 }
func (o maskOp) fixed() []bool  { return []bool{true, true} }

func (o maskOp) shape(in []tensor.Shape) (tensor.Shape, error) { return slices.Clone(in[0]), nil }

func (o maskOp) off() bool {
	on, known := gorgonia.Training(o.op)
	return o.p == 0 || known && !on
}

func (o maskOp) eval(dst []float64, in [][]float64, _ []tensor.Shape) {
	for i := range dst {
		switch {
		case o.off():
			dst[i] = 1
		case in[1][i] != 0:
			dst[i] = 1 / (1 - o.p)
		default:
			dst[i] = 0
		}
	}
}

func (maskOp) vjp(G.Nodes, *G.Node, *G.Node, []bool) G.Nodes { return make(G.Nodes, 2) }
func (maskOp) jvp(G.Nodes, *G.Node, G.Nodes) *G.Node         { return nil }
func (maskOp) curve(G.Nodes, *G.Node, []G.Nodes) *G.Node     { return nil }

// statsOp reads the state of a BatchNorm when the program runs, for its c channels: the rows are the weight t of the
// batch's own mean and variance (1 in training, 0 in evaluation) and (1-t) times the running ones. The operand is the
// BatchNorm: if its derivative is computed, it is also run, and its statistics continue.
type statsOp struct {
	op *G.BatchNormOp
	c  int
}

func (o statsOp) String() string                             { return fmt.Sprintf("batchnormstats(%d,%p)", o.c, o.op) }
func (o statsOp) arity() int                                 { return 1 }
func (o statsOp) shape([]tensor.Shape) (tensor.Shape, error) { return tensor.Shape{3, o.c}, nil }
func (statsOp) fixed() []bool                                { return []bool{true} }
func (statsOp) volatile()                                    {}

func (o statsOp) eval(dst []float64, _ [][]float64, _ []tensor.Shape) {
	if err := loadStats(dst, o); err != nil {
		panic(err.Error())
	}
}

// loadStats stores the rows of o.
func loadStats[T kernels.Float](dst []T, o statsOp) error {
	clear(dst)
	if o.training() {
		kernels.Fill(dst[:o.c], 1)
		return nil
	}
	mean, variance := o.op.Stats()
	return errors.Join(loadValue(dst[o.c:2*o.c], mean), loadValue(dst[2*o.c:], variance))
}

func (statsOp) vjp(G.Nodes, *G.Node, *G.Node, []bool) G.Nodes { return G.Nodes{nil} }
func (statsOp) jvp(G.Nodes, *G.Node, G.Nodes) *G.Node         { return nil }
func (statsOp) curve(G.Nodes, *G.Node, []G.Nodes) *G.Node     { return nil }
