package ir

import (
	"fmt"
	"math"

	"github.com/stheno-ebm/stheno/graphs/internal/strided"
)

type (
	// Gather lists the elements of a that the view selects, in order.
	Gather struct {
		whole
		View strided.View
	}
	// Put is the array whose view equals a, with Fill elsewhere.
	Put struct {
		whole
		View strided.View
		Fill float64
	}
	// Scatter is the adjoint of Gather: starting from zeros, it adds a to the view.
	Scatter struct {
		whole
		View strided.View
	}
	// ArgMax is the position of the largest element within each group.
	ArgMax struct {
		whole
		Groups strided.Groups
	}
	// Pick is, for each group, the element of b at the position that a holds.
	Pick struct {
		whole
		Groups strided.Groups
	}
	// Place is the adjoint of Pick: starting from zeros, it adds each element of b at the position in its group that
	// a holds.
	Place struct {
		whole
		Groups strided.Groups
	}
)

func (Gather) Name() string  { return "gather" }
func (Put) Name() string     { return "put" }
func (Scatter) Name() string { return "scatter" }
func (ArgMax) Name() string  { return "argmax" }
func (Pick) Name() string    { return "pick" }
func (Place) Name() string   { return "place" }

func by(name string, what fmt.Stringer, a []string) string {
	return plain(name, a) + " by " + what.String()
}

func (o Gather) Text(a []string) string  { return by("gather", o.View, a) }
func (o Put) Text(a []string) string     { return by("put", o.View, a) }
func (o Scatter) Text(a []string) string { return by("scatter", o.View, a) }
func (o ArgMax) Text(a []string) string  { return by("argmax", o.Groups, a) }
func (o Pick) Text(a []string) string    { return by("pick", o.Groups, a) }
func (o Place) Text(a []string) string   { return by("place", o.Groups, a) }

// stridedKey is the key of an instruction with a view or groups, which are identified by their text.
type stridedKey struct {
	name, of string
	fill     uint64
}

func (o Gather) key() any  { return stridedKey{o.Name(), o.View.String(), 0} }
func (o Put) key() any     { return stridedKey{o.Name(), o.View.String(), math.Float64bits(o.Fill)} }
func (o Scatter) key() any { return stridedKey{o.Name(), o.View.String(), 0} }
func (o ArgMax) key() any  { return stridedKey{o.Name(), o.Groups.String(), 0} }
func (o Pick) key() any    { return stridedKey{o.Name(), o.Groups.String(), 0} }
func (o Place) key() any   { return stridedKey{o.Name(), o.Groups.String(), 0} }

// Gather is the rows × cols matrix of the elements of a that v selects, in order.
func (g *Graph) Gather(a ID, v strided.View, rows, cols int) ID {
	return g.Emit(Gather{View: v}, rows, cols, a)
}

// Put is the rows × cols matrix whose view v equals a, with fill elsewhere. v must select no element twice.
func (g *Graph) Put(a ID, v strided.View, fill float64, rows, cols int) ID {
	return g.Emit(Put{View: v, Fill: fill}, rows, cols, a)
}

// Scatter is the rows × cols matrix that is zero but for a added to its view v.
func (g *Graph) Scatter(a ID, v strided.View, rows, cols int) ID {
	return g.Emit(Scatter{View: v}, rows, cols, a)
}

// argMax is the position of the largest element of key in each group, computed once for everything that picks or
// places by it.
func (g *Graph) argMax(key ID, of strided.Groups, rows, cols int) ID {
	return g.Reshape(g.Emit(ArgMax{Groups: of}, 1, rows*cols, key), rows, cols)
}

// Pick is the rows × cols matrix of the elements of x where key is largest within its group.
func (g *Graph) Pick(key, x ID, of strided.Groups, rows, cols int) ID {
	return g.Emit(Pick{Groups: of}, rows, cols, g.argMax(key, of, rows, cols), x)
}

// Place is the adjoint of Pick: a rows × cols matrix of zeros to which each element of u is added where key is
// largest within its group.
func (g *Graph) Place(key, u ID, of strided.Groups, rows, cols int) ID {
	in := *g.At(u)
	return g.Emit(Place{Groups: of}, rows, cols, g.argMax(key, of, in.Rows, in.Cols), u)
}
