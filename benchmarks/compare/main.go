// Command compare measures Stheno against PyTorch, in turn and on the same machine, and prints the ratios.
//
//	go run ./benchmarks/compare            the table of benchmarks/README.md, as Markdown
//	go run ./benchmarks/compare --json     the same as JSON
//	go run ./benchmarks/compare --conv     convolutional energies
//	go run ./benchmarks/compare --quality 0.015    CPU seconds of training until the model is that good
//
// For each operation and size it alternates: a fraction of a second of Go, the same of PyTorch as one writes it
// (autograd), the same of PyTorch as an expert would (peer.py). A round gives the median time per step of each; the
// table has the median over rounds of the ratio within a round, which a drifting machine disturbs least. Where PyTorch
// is not installed the Go times are printed alone.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"time"

	"github.com/alecthomas/kong"

	"github.com/stheno-ebm/stheno/benchmarks"
)

type options struct {
	Rounds  int      `default:"7" help:"Rounds of each comparison."`
	Seconds float64  `default:"0.25" help:"Seconds per side and round."`
	Threads []int    `default:"1" help:"Numbers of threads."`
	Ops     []string `default:"langevin,hmc,sm,ssm,dsm,nce" help:"Operations."`
	Sizes   []int    `default:"32,64,128,256" help:"Hidden widths; the batch belongs to the width."`
	Quality float64  `help:"Compare instead the CPU seconds to this KL(data‖model) in nats, by nce on 8gaussians."`
	Conv    bool     `help:"Compare instead convolutional energies of 28×28 pictures, with both of PyTorch's layouts."`
	Batches []int    `default:"64,128" help:"Batches, for --conv."`
	Seeds   int      `default:"3" help:"Trainings of each length, for --quality."`
	Python  string   `default:"/usr/bin/python3" help:"Python with PyTorch."`
	JSON    bool     `help:"Print JSON."`
}

// row is one line of the table. Times are milliseconds, medians over rounds.
type row struct {
	Op       string             `json:"op"`
	Batch    int                `json:"batch"`
	Hidden   int                `json:"hidden"`
	Threads  int                `json:"threads"`
	GoMS     float64            `json:"go_ms"`
	Peak     float64            `json:"peak_share,omitempty"` // share of the core's FMA peak on the least products
	PeerMS   map[string]float64 `json:"peer_ms,omitempty"`
	Ratio    map[string]float64 `json:"ratio,omitempty"`    // Go / PyTorch
	SpeedUp  float64            `json:"speed_up,omitempty"` // over one thread, of Go, measured in turn
	CoreFree float64            `json:"cores_free"`         // share of all cores that this process could have had
}

// report is everything that is printed.
type report struct {
	PyTorch string `json:"pytorch,omitempty"`
	BLAS    *blas  `json:"openblas,omitempty"`
	Go      string `json:"go"`
	Cores   int    `json:"cores"`
	Rows    []row  `json:"rows"`
}

