package viz

import (
	"bytes"
	"flag"
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

var gallery = flag.String("gallery", "", "folder for the pictures of README.md: go test ./viz -run Gallery -gallery gallery")

// TestGallery draws the pictures of README.md from exact densities.
func TestGallery(t *testing.T) {
	if *gallery == "" {
		t.Skip("without -gallery")
	}
	if err := os.MkdirAll(*gallery, 0o755); err != nil {
		t.Fatal(err)
	}
	p := fullPanel()
	dark := *p
	dark.Energy, dark.Data, dark.Samples = fill(squaresGrid(121), gaussiansEnergy), gaussiansSamples(4000, 1), gaussiansSamples(4000, 2)
	dark.Title = "8gaussians · denoising score matching"
	light := dark
	dark.Style = Dark
	pics := map[string]Picture{"panel": p, "panel-dark": &dark, "triptych": toyTriptych(), "diagnostics": toyDiagnostics()}
	for _, k := range []string{"samples", "contour", "surface", "score", "loss"} {
		f, err := light.Kind(k)
		if err != nil {
			t.Fatal(err)
		}
		pics[k] = f
	}
	for name, pic := range pics {
		var b bytes.Buffer
		enc := png.Encoder{CompressionLevel: png.BestCompression}
		if err := enc.Encode(&b, Rasterize(pic, Scale2x*0.5)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(*gallery, name+".png"), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	a := toyAnimation(t, 30)
	a.Width = 480
	if err := a.Save(filepath.Join(*gallery, "training.gif")); err != nil {
		t.Fatal(err)
	}
	w := toyWalk(40)
	w.Pixels = 360
	g, err := w.GIF()
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Save(filepath.Join(*gallery, "sampling.gif")); err != nil {
		t.Fatal(err)
	}
}
