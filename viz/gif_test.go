package viz

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// toyAnimation is a training run: the energy changes from a bowl to four wells and the samples from a cloud to the
// squares, with fresh samples in every frame, the worst case for the size.
func toyAnimation(t *testing.T, frames int) *Animation {
	rng := rand.New(rand.NewPCG(11, 12))
	p := toyPanel()
	full, base := p.Loss[0], p.Energy
	a := &Animation{}
	for k := 1; k <= frames; k++ {
		f := float64(k) / float64(frames)
		q := *p
		q.Step = 2000 * k / frames
		q.Energy = fill(NewGrid([]float64{-4, -4}, []float64{4, 4}, 65), func(x, y float64) float64 {
			b := base.Interpolate(x, y)
			if b > 60 {
				b = 60 + (b-60)*0.1
			}
			return f*b*0.3 + (1-f)*(3*math.Sin(x+2*y*f)*(1-f)+0.5*(x*x+y*y))
		})
		s := squaresSamples(1500, rng)
		s.Apply(func(_, _ int, v float64) float64 { return f*v + (1-f)*2*rng.NormFloat64() }, s)
		q.Samples = s
		q.Loss = []Series{{Name: "loss", X: full.X[:q.Step], Y: full.Y[:q.Step]}}
		if err := a.Add(&q); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

func TestAnimation(t *testing.T) {
	const frames = 24
	a := toyAnimation(t, frames)
	var b bytes.Buffer
	if err := a.Encode(&b); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes per frame", b.Len()/frames)
	if b.Len()*100/frames > 3<<20 {
		t.Errorf("%d bytes for %d frames: more than 3 MB for a hundred", b.Len(), frames)
	}
	g, err := gif.DecodeAll(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if len(g.Image) != frames || g.Config.Width != 640 || g.LoopCount != 0 {
		t.Errorf("%d frames, %d wide, loop count %d; want %d, 640, 0 (for ever)", len(g.Image), g.Config.Width,
			g.LoopCount, frames)
	}
	global := g.Config.ColorModel.(color.Palette)
	// Compose the frames as a viewer does. The rows of the title, except for the step, and the panel of the data
	// never change.
	canvas := image.NewRGBA(image.Rect(0, 0, g.Config.Width, g.Config.Height))
	var first *image.RGBA
	quiet := image.Rect(0, 0, 210, 215)
	for k, f := range g.Image {
		if len(f.Palette) != len(global) {
			t.Fatalf("frame %d has a palette of its own", k)
		}
		for y := f.Rect.Min.Y; y < f.Rect.Max.Y; y++ {
			for x := f.Rect.Min.X; x < f.Rect.Max.X; x++ {
				if c := f.Palette[f.ColorIndexAt(x, y)]; c != (color.RGBA{}) {
					canvas.Set(x, y, c)
				}
			}
		}
		if k == 0 {
			first = image.NewRGBA(canvas.Rect)
			copy(first.Pix, canvas.Pix)
			continue
		}
		for y := quiet.Min.Y; y < quiet.Max.Y; y++ {
			for x := quiet.Min.X; x < quiet.Max.X; x++ {
				if canvas.RGBAAt(x, y) != first.RGBAAt(x, y) {
					t.Fatalf("frame %d: pixel (%d,%d) of the still part flickers", k, x, y)
				}
			}
		}
	}
	// The last frame is the picture that the panel alone would give, up to the palette.
	p := *a.frames[frames-1]
	p.Points, p.cells = a.points(), 56 // as in the animation
	want := p.Image(640)
	sum := 0.0
	for i := 0; i < len(want.Pix); i++ {
		sum += math.Abs(float64(want.Pix[i]) - float64(canvas.Pix[i]))
	}
	if mean := sum / float64(len(want.Pix)); mean > 2 {
		t.Errorf("the palette changes the picture by %.2f of 255 on average, want ≤ 2", mean)
	}
}

func TestAnimationFrames(t *testing.T) {
	a := toyAnimation(t, 3)
	a.Width = 200
	dir := filepath.Join(t.TempDir(), "frames")
	if err := a.SaveFrames(dir); err != nil {
		t.Fatal(err)
	}
	names, _ := os.ReadDir(dir)
	if len(names) != 3 || names[2].Name() != "frame-0003.png" {
		t.Errorf("got %v", names)
	}
	if err := a.Save(filepath.Join(dir, "a.mp4")); err == nil {
		t.Error("unknown format: no error")
	}
	if err := (&Animation{}).Save(filepath.Join(dir, "a.gif")); err == nil {
		t.Error("no frames: no error")
	}
}

// Parts that early frames lack stay empty there: all frames have the size of the last one.
func TestAnimationParts(t *testing.T) {
	p := toyPanel()
	p.Data = squaresSamples(50, rand.New(rand.NewPCG(1, 1)))
	bare := &Panel{Samples: p.Data}
	full := *p
	full.Other = []Series{{Name: "KL (nats)", X: []float64{1, 2}, Y: []float64{3, 1}}}
	a := &Animation{Width: 200}
	for _, q := range []*Panel{bare, p, &full} {
		if err := a.Add(q); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Encode(&bytes.Buffer{}); err != nil {
		t.Error(err)
	}
}

// Only what changed is stored.
func TestGIFDifferences(t *testing.T) {
	g := &GIF{Palette: color.Palette{color.White, color.Black, rgb(0xFF0000)}}
	img := image.NewRGBA(image.Rect(0, 0, 50, 40))
	for i := range img.Pix {
		img.Pix[i] = 255
	}
	for k := range 3 {
		if k == 1 {
			img.Set(10, 20, color.Black)
			img.Set(30, 25, color.Black)
		}
		if err := g.Add(img); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := g.frames[1].Rect, image.Rect(10, 20, 31, 26); got != want {
		t.Errorf("frame 2 covers %v, want %v", got, want)
	}
	if got := g.frames[2].Rect; got.Dx()*got.Dy() != 1 {
		t.Errorf("frame 3 covers %v though nothing changed", got)
	}
	if err := g.Add(image.NewRGBA(image.Rect(0, 0, 5, 5))); err == nil {
		t.Error("another size: no error")
	}
	for _, s := range []*Style{Light, Dark} {
		if n := len(s.palette()); n > 255 {
			t.Errorf("palette of %d colours", n)
		}
	}
}

// toyWalk shows 40 places of each of the chains of toyDiagnostics.
func toyWalk(frames int) *Walk {
	d := toyDiagnostics()
	w := &Walk{Title: "Random walk Metropolis", Energy: d.Energy}
	for k := range frames {
		m := mat.NewDense(40, 2, nil)
		for i := range 40 {
			m.SetRow(i, d.Chains[i%4].RawRowView((i*14+k)%600))
		}
		w.Frames = append(w.Frames, m)
	}
	return w
}

func TestWalk(t *testing.T) {
	w := toyWalk(4)
	w.Pixels = 240
	g, err := w.GIF()
	if err != nil {
		t.Fatal(err)
	}
	if g.Len() != 4 || g.size.X != 240 {
		t.Errorf("%d frames %d wide, want 4 and 240", g.Len(), g.size.X)
	}
	dir := filepath.Join(t.TempDir(), "frames")
	if err := w.SaveFrames(dir); err != nil {
		t.Fatal(err)
	}
	if names, _ := os.ReadDir(dir); len(names) != 4 || names[3].Name() != "frame-0004.png" {
		t.Errorf("got %v", names)
	}
	path := filepath.Join(dir, "walk.gif")
	if err := w.Save(path); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(path); err != nil || !bytes.HasPrefix(b, []byte("GIF89a")) {
		t.Errorf("no GIF: %v", err)
	}
	if err := w.Save(filepath.Join(dir, "walk.mp4")); err == nil {
		t.Error("unknown format: no error")
	}
	if err := (&Walk{Energy: w.Energy}).Save(path); err == nil {
		t.Error("no frames: no error")
	}
}
