package board

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/stheno-ebm/stheno/objectives/fit"
	"github.com/stheno-ebm/stheno/objectives/fit/rundir"
	"github.com/stheno-ebm/stheno/objectives/metrics"
)

// Watcher watches a folder to which others write. Finished cells do not change, and are read once.
type Watcher struct {
	dir  string
	done map[string]Cell
	led  *ledger
}

// NewWatcher returns a Watcher of a folder.
func NewWatcher(dir string) *Watcher {
	return &Watcher{dir: dir, done: make(map[string]Cell), led: newLedger(dir, 0)}
}

// Status is the progress of a comparison.
type Status struct {
	Folder  string        `json:"folder"`
	Cells   int           `json:"cells"`
	Done    int           `json:"done"` // including failed and refused ones
	Failed  []Failure     `json:"failed"`
	Refused int           `json:"refused"`
	Running []Running     `json:"running"`
	Left    metrics.Value `json:"seconds_left"` // estimate, for as many running as now; unknown if none are

	cfg   Config
	cells []Cell // finished ones, from whose seconds Left follows
}

// Failure is a cell whose training failed.
type Failure struct {
	Cell  string `json:"cell"`
	Error string `json:"error"`
}

// Running is a cell that is being trained.
type Running struct {
	Cell  string        `json:"cell"`
	Owner string        `json:"owner"`
	Step  int           `json:"step"`
	Steps int           `json:"steps"`
	Rate  metrics.Value `json:"steps_per_second"`
	Dead  bool          `json:"dead"` // it has ended, or its lease has expired; another process will take over
}

var unknown = metrics.Value(math.NaN())

// Look reads the progress of the comparison.
func (w *Watcher) Look() (*Status, error) {
	sweep, err := readSweep(w.dir)
	if err != nil {
		return nil, err
	}
	s := &Status{Folder: w.dir, Failed: []Failure{}, Running: []Running{}}
	s.cfg = sweep.config(w.dir)
	cells := sweep.cells()
	s.Cells = len(cells)
	finished, err := names(filepath.Join(w.dir, cellsDir))
	if err != nil {
		return nil, err
	}
	started, err := names(filepath.Join(w.dir, workDir))
	if err != nil {
		return nil, err
	}
	if err := w.read(cells, finished); err != nil {
		return nil, err
	}
	var unfinished []Cell
	for _, c := range cells {
		done, ok := w.done[c.Name()]
		if !ok {
			if unfinished = append(unfinished, c); started[c.Name()] {
				s.Running = append(s.Running, w.running(c)...)
			}
			continue
		}
		s.cells = append(s.cells, done)
		s.Done++
		switch {
		case done.Refused():
			s.Refused++
		case done.Error != "":
			s.Failed = append(s.Failed, Failure{c.Name(), done.Error})
		}
	}
	s.Left, err = s.left(unfinished)
	return s, err
}

// names returns the entries of a folder, none if it does not exist.
func names(dir string) (map[string]bool, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	m := make(map[string]bool, len(entries))
	for _, e := range entries {
		m[e.Name()] = true
	}
	return m, nil
}

// read reads the cells that are finished and have not been read.
func (w *Watcher) read(cells []Cell, finished map[string]bool) error {
	fresh := slices.DeleteFunc(slices.Clone(cells), func(c Cell) bool {
		_, ok := w.done[c.Name()]
		return ok || !finished[c.Name()]
	})
	errs := make([]error, len(fresh))
	parallel(len(fresh), func(i int) {
		name := fresh[i].Name()
		fresh[i], errs[i] = readCell(filepath.Join(w.dir, cellsDir, name))
	})
	for _, c := range fresh {
		if c.Objective != "" {
			w.done[c.Name()] = c
		}
	}
	return errors.Join(errs...)
}

