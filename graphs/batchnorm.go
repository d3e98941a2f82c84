package graphs

import (
	"errors"
	"math"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/gorgonia"
	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
)

// ownElements is the number of elements per channel below which Gorgonia's own code runs: it takes little time there, and
// its results are the same to the bit, which matters for derivatives that are zero but for rounding.
const ownElements = 256

// trained lowers a BatchNorm of arrays (b,c,…) in training, and its gradient, of programs that always train it. With μ
// and v the mean and the mean square deviation of a channel, and a = 1/√(v+ε), they are
//
//	y  = a x - a μ
//	dx = a (dy - mean dy - (x-μ) a² mean (x-μ) dy)
//
// The running statistics are moved by an instruction of its own, which the program keeps though nobody reads it.
func (l *lowering) trained(n *G.Node, args []ir.ID) (ir.ID, bool) {
	if !l.trains || n.Op() == nil || n.Dims() < 2 || !isFloat(n.Dtype()) {
		return 0, false
	}
	op := gorgonia.Read(n.Op())
	if op.Kind != gorgonia.BatchNorm && op.Kind != gorgonia.BatchNormGrad {
		return 0, false
	}
	g, s := l.to, n.Shape()
	p := channelwise{g: g, b: s[0], c: s[1], size: s[2:].TotalSize(), pixels: l.rows}
	if p.b*p.size < ownElements {
		return 0, false
	}
	count := float64(p.b * p.size)
	mean := func(x ir.ID) ir.ID { return g.Div(p.sum(x), g.Const(1, p.c, count)) }
	x := p.view(args[0])
	mu := mean(x)
	centred := g.Sub(x, p.spread(mu))
	squares := p.sum(g.Unary(kernels.Square, 0, centred))
	variance := g.Div(squares, g.Const(1, p.c, count))
	a := g.Unary(kernels.Reciprocal, 0, g.Unary(kernels.Sqrt, 0, g.Shift(variance, op.Epsilon)))
	rows, cols := flat(s)
	if op.Kind == gorgonia.BatchNorm {
		r := &statsRunner{op: n.Op().(*G.BatchNormOp), momentum: op.Momentum, freedom: count - 1}
		l.effects = append(l.effects, g.Opaque(r, "", true, 1, 1, mu, squares))
		y := g.Sub(g.Mul(x, p.spread(a)), p.spread(g.Mul(mu, a)))
		return p.back(y, rows, cols), true
	}
	dy := p.view(args[1])
	dy = g.Sub(dy, p.spread(mean(dy)))
	slope := g.Mul(mean(g.Mul(centred, dy)), g.Mul(a, a)) // Σ(x-μ) is 0: to subtract the mean of dy spares it the rounding
	dx := g.Mul(g.Sub(dy, g.Mul(centred, p.spread(slope))), p.spread(a))
	return p.back(dx, rows, cols), true
}

// running lowers a BatchNorm of arrays (b,c,…) of programs that always evaluate it: every channel is multiplied by
// 1/√(v+ε), and -μ/√(v+ε) is added, with the running mean μ and variance v at that time.
func (l *lowering) running(n *G.Node, args []ir.ID) (ir.ID, bool) {
	op, ok := n.Op().(*G.BatchNormOp)
	if !l.evaluates || !ok || n.Dims() < 2 || !isFloat(n.Dtype()) {
		return 0, false
	}
	g, s := l.to, n.Shape()
	p := channelwise{g: g, b: s[0], c: s[1], size: s[2:].TotalSize(), pixels: l.rows}
	if p.b*p.size < ownElements {
		return 0, false
	}
	v := g.Opaque(&runningRunner{op, gorgonia.Read(op).Epsilon}, "", true, 2, p.c)
	factor, shift := g.SliceRows(v, 0, 1), g.SliceRows(v, 1, 2)
	rows, cols := flat(s)
	return p.back(g.Add(g.Mul(p.view(args[0]), p.spread(factor)), p.spread(shift)), rows, cols), true
}

// runningRunner computes the factors and the shifts of a BatchNorm from its running statistics.
type runningRunner struct {
	op      *G.BatchNormOp
	epsilon float64
}

func (r *runningRunner) Label() string                            { return "running " + r.op.String() }
func (r *runningRunner) Run32(dst []float32, _ [][]float32) error { return loadRunning(r, dst) }
func (r *runningRunner) Run64(dst []float64, _ [][]float64) error { return loadRunning(r, dst) }

func loadRunning[T kernels.Float](r *runningRunner, dst []T) error {
	factor, shift := dst[:len(dst)/2], dst[len(dst)/2:]
	mean, variance := r.op.Stats()
	if err := errors.Join(loadValue(factor, variance), loadValue(shift, mean)); err != nil {
		return err
	}
	for i, v := range factor {
		factor[i] = T(1 / math.Sqrt(float64(v)+r.epsilon))
		shift[i] *= -factor[i]
	}
	return nil
}

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

// statsRunner moves the running statistics of a BatchNorm, given the mean μ and the sum s of square deviations of every
// channel: with momentum t, μ_running becomes t μ + (1-t) μ_running, and v_running becomes t s/(n-1) + (1-t) v_running,
// in the type of the program.
type statsRunner struct {
	op       *G.BatchNormOp
	momentum float64
	freedom  float64 // n-1
}

func (r *statsRunner) Label() string                               { return "statistics of " + r.op.String() }
func (r *statsRunner) Run32(dst []float32, args [][]float32) error { return moveStats(r, dst, args) }
func (r *statsRunner) Run64(dst []float64, args [][]float64) error { return moveStats(r, dst, args) }

func moveStats[T kernels.Float](r *statsRunner, dst []T, args [][]T) error {
	clear(dst)
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
