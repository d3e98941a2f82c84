package job

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/run"
	"github.com/stheno-ebm/stheno/cmd/ebm/internal/settings"
	"github.com/stheno-ebm/stheno/objectives/train"
	"github.com/stheno-ebm/stheno/viz/live"
)

// processor is the time that all threads of this process have had.
func processor() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// defaultRun is the run of `ebm train` without flags.
func defaultRun(b *testing.B) (*Plan, *run.Dir) {
	b.Helper()
	base := settings.Default()
	s, err := settings.Merge(base.Layer(), Preset(base))
	if err != nil {
		b.Fatal(err)
	}
	p, err := Prepare(s)
	if err != nil {
		b.Fatal(err)
	}
	dir, err := run.Create(filepath.Join(b.TempDir(), "run"), s.Dataset, s.Objective)
	if err != nil {
		b.Fatal(err)
	}
	if err := dir.Write(run.Config, s.Config()); err != nil {
		b.Fatal(err)
	}
	return p, dir
}

// BenchmarkAnimation is the default run, from its first step to its last picture: the processor time of all of it, of the
// panel and of the animation, and the share by which the animation prolongs the rest. Less than 20 % are wanted.
//
//	go test ./cmd/ebm/internal/job -run ^$ -bench Animation -benchtime 1x
func BenchmarkAnimation(b *testing.B) {
	for b.Loop() {
		p, dir := defaultRun(b)
		start := processor()
		if _, err := p.Run(context.Background(), dir, Options{}); err != nil {
			b.Fatal(err)
		}
		whole := processor() - start
		pics := &Pictures{Model: p.model, Dir: dir}
		start = processor()
		if err := pics.Panel(context.Background(), filepath.Join(b.TempDir(), "panel.png")); err != nil {
			b.Fatal(err)
		}
		panel := processor() - start
		start = processor()
		if err := pics.Animation(context.Background(), filepath.Join(b.TempDir(), "animation.gif")); err != nil {
			b.Fatal(err)
		}
		animation := processor() - start
		b.ReportMetric(whole.Seconds(), "run-cpu-s")
		b.ReportMetric(panel.Seconds()*1000, "panel-cpu-ms")
		b.ReportMetric(animation.Seconds(), "animation-cpu-s")
		b.ReportMetric(100*animation.Seconds()/(whole-animation).Seconds(), "animation-%")
	}
}

// BenchmarkPage is what the live page adds to the time of the default training: with nobody looking, with one viewer (at most
// 2 % are wanted), with two hundred that do not read (at most 3 %). Each round trains the same steps in every way, in turn; the
// times are those of all threads, with the server and the viewer, and the shares compare the medians.
//
//	go test ./cmd/ebm/internal/job -run ^$ -bench Page -benchtime 9x
func BenchmarkPage(b *testing.B) {
	ways := []string{"without", "nobody", "viewer", "slow200"}
	times := make(map[string][]time.Duration)
	var seen int64
	for b.Loop() {
		for _, way := range ways {
			spent, n := watched(b, way, 1000)
			times[way] = append(times[way], spent)
			if way == "viewer" {
				seen += n
			}
		}
	}
	base := median(times["without"])
	b.ReportMetric(base.Seconds(), "without-cpu-s")
	b.ReportMetric(float64(seen)/1e3/float64(len(times["viewer"])), "seen-kB")
	for _, way := range ways[1:] {
		b.ReportMetric(100*(median(times[way]).Seconds()/base.Seconds()-1), way+"-%")
	}
}

func median(t []time.Duration) time.Duration {
	t = append([]time.Duration(nil), t...)
	for i := range t {
		for j := i; j > 0 && t[j] < t[j-1]; j-- {
			t[j], t[j-1] = t[j-1], t[j]
		}
	}
	return t[len(t)/2]
}

// watched is the processor time of the first steps of the default training, and how many bytes a viewer saw.
func watched(b *testing.B, way string, steps int) (spent time.Duration, seen int64) {
	b.Helper()
	p, dir := defaultRun(b)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	opt := Options{}
	if way != "without" {
		cfg, err := p.LiveConfig("127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		srv, err := live.NewServer(cfg)
		if err != nil {
			b.Fatal(err)
		}
		defer srv.Close()
		opt.Live = srv
		want := map[string]int{"nobody": 0, "viewer": 1, "slow200": 200}[way]
		for range want {
			if way == "viewer" {
				res, err := http.Get("http://" + srv.Addr() + "/events")
				if err != nil {
					b.Fatal(err)
				}
				defer res.Body.Close()
				got := make(chan int64, 1)
				go func() {
					n, _ := io.Copy(io.Discard, res.Body)
					got <- n
				}()
				defer func() {
					srv.Close()
					seen = <-got
				}()
				continue
			}
			c, err := net.Dial("tcp", srv.Addr())
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			c.(*net.TCPConn).SetReadBuffer(2048)
			fmt.Fprintf(c, "GET /events HTTP/1.1\r\nHost: %s\r\n\r\n", srv.Addr())
		}
		for srv.Viewers() < want {
			time.Sleep(time.Millisecond)
		}
	}
	var start, end time.Duration
	opt.Progress = func(pr train.Progress) {
		switch pr.Step {
		case 20: // compiled, and warm
			start = processor()
		case 20 + steps:
			end = processor()
			cancel()
		}
	}
	if _, err := p.Run(ctx, dir, opt); !errors.Is(err, context.Canceled) {
		b.Fatalf("got %v, want context.Canceled", err)
	}
	return end - start, seen
}
