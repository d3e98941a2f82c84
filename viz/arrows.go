package viz

import (
	"cmp"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Arrows draws a vector field, for instance the score s(x) = −∇E(x), as arrows centred at their points. Scores grow
// without bound away from the data, so lengths are compressed: a vector of norm m has the length
//
//	Length · m/(m + median norm)·4/3,   at most Length,
//
// and its direction is as seen on the page.
type Arrows struct {
	At     mat.Matrix // n×2
	Vector mat.Matrix // n×2
	Length vg.Length  // 0: nine tenths of the mean distance between points
	Color  color.Color
	Ground func(x, y float64) color.RGBA // background: arrows are dark on pale, white on dark; nil: Color everywhere
	Width  vg.Length                     // 0 means 0.7
}

// ink returns the colour of an arrow at a point.
func (a *Arrows) ink(x, y float64) color.Color {
	if a.Ground == nil {
		return a.Color
	}
	g := a.Ground(x, y)
	if 0.2126*float64(g.R)+0.7152*float64(g.G)+0.0722*float64(g.B) > 120 { // luminance, sRGB
		return rgb(0x1A1A1A)
	}
	return rgb(0xFFFFFF)
}

// DataRange satisfies plot.DataRanger.
func (a *Arrows) DataRange() (xmin, xmax, ymin, ymax float64) { return extent(a.At) }

// Plot satisfies plot.Plotter.
func (a *Arrows) Plot(c draw.Canvas, p *plot.Plot) {
	n, _ := a.At.Dims()
	if n == 0 {
		return
	}
	trX, trY := p.Transforms(&c)
	// Directions on the page: the axes may have different scales.
	sx, sy := float64(trX(1)-trX(0)), float64(trY(1)-trY(0))
	norms := make([]float64, n)
	for i := range n {
		norms[i] = math.Hypot(a.Vector.At(i, 0)*sx, a.Vector.At(i, 1)*sy)
	}
	sorted := slices.DeleteFunc(slices.Clone(norms), func(v float64) bool { return !finite(v) })
	if len(sorted) == 0 {
		return
	}
	slices.Sort(sorted)
	median := math.Max(sorted[len(sorted)/2], 1e-300)
	length := float64(a.Length)
	if length == 0 {
		length = 0.9 * math.Sqrt(float64((c.Max.X-c.Min.X)*(c.Max.Y-c.Min.Y))/float64(n))
	}
	width := cmp.Or(a.Width, 0.7)
	for i, m := range norms {
		if !finite(m) || m == 0 {
			continue
		}
		q := vg.Point{X: trX(a.At.At(i, 0)), Y: trY(a.At.At(i, 1))}
		l := math.Min(length, length*m/(m+median)*4/3)
		ux, uy := a.Vector.At(i, 0)*sx/m, a.Vector.At(i, 1)*sy/m
		dx, dy := vg.Length(ux*l/2), vg.Length(uy*l/2)
		tip, tail := vg.Point{X: q.X + dx, Y: q.Y + dy}, vg.Point{X: q.X - dx, Y: q.Y - dy}
		if !c.Contains(tip) || !c.Contains(tail) {
			continue
		}
		c.SetLineStyle(draw.LineStyle{Color: a.ink(a.At.At(i, 0), a.At.At(i, 1)), Width: width})
		head := vg.Length(math.Min(0.45*l, 3.2*float64(width)+1))
		base := vg.Point{X: tip.X - vg.Length(ux)*head, Y: tip.Y - vg.Length(uy)*head}
		var shaft vg.Path
		shaft.Move(tail)
		shaft.Line(base)
		c.Stroke(shaft)
		nx, ny := vg.Length(-uy)*head*0.42, vg.Length(ux)*head*0.42
		var tri vg.Path
		tri.Move(tip)
		tri.Line(vg.Point{X: base.X + nx, Y: base.Y + ny})
		tri.Line(vg.Point{X: base.X - nx, Y: base.Y - ny})
		tri.Close()
		c.Fill(tri)
	}
}
