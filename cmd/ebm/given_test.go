package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/objectives/metrics"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// The uses of a model of a table: drawing columns given others, log densities in place of energies, measures with
// another seed.
func TestUseOfATable(t *testing.T) {
	tmp := t.TempDir()
	points, run := filepath.Join(tmp, "points.csv"), filepath.Join(tmp, "run")
	rng := train.Stream(1, "table")
	text := "age,income,height,weight\n"
	for range 200 {
		a := rng.NormFloat64()
		text += fmt.Sprintf("%g,%g,%g,%g\n", 40+10*a, 3+a+rng.NormFloat64(), 170+5*rng.NormFloat64(), 70+a)
	}
	if err := os.WriteFile(points, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	trainSmall(t, run, "--dataset", points).want(t, 0)

	drawn := filepath.Join(tmp, "drawn.npy")
	ebm(t, "sample", run, "--n", "50", "--chains", "10", "--given", "income=3.2,1=40", "--out", drawn).want(t, 0)
	x, err := datasets.Load(drawn)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		if x.At(i, 0) != 40 || x.At(i, 1) != 3.2 || x.At(i, 2) == x.At(0, 2) && i > 40 {
			t.Fatalf("row %d is %v", i, x.RawRowView(i))
		}
	}
	ebm(t, "sample", run, "--given", "incme=3.2").want(t, 2).oneLine(t, "--given", "income")
	ebm(t, "sample", run, "--given", "income=much").want(t, 2).oneLine(t, "--given", "number")
	ebm(t, "sample", run, "--given", "2=1,income=2").want(t, 2).oneLine(t, "--given", "two values")

	if _, err := os.Stat(filepath.Join(run, "pairs.png")); err != nil {
		t.Errorf("no pair plot: %v", err)
	}
	ebm(t, "plot", run, "--kind", "pairs", "--columns", "weight,1").want(t, 0)
	ebm(t, "plot", run, "--kind", "pairs", "--columns", "wait").want(t, 2).oneLine(t, "--columns", "weight")
	ebm(t, "plot", run, "--kind", "pairs", "--columns", "age,1").want(t, 2).oneLine(t, "--columns", "twice")
	ebm(t, "plot", run, "--columns", "age").want(t, 2).oneLine(t, "--columns", "pairs")
	if err := os.WriteFile(filepath.Join(run, "pairs.png"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	ebm(t, "train", "--resume", run).want(t, 2).oneLine(t, "pairs.png")
	ebm(t, "plot", run, "--kind", "pairs").want(t, 0)
	ebm(t, "train", "--resume", run, "--quiet").want(t, 0)

	var report metrics.Report
	if err := json.Unmarshal([]byte(ebm(t, "eval", run, "--samples", "0", "--json", "--seed", "7").want(t, 0).out),
		&report); err != nil {
		t.Fatal(err)
	}
	if report.Baseline == nil || !report.Baseline.NLL.Known() || !report.Baseline.DifferenceErr.Known() {
		t.Errorf("baseline %+v", report.Baseline)
	}
	var energies, logs []float64
	for flag, to := range map[string]*[]float64{"": &energies, "--log-density": &logs} {
		args := []string{"energy", run, "--points", points, "--json"}
		if flag != "" {
			args = append(args, flag)
		}
		if err := json.Unmarshal([]byte(ebm(t, args...).want(t, 0).out), to); err != nil {
			t.Fatal(err)
		}
	}
	for i, e := range energies {
		if want := -e - float64(report.LogZ); math.Abs(logs[i]-want) > 1e-9*math.Max(1, math.Abs(want)) {
			t.Fatalf("log density %d is %g, want %g", i, logs[i], want)
		}
	}
	var ranked [][2]float64
	if err := json.Unmarshal([]byte(ebm(t, "energy", run, "--points", points, "--json", "--rank").want(t, 0).out),
		&ranked); err != nil {
		t.Fatal(err)
	}
	for i, r := range ranked {
		// A row that was set aside is likelier than all training points if it is the likeliest.
		if r[0] != energies[i] || !(r[1] >= 0 && r[1] <= 1) {
			t.Fatalf("row %d is %v, the energy %g", i, r, energies[i])
		}
	}
	ebm(t, "energy", run, "--points", points, "--rank", "--grad").want(t, 2).oneLine(t, "--rank", "--grad")
	if out := ebm(t, "energy", run, "--points", points, "--log-density", "--grad").want(t, 0).out; !strings.HasPrefix(
		out, "log_density,dlogp/dage,") {
		t.Errorf("header %q", out[:40])
	}
}
