package viz

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"gonum.org/v1/plot/vg/draw"
)

// Whatever the scale, maps, surfaces, contours and colour bars are drawn, and no number in a file is NaN.
func TestScaleOfAnyKind(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	g := NewGrid([]float64{-2, -2}, []float64{2, 2}, 9)
	for i := range g.Z {
		g.Z[i] = g.X[i%9] * g.Y[i/9]
	}
	wild := g.Clone()
	wild.Z[3], wild.Z[30], wild.Z[70] = nan, inf, -inf
	flat := g.Clone()
	for i := range flat.Z {
		flat.Z[i] = 7
	}
	none := g.Clone()
	for i := range none.Z {
		none.Z[i] = nan
	}
	for _, ends := range [][2]float64{
		{0, 0}, {7, 7}, {-1e9, -1e9}, {3, 3 * (1 + 1e-15)}, {0, inf}, {-inf, inf}, {-inf, -3}, {nan, 1}, {2, nan},
		{nan, nan},
		{1, -1}, {-math.MaxFloat64, math.MaxFloat64}, {0, 5e-324}, {1e-300, 2e-300},
	} {
		for k, grid := range []*Grid{g, wild, flat, none} {
			for _, m := range []*ColorMap{nil, {}, Magma} {
				for _, bands := range []int{1 - 2*(k%2), 5 * (k % 2)} {
					sc := Scale{ends[0], ends[1], m, bands}
					f := &Figure{Width: 400}
					p := Light.Plane("map", [2]float64{-2, -2}, [2]float64{2, 2})
					p.Add(&HeatMap{Grid: grid, Scale: sc, Pixels: 16}, &FilledContour{Grid: grid, Scale: sc})
					f.Add(Cell{Plot: p, Aspect: 1, Bar: &sc, BarLabel: "E"})
					s := &Surface{Grid: grid, Scale: sc, Cells: 12, Shadow: true}
					f.Add(Cell{Col: 1, Draw: func(c draw.Canvas) { s.Draw(c) }})
					path := filepath.Join(t.TempDir(), "a.svg")
					if err := Save(path, f); err != nil {
						t.Fatal(err)
					}
					b, err := os.ReadFile(path)
					if err != nil {
						t.Fatal(err)
					}
					for _, bad := range []string{"NaN", "Inf"} {
						if bytes.Contains(b, []byte(bad)) {
							t.Errorf("scale %g … %g, grid %d, %d bands: %s in the file", ends[0], ends[1], k, bands,
								bad)
						}
					}
				}
			}
		}
	}
}

// Ends in the wrong order reverse the map; a scale of zero width shows its value in the middle.
func TestScaleSane(t *testing.T) {
	a, b := Scale{Lo: 0, Hi: 1, Map: Magma}, Scale{Lo: 1, Hi: 0, Map: Magma}
	for _, v := range []float64{-1, 0, 0.3, 1, 2} {
		if got, want := b.Color(v), a.Color(1-v); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("backwards, %g: %v, want %v", v, got, want)
		}
	}
	for _, v := range []float64{0, 7, -1e-9, 1e250} {
		if got := (Scale{Lo: v, Hi: v, Map: Magma}).Color(v); got != Magma.At(0.5) {
			t.Errorf("flat at %g: %v, want the middle of the map, %v", v, got, Magma.At(0.5))
		}
	}
}
