package viz

import (
	"image/color"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// FilledContour draws a grid as bands of colour with lines between them. Bands are painted from the lowest upwards,
// each as the whole region above its level, so that no seam shows between neighbours.
type FilledContour struct {
	Grid  *Grid
	Scale Scale // Bands ≥ 2

	Line  color.Color // nil: no lines
	Width vg.Length   // of the lines
}

var _ interface {
	plot.Plotter
	plot.DataRanger
} = (*FilledContour)(nil)

// DataRange satisfies plot.DataRanger.
func (f *FilledContour) DataRange() (xmin, xmax, ymin, ymax float64) { return f.Grid.rectangle() }

// Plot satisfies plot.Plotter.
func (f *FilledContour) Plot(c draw.Canvas, p *plot.Plot) {
	sc := f.Scale.sane()
	lo, hi := beyond(sc)
	g := f.Grid.resample(len(f.Grid.X), len(f.Grid.Y), lo, hi)
	t := newTracer(g.X, g.Y, g.Z)
	trX, trY := p.Transforms(&c)
	project := func(q point) vg.Point { return vg.Point{X: trX(q.x), Y: trY(q.y)} }

	x0, x1, y0, y1 := g.rectangle()
	c.SetColor(sc.band(0))
	fillRings(c, [][]point{{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}}}, project)
	for k, level := range sc.levels() {
		c.SetColor(sc.band(k + 1))
		fillRings(c, t.region(level), project)
	}
	if f.Line == nil || f.Width == 0 {
		return
	}
	(&ContourLines{Grid: g, Levels: sc.levels(), Style: draw.LineStyle{Color: f.Line, Width: f.Width}}).draw(c, t,
		project)
}

// projected returns points on the canvas, and whether all of them lie within it.
func projected(c draw.Canvas, line []point, project func(point) vg.Point) (pts []vg.Point, inside bool) {
	pts, inside = make([]vg.Point, len(line)), true
	for i, q := range line {
		pts[i] = project(q)
		inside = inside && c.Contains(pts[i])
	}
	return pts, inside
}

// fillRings fills the region bounded by rings, within the canvas, in one go.
func fillRings(c draw.Canvas, rings [][]point, project func(point) vg.Point) {
	var path vg.Path
	for _, ring := range rings {
		pts, inside := projected(c, ring, project)
		if !inside {
			pts = c.ClipPolygonXY(pts)
		}
		if len(pts) < 3 {
			continue
		}
		path.Move(pts[0])
		for _, q := range pts[1:] {
			path.Line(q)
		}
		path.Close()
	}
	if len(path) > 0 {
		c.Fill(path)
	}
}

// ContourLines draws isolines of a grid.
type ContourLines struct {
	Grid   *Grid
	Levels []float64
	Style  draw.LineStyle
}

// DataRange satisfies plot.DataRanger.
func (l *ContourLines) DataRange() (xmin, xmax, ymin, ymax float64) { return l.Grid.rectangle() }

// Plot satisfies plot.Plotter.
func (l *ContourLines) Plot(c draw.Canvas, p *plot.Plot) {
	if len(l.Levels) == 0 {
		return
	}
	lo, hi := slices.Min(l.Levels), slices.Max(l.Levels)
	pad := hi - lo + 1
	g := l.Grid.resample(len(l.Grid.X), len(l.Grid.Y), lo-pad, hi+pad)
	trX, trY := p.Transforms(&c)
	l.draw(c, newTracer(g.X, g.Y, g.Z), func(q point) vg.Point { return vg.Point{X: trX(q.x), Y: trY(q.y)} })
}

func (l *ContourLines) draw(c draw.Canvas, t *tracer, project func(point) vg.Point) {
	for _, level := range l.Levels {
		for _, line := range t.lines(level) {
			if pts, inside := projected(c, line, project); inside {
				c.StrokeLines(l.Style, pts)
			} else {
				c.StrokeLines(l.Style, c.ClipLinesXY(pts)...)
			}
		}
	}
}
