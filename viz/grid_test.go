package viz

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
)

func TestGridOrder(t *testing.T) {
	g := NewGrid([]float64{0, 10}, []float64{2, 14}, 3)
	err := g.Eval(func(dst []float64, x *mat.Dense) error {
		for i := range dst {
			dst[i] = x.At(i, 0) + 100*x.At(i, 1)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for j, y := range g.Y {
		for i, x := range g.X {
			if got, want := g.at(i, j), x+100*y; got != want {
				t.Errorf("(%d,%d): got %g, want %g", i, j, got, want)
			}
		}
	}
	// Bilinear functions are reproduced.
	if got, want := g.Interpolate(0.7, 12.9), 0.7+1290; math.Abs(got-want) > 1e-9 {
		t.Errorf("Interpolate: got %g, want %g", got, want)
	}
	r := g.resample(7, 9, -1e9, 1e9)
	if got, want := r.at(3, 4), 1+100*12.0; math.Abs(got-want) > 1e-9 {
		t.Errorf("resample: got %g, want %g", got, want)
	}
}

func TestLandscape(t *testing.T) {
	g := NewGrid([]float64{0, 0}, []float64{1, 1}, 11)
	for i := range g.Z {
		g.Z[i] = -5 + float64(i) // heights 0 … 120, the 0.8 quantile is 96
	}
	rel, depth := g.Landscape()
	if lo, _ := rel.Range(); lo != 0 || depth != LandscapeDepth {
		t.Errorf("got minimum %g and depth %g, want 0 and %d", lo, depth, LandscapeDepth)
	}
	for i := range g.Z {
		g.Z[i] /= 120
	}
	if _, depth := g.Landscape(); math.Abs(depth-0.8) > 1e-12 {
		t.Errorf("depth %g, want the quantile 0.8", depth)
	}
	g.Z[7], g.Z[8] = math.NaN(), math.Inf(1)
	if rel, _ := g.Landscape(); !math.IsInf(rel.Z[7], 1) || !math.IsInf(rel.Z[8], 1) {
		t.Errorf("NaN and Inf became %g, %g, want +Inf", rel.Z[7], rel.Z[8])
	}
	flat := NewGrid([]float64{0, 0}, []float64{1, 1}, 3)
	if _, depth := flat.Landscape(); !(depth > 0) {
		t.Errorf("depth of a flat energy is %g, want > 0", depth)
	}
}

func TestGridCheck(t *testing.T) {
	for name, g := range map[string]*Grid{
		"short":      {X: []float64{0, 1}, Y: []float64{0, 1}, Z: make([]float64, 3)},
		"decreasing": {X: []float64{0, 0}, Y: []float64{0, 1}, Z: make([]float64, 4)},
		"empty":      {},
	} {
		if g.Check() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// Lightness (CIE L*) of the sequential maps rises all the way; the diverging one is lightest in the middle.
func TestColorMaps(t *testing.T) {
	lightness := func(m *ColorMap, u float64) float64 {
		c := m.At(u)
		lin := func(v uint8) float64 {
			x := float64(v) / 255
			if x <= 0.04045 {
				return x / 12.92
			}
			return math.Pow((x+0.055)/1.055, 2.4)
		}
		y := 0.2126*lin(c.R) + 0.7152*lin(c.G) + 0.0722*lin(c.B)
		return 116*math.Cbrt(y) - 16
	}
	for _, m := range []*ColorMap{Viridis, Magma} {
		for k := 1; k <= 100; k++ {
			a, b := lightness(m, float64(k-1)/100), lightness(m, float64(k)/100)
			if b < a-0.3 { // 8-bit stops
				t.Errorf("%s: lightness falls from %.2f to %.2f at %d %%", m.Name, a, b, k)
			}
		}
	}
	mid := lightness(Vik, 0.5)
	for k := range 50 {
		if a := lightness(Vik, float64(k)/100); a > mid {
			t.Errorf("vik: lightness %.1f at %d %%, above the middle's %.1f", a, k, mid)
		}
	}
	if d := math.Abs(lightness(Vik, 0.25) - lightness(Vik, 0.75)); d > 8 {
		t.Errorf("vik: arms differ by %.1f in lightness, want < 8", d)
	}
	if Viridis.At(math.NaN()) != Viridis.At(1) || Viridis.At(-3) != Viridis.At(0) {
		t.Error("values outside [0, 1] are not clamped")
	}
	if Viridis.Reversed().At(0.3) != Viridis.At(0.7) {
		t.Error("Reversed does not mirror")
	}
	s := Scale{Lo: 2, Hi: 6, Map: Viridis, Bands: 4}
	if s.Color(2.9) != s.band(0) || s.Color(3.1) != s.band(1) || s.Color(99) != s.band(3) {
		t.Error("bands are not equal steps")
	}
}
