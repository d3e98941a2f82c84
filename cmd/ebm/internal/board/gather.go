package board

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/objectives"
)

// Gathered is the part of a comparison found in folders.
type Gathered struct {
	Config  Config // datasets, objectives and seeds of the board, which is in Config.Dir
	Cells   []Cell // in the order of the board
	Missing []Cell
}

// Gather collects the cells of folders in the folder to, which may be one of them. The result does not depend on how
// the cells are distributed over the folders, nor on the order of these.
func Gather(to string, from ...string) (*Gathered, error) {
	sweep, cells, err := union(from)
	if err != nil {
		return nil, err
	}
	errs := make([]error, len(cells))
	found := slices.Clone(cells)
	parallel(len(cells), func(i int) { errs[i] = sweep.find(&found[i], to, from) })
	g := &Gathered{Config: sweep.config(to)}
	for i, err := range errs {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			g.Missing = append(g.Missing, cells[i])
		case err != nil:
			return nil, err
		default:
			g.Cells = append(g.Cells, found[i])
		}
	}
	return g, sweep.register(to)
}

// parallel calls f with 0 to n-1 on all cores.
func parallel(n int, f func(i int)) {
	var wg sync.WaitGroup
	workers := min(n, 2*runtime.GOMAXPROCS(0)) // they mostly wait for the disk
	for w := range workers {
		wg.Go(func() {
			for i := w; i < n; i += workers {
				f(i)
			}
		})
	}
	wg.Wait()
}

// union returns the combined sweep of folders that agree in everything except datasets, objectives and the number of
// seeds, and the cells of any of them. If names differ they are in the order of their lists.
func union(dirs []string) (Sweep, []Cell, error) {
	var all Sweep
	same, planned := true, make(map[string]bool)
	for k, dir := range dirs {
		s, err := readSweep(dir)
		if err != nil {
			return s, nil, err
		}
		for _, c := range s.cells() {
			planned[c.Name()] = true
		}
		if k == 0 {
			all = s
			continue
		}
		if why := all.differs(dirs[0], s); why != "" {
			return s, nil, exit.Usagef("--gather: %s and %s do not go together: %s", dirs[0], dir, why)
		}
		if !slices.Equal(s.Datasets, all.Datasets) || !slices.Equal(s.Objectives, all.Objectives) {
			same = false
			all.Datasets = inOrder(append(s.Datasets, all.Datasets...), datasets.Names())
			all.Objectives = inOrder(append(s.Objectives, all.Objectives...), objectives.Names())
		}
		all.Seeds = max(all.Seeds, s.Seeds)
		if all.Data == nil {
			all.Data = s.Data
		}
		maps.Copy(all.Data, s.Data)
	}
	cells := all.cells()
	if !same {
		cells = slices.DeleteFunc(cells, func(c Cell) bool { return !planned[c.Name()] })
	}
	return all, cells, nil
}

// inOrder sorts names without duplicates: known ones in their listed order, then others by name.
func inOrder(names, known []string) []string {
	rank := func(name string) int {
		if i := slices.Index(known, name); i >= 0 {
			return i
		}
		return len(known)
	}
	names = slices.Clone(names)
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b)) })
	return slices.Compact(names)
}

// find reads the result of a cell in any of the folders, and puts it into the folder to. Of several runs, which differ
// only in their timings, it takes the fastest.
func (s Sweep) find(c *Cell, to string, from []string) error {
	var best Cell
	var text []byte
	home := ""
	for _, dir := range from {
		path := filepath.Join(dir, c.folder())
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		one, err := readCell(path)
		if err != nil {
			return err
		}
		if one.Data != c.Data {
			return exit.Usagef("%s was made from other data than those of %s; leave one of them out", path,
				filepath.Join(from[0], sweepFile))
		}
		b, err := json.Marshal(one)
		if err != nil {
			return err
		}
		if home == "" || cmp.Or(cmp.Compare(one.CPU, best.CPU), bytes.Compare(b, text)) < 0 {
			best, text, home = one, b, dir
		}
	}
	if home == "" {
		return fs.ErrNotExist
	}
	*c = best
	if filepath.Clean(home) == filepath.Clean(to) {
		return nil
	}
	old, err := readCell(filepath.Join(to, c.folder()))
	if b, bad := json.Marshal(old); err == nil && bad == nil && bytes.Equal(b, text) {
		return nil // gathered before
	}
	return place(filepath.Join(to, c.folder()), filepath.Join(home, c.folder()))
}

// place copies a finished run, replacing another one if there is one. Files of finished runs are only replaced as a
// whole, so two folders may share them.
func place(to, from string) error {
	_ = os.MkdirAll(filepath.Dir(to), 0o755) // if it cannot be made, the next line fails
	part, err := os.MkdirTemp(filepath.Dir(to), ".part-")
	if err != nil {
		return exit.Usagef("--out: %w", err)
	}
	defer os.RemoveAll(part)
	fresh := filepath.Join(part, "new")
	err = filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		dst := filepath.Join(fresh, path[len(from):])
		switch {
		case e.IsDir():
			return os.MkdirAll(dst, 0o755)
		case !e.Type().IsRegular():
			return nil
		case os.Link(path, dst) == nil:
			return nil
		}
		return copyFile(dst, path)
	})
	if err != nil {
		return err
	}
	if err := os.Rename(to, filepath.Join(part, "old")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Rename(fresh, to)
}
