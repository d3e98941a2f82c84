package viz

import (
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Series is a named sequence of values against steps (or whatever X counts).
type Series struct {
	Name string
	X, Y []float64
}

// Curve draws a line through points. A value that is not finite breaks it; where there are more points than columns on
// the canvas, they are reduced to the minimum and the maximum of each column, so that a curve of a million steps looks
// right and is cheap to draw.
type Curve struct {
	X, Y []float64
	Line draw.LineStyle
	Fill color.Color // between the curve and the lower edge; nil: none
}

// DataRange satisfies plot.DataRanger.
func (l *Curve) DataRange() (xmin, xmax, ymin, ymax float64) {
	xmin, xmax, ymin, ymax = math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for i, x := range l.X {
		if y := l.Y[i]; finite(x) && finite(y) {
			xmin, xmax, ymin, ymax = math.Min(xmin, x), math.Max(xmax, x), math.Min(ymin, y), math.Max(ymax, y)
		}
	}
	return
}

// Plot satisfies plot.Plotter.
func (l *Curve) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	_, log := p.Y.Scale.(plot.LogScale)
	place := func(i int) (vg.Point, bool) {
		x, y := l.X[i], l.Y[i]
		if !finite(x) || !finite(y) || log && y <= 0 {
			return vg.Point{}, false
		}
		return vg.Point{X: trX(x), Y: trY(y)}, true
	}
	var lines [][]vg.Point
	var cur []vg.Point
	finish := func() {
		if len(cur) > 0 {
			lines = append(lines, cur)
		}
		cur = nil
	}
	columns := int(c.Max.X-c.Min.X) * 2
	if len(l.X) <= 2*columns {
		for i := range l.X {
			if q, ok := place(i); ok {
				cur = append(cur, q)
			} else {
				finish()
			}
		}
	} else {
		for b := range columns {
			lo, hi := vg.Point{}, vg.Point{}
			first := true
			for i := b * len(l.X) / columns; i < (b+1)*len(l.X)/columns; i++ {
				q, ok := place(i)
				if !ok {
					continue
				}
				if first || q.Y < lo.Y {
					lo = q
				}
				if first || q.Y > hi.Y {
					hi = q
				}
				first = false
			}
			switch {
			case first: // there is none
				finish()
			case lo.X <= hi.X:
				cur = append(cur, lo, hi)
			default:
				cur = append(cur, hi, lo)
			}
		}
	}
	finish()
	for _, line := range lines {
		if l.Fill != nil && len(line) > 1 {
			poly := append(slices.Clone(line), vg.Point{X: line[len(line)-1].X, Y: c.Min.Y},
				vg.Point{X: line[0].X, Y: c.Min.Y})
			if poly = c.ClipPolygonXY(poly); len(poly) > 2 {
				c.FillPolygon(l.Fill, poly)
			}
		}
		if l.Line.Width == 0 {
			continue
		}
		if len(line) == 1 && c.Contains(line[0]) {
			c.SetColor(l.Line.Color)
			disc(c, line[0], max(l.Line.Width, 1))
		}
		c.StrokeLines(l.Line, c.ClipLinesXY(line)...)
	}
}

// Steps draws a histogram outline: heights[k] over edges[k]…edges[k+1].
type Steps struct {
	Edges, Heights []float64
	Line           draw.LineStyle
	Fill           color.Color // nil: none
	Sideways       bool        // bars grow to the right instead of upwards
}

// Histogram counts the finite values in n bins over lo…hi, normalised to a density.
func Histogram(values []float64, lo, hi float64, n int) *Steps {
	if !(lo < hi) || n < 1 {
		panic("viz: Histogram needs lo < hi and n >= 1")
	}
	s := &Steps{Edges: linspace(lo, hi, n+1), Heights: make([]float64, n)}
	total := 0.0
	for _, v := range values {
		if finite(v) {
			total++
			if v >= lo && v <= hi {
				s.Heights[min(n-1, int((v-lo)/(hi-lo)*float64(n)))]++
			}
		}
	}
	for k := range s.Heights {
		s.Heights[k] /= math.Max(total, 1) * (hi - lo) / float64(n)
	}
	return s
}

