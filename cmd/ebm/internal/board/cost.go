package board

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/fit"
)

// Every shard works out for itself which cells are its own, on any machine. Therefore the estimates are based on a
// table of measurements and use integer arithmetic only: they are the same everywhere.

// costs.csv has the nanoseconds of a training step per row of the batch, of each objective in some dimensions, for
// networks with two hidden layers of 128 units (wide) and of 32 (narrow). go test ./cmd/ebm/internal/board -run Costs
// -update measures it again.
//
//go:embed costs.csv
var costsCSV string

// stepCost is the cost of a step per row.
type stepCost struct {
	dim          int64
	wide, narrow int64 // nanoseconds
}

// stepCosts holds the costs of each objective by dimension; "" has the means, for objectives not measured.
var stepCosts = parseCosts(costsCSV)

func parseCosts(text string) map[string][]stepCost {
	costs := make(map[string][]stepCost)
	sums := make(map[int64]*stepCost)
	counts := make(map[int64]int64)
	for _, line := range strings.Split(strings.TrimSpace(text), "\n")[1:] {
		fields := strings.Split(line, ",")
		var v [3]int64
		for i := range v {
			var err error
			if v[i], err = strconv.ParseInt(fields[1+i], 10, 64); err != nil {
				panic(fmt.Sprintf("board: costs.csv: %v", err))
			}
		}
		costs[fields[0]] = append(costs[fields[0]], stepCost{v[0], v[1], v[2]})
		if sums[v[0]] == nil {
			sums[v[0]] = &stepCost{dim: v[0]}
		}
		sums[v[0]].wide += v[1]
		sums[v[0]].narrow += v[2]
		counts[v[0]]++
	}
	for dim, s := range sums {
		costs[""] = append(costs[""], stepCost{dim, s.wide / counts[dim], s.narrow / counts[dim]})
	}
	for _, c := range costs {
		slices.SortFunc(c, func(a, b stepCost) int { return int(a.dim - b.dim) })
	}
	return costs
}

// at returns y at x on the line through two points, but at least low.
func at(x, x0, x1, y0, y1, low int64) int64 {
	if x0 == x1 {
		return max(y0, low)
	}
	return max(y0+(y1-y0)*(x-x0)/(x1-x0), low)
}

// weights returns the number of weights of a network, with which the time grows.
func weights(dim int64, hidden ...int64) int64 {
	n, in := int64(0), dim
	for _, h := range hidden {
		n += in * h
		in = h
	}
	return n + in
}

// rowCost returns the cost of a step of an objective per row, in nanoseconds.
func rowCost(objective string, dim int64, hidden []int) int64 {
	costs := stepCosts[objective]
	if costs == nil {
		costs = stepCosts[""]
	}
	i := 0 // the segment of the dimension, the last one beyond
	for i+2 < len(costs) && costs[i+1].dim < dim {
		i++
	}
	a, b := costs[i], costs[min(i+1, len(costs)-1)]
	wide := at(dim, a.dim, b.dim, a.wide, b.wide, 1)
	narrow := at(dim, a.dim, b.dim, a.narrow, b.narrow, 1)
	units := make([]int64, len(hidden))
	for i, h := range hidden {
		units[i] = int64(h)
	}
	return at(weights(dim, units...), weights(dim, 32, 32), weights(dim, 128, 128), narrow, max(wide, narrow),
		1+narrow/4)
}

// cost estimates the CPU time of a cell on one core.
func (cfg Config) cost(c Cell, dim int64) (time.Duration, error) {
	given, err := cfg.given(c)
	if err != nil {
		return 0, err
	}
	s, err := fit.Read(given)
	if err == nil {
		s, err = fit.Suited(s, objectives.Facts{Dim: int(dim)})
	}
	if err != nil {
		return 0, err
	}
	const prepare = 200 * time.Millisecond
	measure := 500 * time.Millisecond // the fit, and draw samples; with more than two dimensions log Z takes annealing
	if s.Samples > 0 {
		measure += time.Second
	}
	if dim > 2 {
		measure *= 4
	}
	training := time.Duration(int64(s.Steps) * int64(s.Batch) * rowCost(c.Objective, dim, s.Hidden))
	if cfg.Seconds > 0 {
		training = time.Duration(cfg.Seconds * 1e9)
	}
	return (prepare + training + measure).Round(time.Millisecond), nil
}

// costs returns the costs of the cells. Seeds cost the same.
func (cfg Config) costs(cells []Cell) ([]time.Duration, error) {
	dims := make(map[string]int64)
	known := make(map[[2]string]time.Duration)
	costs := make([]time.Duration, len(cells))
	for i, c := range cells {
		key := [2]string{c.Dataset, c.Objective}
		if _, ok := known[key]; !ok {
			if dims[c.Dataset] == 0 {
				source, err := datasets.Open(c.Dataset)
				if err != nil {
					return nil, err
				}
				dims[c.Dataset] = int64(source.Dim())
			}
			cost, err := cfg.cost(c, dims[c.Dataset])
			if err != nil {
				return nil, err
			}
			known[key] = cost
		}
		costs[i] = known[key]
	}
	return costs, nil
}
