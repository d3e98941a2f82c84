package viz

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

var update = flag.Bool("update", false, "write the golden images")

var (
	_ plot.DataRanger = (*HeatMap)(nil)
	_ plot.DataRanger = (*Arrows)(nil)
	_ plot.DataRanger = (*Scatter)(nil)
	_ plot.DataRanger = (*Trails)(nil)
	_ plot.DataRanger = (*Curve)(nil)
	_ plot.DataRanger = (*Steps)(nil)
	_ plot.DataRanger = (*Bars)(nil)
	_ plot.DataRanger = (*ContourLines)(nil)
)

func fullPanel() *Panel {
	rng := rand.New(rand.NewPCG(3, 4))
	p := toyPanel()
	p.Other = []Series{lossSeries(120, 3, rng)}
	p.Other[0].Name = "KL (nats)"
	for i := range p.Other[0].X {
		p.Other[0].X[i] *= 2000.0 / 120
	}
	p.Score = &Field{At: FieldPoints([]float64{-4, -4}, []float64{4, 4}, 20)}
	n, _ := p.Score.At.Dims()
	v := mat.NewDense(n, 2, nil)
	const h = 1e-4
	for i := range n {
		x, y := p.Score.At.At(i, 0), p.Score.At.At(i, 1)
		v.Set(i, 0, -(gaussiansEnergy(x+h, y)-gaussiansEnergy(x-h, y))/(2*h))
		v.Set(i, 1, -(gaussiansEnergy(x, y+h)-gaussiansEnergy(x, y-h))/(2*h))
	}
	p.Score.Vector = v
	return p
}

func toyDiagnostics() *Diagnostics {
	rng := rand.New(rand.NewPCG(7, 8))
	d := &Diagnostics{Title: "Random walk Metropolis", Energy: fill(squaresGrid(81), gaussiansEnergy),
		RHat: []float64{1.004, 1.023}, ESS: []float64{913, 310}}
	for range 4 {
		m := mat.NewDense(600, 2, nil)
		x, y := 2*rng.NormFloat64(), 2*rng.NormFloat64()
		for i := range 600 {
			u, v := x+0.4*rng.NormFloat64(), y+0.4*rng.NormFloat64()
			if rng.Float64() < math.Exp(gaussiansEnergy(x, y)-gaussiansEnergy(u, v)) {
				x, y = u, v
			}
			m.SetRow(i, []float64{x, y})
		}
		d.Chains = append(d.Chains, m)
	}
	return d
}

func toyTriptych() *Triptych {
	g := squaresGrid(121)
	m := g.Clone()
	for i := range g.Z {
		g.Z[i] = math.Exp(-g.Z[i])
	}
	fill(m, func(x, y float64) float64 { return math.Exp(-squaresEnergy(x, y)) * (1 + 0.2*math.Sin(x)) })
	return &Triptych{Title: "4squares", True: g, Model: m}
}

