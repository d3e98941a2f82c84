package fit

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/objectives/metrics"
)

// log Z by importance sampling, annealed or not, agrees with quadrature within its stated error, on a model trained
// on every two-dimensional distribution. The trainings are short; with EBM_LOGZ=full they are the default job.
func TestLogZOfTrainedModels(t *testing.T) {
	if testing.Short() {
		t.Skip("many trainings")
	}
	full := os.Getenv("EBM_LOGZ") == "full"
	quadrature := metrics.QuadratureConfig{Tol: 1e-3, Max: 800, Frames: 2}
	if full {
		quadrature = metrics.QuadratureConfig{}
	}
	runs, reliable, chose := 0, 0, map[bool]bool{} // by whether importance sampling was reliable
	for _, name := range datasets.Names() {
		d, err := datasets.New(name)
		if err != nil {
			t.Fatal(err)
		}
		if d.Dim() != 2 {
			continue
		}
		objectives := []string{"sm"}
		if full {
			objectives = []string{"sm", "nce"}
		}
		for _, objective := range objectives {
			t.Run(name+"/"+objective, func(t *testing.T) {
				more := Layer{"samples": json.RawMessage("0"), "frames": json.RawMessage("0")}
				if full {
					more["hidden"], more["batch"] = json.RawMessage("[128,128]"), json.RawMessage("512")
				} else {
					more["steps"] = json.RawMessage("150")
				}
				p := planned(t, name, objective, more)
				trained, err := p.train(context.Background(), nil, false)
				if err != nil {
					t.Fatal(err)
				}
				m := p.Model
				m.Params.Set(trained.Average)
				q, err := metrics.Integrate(context.Background(), m.Energy, m.data.Lo, m.data.Hi, quadrature)
				if err != nil {
					t.Fatal(err)
				}
				z, err := m.annealedImportanceSampling(context.Background(), 1)
				if err != nil {
					t.Fatal(err)
				}
				near, err := m.importanceSampling(1)
				if err != nil {
					t.Fatal(err)
				}
				t.Logf(
					"quadrature %.4f (moved by %.1g), AIS %.4f ± %.4f (%d levels, ESS %.0f), without levels %.4f ± %.4f (ESS %.0f)",
					q.LogZ, q.Err, z.LogZ, z.StdErr, z.Levels, z.ESS, near.LogZ, near.StdErr, near.ESS)
				if !(math.Abs(z.LogZ-q.LogZ) <= 4*z.StdErr+q.Err) || z.StdErr > 0.2 {
					t.Errorf("log Z: got %.4f ± %.4f by AIS, want %.4f ± %.2g", z.LogZ, z.StdErr, q.LogZ, q.Err)
				}
				if near.Reliable() && !(math.Abs(near.LogZ-q.LogZ) <= 4*near.StdErr+q.Err) {
					t.Errorf("log Z: got %.4f ± %.4f by importance sampling, want %.4f ± %.2g", near.LogZ, near.StdErr,
						q.LogZ, q.Err)
				}
				runs++
				want := z.LogZ
				if near.Reliable() {
					reliable++
					want = near.LogZ
				}
				if !full && chose[near.Reliable()] { // the same again, for as long as both took
					return
				}
				chose[near.Reliable()] = true
				if chosen, err := m.sampledLogZ(context.Background()); err != nil || chosen.Value != want {
					t.Errorf("log Z: got %.4f, %v, want that of the first reliable way, %.4f", chosen.Value, err, want)
				}
			})
		}
	}
	if 3*reliable < 2*runs {
		t.Errorf("importance sampling is reliable for %d of %d models: the test has no power", reliable, runs)
	}
}
