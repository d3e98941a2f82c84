package rules

import (
	"github.com/stheno-ebm/stheno/graphs/internal/conv"
	"github.com/stheno-ebm/stheno/graphs/internal/ir"
)

var ofConv = []rule{
	{"0 ⋆ y = 0", func(n node) ir.ID {
		if n.isZero(n.a) || n.isZero(n.b) {
			return n.like(0)
		}
		return none
	}},
}

// zeroStays is the rule that a function linear in its last argument maps 0 to 0.
func zeroStays(name string) rule {
	return rule{name, func(n node) ir.ID {
		if n.isZero(n.Args[len(n.Args)-1]) {
			return n.like(0)
		}
		return none
	}}
}

var ofPoolPick = []rule{
	{"pool pick c = c", func(n node) ir.ID {
		if c, ok := n.y.Constant(); ok {
			return n.like(c)
		}
		return none
	}},
	{"pool pick (f x) = f (pool pick x)", func(n node) ir.ID { // f of fewer elements
		w := n.Op.(ir.PoolPick).Window
		if !isFunction(&n.y) && !ir.Is[ir.Scale](&n.y) {
			return none
		}
		return n.Emit(n.y.Op, n.Rows, n.Cols, n.PoolPickBy(w, n.a, n.y.Args[0]))
	}},
	{"pool pick (x ∘ y) = pool pick x ∘ pool pick y", func(n node) ir.ID {
		w := n.Op.(ir.PoolPick).Window
		if !ir.Is[ir.Mul](&n.y) {
			return none
		}
		return n.Mul(n.PoolPickBy(w, n.a, n.y.Args[0]), n.PoolPickBy(w, n.a, n.y.Args[1]))
	}},
	{"pool pick (pool place x) = x", func(n node) ir.ID {
		o, ok := n.y.Op.(ir.PoolPlace)
		if !ok || n.y.Args[0] != n.a || o.Window != n.Op.(ir.PoolPick).Window || !o.Window.Apart() {
			return none
		}
		return n.y.Args[1]
	}},
}

// placed returns the windows, tap numbers and values of x if it is a PoolPlace.
func placed(x ir.Instr) (w conv.Window, number, u ir.ID, ok bool) {
	o, ok := x.Op.(ir.PoolPlace)
	if !ok {
		return w, 0, 0, false
	}
	return o.Window, x.Args[0], x.Args[1], true
}

// Rules for sums, products and multiples of what is placed in windows.
var (
	timesPlaced = rule{"x ∘ pool place y = pool place (pool pick x ∘ y)", func(n node) ir.ID {
		for i, x := range []ir.Instr{n.x, n.y} {
			if w, number, u, ok := placed(x); ok && w.Apart() {
				return n.PoolPlaceBy(w, number, n.Mul(n.PoolPickBy(w, number, n.Args[1-i]), u))
			}
		}
		return none
	}}
	sumPlaced = rule{"pool place x + pool place y = pool place (x+y)", func(n node) ir.ID {
		w, number, u, ok := placed(n.x)
		if v, same, x, both := placed(n.y); ok && both && v == w && same == number {
			return n.PoolPlaceBy(w, number, n.Add(u, x))
		}
		return none
	}}
	scalePlaced = rule{"c (pool place x) = pool place (c x)", func(n node) ir.ID {
		w, number, u, ok := placed(n.x)
		if !ok {
			return none
		}
		return n.PoolPlaceBy(w, number, n.Scale(u, n.Op.(ir.Scale).C))
	}}
)

// channelBias returns the row (1,c) if x repeats it at every pixel of pictures with c channels.
func channelBias(g *ir.Graph, x *ir.Instr, channels int) (ir.ID, bool) {
	if !ir.Is[ir.ExpandRows](x) {
		return 0, false
	}
	row := g.At(x.Args[0])
	switch row.Op.(type) {
	case ir.Fill:
		return row.Args[0], channels == 1
	case ir.Reshape:
		if e := g.At(row.Args[0]); ir.Is[ir.ExpandRows](e) && e.Cols == channels {
			return e.Args[0], true
		}
	}
	return x.Args[0], row.Cols == channels
}
