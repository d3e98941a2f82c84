package viz

import (
	"bufio"
	"fmt"
	"image/color"
	"io"
	"math"
	"strings"

	"gonum.org/v1/gonum/mat"
)

// ColorMode says which colours a terminal can show.
type ColorMode int

const (
	NoColor   ColorMode = iota // characters of different density
	Color256                   // the 6×6×6 cube and 24 greys
	TrueColor                  // 24 bits
)

// DetectColor reads the mode from the environment: NO_COLOR (no-color.org) set to anything, or TERM "dumb" or empty,
// means none; COLORTERM truecolor or 24bit means 24 bits; otherwise 256 colours.
func DetectColor(getenv func(string) string) ColorMode {
	switch {
	case getenv("NO_COLOR") != "" || getenv("TERM") == "dumb" || getenv("TERM") == "":
		return NoColor
	case getenv("COLORTERM") == "truecolor" || getenv("COLORTERM") == "24bit":
		return TrueColor
	}
	return Color256
}

// TerminalConfig holds the settings of Terminal.
type TerminalConfig struct {
	Width int // columns; 0 means 80
	Color ColorMode
}

// Terminal draws the data, samples and energy of a panel side by side in characters: half blocks as two coloured pixels
// each, or, without colour, characters of different density. A terminal cell is twice as high as wide, so pixels are
// square.
func Terminal(w io.Writer, p *Panel, cfg TerminalConfig) error {
	if err := p.Validate(); err != nil {
		return err
	}
	if dim(p.Data, p.Samples) == 1 {
		return fmt.Errorf("viz: the terminal draws two-dimensional samples, and these have one column")
	}
	count := 0
	for _, have := range []bool{present(p.Data), present(p.Samples), p.Energy != nil} {
		if have {
			count++
		}
	}
	if count == 0 {
		return fmt.Errorf("viz: nothing to draw: the panel has no Data, Samples or Energy")
	}
	width := cfg.Width
	if width <= 0 {
		width = 80
	}
	lo, hi := p.box()
	cols := max(8, min(60, (width-2*(count-1))/count))
	rows := max(4, int(math.Round(float64(cols)*aspect(hi[0]-lo[0], hi[1]-lo[1])/2)))
	var parts []textPart
	if present(p.Data) {
		parts = append(parts, pointsPart("data", count2(p.Data, lo, hi, cols, 2*rows), Dark.Data))
	}
	if present(p.Samples) {
		title := "samples"
		if full := told(title, lo, hi, p.Samples); len(full) <= cols {
			title = full
		}
		parts = append(parts, pointsPart(title, count2(p.Samples, lo, hi, cols, 2*rows), Dark.Model))
	}
	if p.Energy != nil {
		parts = append(parts, p.energyPart(lo, hi, cols, rows))
	}
	if err := writeParts(w, parts, cols, rows, cfg.Color); err != nil {
		return err
	}
	if len(p.Names) == 0 && dim(p.Data, p.Samples) <= 2 {
		return nil
	}
	name := axes(p.Names)
	_, err := fmt.Fprintf(w, "%s from %.4g to %.4g across, %s from %.4g to %.4g up\n", name[0], lo[0], hi[0], name[1],
		lo[1], hi[1])
	return err
}

// textPart is one picture in characters: colours and shades of its pixels, two rows of which make a line.
type textPart struct {
	title string
	pix   [][]color.RGBA
	shade [][]float64
}

// pointsPart draws shares of points.
func pointsPart(title string, shares [][]float64, c color.RGBA) textPart {
	q := textPart{title: title, shade: shares}
	for _, line := range shares {
		var pix []color.RGBA
		for _, v := range line {
			pix = append(pix, blend(c, Dark.Background, v))
		}
		q.pix = append(q.pix, pix)
	}
	return q
}

// energyPart draws the energy.
func (p *Panel) energyPart(lo, hi [2]float64, cols, rows int) textPart {
	rel, sc, _ := p.landscape()
	sc.Map = Dark.Energy
	q := textPart{title: fmt.Sprintf("energy 0…%s nats", number(sc.Hi, 3))}
	flo, fhi := beyond(sc)
	g := rel.resample(len(rel.X), len(rel.Y), flo, fhi)
	for j := range 2 * rows {
		y := hi[1] - (hi[1]-lo[1])*(float64(j)+0.5)/float64(2*rows)
		var pix []color.RGBA
		var sh []float64
		for i := range cols {
			x := lo[0] + (hi[0]-lo[0])*(float64(i)+0.5)/float64(cols)
			v := g.Interpolate(x, y)
			pix, sh = append(pix, sc.Color(v)), append(sh, 1-math.Max(0, math.Min(1, v/sc.Hi)))
		}
		q.pix, q.shade = append(q.pix, pix), append(q.shade, sh)
	}
	return q
}

