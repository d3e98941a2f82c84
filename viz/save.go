package viz

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgpdf"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/stheno-ebm/stheno/datasets/files"
)

// Picture is anything that can be drawn and saved: a figure, or data of which one is made. If it has a method Validate,
// that is asked before.
type Picture interface{ Figure() *Figure }

// scale2x is the default resolution of a PNG in pixels per point: twice that of a 96 dpi screen.
const scale2x = 2 * 96.0 / 72

// Formats lists the extensions that Save supports.
func Formats() []string { return []string{".png", ".svg", ".pdf"} }

// Save writes the picture in the format given by the path's extension (.png at twice the resolution of a 96 dpi screen,
// .svg or .pdf) to a temporary file next to the path and then renames it, so that a reader never sees half a picture.
func Save(path string, p Picture) error {
	ext := strings.ToLower(filepath.Ext(path))
	var b bytes.Buffer
	if err := Encode(&b, ext, p); err != nil {
		return fmt.Errorf("%w: %s", err, path)
	}
	return files.Write(path, b.Bytes())
}

// Encode writes the picture to w; format is an extension of Formats, with or without the dot.
func Encode(w io.Writer, format string, p Picture) error {
	if p == nil {
		return errors.New("viz: no picture to draw")
	}
	if v, ok := p.(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			return err
		}
	}
	f := p.Figure()
	wd, ht := f.Size()
	var c vg.CanvasWriterTo
	pdf := false
	switch strings.TrimPrefix(strings.ToLower(format), ".") {
	case "png":
		enc := png.Encoder{CompressionLevel: png.BestSpeed}
		return enc.Encode(w, Rasterize(f, scale2x))
	case "svg":
		c = vgsvg.New(wd, ht)
	case "pdf":
		d := vgpdf.New(wd, ht)
		d.EmbedFonts(false)
		c, pdf = d, true
	default:
		return fmt.Errorf("viz: unknown picture format %q, want one of %s", format, strings.Join(Formats(), " "))
	}
	f.Draw(draw.NewCanvas(outlined{Canvas: c, straight: pdf, lean: !pdf}, wd, ht))
	if pdf {
		_, err := c.WriteTo(w)
		return err
	}
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return err
	}
	_, err := w.Write(compactSVG(b.Bytes()))
	return err
}

// Rasterize renders the picture at the given number of pixels per point.
func Rasterize(p Picture, scale float64) *image.RGBA {
	f := p.Figure()
	w, h := f.Size()
	r := newRaster(w, h, scale, image.White.C)
	f.Draw(draw.NewCanvas(r, w, h))
	return r.img
}

// pixelsWide renders the picture at a width in pixels.
func pixelsWide(p Picture, pixels int) *image.RGBA {
	f := p.Figure()
	return Rasterize(f, float64(pixels)/float64(f.width()))
}