func main() {
	var opt options
	kong.Parse(&opt, kong.Name("compare"), kong.Description("Stheno against PyTorch, measured in turn."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, opt); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, opt options) error {
	rep := report{Go: runtime.Version(), Cores: runtime.NumCPU()}
	if opt.Quality > 0 {
		q, err := compareQuality(ctx, opt)
		switch {
		case err != nil:
			return err
		case opt.JSON:
			return printJSON(q)
		}
		return writeQuality(os.Stdout, q)
	}
	if opt.Conv {
		return compareConv(ctx, opt)
	}
	peers := map[int]*peer{}
	b, err := fastestBLAS(ctx, opt.Python)
	switch {
	case errors.Is(err, errNoTorch):
		fmt.Fprintln(os.Stderr, err)
	case err != nil:
		return err
	default:
		rep.BLAS = &b
		for _, threads := range opt.Threads {
			p, err := startPeer(ctx, opt.Python, threads, b)
			if err != nil {
				return err
			}
			defer p.close()
			peers[threads] = p
			rep.PyTorch = p.version
		}
	}
	for _, op := range opt.Ops {
		for _, hidden := range opt.Sizes {
			i := slices.IndexFunc(benchmarks.Sizes, func(s benchmarks.Setting) bool { return s.Hidden == hidden })
			if i < 0 {
				return fmt.Errorf("--sizes %d: want a width of %v", hidden, benchmarks.Sizes)
			}
			for _, threads := range opt.Threads {
				s := benchmarks.Sizes[i]
				s.Threads = threads
				fmt.Fprintf(os.Stderr, "%s (%d,%d) threads=%d\n", op, s.Batch, s.Hidden, threads)
				r, err := compare(ctx, peers[threads], op, s, opt)
				if err != nil {
					return err
				}
				rep.Rows = append(rep.Rows, r)
			}
		}
	}
	if opt.JSON {
		return printJSON(rep)
	}
	return writeMarkdown(os.Stdout, rep)
}

func printJSON(v any) error {
	enc := json.NewEncoder(os.Stdout)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// work returns the operation in Go. sm is against Hutchinson's estimate in PyTorch: ours has the exact trace.
func work(op string, s benchmarks.Setting) (benchmarks.Work, error) {
	if benchmarks.IsSampler(op) {
		return benchmarks.SamplerStep(op, s)
	}
	return benchmarks.TrainStep(op, s)
}

func compare(ctx context.Context, peer *peer, op string, s benchmarks.Setting, opt options) (row, error) {
	w, err := work(op, s)
	if err != nil {
		return row{}, err
	}
	single := w
	if s.Threads > 1 {
		one := s
		one.Threads = 1
		if single, err = work(op, one); err != nil {
			return row{}, err
		}
	}
	r := row{Op: op, Batch: s.Batch, Hidden: s.Hidden, Threads: max(s.Threads, 1)}
	var goMS, speedUp []float64
	times, ratios := map[string][]float64{}, map[string][]float64{}
	idle := newIdleMeter()
	for range opt.Rounds {
		if err := ctx.Err(); err != nil {
			return row{}, err
		}
		ours, err := timeSteps(w, opt.Seconds)
		if err != nil {
			return row{}, err
		}
		now := median(ours)
		goMS = append(goMS, now)
		if s.Threads > 1 {
			alone, err := timeSteps(single, opt.Seconds)
			if err != nil {
				return row{}, err
			}
			speedUp = append(speedUp, median(alone)/now)
		}
		if peer == nil {
			continue
		}
		for _, style := range styles {
			theirs, err := peer.time(op, style, s, opt.Seconds)
			if err != nil {
				return row{}, err
			}
			times[style] = append(times[style], theirs)
			ratios[style] = append(ratios[style], now/theirs)
		}
	}
	r.GoMS, r.SpeedUp, r.CoreFree = median(goMS), median(speedUp), idle.free()
	if s.Threads <= 1 && w.Products > 0 {
		r.Peak = w.FLOPs(s) / (r.GoMS * 1e-3) / peakFLOPS()
	}
	if peer != nil {
		r.PeerMS, r.Ratio = map[string]float64{}, map[string]float64{}
		for _, style := range styles {
			r.PeerMS[style], r.Ratio[style] = median(times[style]), median(ratios[style])
		}
	}
	return r, nil
}

// timeSteps returns the milliseconds per step of groups of at least two milliseconds, for the given time.
func timeSteps(w benchmarks.Work, seconds float64) ([]float64, error) {
	start := time.Now()
	if err := w.Step(); err != nil {
		return nil, err
	}
	group := max(1, int(0.002/max(time.Since(start).Seconds(), 1e-9)))
	var ms []float64
	for end := time.Now().Add(time.Duration(seconds * 1e9)); time.Now().Before(end) || len(ms) < 3; {
		start := time.Now()
		for range group {
			if err := w.Step(); err != nil {
				return nil, err
			}
		}
		ms = append(ms, time.Since(start).Seconds()*1e3/float64(group))
	}
	return ms, nil
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	v = slices.Sorted(slices.Values(v))
	return (v[len(v)/2] + v[(len(v)-1)/2]) / 2
}
