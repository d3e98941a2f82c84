package viz

import (
	"image/color"
	"testing"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// The titles of a row stand at one height, next to their data, whatever the aspects.
func TestTitlesOfARow(t *testing.T) {
	f := &Figure{}
	for k, a := range []float64{1, 0.4, 0.7} {
		p := Light.NewPlot("title", "", "")
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 0, 1
		f.Add(Cell{Col: k, Plot: p, Aspect: a})
	}
	w, h := f.Size()
	rec := &labelRecorder{raster: newRaster(w, h, 1, color.White)}
	f.Draw(draw.NewCanvas(rec, w, h))
	var at []vg.Length
	for k, s := range rec.text {
		if s == "title" {
			at = append(at, rec.at[k].Y)
		}
	}
	if len(at) != 3 || at[0] != at[1] || at[0] != at[2] {
		t.Errorf("titles at %v, want three of one height", at)
	}
}
