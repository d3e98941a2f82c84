package viz

import (
	"image/color"
	"math"
	"testing"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// ink is the area that black has covered, in points².
func ink(r *raster) float64 {
	s := 0.0
	for i := 0; i < len(r.img.Pix); i += 4 {
		s += 1 - float64(r.img.Pix[i])/255
	}
	return s / (r.scale * r.scale)
}

func TestRasterAreas(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(draw.Canvas)
		want float64
		tol  float64
	}{
		{"triangle", func(c draw.Canvas) {
			c.FillPolygon(color.Black, []vg.Point{{X: 10, Y: 10}, {X: 70, Y: 15}, {X: 20, Y: 60}})
		}, 1475, 5},
		{"disc", func(c draw.Canvas) { c.SetColor(color.Black); disc(c, vg.Point{X: 50, Y: 50}, 20) }, math.Pi * 400,
			6},
		{"line", func(c draw.Canvas) { c.StrokeLine2(draw.LineStyle{Color: color.Black, Width: 3}, 10, 20, 60, 80) },
			3 * math.Hypot(50, 60), 1.5},
		{"thin polyline", func(c draw.Canvas) { // joints must not add ink
			var l []vg.Point
			for k := range 200 {
				s, cs := math.Sincos(float64(k) / 199 * 3)
				l = append(l, vg.Point{X: 50 + vg.Length(30*cs), Y: 50 + vg.Length(30*s)})
			}
			c.StrokeLines(draw.LineStyle{Color: color.Black, Width: 0.5}, l)
		}, 0.5 * 90, 1},
		{"dashes", func(c draw.Canvas) {
			c.StrokeLine2(draw.LineStyle{Color: color.Black, Width: 2, Dashes: []vg.Length{6, 4}}, 10, 50, 90, 50)
		}, 2 * 48, 1},
		{"closed square", func(c draw.Canvas) {
			c.SetLineStyle(draw.LineStyle{Color: color.Black, Width: 2})
			p := vg.Rectangle{Min: vg.Point{X: 20, Y: 20}, Max: vg.Point{X: 60, Y: 60}}.Path()
			c.Stroke(p)
		}, 42*42 - 38*38, 1},
		{"ring with hole", func(c draw.Canvas) {
			c.SetColor(color.Black)
			fillRings(c, [][]point{{{10, 10}, {90, 10}, {90, 90}, {10, 90}}, {{30, 30}, {30, 70}, {70, 70}, {70, 30}}},
				func(p point) vg.Point { return vg.Point{X: vg.Length(p.x), Y: vg.Length(p.y)} })
		}, 6400 - 1600, 1},
	} {
		r := newRaster(100, 100, 2.5, color.White)
		c.do(draw.NewCanvas(r, 100, 100))
		if got := ink(r); math.Abs(got-c.want) > c.tol {
			t.Errorf("%s: got %.2f, want %.2f", c.name, got, c.want)
		}
	}
}

func TestRasterTransforms(t *testing.T) {
	r := newRaster(100, 50, 1, color.White)
	r.Push()
	r.Translate(vg.Point{X: 30, Y: 10})
	r.Rotate(math.Pi / 2)
	if p := r.apply(5, 0); math.Abs(p.x-30) > 1e-9 || math.Abs(p.y-(50-15)) > 1e-9 {
		t.Errorf("got (%g, %g), want (30, 35)", p.x, p.y)
	}
	r.Pop()
	if p := r.apply(5, 0); p.x != 5 || p.y != 50 {
		t.Errorf("after Pop: got (%g, %g), want (5, 50)", p.x, p.y)
	}
}

// Text covers the same area upright and turned, and the hat stands on its letter.
func TestText(t *testing.T) {
	st := Light.text(20, draw.XCenter, draw.YCenter)
	area := func(rot float64) float64 {
		r := newRaster(200, 200, 2, color.White)
		s := st
		s.Rotation, s.Color = rot, color.Black
		c := draw.NewCanvas(r, 200, 200)
		c.FillText(s, vg.Point{X: 100, Y: 100}, "energy")
		return ink(r)
	}
	if a, b := area(0), area(math.Pi/2); math.Abs(a-b) > 0.03*a || a < 50 {
		t.Errorf("upright %.1f, turned %.1f", a, b)
	}
	face := plot.DefaultTextHandler.Cache().Lookup(st.Font, 20)
	span := func(s string) (lo, hi float64) {
		lo, hi = math.Inf(1), math.Inf(-1)
		for _, c := range textPath(face, vg.Point{}, s) {
			if c.Type != vg.CloseComp {
				lo, hi = math.Min(lo, float64(c.Pos.X)), math.Max(hi, float64(c.Pos.X))
			}
		}
		return
	}
	_, wide := span("R")
	if _, hat := span("R̂"); hat > wide+1e-9 {
		t.Errorf("R̂ reaches to %g, the letter alone to %g", hat, wide)
	}
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		n      int
		want   []string
	}{
		{-4, 4, 5, []string{"−4", "−2", "0", "2", "4"}},
		{0, 2000, 4, []string{"0", "500", "1000", "1500", "2000"}},
		{0, 20000, 4, []string{"0", "5k", "10k", "15k", "20k"}},
		{-3.3, 3.4, 3, []string{"−2", "0", "2"}},
		{0.001, 0.0042, 4, []string{"0.001", "0.002", "0.003", "0.004"}},
	} {
		var got []string
		for _, k := range (Ticks{c.n}).Ticks(c.lo, c.hi) {
			got = append(got, k.Label)
		}
		if len(got) != len(c.want) {
			t.Errorf("%g…%g: got %q, want %q", c.lo, c.hi, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%g…%g: got %q, want %q", c.lo, c.hi, got, c.want)
			}
		}
	}
	if got := (LogTicks{}).Ticks(0.5, 2000); len(got) < 4 {
		t.Errorf("log ticks: %v", got)
	}
}
