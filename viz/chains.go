package viz

import (
	"cmp"
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Trails draws the trajectories of chains in the plane: older parts are fainter, a dot marks the current state. They
// break off at points that are not finite.
type Trails struct {
	Chains []mat.Matrix // one t×2 matrix per chain, in time order
	Colors []color.RGBA // used in turn
	Width  vg.Length    // 0 means 0.8
	Radius vg.Length    // of the dot at the end; 0 means 1.6, negative none
	Jump   float64      // moves longer than this, in data units, leave no trail; 0: all do
}

func (t *Trails) DataRange() (xmin, xmax, ymin, ymax float64) { return extent(t.Chains...) }

// Plot satisfies plot.Plotter.
func (t *Trails) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	width, rad := cmp.Or(t.Width, 0.8), cmp.Or(t.Radius, 1.6)
	const steps = 6 // levels of fading
	for k, m := range t.Chains {
		col := t.Colors[k%len(t.Colors)]
		n, _ := m.Dims()
		pts := make([]vg.Point, n)
		for i := range pts {
			pts[i] = vg.Point{X: trX(m.At(i, 0)), Y: trY(m.At(i, 1))}
		}
		for s := range steps {
			a, b := s*(n-1)/steps, (s+1)*(n-1)/steps
			if n < 2 || a == b {
				continue
			}
			st := draw.LineStyle{Color: fade(col, 0.12+0.78*float64(s+1)/steps), Width: width}
			for i := a; i <= b; i++ {
				switch {
				case !somewhere(pts[i]):
					a = i + 1
				case i == b || !somewhere(pts[i+1]) ||
					t.Jump > 0 && math.Hypot(m.At(i+1, 0)-m.At(i, 0), m.At(i+1, 1)-m.At(i, 1)) > t.Jump:
					if i > a {
						c.StrokeLines(st, c.ClipLinesXY(pts[a:i+1])...)
					}
					a = i + 1
				}
			}
		}
		if n > 0 && rad > 0 && c.Contains(pts[n-1]) {
			c.SetColor(col)
			disc(c, pts[n-1], rad)
		}
	}
}

// somewhere reports whether a point has a place.
func somewhere(p vg.Point) bool { return finite(float64(p.X)) && finite(float64(p.Y)) }

// autocorrelation returns ρ₀ … ρ_lags of one quantity from the draws of several chains, each chain centred on its own
// mean:
//
//	ρ_k = Σ_chains Σ_t (x_t − x̄)(x_{t+k} − x̄) / Σ_chains Σ_t (x_t − x̄)².
func autocorrelation(chains [][]float64, lags int) []float64 {
	rho := make([]float64, lags+1)
	for _, x := range chains {
		mean := 0.0
		for _, v := range x {
			mean += v / float64(len(x))
		}
		for k := range rho {
			for t := 0; t+k < len(x); t++ {
				rho[k] += (x[t] - mean) * (x[t+k] - mean)
			}
		}
	}
	if rho[0] > 0 {
		for k := lags; k >= 0; k-- {
			rho[k] /= rho[0]
		}
	}
	return rho
}

// Diagnostics shows how well chains mixed: trace plots of two quantities, trajectories in their plane (over the energy,
// if given) or, for a single quantity, a histogram per chain; autocorrelation, R̂ and effective sample sizes, worst
// first. NewDiagnostics makes it from draws.
type Diagnostics struct {
	Title  string
	Chains []*mat.Dense // one draws×d matrix per chain; at most Show are drawn, all are used for the autocorrelation
	Names  []string     // of the columns; nil: x₁, x₂, …, or x for a single one
	RHat   []float64    // per column; nil: left out
	ESS    []float64    // per column; nil: left out
	Draws  int          // total number of draws, the bound of the ESS bars; 0: counted
	Energy *Grid        // drawn under the trajectories of the first two columns; may be nil
	Choose []int        // at most two columns to draw; nil: the worst two, with Energy the first two
	Show   int          // 0 means 4
	Style  *Style
	Width  vg.Length
}

// chosen returns which of dim columns are drawn.
func (d *Diagnostics) chosen(dim int) []int {
	pick := d.Choose
	switch {
	case pick != nil:
	case dim > 2 && d.Energy == nil && len(d.RHat) == dim:
		pick = worst(d.RHat, func(v float64) float64 { return v })
	case dim > 2 && d.Energy == nil && len(d.ESS) == dim:
		pick = worst(d.ESS, func(v float64) float64 { return -v })
	default:
		pick = []int{0, 1}
	}
	pick = slices.DeleteFunc(slices.Clone(pick), func(k int) bool { return k < 0 || k >= dim })
	return pick[:min(len(pick), 2)]
}

// longName is the number of characters that fit beside a short axis.
const longName = 16

