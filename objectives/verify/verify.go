package verify

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"sync"

	"github.com/stheno-ebm/stheno/mcmc"
)

// Row is the outcome of one check.
type Row struct {
	Name      string  // objective or sampler
	Target    string  // density it is checked against
	Statistic string  // what was computed
	Value     float64 // must not exceed Tolerance
	Tolerance float64
	Pass      bool
	Err       error // why the check could not be carried out
}

// MarshalJSON writes the row with lower-case keys; a Value that is not finite is null.
func (r Row) MarshalJSON() ([]byte, error) {
	out := struct {
		Name      string      `json:"name"`
		Target    string      `json:"target"`
		Statistic string      `json:"statistic"`
		Value     mcmc.Number `json:"value"`
		Tolerance float64     `json:"tolerance"`
		Pass      bool        `json:"pass"`
		Error     string      `json:"error,omitempty"`
	}{r.Name, r.Target, r.Statistic, mcmc.Number(r.Value), r.Tolerance, r.Pass, ""}
	if r.Err != nil {
		out.Error = r.Err.Error()
	}
	return json.Marshal(out)
}

// Check is one line of the table before it is computed.
type Check struct {
	Name, Target, Statistic string
	run                     func() (value, tolerance float64, err error)
}

// New is a check of one's own: what run computes must not exceed the tolerance that it returns.
func New(name, target, statistic string, run func() (value, tolerance float64, err error)) Check {
	return Check{name, target, statistic, run}
}

// Run computes the check. It passes if the value is at most the tolerance.
func (c Check) Run() Row {
	r := Row{Name: c.Name, Target: c.Target, Statistic: c.Statistic}
	r.Value, r.Tolerance, r.Err = c.run()
	if r.Err != nil {
		r.Err = fmt.Errorf("%s, %s on %s: %w", c.Name, c.Statistic, c.Target, r.Err)
		r.Value = math.NaN()
	}
	r.Pass = r.Err == nil && r.Value <= r.Tolerance // false for NaN
	return r
}

// Checks returns all checks: objectives, the links between them, samplers.
func Checks() []Check { return append(append(ofObjectives(), links()...), Samplers()...) }

// Run computes the checks, threads at a time, and returns their rows in order. each, unless nil, is called with every
// row as it becomes ready, from one goroutine at a time. It stops early, with the context's error,
// when ctx is done; the rows of checks that were not begun are then zero.
func Run(ctx context.Context, checks []Check, threads int, each func(Row)) ([]Row, error) {
	rows := make([]Row, len(checks))
	next := make(chan int)
	var wg sync.WaitGroup
	var mu sync.Mutex
	for range max(1, threads) {
		wg.Go(func() {
			for i := range next {
				rows[i] = checks[i].Run()
				if each != nil {
					mu.Lock()
					each(rows[i])
					mu.Unlock()
				}
			}
		})
	}
	for i := range checks {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	wg.Wait()
	return rows, ctx.Err()
}
