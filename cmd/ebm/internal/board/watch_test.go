package board

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/fit"
	"github.com/stheno-ebm/stheno/objectives/fit/rundir"
	"github.com/stheno-ebm/stheno/objectives/metrics"
)

// TestWatch: a folder with a cell in every state.
func TestWatch(t *testing.T) {
	dir := t.TempDir()
	sweep := Sweep{Datasets: []string{"moons"}, Objectives: []string{"nce", "sm", "dsm", "ml", "pcd"}, Seeds: 1}
	if err := sweep.register(dir); err != nil {
		t.Fatal(err)
	}
	cells := sweep.cells()
	cells[0].Steps, cells[0].CPU, cells[0].Eval = 100, 8, &metrics.Report{KL: 0.25}
	cells[1].Steps, cells[1].Error = 100, "diverged at step 7"
	cells[2].Error = "it needs dimension 3"
	for _, c := range cells[:3] {
		b, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, c.folder(), resultFile), string(b))
	}
	l := newLedger(dir, time.Hour)
	running, _ := mustClaim(t, l, cells[3].Name())
	defer running.stop()
	s, err := fit.Suited(fit.Config{Dataset: "4squares"}, objectives.Facts{})
	if err != nil {
		t.Fatal(err)
	}
	s.Steps = 2500
	config, err := s.MarshalConfig()
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(running.run(), rundir.Config), string(config))
	write(t, filepath.Join(running.run(), rundir.Metrics), `{"step":400,"loss":1,"seconds":1}`+"\n"+
		`{"step":1000,"loss":1,"seconds":2}`+"\n"+`{"step":1500,"lo`) // being written
	dead, _ := mustClaim(t, l, cells[4].Name())
	dead.stop()
	dead.owner.PID, dead.owner.Machine = 1<<30, self().Machine
	if err := dead.write(dead.turn(dead.cell, 1)); err != nil {
		t.Fatal(err)
	}

	got, err := NewWatcher(dir).Look()
	if err != nil {
		t.Fatal(err)
	}
	if got.Cells != 5 || got.Done != 3 || got.Refused != 1 || len(got.Failed) != 1 ||
		got.Failed[0].Error != "diverged at step 7" {
		t.Errorf("got %+v", got)
	}
	if len(got.Running) != 2 {
		t.Fatalf("running: %+v", got.Running)
	}
	if r := got.Running[0]; r.Cell != "moons-ml-1" || r.Step != 1000 || r.Steps != 2500 || r.Rate != 500 || r.Dead {
		t.Errorf("running: %+v", r)
	}
	if r := got.Running[1]; r.Dead != (self().Machine != "") || r.Rate.Known() {
		t.Errorf("dead: %+v", r)
	}
	if !got.Left.Known() || !(got.Left > 0) {
		t.Errorf("%g seconds left", got.Left)
	}
	var text strings.Builder
	if err := got.Write(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"3 of 5 runs are done, 1 of them failed, 1 refused; 2 under way; about ",
		"500 steps/s", "1000/2500",
		"no sign of life", "failed: diverged at step 7", "**0.2500** (8.0)", "refused |", "– |"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text does not say %q:\n%s", want, text.String())
		}
	}
}