// TestGoldenImages compares structure, not bytes: pictures are drawn at 640 pixels, averaged over 8×8 blocks, and
// compared by their mean and their worst block, so that another platform's rounding of an edge does not matter and a
// lost curve does.
func TestGoldenImages(t *testing.T) {
	p := fullPanel()
	ring := *p
	ring.Energy, ring.Title, ring.Style = fill(squaresGrid(101), gaussiansEnergy), "8gaussians", Dark
	pics := map[string]Picture{"panel-dark": &ring, "triptych": toyTriptych(), "diagnostics": toyDiagnostics()}
	for _, k := range Kinds() {
		f, err := p.Kind(k)
		if err != nil {
			t.Fatal(err)
		}
		pics[k] = f
	}
	for name, pic := range pics {
		t.Run(name, func(t *testing.T) {
			w, _ := pic.Figure().Size()
			got := blocks(Rasterize(pic, 640/float64(w)), 8)
			path := filepath.Join("testdata", name+".png")
			if *update {
				var b bytes.Buffer
				if err := png.Encode(&b, got); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want := readPNG(t, path)
			mean, worst := difference(t, got, want)
			if mean > 1 || worst > 24 {
				out := filepath.Join(t.TempDir(), name+".png")
				t.Errorf(
					"differs by %.2f on average and %d in the worst block, want ≤ 1 and ≤ 24 of 255 (run with -update after "+
						"looking at the picture); %s", mean, worst, out)
			}
			// The broken twin: a picture without a tenth of its middle must fail.
			b := got.Bounds()
			for y := b.Dy() * 9 / 20; y < b.Dy()*11/20; y++ {
				for x := b.Dx() * 3 / 10; x < b.Dx()*7/10; x++ {
					c := got.RGBAAt(x, y)
					got.SetRGBA(x, y, color.RGBA{255 - c.R, 255 - c.G, 255 - c.B, 255})
				}
			}
			if mean, worst := difference(t, got, want); mean <= 1 && worst <= 24 {
				t.Error("the comparison does not see a changed patch")
			}
		})
	}
}

func blocks(img *image.RGBA, n int) *image.RGBA {
	b := img.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, b.Dx()/n, b.Dy()/n))
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			var s [3]int
			for v := range n {
				for u := range n {
					c := img.RGBAAt(x*n+u, y*n+v)
					s[0], s[1], s[2] = s[0]+int(c.R), s[1]+int(c.G), s[2]+int(c.B)
				}
			}
			k := n * n
			out.SetRGBA(x, y, color.RGBA{uint8(s[0] / k), uint8(s[1] / k), uint8(s[2] / k), 255})
		}
	}
	return out
}

