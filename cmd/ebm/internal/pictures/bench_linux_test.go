package pictures

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/objectives/fit"
)

// processor is the CPU time that all threads of this process have used.
func processor() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkAnimation is the default run, from its first step to its last picture: the processor time of all of it, of
// the panel and of the animation, and the share by which the animation prolongs the rest. Less than 20 % are wanted.
//
//	go test ./cmd/ebm/internal/pictures -run ^$ -bench Animation -benchtime 1x
func BenchmarkAnimation(b *testing.B) {
	for b.Loop() {
		truth, err := datasets.New("4squares")
		if err != nil {
			b.Fatal(err)
		}
		start := processor()
		m, err := fit.Train(context.Background(), truth,
			fit.Config{Dataset: "4squares", Out: filepath.Join(b.TempDir(), "run"), Hooks: fit.Hooks{Finish: OfRun}})
		if err != nil {
			b.Fatal(err)
		}
		whole := processor() - start
		pics := &Pictures{Model: m}
		start = processor()
		if err := pics.Draw(context.Background(), "panel", filepath.Join(b.TempDir(), "panel.png")); err != nil {
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
