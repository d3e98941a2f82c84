package page

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/objectives/fit"
	"github.com/stheno-ebm/stheno/objectives/fit/rundir"
	"github.com/stheno-ebm/stheno/objectives/train"
	"github.com/stheno-ebm/stheno/viz/live"
)

// prepare makes the job of the settings, in a new directory or in the previous one.
func prepare(t *testing.T, c fit.Config, path string, resume bool) (*fit.Job, *rundir.Dir) {
	t.Helper()
	if resume {
		job, dir, err := fit.Reopen(t.Context(), path, nil)
		if err == nil {
			err = dir.Lock()
		}
		if err != nil {
			t.Fatal(err)
		}
		return job, dir
	}
	src, err := datasets.Open(c.Dataset)
	if err != nil {
		t.Fatal(err)
	}
	job, err := fit.Prepare(src, c)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := job.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	return job, dir
}

// index is the list of frames that a viewer gets on arrival, as pairs of ID and step, and the step of the frame
// shown.
func index(t *testing.T, srv *live.Server) (frames [][2]int, shown int) {
	t.Helper()
	res, err := http.Get("http://" + srv.Addr() + "/events?token=" + srv.Token())
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	r := bufio.NewReader(res.Body)
	for {
		line, err := r.ReadBytes('\n')
		if err != nil {
			t.Fatal(err)
		}
		if data, ok := bytes.CutPrefix(line, []byte("data: ")); ok {
			var e struct {
				Frames [][2]int
				Frame  struct{ Step int }
			}
			if err := json.Unmarshal(data, &e); err != nil {
				t.Fatal(err)
			}
			return e.Frames, e.Frame.Step
		}
	}
}

// A viewer who comes after training has run unwatched gets frames from the start on, drawn from what the run
// directory holds. So does one who comes after the run was resumed, or opens the page when it has ended.
func TestLateViewer(t *testing.T) {
	c, err := fit.Read(fit.Layer{
		"dataset": json.RawMessage(`"moons"`), "objective": json.RawMessage(`"nce"`),
		"energy": json.RawMessage(`"mlp"`), "hidden": json.RawMessage(`[8]`),
		"batch": json.RawMessage(`32`), "steps": json.RawMessage(`900`), "frames": json.RawMessage(`31`),
		"bridge": json.RawMessage(`0`),
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "run")
	check := func(srv *live.Server, at int) {
		t.Helper()
		frames, shown := index(t, srv)
		last := 0 // frames are due after k² steps
		for last*last <= at {
			last++
		}
		if len(frames) != last || frames[0][1] != 0 || shown != (last-1)*(last-1) {
			t.Errorf("after %d steps: frames %v, shown %d, want %d from 0 on", at, frames, shown, last)
		}
		seen := map[string]bool{}
		for k, f := range frames {
			if f[1] != k*k {
				t.Errorf("frame %d is of step %d, want %d", k, f[1], k*k)
			}
			res, err := http.Get(fmt.Sprintf("http://%s/frame/%d?token=%s", srv.Addr(), f[0], srv.Token()))
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(res.Body)
			res.Body.Close()
			var fr struct {
				Step, N int
				E       string
			}
			if err == nil {
				err = json.Unmarshal(b, &fr)
			}
			if err != nil || fr.Step != f[1] || fr.N != liveNodes || seen[fr.E] {
				t.Errorf("frame of step %d: %v %.60s", f[1], err, b)
			}
			seen[fr.E] = true
		}
	}
	// follow trains with a page that is first opened after the given number of steps, and stops then.
	follow := func(steps int, resume bool) {
		t.Helper()
		job, dir := prepare(t, c, path, resume)
		defer dir.Unlock()
		srv, err := Serve(job.Model, "127.0.0.1:0", false)
		if err != nil {
			t.Fatal(err)
		}
		defer srv.Close()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		job.Config.Hooks.Step = func(pr train.Progress) error {
			if pr.Step == steps+1 { // the frame of the step itself has been kept
				check(srv, steps)
				cancel()
			}
			return nil
		}
		Attach(job, dir, srv, resume, func(error) { cancel() })
		run := job.Run
		if resume {
			run = job.Continue
		}
		if _, err := run(ctx, dir); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	follow(300, false)
	follow(600, true)
	m, err := fit.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	srv, err := Show(m, "127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	check(srv, 601)
}
