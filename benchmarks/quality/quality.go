package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/stheno-ebm/stheno/objectives/metrics"
)

// cell is what quality reads of a cell of ebm compare.
type cell struct {
	Dataset   string                     `json:"dataset"`
	Objective string                     `json:"objective"`
	Seed      uint64                     `json:"seed"`
	CPU       float64                    `json:"cpu_seconds"`
	Set       map[string]json.RawMessage `json:"set"`
	Error     string                     `json:"error"`
	Eval      *metrics.Report            `json:"eval"`
}

// read returns the cells of one file.
func read(path string) ([]cell, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var cells []cell
	if err := json.Unmarshal(b, &cells); err != nil {
		return nil, fmt.Errorf("%s: %w; want the board.json of ebm compare", path, err)
	}
	if len(cells) == 0 {
		return nil, fmt.Errorf("%s: no cells", path)
	}
	return cells, nil
}

// run writes the page of all files.
func run(paths []string, w io.Writer) error {
	var b strings.Builder
	b.WriteString(introduction)
	for _, path := range paths {
		cells, err := read(path)
		if err != nil {
			return err
		}
		section(&b, cells)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

const introduction = `# Quality

What the shipped defaults learn. Each section names the command that produced its board, in ` + "`runs/compare` unless `--out`" + `
says otherwise; this page is made from the boards by

    go run ./benchmarks/quality BOARD.json … > benchmarks/QUALITY.md

Training sees samples only. Densities, scores and integrals of the truth are exact; those of the models are computed by
quadrature or, in more than two dimensions, by importance sampling, where ± is a standard error. CPU seconds are for
training on one thread and depend on the machine. ` + "`go doc ./objectives/metrics`" + ` explains the measures; samples are drawn
by the default sampler of the run, and the floor is the same measure for as many draws from the truth.

Most runs train on fresh draws at every step. Those with ` + "`--set train-points=N`" + ` train on N points drawn once, as on a file
of points, a tenth of them held out, but are also judged by the truth; NLL − train NLL shows how much they memorised.
`

// names returns the different values of f in the order of the cells.
func names(cells []cell, f func(cell) string) []string {
	var v []string
	for _, c := range cells {
		if !slices.Contains(v, f(c)) {
			v = append(v, f(c))
		}
	}
	return v
}

// command is what makes the cells again.
func command(cells []cell) string {
	seeds := uint64(0)
	for _, c := range cells {
		seeds = max(seeds, c.Seed)
	}
	text := fmt.Sprintf("ebm compare --objectives %s --datasets %s --seeds %d",
		strings.Join(names(cells, func(c cell) string { return c.Objective }), ","),
		strings.Join(names(cells, func(c cell) string { return c.Dataset }), ","), seeds)
	for _, key := range slices.Sorted(maps.Keys(cells[0].Set)) {
		text += fmt.Sprintf(" --set %s=%s", key, cells[0].Set[key])
	}
	return text
}

// measure is a column of the table: a number of a report, and how it is written.
type measure struct {
	head   string
	format string
	of     func(cell) float64
}

func sample(f func(*metrics.SampleReport) float64) func(cell) float64 {
	return func(c cell) float64 {
		if c.Eval.Samples == nil {
			return math.NaN()
		}
		return f(c.Eval.Samples)
	}
}

var measures = []measure{
	{"reverse KL", "%.4f", func(c cell) float64 { return float64(c.Eval.ReverseKL) }},
	{"TV", "%.3f", func(c cell) float64 { return float64(c.Eval.TV) }},
	{"Fisher / E‖s‖²", "%.4f", func(c cell) float64 { return float64(c.Eval.FisherRelative) }},
	{"score slope", "%.3f", func(c cell) float64 { return float64(c.Eval.ScoreSlope) }},
	{"mode TV", "%.3f", sample(func(s *metrics.SampleReport) float64 { return float64(s.ModeTV) })},
	{"energy distance / floor", "%.2f", sample(func(s *metrics.SampleReport) float64 {
		return float64(s.EnergyDistance) / float64(s.Floor.EnergyDistance)
	})},
	{"in 99 % HDR", "%.3f", sample(func(s *metrics.SampleReport) float64 { return float64(s.InHDR) })},
	{"NLL − train NLL", "%.3f", func(c cell) float64 { return float64(c.Eval.NLL - c.Eval.TrainNLL) }},
}

// uncertainty is one standard error of the KL where it is not by quadrature, in more than two dimensions; NaN
// elsewhere.
func uncertainty(c cell) float64 {
	if c.Eval.Dim <= 2 {
		return math.NaN()
	}
	return math.Hypot(float64(c.Eval.LogZErr), float64(c.Eval.NLLErr))
}

// pick returns the values over seeds that are known, sorted.
func pick(cells []cell, objective, dataset string, f func(cell) float64) []float64 {
	var v []float64
	for _, c := range cells {
		if c.Objective == objective && c.Dataset == dataset && c.Eval != nil {
			if x := f(c); !math.IsNaN(x) {
				v = append(v, x)
			}
		}
	}
	slices.Sort(v)
	return v
}

func median(v []float64) float64 { return (v[(len(v)-1)/2] + v[len(v)/2]) / 2 }

// text writes the median, "–" where nothing is known.
func text(format string, v []float64) string {
	if len(v) == 0 {
		return "–"
	}
	return fmt.Sprintf(format, median(v))
}

// section writes the tables of one board.
func section(b *strings.Builder, cells []cell) {
	objectives := names(cells, func(c cell) string { return c.Objective })
	datasets := names(cells, func(c cell) string { return c.Dataset })
	set := ""
	for _, key := range slices.Sorted(maps.Keys(cells[0].Set)) {
		if key != "samples" {
			set += fmt.Sprintf(", %s %s", key, cells[0].Set[key])
		}
	}
	fmt.Fprintf(b, "\n## %s on %s%s\n\n    %s\n", list(objectives, "objectives"), list(datasets, "distributions"), set,
		command(cells))
	many := slices.ContainsFunc(cells, func(c cell) bool { return c.Seed > 1 })
	if many {
		b.WriteString(
			"\nKL(data‖model) in nats: the median over seeds, with the minimum and maximum in brackets, and CPU seconds.\n\n")
	} else {
		b.WriteString("\nKL(data‖model) in nats for one seed, and CPU seconds.\n\n")
	}
	head, rule := "| |", "|---|"
	for _, d := range datasets {
		head, rule = head+" "+d+" |", rule+"---|"
	}
	fmt.Fprintf(b, "%s\n%s\n", head, rule)
	for _, o := range objectives {
		fmt.Fprintf(b, "| `%s` |", o)
		for _, d := range datasets {
			v, cpu := pick(cells, o, d, func(c cell) float64 { return float64(c.Eval.KL) }),
				pick(cells, o, d, func(c cell) float64 { return c.CPU })
			if len(v) == 0 {
				b.WriteString(" – |")
				continue
			}
			fmt.Fprintf(b, " %.4f", median(v))
			if many {
				fmt.Fprintf(b, " (%.4f–%.4f)", v[0], v[len(v)-1])
			} else if e := pick(cells, o, d, uncertainty); len(e) > 0 {
				fmt.Fprintf(b, " ± %.3f", e[0])
			}
			fmt.Fprintf(b, ", %s s |", text("%.0f", cpu))
		}
		b.WriteString("\n")
	}
	shown := slices.DeleteFunc(slices.Clone(measures), func(m measure) bool { // what no run of the board has
		return !slices.ContainsFunc(cells, func(c cell) bool { return c.Eval != nil && !math.IsNaN(m.of(c)) })
	})
	for _, d := range datasets {
		fmt.Fprintf(b, "\n### %s\n\n", d)
		if many {
			b.WriteString("Medians over seeds.\n\n")
		}
		b.WriteString("| |")
		for _, m := range shown {
			b.WriteString(" " + m.head + " |")
		}
		b.WriteString("\n|---|" + strings.Repeat("---|", len(shown)) + "\n")
		for _, o := range objectives {
			fmt.Fprintf(b, "| `%s` |", o)
			for _, m := range shown {
				b.WriteString(" " + text(m.format, pick(cells, o, d, m.of)) + " |")
			}
			b.WriteString("\n")
		}
	}
	var failed []string
	for _, c := range cells {
		if c.Error != "" {
			failed = append(failed, fmt.Sprintf("* `%s` on %s, seed %d: %s\n", c.Objective, c.Dataset, c.Seed, c.Error))
		}
	}
	if len(failed) > 0 {
		b.WriteString("\n### Runs that failed\n\nThey are left out above.\n\n" + strings.Join(failed, ""))
	}
}

// list names up to four things, and counts more.
func list(names []string, noun string) string {
	if len(names) > 4 {
		return fmt.Sprintf("%d %s", len(names), noun)
	}
	return strings.Join(names, ", ")
}
