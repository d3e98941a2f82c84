package datasets_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets"
)

// TestReferenceValues compares density, score and entropy with the values of the golden files: those of the folder
// EBM_GOLDEN, by default the ones kept in testdata, computed by independent code.
func TestReferenceValues(t *testing.T) {
	folder := os.Getenv("EBM_GOLDEN")
	if folder == "" {
		folder = "testdata/golden"
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files in %s (%v)", folder, err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var golden struct {
			Datasets map[string]struct {
				Points  [][]float64 `json:"points"`
				PDF     []float64   `json:"pdf"`
				Score   [][]float64 `json:"score"`
				Entropy *float64    `json:"entropy"`
			} `json:"datasets"`
		}
		if err := json.Unmarshal(raw, &golden); err != nil {
			t.Fatal(err)
		}
		for name, want := range golden.Datasets {
			t.Run(filepath.Base(file)+"/"+name, func(t *testing.T) {
				d, err := datasets.New(name)
				if err != nil {
					t.Fatal(err)
				}
				n := len(want.Points)
				x, score, logp := mat.NewDense(n, 2, nil), mat.NewDense(n, 2, nil), make([]float64, n)
				for i, p := range want.Points {
					x.SetRow(i, p)
				}
				d.LogProb(logp, x)
				d.Score(score, x)
				for i := range n {
					if got := math.Exp(logp[i]); math.Abs(got-want.PDF[i]) > 1e-7*want.PDF[i]+1e-12 {
						t.Errorf("pdf(%v): got %.12g, want %.12g", want.Points[i], got, want.PDF[i])
					}
					if want.Score == nil || want.Score[i] == nil {
						continue
					}
					for j, s := range want.Score[i] {
						if got := score.At(i, j); math.Abs(got-s) > 1e-7*math.Abs(s)+1e-7 {
							t.Errorf("score(%v)[%d]: got %.12g, want %.12g", want.Points[i], j, got, s)
						}
					}
				}
				if want.Entropy != nil {
					got := d.(datasets.Entropic).Entropy()
					if math.Abs(got-*want.Entropy) > 2e-4 {
						t.Errorf("entropy: got %.8f, want %.8f", got, *want.Entropy)
					}
				}
			})
		}
	}
}
