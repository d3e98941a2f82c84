package ir

import (
	"fmt"

	"github.com/stheno-ebm/stheno/graphs/internal/conv"
)

type (
	// Conv is one role of a convolution of pictures, one per row of the batch: it combines x and f, y and f, or x and
	// y. See package conv.
	Conv struct {
		byRow
		Window conv.Window
		Role   conv.Role

		// The epilogue that package rules fuses into it; role Filter has none.
		Bias   int // index of the argument (1,c) added to every pixel of the result; 0: none
		Factor int // index of the argument, shaped like the result, that multiplies it; 0: none
	}
	// ConvPack is the filter a, packed into the layout that the products of a Conv read.
	ConvPack struct {
		whole
		Window conv.Window
		Role   conv.Role
	}
	// PoolArgMax is the tap number of the largest element in every window.
	PoolArgMax struct {
		byRow
		Window conv.Window
	}
	// PoolPick is, for every window, the element of b at the tap whose number a holds.
	PoolPick struct {
		byRow
		Window conv.Window
	}
	// PoolPlace is the adjoint of PoolPick: starting from zeros, it adds each element of b at the tap of its window
	// whose number a holds.
	PoolPlace struct {
		byRow
		Window conv.Window
	}
	// PoolSum is the sum of every window.
	PoolSum struct {
		byRow
		Window conv.Window
	}
	// Spread is the adjoint of PoolSum: starting from zeros, it adds each element of a to its whole window.
	Spread struct {
		byRow
		Window conv.Window
	}
)

func (Conv) Name() string       { return "conv" }
func (ConvPack) Name() string   { return "convpack" }
func (PoolArgMax) Name() string { return "poolargmax" }
func (PoolPick) Name() string   { return "poolpick" }
func (PoolPlace) Name() string  { return "poolplace" }
func (PoolSum) Name() string    { return "poolsum" }
func (Spread) Name() string     { return "spread" }

// Reduces is true for the gradient of the filter, which sums over pictures.
func (o Conv) Reduces() bool { return o.Role == conv.Filter }

// Aligned is true for pictures and the factor, which are read row by row; a filter is read whole.
func (o Conv) Aligned(j int) bool { return j == 0 || o.Role == conv.Filter || j == o.Factor }

func (o Conv) Text(a []string) string {
	text := fmt.Sprintf("conv %v %s, %s", o.Role, a[0], a[1])
	if o.Bias > 0 {
		text += " + " + a[o.Bias]
	}
	if o.Factor > 0 {
		text = "(" + text + ") ∘ " + a[o.Factor]
	}
	return by(text, o.Window, nil)
}

func (o ConvPack) Text(a []string) string   { return fmt.Sprintf("convpack %v %s", o.Role, a[0]) }
func (o PoolArgMax) Text(a []string) string { return by("poolargmax", o.Window, a) }
func (o PoolPick) Text(a []string) string   { return by("poolpick", o.Window, a) }
func (o PoolPlace) Text(a []string) string  { return by("poolplace", o.Window, a) }
func (o PoolSum) Text(a []string) string    { return by("poolsum", o.Window, a) }
func (o Spread) Text(a []string) string     { return by("spread", o.Window, a) }

// Channels is the number of channels of the result, for the roles that produce pictures.
func (o Conv) Channels() int {
	if o.Role == conv.In {
		return o.Window.C
	}
	return o.Window.OC
}

// Conv is one role of a convolution.
func (g *Graph) Conv(w conv.Window, role conv.Role, a, b ID) ID {
	x, y := g.At(a), g.At(b)
	x0, y0 := w.In(), w.Out()
	rows, cols := x.Rows, y0
	ok := x.Cols == x0 && y.Rows == w.Taps() && y.Cols == w.OC
	switch role {
	case conv.In:
		cols, ok = x0, x.Cols == y0 && y.Rows == w.Taps() && y.Cols == w.OC
	case conv.Filter:
		rows, cols, ok = w.Taps(), w.OC, x.Cols == x0 && y.Cols == y0 && x.Rows == y.Rows
	}
	if !ok {
		panic(fmt.Sprintf("ir: conv %v of (%d,%d) and (%d,%d) by %v", role, x.Rows, x.Cols, y.Rows, y.Cols, w))
	}
	return g.Emit(Conv{Window: w, Role: role}, rows, cols, a, b)
}

// PoolPick is, for every window, the element of x where key is largest.
func (g *Graph) PoolPick(w conv.Window, key, x ID) ID {
	return g.PoolPickBy(w, g.Emit(PoolArgMax{Window: w}, g.At(key).Rows, w.Out(), key), x)
}

// PoolPickBy is PoolPick with the tap numbers given.
func (g *Graph) PoolPickBy(w conv.Window, number, x ID) ID {
	return g.Emit(PoolPick{Window: w}, g.At(x).Rows, w.Out(), number, x)
}

// PoolPlace is the adjoint of PoolPick: starting from zeros, it adds each element of u where key is largest in its
// window.
func (g *Graph) PoolPlace(w conv.Window, key, u ID) ID {
	return g.PoolPlaceBy(w, g.Emit(PoolArgMax{Window: w}, g.At(key).Rows, w.Out(), key), u)
}

// PoolPlaceBy is PoolPlace with the tap numbers given.
func (g *Graph) PoolPlaceBy(w conv.Window, number, u ID) ID {
	return g.Emit(PoolPlace{Window: w}, g.At(u).Rows, w.In(), number, u)
}

// PoolSum sums every window.
func (g *Graph) PoolSum(w conv.Window, x ID) ID {
	return g.Emit(PoolSum{Window: w}, g.At(x).Rows, w.Out(), x)
}

// Spread is the adjoint of PoolSum.
func (g *Graph) Spread(w conv.Window, u ID) ID {
	return g.Emit(Spread{Window: w}, g.At(u).Rows, w.In(), u)
}
