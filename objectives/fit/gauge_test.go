package fit

import (
	"bytes"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stheno-ebm/stheno/objectives/train"
)

// pictureOf writes a small picture and returns its path.
func pictureOf(t *testing.T) string {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 60, 50))
	for k := range img.Pix {
		x, y := float64(k%60)-30, float64(k/60)-25
		img.Pix[k] = 255
		if r := math.Hypot(x, y); r > 12 && r < 18 || math.Abs(x-y) < 2 {
			img.Pix[k] = 0
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.png")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// The last KL of the curve is the final one, with the same weights: for networks whose mass lies far outside the box,
// and around it.
func TestGaugeIsKL(t *testing.T) {
	for _, name := range []string{"moons", "funnel", pictureOf(t)} {
		for _, v := range []struct{ scale, least, most float64 }{{0.3, 0.99, 1}, {-0.15, 0.5, 0.99}} {
			c := quick(40)
			c.Dataset, c.Name, c.Grid, c.Network, c.Bridge = name, "sm", 800, "mlp", -1
			j, err := Prepare(opened(t, name), c)
			if err != nil {
				t.Fatal(err)
			}
			theta := j.Model.Params.Data()
			for i := range theta {
				theta[i] *= v.scale
			}
			j.Model.Params.Changed()
			g, err := newGauge(j.Model)
			if err != nil {
				t.Fatal(err)
			}
			got, err := g.measure(g.every, theta)
			if err != nil {
				t.Fatal(err)
			}
			r, err := j.Model.Evaluate(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if want := float64(r.KL); !(math.Abs(got["kl"]-want) <= 2e-3*math.Max(1, want)) || want <= 0 {
				t.Errorf("%s, %+v: KL %g, at the end %g, of which %g leaks", name, v, got["kl"], want, r.Leak)
			}
			if leak := float64(r.Leak); leak < v.least || leak > v.most { // otherwise this would test nothing
				t.Errorf("%s, %+v: %g leaks", name, v, leak)
			}
		}
	}
}

// The last line of metrics.jsonl has the KL of eval.json.
func TestLastKL(t *testing.T) {
	c := quick(600)
	c.Dataset, c.Grid, c.RecordEvery = "moons", 800, 7
	var last float64
	c.Hooks.Record = func(r train.Record) {
		if kl, ok := r.Values["kl"]; ok {
			last = kl
		}
	}
	m, err := Train(t.Context(), opened(t, "moons"), c)
	if err != nil {
		t.Fatal(err)
	}
	if want := float64(m.Result.Eval.KL); math.Abs(last-want) > 1e-3*math.Max(1, want) {
		t.Errorf("the last record has KL %g, the report %g", last, want)
	}
}
