// Package reference evaluates programs of package ir in the plainest possible way, one element at a time in float64.
// The tests of the compiler's stages compare with it.
package reference

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
)

// Eval returns the value of every instruction of g for the given inputs.
func Eval(g *ir.Graph, inputs [][]float64) [][]float64 {
	v := make([][]float64, len(g.Code))
	for i := range g.Code {
		in := &g.Code[i]
		e := evaluation{in: in, y: make([]float64, in.Len())}
		for _, a := range in.Args {
			e.x = append(e.x, matrix{g.At(a), v[a]})
		}
		if o, ok := in.Op.(ir.Input); ok {
			copy(e.y, inputs[o.Index])
		} else {
			e.run()
		}
		v[i] = e.y
	}
	return v
}

// Outputs are the values of the outputs of g.
func Outputs(g *ir.Graph, inputs [][]float64) [][]float64 {
	v := Eval(g, inputs)
	var out [][]float64
	for _, o := range g.Outputs {
		out = append(out, v[o])
	}
	return out
}

// matrix is the value of an argument.
type matrix struct {
	of *ir.Instr
	v  []float64
}

func (m matrix) at(i, j int) float64 { return m.v[i*m.of.Cols+j] }

// transposed returns the elements of m, or mᵀ if t.
func (m matrix) transposed(t bool) func(i, j int) float64 {
	if t {
		return func(i, j int) float64 { return m.at(j, i) }
	}
	return m.at
}

// evaluation computes y, the value of in, from the arguments x.
type evaluation struct {
	in *ir.Instr
	x  []matrix
	y  []float64
}

// each sets the elements of the result.
func (e *evaluation) each(f func(i, j int) float64) {
	for i := range e.in.Rows {
		for j := range e.in.Cols {
			e.y[i*e.in.Cols+j] = f(i, j)
		}
	}
}

func (e *evaluation) run() {
	for _, family := range []func() bool{
		e.source, e.elementwise, e.product, e.reduction, e.expansion, e.block, e.strided, e.conv,
	} {
		if family() {
			return
		}
	}
	panic(fmt.Sprintf("reference: no %s", e.in.Op.Name()))
}

func (e *evaluation) source() bool {
	switch o := e.in.Op.(type) {
	case ir.Const:
		e.each(func(_, _ int) float64 { return o.C })
	case ir.Data:
		copy(e.y, o.Values)
	case ir.Opaque:
		args := make([][]float64, len(e.x))
		for i, x := range e.x {
			args[i] = x.v
		}
		if err := o.Run.Run64(e.y, args); err != nil {
			panic(err)
		}
	default:
		return false
	}
	return true
}

func (e *evaluation) elementwise() bool {
	if e.in.Op.Class() != ir.Map {
		return false
	}
	var f func(a, b float64) float64
	var one [1]float64
	switch o := e.in.Op.(type) {
	case ir.Unary:
		f = func(a, _ float64) float64 { kernels.Unary(o.Fn, o.Order, one[:], []float64{a}); return one[0] }
	case ir.Pow:
		f = func(a, _ float64) float64 { kernels.Pow(o.P, o.Order, one[:], []float64{a}); return one[0] }
	case ir.Func:
		f = func(a, _ float64) float64 { return o.F(a) }
	case ir.Add:
		f = func(a, b float64) float64 { return a + b }
	case ir.Sub:
		f = func(a, b float64) float64 { return a - b }
	case ir.Mul:
		f = func(a, b float64) float64 { return a * b }
	case ir.Div:
		f = func(a, b float64) float64 { return a / b }
	case ir.Max:
		f = math.Max
	case ir.Min:
		f = math.Min
	case ir.Power:
		f = math.Pow
	case ir.Compare:
		f = func(a, b float64) float64 {
			if holds(o.Relation, a, b) {
				return 1
			}
			return 0
		}
	case ir.Scale:
		f = func(a, _ float64) float64 { return o.C * a }
	case ir.Shift:
		f = func(a, _ float64) float64 { return a + o.C }
	default:
		return false
	}
	for i, a := range e.x[0].v {
		e.y[i] = f(a, e.x[len(e.x)-1].v[i])
	}
	return true
}

func holds(r ir.Relation, a, b float64) bool {
	switch r {
	case ir.Lt:
		return a < b
	case ir.Le:
		return a <= b
	case ir.Gt:
		return a > b
	case ir.Ge:
		return a >= b
	case ir.Eq:
		return a == b
	}
	return a != b
}

// dot is Σ_k a(k) b(k).
func dot(n int, a, b func(k int) float64) float64 {
	s := 0.0
	for k := range n {
		s += a(k) * b(k)
	}
	return s
}

