package viz

import (
	"cmp"
	"image/color"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Scatter draws points whose opacity falls where they are dense, so that ten thousand of them still show a density. A
// point where c points are expected to overlap has the opacity
//
//	α = 1 − (1−Alpha)^(1/max(1, √c)),   at least 0.06,
//
// where the square root keeps dense regions darker than sparse ones. The local count comes from a histogram over the
// axes.
type Scatter struct {
	X      mat.Matrix // n×2 or wider; the first two columns
	Color  color.RGBA
	Radius vg.Length // 0 means 0.9
	Alpha  float64   // of a lone point; 0 means 0.9
	Max    int       // points drawn, evenly spaced among all; 0 means 5000
}

// DataRange satisfies plot.DataRanger.
func (s *Scatter) DataRange() (xmin, xmax, ymin, ymax float64) { return extent(s.X) }

// extent returns the range of the first two columns; infinities when there are no rows. The second is zero if there is
// no second column.
func extent(ms ...mat.Matrix) (xmin, xmax, ymin, ymax float64) {
	xmin, xmax, ymin, ymax = math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, m := range ms {
		if !present(m) {
			continue
		}
		n, d := m.Dims()
		for i := range n {
			x, y := m.At(i, 0), 0.0
			if d > 1 {
				y = m.At(i, 1)
			}
			if finite(x) && finite(y) {
				xmin, xmax, ymin, ymax = math.Min(xmin, x), math.Max(xmax, x), math.Min(ymin, y), math.Max(ymax, y)
			}
		}
	}
	return
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// Plot satisfies plot.Plotter.
func (s *Scatter) Plot(c draw.Canvas, p *plot.Plot) {
	rad, alpha := cmp.Or(s.Radius, 0.9), cmp.Or(s.Alpha, 0.9)
	n, _ := s.X.Dims()
	drawn := min(n, cmp.Or(s.Max, 5000))
	trX, trY := p.Transforms(&c)
	const bins = 40
	var hist [bins + 2][bins + 2]float64
	w, h := c.Max.X-c.Min.X, c.Max.Y-c.Min.Y
	bin := func(q vg.Point) (int, int) {
		return 1 + min(bins-1, int(float64((q.X-c.Min.X)/w)*bins)), 1 + min(bins-1, int(float64((q.Y-c.Min.Y)/h)*bins))
	}
	pts := make([]vg.Point, 0, drawn)
	for k := range drawn {
		i := k * n / drawn
		x, y := s.X.At(i, 0), s.X.At(i, 1)
		if !finite(x) || !finite(y) {
			continue
		}
		q := vg.Point{X: trX(x), Y: trY(y)}
		if c.Contains(q) {
			pts = append(pts, q)
			bx, by := bin(q)
			hist[bx][by]++
		}
	}
	cell := float64(w) * float64(h) / (bins * bins)
	cover := math.Pi * float64(rad) * float64(rad) / cell
	for _, q := range pts {
		bx, by := bin(q)
		sum := 2 * hist[bx][by] // a little smoothing: the bin twice, its four neighbours once
		sum += hist[bx-1][by] + hist[bx+1][by] + hist[bx][by-1] + hist[bx][by+1]
		a := 1 - math.Pow(1-alpha, 1/math.Max(1, math.Sqrt(sum/6*cover)))
		a = math.Max(a, 0.06)
		a = math.Round(a*32) / 32 // few distinct opacities: small files
		c.SetColor(fade(s.Color, a))
		disc(c, q, rad)
	}
}

// disc fills a circle.
func disc(c draw.Canvas, q vg.Point, rad vg.Length) {
	path := make(vg.Path, 0, 3)
	path.Move(vg.Point{X: q.X + rad, Y: q.Y})
	path.Arc(q, rad, 0, 2*math.Pi)
	path.Close()
	c.Fill(path)
}