// writeParts writes the titles, then the lines.
func writeParts(w io.Writer, parts []textPart, cols, rows int, mode ColorMode) error {
	b := bufio.NewWriter(w)
	for k, q := range parts {
		if k > 0 {
			b.WriteString("  ")
		}
		t := []rune(q.title)
		t = t[:min(len(t), cols)]
		left := (cols - len(t)) / 2
		b.WriteString(strings.Repeat(" ", left) + string(t))
		if k < len(parts)-1 {
			b.WriteString(strings.Repeat(" ", cols-left-len(t)))
		}
	}
	b.WriteByte('\n')
	for r := range rows {
		for k, q := range parts {
			if k > 0 {
				b.WriteString("  ")
			}
			if mode != NoColor {
				q.colours(b, r, mode)
				continue
			}
			s := q.characters(r)
			if k == len(parts)-1 {
				s = strings.TrimRight(s, " ")
			}
			b.WriteString(s)
		}
		b.WriteByte('\n')
	}
	return b.Flush()
}

// characters returns line r as characters of different density.
func (q textPart) characters(r int) string {
	const ramp = " .:-=+*#%@"
	line := make([]byte, len(q.shade[2*r]))
	for i := range line {
		v := (q.shade[2*r][i] + q.shade[2*r+1][i]) / 2
		line[i] = ramp[min(len(ramp)-1, int(math.Ceil(v*float64(len(ramp)-1)-1e-9)))]
	}
	return string(line)
}

// colours writes line r as half blocks.
func (q textPart) colours(b *bufio.Writer, r int, mode ColorMode) {
	var fg, bg string
	for i, upper := range q.pix[2*r] {
		f, g := ansi(upper, mode, 38), ansi(q.pix[2*r+1][i], mode, 48)
		if f != fg {
			b.WriteString(f)
			fg = f
		}
		if g != bg {
			b.WriteString(g)
			bg = g
		}
		b.WriteString("▀")
	}
	b.WriteString("\x1b[0m")
}

// ansi returns the escape sequence that sets the foreground (38) or background (48).
func ansi(c color.RGBA, mode ColorMode, layer int) string {
	if mode == TrueColor {
		return fmt.Sprintf("\x1b[%d;2;%d;%d;%dm", layer, c.R, c.G, c.B)
	}
	// The levels of the cube are 0, 95, 135, 175, 215, 255; greys 8, 18, … 238.
	step := func(v uint8) int {
		if v < 48 {
			return 0
		}
		return max(1, (int(v)-35)/40)
	}
	level := [6]int{0, 95, 135, 175, 215, 255}
	r, g, b := step(c.R), step(c.G), step(c.B)
	grey := (int(c.R) + int(c.G) + int(c.B)) / 3
	k := max(0, min(23, (grey-3)/10))
	dist := func(R, G, B int) int {
		return (R-int(c.R))*(R-int(c.R)) + (G-int(c.G))*(G-int(c.G)) + (B-int(c.B))*(B-int(c.B))
	}
	index := 16 + 36*r + 6*g + b
	if dist(8+10*k, 8+10*k, 8+10*k) < dist(level[r], level[g], level[b]) {
		index = 232 + k
	}
	return fmt.Sprintf("\x1b[%d;5;%dm", layer, index)
}

// count2 counts points per pixel, rows from the top, as shares in [0, 1]: the square root of the count over the 98 %
// quantile of the filled pixels, at least a third where there is a point.
func count2(x mat.Matrix, lo, hi [2]float64, cols, rows int) [][]float64 {
	h := make([][]float64, rows)
	for j := range h {
		h[j] = make([]float64, cols)
	}
	n, _ := x.Dims()
	for i := range n {
		u, v := (x.At(i, 0)-lo[0])/(hi[0]-lo[0]), (hi[1]-x.At(i, 1))/(hi[1]-lo[1])
		if u >= 0 && u < 1 && v >= 0 && v < 1 {
			h[int(v*float64(rows))][int(u*float64(cols))]++
		}
	}
	g := Grid{}
	for _, l := range h {
		for _, v := range l {
			if v > 0 {
				g.Z = append(g.Z, v)
			}
		}
	}
	most := 1.0
	if len(g.Z) > 0 {
		most = g.Quantiles(0.98)[0]
	}
	for _, l := range h {
		for i, v := range l {
			if v > 0 {
				l[i] = math.Max(1.0/3, math.Min(1, math.Sqrt(v/most)))
			}
		}
	}
	return h
}