// running reads the progress of the owner of a cell; it is empty if that has just finished.
func (w *Watcher) running(c Cell) []Running {
	turns := w.led.turns(c.Name())
	if len(turns) == 0 {
		return nil
	}
	n := turns[len(turns)-1]
	o, raw := w.led.holder(c.Name(), n)
	if raw == "" {
		return nil
	}
	r := Running{Cell: c.Name(), Owner: o.Name, Dead: w.led.free(c.Name(), n)}
	dir := &rundir.Dir{Path: filepath.Join(w.led.turn(c.Name(), n), runDir)}
	if c, err := fit.ReadConfig(dir); err == nil {
		r.Steps = c.Steps
	}
	r.Step, r.Rate = progress(dir.File(rundir.Metrics))
	return []Running{r}
}

// progress reads the last step in a file of records, and the steps per second. It reads only the end of the file.
func progress(path string) (step int, rate metrics.Value) {
	f, err := os.Open(path)
	if err != nil {
		return 0, unknown
	}
	defer f.Close()
	const tail = 1 << 14
	if info, err := f.Stat(); err == nil && info.Size() > tail {
		_, _ = f.Seek(-tail, io.SeekEnd)
	}
	b, err := io.ReadAll(io.LimitReader(f, tail))
	if err != nil {
		return 0, unknown
	}
	lines := bytes.Split(b, []byte("\n"))
	// what follows the last newline may be an incomplete record
	for _, line := range slices.Backward(lines[:len(lines)-1]) {
		var r struct {
			Step    int     `json:"step"`
			Seconds float64 `json:"seconds"`
		}
		if json.Unmarshal(line, &r) == nil && r.Step > 0 {
			return r.Step, metrics.Value(float64(r.Step) / r.Seconds)
		}
	}
	return 0, unknown
}

// left estimates the seconds until all is done: the planned cost of the open cells, less what is done of them,
// corrected by the finished ones, divided among the running processes.
func (s *Status) left(open []Cell) (metrics.Value, error) {
	if len(open) == 0 {
		return 0, nil
	}
	workers := 0
	share := make(map[string]float64)
	for _, r := range s.Running {
		if r.Steps > 0 {
			share[r.Cell] = min(float64(r.Step)/float64(r.Steps), 1)
		}
		if !r.Dead {
			workers++
		}
	}
	if workers == 0 {
		return unknown, nil
	}
	costs, err := s.cfg.costs(open)
	if err != nil { // the data files may not be here
		return unknown, nil
	}
	seconds := 0.0
	for i, c := range open {
		seconds += costs[i].Seconds() * (1 - share[c.Name()])
	}
	took, planned := 0.0, 0.0
	done, err := s.cfg.costs(s.cells)
	if err != nil {
		return unknown, nil
	}
	for i, c := range s.cells {
		if c.CPU > 0 {
			took += c.CPU
			planned += done[i].Seconds()
		}
	}
	if planned > 0 {
		seconds *= took / planned
	}
	return metrics.Value(seconds / float64(workers)), nil
}

// Write prints the status, with the table of what is done.
func (s *Status) Write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d of %d runs are done", s.Folder, s.Done, s.Cells)
	if n := len(s.Failed); n > 0 {
		fmt.Fprintf(&b, ", %d of them failed", n)
	}
	if s.Refused > 0 {
		fmt.Fprintf(&b, ", %d refused", s.Refused)
	}
	fmt.Fprintf(&b, "; %d under way", len(s.Running))
	if s.Done < s.Cells && s.Left.Known() {
		fmt.Fprintf(&b, "; about %s left", Span(time.Duration(float64(s.Left)*1e9)))
	}
	b.WriteString("\n\n")
	for _, r := range s.Running {
		rate := "–"
		switch {
		case r.Dead:
			rate = "no sign of life"
		case r.Rate.Known():
			rate = fmt.Sprintf("%.0f steps/s", r.Rate)
		}
		fmt.Fprintf(&b, "%-36s %7d/%-7d %16s   %s\n", r.Cell, r.Step, r.Steps, rate, r.Owner)
	}
	for _, f := range s.Failed {
		fmt.Fprintf(&b, "%-36s failed: %s\n", f.Cell, f.Error)
	}
	if len(s.Running)+len(s.Failed) > 0 {
		b.WriteString("\n")
	}
	if err := WriteTable(&b, s.cfg, s.cells); err != nil {
		return err
	}
	_, err := io.WriteString(w, b.String())
	return err
}
