package job

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/model"
	"github.com/stheno-ebm/stheno/cmd/ebm/internal/settings"
	"github.com/stheno-ebm/stheno/objectives/metrics"
	"github.com/stheno-ebm/stheno/objectives/train"
	"github.com/stheno-ebm/stheno/viz/live"
)

// The summary gives the likelihood of training points beside that of the others, and says when they differ by more than chance.
func TestSummaryByHeart(t *testing.T) {
	for _, c := range []struct {
		nll, se, train metrics.Value
		byHeart        bool
	}{
		{2.0, 0.03, 1.95, false},
		{2.0, 0.03, 1.8, false}, // within four standard errors and what training gains
		{2.0, 0.01, 1.8, true},
		{103, 8, 1.2, true},
	} {
		eval := &metrics.Report{NLL: c.nll, NLLErr: c.se, TrainNLL: c.train, KL: metrics.Value(math.NaN())}
		text := strings.Join((&Result{Eval: eval}).Summary(), "\n")
		if !strings.Contains(text, "NLL of the training points") {
			t.Errorf("train NLL %g is not in %q", c.train, text)
		}
		if got := strings.Contains(text, "by heart"); got != c.byHeart {
			t.Errorf("NLL %g ± %g, train %g: learnt by heart %v, want %v", c.nll, c.se, c.train, got, c.byHeart)
		}
	}
}

// The summary says what makes the measures of a run doubtful, and nothing of a run that is well.
func TestSummarySaysDoubts(t *testing.T) {
	nan := metrics.Value(math.NaN())
	for _, c := range []struct {
		eval metrics.Report
		says string
	}{
		{metrics.Report{Dim: 2, NLL: 1, LogZ: 1, LogZErr: 0.1, Leak: 1e-4, Samples: &metrics.SampleReport{RHat: 1.005, ModeTV: nan}}, ""},
		{metrics.Report{Dim: 2, NLL: 1, LogZ: 1, LogZErr: 0.1, Leak: 0.85}, "0.85 of the mass"},
		{metrics.Report{Dim: 5, NLL: 1, LogZ: 1, LogZErr: nan, Leak: nan}, "log Z, and with it the NLL, is not reliable"},
		{metrics.Report{Dim: 2, NLL: 1, LogZ: 1, LogZErr: 0.1, Samples: &metrics.SampleReport{RHat: 20, ModeTV: nan}}, "R̂ is 20.000, want at most 1.01;"},
		{metrics.Report{Dim: 2, NLL: 1, LogZ: 1, LogZErr: 0.1, Samples: &metrics.SampleReport{RHat: 1.017, RHatLimit: 1.02, ModeTV: nan}}, ""}, // 500 chains of 10 draws
		{metrics.Report{Dim: 2, NLL: 1, LogZ: 1, LogZErr: 0.1, Samples: &metrics.SampleReport{RHat: 1.025, RHatLimit: 1.02, ModeTV: nan}}, "R̂ is 1.025, want at most 1.02;"},
	} {
		c.eval.KL, c.eval.TrainNLL = nan, nan
		lines := (&Result{Eval: &c.eval}).Summary()[2:] // after the steps and the likelihood
		if text := strings.Join(lines, "\n"); (text != "") != (c.says != "") || !strings.Contains(text, c.says) {
			t.Errorf("%+v: the summary says %q, want %q", c.eval, text, c.says)
		}
	}
}

// Denoising at many levels gets the weights of modes from a background; an energy that has none, from its sampler.
func TestPresetLevels(t *testing.T) {
	for _, c := range []struct {
		energy  string
		bridge  bool
		sampler string
	}{{"fourier", true, ""}, {"mlp", false, "annealed"}} {
		s := settings.Settings{Objective: "dsm-multi", Energy: c.energy, Dataset: "4squares"}
		l := Preset(s)
		var sampler string
		if v, ok := l["sampler"]; ok {
			if err := json.Unmarshal(v, &sampler); err != nil {
				t.Fatal(err)
			}
		}
		if _, ok := l["bridge"]; ok != c.bridge || sampler != c.sampler {
			t.Errorf("%s: bridge %v, sampler %q, want %v, %q", c.energy, ok, sampler, c.bridge, c.sampler)
		}
	}
}

// index is the list of frames that a viewer of the page gets on arrival, as pairs of id and step, and the step of the frame it sees.
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

// A viewer who comes when training has gone on unwatched gets frames from the start on, drawn from what the run directory holds; so
// does who comes after it was resumed, and who opens it when it has ended.
func TestLateViewer(t *testing.T) {
	s, err := settings.Merge(settings.Default().Layer(), settings.Layer{
		"dataset": json.RawMessage(`"moons"`), "objective": json.RawMessage(`"nce"`), "energy": json.RawMessage(`"mlp"`), "hidden": json.RawMessage(`[8]`),
		"batch": json.RawMessage(`32`), "steps": json.RawMessage(`900`), "frames": json.RawMessage(`31`), "bridge": json.RawMessage(`0`),
	})
	if err != nil {
		t.Fatal(err)
	}
	dir := created(t, s)
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
	// follow trains with a page that is opened first when the training is over the given number of steps, and stops it then.
	follow := func(steps int, resume bool) {
		t.Helper()
		p, err := Prepare(s)
		if err != nil {
			t.Fatal(err)
		}
		cfg, err := p.LiveConfig("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		srv, err := live.NewServer(cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer srv.Close()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		opt := Options{Resume: resume, Live: srv, Progress: func(pr train.Progress) {
			if pr.Step == steps+1 { // the frame of the step itself has been kept
				check(srv, steps)
				cancel()
			}
		}}
		if _, err := p.Run(ctx, dir, opt); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	follow(300, false)
	follow(600, true)
	m, err := model.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	srv, err := Show(m, dir, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	check(srv, 601)
}
