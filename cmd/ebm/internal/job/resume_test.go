package job

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"testing"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/run"
	"github.com/stheno-ebm/stheno/cmd/ebm/internal/settings"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// A run that is stopped between two checkpoints and resumed ends in the weights and the checkpoint of the undisturbed run, whatever is
// added to the loss or wrapped around the network, and for objectives with chains, noise that is learnt and draws of their own.
func TestResume(t *testing.T) {
	for _, c := range []struct {
		name, objective string
		more            map[string]string
	}{
		{"gradient penalty", "sm", map[string]string{"gradient-penalty": "0.01"}},
		{"gradient penalty of chains", "ml", map[string]string{"gradient-penalty": "0.01", "energy-l2": "0.001"}},
		{"spectral norm", "ssm", map[string]string{"spectral-norm": "2"}},
		{"spectral norm and bridge", "sm", map[string]string{"spectral-norm": "2", "energy": `"fourier"`, "bridge": "0.2"}},
		{"both", "pcd", map[string]string{"gradient-penalty": "0.01", "spectral-norm": "2"}},
		{"learnt noise", "flow-nce", nil},
		{"adamw", "dsm", map[string]string{"optimizer": `"adamw"`, "weight-decay": "0.01"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			layer := settings.Layer{
				"dataset": json.RawMessage(`"moons"`), "objective": json.RawMessage(`"` + c.objective + `"`), "energy": json.RawMessage(`"mlp"`),
				"bridge": json.RawMessage("0"), "hidden": json.RawMessage("[8,8]"), "batch": json.RawMessage("16"), "buffer": json.RawMessage("64"),
				"chain-steps": json.RawMessage("3"), "steps": json.RawMessage("30"), "warmup": json.RawMessage("5"), "frames": json.RawMessage("4"),
				"samples": json.RawMessage("0"), "test-points": json.RawMessage("100"), "grid": json.RawMessage("50"),
				"checkpoint-every": json.RawMessage("7"), "record-every": json.RawMessage("3"),
			}
			for key, v := range c.more {
				layer[key] = json.RawMessage(v)
			}
			s, err := settings.Merge(settings.Default().Layer(), layer)
			if err != nil {
				t.Fatal(err)
			}
			// follow trains for a sitting that ends after the given step, in a directory of its own or an earlier one.
			follow := func(dir *run.Dir, resume bool, stop int) (last int) {
				t.Helper()
				p, err := Prepare(s)
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				_, err = p.Run(ctx, dir, Options{Resume: resume, NoPictures: true, Progress: func(pr train.Progress) {
					if last = pr.Step; last == stop && stop < s.Steps {
						cancel()
					}
				}})
				if stopped := stop < s.Steps; stopped != errors.Is(err, context.Canceled) || !stopped && err != nil {
					t.Fatalf("stop after %d: %v", stop, err)
				}
				return last
			}
			var dirs [2]*run.Dir
			for i := range dirs {
				dirs[i] = created(t, s)
				defer dirs[i].Unlock()
			}
			follow(dirs[0], false, s.Steps)
			for i, stop := range []int{10, 12, s.Steps} {
				if last := follow(dirs[1], i > 0, stop); last > stop {
					t.Errorf("went on to step %d, want a stop after %d", last, stop)
				}
			}
			for _, name := range []string{run.Model, run.Frames, run.Eval} {
				got, err := os.ReadFile(dirs[1].File(name))
				if err != nil {
					t.Fatal(err)
				}
				want, err := os.ReadFile(dirs[0].File(name))
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got, want) {
					t.Errorf("%s differs from that of the undisturbed run", name)
				}
			}
		})
	}
}