func (d *Diagnostics) name(k int) string {
	if k < len(d.Names) {
		return clip(d.Names[k], longName)
	}
	s := "x"
	if len(d.Chains) > 0 {
		if _, c := d.Chains[0].Dims(); c == 1 {
			return s
		}
	}
	for _, r := range number(float64(k+1), 6) {
		s += string('₀' + r - '0')
	}
	return s
}

// Figure returns the picture.
func (d *Diagnostics) Figure() *Figure {
	st := styleOr(d.Style)
	f := &Figure{Title: d.Title, Style: st, Width: d.Width, Heights: []vg.Length{84, 84, 118}}
	show := min(cmp.Or(d.Show, 4), len(d.Chains))
	dim, most := 0, 0
	for _, m := range d.Chains {
		n, c := m.Dims()
		dim, most = c, max(most, n)
	}
	low := 2 // row of the measures
	pick := d.chosen(dim)
	for row, k := range pick {
		title, below := "", ""
		if row == 0 {
			title = "Trace"
		}
		if row == len(pick)-1 {
			below = "draw"
		}
		p := d.trace(st, title, below, k, show)
		f.Add(Cell{Row: row, Col: 0, ColSpan: 2, Plot: p})
		if len(pick) == 1 {
			f.Add(Cell{Row: row, Col: 2, Plot: d.heights(st, k, show, p.Y.Min, p.Y.Max)})
			low, f.Heights = 1, []vg.Length{168, 118}
		}
	}
	if len(pick) != 1 {
		p := d.ways(st, show, pick)
		f.Add(Cell{Row: 0, Col: 2, RowSpan: 2, Plot: p, Aspect: Equal(p)})
	}
	f.Add(Cell{Row: low, Col: 0, Plot: d.correlations(st, pick, min(max(most/5, 10), 100))})
	if d.RHat != nil {
		f.Add(Cell{Row: low, Col: 1, Plot: d.bars(st, measure{"R̂", "at most 1.01 wanted", d.RHat, 1, 1.01, 1})})
	}
	if d.ESS != nil {
		f.Add(Cell{Row: low, Col: 2, Plot: d.bars(st, d.sizes())})
	}
	return f
}

// trace draws coordinate k of the first chains over the draws.
func (d *Diagnostics) trace(st *Style, title, below string, k, show int) *plot.Plot {
	p := st.NewPlot(title, below, d.name(k))
	p.Add(ground{st, false, true})
	for c := range show {
		n, _ := d.Chains[c].Dims()
		y := mat.Col(nil, k, d.Chains[c])
		p.Add(&Curve{X: linspace(0, float64(max(n-1, 1)), max(n, 2))[:n], Y: y,
			Line: draw.LineStyle{Color: fade(st.Accent[c%len(st.Accent)], 0.8), Width: 0.6}})
	}
	p.Add(frame{st})
	p.X.Max = math.Ceil(p.X.Max/10) * 10
	p.Y.Tick.Marker = Ticks{N: 3}
	widen(&p.Y)
	return p
}

// correlations draws the autocorrelations of the chosen coordinates.
func (d *Diagnostics) correlations(st *Style, pick []int, lags int) *plot.Plot {
	p := st.NewPlot("Autocorrelation", "lag", "")
	p.Add(ground{st, true, true})
	var key []legendEntry
	for i, k := range pick {
		var xs [][]float64
		for _, m := range d.Chains {
			xs = append(xs, mat.Col(nil, k, m))
		}
		col := st.Accent[i]
		p.Add(&Curve{X: linspace(0, float64(lags), lags+1), Y: autocorrelation(xs, lags),
			Line: draw.LineStyle{Color: col, Width: st.LineWidth}})
		key = append(key, legendEntry{name: d.name(k), color: col})
	}
	p.Add(&Curve{X: []float64{0, float64(lags)}, Y: []float64{0, 0}, Line: draw.LineStyle{Color: st.Ink, Width: 0.6}},
		legend{s: st, entries: key}, frame{st})
	p.X.Min, p.X.Max = 0, float64(lags)
	p.Y.Min, p.Y.Max = math.Min(p.Y.Min, -0.1), 1.02
	return p
}

// sizes returns the effective sample sizes.
func (d *Diagnostics) sizes() measure {
	total := d.Draws
	if total == 0 {
		for _, m := range d.Chains {
			n, _ := m.Dims()
			total += n
		}
	}
	want := 100 * float64(max(len(d.Chains), 1)) // Vehtari et al. 2021: at least 100 per chain, 400 in all for four
	label := fmt.Sprintf("of %s draws, at least %s wanted", thousands(total), thousands(int(want)))
	if want > float64(total) {
		want, label = math.NaN(), "of "+thousands(total)+" draws"
	}
	return measure{"Effective sample size", label, d.ESS, 0, want, -1}
}