// DataRange satisfies plot.DataRanger.
func (s *Steps) DataRange() (xmin, xmax, ymin, ymax float64) {
	a, b, m := s.Edges[0], s.Edges[len(s.Edges)-1], 0.0
	for _, h := range s.Heights {
		m = math.Max(m, h)
	}
	if s.Sideways {
		return 0, m, a, b
	}
	return a, b, 0, m
}

// Plot satisfies plot.Plotter.
func (s *Steps) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	at := func(e, h float64) vg.Point {
		if s.Sideways {
			return vg.Point{X: trX(h), Y: trY(e)}
		}
		return vg.Point{X: trX(e), Y: trY(h)}
	}
	pts := []vg.Point{at(s.Edges[0], 0)}
	for k, h := range s.Heights {
		pts = append(pts, at(s.Edges[k], h), at(s.Edges[k+1], h))
	}
	pts = append(pts, at(s.Edges[len(s.Edges)-1], 0))
	if s.Fill != nil {
		if poly := c.ClipPolygonXY(pts); len(poly) > 2 {
			c.FillPolygon(s.Fill, poly)
		}
	}
	if s.Line.Width > 0 {
		c.StrokeLines(s.Line, c.ClipLinesXY(pts)...)
	}
}

// Bars draws horizontal bars from Base to Values[k] at height k (the first at the top) in Colors[k], with an optional
// line at Limit.
type Bars struct {
	Values []float64
	Base   float64
	Colors []color.RGBA
	Limit  float64 // NaN: none
	Line   draw.LineStyle
}

// DataRange satisfies plot.DataRanger.
func (b *Bars) DataRange() (xmin, xmax, ymin, ymax float64) {
	lo, hi := b.Base, b.Base
	for _, v := range b.Values {
		if finite(v) {
			lo, hi = math.Min(lo, v), math.Max(hi, v)
		}
	}
	if finite(b.Limit) {
		lo, hi = math.Min(lo, b.Limit), math.Max(hi, b.Limit)
	}
	return lo, hi + 0.08*(hi-lo), -0.6, float64(len(b.Values)) - 0.4
}

// Plot satisfies plot.Plotter.
func (b *Bars) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	for k, v := range b.Values {
		if !finite(v) {
			continue
		}
		y := float64(len(b.Values) - 1 - k)
		r := []vg.Point{{X: trX(b.Base), Y: trY(y - 0.32)}, {X: trX(v), Y: trY(y - 0.32)},
			{X: trX(v), Y: trY(y + 0.32)}, {X: trX(b.Base), Y: trY(y + 0.32)}}
		if r = c.ClipPolygonXY(r); len(r) > 2 {
			c.FillPolygon(b.Colors[k%len(b.Colors)], r)
		}
	}
	if finite(b.Limit) && b.Line.Width > 0 {
		x := trX(b.Limit)
		c.StrokeLine2(b.Line, x, c.Min.Y, x, c.Max.Y)
	}
}

// smooth returns a bias-corrected exponential moving average with the given window, carried across values that are not
// finite.
func smooth(y []float64, window float64) []float64 {
	out := make([]float64, len(y))
	keep := 1 - 1/math.Max(window, 1)
	sum, weight := 0.0, 0.0
	for i, v := range y {
		if finite(v) {
			sum, weight = keep*sum+(1-keep)*v, keep*weight+(1-keep)
		}
		if out[i] = math.NaN(); weight > 0 {
			out[i] = sum / weight
		}
	}
	return out
}

// legend is a small legend in a corner of the data rectangle.
type legend struct {
	s       *Style
	entries []legendEntry
}

