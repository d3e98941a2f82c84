package viz

import (
	"cmp"
	"image"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// HeatMap draws a grid as an image; values are interpolated bilinearly before they are mapped to colours.
type HeatMap struct {
	Grid   *Grid
	Scale  Scale
	Pixels int // of the image along an axis; 0 means 256
}

// DataRange satisfies plot.DataRanger.
func (m *HeatMap) DataRange() (xmin, xmax, ymin, ymax float64) { return m.Grid.rectangle() }

// Plot satisfies plot.Plotter.
func (m *HeatMap) Plot(c draw.Canvas, p *plot.Plot) {
	n := cmp.Or(m.Pixels, 256)
	// Only the part of the grid within the axes is visible.
	xmin, xmax, ymin, ymax := m.Grid.rectangle()
	x0, x1, y0, y1 := max(xmin, p.X.Min), min(xmax, p.X.Max), max(ymin, p.Y.Min), min(ymax, p.Y.Max)
	if !(x1 > x0) || !(y1 > y0) {
		return
	}
	sc := m.Scale.sane()
	lo, hi := sc.Lo, sc.Hi
	r := m.Grid.resample(len(m.Grid.X), len(m.Grid.Y), lo, hi)
	img := image.NewRGBA(image.Rect(0, 0, n, n))
	is, fs := make([]int, n), make([]float64, n)
	for i := range n {
		is[i], fs[i] = locate(r.X, x0+(x1-x0)*(float64(i)+0.5)/float64(n))
	}
	table := make([][4]uint8, 1024)
	for k := range table {
		col := sc.Color(lo + (hi-lo)*float64(k)/float64(len(table)-1))
		table[k] = [4]uint8{col.R, col.G, col.B, 255}
	}
	nx := len(r.X)
	for j := range n {
		k, t := locate(r.Y, y1-(y1-y0)*(float64(j)+0.5)/float64(n))
		a, b := r.Z[k*nx:(k+1)*nx], r.Z[(k+1)*nx:(k+2)*nx]
		row := img.Pix[j*img.Stride:]
		for i, q := range is {
			s := fs[i]
			z := (1-t)*((1-s)*a[q]+s*a[q+1]) + t*((1-s)*b[q]+s*b[q+1])
			copy(row[4*i:4*i+4], table[int((z-lo)/(hi-lo)*float64(len(table)-1)+0.5)][:])
		}
	}
	trX, trY := p.Transforms(&c)
	c.DrawImage(vg.Rectangle{Min: vg.Point{X: trX(x0), Y: trY(y0)}, Max: vg.Point{X: trX(x1), Y: trY(y1)}}, img)
}

// barTicks returns the ticks of the colour bar of a cell, and its label.
func barTicks(c *Cell) ([]plot.Tick, string) {
	t, sc := Ticks{N: 5}, c.Bar.sane()
	if c.BarText == nil {
		return t.short(sc.Lo, sc.Hi, c.BarLabel)
	}
	marks := t.Ticks(sc.Lo, sc.Hi)
	for k := range marks {
		marks[k].Label = c.BarText(marks[k].Value)
	}
	return marks, c.BarLabel
}

// drawBar draws the colour bar of a cell into a rectangle, with ticks and an optional label to its right, as wide as
// barMargin says.
func (s *Style) drawBar(c draw.Canvas, r vg.Rectangle, cell *Cell) {
	sc := cell.Bar.sane()
	n := cmp.Or(sc.Bands, 128)
	h := r.Max.Y - r.Min.Y
	for k := range n {
		y0, y1 := r.Min.Y+h*vg.Length(k)/vg.Length(n), r.Max.Y // each band extends to the top: no seams
		v := sc.Lo + (sc.Hi-sc.Lo)*(float64(k)+0.5)/float64(n)
		c.FillPolygon(sc.Color(v), []vg.Point{{X: r.Min.X, Y: y0}, {X: r.Max.X, Y: y0}, {X: r.Max.X, Y: y1},
			{X: r.Min.X, Y: y1}})
	}
	line := draw.LineStyle{Color: s.Ink, Width: 0.6}
	c.StrokeLines(line, []vg.Point{r.Min, {X: r.Max.X, Y: r.Min.Y}, r.Max, {X: r.Min.X, Y: r.Max.Y}, r.Min,
		{X: r.Max.X, Y: r.Min.Y}})
	st := s.text(s.FontSize, draw.XLeft, draw.YCenter)
	marks, label := barTicks(cell)
	for _, t := range marks {
		y := r.Min.Y + h*vg.Length((t.Value-sc.Lo)/(sc.Hi-sc.Lo))
		c.StrokeLine2(line, r.Max.X, y, r.Max.X+3, y)
		c.FillText(st, vg.Point{X: r.Max.X + 5, Y: y + 0.1*s.FontSize}, t.Label)
	}
	if label != "" {
		st := s.text(s.FontSize+0.5, draw.XCenter, draw.YTop)
		st.Rotation = -1.5707963267948966
		c.FillText(st, vg.Point{X: r.Max.X + 5 + s.tickWidth(marks) + s.FontSize + 7, Y: (r.Min.Y + r.Max.Y) / 2},
			label)
	}
}

const (
	barGap   = 6
	barWidth = 8
)

// tickWidth returns the width of the widest tick label of a bar.
func (s *Style) tickWidth(marks []plot.Tick) vg.Length {
	w := vg.Length(0)
	st := s.text(s.FontSize, draw.XLeft, draw.YCenter)
	for _, t := range marks {
		w = max(w, st.Width(t.Label))
	}
	return w
}

// barMargin returns the width of the colour bar attached to a cell with its gap and labels.
func (s *Style) barMargin(c *Cell) vg.Length {
	marks, label := barTicks(c)
	w := barGap + barWidth + 5 + s.tickWidth(marks)
	if label != "" {
		w += s.FontSize + 8
	}
	return w
}
