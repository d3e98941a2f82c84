package viz

import (
	"cmp"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Figure arranges plots in rows and columns so that data rectangles in a column share their left and right edges and
// those in a row their lower and upper edges, whatever the size of the labels around them. It is a Picture.
type Figure struct {
	Title string
	Note  string // small, to the right of the title, or below it in lines broken at " · "
	Style *Style // nil means Light

	Width   vg.Length   // of the page; 0 means 640
	Heights []vg.Length // heights of the data rectangles by row; 0 (or missing): from the aspect of the row's cells
	Widths  []float64   // relative widths of the columns; 0 (or missing) means 1

	Gap vg.Length // between cells; 0 means 12

	cells []Cell
}

// Cell is one cell of a figure: a plot, or anything else that can be drawn.
type Cell struct {
	Row, Col         int
	RowSpan, ColSpan int // 0 means 1

	Plot   *plot.Plot
	Aspect float64 // height over width of the data rectangle; 0: the row decides; see Equal

	Bar      *Scale // colour bar attached to the right
	BarLabel string
	BarText  func(v float64) string // tick labels of the bar; nil: as numbers

	Draw  func(draw.Canvas) // instead of Plot: draws the whole cell
	Title string            // above Draw
}

// Add adds a cell.
func (f *Figure) Add(c Cell) {
	c.RowSpan, c.ColSpan = max(c.RowSpan, 1), max(c.ColSpan, 1)
	f.cells = append(f.cells, c)
}

// Equal returns the aspect at which both axes of a plot have the same scale, or 1 where one of them would then be more
// than three times as long as the other: such axes have different units, say minutes and kilograms.
func Equal(p *plot.Plot) float64 { return aspect(p.X.Max-p.X.Min, p.Y.Max-p.Y.Min) }

// aspect is Equal for a rectangle of the plane.
func aspect(width, height float64) float64 {
	const most = 3
	if a := height / width; a <= most && most*a >= 1 {
		return a
	}
	return 1
}

// margins are the widths around a data rectangle.
type margins struct{ l, r, b, t vg.Length }

func (s *Style) measure(c *Cell) margins {
	var m margins
	if c.Plot != nil {
		big := draw.Canvas{Rectangle: vg.Rectangle{Max: vg.Point{X: 4000, Y: 4000}}}
		undo := fitTicks(c.Plot, big.Max)
		d := c.Plot.DataCanvas(big)
		undo()
		m = margins{d.Min.X, big.Max.X - d.Max.X, d.Min.Y, big.Max.Y - d.Max.Y}
	} else if c.Title != "" {
		m.t = s.FontSize + 6
	}
	if c.Bar != nil {
		m.r = max(m.r, s.barMargin(c))
	}
	return m
}

// pagePad is the width of the page's border.
const pagePad = 8

// layout holds the edges of the data rectangles of columns (from the left) and rows (from the top).
type layout struct {
	x0, x1 []vg.Length
	y0, y1 []vg.Length // y0 the upper edge, measured downwards
	l, r   []vg.Length // margins of the columns
	t, b   []vg.Length
	height vg.Length
}

func (f *Figure) layout() layout {
	st := styleOr(f.Style)
	rows, cols := 0, 0
	for i := range f.cells {
		rows, cols = max(rows, f.cells[i].Row+f.cells[i].RowSpan), max(cols, f.cells[i].Col+f.cells[i].ColSpan)
	}
	o := layout{}
	mk := func(n int) []vg.Length { return make([]vg.Length, n) }
	o.x0, o.x1, o.l, o.r = mk(cols), mk(cols), mk(cols), mk(cols)
	o.y0, o.y1, o.t, o.b = mk(rows), mk(rows), mk(rows), mk(rows)
	for i := range f.cells {
		c := &f.cells[i]
		m := st.measure(c)
		last, low := c.Col+c.ColSpan-1, c.Row+c.RowSpan-1
		o.l[c.Col], o.r[last] = max(o.l[c.Col], m.l), max(o.r[last], m.r)
		o.t[c.Row], o.b[low] = max(o.t[c.Row], m.t), max(o.b[low], m.b)
	}
	gap := cmp.Or(f.Gap, 12)
	free := f.width() - 2*pagePad - gap*vg.Length(cols-1)
	weight := func(k int) float64 {
		if k < len(f.Widths) && f.Widths[k] > 0 {
			return f.Widths[k]
		}
		return 1
	}
	total := 0.0
	for k := range cols {
		free -= o.l[k] + o.r[k]
		total += weight(k)
	}
	x := vg.Length(pagePad)
	for k := range cols {
		o.x0[k] = x + o.l[k]
		o.x1[k] = o.x0[k] + free*vg.Length(weight(k)/total)
		x = o.x1[k] + o.r[k] + gap
	}
	y := vg.Length(pagePad)
	if f.Title != "" || f.Note != "" {
		y += st.FontSize + 11
	}
	if f.crowded(st) {
		y += (st.FontSize + 6) * vg.Length(len(f.lines(st)))
	}
	for k := range rows {
		var h vg.Length
		if k < len(f.Heights) {
			h = f.Heights[k]
		}
		if h == 0 {
			for i := range f.cells {
				c := &f.cells[i]
				if c.Row == k && c.RowSpan == 1 && c.Aspect > 0 {
					h = max(h, vg.Length(c.Aspect)*(o.x1[c.Col+c.ColSpan-1]-o.x0[c.Col]))
				}
			}
		}
		h = cmp.Or(h, 120)
		o.y0[k] = y + o.t[k]
		o.y1[k] = o.y0[k] + h
		y = o.y1[k] + o.b[k] + gap
	}
	o.height = y - gap + pagePad
	return o
}

func (f *Figure) width() vg.Length { return cmp.Or(max(f.Width, 0), 640) }

// heading and aside are the styles of title and note.
func (s *Style) heading() draw.TextStyle {
	h := s.text(s.FontSize+3, draw.XLeft, draw.YTop)
	h.Font = s.font(s.FontSize+3, true)
	return h
}

func (s *Style) aside() draw.TextStyle { return s.text(s.FontSize+1, draw.XRight, draw.YTop) }

// crowded reports whether title and note do not fit in one line: then the note goes below.
func (f *Figure) crowded(st *Style) bool {
	const gap = 12
	h, n := st.heading(), st.aside()
	return f.Title != "" && f.Note != "" && h.Width(f.Title)+n.Width(f.Note)+gap > f.width()-2*pagePad
}

// lines breaks the note at its dots into lines as wide as the figure.
func (f *Figure) lines(st *Style) (lines []string) {
	const dot = " · "
	for part := range strings.SplitSeq(f.Note, dot) {
		if last := len(lines) - 1; last >= 0 && st.aside().Width(lines[last]+dot+part) <= f.width()-2*pagePad {
			lines[last] += dot + part
		} else {
			lines = append(lines, part)
		}
	}
	return lines
}

// Figure returns f, which makes it a Picture.
func (f *Figure) Figure() *Figure { return f }

// Size returns width and height.
func (f *Figure) Size() (w, h vg.Length) { return f.width(), f.layout().height }

// Draw draws the figure.
func (f *Figure) Draw(c draw.Canvas) {
	st := styleOr(f.Style)
	c.SetColor(st.Background)
	c.Fill(c.Rectangle.Path())
	o := f.layout()
	top := c.Max.Y
	if f.Title != "" || f.Note != "" {
		c.FillText(st.heading(), vg.Point{X: c.Min.X + pagePad, Y: top - pagePad + 2}, f.Title)
		at, lines := vg.Point{X: c.Max.X - pagePad, Y: top - pagePad}, []string{f.Note}
		if f.crowded(st) {
			at.Y -= st.FontSize + 6
			lines = f.lines(st)
		}
		for i, line := range lines {
			c.FillText(st.aside(), vg.Point{X: at.X, Y: at.Y - (st.FontSize+6)*vg.Length(i)}, line)
		}
	}
	for i := range f.cells {
		cell := &f.cells[i]
		last, low := cell.Col+cell.ColSpan-1, cell.Row+cell.RowSpan-1
		data := vg.Rectangle{
			Min: vg.Point{X: c.Min.X + o.x0[cell.Col], Y: top - o.y1[low]},
			Max: vg.Point{X: c.Min.X + o.x1[last], Y: top - o.y0[cell.Row]},
		}
		if cell.Plot == nil {
			st.drawFree(c, cell, data, o.l[cell.Col], o.r[last], o.b[low])
			continue
		}
		if cell.Aspect > 0 { // below the title, centred in spare room
			data = shrink(data, cell.Aspect)
		}
		// Titles are centred over the data and, within a row, at the same height, whatever sticks out beside and above
		// the axes.
		title := cell.Plot.Title
		cell.Plot.Title.Text = ""
		place(c, cell.Plot, data)
		cell.Plot.Title = title
		title.TextStyle.XAlign, title.TextStyle.YAlign = draw.XCenter, draw.YTop
		c.FillText(title.TextStyle, vg.Point{X: (data.Min.X + data.Max.X) / 2, Y: data.Max.Y + o.t[cell.Row]},
			title.Text)
		if cell.Bar != nil {
			r := vg.Rectangle{
				Min: vg.Point{X: data.Max.X + barGap, Y: data.Min.Y},
				Max: vg.Point{X: data.Max.X + barGap + barWidth, Y: data.Max.Y},
			}
			st.drawBar(c, r, cell)
		}
	}
}

// drawFree draws a cell without axes in its data rectangle and the margins below and beside it.
func (s *Style) drawFree(c draw.Canvas, cell *Cell, data vg.Rectangle, l, r, b vg.Length) {
	area := data
	area.Min.X -= l
	area.Max.X += r
	area.Min.Y -= b
	if cell.Title != "" {
		t := s.text(s.FontSize+1, draw.XCenter, draw.YBottom)
		t.Font = s.font(s.FontSize+1, true)
		c.FillText(t, vg.Point{X: (data.Min.X + data.Max.X) / 2, Y: data.Max.Y + 4}, cell.Title)
	}
	if cell.Bar != nil {
		w := s.barMargin(cell)
		h := area.Max.Y - area.Min.Y
		s.drawBar(c, vg.Rectangle{
			Min: vg.Point{X: data.Max.X + barGap, Y: area.Min.Y + 0.12*h},
			Max: vg.Point{X: data.Max.X + barGap + barWidth, Y: area.Max.Y - 0.06*h},
		}, cell)
		area.Max.X = data.Max.X + r - max(w, r)
	}
	cell.Draw(draw.Canvas{Canvas: c.Canvas, Rectangle: area})
}

// shrink returns the largest rectangle of the given aspect, centred at the upper edge of r.
func shrink(r vg.Rectangle, aspect float64) vg.Rectangle {
	s := r.Size()
	w := vg.Length(math.Min(float64(s.X), float64(s.Y)/aspect))
	h := w * vg.Length(aspect)
	m := (r.Min.X + r.Max.X) / 2
	return vg.Rectangle{Min: vg.Point{X: m - w/2, Y: r.Max.Y - h}, Max: vg.Point{X: m + w/2, Y: r.Max.Y}}
}

// place draws a plot so that its data rectangle is r. The margins of a plot depend a little on its size, because of
// tick labels that stick out at the ends, hence the iteration.
func place(c draw.Canvas, p *plot.Plot, r vg.Rectangle) {
	defer fitTicks(p, r.Size())()
	out := draw.Canvas{Canvas: c.Canvas, Rectangle: r}
	for range 4 {
		d := p.DataCanvas(out)
		out.Min.X += r.Min.X - d.Min.X
		out.Min.Y += r.Min.Y - d.Min.Y
		out.Max.X += r.Max.X - d.Max.X
		out.Max.Y += r.Max.Y - d.Max.Y
	}
	p.Draw(out)
}
