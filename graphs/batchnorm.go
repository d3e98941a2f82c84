package graphs

import (
	"slices"
	"sync"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/gorgonia"
	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
)

// normMode is what a program knows about the mode of its BatchNorms.
type normMode uint8

const (
	byOwnCode  normMode = iota // nothing: they run by their own code, which their gradients by gorgonia.Grad need
	training                   // they train whenever the program runs
	evaluating                 // they never train
	asSet                      // they do what their operations are set to when the program runs
)

// ownElements is the number of elements per channel below which a Machine runs Gorgonia's own code: it takes little
// time there, and its results are the same to the bit, which matters for derivatives that are zero but for rounding.
const ownElements = 256

// batchNorm lowers a BatchNorm of arrays (b,c,…), and its gradient by gorgonia.Grad in programs that always train it.
// With μ and v the mean and variance that it normalises by (see statsOp) and a = 1/√(v+ε), they are
//
//	y  = a (x - μ)
//	dx = a (dy - mean dy - (x-μ) a² mean (x-μ) dy)
//
// y is what translateBatchNorm makes of it, instruction by instruction, so that derivatives share them. The running
// statistics are moved by an instruction of its own, which the program keeps though nobody reads it.
func (l *lowering) batchNorm(n *G.Node, args []ir.ID) (ir.ID, bool) {
	if l.norms == byOwnCode || n.Dims() < 2 || !isFloat(n.Dtype()) {
		return 0, false
	}
	o := gorgonia.Read(n.Op())
	if o.Kind != gorgonia.BatchNorm && (o.Kind != gorgonia.BatchNormGrad || l.norms != training) {
		return 0, false
	}
	g, s := l.to, n.Shape()
	p := channelwise{g: g, b: s[0], c: s[1], size: s[2:].TotalSize(), pixels: l.rows}
	count := float64(p.b * p.size)
	if l.norms != asSet && count < ownElements {
		return 0, false
	}
	mean := func(x ir.ID) ir.ID { return g.Scale(p.sum(x), 1/count) }
	op, _ := n.Op().(*G.BatchNormOp)
	stats := l.stats(op, p.c)
	row := func(i int) ir.ID { return g.SliceRows(stats, i, i+1) }
	x := p.view(args[0])
	mu := mean(x)
	centred := g.Sub(x, p.spread(g.Add(g.Mul(row(0), mu), row(1))))
	squares := p.sum(g.Unary(kernels.Square, 0, centred))
	variance := g.Add(g.Mul(row(0), g.Scale(squares, 1/count)), row(2))
	a := g.Unary(kernels.Reciprocal, 0, g.Unary(kernels.Sqrt, 0, g.Shift(variance, o.Epsilon)))
	rows, cols := flat(s)
	if o.Kind == gorgonia.BatchNorm {
		if l.norms != evaluating {
			r := &statsRunner{op: op, momentum: o.Momentum, freedom: count - 1}
			l.effects = append(l.effects, g.Opaque(r, "", true, 1, 1, mu, squares))
		}
		return p.back(g.Mul(centred, p.spread(a)), rows, cols), true
	}
	dy := p.view(args[1])
	dy = g.Sub(dy, p.spread(mean(dy)))
	slope := g.Mul(mean(g.Mul(centred, dy)), g.Mul(a, a)) // Σ(x-μ) is 0: to subtract the mean of dy spares it the rounding
	dx := g.Mul(g.Sub(dy, g.Mul(centred, p.spread(slope))), p.spread(a))
	return p.back(dx, rows, cols), true
}

// normGradients reports whether there are gradients of BatchNorms by gorgonia.Grad.
func normGradients(order G.Nodes) bool {
	return slices.ContainsFunc(order, func(n *G.Node) bool {
		return n.Op() != nil && gorgonia.KindOf(n.Op()) == gorgonia.BatchNormGrad
	})
}

