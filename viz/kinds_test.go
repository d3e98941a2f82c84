package viz

import (
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// Every picture is drawn in every dimension, or an error says what it lacks.
func TestKindsOfDimensions(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	for _, d := range []int{1, 2, 3, 5} {
		data, samples := normal(50, d, 0, rng), normal(40, d, 0.5, rng)
		for _, sets := range [][2]mat.Matrix{{data, samples}, {data, nil}, {nil, samples}, {nil, nil}} {
			for _, loss := range [][]Series{nil, {lossSeries(20, 0, rng)}} {
				p := &Panel{Title: "t", Data: sets[0], Samples: sets[1], Loss: loss, Style: Dark}
				if d == 2 {
					p.Energy = squaresGrid(21)
					at := FieldPoints([]float64{-4, -4}, []float64{4, 4}, 3)
					p.Score = &Field{At: at, Vector: at}
				}
				for _, kind := range Kinds() {
					name := fmt.Sprintf("%s of %d dimensions, data %v, samples %v, loss %v", kind, d, sets[0] != nil,
						sets[1] != nil, loss != nil)
					fails := map[string]bool{"panel": false, "samples": sets[0] == nil && sets[1] == nil,
						"loss": loss == nil}
					f, err := p.Kind(kind)
					if want, ok := fails[kind]; (err != nil) != (ok && want || !ok && d != 2) {
						t.Errorf("%s: error %v", name, err)
					} else if err == nil {
						w, _ := f.Size()
						Rasterize(f, 100/float64(w))
					} else if !strings.Contains(err.Error(), "a "+kind+" picture needs") ||
						strings.Contains(err.Error(), "Loss") {
						t.Errorf("%s: error %q does not say what is missing", name, err)
					}
				}
				if err := Terminal(io.Discard, p, TerminalConfig{}); (err != nil) != (d == 1 &&
					dim(p.Data, p.Samples) > 0 || d != 2 && dim(p.Data, p.Samples) == 0) {
					t.Errorf("terminal of %d dimensions: error %v", d, err)
				}
				var anim Animation
				for _, s := range []mat.Matrix{nil, samples} {
					q := *p
					if q.Samples != nil {
						q.Samples = s
					}
					if err := anim.Add(&q); err != nil {
						t.Fatal(err)
					}
				}
				anim.Width = 80
				if err := anim.Encode(io.Discard); err != nil {
					t.Errorf("animation of %d dimensions: %v", d, err)
				}
			}
		}
		chains := []*mat.Dense{normal(60, d, 0, rng), normal(60, d, 1, rng), normal(60, d, 0, rng)}
		for n := range 3 {
			diag := &Diagnostics{Chains: chains[:n], RHat: slices.Repeat([]float64{1}, d),
				ESS: slices.Repeat([]float64{60}, d), Show: 2}
			w, _ := diag.Figure().Size()
			Rasterize(diag, 100/float64(w))
		}
		walk := &Walk{Energy: squaresGrid(21), Frames: chains, Pixels: 80}
		if _, err := walk.GIF(); (err != nil) != (d == 1) {
			t.Errorf("chains of %d dimensions: error %v", d, err)
		}
	}
	if _, err := new(Walk).GIF(); err == nil {
		t.Error("a walk over nothing: no error")
	}
}
