package viz

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot/vg"

	"github.com/stheno-ebm/stheno/datasets/files"
)

// GIF encodes pictures of one size as an animation with one global palette. A frame stores the rectangle that changed,
// and within it only the pixels that did; colours are matched without dithering, so that unchanged areas do not
// flicker.
type GIF struct {
	Palette color.Palette // at most 255 colours
	Delay   time.Duration // between frames; 0 means 80 ms
	Hold    time.Duration // of the last frame; 0 means 2 s

	frames  []*image.Paletted
	current []uint8 // what a viewer sees after the last frame
	size    image.Point
	match   *matcher
}

// transparent is the index of pixels that do not change: the one after the palette.
func (g *GIF) transparent() uint8 { return uint8(len(g.Palette)) }

// Add appends a frame. The image is not kept.
func (g *GIF) Add(img *image.RGBA) error {
	if len(g.Palette) == 0 || len(g.Palette) > 255 {
		return fmt.Errorf("viz: GIF palette has %d colours, want 1 to 255", len(g.Palette))
	}
	if g.match == nil {
		g.match = newMatcher(g.Palette)
	}
	return g.add(g.match.indices(img), img.Rect.Size())
}

// add appends a frame of palette indices, which it keeps.
func (g *GIF) add(pix []uint8, size image.Point) error {
	full := g.full()
	if g.current == nil {
		g.current, g.size = pix, size
		g.frames = append(g.frames, &image.Paletted{Pix: pix, Stride: size.X, Rect: image.Rectangle{Max: size},
			Palette: full})
		return nil
	}
	if size != g.size {
		return fmt.Errorf("viz: GIF frame %d is %v, want %v as the first", len(g.frames), size, g.size)
	}
	// A pixel whose new colour can hardly be told from the one shown is kept, so smoothed edges and slowly drifting
	// shades cost nothing. The comparison is with what a viewer sees, so small changes add up and eventually show.
	box := image.Rectangle{}
	for y := range size.Y {
		row, old := pix[y*size.X:(y+1)*size.X], g.current[y*size.X:(y+1)*size.X]
		a, b := -1, 0
		for x, v := range row {
			if g.match.alike(v, old[x]) {
				row[x] = old[x]
			} else {
				if a < 0 {
					a = x
				}
				b = x + 1
			}
		}
		if a >= 0 {
			box = box.Union(image.Rect(a, y, b, y+1))
		}
	}
	if box.Empty() { // nothing changed: one transparent pixel keeps the timing
		box = image.Rect(0, 0, 1, 1)
	}
	f := image.NewPaletted(box, full)
	t := g.transparent()
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			k := y*size.X + x
			v := pix[k]
			if v == g.current[k] {
				v = t
			}
			f.Pix[(y-box.Min.Y)*f.Stride+x-box.Min.X] = v
		}
	}
	g.frames = append(g.frames, f)
	g.current = pix
	return nil
}

func (g *GIF) full() color.Palette {
	return append(g.Palette[:len(g.Palette):len(g.Palette)], color.RGBA{})
}

// Len returns the number of frames.
func (g *GIF) Len() int { return len(g.frames) }

// Encode writes the animation, which loops forever.
func (g *GIF) Encode(w io.Writer) error {
	if len(g.frames) == 0 {
		return errors.New("viz: GIF has no frames, want at least one")
	}
	delay, hold := cmp.Or(g.Delay, 80*time.Millisecond), cmp.Or(g.Hold, 2*time.Second)
	out := gif.GIF{Config: image.Config{ColorModel: g.full(), Width: g.size.X, Height: g.size.Y}}
	for k, f := range g.frames {
		d := delay
		if k == len(g.frames)-1 {
			d = hold
		}
		out.Image = append(out.Image, f)
		out.Delay = append(out.Delay, int(d/(10*time.Millisecond)))
		out.Disposal = append(out.Disposal, gif.DisposalNone)
	}
	return gif.EncodeAll(w, &out)
}

// Save writes the animation to a temporary file next to the path, which is then renamed.
func (g *GIF) Save(path string) error {
	var b bytes.Buffer
	if err := g.Encode(&b); err != nil {
		return err
	}
	return files.Write(path, b.Bytes())
}

// matcher finds the nearest colour of a palette, by a table over the upper six bits of each channel, filled as colours
// come up. Several goroutines may use it: they would all store the same values.
type matcher struct {
	palette []color.RGBA
	table   []atomic.Int32 // index+1; 0: not yet known
	near    []bool         // pairs of colours that can hardly be told apart
}

func newMatcher(p color.Palette) *matcher {
	m := &matcher{table: make([]atomic.Int32, 1<<18)}
	for _, c := range p {
		m.palette = append(m.palette, color.RGBAModel.Convert(c).(color.RGBA))
	}
	m.near = make([]bool, 256*256)
	for i, a := range m.palette {
		for k, b := range m.palette {
			m.near[i<<8|k] = distance(int(a.R)-int(b.R), int(a.G)-int(b.G), int(a.B)-int(b.B)) <= 11*7*7
		}
	}
	return m
}