// measure is one number per column, and which values are good.
type measure struct {
	title, label string
	values       []float64
	base, limit  float64 // where bars start; the threshold, NaN if there is none
	sign         float64 // 1 where small values are good, -1 where large ones are
}

// mostBars is the number of bars that fit.
const mostBars = 8

// bars draws one bar per column, worst first: good ones in the third accent colour, others in the second.
func (d *Diagnostics) bars(st *Style, m measure) *plot.Plot {
	order := worst(m.values, func(v float64) float64 { return m.sign * v })
	if len(order) > mostBars {
		m.title += fmt.Sprintf(" · %d of %d", mostBars, len(order))
		order = order[:mostBars]
	}
	b := &Bars{Base: m.base, Limit: m.limit, Line: draw.LineStyle{Color: st.Ink, Width: 0.8, Dashes: []vg.Length{3, 2}}}
	var ticks []plot.Tick
	for i, k := range order {
		v, c, name := m.values[k], st.Accent[2], d.name(k)
		if m.sign*v > m.sign*m.limit {
			c = st.Accent[1]
		}
		if !finite(v) { // no bar
			name += " ?"
		}
		b.Values, b.Colors = append(b.Values, v), append(b.Colors, c)
		ticks = append(ticks, plot.Tick{Value: float64(len(order) - 1 - i), Label: name})
	}
	p := st.NewPlot(m.title, m.label, "")
	p.Add(ground{st, true, false}, b, frame{st})
	p.Y.Tick.Marker = plot.ConstantTicks(ticks)
	p.Y.Tick.Length = 0
	p.X.Tick.Marker = Ticks{N: 3}
	if p.X.Max-p.X.Min < 1e-9 {
		p.X.Max = p.X.Min + 0.02
	}
	return p
}

// widen adds a margin to an axis, and gives it a width where the data have none.
func widen(a *plot.Axis) {
	pad := 0.04 * (a.Max - a.Min)
	if !(pad > 0) || math.IsInf(pad, 0) {
		if pad = 0.01 * math.Abs(a.Max); !(pad > 0) || math.IsInf(pad, 0) {
			a.Min, a.Max, pad = 0, 0, 1
		}
	}
	a.Min, a.Max = a.Min-pad, a.Max+pad
}

// heights draws the histograms of the chains shown, beside their traces over lo … hi.
func (d *Diagnostics) heights(st *Style, k, show int, lo, hi float64) *plot.Plot {
	p := st.NewPlot("Chains", "density", "")
	p.Add(ground{st, false, true})
	if lo < hi {
		for c := range show {
			h := Histogram(mat.Col(nil, k, d.Chains[c]), lo, hi, 40)
			h.Line, h.Sideways = draw.LineStyle{Color: fade(st.Accent[c%len(st.Accent)], 0.8), Width: 0.8}, true
			p.Add(h)
		}
	}
	p.Add(frame{st})
	p.Y.Tick.Marker, p.X.Tick.Marker = Ticks{N: 3}, Ticks{N: 3}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, p.X.Max*1.05, lo, hi
	return p
}

// jump is the length above which a move is taken as one between modes and drawn without a trail, since the chain did
// not pass through what lies between.
func jump(lo, hi [2]float64) float64 { return math.Max(hi[0]-lo[0], hi[1]-lo[1]) / 8 }

// ways draws the last draws of the chains shown in the plane of two columns, over the box of the energy, or over their
// own range where there is none.
func (d *Diagnostics) ways(st *Style, show int, pick []int) *plot.Plot {
	const last = 300
	t := &Trails{Colors: st.Accent, Width: 0.5}
	for _, m := range d.Chains[:show] {
		n, _ := m.Dims()
		way := mat.NewDense(min(n, last), 2, nil)
		for i, k := range pick {
			way.SetCol(i, mat.Col(nil, k, m)[n-min(n, last):])
		}
		t.Chains = append(t.Chains, way)
	}
	lo, hi, ok := boxOf(t.Chains...)
	ground := d.Energy
	if !slices.Equal(pick, []int{0, 1}) {
		ground = nil
	}
	if p := (Panel{Energy: ground}); ground != nil || !ok {
		lo, hi = p.box()
	}
	t.Jump = jump(lo, hi)
	var names []string
	for _, k := range pick {
		name := d.name(k)
		if k < len(d.Names) {
			name = d.Names[k]
		}
		names = append(names, name)
	}
	p := st.plane("Chains", lo, hi, names)
	if ground != nil {
		rel, depth := ground.Landscape()
		sc := Scale{Lo: 0, Hi: depth, Map: st.Energy, Bands: energyBands}
		p.Add(&ContourLines{Grid: rel, Levels: sc.levels(),
			Style: draw.LineStyle{Color: blend(st.Ink, st.Face, 0.35), Width: 0.5}})
	}
	for c, way := range t.Chains {
		p.Add(&Scatter{X: way, Color: st.Accent[c%len(st.Accent)], Radius: 0.8})
	}
	if show > 0 {
		p.Add(t)
	}
	p.Add(remark{st, outside(lo, hi, t.Chains...)})
	return st.finish(p, lo, hi)
}