func readPNG(t *testing.T, path string) image.Image {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func difference(t *testing.T, got *image.RGBA, want image.Image) (mean float64, worst int) {
	t.Helper()
	if got.Bounds() != want.Bounds() {
		t.Fatalf("size %v, want %v", got.Bounds(), want.Bounds())
	}
	b := got.Bounds()
	for y := range b.Dy() {
		for x := range b.Dx() {
			a := got.RGBAAt(x, y)
			r, g, bl, _ := want.At(x, y).RGBA()
			for _, d := range [3]int{int(a.R) - int(r>>8), int(a.G) - int(g>>8), int(a.B) - int(bl>>8)} {
				d = max(d, -d)
				mean += float64(d)
				worst = max(worst, d)
			}
		}
	}
	return mean / float64(3*b.Dx()*b.Dy()), worst
}

// A note that is wider than the figure is broken at its dots, and takes room for as many lines.
func TestFigureBreaksNotes(t *testing.T) {
	short := &Figure{Title: "title", Note: "a", Width: 200}
	long := &Figure{Title: "title", Note: "some twenty characters · some twenty characters · a", Width: 200}
	st := styleOr(nil)
	lines := long.lines(st)
	if len(lines) != 2 || lines[1] != "some twenty characters · a" {
		t.Errorf("lines %q", lines)
	}
	if got, want := long.layout().height-short.layout().height, 2*(st.FontSize+6); got != want {
		t.Errorf("%g higher, want %g", got, want)
	}
}

func TestFigureAligns(t *testing.T) {
	f := &Figure{}
	for k, label := range []string{"1000000", "1", "0.001"} {
		p := Light.NewPlot("", "", strings.Repeat("label ", k))
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 0, 1
		p.Y.Tick.Marker = plot.ConstantTicks{{Value: 0.5, Label: label}}
		f.Add(Cell{Row: k, Col: 0, Plot: p, Aspect: 0.4})
	}
	o := f.layout()
	for k := range f.cells {
		data := vg.Rectangle{Min: vg.Point{X: o.x0[0], Y: 100}, Max: vg.Point{X: o.x1[0], Y: 100 + o.y1[k] - o.y0[k]}}
		rec := &frameRecorder{}
		f.cells[k].Plot.Add(rec)
		place(draw.NewCanvas(newRaster(700, 900, 1, color.White), 700, 900), f.cells[k].Plot, data)
		if d := rec.r.Min.Sub(data.Min); math.Hypot(float64(d.X), float64(d.Y)) > 0.01 {
			t.Errorf("row %d: data rectangle is off by %v", k, d)
		}
		if d := rec.r.Max.Sub(data.Max); math.Hypot(float64(d.X), float64(d.Y)) > 0.01 {
			t.Errorf("row %d: data rectangle is off by %v", k, d)
		}
		if a := float64((o.y1[k] - o.y0[k]) / (o.x1[0] - o.x0[0])); math.Abs(a-0.4) > 1e-9 {
			t.Errorf("row %d: aspect %g, want 0.4", k, a)
		}
	}
}

type frameRecorder struct{ r vg.Rectangle }

func (f *frameRecorder) Plot(c draw.Canvas, _ *plot.Plot) { f.r = c.Rectangle }

// The plotters work in a plot made with gonum, next to its own plotters.
func TestPlottersInPlainPlot(t *testing.T) {
	p := plot.New()
	g := squaresGrid(31)
	rel, depth := g.Landscape()
	x := squaresSamples(100, rand.New(rand.NewPCG(1, 1)))
	p.Add(&FilledContour{Grid: rel, Scale: Scale{Hi: depth, Map: Viridis, Bands: 8}}, &Scatter{X: x, Color: rgb(0)},
		plotter.NewGrid())
	if p.X.Min != -4 || p.X.Max != 4 || p.Y.Min != -4 || p.Y.Max != 4 {
		t.Errorf("axes %g…%g × %g…%g, want −4…4", p.X.Min, p.X.Max, p.Y.Min, p.Y.Max)
	}
	p.X.Min, p.X.Max = -1, 3 // narrower than the grid: clipped
	for _, ext := range []string{"png", "svg", "pdf"} {
		w, err := p.WriterTo(200, 200, ext)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.WriteTo(io.Discard); err != nil {
			t.Error(err)
		}
	}
}

func TestSave(t *testing.T) {
	dir := t.TempDir()
	p := toyPanel()
	p.Points, p.Width = 300, 500
	for _, ext := range Formats() {
		path := filepath.Join(dir, "panel"+ext)
		if err := Save(path, p); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		switch ext {
		case ".png":
			cfg, err := png.DecodeConfig(bytes.NewReader(b))
			if want := 1333; err != nil || cfg.Width != want {
				t.Errorf("png is %d wide (%v), want %d", cfg.Width, err, want)
			}
		case ".svg":
			d := xml.NewDecoder(bytes.NewReader(b))
			for {
				if _, err = d.Token(); err != nil {
					break
				}
			}
			if err != io.EOF || bytes.Contains(b, []byte("<text")) || bytes.Contains(b, []byte("NaN")) {
				t.Errorf("svg: %v; want well-formed, without fonts and NaN", err)
			}
		case ".pdf":
			if !bytes.HasPrefix(b, []byte("%PDF-")) || bytes.Contains(b, []byte("NaN")) {
				t.Error("not a PDF")
			}
		}
	}
	if err := Save(filepath.Join(dir, "panel.bmp"), p); err == nil || !strings.Contains(err.Error(), ".svg") {
		t.Errorf("unknown extension: got %v, want an error that lists the formats", err)
	}
	if err := Save(filepath.Join(dir, "none", "panel.png"), p); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing folder: got %v, want ErrNotExist", err)
	}
	names, _ := os.ReadDir(dir)
	if len(names) != 3 {
		t.Errorf("%d files, want 3: temporary ones left behind", len(names))
	}
}

// A translucent colour keeps its hue on a canvas that expects straight colours, and its alpha on every canvas.
func TestStraightColors(t *testing.T) {
	rec := &colorRecorder{raster: newRaster(10, 10, 1, color.White)}
	for _, straight := range []bool{false, true} {
		outlined{Canvas: rec, straight: straight}.SetColor(color.NRGBA{200, 100, 50, 51})
		r, g, b, a := rec.c.RGBA()
		want := [4]uint32{40, 20, 10, 51}
		if straight {
			want = [4]uint32{200, 100, 50, 51}
		}
		if got := [4]uint32{r >> 8, g >> 8, b >> 8, a >> 8}; got != want {
			t.Errorf("straight %v: got %v, want %v", straight, got, want)
		}
	}
}

