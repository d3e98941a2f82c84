package board

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/stheno-ebm/stheno/objectives/fit"
	"github.com/stheno-ebm/stheno/objectives/metrics"
	"github.com/stheno-ebm/stheno/viz"
	"gonum.org/v1/plot/vg"
)

// median returns the median of the known values, NaN if there are none.
func median(v []float64) float64 {
	v = slices.DeleteFunc(slices.Clone(v), math.IsNaN)
	if len(v) == 0 {
		return math.NaN()
	}
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// Quality returns what the cell is ranked by: KL if the truth is known, else the NLL.
func (c Cell) Quality() (v float64, name string) {
	switch {
	case c.Eval == nil:
		return math.NaN(), "KL"
	case c.Eval.KL.Known():
		return float64(c.Eval.KL), "KL"
	}
	return float64(c.Eval.NLL), "NLL"
}

// seeds holds the cells of an objective on a dataset.
type seeds []Cell

// bySeeds finds the cells of each objective on each dataset.
func bySeeds(cells []Cell) map[[2]string]seeds {
	m := make(map[[2]string]seeds)
	for _, c := range cells {
		key := [2]string{c.Objective, c.Dataset}
		m[key] = append(m[key], c)
	}
	return m
}

// median returns the median of a known number of the cells, NaN if it is known for none.
func (s seeds) median(f func(Cell) float64) float64 {
	v := make([]float64, len(s))
	for i, c := range s {
		v[i] = f(c)
	}
	return median(v)
}

// WriteTable writes the medians over seeds as a Markdown table: quality in nats, CPU seconds in brackets, the best of
// each column bold. The columns of files, for which the truth is unknown, are marked as NLL. A dash means that no run
// is done.
func WriteTable(w io.Writer, cfg Config, cells []Cell) error {
	head, rule := "| KL, nats (CPU s) |", "|---|"
	best := make(map[string]float64)
	of := bySeeds(cells)
	quality := func(c Cell) float64 { v, _ := c.Quality(); return v }
	isNLL := func(c Cell) bool { _, name := c.Quality(); return name == "NLL" }
	for _, d := range cfg.Datasets {
		column := d
		best[d] = math.Inf(1)
		for _, o := range cfg.Objectives {
			s := of[[2]string{o, d}]
			if slices.ContainsFunc(s, isNLL) {
				column = d + ": NLL"
			}
			if v := s.median(quality); v < best[d] {
				best[d] = v
			}
		}
		head += " " + column + " |"
		rule += "---|"
	}
	lines := []string{head, rule}
	for _, o := range cfg.Objectives {
		line := "| `" + o + "` |"
		for _, d := range cfg.Datasets {
			s := of[[2]string{o, d}]
			v := s.median(quality)
			text := "diverged"
			switch {
			case len(s) == 0:
				line += " – |"
				continue
			case slices.ContainsFunc(s, Cell.Refused):
				line += " refused |" // before its first step
				continue
			case v == best[d]:
				text = fmt.Sprintf("**%.4f**", v)
			case !math.IsNaN(v):
				text = fmt.Sprintf("%.4f", v)
			}
			line += fmt.Sprintf(" %s (%s) |", text, round(s.median(func(c Cell) float64 { return c.CPU })))
		}
		lines = append(lines, line)
	}
	_, err := fmt.Fprintln(w, strings.Join(lines, "\n"))
	return err
}

// WriteCSV writes a line per cell.
func WriteCSV(w io.Writer, cells []Cell) error {
	out := csv.NewWriter(w)
	if err := out.Write(
		strings.Fields(
			"dataset objective seed steps cpu_seconds kl nll reverse_kl tv fisher_relative score_slope leak mode_tv " +
				"energy_distance energy_distance_floor in_hdr99 error")); err != nil {
		return err
	}
	for _, c := range cells {
		row := []string{c.Dataset, c.Objective, strconv.FormatUint(c.Seed, 10), strconv.Itoa(c.Steps),
			fmt.Sprintf("%.2f", c.CPU)}
		var values [11]metrics.Value
		for i := range values {
			values[i] = unknown
		}
		if e := c.Eval; e != nil {
			copy(values[:], []metrics.Value{e.KL, e.NLL, e.ReverseKL, e.TV, e.FisherRelative, e.ScoreSlope, e.Leak})
			if s := e.Samples; s != nil {
				copy(values[7:], []metrics.Value{s.ModeTV, s.EnergyDistance, s.Floor.EnergyDistance, s.InHDR})
			}
		}
		for _, v := range values {
			text := ""
			if v.Known() {
				text = strconv.FormatFloat(float64(v), 'g', 6, 64)
			}
			row = append(row, text)
		}
		if err := out.Write(append(row, c.Error)); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// Picture shows the model density of the first seed of every cell, with its quality and cost; nil if no data are
// planar.
func Picture(cfg Config, cells []Cell) (*viz.Figure, error) {
	st := viz.Light
	f := &viz.Figure{Title: "Model densities", Note: "nats, CPU seconds of training"}
	column := make(map[string]int) // columns of the datasets shown
	for _, d := range cfg.Datasets {
		for i, o := range cfg.Objectives {
			for _, c := range cells {
				if c.Objective != o || c.Dataset != d || c.Seed != 1 || c.Eval == nil {
					continue
				}
				cell, err := density(st, cfg.Dir, c)
				if err != nil {
					return nil, err
				}
				if cell == nil {
					continue
				}
				if _, ok := column[d]; !ok {
					column[d] = len(column)
				}
				cell.Row, cell.Col = i, column[d]
				f.Add(*cell)
			}
		}
	}
	if len(column) == 0 {
		return nil, nil
	}
	f.Width = vg.Length(max(320, 190*len(column)))
	return f, nil
}

// density returns one cell of the picture; nil if the data are not planar.
func density(st *viz.Style, board string, c Cell) (*viz.Cell, error) {
	m, err := fit.Open(filepath.Join(board, filepath.FromSlash(c.Run)))
	if err != nil || m.Dim() != 2 {
		return nil, err
	}
	lo, hi := m.Box()
	g := viz.NewGrid(lo, hi, 121)
	if err := g.Eval(m.Energy); err != nil {
		return nil, err
	}
	for i, e := range g.Z {
		g.Z[i] = math.Exp(-e - float64(c.Eval.LogZ))
	}
	top := g.Quantiles(0.999)[0]
	if !(top > 0) {
		top = 1
	}
	p := st.Plane(c.caption(), [2]float64{lo[0], lo[1]}, [2]float64{hi[0], hi[1]})
	p.Add(&viz.HeatMap{Grid: g, Scale: viz.Scale{Lo: 0, Hi: top, Map: st.Density}})
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = lo[0], hi[0], lo[1], hi[1]
	p.X.Label.Text, p.Y.Label.Text = "", ""
	return &viz.Cell{Plot: p, Aspect: viz.Equal(p)}, nil
}

// caption returns the title of a cell of the picture.
func (c Cell) caption() string {
	v, name := c.Quality()
	return fmt.Sprintf("%s · %s\n%s %.3f, %s s", filepath.Base(c.Dataset), c.Objective, name, v, round(c.CPU))
}

// round formats a duration in seconds, with at least two digits.
func round(seconds float64) string {
	if seconds < 9.5 {
		return fmt.Sprintf("%.1f", seconds)
	}
	return fmt.Sprintf("%.0f", seconds)
}
