package viz

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"strings"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// kinds are the pictures of Panel.Kind: what they need, and how they are drawn.
var kinds = []struct {
	name, needs string
	can         func(p *Panel) bool
	draw        func(p *Panel) *Figure
}{
	{"panel", "", func(*Panel) bool { return true }, (*Panel).Figure},
	{"samples", "samples of the model, or data", func(p *Panel) bool { return present(p.Samples) || present(p.Data) },
		(*Panel).samples},
	{"contour", "the energy on a grid over the plane", (*Panel).mapped, (*Panel).contour},
	{"surface", "the energy on a grid over the plane", (*Panel).mapped, (*Panel).surface},
	{"score", "the energy on a two-dimensional grid, and its score",
		func(p *Panel) bool { return p.mapped() && p.Score != nil }, (*Panel).score},
	{"loss", "the loss or another curve, and none was recorded; train for some steps first",
		func(p *Panel) bool { return len(p.Loss)+len(p.Other) > 0 }, (*Panel).loss},
}

// Kinds lists the pictures that Panel.Kind makes.
func Kinds() []string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.name)
	}
	return names
}

// Kind returns one picture of the panel's data: the panel itself; samples beside data, with marginal histograms;
// contours with the data; the surface alone; the score field over the energy (needs Score); the curves alone.
func (p *Panel) Kind(kind string) (*Figure, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	for _, k := range kinds {
		switch {
		case k.name != kind:
		case !k.can(p):
			return nil, fmt.Errorf("viz: a %s picture needs %s", kind, k.needs)
		default:
			return k.draw(p), nil
		}
	}
	return nil, fmt.Errorf("viz: unknown picture %q, want one of %s", kind, strings.Join(Kinds(), " "))
}

// mapped reports whether there is an energy over the plane.
func (p *Panel) mapped() bool { return p.Energy != nil }

// landscape returns heights, their scale in bands, and the style.
func (p *Panel) landscape() (rel *Grid, sc Scale, st *Style) {
	st = styleOr(p.Style)
	rel, depth := p.Energy.Landscape()
	if p.Depth > 0 {
		depth = p.Depth
	}
	return rel, Scale{Lo: 0, Hi: depth, Map: st.Energy, Bands: energyBands}, st
}

func (p *Panel) figure(width vg.Length) *Figure {
	note := p.Note
	if note == "" && p.Step > 0 {
		note = "step " + thousands(p.Step)
	}
	if p.Width > 0 {
		width = p.Width
	}
	return &Figure{Title: p.Title, Note: note, Style: styleOr(p.Style), Width: width}
}

func (p *Panel) contour() *Figure {
	rel, sc, st := p.landscape()
	lo, hi := p.box()
	pl := st.plane("", lo, hi, p.Names)
	pl.Add(&FilledContour{Grid: rel, Scale: sc, Line: color.NRGBA{255, 255, 255, 100}, Width: 0.5})
	if present(p.Data) {
		pl.Add(&Scatter{X: p.Data, Color: st.Over, Radius: 0.9, Alpha: 0.7, Max: 1000})
	}
	f := p.figure(400)
	f.Add(Cell{Plot: st.finish(pl, lo, hi), Aspect: Equal(pl), Bar: &sc, BarLabel: "E − min E (nats)"})
	return f
}

func (p *Panel) surface() *Figure {
	rel, sc, st := p.landscape()
	f := p.figure(480)
	f.Heights = []vg.Length{330}
	name := axes(p.Names)
	s := &Surface{Grid: rel, Scale: sc, Camera: p.Camera, Style: st, Shadow: true, Cells: 120,
		Labels: [3]string{name[0], name[1], "E − min E (nats)"}}
	f.Add(Cell{Draw: s.Draw})
	return f
}

func (p *Panel) score() *Figure {
	rel, sc, st := p.landscape()
	sc.Bands = 0
	lo, hi := p.box()
	pl := st.plane("", lo, hi, p.Names)
	pl.Add(&HeatMap{Grid: rel, Scale: sc}, &Arrows{At: p.Score.At, Vector: steepest(p.Score.Vector, pl), Width: 0.8,
		Ground: func(x, y float64) color.RGBA { return sc.Color(rel.Interpolate(x, y)) }})
	f := p.figure(400)
	f.Add(Cell{Plot: st.finish(pl, lo, hi), Aspect: Equal(pl), Bar: &sc, BarLabel: "E − min E (nats)"})
	return f
}

// steepest rescales the gradients v so that Arrows draws them along the slope as seen on the page. With x̃ = s x on the
// page, a gradient is v/s there, and Arrows draws s times its vector: v/s². Axes of equal scale need no change.
func steepest(v mat.Matrix, pl *plot.Plot) mat.Matrix {
	w, h := pl.X.Max-pl.X.Min, pl.Y.Max-pl.Y.Min
	if Equal(pl) == h/w {
		return v
	}
	r := (h / w) / Equal(pl) // ratio of the scales of x and y
	out := mat.DenseCopyOf(v)
	out.Apply(func(_, j int, g float64) float64 {
		if j == 1 {
			return g * r * r
		}
		return g
	}, out)
	return out
}

func (p *Panel) loss() *Figure {
	st := styleOr(p.Style)
	f := p.figure(440)
	row := 0
	for _, s := range []struct {
		label  string
		series []Series
	}{{"loss", p.Loss}, {p.OtherLabel, p.Other}} {
		if len(s.series) == 0 {
			continue
		}
		label := s.label
		if len(s.series) == 1 && (label == "" || label == "loss") && s.series[0].Name != "" {
			label = s.series[0].Name
		}
		f.Add(Cell{Row: row, Plot: st.curvePlot("", label, float64(p.Steps), s.series...)})
		f.Heights = append(f.Heights, 170)
		row++
	}
	return f
}