type legendEntry struct {
	name  string
	color color.RGBA
	dot   bool
}

func (l legend) Plot(c draw.Canvas, _ *plot.Plot) {
	if len(l.entries) == 0 {
		return
	}
	st := l.s.text(l.s.FontSize, draw.XLeft, draw.YCenter)
	line, thumb := l.s.FontSize*1.35, vg.Length(12)
	w := vg.Length(0)
	for _, e := range l.entries {
		w = max(w, st.Width(e.name))
	}
	w += thumb + 11
	h := line*vg.Length(len(l.entries)) + 4
	x, y := c.Max.X-w-4, c.Max.Y-h-4
	c.SetColor(fade(l.s.Face, 0.85))
	c.Fill(vg.Rectangle{Min: vg.Point{X: x, Y: y}, Max: vg.Point{X: x + w, Y: y + h}}.Path())
	for k, e := range l.entries {
		m := y + h - 2 - line*(vg.Length(k)+0.5)
		if e.dot {
			c.SetColor(e.color)
			disc(c, vg.Point{X: x + 4 + thumb/2, Y: m}, 2)
		} else {
			c.StrokeLine2(draw.LineStyle{Color: e.color, Width: l.s.LineWidth}, x+4, m, x+4+thumb, m)
		}
		c.FillText(st, vg.Point{X: x + 7 + thumb, Y: m}, e.name)
	}
}

// curvePlot returns a plot of series against steps: the values faint and their running average strong, on a logarithmic
// axis if all values are positive and span more than a factor of thirty. The range is taken from the averages and the 1
// and 99 % quantiles of the values, so that the spike of the first steps does not flatten the rest. The horizontal axis
// ends at last if that is positive.
func (s *Style) curvePlot(title, ylabel string, last float64, series ...Series) *plot.Plot {
	p := s.NewPlot(title, "step", ylabel)
	p.Add(ground{s, true, true})
	var all []float64
	xmax := 1.0
	var key []legendEntry
	for k, r := range series {
		n := min(len(r.X), len(r.Y))
		for i := range n {
			if finite(r.Y[i]) {
				all = append(all, r.Y[i])
			}
			if finite(r.X[i]) {
				xmax = math.Max(xmax, r.X[i])
			}
		}
		col := s.Accent[k%len(s.Accent)]
		raw := &Curve{X: r.X[:n], Y: r.Y[:n], Line: draw.LineStyle{Color: col, Width: s.LineWidth}}
		if n >= 60 {
			raw.Line = draw.LineStyle{Color: fade(col, 0.3), Width: 0.5 * s.LineWidth}
			p.Add(raw, &Curve{X: r.X[:n], Y: smooth(r.Y[:n], float64(n)/40),
				Line: draw.LineStyle{Color: col, Width: s.LineWidth}})
		} else {
			p.Add(raw)
		}
		key = append(key, legendEntry{name: r.Name, color: col})
	}
	if last > 0 {
		xmax = last
	}
	p.X.Min, p.X.Max = 0, xmax
	p.X.Tick.Marker = Ticks{N: 4}
	if len(all) > 0 {
		slices.Sort(all)
		q := func(f float64) float64 { return all[int(f*float64(len(all)-1)+0.5)] }
		lo, hi := q(0.01), q(0.99)
		if all[0] > 0 && hi/lo > 30 {
			p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, LogTicks{}
			p.Y.Min, p.Y.Max = lo/1.3, hi*1.5
		} else {
			pad := 0.08 * (hi - lo)
			if pad == 0 {
				pad = math.Max(1e-3, 0.1*math.Abs(hi))
			}
			p.Y.Min, p.Y.Max = lo-pad, hi+pad
		}
	} else {
		p.Y.Min, p.Y.Max = 0, 1
	}
	if len(series) > 1 {
		p.Add(legend{s: s, entries: key})
	}
	p.Add(frame{s})
	return p
}