func (m *matcher) indices(img *image.RGBA) []uint8 {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	out := make([]uint8, w*h)
	for y := range h {
		row := img.Pix[y*img.Stride:]
		for x := range w {
			r, g, b := row[4*x], row[4*x+1], row[4*x+2]
			k := int(r>>2)<<12 | int(g>>2)<<6 | int(b>>2)
			v := m.table[k].Load()
			if v == 0 {
				v = int32(m.nearest(r, g, b)) + 1
				m.table[k].Store(v)
			}
			out[y*w+x] = uint8(v - 1)
		}
	}
	return out
}

// distance weights the channels by how well the eye sees them: a difference d in grey gives 11 d².
func distance(dr, dg, db int) int { return 3*dr*dr + 6*dg*dg + 2*db*db }

func (m *matcher) alike(a, b uint8) bool { return m.near[int(a)<<8|int(b)] }

// nearest returns the index of the nearest colour. The colour of a bucket is that of its middle, so that the
// result does not depend on which of its colours came first.
func (m *matcher) nearest(r, g, b uint8) int {
	mid := func(v uint8) int { return int(v&^3) | int(v>>6) }
	R, G, B := mid(r), mid(g), mid(b)
	best, at := math.MaxInt, 0
	for k, c := range m.palette {
		if d := distance(R-int(c.R), G-int(c.G), B-int(c.B)); d < best {
			best, at = d, k
		}
	}
	return at
}

// palette returns the colours used by panels in this style: the page and its inks, the energy map in bands, on the
// floor and under the light, the colours of points and curves, and the blends of each with its background that
// antialiased edges need. It depends on the style only.
func (s *Style) palette() color.Palette {
	seen := map[color.RGBA]bool{}
	var p color.Palette
	add := func(c color.RGBA) {
		if !seen[c] && len(p) < 255 {
			seen[c] = true
			p = append(p, c)
		}
	}
	ramp := func(a, b color.RGBA, n int) { // from b towards a, a included
		for k := 1; k <= n; k++ {
			add(blend(a, b, float64(k)/float64(n)))
		}
	}
	add(s.Background)
	add(s.Face)
	ramp(s.Ink, s.Background, 14)
	add(s.Rule)
	pane := blend(s.Ink, s.Face, 0.035)
	add(pane)
	sc := Scale{Lo: 0, Hi: 1, Map: s.Energy, Bands: energyBands}
	white := rgb(0xFFFFFF)
	for k := range energyBands {
		c := sc.band(k)
		add(c)
		add(blend(white, c, 0.3))
		add(blend(c, s.Face, 0.8)) // floor
	}
	for k := range 3 {
		ramp(s.Over, sc.band(k), 4)
	}
	ramp(s.Data, s.Face, 9)
	ramp(s.Model, s.Face, 9)
	for k := range 2 {
		ramp(blend(s.Accent[k%len(s.Accent)], s.Face, 0.3), s.Face, 2)
		ramp(s.Accent[k%len(s.Accent)], s.Face, 6)
	}
	const heights = 24
	for _, cos := range []float64{1, 0.75, 0.45, 0.1, -0.3} {
		for k := range heights {
			add(shade(s.Energy.At(float64(k)/(heights-1)), cos))
		}
	}
	return p
}

// Animation is a sequence of panels drawn with one scale, one camera and one pair of axes for each curve. Adding a
// panel copies its data and costs next to nothing; Save draws them all, on all cores, once the last is known: its
// energy range and curves set the scales, and every frame has the parts that it has.
type Animation struct {
	Width  int           // pixels; 0 means 640
	Points int           // points drawn of each set; 0 means 1000
	Delay  time.Duration // see GIF
	Hold   time.Duration

	frames []*Panel
}

// Add appends a frame. Samples and Energy are copied; Data and the series are kept and must not be written to
// (appending to a history is fine).
func (a *Animation) Add(p *Panel) error {
	if err := p.Validate(); err != nil {
		return err
	}
	q := *p
	q.Energy = p.Energy.Clone()
	if present(p.Samples) {
		n, d := p.Samples.Dims()
		keep := min(n, a.points())
		m := mat.NewDense(keep, min(d, 2), nil)
		for i := range keep {
			for k := range min(d, 2) {
				m.Set(i, k, p.Samples.At(i*n/keep, k))
			}
		}
		q.Samples = m
	}
	q.Loss, q.Other = append([]Series(nil), p.Loss...), append([]Series(nil), p.Other...)
	a.frames = append(a.frames, &q)
	return nil
}

// Len returns the number of frames.
func (a *Animation) Len() int { return len(a.frames) }

func (a *Animation) points() int { return cmp.Or(a.Points, 1000) }

