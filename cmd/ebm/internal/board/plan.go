package board

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Plan estimates the cost of the cells and assigns them to shards.
type Plan struct {
	Shards []Part    `json:"shards"`
	Cells  []Planned `json:"cells"` // in the order of the board
}

// Planned is a cell and its share of the work.
type Planned struct {
	Cell    string  `json:"cell"`
	Seconds float64 `json:"seconds"` // approximate CPU seconds
	Shard   int     `json:"shard"`

	cell Cell
	cost time.Duration
}

// Part is the work of a shard.
type Part struct {
	Cells   int     `json:"cells"`
	Seconds float64 `json:"seconds"`

	cost time.Duration
}

// Plan divides the comparison: the longest cell goes first, to the shard that has the least to do.
func (cfg Config) Plan(shards int) (*Plan, error) {
	sweep, err := cfg.sweep()
	if err != nil {
		return nil, err
	}
	cells := sweep.cells()
	p := &Plan{Shards: make([]Part, shards), Cells: make([]Planned, len(cells))}
	costs, err := cfg.costs(cells)
	if err != nil {
		return nil, err
	}
	for i, c := range cells {
		p.Cells[i] = Planned{Cell: c.Name(), Seconds: costs[i].Seconds(), cell: c, cost: costs[i]}
	}
	for _, i := range longest(costs) {
		least := 0
		for k, part := range p.Shards {
			if part.cost < p.Shards[least].cost {
				least = k
			}
		}
		p.Cells[i].Shard = least
		p.Shards[least].Cells++
		p.Shards[least].cost += costs[i]
	}
	for k := range p.Shards {
		p.Shards[k].Seconds = p.Shards[k].cost.Seconds()
	}
	return p, nil
}

// longest orders the indices of costs, largest first; ties stay in order.
func longest(costs []time.Duration) []int {
	order := make([]int, len(costs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(costs[b], costs[a]) })
	return order
}

// of returns the cells of a shard, in the order of the board.
func (p *Plan) of(shard int) []Cell {
	var cells []Cell
	for _, c := range p.Cells {
		if c.Shard == shard {
			cells = append(cells, c.cell)
		}
	}
	return cells
}

// Longest returns the cost of the shard with the most work, on one core.
func (p *Plan) Longest() time.Duration {
	var most time.Duration
	for _, part := range p.Shards {
		most = max(most, part.cost)
	}
	return most
}

// Total returns the cost of all cells.
func (p *Plan) Total() time.Duration {
	var sum time.Duration
	for _, part := range p.Shards {
		sum += part.cost
	}
	return sum
}

// Write prints the plan: the seeds of an objective on a dataset in one line, then the shards.
func (p *Plan) Write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%-16s %-24s %6s %12s\n", "objective", "dataset", "runs", "CPU of each")
	for i := 0; i < len(p.Cells); {
		first, n := p.Cells[i], 0
		for i < len(p.Cells) && p.Cells[i].cell.Objective == first.cell.Objective &&
			p.Cells[i].cell.Dataset == first.cell.Dataset {
			i++
			n++
		}
		fmt.Fprintf(&b, "%-16s %-24s %6d %12s\n", first.cell.Objective, first.cell.Dataset, n, Span(first.cost))
	}
	fmt.Fprintf(&b, "\n%d cells, about %s on one core\n", len(p.Cells), Span(p.Total()))
	if len(p.Shards) > 1 {
		least := slices.MinFunc(p.Shards, func(a, b Part) int { return cmp.Compare(a.cost, b.cost) })
		fmt.Fprintf(&b, "%d shards of one core each: %s to %s\n", len(p.Shards), Span(least.cost), Span(p.Longest()))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Span formats a duration for people, with about two digits.
func Span(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	}
	return fmt.Sprintf("%.1f h", d.Hours())
}
