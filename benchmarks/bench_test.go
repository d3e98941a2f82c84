package benchmarks_test

import (
	"fmt"
	"testing"

	"github.com/stheno-ebm/stheno/benchmarks"
	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/graphs/vector"
)

// settings runs f at every size: float32 and one thread without mention, then float64, then two threads.
func settings(b *testing.B, rows string, f func(b *testing.B, s benchmarks.Setting)) {
	for _, size := range benchmarks.Sizes {
		name := fmt.Sprintf("%s=%d/hidden=%d", rows, size.Batch, size.Hidden)
		b.Run(name, func(b *testing.B) { f(b, size) })
		double := size
		double.Precision = energy.Float64
		b.Run(name+"/precision=float64", func(b *testing.B) { f(b, double) })
		two := size
		two.Threads = 2
		b.Run(name+"/threads=2", func(b *testing.B) { f(b, two) })
	}
}

// run times the steps, and prints the share of the core's FMA peak that the least products alone would need.
func run(b *testing.B, s benchmarks.Setting, w benchmarks.Work, err error) {
	if err != nil {
		b.Fatal(err)
	}
	for range 3 {
		if err := w.Step(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := w.Step(); err != nil {
			b.Fatal(err)
		}
	}
	if w.Products > 0 {
		perSecond := w.FLOPs(s) * float64(b.N) / b.Elapsed().Seconds()
		b.ReportMetric(100*perSecond/peak(s.Precision), "%peak")
	}
}

var peaks = map[energy.Precision]float64{}

// peak is that of one core, measured once.
func peak(p energy.Precision) float64 {
	if peaks[p] == 0 {
		if p == energy.Float64 {
			peaks[p] = vector.PeakFLOPS[float64]()
		} else {
			peaks[p] = vector.PeakFLOPS[float32]()
		}
	}
	return peaks[p]
}

func BenchmarkTrainStep(b *testing.B) {
	for _, objective := range []string{"sm", "sm-hutchinson", "ssm", "ssm-vr", "dsm", "nce"} {
		b.Run("objective="+objective, func(b *testing.B) {
			settings(b, "batch", func(b *testing.B, s benchmarks.Setting) {
				w, err := benchmarks.TrainStep(objective, s)
				run(b, s, w, err)
			})
		})
	}
}

func BenchmarkSamplerStep(b *testing.B) {
	for _, sampler := range []string{"langevin", "mala", "hmc"} {
		b.Run("sampler="+sampler, func(b *testing.B) {
			settings(b, "chains", func(b *testing.B, s benchmarks.Setting) {
				w, err := benchmarks.SamplerStep(sampler, s)
				run(b, s, w, err)
			})
		})
	}
}

func BenchmarkGradient(b *testing.B) {
	settings(b, "batch", func(b *testing.B, s benchmarks.Setting) {
		w, err := benchmarks.Gradient(s)
		run(b, s, w, err)
	})
}

func BenchmarkCompile(b *testing.B) {
	for _, objective := range []string{"sm", "ssm", "dsm", "nce"} {
		b.Run("objective="+objective, func(b *testing.B) {
			s := benchmarks.Sizes[len(benchmarks.Sizes)-1]
			w, err := benchmarks.Compilation(objective, s)
			run(b, s, w, err)
		})
	}
}

func BenchmarkMachine(b *testing.B) {
	for _, ops := range []string{"ours", "gorgonia"} {
		for _, machine := range []string{"tape", "graph"} {
			b.Run("ops="+ops+"/machine="+machine, func(b *testing.B) {
				settings(b, "batch", func(b *testing.B, s benchmarks.Setting) {
					if s.Threads > 1 {
						b.Skip("one thread")
					}
					w, err := benchmarks.Machine(machine, ops == "ours", s)
					run(b, s, w, err)
				})
			})
		}
	}
}

func BenchmarkConv(b *testing.B) {
	for _, net := range []string{"stride", "pool"} {
		for _, op := range benchmarks.ConvOps {
			work := func(name string, s benchmarks.Setting) {
				b.Run(fmt.Sprintf("net=%s/op=%s/batch=%d%s", net, op, s.Batch, name), func(b *testing.B) {
					w, err := benchmarks.Conv(net, op, s)
					run(b, s, w, err)
				})
			}
			for _, batch := range []int{1, 8, 64, 128} {
				work("", benchmarks.Setting{Batch: batch})
			}
			work("/threads=2", benchmarks.Setting{Batch: 128, Threads: 2})
		}
	}
}