// each draws the frames on all cores and passes them on in order.
func (a *Animation) each(do func(k int, img *image.RGBA) error) error {
	if len(a.frames) == 0 {
		return errors.New("viz: animation has no frames, want at least one")
	}
	last := a.frames[len(a.frames)-1]
	depth := last.Depth
	if depth == 0 && last.Energy != nil {
		_, depth = last.Energy.Landscape()
	}
	lo, hi := last.box()
	width := cmp.Or(a.Width, 640)
	return ordered(len(a.frames), func(k int) *image.RGBA {
		p := *a.frames[k]
		p.Data = last.Data
		if !present(last.Samples) {
			p.Samples = nil
		}
		p.Title = cmp.Or(p.Title, last.Title)
		if p.Note == "" {
			p.Note = "step " + thousands(p.Step)
		}
		p.Loss, p.Other, p.OtherLabel = named(p.Loss, last.Loss), named(p.Other, last.Other), last.OtherLabel
		if p.Energy == nil && last.Energy != nil {
			p.Energy = &Grid{X: last.Energy.X, Y: last.Energy.Y, Z: make([]float64, len(last.Energy.Z))}
		} else if last.Energy == nil {
			p.Energy = nil
		}
		p.limits, p.Depth, p.Lo, p.Hi, p.cells = last, depth, lo, hi, 56
		p.Camera, p.Points, p.Style, p.Width = last.Camera, a.points(), last.Style, last.Width
		return p.Image(width)
	}, do)
}

// named returns the series of a frame, with empty ones for those that only the last frame has, so that all frames have
// the same parts.
func named(s, last []Series) []Series {
	if len(s) > len(last) {
		return s[:len(last)]
	}
	s = slices.Clone(s)
	for _, l := range last[len(s):] {
		s = append(s, Series{Name: l.Name})
	}
	return s
}

// ordered makes n values on all cores, at most a few ahead, and uses them in order.
func ordered[T any](n int, make1 func(k int) T, use func(k int, v T) error) error {
	workers := min(n, runtime.GOMAXPROCS(0))
	slots := make([]chan T, n)
	for k := range slots {
		slots[k] = make(chan T, 1)
	}
	ahead := make(chan struct{}, 2*workers)
	stop := make(chan struct{})
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for {
				select {
				case ahead <- struct{}{}:
				case <-stop:
					return
				}
				k := int(next.Add(1)) - 1
				if k >= n {
					return
				}
				slots[k] <- make1(k)
			}
		})
	}
	var err error
	for k := 0; k < n && err == nil; k++ {
		v := <-slots[k]
		<-ahead
		err = use(k, v)
	}
	close(stop)
	wg.Wait()
	return err
}

// gif draws all frames.
func (a *Animation) gif() (*GIF, error) {
	g := &GIF{Delay: a.Delay, Hold: a.Hold}
	if n := len(a.frames); n > 0 {
		g.Palette = styleOr(a.frames[n-1].Style).palette()
	}
	return g, a.each(func(_ int, img *image.RGBA) error { return g.Add(img) })
}

// Encode writes the animation as a GIF.
func (a *Animation) Encode(w io.Writer) error {
	g, err := a.gif()
	if err != nil {
		return err
	}
	return g.Encode(w)
}

// Save writes the animation to a .gif file: to a temporary file next to the path, which is then renamed.
func (a *Animation) Save(path string) error { return saveGIF(path, a.gif) }

func saveGIF(path string, draw func() (*GIF, error)) error {
	if ext := filepath.Ext(path); ext != ".gif" {
		return fmt.Errorf("viz: unknown animation format %q, want .gif: %s", ext, path)
	}
	g, err := draw()
	if err != nil {
		return err
	}
	return g.Save(path)
}

// SaveFrames writes the frames as frame-0001.png … to a folder, which it creates.
func (a *Animation) SaveFrames(dir string) error { return saveFrames(dir, a.each) }

func saveFrames(dir string, each func(do func(k int, img *image.RGBA) error) error) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("viz: %w", err)
	}
	return each(func(k int, img *image.RGBA) error {
		var b bytes.Buffer
		if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, img); err != nil {
			return err
		}
		return files.Write(filepath.Join(dir, fmt.Sprintf("frame-%04d.png", k+1)), b.Bytes())
	})
}

// Pictures encodes any pictures of equal size as a GIF of the given width in pixels, for animations of something other
// than panels.
func Pictures(pixels int, palette color.Palette, pictures ...Picture) (*GIF, error) {
	m := newMatcher(palette)
	g := &GIF{Palette: palette, match: m}
	type frame struct {
		pix  []uint8
		size image.Point
	}
	err := ordered(len(pictures), func(k int) frame {
		img := pixelsWide(pictures[k], pixels)
		return frame{m.indices(img), img.Rect.Size()}
	}, func(_ int, f frame) error { return g.add(f.pix, f.size) })
	return g, err
}

var _ Picture = (*Panel)(nil)
var _ vg.CanvasSizer = (*raster)(nil)
