package job

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/run"
	"github.com/stheno-ebm/stheno/cmd/ebm/internal/settings"
)

// processor is the time that all threads of this process have had.
func processor() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// defaultRun is the run of `ebm train` without flags but --threads.
func defaultRun(b *testing.B, threads int) (*Plan, *run.Dir) {
	b.Helper()
	base := settings.Default()
	s, err := settings.Merge(base.Layer(), Preset(base))
	if err != nil {
		b.Fatal(err)
	}
	s.Threads = threads
	p, err := Prepare(s)
	if err != nil {
		b.Fatal(err)
	}
	return p, created(b, s)
}

// BenchmarkAnimation is the default run, from its first step to its last picture: the processor time of all of it, of the
// panel and of the animation, and the share by which the animation prolongs the rest. Less than 20 % are wanted.
//
//	go test ./cmd/ebm/internal/job -run ^$ -bench Animation -benchtime 1x
func BenchmarkAnimation(b *testing.B) {
	for b.Loop() {
		p, dir := defaultRun(b, 0)
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