// stats lowers the statsOp of op. It comes after the given instructions.
func (l *lowering) stats(op *G.BatchNormOp, c int, after ...ir.ID) ir.ID {
	if l.norms == training {
		return l.to.ConcatRows(l.to.Const(1, c, 1), l.to.Const(2, c, 0))
	}
	id, ok := l.statsOf[op]
	if !ok {
		id = l.to.Opaque(&statsReader{statsOp{op, c}}, "", true, 3, c, after...)
		l.statsOf[op] = id
	}
	return id
}

// statsReader reads the state of a BatchNorm.
type statsReader struct{ statsOp }

func (r *statsReader) Label() string                            { return "mode and statistics of " + r.op.String() }
func (r *statsReader) Run32(dst []float32, _ [][]float32) error { return loadStats(dst, r.statsOp) }
func (r *statsReader) Run64(dst []float64, _ [][]float64) error { return loadStats(dst, r.statsOp) }

// channelwise computes with the channels of arrays (b,c,…): as rows of pixels (b·…, c), or of planes (b·c, …).
type channelwise struct {
	g          *ir.Graph
	b, c, size int
	pixels     bool
}

// view is the array as such rows.
func (p channelwise) view(x ir.ID) ir.ID {
	if p.pixels {
		return p.g.Swap(x, p.b, p.c, p.size, p.b*p.size, p.c)
	}
	return p.g.Reshape(x, p.b*p.c, p.size)
}

// back undoes view.
func (p channelwise) back(x ir.ID, rows, cols int) ir.ID {
	if p.pixels {
		return p.g.Swap(x, p.b, p.size, p.c, rows, cols)
	}
	return p.g.Reshape(x, rows, cols)
}

// sum is the sum of every channel, (1,c).
func (p channelwise) sum(x ir.ID) ir.ID {
	if p.pixels {
		return p.g.ColSum(x)
	}
	return p.g.ColSum(p.g.Reshape(p.g.RowSum(x), p.b, p.c))
}

// spread repeats v (1,c) for every element of a channel.
func (p channelwise) spread(v ir.ID) ir.ID {
	if p.pixels {
		return p.g.ExpandRows(v, p.b*p.size)
	}
	return p.g.ExpandCols(p.g.Reshape(p.g.ExpandRows(v, p.b), p.b*p.c, 1), p.size)
}

// statsRunner moves the running statistics of a BatchNorm that trains, given the mean μ and the sum s of square
// deviations of every channel: with momentum t, μ_running becomes t μ + (1-t) μ_running, and v_running becomes
// t s/(n-1) + (1-t) v_running, in the type of the program. Programs that share an operation, such as clones, take
// turns.
type statsRunner struct {
	op       *G.BatchNormOp
	momentum float64
	freedom  float64 // n-1
	mu       sync.Mutex
}

func (r *statsRunner) Label() string                               { return "statistics of " + r.op.String() }
func (r *statsRunner) Run32(dst []float32, args [][]float32) error { return moveStats(r, dst, args) }
func (r *statsRunner) Run64(dst []float64, args [][]float64) error { return moveStats(r, dst, args) }

func moveStats[T kernels.Float](r *statsRunner, dst []T, args [][]T) error {
	clear(dst)
	if !(statsOp{op: r.op}).training() {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	mean, variance := r.op.Stats()
	if err := moveTowards(mean, args[0], T(r.momentum), 1); err != nil {
		return err
	}
	return moveTowards(variance, args[1], T(r.momentum), T(r.freedom))
}

// moveTowards makes v the average t x/n + (1-t) v.
func moveTowards[T kernels.Float](v tensor.Tensor, x []T, t, n T) error {
	d := v.(*tensor.Dense)
	now, same := elements[T](d)
	if !same {
		now = make([]T, len(x))
		if err := loadValue(now, d); err != nil {
			return err
		}
	}
	for i := range now {
		now[i] = t*(x[i]/n) + (1-t)*now[i]
	}
	if same {
		return nil
	}
	return storeValue(d, now)
}