type colorRecorder struct {
	*raster
	c color.Color
}

func (c *colorRecorder) SetColor(v color.Color) { c.c = v }

func TestPanelErrors(t *testing.T) {
	p := &Panel{Data: mat.NewDense(3, 1, nil), Samples: mat.NewDense(3, 2, nil), Energy: &Grid{},
		Loss: []Series{{Name: "a", X: []float64{1}}}}
	err := p.Validate()
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"Data", "grid", `"a"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not name %s", err, want)
		}
	}
	p = &Panel{Data: mat.NewDense(3, 2, nil), Lo: [2]float64{0, 1}, Hi: [2]float64{1, 1}, Width: -1, Points: -2}
	for _, want := range []string{"axis 1", "Width = -1", "Points = -2"} {
		if err := p.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not name %s", err, want)
		}
	}
	p = &Panel{Data: mat.NewDense(3, 1, nil), Lo: [2]float64{-1}, Hi: [2]float64{1}}
	if err := p.Validate(); err != nil {
		t.Errorf("one axis for one dimension: got %v", err)
	}
	if err := Encode(new(bytes.Buffer), "png", nil); err == nil {
		t.Error("no picture: no error")
	}
	if _, err := (&Panel{}).Kind("pie"); err == nil || !strings.Contains(err.Error(), "contour") {
		t.Errorf("unknown kind: got %v", err)
	}
	if _, err := (&Panel{}).Kind("score"); err == nil {
		t.Error("score without a score: no error")
	}
	// What is missing is left out; nothing panics.
	for _, q := range []*Panel{{}, {Samples: mat.NewDense(1, 2, nil)}, {Data: (*mat.Dense)(nil)},
		{Data: mat.NewDense(3, 1, nil), Samples: mat.NewDense(3, 1, nil),
			Loss: []Series{{X: []float64{0}, Y: []float64{1}}}},
		{Loss: []Series{{X: []float64{0}, Y: []float64{math.NaN()}}}},
		{Energy: NewGrid([]float64{0, 0}, []float64{1, 1}, 5)},
		{Data: mat.NewDense(2, 2, []float64{math.NaN(), 0, math.Inf(1), 1})}} {
		q.Image(100)
	}
}

// BenchmarkPanel draws a panel at twice the resolution of a screen: less than 300 ms are wanted.
func BenchmarkPanel(b *testing.B) {
	p := toyPanel()
	for b.Loop() {
		p.Image(1280)
	}
}

func TestCurveReduction(t *testing.T) {
	// One spike among a million points must stay visible.
	n := 200000
	c := &Curve{X: linspace(0, 1, n), Y: make([]float64, n), Line: draw.LineStyle{Color: color.Black, Width: 1}}
	c.Y[77777] = 1
	c.Y[5] = math.NaN()
	p := plot.New()
	p.Add(c)
	p.HideAxes()
	r := newRaster(200, 100, 1, color.White)
	p.Draw(draw.NewCanvas(r, 200, 100))
	dark := 0
	for y := range 60 {
		for x := range 200 {
			if r.img.RGBAAt(x, y).R < 128 {
				dark++
			}
		}
	}
	if dark < 20 {
		t.Errorf("%d dark pixels above the middle, want the spike", dark)
	}
}

func TestHistogram(t *testing.T) {
	h := Histogram([]float64{0.1, 0.1, 0.6, 2, math.NaN()}, 0, 1, 4)
	want := []float64{2, 0, 1, 0} // of four finite values, bins of ¼
	for k, v := range h.Heights {
		if v != want[k] {
			t.Errorf("bin %d: got %g, want %g", k, v, want[k])
		}
	}
}

func TestHistogramOfNothing(t *testing.T) {
	defer func() {
		if s, ok := recover().(string); !ok || !strings.HasPrefix(s, "viz: Histogram") {
			t.Error("an empty range: no panic that names it")
		}
	}()
	Histogram([]float64{1}, 1, 1, 3)
}

func TestAutocorrelation(t *testing.T) {
	// AR(1) with coefficient 0.8: ρ_k = 0.8^k, standard error below √((1+φ²)/((1−φ²)n)) ≈ 0.0048 for n = 200 000.
	rng := rand.New(rand.NewPCG(9, 9))
	var chains [][]float64
	for range 4 {
		x := make([]float64, 50000)
		for i := 1; i < len(x); i++ {
			x[i] = 0.8*x[i-1] + rng.NormFloat64()
		}
		chains = append(chains, x)
	}
	se := math.Sqrt((1 + 0.64) / ((1 - 0.64) * 200000))
	for k, r := range autocorrelation(chains, 6) {
		if want := math.Pow(0.8, float64(k)); math.Abs(r-want) > 4*se {
			t.Errorf("ρ_%d = %.4f, want %.4f ± %.4f", k, r, want, 4*se)
		}
	}
}

func TestTerminal(t *testing.T) {
	p := toyPanel()
	for _, c := range []struct {
		mode    ColorMode
		escapes bool
	}{{NoColor, false}, {Color256, true}, {TrueColor, true}} {
		var b bytes.Buffer
		if err := Terminal(&b, p, TerminalConfig{Width: 100, Color: c.mode}); err != nil {
			t.Fatal(err)
		}
		s := b.String()
		if got := strings.Contains(s, "\x1b["); got != c.escapes {
			t.Errorf("mode %d: escapes %v, want %v", c.mode, got, c.escapes)
		}
		for _, line := range strings.Split(s, "\n") {
			n, esc := 0, false
			for _, r := range line {
				switch {
				case r == '\x1b':
					esc = true
				case esc:
					esc = r != 'm'
				default:
					n++
				}
			}
			if n > 100 {
				t.Fatalf("mode %d: line of %d columns, want ≤ 100", c.mode, n)
			}
		}
		if c.mode == NoColor && (!strings.Contains(s, "@") || !strings.Contains(s, "samples")) {
			t.Errorf("no picture:\n%s", s)
		}
	}
	env := func(kv ...string) func(string) string {
		return func(k string) string {
			for i := 0; i < len(kv); i += 2 {
				if kv[i] == k {
					return kv[i+1]
				}
			}
			return ""
		}
	}
	for _, c := range []struct {
		env  func(string) string
		want ColorMode
	}{
		{env("TERM", "xterm", "NO_COLOR", "1", "COLORTERM", "truecolor"), NoColor},
		{env("TERM", "xterm", "COLORTERM", "truecolor"), TrueColor},
		{env("TERM", "xterm"), Color256},
		{env("TERM", "dumb"), NoColor},
		{env(), NoColor},
	} {
		if got := DetectColor(c.env); got != c.want {
			t.Errorf("got %d, want %d", got, c.want)
		}
	}
	if Terminal(io.Discard, &Panel{}, TerminalConfig{}) == nil {
		t.Error("an empty panel: no error")
	}
}

func ExamplePanel() {
	// An energy E(x) = ‖x‖²/2 on a grid; any energy fills it by Eval.
	g := NewGrid([]float64{-3, -3}, []float64{3, 3}, 61)
	_ = g.Eval(func(dst []float64, x *mat.Dense) error {
		for i := range dst {
			r := x.RawRowView(i)
			dst[i] = (r[0]*r[0] + r[1]*r[1]) / 2
		}
		return nil
	})
	p := &Panel{Title: "Gaussian", Energy: g,
		Loss: []Series{{Name: "loss", X: []float64{0, 1, 2}, Y: []float64{3, 2, 1}}}}
	dir, _ := os.MkdirTemp("", "viz")
	defer os.RemoveAll(dir)
	fmt.Println(Save(filepath.Join(dir, "panel.svg"), p))
	// Output: <nil>
}

// A plane with a single unit is drawn to scale; one whose axes have different units is drawn as a square, so that its
// figure fits on a page.
func TestUnequalUnits(t *testing.T) {
	for _, c := range []struct{ width, height, want float64 }{
		{8, 8, 1}, {11, 17, 17. / 11}, {17, 11, 11. / 17}, {11, 30, 30. / 11}, {1, 40, 1}, {40, 1, 1}, {1e-3, 1e6, 1},
	} {
		p := Light.Plane("", [2]float64{}, [2]float64{c.width, c.height})
		if got := Equal(p); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("aspect of %g × %g: got %g, want %g", c.width, c.height, got, c.want)
		}
	}
	x := mat.NewDense(4, 2, []float64{1, 40, 6, 100, 2, 50, 5, 80})
	for _, kind := range []string{"panel", "contour", "samples", "score"} {
		g := NewGrid([]float64{0, 30}, []float64{7, 110}, 9)
		for i := range g.Z {
			g.Z[i] = float64(i % 5)
		}
		at := FieldPoints([]float64{0, 30}, []float64{7, 110}, 5)
		p := &Panel{Data: x, Samples: x, Energy: g, Score: &Field{At: at, Vector: at}}
		pic, err := p.Kind(kind)
		if err != nil {
			t.Fatal(err)
		}
		if w, h := pic.Size(); h > 1.2*w {
			t.Errorf("%s of data in unequal units: %g × %g", kind, w, h)
		}
	}
}

// Arrows of a score point down the visible slope, whatever the units of the axes.
func TestSteepest(t *testing.T) {
	const width, height = 2.0, 80.0
	p := Light.Plane("", [2]float64{}, [2]float64{width, height})
	// On a square page of side 1 a point is (x/2, y/80). An energy that falls along the diagonal of the page has the
	// slope -(1, 1) there and -(1/2, 1/80) in the plane.
	v := steepest(mat.NewDense(1, 2, []float64{1 / width, 1 / height}), p)
	if x, y := v.At(0, 0)/width, v.At(0, 1)/height; math.Abs(x-y) > 1e-12*math.Abs(x) || x <= 0 {
		t.Errorf("direction on the page: got (%g, %g), want the diagonal", x, y)
	}
	same := mat.NewDense(1, 2, []float64{3, 4})
	if steepest(same, Light.Plane("", [2]float64{}, [2]float64{2, 3})) != mat.Matrix(same) {
		t.Error("axes of one scale: the vectors are not those given")
	}
}

// The axes of every plane have the names of its coordinates, or x₁ and x₂ if there are none; long names are
// truncated.
func TestAxesHaveNames(t *testing.T) {
	const long = "the time that one waits for the next eruption"
	labelled := func(f *Figure) (out [][2]string) {
		for _, c := range f.cells {
			if c.Plot != nil && strings.Contains("x₁ wait", c.Plot.X.Label.Text) && c.Plot.X.Label.Text != "" {
				out = append(out, [2]string{c.Plot.X.Label.Text, c.Plot.Y.Label.Text})
			}
		}
		return out
	}
	for _, names := range [][]string{nil, {"wait", long}} {
		want := [2]string{"x₁", "x₂"}
		if names != nil {
			r := []rune(long)
			want = [2]string{"wait", string(r[:12]) + "…" + string(r[len(r)-11:])}
		}
		p, d := fullPanel(), toyDiagnostics()
		p.Names, d.Names = names, names
		w := &Walk{Energy: p.Energy, Frames: d.Chains, Names: names}
		figures := map[string]*Figure{"diagnostics": d.Figure(), "walk": w.frame(0).(*Figure)}
		for kind, planes := range map[string]int{"panel": 3, "samples": 2, "contour": 1, "score": 1} {
			f, err := p.Kind(kind)
			if err != nil {
				t.Fatal(err)
			}
			if figures[kind] = f; len(labelled(f)) != planes {
				t.Errorf("%s: %d planes have the names, want %d", kind, len(labelled(f)), planes)
			}
		}
		for kind, f := range figures {
			got := labelled(f)
			if len(got) == 0 {
				t.Errorf("%s: no plane has the names", kind)
			}
			for _, g := range got {
				if g != want {
					t.Errorf("%s: axes %q, want %q", kind, g, want)
				}
			}
		}
	}
}
