package viz

import (
	"cmp"
	"image/color"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Style is the look of a picture: colours, maps and sizes. Light and Dark are predefined; change a copy of one to make
// your own.
type Style struct {
	Background color.RGBA // page
	Face       color.RGBA // data rectangle
	Ink        color.RGBA // text, axes
	Rule       color.RGBA // grid lines
	Data       color.RGBA // data points; true densities
	Model      color.RGBA // samples; model densities
	Over       color.RGBA // points drawn over energies
	Accent     []color.RGBA

	Energy    *ColorMap // energies: low to high
	Density   *ColorMap // densities
	Diverging *ColorMap // signed differences

	FontSize  vg.Length // of tick labels; axis labels are one point larger, titles two
	LineWidth vg.Length // curves
}

// The colours of data, model and accents are those of Okabe and Ito (2008), distinguishable with any kind of colour
// vision.
var (
	okabe = []color.RGBA{rgb(0x0072B2), rgb(0xD55E00), rgb(0x009E73), rgb(0xCC79A7), rgb(0xE69F00), rgb(0x56B4E9)}

	// Light is black on white, for paper.
	Light = &Style{
		Background: rgb(0xFFFFFF), Face: rgb(0xFFFFFF), Ink: rgb(0x222222), Rule: rgb(0xE4E4E4),
		Data: rgb(0x0072B2), Model: rgb(0xD55E00), Over: rgb(0xFFFFFF), Accent: okabe,
		Energy: Magma.Slice(0.12, 1), Density: Magma.Reversed(), Diverging: Vik, FontSize: 9, LineWidth: 1.4,
	}
	// Dark is light on near-black, for screens.
	Dark = &Style{
		Background: rgb(0x15181D), Face: rgb(0x1B1F26), Ink: rgb(0xE2E4E8), Rule: rgb(0x333A44),
		Data: rgb(0x56B4E9), Model: rgb(0xF09A4A), Over: rgb(0x1B1F4B),
		Accent: []color.RGBA{rgb(0x56B4E9), rgb(0xF09A4A), rgb(0x2FCB9B), rgb(0xE3A3C7), rgb(0xF0D24A), rgb(0x9FB4FF)},
		Energy: Viridis.Reversed(), Density: Magma, Diverging: Dusk, FontSize: 9, LineWidth: 1.4,
	}
)

func rgb(v uint32) color.RGBA { return color.RGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 255} }

// styleOr returns s, or Light if s is nil.
func styleOr(s *Style) *Style { return cmp.Or(s, Light) }

func (s *Style) font(size vg.Length, bold bool) font.Font {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
	if bold {
		f.Weight = xfont.WeightBold
	}
	return f
}

// text returns a style for text drawn by plotters.
func (s *Style) text(size vg.Length, xa draw.XAlignment, ya draw.YAlignment) draw.TextStyle {
	return draw.TextStyle{Color: s.Ink, Font: s.font(size, false), XAlign: xa, YAlign: ya,
		Handler: plot.DefaultTextHandler}
}

// NewPlot returns an empty plot in this style, with axis labels.
func (s *Style) NewPlot(title, x, y string) *plot.Plot {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, x, y
	s.Apply(p)
	return p
}

// Apply gives a plot the style's fonts, colours and ticks.
func (s *Style) Apply(p *plot.Plot) {
	p.BackgroundColor = nil
	p.Title.TextStyle.Font = s.font(s.FontSize+1, true)
	p.Title.TextStyle.Color = s.Ink
	p.Title.Padding = 5
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Padding = 0
		a.Color = s.Ink
		a.Width = 0 // drawn by frame, above the data
		a.Label.TextStyle.Font = s.font(s.FontSize+0.5, false)
		a.Label.TextStyle.Color = s.Ink
		a.Label.Padding = 2
		a.Tick.Label.Font = s.font(s.FontSize, false)
		a.Tick.Label.Color = s.Ink
		a.Tick.Color = s.Ink
		a.Tick.Width = 0.6
		a.Tick.Length = 3
		a.Tick.Marker = Ticks{N: 5}
	}
	p.Legend.TextStyle.Font = s.font(s.FontSize, false)
	p.Legend.TextStyle.Color = s.Ink
	p.Legend.Top = true
	p.Legend.Padding = 1
	p.Legend.ThumbnailWidth = 14
	p.Legend.XOffs, p.Legend.YOffs = -5, -4
}

// frame draws the border of the data rectangle above the data.
type frame struct{ s *Style }

func (f frame) Plot(c draw.Canvas, _ *plot.Plot) {
	c.StrokeLines(draw.LineStyle{Color: f.s.Ink, Width: 0.6}, []vg.Point{
		c.Min, {X: c.Max.X, Y: c.Min.Y}, c.Max, {X: c.Min.X, Y: c.Max.Y}, c.Min, {X: c.Max.X, Y: c.Min.Y}})
}

// ground fills the data rectangle and draws the grid lines below the data.
type ground struct {
	s    *Style
	x, y bool
}

func (g ground) Plot(c draw.Canvas, p *plot.Plot) {
	c.SetColor(g.s.Face)
	c.Fill(c.Rectangle.Path())
	st := draw.LineStyle{Color: g.s.Rule, Width: 0.5}
	if g.x {
		for _, t := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
			if x := c.X(p.X.Norm(t.Value)); t.Label != "" && c.ContainsX(x) {
				c.StrokeLine2(st, x, c.Min.Y, x, c.Max.Y)
			}
		}
	}
	if g.y {
		for _, t := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
			if y := c.Y(p.Y.Norm(t.Value)); t.Label != "" && c.ContainsY(y) {
				c.StrokeLine2(st, c.Min.X, y, c.Max.X, y)
			}
		}
	}
}