// Walk is an animation of chains moving over an energy landscape.
type Walk struct {
	Title  string
	Energy *Grid
	Names  []string     // of the coordinates; nil: x₁, x₂
	Frames []*mat.Dense // states of all chains, n×2, one matrix per frame
	Trail  int          // length of the trail in frames; 0 means 12
	Show   int          // chains drawn with a trail, the others as dots; 0 means 8
	Pixels int          // width; 0 means 480
	Style  *Style
}

// frame returns the picture of frame k.
func (w *Walk) frame(k int) Picture {
	st := styleOr(w.Style)
	p := Panel{Energy: w.Energy}
	lo, hi := p.box()
	pl := st.plane("", lo, hi, w.Names)
	rel, depth := w.Energy.Landscape()
	sc := Scale{Lo: 0, Hi: depth, Map: st.Energy, Bands: energyBands}
	pl.Add(&FilledContour{Grid: rel, Scale: sc, Line: color.NRGBA{255, 255, 255, 77}, Width: 0.5})
	n, _ := w.Frames[k].Dims()
	trail, show := cmp.Or(w.Trail, 12), min(cmp.Or(w.Show, 8), n)
	// White with a dark rim stands out in the wells and on the plateau, in either style.
	white, rim := rgb(0xFFFFFF), rgb(0x1A1A1A)
	if show < n {
		others := w.Frames[k].Slice(show, n, 0, 2)
		pl.Add(&Scatter{X: others, Color: rim, Radius: 1.9}, &Scatter{X: others, Color: white, Radius: 1.3})
	}
	t := &Trails{Colors: []color.RGBA{white}, Width: 1, Radius: 2.4, Jump: jump(lo, hi)}
	under := &Trails{Colors: []color.RGBA{rim}, Width: 1.9, Radius: 3, Jump: t.Jump}
	for c := range show {
		first := max(0, k-trail)
		m := mat.NewDense(k-first+1, 2, nil)
		for i := first; i <= k; i++ {
			m.Set(i-first, 0, w.Frames[i].At(c, 0))
			m.Set(i-first, 1, w.Frames[i].At(c, 1))
		}
		t.Chains, under.Chains = append(t.Chains, m), append(under.Chains, m)
	}
	pl.Add(under, t)
	st.finish(pl, lo, hi)
	f := &Figure{Title: w.Title, Note: "draw " + thousands(k+1), Style: st, Width: 360}
	f.Add(Cell{Plot: pl, Aspect: Equal(pl), Bar: &sc, BarLabel: "E − min E (nats)"})
	return f
}

func (w *Walk) pixels() int { return cmp.Or(w.Pixels, 480) }

// Validate reports what could not be drawn.
func (w *Walk) Validate() error {
	if w.Energy == nil || len(w.Frames) == 0 {
		return errors.New("viz: a Walk needs a two-dimensional energy and frames")
	}
	for k, m := range w.Frames {
		n, d := m.Dims()
		if n0, _ := w.Frames[0].Dims(); d < 2 || n != n0 {
			return fmt.Errorf(
				"viz: Walk.Frames[%d] is %d×%d, want the %d chains of the first frame in at least 2 columns", k, n, d,
				n0)
		}
	}
	return w.Energy.Validate()
}

// GIF draws all frames.
func (w *Walk) GIF() (*GIF, error) {
	if err := w.Validate(); err != nil {
		return nil, err
	}
	pics := make([]Picture, len(w.Frames))
	for k := range pics {
		pics[k] = w.frame(k)
	}
	return Pictures(w.pixels(), styleOr(w.Style).palette(), pics...)
}

// Save writes the animation to a .gif file: to a temporary file next to the path, which is then renamed.
func (w *Walk) Save(path string) error {
	return saveGIF(path, w.GIF)
}

// SaveFrames writes the frames as frame-0001.png … to a folder, which it creates.
func (w *Walk) SaveFrames(dir string) error {
	if err := w.Validate(); err != nil {
		return err
	}
	return saveFrames(dir, func(do func(k int, img *image.RGBA) error) error {
		return ordered(len(w.Frames), func(k int) *image.RGBA {
			return pixelsWide(w.frame(k), w.pixels())
		}, do)
	})
}
