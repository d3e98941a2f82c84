package viz

import (
	"image/color"
	"math"
	"math/rand/v2"
	"slices"
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

// The slope of what is interpolated is continuous, and squares are reproduced, but in the cells at the border.
func TestResample(t *testing.T) {
	g := NewGrid([]float64{0, 0}, []float64{10, 5}, 11)
	f := func(x, y float64) float64 { return x*x - 3*x*y + 2*y*y + x - 7 }
	for j, y := range g.Y {
		for i, x := range g.X {
			g.Z[j*11+i] = f(x, y)
		}
	}
	const n = 83
	r := g.resample(n, n, -1e9, 1e9)
	for j, y := range r.Y {
		for i, x := range r.X {
			if x < 1 || x > 9 || y < 0.5 || y > 4.5 {
				continue
			}
			if got, want := r.at(i, j), f(x, y); math.Abs(got-want) > 1e-9 {
				t.Fatalf("(%g,%g): got %g, want %g", x, y, got, want)
			}
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range g.Z {
		g.Z[i] = rng.NormFloat64()
	}
	const eps = 1e-6
	at := func(x float64) (z float64) {
		k, w := hermite(g.X, x)
		for i := range k {
			z += w[i] * g.at(k[i], 3)
		}
		return z
	}
	for _, x := range g.X[1:10] {
		if left, right := (at(x)-at(x-eps))/eps, (at(x+eps)-at(x))/eps; math.Abs(left-right) > 1e-4 {
			t.Errorf("the slope at %g is %g on the left, %g on the right", x, left, right)
		}
		if got, want := at(x), g.Interpolate(x, g.Y[3]); math.Abs(got-want) > 1e-12 {
			t.Errorf("at the node %g: got %g, want %g", x, got, want)
		}
	}
}

func TestLandscape(t *testing.T) {
	g := NewGrid([]float64{0, 0}, []float64{1, 1}, 11)
	for i := range g.Z {
		g.Z[i] = -5 + float64(i) // heights 0 … 120, the 0.8 quantile is 96
	}
	rel, depth := g.Landscape()
	if lo, _ := rel.Range(); lo != 0 || depth != landscapeDepth {
		t.Errorf("got minimum %g and depth %g, want 0 and %d", lo, depth, landscapeDepth)
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
		if g.Validate() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// lab returns a colour of sRGB in CIELAB under D65.
func lab(c color.RGBA) (l, a, b float64) {
	lin := func(v uint8) float64 {
		x := float64(v) / 255
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	red, green, blue := lin(c.R), lin(c.G), lin(c.B)
	f := func(t float64) float64 {
		if t > 216.0/24389 {
			return math.Cbrt(t)
		}
		return (24389.0/27*t + 16) / 116
	}
	x := f((0.4124564*red + 0.3575761*green + 0.1804375*blue) / 0.95047)
	y := f(0.2126729*red + 0.7151522*green + 0.0721750*blue)
	z := f((0.0193339*red + 0.1191920*green + 0.9503041*blue) / 1.08883)
	return 116*y - 16, 500 * (x - y), 200 * (y - z)
}

// The diverging map of dark pages is darkest in the middle, as dark as the face of the style, and grey; its arms are
// mirror images in lightness and chroma, and change evenly.
func TestDusk(t *testing.T) {
	const n = 16
	face, _, _ := lab(Dark.Face)
	if l, a, b := lab(Dusk.At(0.5)); math.Abs(l-face) > 2 || math.Hypot(a, b) > 0.5 {
		t.Errorf("the middle has lightness %.1f and chroma %.1f, want %.1f and 0", l, math.Hypot(a, b), face)
	}
	var steps []float64
	for k := range n {
		l0, a0, b0 := lab(Dusk.At(float64(k) / n))
		l1, a1, b1 := lab(Dusk.At(float64(k+1) / n))
		steps = append(steps, math.Sqrt((l1-l0)*(l1-l0)+(a1-a0)*(a1-a0)+(b1-b0)*(b1-b0)))
		if k < n/2 && l1 >= l0 || k >= n/2 && l1 <= l0 {
			t.Errorf("lightness from %.1f to %.1f at %d/%d", l0, l1, k, n)
		}
		l2, a2, b2 := lab(Dusk.At(1 - float64(k)/n))
		if d := math.Abs(l0 - l2); d > 1 {
			t.Errorf("arms differ by %.1f in lightness at %d/%d", d, k, n)
		}
		if d := math.Abs(math.Hypot(a0, b0) - math.Hypot(a2, b2)); d > 3 && k != n/2 {
			t.Errorf("arms differ by %.1f in chroma at %d/%d", d, k, n)
		}
	}
	if lo, hi := slices.Min(steps), slices.Max(steps); hi > 1.4*lo {
		t.Errorf("steps of ΔE between %.1f and %.1f, want equal ones: %.1f", lo, hi, steps)
	}
}

// Lightness (CIE L*) of the sequential maps rises all the way; the diverging one of light pages is lightest in the
// middle.
func TestColorMaps(t *testing.T) {
	lightness := func(m *ColorMap, u float64) float64 {
		l, _, _ := lab(m.At(u))
		return l
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
