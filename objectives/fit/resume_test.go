package fit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stheno-ebm/stheno/objectives/fit/rundir"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// A run that is stopped between two checkpoints and resumed ends with the weights and the checkpoint of the
// undisturbed run, whatever is added to the loss or wrapped around the network, including objectives with chains,
// learnt noise and draws of their own.
func TestResume(t *testing.T) {
	for _, c := range []struct {
		name, objective string
		more            map[string]string
	}{
		{"gradient penalty", "sm", map[string]string{"gradient-penalty": "0.01"}},
		{"gradient penalty of chains", "ml", map[string]string{"gradient-penalty": "0.01", "energy-l2": "0.001"}},
		{"spectral norm", "ssm", map[string]string{"spectral-norm": "2"}},
		{"spectral norm and bridge", "sm",
			map[string]string{"spectral-norm": "2", "energy": `"fourier"`, "bridge": "0.2"}},
		{"both", "pcd", map[string]string{"gradient-penalty": "0.01", "spectral-norm": "2"}},
		{"learnt noise", "flow-nce", nil},
		{"adamw", "dsm", map[string]string{"optimizer": `"adamw"`, "weight-decay": "0.01"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			more := Layer{
				"energy": json.RawMessage(`"mlp"`), "bridge": json.RawMessage("0"), "hidden": json.RawMessage("[8,8]"),
				"batch": json.RawMessage("16"),
				"steps": json.RawMessage("30"), "warmup": json.RawMessage("5"), "frames": json.RawMessage("4"),
				"samples": json.RawMessage("0"), "test-points": json.RawMessage("100"), "grid": json.RawMessage("50"),
				"checkpoint-every": json.RawMessage("7"), "record-every": json.RawMessage("3"),
			}
			if f, _ := Lookup("chain-steps"); slices.Contains(f.Objectives, c.objective) {
				more["chain-steps"] = json.RawMessage("3")
			}
			for key, v := range c.more {
				more[key] = json.RawMessage(v)
			}
			const steps = 30
			// follow trains for a session that ends after the given step, in a new directory or an existing one.
			follow := func(dir string, resume bool, stop int) (last int) {
				t.Helper()
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				hooks := Hooks{Step: func(p train.Progress) error {
					if last = p.Step; last == stop && stop < steps {
						cancel()
					}
					return nil
				}}
				var err error
				if resume {
					_, err = Resume(ctx, dir, nil, hooks)
				} else {
					j := planned(t, "moons", c.objective, more)
					j.Config.Hooks = hooks
					d, created := j.Create(dir)
					if created != nil {
						t.Fatal(created)
					}
					_, err = j.Run(ctx, d)
					d.Unlock()
				}
				if stopped := stop < steps; stopped != errors.Is(err, context.Canceled) || !stopped && err != nil {
					t.Fatalf("stop after %d: %v", stop, err)
				}
				return last
			}
			tmp := t.TempDir()
			dirs := [2]string{filepath.Join(tmp, "a"), filepath.Join(tmp, "b")}
			follow(dirs[0], false, steps)
			for i, stop := range []int{10, 12, steps} {
				if last := follow(dirs[1], i > 0, stop); last > stop {
					t.Errorf("went on to step %d, want a stop after %d", last, stop)
				}
			}
			for _, name := range []string{rundir.Model, rundir.Frames, rundir.Eval} {
				got, err := os.ReadFile(filepath.Join(dirs[1], name))
				if err != nil {
					t.Fatal(err)
				}
				want, err := os.ReadFile(filepath.Join(dirs[0], name))
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
