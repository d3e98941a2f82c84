package ir

import (
	"github.com/stheno-ebm/stheno/graphs/internal/conv"
	"github.com/stheno-ebm/stheno/graphs/internal/strided"
)

type (
	// Patches lists what every window of the pictures covers, im2col: (n, h·w·c) → (n·oh·ow, kh·kw·c). For pictures stored
	// as planes it is (n, c·h·w) → (n·oh·ow, c·kh·kw), which only package rules creates.
	Patches struct {
		whole
		Window conv.Window
		Planes bool
	}
	// Fold is the adjoint of Patches.
	Fold struct {
		whole
		Window conv.Window
	}
)

func (Patches) Name() string { return "patches" }
func (Fold) Name() string    { return "fold" }

func (o Patches) Text(a []string) string {
	if o.Planes {
		return by("patches of planes", o.Window, a)
	}
	return by("patches", o.Window, a)
}

func (o Fold) Text(a []string) string { return by("fold", o.Window, a) }

// Patches lists what every window of the pictures covers, one window per row.
func (g *Graph) Patches(w conv.Window, x ID) ID {
	return g.Emit(Patches{Window: w}, g.At(x).Rows*w.OH()*w.OW(), w.Taps(), x)
}

// Fold adds every patch back to where it was taken from.
func (g *Graph) Fold(w conv.Window, x ID) ID {
	return g.Emit(Fold{Window: w}, g.At(x).Rows/(w.OH()*w.OW()), w.In(), x)
}

// Swapped is the view of n consecutive matrices (r,c), each transposed.
func Swapped(n, r, c int) strided.View {
	return strided.New(n*r*c, 0, []int{n, c, r}, []int{r * c, 1, c})
}

// Swap transposes each of the n matrices (r,c) that a consists of; the result is shaped rows × cols.
func (g *Graph) Swap(a ID, n, r, c, rows, cols int) ID {
	return g.Gather(a, Swapped(n, r, c), rows, cols)
}
