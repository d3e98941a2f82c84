package fit

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/objectives/fit/rundir"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// drift is a user-defined source, in units far from 1, whose draws depend on how many it has made: that must be
// remembered.
type drift struct{ drawn uint64 }

func (*drift) Dim() int                   { return 2 }
func (*drift) Bounds() (lo, hi []float64) { return []float64{0, -5}, []float64{2000, 5} }
func (s *drift) Sample(dst *mat.Dense, rng *rand.Rand) {
	n, _ := dst.Dims()
	for i := range n {
		s.drawn++
		side := float64(s.drawn%2)*2 - 1
		dst.SetRow(i, []float64{1000 + 300*side + 50*rng.NormFloat64(), side + 0.3*rng.NormFloat64()})
	}
}
func (s *drift) MarshalState() ([]byte, error) {
	return binary.LittleEndian.AppendUint64(nil, s.drawn), nil
}
func (s *drift) UnmarshalState(b []byte) error {
	if len(b) != 8 {
		return errors.New("drift: not eight bytes")
	}
	s.drawn = binary.LittleEndian.Uint64(b)
	return nil
}

func init() {
	RegisterNetwork("own", Network{About: "layers of somebody's own", FirstGain: 1,
		Build: func(s Shape) (energy.Energy, error) {
			return s.Bounded(energy.NewMLP(energy.MLPConfig{Dim: s.Dim, Hidden: s.Hidden, Activation: s.Activation}))
		}})
}

// A user-defined source and network are trained in the units of the network, checkpointed and resumed to the bit,
// with what the source remembers.
func TestOwnSourceAndNetwork(t *testing.T) {
	const steps = 40
	c := quick(steps)
	c.Network, c.Standardize, c.CheckpointEvery, c.Samples, c.Frames, c.Grid = "own", On, 7, -1, 3, 50
	dirs := []string{filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "stopped")}
	c.Out = dirs[0]
	whole, err := Train(t.Context(), &drift{}, c)
	if err != nil {
		t.Fatal(err)
	}
	if whole.Config.Network != "own" || whole.data.Scaler == nil || whole.data.Scaler.Mean[0] < 500 {
		t.Fatalf("network %s, scaler %v", whole.Config.Network, whole.data.Scaler)
	}
	ctx, cancel := context.WithCancel(t.Context())
	c.Out = dirs[1]
	c.Hooks.Step = func(p train.Progress) error {
		if p.Step == 17 {
			cancel()
		}
		return nil
	}
	if _, err := Train(ctx, &drift{}, c); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want context.Canceled", err)
	}
	if _, err := Resume(t.Context(), c.Out, &drift{}, Hooks{}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{rundir.Model, rundir.Frames, rundir.Eval} {
		got, err := os.ReadFile(filepath.Join(dirs[1], name))
		want, wantErr := os.ReadFile(filepath.Join(dirs[0], name))
		if err != nil || wantErr != nil {
			t.Fatal(err, wantErr)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs from that of the undisturbed run", name)
		}
	}
	if !slices.ContainsFunc(NetworkList(), func(s string) bool { return s == "own (layers of somebody's own)" }) {
		t.Errorf("NetworkList has no network of somebody's own: %v", NetworkList())
	}
}

// A name stands for one network.
func TestRegisterNetworkTwice(t *testing.T) {
	for _, name := range []string{"own", defaultNetwork, ""} {
		func() {
			defer func() {
				if r := fmt.Sprint(recover()); !strings.Contains(r, "RegisterNetwork") {
					t.Errorf("%q: panicked with %q", name, r)
				}
			}()
			RegisterNetwork(name, Network{Build: networks["own"].Build})
		}()
	}
}

// Chains of a walk start where they are told to, and the same seed gives the same walk.
func TestWalk(t *testing.T) {
	j := planned(t, "moons", "nce", Layer{"adapt": []byte("10"), "burn-in": []byte("5")})
	const chains, draws = 7, 5
	name, frames, err := j.Model.Walk(t.Context(), chains, draws, 3)
	if err != nil {
		t.Fatal(err)
	}
	_, again, err := j.Model.Walk(t.Context(), chains, draws, 3)
	if err != nil {
		t.Fatal(err)
	}
	if len(frames) != draws || name == "" {
		t.Fatalf("%d frames of sampler %q", len(frames), name)
	}
	for k := range frames {
		if r, c := frames[k].Dims(); r != chains || c != 2 || !mat.Equal(frames[k], again[k]) {
			t.Errorf("frame %d: %d×%d, or another one for the same seed", k, r, c)
		}
		if k > 0 && mat.Equal(frames[k], frames[k-1]) {
			t.Errorf("frame %d: nobody moved", k)
		}
	}
}
