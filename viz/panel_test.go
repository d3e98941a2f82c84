package viz

import (
	"bytes"
	"image/color"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot/vg/draw"
)

// normal returns n draws of N(mean, 1)^d.
func normal(n, d int, mean float64, rng *rand.Rand) *mat.Dense {
	m := mat.NewDense(n, d, nil)
	for i := range n {
		for k := range d {
			m.Set(i, k, mean+rng.NormFloat64())
		}
	}
	return m
}

// titles are those of the parts of a figure.
func titles(f *Figure) (out []string) {
	for _, c := range f.cells {
		if c.Plot != nil && c.Plot.Title.Text != "" {
			out = append(out, c.Plot.Title.Text)
		}
	}
	return out
}

// words are the texts in a picture.
func words(f *Figure) []string {
	w, h := f.Size()
	rec := &labelRecorder{raster: newRaster(w, h, 1, color.White)}
	f.Draw(draw.NewCanvas(rec, w, h))
	return rec.text
}

// A panel has a part for everything that there is.
func TestPanelParts(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 14))
	x, y, g := normal(30, 2, 0, rng), normal(30, 2, 0, rng), squaresGrid(21)
	const data, samples = "Data", "Samples of the model"
	for _, c := range []struct {
		p     Panel
		want  []string
		parts int
	}{
		{Panel{Data: x, Samples: y, Energy: g}, []string{data, samples, "Energy and data"}, 5},
		{Panel{Data: x, Energy: g}, []string{data, "Energy and data"}, 4},
		{Panel{Samples: y, Energy: g}, []string{samples, "Energy"}, 4},
		{Panel{Energy: g}, []string{"Energy"}, 3},
		{Panel{Data: x, Samples: (*mat.Dense)(nil)}, []string{data}, 2},
		{Panel{Data: new(mat.Dense), Samples: y}, []string{samples}, 2},
		{Panel{}, nil, 1},
	} {
		c.p.Loss = []Series{lossSeries(20, 0, rng)}
		f := c.p.Figure()
		if got := titles(f); !slices.Equal(got, c.want) || len(f.cells) != c.parts {
			t.Errorf("got %q and %d parts, want %q and %d", got, len(f.cells), c.want, c.parts)
		}
		c.p.Image(100)
	}
}

// Stray samples do not affect the scale of the axes, which are those of the data in every dimension; their number is
// reported.
func TestOutside(t *testing.T) {
	rng := rand.New(rand.NewPCG(15, 16))
	for _, d := range []int{1, 2, 3, 5} {
		for _, c := range []struct {
			stray int
			want  string
		}{{0, ""}, {3, "3 of 40 outside"}, {40, "all 40 outside"}} {
			data, samples := normal(500, d, 0, rng), mat.NewDense(40, d, nil)
			for i := range c.stray {
				samples.Set(i, min(i%2, d-1), []float64{900, -200, math.NaN()}[i%3])
			}
			p := &Panel{Data: data, Samples: samples}
			if lo, hi := p.box(); lo[0] < -6 || hi[0] > 6 || d > 1 && (lo[1] < -6 || hi[1] > 6) {
				t.Errorf("%d dimensions: axes %v…%v, want those of the data", d, lo, hi)
			}
			for _, kind := range []string{"panel", "samples"} {
				f, err := p.Kind(kind)
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, s := range words(f) {
					if strings.Contains(s, "outside") {
						got = append(got, strings.TrimPrefix(s, "samples, "))
					}
				}
				if c.want == "" && len(got) > 0 || c.want != "" && !slices.Equal(got, []string{c.want}) {
					t.Errorf("%s of %d dimensions: got %q, want %q", kind, d, got, c.want)
				}
			}
			if d > 1 {
				var b bytes.Buffer
				if err := Terminal(&b, p, TerminalConfig{Width: 100}); err != nil ||
					!strings.Contains(b.String(), c.want) {
					t.Errorf("terminal of %d dimensions does not tell %q", d, c.want)
				}
			}
		}
	}
	if lo, hi, ok := boxOf(mat.NewDense(2, 1, []float64{1e8, 1e8})); !ok || !(lo[0] < 1e8 && 1e8 < hi[0]) {
		t.Errorf("box of one value: %v…%v", lo, hi)
	}
}