func (e *evaluation) product() bool {
	switch o := e.in.Op.(type) {
	case ir.MatMul:
		a, b := e.x[0].transposed(o.TA), e.x[1].transposed(o.TB && !o.Packed)
		e.each(func(i, j int) float64 {
			s := dot(o.K, func(k int) float64 { return a(i, k) }, func(k int) float64 { return b(k, j) })
			if o.Bias > 0 {
				s += e.x[o.Bias].v[j]
			}
			if o.Factor > 0 {
				s *= e.x[o.Factor].at(i, j)
			}
			return s
		})
	case ir.Pack: // only the kernels know its layout
		e.each(e.x[0].transposed(o.TB))
	case ir.BatchMatMul:
		m := e.in.Rows / o.Batch
		part := func(x matrix, p int) matrix {
			n := len(x.v) / o.Batch
			return matrix{x.of, x.v[p*n : (p+1)*n]}
		}
		e.each(func(i, j int) float64 {
			a, b := part(e.x[0], i/m).transposed(o.TA), part(e.x[1], i/m).transposed(o.TB)
			return dot(o.K, func(k int) float64 { return a(i%m, k) }, func(k int) float64 { return b(k, j) })
		})
	default:
		return false
	}
	return true
}

func (e *evaluation) reduction() bool {
	if len(e.x) == 0 {
		return false
	}
	x := e.x[0]
	row := func(i int) []float64 { return x.v[i*x.of.Cols : (i+1)*x.of.Cols] }
	switch e.in.Op.(type) {
	case ir.RowSum:
		e.each(func(i, _ int) float64 { return floats.Sum(row(i)) })
	case ir.ColSum:
		e.each(func(_, j int) float64 {
			return dot(x.of.Rows, func(i int) float64 { return x.at(i, j) }, func(int) float64 { return 1 })
		})
	case ir.Sum:
		e.y[0] = floats.Sum(x.v)
	case ir.RowMax:
		e.each(func(i, _ int) float64 { return slices.Max(row(i)) })
	case ir.ColMax:
		e.each(func(_, j int) float64 {
			m := x.at(0, j)
			for i := range x.of.Rows {
				m = math.Max(m, x.at(i, j))
			}
			return m
		})
	case ir.RowLSE:
		e.each(func(i, _ int) float64 { return floats.LogSumExp(row(i)) })
	case ir.RowSoftmax:
		e.each(func(i, j int) float64 { return math.Exp(x.at(i, j) - floats.LogSumExp(row(i))) })
	default:
		return false
	}
	return true
}

func (e *evaluation) expansion() bool {
	switch e.in.Op.(type) {
	case ir.ExpandCols:
		e.each(func(i, _ int) float64 { return e.x[0].v[i] })
	case ir.ExpandRows:
		e.each(func(_, j int) float64 { return e.x[0].v[j] })
	case ir.Fill:
		e.each(func(_, _ int) float64 { return e.x[0].v[0] })
	default:
		return false
	}
	return true
}

func (e *evaluation) block() bool {
	within := func(k, lo, hi int, f func() float64) float64 {
		if k < lo || k >= hi {
			return 0
		}
		return f()
	}
	switch o := e.in.Op.(type) {
	case ir.SliceCols:
		e.each(func(i, j int) float64 { return e.x[0].at(i, j+o.Lo) })
	case ir.SliceRows:
		e.each(func(i, j int) float64 { return e.x[0].at(i+o.Lo, j) })
	case ir.PadCols:
		e.each(func(i, j int) float64 {
			return within(j, o.Lo, o.Hi, func() float64 { return e.x[0].at(i, j-o.Lo) })
		})
	case ir.PadRows:
		e.each(func(i, j int) float64 {
			return within(i, o.Lo, o.Hi, func() float64 { return e.x[0].at(i-o.Lo, j) })
		})
	case ir.ConcatCols:
		e.each(func(i, j int) float64 {
			k := 0
			for j >= e.x[k].of.Cols {
				j -= e.x[k].of.Cols
				k++
			}
			return e.x[k].at(i, j)
		})
	case ir.ConcatRows:
		e.each(func(i, j int) float64 {
			k := 0
			for i >= e.x[k].of.Rows {
				i -= e.x[k].of.Rows
				k++
			}
			return e.x[k].at(i, j)
		})
	case ir.Transpose:
		e.each(e.x[0].transposed(true))
	case ir.Reshape:
		copy(e.y, e.x[0].v)
	default:
		return false
	}
	return true
}

func (e *evaluation) strided() bool {
	switch o := e.in.Op.(type) {
	case ir.Gather:
		o.View.Each(func(i, at int) { e.y[i] = e.x[0].v[at] })
	case ir.Put:
		e.each(func(_, _ int) float64 { return o.Fill })
		o.View.Each(func(i, at int) { e.y[at] = e.x[0].v[i] })
	case ir.Scatter:
		o.View.Each(func(i, at int) { e.y[at] += e.x[0].v[i] })
	case ir.ArgMax:
		o.Groups.At.Each(func(i, at int) {
			best := 0
			for k, d := range o.Groups.Offsets {
				if e.x[0].v[at+d] > e.x[0].v[at+o.Groups.Offsets[best]] {
					best = k
				}
			}
			e.y[i] = float64(best)
		})
	case ir.Pick:
		o.Groups.At.Each(func(i, at int) { e.y[i] = e.x[1].v[at+o.Groups.Offsets[int(e.x[0].v[i])]] })
	case ir.Place:
		o.Groups.At.Each(func(i, at int) { e.y[at+o.Groups.Offsets[int(e.x[0].v[i])]] += e.x[1].v[i] })
	default:
		return false
	}
	return true
}
