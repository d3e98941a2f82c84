package rules

import (
	"math"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
)

// factor returns c and a if in is c·a.
func factor(in ir.Instr) (c float64, a ir.ID, ok bool) {
	if o, ok := in.Op.(ir.Scale); ok {
		return o.C, in.Args[0], true
	}
	return 0, 0, false
}

// constants is the rule that f of two constants is a constant.
func constants(name string, f func(a, b float64) float64) rule {
	return rule{name, func(n node) ir.ID {
		a, ok1 := n.x.Constant()
		b, ok2 := n.y.Constant()
		if !ok1 || !ok2 {
			return none
		}
		return n.like(f(a, b))
	}}
}

// inOrder is the rule that puts the arguments of a commutative operation in a fixed order, so that a+b and b+a are
// merged.
func inOrder(name string) rule {
	return rule{name, func(n node) ir.ID {
		if n.a > n.b {
			return n.Emit(n.Op, n.Rows, n.Cols, n.b, n.a)
		}
		return none
	}}
}

// ofData are the rules for fixed values.
var ofData = []rule{
	{"equal numbers are a constant", func(n node) ir.ID {
		v := n.Op.(ir.Data).Values
		for _, x := range v {
			if x != v[0] {
				return none
			}
		}
		if len(v) == 0 {
			return none
		}
		return n.like(v[0])
	}},
}

var ofAdd = []rule{
	constants("c + d", func(a, b float64) float64 { return a + b }),
	{"c + x is a shift", func(n node) ir.ID {
		if c, ok := n.x.Constant(); ok {
			return n.Shift(n.b, c)
		}
		if c, ok := n.y.Constant(); ok {
			return n.Shift(n.a, c)
		}
		return none
	}},
	{"x + x = 2x", func(n node) ir.ID {
		if n.a != n.b {
			return none
		}
		return n.Scale(n.a, 2)
	}},
	{"x + (-y) = x - y", func(n node) ir.ID {
		if c, y, ok := factor(n.y); ok && c == -1 {
			return n.Sub(n.a, y)
		}
		if c, x, ok := factor(n.x); ok && c == -1 {
			return n.Sub(n.b, x)
		}
		return none
	}},
	{"expand x + expand y = expand (x+y)", func(n node) ir.ID { return n.lift2(n.Add) }},
	{"Σx + Σy = Σ(x+y)", func(n node) ir.ID { // one pass
		if n.x.Op.Class() != ir.Reduction || n.x.Op != n.y.Op {
			return none
		}
		u, v := n.At(n.x.Args[0]), n.At(n.y.Args[0])
		if u.Rows != v.Rows || u.Cols != v.Cols {
			return none
		}
		return n.Emit(n.x.Op, n.Rows, n.Cols, n.Add(n.x.Args[0], n.y.Args[0]))
	}},
	sumPlaced,
	behindTurn, aroundReshape,
	inOrder("y + x = x + y"),
}

var ofSub = []rule{
	constants("c - d", func(a, b float64) float64 { return a - b }),
	{"x - c is a shift", func(n node) ir.ID {
		if c, ok := n.y.Constant(); ok {
			return n.Shift(n.a, -c)
		}
		return none
	}},
	{"c - x is a shift", func(n node) ir.ID {
		if c, ok := n.x.Constant(); ok {
			return n.Shift(n.Scale(n.b, -1), c)
		}
		return none
	}},
	{"x - x = 0", func(n node) ir.ID {
		if n.a != n.b {
			return none
		}
		return n.like(0)
	}},
	{"x - (-y) = x + y", func(n node) ir.ID {
		if c, y, ok := factor(n.y); ok && c == -1 {
			return n.Add(n.a, y)
		}
		return none
	}},
	{"x - aᵀb = x + (-a)ᵀb", func(n node) ir.ID { // sums over rows accumulate in one place
		if o, ok := n.y.Op.(ir.MatMul); ok && o.TA {
			return n.Add(n.a, n.Scale(n.b, -1))
		}
		return none
	}},
	{"x - filter(a, b) = x + filter(a, -b)", func(n node) ir.ID {
		if o, ok := n.y.Op.(ir.Conv); ok && o.Reduces() {
			return n.Add(n.a, n.Scale(n.b, -1))
		}
		return none
	}},
	{"expand x - expand y = expand (x-y)", func(n node) ir.ID { return n.lift2(n.Sub) }},
	behindTurn, aroundReshape,
}

var ofMul = []rule{
	{"c ∘ x is a scale", func(n node) ir.ID {
		if c, ok := n.x.Constant(); ok {
			return n.Scale(n.b, c)
		}
		if c, ok := n.y.Constant(); ok {
			return n.Scale(n.a, c)
		}
		return none
	}},
	{"(c x) ∘ y = c (x ∘ y)", func(n node) ir.ID {
		if c, x, ok := factor(n.x); ok && !n.y.Expands() {
			return n.Scale(n.Mul(x, n.b), c)
		}
		if c, y, ok := factor(n.y); ok && !n.x.Expands() {
			return n.Scale(n.Mul(n.a, y), c)
		}
		return none
	}},
	{"(c x) ∘ expand y = x ∘ expand (c y)", func(n node) ir.ID {
		if c, x, ok := factor(n.x); ok {
			return n.Mul(x, n.Scale(n.b, c))
		}
		if c, y, ok := factor(n.y); ok {
			return n.Mul(n.Scale(n.a, c), y)
		}
		return none
	}},
	{"x ∘ x = x²", func(n node) ir.ID {
		if n.a != n.b {
			return none
		}
		return n.Unary(kernels.Square, 0, n.a)
	}},
	{"expand x ∘ expand y = expand (x ∘ y)", func(n node) ir.ID { return n.lift2(n.Mul) }},
	timesPlaced,
	behindTurn, aroundReshape,
	inOrder("y ∘ x = x ∘ y"),
}