// samples draws both sets side by side, each with the other's marginals as an outline; on a line, see line.
func (p *Panel) samples() *Figure {
	if dim(p.Data, p.Samples) == 1 {
		return p.line()
	}
	st := styleOr(p.Style)
	lo, hi := p.box()
	f := p.figure(0)
	col := 0
	for _, s := range []struct {
		title string
		x     mat.Matrix
		c     color.RGBA
		other mat.Matrix
		oc    color.RGBA
	}{{"Data", p.Data, st.Data, p.Samples, st.Model}, {"Samples of the model", p.Samples, st.Model, p.Data, st.Data}} {
		if !present(s.x) {
			continue
		}
		pl := st.plane("", lo, hi, p.Names)
		pl.Add(&Scatter{X: s.x, Color: s.c}, remark{st, outside(lo, hi, s.x)})
		f.Add(Cell{Row: 1, Col: col, Plot: st.finish(pl, lo, hi), Aspect: Equal(pl)})
		for axis := range 2 {
			m := st.NewPlot("", "", "")
			if axis == 0 {
				m.Title.Text = s.title
			}
			m.HideAxes()
			h := Histogram(mat.Col(nil, axis, s.x), lo[axis], hi[axis], 60)
			h.Fill, h.Sideways = fade(s.c, 0.45), axis == 1
			m.Add(h)
			if present(s.other) { // the other set as an outline
				o := Histogram(mat.Col(nil, axis, s.other), lo[axis], hi[axis], 60)
				o.Line, o.Sideways = draw.LineStyle{Color: s.oc, Width: 0.9}, axis == 1
				m.Add(o)
			}
			if axis == 0 {
				m.X.Min, m.X.Max, m.Y.Max = lo[0], hi[0], m.Y.Max*1.05
				f.Add(Cell{Row: 0, Col: col, Plot: m})
			} else {
				m.Y.Min, m.Y.Max, m.X.Max = lo[1], hi[1], m.X.Max*1.05
				f.Add(Cell{Row: 1, Col: col + 1, Plot: m})
			}
		}
		f.Widths = append(f.Widths, 1, 0.2)
		col += 2
	}
	f.Heights, f.Gap = []vg.Length{42, 0}, 5
	return f
}

// Field is a vector at each of n points.
type Field struct{ At, Vector mat.Matrix }

// FieldPoints returns an n×n lattice of cell centres over a box, good positions for arrows.
func FieldPoints(lo, hi []float64, n int) *mat.Dense {
	m := mat.NewDense(n*n, 2, nil)
	for j := range n {
		for i := range n {
			m.SetRow(j*n+i, []float64{lo[0] + (hi[0]-lo[0])*(float64(i)+0.5)/float64(n),
				lo[1] + (hi[1]-lo[1])*(float64(j)+0.5)/float64(n)})
		}
	}
	return m
}

// Triptych compares two densities on the same lattice: the true one, the model's on the same scale, and their
// difference; and, if given, the error of the score.
type Triptych struct {
	Title       string
	True, Model *Grid // densities, not energies
	// p|s_q − s_p|² with p the true density, s_p and s_q the scores: its integral is the Fisher divergence; nil: left
	// out
	Score *Grid
	Style *Style
	Width vg.Length
}

// Figure returns the picture. The scale of the densities ends at the 0.999 quantile of the true density; that of the
// difference is symmetric.
func (t *Triptych) Figure() *Figure {
	st := styleOr(t.Style)
	f := &Figure{Title: t.Title, Style: st, Width: t.Width}
	x0, x1, y0, y1 := t.True.rectangle()
	lo, hi := [2]float64{x0, y0}, [2]float64{x1, y1}
	top := t.True.Quantiles(0.999)[0]
	if !(top > 0) {
		_, top = t.True.Range()
	}
	if !(top > 0) {
		top = 1
	}
	diff := &Grid{X: t.True.X, Y: t.True.Y, Z: make([]float64, len(t.True.Z))}
	abs := diff.Clone()
	for i := range diff.Z {
		diff.Z[i] = t.Model.Z[i] - t.True.Z[i]
		abs.Z[i] = math.Abs(diff.Z[i])
	}
	most := abs.Quantiles(0.999)[0]
	if !(most > 1e-3*top) {
		most = 1e-3 * top // no visible difference: do not magnify rounding errors
	}
	density := Scale{Lo: 0, Hi: top, Map: st.Density}
	signed := Scale{Lo: -most, Hi: most, Map: st.Diverging}
	type part struct {
		title string
		grid  *Grid
		scale Scale
		bar   bool
	}
	parts := []part{{"True density", t.True, density, false}, {"Model density", t.Model, density, true},
		{"Model − true", diff, signed, true}}
	if t.Score != nil {
		worst := t.Score.Quantiles(0.999)[0]
		if !(worst > 0) {
			worst = 1
		}
		parts = append(parts, part{"Score error² · density", t.Score, Scale{Lo: 0, Hi: worst, Map: st.Density}, true})
		f.Width = cmp.Or(f.Width, 860)
	}
	for k, c := range parts {
		p := st.Plane(c.title, lo, hi)
		p.Add(&HeatMap{Grid: c.grid, Scale: c.scale})
		st.finish(p, lo, hi)
		if k > 0 {
			p.Y.Label.Text = ""
		}
		cell := Cell{Col: k, Plot: p, Aspect: Equal(p)}
		if c.bar {
			cell.Bar = &c.scale
		}
		f.Add(cell)
	}
	return f
}

var (
	_ Picture = (*Triptych)(nil)
	_ Picture = (*Diagnostics)(nil)
	_ Picture = (*Figure)(nil)
)
