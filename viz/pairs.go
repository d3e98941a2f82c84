package viz

import (
	"errors"
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Pairs is a pair plot of some quantities: histograms on the diagonal, scatter plots of every two below it. Several
// sets of points, such as data and samples, are overlaid.
type Pairs struct {
	Title string
	Note  string // to the right of the title
	Sets  []PointSet
	Names []string // of the columns; nil: x₁, x₂, …
	// Split draws the second set, of two, above the diagonal in place of over the first. The first sets the axes.
	Split  bool
	Points int // points of a set drawn in each scatter plot; 0 means 5000
	Style  *Style
	Width  vg.Length // 0 means 640
}

// PointSet is one of the sets of Pairs.
type PointSet struct {
	Name  string
	X     mat.Matrix // one point per row
	Color color.RGBA // zero: the accent colours in turn
	Few   bool       // drawn large and without a histogram, to stand out among the others
}

// MostPairs is the number of quantities that fit in Pairs.
const MostPairs = 8

// NewPairs returns the pair plot of the named quantities, of the first five if none are named. Draws from divergent
// transitions are marked if d has a method Diverged() [][]bool, as *mcmc.Draws does: they cluster where the sampler
// cannot follow the energy.
func NewPairs(d Draws, names ...string) (*Pairs, error) {
	if len(names) == 0 {
		names = d.Labels()
		names = names[:min(len(names), 5)]
	}
	at, err := find(d, names...)
	if err != nil {
		return nil, err
	}
	p := &Pairs{Names: names}
	x := columns(d, at)
	if x == nil {
		return p, p.Validate()
	}
	p.Sets = append(p.Sets, PointSet{Name: "draws", X: x})
	if t, ok := d.(interface{ Diverged() [][]bool }); ok {
		var rows []int
		for i, diverged := range slices.Concat(t.Diverged()...) {
			if diverged {
				rows = append(rows, i)
			}
		}
		if len(rows) > 0 {
			few := mat.NewDense(len(rows), len(at), nil)
			for k, row := range rows {
				few.SetRow(k, x.RawRowView(row))
			}
			p.Sets = append(p.Sets, PointSet{Name: thousands(len(rows)) + " divergent", X: few, Few: true})
		}
	}
	return p, p.Validate()
}

// columns returns quantities as the columns of a matrix, chain after chain; nil if there are no draws.
func columns(d Draws, at []int) *mat.Dense {
	var x *mat.Dense
	for k, j := range at {
		v := slices.Concat(d.Values(j)...)
		if len(v) == 0 {
			return nil
		}
		if x == nil {
			x = mat.NewDense(len(v), len(at), nil)
		}
		x.SetCol(k, v)
	}
	return x
}

// Validate reports what could not be drawn.
func (p *Pairs) Validate() error {
	if len(p.Sets) == 0 {
		return errors.New("viz: Pairs has no points")
	}
	_, d := p.Sets[0].X.Dims()
	for _, s := range p.Sets {
		if _, e := s.X.Dims(); e != d {
			return fmt.Errorf("viz: Pairs: %q has %d columns, %q %d", s.Name, e, p.Sets[0].Name, d)
		}
	}
	if d < 1 || d > MostPairs {
		return fmt.Errorf("viz: Pairs has %d columns, want 1 to %d; choose some", d, MostPairs)
	}
	if p.Names != nil && len(p.Names) != d {
		return fmt.Errorf("viz: Pairs: %d names for %d columns", len(p.Names), d)
	}
	if p.Split && len(p.Sets) > 2 {
		return fmt.Errorf("viz: Pairs.Split with %d sets, want 2: one below the diagonal, one above", len(p.Sets))
	}
	return nil
}

// span returns the range of the finite values of column k, with a margin.
func (p *Pairs) span(k int) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	sets := p.Sets
	if p.Split {
		sets = sets[:1]
	}
	for _, s := range sets {
		for _, v := range mat.Col(nil, k, s.X) {
			if finite(v) {
				lo, hi = min(lo, v), max(hi, v)
			}
		}
	}
	if lo > hi {
		return 0, 1
	}
	a := styleOr(p.Style).NewPlot("", "", "").X
	a.Min, a.Max = lo, hi
	widen(&a)
	return a.Min, a.Max
}