var ofDiv = []rule{
	constants("c / d", func(a, b float64) float64 { return a / b }),
	{"x / 2 = 0.5 x", func(n node) ir.ID {
		if c, ok := n.y.Constant(); ok && powerOfTwo(c) { // exact
			return n.Scale(n.a, 1/c)
		}
		return none
	}},
	{"c / x = c x⁻¹", func(n node) ir.ID {
		if c, ok := n.x.Constant(); ok {
			return n.Scale(n.Unary(kernels.Reciprocal, 0, n.b), c)
		}
		return none
	}},
	{"expand x / expand y = expand (x/y)", func(n node) ir.ID { return n.lift2(n.Div) }},
	behindTurn, aroundReshape,
}

func powerOfTwo(c float64) bool {
	f, e := math.Frexp(c)
	return math.Abs(f) == 0.5 && e > -1000 && e < 1000
}

var ofPower = []rule{
	{"x^c is a function of x", func(n node) ir.ID {
		if c, ok := n.y.Constant(); ok {
			return n.Pow(c, 0, n.a)
		}
		return none
	}},
}

var ofScale = []rule{
	{"1 x = x", func(n node) ir.ID {
		if n.Op.(ir.Scale).C != 1 {
			return none
		}
		return n.a
	}},
	{"0 x = 0", func(n node) ir.ID {
		if n.Op.(ir.Scale).C != 0 {
			return none
		}
		return n.like(0)
	}},
	{"c d", func(n node) ir.ID {
		if d, ok := n.x.Constant(); ok {
			return n.like(n.Op.(ir.Scale).C * d)
		}
		return none
	}},
	{"c (d x) = (c d) x", func(n node) ir.ID {
		if d, x, ok := factor(n.x); ok {
			return n.Scale(x, n.Op.(ir.Scale).C*d)
		}
		return none
	}},
	{"-(x - y) = y - x", func(n node) ir.ID {
		if _, ok := n.x.Op.(ir.Sub); ok && n.Op.(ir.Scale).C == -1 {
			return n.Sub(n.x.Args[1], n.x.Args[0])
		}
		return none
	}},
	// Sums over rows stay free of factors, so that they can accumulate in one place.
	{"c aᵀb = (c a)ᵀb", func(n node) ir.ID {
		if o, ok := n.x.Op.(ir.MatMul); !ok || !o.TA {
			return none
		}
		c, a, b := n.Op.(ir.Scale).C, n.x.Args[0], n.x.Args[1]
		if n.scaled(b, c) || !n.scaled(a, c) && n.At(b).Cols < n.At(a).Cols {
			return n.MatMul(a, n.Scale(b, c), true, false)
		}
		return n.MatMul(n.Scale(a, c), b, true, false)
	}},
	{"c filter(a, b) = filter(a, c b)", func(n node) ir.ID { // likewise
		o, ok := n.x.Op.(ir.Conv)
		if !ok || !o.Reduces() {
			return none
		}
		c, a, b := n.Op.(ir.Scale).C, n.x.Args[0], n.x.Args[1]
		if !n.scaled(b, c) && (n.scaled(a, c) || n.At(a).Cols < n.At(b).Cols) {
			return n.Conv(o.Window, o.Role, n.Scale(a, c), b)
		}
		return n.Conv(o.Window, o.Role, a, n.Scale(b, c))
	}},
	scalePlaced,
	{"c (x ∘ expand y) = x ∘ expand (c y)", func(n node) ir.ID {
		if _, ok := n.x.Op.(ir.Mul); !ok {
			return none
		}
		for i := range 2 {
			x := *n.At(n.x.Args[i])
			_, product := x.Op.(ir.Mul)
			if x.Expands() || product && (n.At(x.Args[0]).Expands() || n.At(x.Args[1]).Expands()) {
				return n.Mul(n.Scale(n.x.Args[i], n.Op.(ir.Scale).C), n.x.Args[1-i])
			}
		}
		return none
	}},
	{"c expand x = expand (c x)", func(n node) ir.ID {
		return n.lift(func(x ir.ID) ir.ID { return n.Scale(x, n.Op.(ir.Scale).C) })
	}},
	behindTurn, aroundReshape,
}

// scaled reports whether the graph already contains c·a.
func (n node) scaled(a ir.ID, c float64) bool {
	in := n.At(a)
	return n.Has(ir.Scale{C: c}, in.Rows, in.Cols, a)
}

var ofShift = []rule{
	{"x + 0 = x", func(n node) ir.ID {
		if n.Op.(ir.Shift).C != 0 {
			return none
		}
		return n.a
	}},
	{"d + c", func(n node) ir.ID {
		if d, ok := n.x.Constant(); ok {
			return n.like(n.Op.(ir.Shift).C + d)
		}
		return none
	}},
	{"(x + d) + c = x + (d+c)", func(n node) ir.ID {
		if o, ok := n.x.Op.(ir.Shift); ok {
			return n.Shift(n.x.Args[0], n.Op.(ir.Shift).C+o.C)
		}
		return none
	}},
	{"expand x + c = expand (x + c)", func(n node) ir.ID {
		return n.lift(func(x ir.ID) ir.ID { return n.Shift(x, n.Op.(ir.Shift).C) })
	}},
	behindTurn, aroundReshape,
}
