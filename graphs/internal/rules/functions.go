package rules

import (
	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
)

// function returns the function and order of a Unary.
func (n node) function() (fn kernels.Func, order int, ok bool) {
	o, ok := n.Op.(ir.Unary)
	return o.Fn, o.Order, ok
}

// ofFunctions are the rules for element-wise functions of one variable.
var ofFunctions = []rule{
	{"-x is a scale", func(n node) ir.ID {
		switch fn, order, ok := n.function(); {
		case !ok || fn != kernels.Neg:
			return none
		case order == 0:
			return n.Scale(n.a, -1)
		case order == 1:
			return n.like(-1)
		default:
			return n.like(0)
		}
	}},
	{"x²′ = 2x", func(n node) ir.ID {
		switch fn, order, ok := n.function(); {
		case !ok || fn != kernels.Square || order == 0:
			return none
		case order == 1:
			return n.Scale(n.a, 2)
		case order == 2:
			return n.like(2)
		default:
			return n.like(0)
		}
	}},
	{"exp′ = exp", func(n node) ir.ID {
		if fn, order, ok := n.function(); ok && fn == kernels.Exp && order > 0 {
			return n.Unary(kernels.Exp, 0, n.a)
		}
		return none
	}},
	{"|x|′ = sign x", func(n node) ir.ID {
		if fn, order, ok := n.function(); ok && fn == kernels.Abs && order == 1 {
			return n.Unary(kernels.Sign, 0, n.a)
		}
		return none
	}},
	{"what is straight has no curvature", func(n node) ir.ID {
		switch fn, order, ok := n.function(); {
		case ok && (fn == kernels.ReLU || fn == kernels.Abs) && order > 1, ok && fn == kernels.Sign && order > 0:
			return n.like(0)
		}
		return none
	}},
	{"sin and sin′ for all derivatives of sin and cos", func(n node) ir.ID { // they are computed together
		fn, k, ok := n.function()
		if !ok || fn != kernels.Sin && fn != kernels.Cos || fn == kernels.Sin && k < 2 {
			return none
		}
		if fn == kernels.Cos {
			k++
		}
		r := n.Unary(kernels.Sin, k%2, n.a)
		if k%4 >= 2 {
			r = n.Scale(r, -1)
		}
		return r
	}},
	{"f(c)", func(n node) ir.ID {
		c, ok := n.x.Constant()
		if !ok {
			return none
		}
		y := [1]float64{c}
		switch o := n.Op.(type) {
		case ir.Func:
			y[0] = o.F(c)
		case ir.Pow:
			kernels.Pow(o.P, o.Order, y[:], []float64{c})
		case ir.Unary:
			kernels.Unary(o.Fn, o.Order, y[:], []float64{c})
		}
		return n.like(y[0])
	}},
	{"f(expand x) = expand f(x)", func(n node) ir.ID {
		return n.lift(func(x ir.ID) ir.ID {
			in := n.At(x)
			return n.Emit(n.Op, in.Rows, in.Cols, x)
		})
	}},
	behindTurn, aroundReshape,
}
