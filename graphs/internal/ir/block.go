package ir

import "fmt"

type (
	// SliceCols selects columns Lo … Hi−1.
	SliceCols struct {
		byRow
		Lo, Hi int
	}
	// PadCols places its argument in columns Lo … Hi−1 and zeros on either side.
	PadCols struct {
		byRow
		Lo, Hi int
	}
	// ConcatCols puts its arguments side by side.
	ConcatCols struct{ byRow }
	// SliceRows selects rows Lo … Hi−1.
	SliceRows struct {
		whole
		Lo, Hi int
	}
	// PadRows places its argument in rows Lo … Hi−1 and zeros above and below.
	PadRows struct {
		whole
		Lo, Hi int
	}
	// ConcatRows stacks its arguments.
	ConcatRows struct{ whole }

	Transpose struct{ whole } // aᵀ
	Reshape   struct{ whole } // the same elements in order, as Rows × Cols
)

func (SliceCols) Name() string  { return "slicecols" }
func (PadCols) Name() string    { return "padcols" }
func (ConcatCols) Name() string { return "concatcols" }
func (SliceRows) Name() string  { return "slicerows" }
func (PadRows) Name() string    { return "padrows" }
func (ConcatRows) Name() string { return "concatrows" }
func (Transpose) Name() string  { return "transpose" }
func (Reshape) Name() string    { return "reshape" }

func bounds(name string, lo, hi int, a []string) string {
	return fmt.Sprintf("%s [%d,%d)", plain(name, a), lo, hi)
}

func (o SliceCols) Text(a []string) string { return bounds("slicecols", o.Lo, o.Hi, a) }
func (o PadCols) Text(a []string) string   { return bounds("padcols", o.Lo, o.Hi, a) }
func (ConcatCols) Text(a []string) string  { return plain("concatcols", a) }
func (o SliceRows) Text(a []string) string { return bounds("slicerows", o.Lo, o.Hi, a) }
func (o PadRows) Text(a []string) string   { return bounds("padrows", o.Lo, o.Hi, a) }
func (ConcatRows) Text(a []string) string  { return plain("concatrows", a) }
func (Transpose) Text(a []string) string   { return plain("transpose", a) }
func (Reshape) Text(a []string) string     { return plain("reshape", a) }

// SliceCols selects columns lo … hi−1.
func (g *Graph) SliceCols(a ID, lo, hi int) ID {
	g.want(SliceCols{}, a, 0 <= lo && lo < hi && hi <= g.At(a).Cols)
	return g.Emit(SliceCols{Lo: lo, Hi: hi}, g.At(a).Rows, hi-lo, a)
}

// PadCols adds before zero columns on the left and after on the right.
func (g *Graph) PadCols(a ID, before, after int) ID {
	in := g.At(a)
	return g.Emit(PadCols{Lo: before, Hi: before + in.Cols}, in.Rows, before+in.Cols+after, a)
}

// ConcatCols puts parts side by side.
func (g *Graph) ConcatCols(parts ...ID) ID {
	cols := 0
	for _, p := range parts {
		g.want(ConcatCols{}, p, g.At(p).Rows == g.At(parts[0]).Rows)
		cols += g.At(p).Cols
	}
	return g.Emit(ConcatCols{}, g.At(parts[0]).Rows, cols, append([]ID(nil), parts...)...)
}

// SliceRows selects rows lo … hi−1.
func (g *Graph) SliceRows(a ID, lo, hi int) ID {
	g.want(SliceRows{}, a, 0 <= lo && lo < hi && hi <= g.At(a).Rows)
	return g.Emit(SliceRows{Lo: lo, Hi: hi}, hi-lo, g.At(a).Cols, a)
}

// PadRows adds before zero rows above and after below.
func (g *Graph) PadRows(a ID, before, after int) ID {
	in := g.At(a)
	return g.Emit(PadRows{Lo: before, Hi: before + in.Rows}, before+in.Rows+after, in.Cols, a)
}

// ConcatRows stacks parts.
func (g *Graph) ConcatRows(parts ...ID) ID {
	rows := 0
	for _, p := range parts {
		g.want(ConcatRows{}, p, g.At(p).Cols == g.At(parts[0]).Cols)
		rows += g.At(p).Rows
	}
	return g.Emit(ConcatRows{}, rows, g.At(parts[0]).Cols, append([]ID(nil), parts...)...)
}

// Transpose is aᵀ.
func (g *Graph) Transpose(a ID) ID { return g.Emit(Transpose{}, g.At(a).Cols, g.At(a).Rows, a) }

// Reshape is the elements of a, in order, as a rows × cols matrix.
func (g *Graph) Reshape(a ID, rows, cols int) ID {
	g.want(Reshape{}, a, g.At(a).Len() == rows*cols)
	return g.Emit(Reshape{}, rows, cols, a)
}