// Figure returns the picture.
func (p *Pairs) Figure() *Figure {
	st := styleOr(p.Style)
	f := &Figure{Title: p.Title, Note: p.Note, Style: st, Width: p.Width, Gap: 5}
	if p.Validate() != nil {
		return f
	}
	_, d := p.Sets[0].X.Dims()
	if d == 1 && f.Width == 0 {
		f.Width = 320
	}
	lo, hi := make([]float64, d), make([]float64, d)
	for k := range d {
		lo[k], hi[k] = p.span(k)
	}
	for row := range d {
		for col := range d {
			if col <= row || p.Split {
				f.Add(p.cell(st, row, col, lo, hi))
			}
		}
	}
	if len(p.Sets) > 1 && d > 1 && !p.Split {
		f.Add(Cell{Row: 0, Col: d - 1, Draw: func(c draw.Canvas) { legend{s: st, entries: p.key(st)}.Plot(c, nil) }})
	}
	return f
}

// key lists the sets.
func (p *Pairs) key(st *Style) (entries []legendEntry) {
	for i, s := range p.Sets {
		entries = append(entries, legendEntry{name: s.Name, color: p.colour(st, i), dot: true})
	}
	return entries
}

// cell is one panel.
func (p *Pairs) cell(st *Style, row, col int, lo, hi []float64) Cell {
	d := len(lo)
	name := func(k int) string {
		if k < len(p.Names) {
			return clip(p.Names[k], max(8, 48/d))
		}
		return fmt.Sprintf("x%c", '₀'+rune(k+1))
	}
	x, y := "", ""
	if row == d-1 {
		x = name(col)
	}
	if col == 0 && row > 0 {
		y = name(row)
	}
	pl := st.NewPlot("", x, y)
	pl.Add(ground{st, false, false})
	pl.X.Tick.Marker, pl.Y.Tick.Marker = Ticks{N: 3}, Ticks{N: 3}
	top := 0.0
	for i, s := range p.Sets {
		c := p.colour(st, i)
		if p.Split && row != col && (row < col) != (i == 1) {
			continue
		}
		if row != col {
			dot := &Scatter{X: pairOf{s.X, col, row}, Color: c, Radius: 0.8, Max: p.Points}
			if s.Few {
				dot.Radius, dot.Alpha = 1.5, 1
			}
			pl.Add(dot)
			continue
		}
		if s.Few {
			continue
		}
		h := Histogram(mat.Col(nil, row, s.X), lo[row], hi[row], 40)
		h.Line, h.Fill = draw.LineStyle{Color: c, Width: 1}, fade(c, 0.25)
		for _, v := range h.Heights {
			top = max(top, v)
		}
		pl.Add(h)
	}
	room := 1.08 // above the highest bar
	if p.Split && row == 0 && col == 0 {
		room = 1.6
		pl.Add(legend{s: st, entries: p.key(st)})
	}
	pl.Add(frame{st})
	pl.X.Min, pl.X.Max, pl.Y.Min, pl.Y.Max = lo[col], hi[col], lo[row], hi[row]
	if row == col {
		pl.Y.Min, pl.Y.Max = 0, room*max(top, 1e-300)
		pl.Y.Tick.Marker, pl.Y.Tick.Length = plot.ConstantTicks(nil), 0
	}
	if row < d-1 {
		pl.X.Tick.Marker = plot.ConstantTicks(nil)
	}
	if col > 0 {
		pl.Y.Tick.Marker = plot.ConstantTicks(nil)
	}
	return Cell{Row: row, Col: col, Plot: pl, Aspect: 1}
}

// colour returns the colour of set i.
func (p *Pairs) colour(st *Style, i int) color.RGBA {
	if c := p.Sets[i].Color; c != (color.RGBA{}) {
		return c
	}
	return st.Accent[i%len(st.Accent)]
}

// pairOf is a matrix of two columns of another matrix.
type pairOf struct {
	mat.Matrix
	x, y int
}

func (p pairOf) Dims() (r, c int) { r, _ = p.Matrix.Dims(); return r, 2 }

func (p pairOf) At(i, j int) float64 {
	if j == 0 {
		return p.Matrix.At(i, p.x)
	}
	return p.Matrix.At(i, p.y)
}

func (p pairOf) T() mat.Matrix { return mat.Transpose{Matrix: p} }
