package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/stheno-ebm/stheno/benchmarks"
)

// layouts are those of PyTorch's pictures in memory: channels first, as it has them by itself, and channels last.
var layouts = []string{"nchw", "channels_last"}

// convRow is one line of the table of convolutional energies. Times are milliseconds, medians over rounds of the
// least time of a step in each: steps are long, and what disturbs them only adds.
type convRow struct {
	Net     string             `json:"net"`
	Op      string             `json:"op"`
	Batch   int                `json:"batch"`
	Threads int                `json:"threads"`
	GoMS    float64            `json:"go_ms"`
	PeerMS  map[string]float64 `json:"peer_ms,omitempty"` // by layout
	// Go / the better of PyTorch's layouts, median of those of the rounds
	Ratio    float64 `json:"ratio,omitempty"`
	SpeedUp  float64 `json:"speed_up,omitempty"` // over one thread, of Go, measured in turn
	CoreFree float64 `json:"cores_free"`
}

// compareConv times the convolutional energies of package benchmarks against PyTorch's, in turn.
func compareConv(ctx context.Context, opt options) error {
	b, err := fastestBLAS(ctx, opt.Python)
	if err != nil && !errors.Is(err, errNoTorch) {
		return err
	}
	torch := err == nil
	if !torch {
		fmt.Fprintln(os.Stderr, err)
	}
	var rows []convRow
	for _, threads := range opt.Threads {
		var p *peer
		if torch {
			if p, err = startPeer(ctx, opt.Python, threads, b); err != nil {
				return err
			}
			defer p.close()
		}
		for _, net := range []string{"stride", "pool"} {
			for _, op := range benchmarks.ConvOps {
				for _, batch := range opt.Batches {
					fmt.Fprintf(os.Stderr, "%s %s batch=%d threads=%d\n", net, op, batch, threads)
					r, err := convCase(ctx, p, convRow{Net: net, Op: op, Batch: batch, Threads: threads}, opt)
					if err != nil {
						return err
					}
					rows = append(rows, r)
				}
			}
		}
	}
	if opt.JSON {
		return printJSON(rows)
	}
	return writeConv(os.Stdout, rows)
}

func convCase(ctx context.Context, p *peer, r convRow, opt options) (convRow, error) {
	w, err := benchmarks.Conv(r.Net, r.Op, benchmarks.Setting{Batch: r.Batch, Threads: r.Threads})
	if err != nil {
		return r, err
	}
	single, err := benchmarks.Conv(r.Net, r.Op, benchmarks.Setting{Batch: r.Batch})
	if err != nil {
		return r, err
	}
	var ours, ratios, speedUp []float64
	theirs := map[string][]float64{}
	idle := newIdleMeter()
	for range opt.Rounds {
		if err := ctx.Err(); err != nil {
			return r, err
		}
		steps, err := timeSteps(w, opt.Seconds)
		if err != nil {
			return r, err
		}
		ms := slices.Min(steps)
		ours = append(ours, ms)
		if r.Threads > 1 {
			alone, err := timeSteps(single, opt.Seconds)
			if err != nil {
				return r, err
			}
			speedUp = append(speedUp, slices.Min(alone)/ms)
		}
		if p == nil {
			continue
		}
		var round []float64
		for _, layout := range layouts {
			t, err := p.timeConv(r, layout, opt.Seconds)
			if err != nil {
				return r, err
			}
			theirs[layout] = append(theirs[layout], t)
			round = append(round, t)
		}
		ratios = append(ratios, ms/slices.Min(round))
	}
	r.GoMS, r.Ratio, r.SpeedUp, r.CoreFree = median(ours), median(ratios), median(speedUp), idle.free()
	if p != nil {
		r.PeerMS = map[string]float64{}
		for layout, ms := range theirs {
			r.PeerMS[layout] = median(ms)
		}
	}
	return r, nil
}

// timeConv returns the least milliseconds per step of PyTorch's.
func (p *peer) timeConv(r convRow, layout string, seconds float64) (float64, error) {
	request := map[string]any{"op": "conv", "net": r.Net, "what": r.Op, "layout": layout, "batch": r.Batch,
		"threads": r.Threads, "seconds": seconds}
	if err := json.NewEncoder(p.in).Encode(request); err != nil {
		return 0, err
	}
	var answer struct{ MS []float64 }
	if err := p.read(&answer); err != nil {
		return 0, err
	}
	return slices.Min(answer.MS), nil
}

func writeConv(w io.Writer, rows []convRow) error {
	fmt.Fprintln(w, "| net | operation | batch | threads | Go, ms | PyTorch, ms | channels last, ms | Go / the "+
		"better | over one thread | cores free |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|---|---|---|")
	for _, r := range rows {
		if _, err := fmt.Fprintf(w, "| %s | %s | %d | %d | %.4g | %.4g | %.4g | **%.2f** | %s | %s |\n",
			r.Net, r.Op, r.Batch, r.Threads, r.GoMS, r.PeerMS[layouts[0]], r.PeerMS[layouts[1]], r.Ratio, times(r.SpeedUp),
			share(r.CoreFree)); err != nil {
			return err
		}
	}
	return nil
}
