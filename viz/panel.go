package viz

import (
	"cmp"
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"strings"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Panel is the picture of a model at one point in training: data, samples, energy contours with the data on top, the
// energy surface, and the training curves. Where a field is missing, its part is left out, or left empty in an
// animation whose last frame has it.
type Panel struct {
	Title string
	Note  string // to the right of the title; "" with Step > 0 means "step …"

	Data    mat.Matrix // real samples, n×d: the first two columns are drawn; a histogram if d = 1
	Samples mat.Matrix // generated ones
	Energy  *Grid      // E on a grid; its box sets the axes
	Names   []string   // of the coordinates; nil: x₁, x₂

	Score *Field // ∇ₓ log p = −∇E at some points; drawn by Kind("score")

	Loss       []Series // one: the loss; more: with a legend
	Other      []Series // a second plot of curves below the first, e.g. KL in nats
	OtherLabel string

	Step, Steps int // the current and the last training step; Steps fixes the axis of the curves

	// Lo and Hi are the limits of the axes; both zero: the box of Energy, else the range of the data, else of the
	// samples. The number of points beyond the axes is noted.
	Lo, Hi [2]float64
	// Depth is the height above the minimum at which energies are clipped; 0: Grid.Landscape.
	Depth  float64
	Camera Camera
	Style  *Style    // nil means Light
	Width  vg.Length // 0 means 640
	Points int       // points drawn of each set; 0 means 3000

	cells  int    // faces of the surface along an axis; 0: its default
	limits *Panel // the panel whose curves set the axes, in an animation; nil: itself
}

// Validate reports what could not be drawn.
func (p *Panel) Validate() error {
	var errs []error
	if p.Energy != nil {
		errs = append(errs, p.Energy.Validate())
	}
	for _, m := range []struct {
		name string
		x    mat.Matrix
	}{{"Data", p.Data}, {"Samples", p.Samples}} {
		if !present(m.x) {
			continue
		}
		if _, d := m.x.Dims(); d != dim(p.Data, p.Samples) || d == 1 && p.Energy != nil {
			errs = append(
				errs, fmt.Errorf(
					"viz: Panel.%s has %d columns, want as many as the other set, and at least 2 with an energy",
					m.name, d))
		}
	}
	for _, s := range append(append([]Series(nil), p.Loss...), p.Other...) {
		if len(s.X) != len(s.Y) {
			errs = append(errs, fmt.Errorf("viz: series %q has %d steps and %d values", s.Name, len(s.X), len(s.Y)))
		}
	}
	axes := 2
	if p.Energy == nil && dim(p.Data, p.Samples) == 1 {
		axes = 1
	}
	for k := range axes {
		if p.Lo != p.Hi && !(p.Lo[k] < p.Hi[k]) {
			errs = append(
				errs, fmt.Errorf("viz: axis %d of the Panel runs from %g to %g, want increasing Lo and Hi, or none", k,
					p.Lo[k], p.Hi[k]))
		}
	}
	if !(p.Width >= 0) || p.Points < 0 {
		errs = append(errs, fmt.Errorf("viz: Panel.Width = %g and Panel.Points = %d, want >= 0", float64(p.Width),
			p.Points))
	}
	return errors.Join(errs...)
}

// present reports whether m is a matrix with rows; a nil *mat.Dense in the interface is not.
func present(m mat.Matrix) bool {
	if m == nil {
		return false
	}
	if d, ok := m.(*mat.Dense); ok && (d == nil || d.IsEmpty()) {
		return false
	}
	n, _ := m.Dims()
	return n > 0
}

// dim returns the number of columns of the first matrix present, or 0.
func dim(ms ...mat.Matrix) int {
	for _, m := range ms {
		if present(m) {
			_, d := m.Dims()
			return d
		}
	}
	return 0
}

// box returns the limits of the axes.
func (p *Panel) box() (lo, hi [2]float64) {
	if p.Lo != p.Hi {
		return p.Lo, p.Hi
	}
	if p.Energy != nil {
		x0, x1, y0, y1 := p.Energy.rectangle()
		return [2]float64{x0, y0}, [2]float64{x1, y1}
	}
	for _, m := range []mat.Matrix{p.Data, p.Samples} {
		if lo, hi, ok := boxOf(m); ok {
			return lo, hi
		}
	}
	return [2]float64{-1, -1}, [2]float64{1, 1}
}

// boxOf returns the range of the first two columns (or of the only one) with a margin; ok reports whether there are
// finite rows.
func boxOf(ms ...mat.Matrix) (lo, hi [2]float64, ok bool) {
	x0, x1, y0, y1 := extent(ms...)
	if !(x0 <= x1) {
		return lo, hi, false
	}
	margin := func(a, b float64) float64 {
		if a == b {
			return math.Max(1e-3, 0.1*math.Abs(a))
		}
		return 0.06 * (b - a)
	}
	mx, my := margin(x0, x1), margin(y0, y1)
	if aspect(x1-x0, y1-y0) != 1 { // axes with the same unit
		mx, my = max(mx, my), max(mx, my)
	}
	return [2]float64{x0 - mx, y0 - my}, [2]float64{x1 + mx, y1 + my}, true
}

// outside says how many rows lie outside a box in the first two columns, or are not finite: "3 of 500 outside"; "" for
// none.
func outside(lo, hi [2]float64, ms ...mat.Matrix) string {
	out, all := 0, 0
	for _, m := range ms {
		n, d := m.Dims()
		all += n
		for i := range n {
			for k := range min(d, 2) {
				if v := m.At(i, k); !(lo[k] <= v && v <= hi[k]) {
					out++
					break
				}
			}
		}
	}
	switch out {
	case 0:
		return ""
	case all:
		return "all " + thousands(all) + " outside"
	}
	return thousands(out) + " of " + thousands(all) + " outside"
}

// told returns the name of a set and how many of its points lie outside.
func told(name string, lo, hi [2]float64, m mat.Matrix) string {
	if s := outside(lo, hi, m); s != "" {
		return name + ", " + s
	}
	return name
}

// remark writes a line in the upper right corner of the data rectangle.
type remark struct {
	s    *Style
	text string
}

func (r remark) Plot(c draw.Canvas, _ *plot.Plot) {
	if r.text == "" {
		return
	}
	st := r.s.text(r.s.FontSize, draw.XRight, draw.YTop)
	w, h := st.Width(r.text)+6, 1.3*r.s.FontSize
	c.SetColor(fade(r.s.Face, 0.85))
	c.Fill(vg.Rectangle{Min: vg.Point{X: c.Max.X - w, Y: c.Max.Y - h}, Max: c.Max}.Path())
	c.FillText(st, vg.Point{X: c.Max.X - 3, Y: c.Max.Y - 2}, r.text)
}

// Plane returns a plot of the plane with these axes.
func (s *Style) Plane(title string, lo, hi [2]float64) *plot.Plot {
	p := s.NewPlot(title, "x₁", "x₂")
	p.Add(ground{s, false, false})
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = lo[0], hi[0], lo[1], hi[1]
	return p
}

// axes returns the names of the first two coordinates, cut to fit beside an axis; x₁ and x₂ where there are none.
func axes(names []string) [2]string {
	out := [2]string{"x₁", "x₂"}
	for k := range min(len(names), 2) {
		out[k] = short(names[k])
	}
	return out
}

func short(name string) string { return clip(name, 24) }

// plane is Plane with the names of the coordinates.
func (s *Style) plane(title string, lo, hi [2]float64, names []string) *plot.Plot {
	p, name := s.Plane(title, lo, hi), axes(names)
	p.X.Label.Text, p.Y.Label.Text = name[0], name[1]
	return p
}

// finish completes a plane: it adds the frame on top and restores the axes, which what was added may have widened.
func (s *Style) finish(p *plot.Plot, lo, hi [2]float64) *plot.Plot {
	p.Add(frame{s})
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = lo[0], hi[0], lo[1], hi[1]
	return p
}

// energyBands is the number of colours of filled energy contours.
const energyBands = 12

// Figure returns the picture.
func (p *Panel) Figure() *Figure {
	whole := p // shared by all frames of an animation
	if p.limits != nil {
		whole = p.limits
	}
	if dim(whole.Data, whole.Samples) == 1 {
		return p.line()
	}
	st := styleOr(p.Style)
	lo, hi := p.box()
	f := p.figure(0)
	points := cmp.Or(p.Points, 3000)
	samples := func(title string, x mat.Matrix, c color.RGBA) *plot.Plot {
		pl := st.plane(title, lo, hi, p.Names)
		if present(x) {
			pl.Add(&Scatter{X: x, Color: c, Max: points}, remark{st, outside(lo, hi, x)})
		}
		return st.finish(pl, lo, hi)
	}
	shape := aspect(hi[0]-lo[0], hi[1]-lo[1])
	col := 0
	if present(whole.Data) {
		f.Add(Cell{Col: col, Plot: samples("Data", p.Data, st.Data), Aspect: shape})
		col++
	}
	if present(whole.Samples) {
		f.Add(Cell{Col: col, Plot: samples("Samples of the model", p.Samples, st.Model), Aspect: shape})
		col++
	}
	if p.Energy == nil {
		row := min(col, 1)
		p.curves(f, st, row, 0, max(col, 1))
		if row == 1 {
			f.Heights = []vg.Length{0}
		}
		f.Heights = append(f.Heights, p.curveHeights()...)
		return f
	}
	rel, sc, _ := p.landscape()
	title := "Energy"
	if present(p.Data) {
		title = "Energy and data"
	}
	pl := st.plane(title, lo, hi, p.Names)
	pl.Add(&FilledContour{Grid: rel, Scale: sc, Line: color.NRGBA{255, 255, 255, 90}, Width: 0.5})
	if present(p.Data) {
		pl.Add(&Scatter{X: p.Data, Color: st.Over, Radius: 0.8, Alpha: 0.7, Max: points / 5})
	}
	st.finish(pl, lo, hi)
	f.Add(Cell{Col: col, Plot: pl, Aspect: shape, Bar: &sc, BarLabel: "E − min E (nats)"})
	name := axes(p.Names)
	surf := &Surface{Grid: rel, Scale: sc, Camera: p.Camera, Style: st, Shadow: true, Cells: p.cells,
		Labels: [3]string{name[0], name[1], "E − min E"}}
	f.Heights = append([]vg.Length{0}, p.curveHeights()...)
	if col == 0 { // only the energy: the surface goes beside it
		f.Add(Cell{Col: 1, Draw: surf.Draw})
		p.curves(f, st, 1, 0, 2)
		return f
	}
	f.Add(Cell{Row: 1, ColSpan: col, Draw: surf.Draw, RowSpan: p.curveRows()})
	p.curves(f, st, 1, col, 1)
	return f
}

// curveHeights returns the heights of the rows of curves.
func (p *Panel) curveHeights() []vg.Length {
	if p.curveRows() == 2 {
		return []vg.Length{94, 94}
	}
	return []vg.Length{228}
}

// line returns the picture of one-dimensional sets: their histograms overlaid, and the curves.
func (p *Panel) line() *Figure {
	st := styleOr(p.Style)
	f := p.figure(0)
	lo, hi := p.box()
	name := "x"
	if len(p.Names) > 0 {
		name = short(p.Names[0])
	}
	pl := st.NewPlot("", name, "density")
	pl.Add(ground{st, true, true})
	var key []legendEntry
	if present(p.Data) {
		h := Histogram(mat.Col(nil, 0, p.Data), lo[0], hi[0], 60)
		h.Fill = fade(st.Data, 0.45)
		pl.Add(h)
		key = append(key, legendEntry{name: told("data", lo, hi, p.Data), color: st.Data})
	}
	if present(p.Samples) {
		h := Histogram(mat.Col(nil, 0, p.Samples), lo[0], hi[0], 60)
		h.Line = draw.LineStyle{Color: st.Model, Width: st.LineWidth}
		pl.Add(h)
		key = append(key, legendEntry{name: told("samples", lo, hi, p.Samples), color: st.Model})
	}
	pl.Add(legend{s: st, entries: key}, frame{st})
	pl.X.Min, pl.X.Max, pl.Y.Min, pl.Y.Max = lo[0], hi[0], 0, math.Max(pl.Y.Max, 1e-9)*1.2 // with room for the legend
	f.Add(Cell{Plot: pl, RowSpan: p.curveRows()})
	p.curves(f, st, 0, 1, 1)
	f.Heights = []vg.Length{110, 110}[:p.curveRows()]
	if p.curveRows() == 1 {
		f.Heights[0] = 220
	}
	return f
}

func (p *Panel) curveRows() int {
	if len(p.Other) > 0 {
		return 2
	}
	return 1
}

func (p *Panel) curves(f *Figure, st *Style, row, col, span int) {
	if len(p.Loss) > 0 {
		label := "loss"
		if len(p.Loss) == 1 && p.Loss[0].Name != "" {
			label = p.Loss[0].Name
		}
		f.Add(Cell{Row: row, Col: col, ColSpan: span,
			Plot: p.curvePlot(st, label, p.Loss, func(q *Panel) []Series { return q.Loss })})
		row++
	}
	if len(p.Other) > 0 {
		label := p.OtherLabel
		if label == "" && len(p.Other) == 1 {
			label = p.Other[0].Name
		}
		f.Add(Cell{Row: row, Col: col, ColSpan: span,
			Plot: p.curvePlot(st, label, p.Other, func(q *Panel) []Series { return q.Other })})
	}
}

// curvePlot draws series on the axes that the panel in limits sets.
func (p *Panel) curvePlot(st *Style, label string, series []Series, of func(*Panel) []Series) *plot.Plot {
	pl := st.curvePlot("", label, float64(p.Steps), series...)
	if p.limits != nil {
		l := st.curvePlot("", label, float64(p.Steps), of(p.limits)...)
		pl.X.Min, pl.X.Max, pl.Y.Min, pl.Y.Max = l.X.Min, l.X.Max, l.Y.Min, l.Y.Max
		pl.Y.Scale, pl.Y.Tick.Marker = l.Y.Scale, l.Y.Tick.Marker
	}
	return pl
}

// Image draws the panel at a width in pixels.
func (p *Panel) Image(pixels int) *image.RGBA { return pixelsWide(p, pixels) }

// thousands writes n with thin spaces between groups of three digits, if it has more than four.
func thousands(n int) string {
	s := fmt.Sprint(n)
	if len(s) <= 4 {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}
