package board

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stheno-ebm/stheno/datasets/files"
	"github.com/stheno-ebm/stheno/objectives/fit/rundir"
)

// One process at a time trains a cell, however many share the folder, without file locks: all that is required is
// atomic renaming.
//
//	work/CELL/1/owner    the process that trains it, rewritten as long as it lives
//	work/CELL/1/run      the run directory
//	work/CELL/2/...      the process that took it over, starting with a copy of the run
//	cells/CELL           the finished run: work/CELL/n/run, renamed
//
// A process claims a cell by renaming a prepared folder, with the owner's name inside, to the next number; only one
// succeeds. A cell may be taken over when its owner has given it up, is a process of this machine that has ended, or
// has shown no sign of life for the length of its lease by the observer's clock, so that clocks need not agree. If an
// owner that was only suspended wakes up, it writes to its own folder, which nobody else uses, and finds at its next
// beat that it has been replaced. If two finish, the first rename stands.

// DefaultLease is the time for which an owner may be silent.
const DefaultLease = time.Minute

var (
	errBusy = errors.New("board: another process trains the cell")
	errDone = errors.New("board: the cell is done")
	errLost = errors.New("board: another process took the cell over")
)

const (
	workDir   = "work"
	cellsDir  = "cells"
	ownerFile = "owner"
	runDir    = "run"
)

// owner is the process that trains a cell.
type owner struct {
	Name     string  `json:"owner"`         // for people: host and process
	Token    string  `json:"token"`         // of this claim and no other
	Lease    float64 `json:"lease_seconds"` // silence after which it counts as dead
	Beat     int     `json:"beat"`          // increases as long as it lives
	Released bool    `json:"released,omitempty"`
	Machine  string  `json:"machine,omitempty"`
	PID      int     `json:"pid"`
	Begun    string  `json:"begun,omitempty"`
}

// self describes this process.
var self = sync.OnceValue(func() owner {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	pid := os.Getpid()
	return owner{Name: fmt.Sprintf("%s, process %d", host, pid), Machine: machine(), PID: pid, Begun: begun(pid)}
})

// gone reports whether the owner is a process of this machine that has ended.
func (o owner) gone() bool {
	me := self()
	return o.Machine != "" && o.Machine == me.Machine && begun(o.PID) != o.Begun
}

// ledger claims cells of a folder, and records since when each owner has been unchanged.
type ledger struct {
	dir   string
	lease time.Duration

	mu   sync.Mutex
	seen map[string]sighting
}

type sighting struct {
	turn  int
	owner string // the file, byte for byte
	since time.Time
}

func newLedger(dir string, lease time.Duration) *ledger {
	return &ledger{dir: dir, lease: cmp.Or(lease, DefaultLease), seen: make(map[string]sighting)}
}

func (l *ledger) done(cell string) bool {
	_, err := os.Stat(filepath.Join(l.dir, cellsDir, cell))
	return err == nil
}

func (l *ledger) turn(cell string, n int) string {
	return filepath.Join(l.dir, workDir, cell, strconv.Itoa(n))
}

// turns returns the numbers under work/CELL, in order.
func (l *ledger) turns(cell string) []int {
	entries, _ := os.ReadDir(filepath.Join(l.dir, workDir, cell))
	var turns []int
	for _, e := range entries {
		if n, err := strconv.Atoi(e.Name()); err == nil && n > 0 {
			turns = append(turns, n)
		}
	}
	slices.Sort(turns)
	return turns
}

// holder reads the owner of a turn.
func (l *ledger) holder(cell string, turn int) (o owner, raw string) {
	b, err := os.ReadFile(filepath.Join(l.turn(cell, turn), ownerFile))
	if err != nil || json.Unmarshal(b, &o) != nil {
		return owner{}, ""
	}
	return o, string(b)
}

// free reports whether the cell can be taken over from the turn.
func (l *ledger) free(cell string, turn int) bool {
	o, raw := l.holder(cell, turn)
	if o.Released || o.gone() {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	last, ok := l.seen[cell]
	if !ok || last.turn != turn || last.owner != raw {
		last = sighting{turn, raw, time.Now()}
		l.seen[cell] = last
	}
	lease := l.lease
	if raw != "" {
		lease = time.Duration(o.Lease * float64(time.Second))
	}
	return time.Since(last.since) > lease
}

// lease is the right to train a cell.
type lease struct {
	*ledger
	cell  string
	n     int // turn
	owner owner

	mu      sync.Mutex // guards owner
	lost    bool
	cancel  context.CancelCauseFunc
	stopped chan struct{}
	beating sync.WaitGroup
}

// claim takes a cell; the context it returns ends when another process has taken it over. It fails with errDone or
// errBusy.
func (l *ledger) claim(ctx context.Context, cell string) (*lease, context.Context, error) {
	if l.done(cell) {
		_ = os.RemoveAll(filepath.Join(l.dir, workDir, cell)) // left by a process killed while cleaning up
		return nil, nil, errDone
	}
	next := 1
	if turns := l.turns(cell); len(turns) > 0 {
		last := turns[len(turns)-1]
		if !l.free(cell, last) {
			return nil, nil, errBusy
		}
		next = last + 1
	}
	c := &lease{ledger: l, cell: cell, n: next, owner: self(), stopped: make(chan struct{})}
	c.owner.Token, c.owner.Lease = rand.Text(), l.lease.Seconds()
	if err := c.take(); err != nil {
		return nil, nil, err
	}
	// The listing above may have been stale: network file systems cache it for a while.
	if turns := l.turns(cell); l.done(cell) || len(turns) > 0 && turns[len(turns)-1] > next {
		_ = os.RemoveAll(l.turn(cell, next))
		return nil, nil, errBusy
	}
	ctx, c.cancel = context.WithCancelCause(ctx)
	c.beating.Go(c.beat)
	return c, ctx, nil
}

// take renames a prepared folder to that of the turn.
func (c *lease) take() error {
	parent := filepath.Join(c.dir, workDir, c.cell)
	prepared := filepath.Join(parent, "."+c.owner.Token)
	err := os.MkdirAll(prepared, 0o755)
	if err == nil {
		err = c.write(prepared)
	}
	if err == nil {
		err = os.Rename(prepared, c.turn(c.cell, c.n))
	}
	if err == nil {
		return nil
	}
	_ = os.RemoveAll(prepared)
	// On a network the reply to a successful rename may be lost, and the retry fails: the folder says whose it is.
	o, _ := c.holder(c.cell, c.n)
	switch {
	case o.Token == c.owner.Token:
		return nil
	case o.Token != "" || c.done(c.cell):
		return errBusy
	}
	return err
}

func (c *lease) write(folder string) error {
	b, err := json.Marshal(c.owner)
	if err != nil {
		return err
	}
	return files.Write(filepath.Join(folder, ownerFile), append(b, '\n'))
}

// beat shows signs of life until release or publish, or until another process has the cell.
func (c *lease) beat() {
	tick := time.NewTicker(c.lease / 4)
	defer tick.Stop()
	for {
		select {
		case <-c.stopped:
			return
		case <-tick.C:
		}
		if !c.mine() {
			c.cancel(errLost)
			return
		}
		c.mu.Lock()
		c.owner.Beat++
		_ = c.write(c.turn(c.cell, c.n)) // the lease covers silence
		c.mu.Unlock()
	}
}

// mine checks whether the cell still belongs to this process, and remembers if not.
func (c *lease) mine() bool {
	turns := c.turns(c.cell)
	o, raw := c.holder(c.cell, c.n)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(turns) == 0 || turns[len(turns)-1] != c.n || raw != "" && o.Token != c.owner.Token {
		c.lost = true
	}
	return !c.lost
}

// stop ends the signs of life.
func (c *lease) stop() {
	close(c.stopped)
	c.beating.Wait()
	c.cancel(nil)
}

// release gives the cell up: others may take it over at once, with what there is of it.
func (c *lease) release() {
	c.stop()
	if !c.mine() {
		return
	}
	c.owner.Released = true
	_ = c.write(c.turn(c.cell, c.n)) // otherwise the lease expires
}

// run is the run directory of the turn.
func (c *lease) run() string { return filepath.Join(c.turn(c.cell, c.n), runDir) }

// earlier returns the run directory left by an earlier owner, "" if there is none.
func (c *lease) earlier() string {
	for _, n := range slices.Backward(c.turns(c.cell)) {
		dir := filepath.Join(c.turn(c.cell, n), runDir)
		if _, err := os.Stat(filepath.Join(dir, rundir.Config)); n < c.n && err == nil {
			return dir
		}
	}
	return ""
}

// adopt copies the run directory of an earlier owner, and removes the folders of all of them.
func (c *lease) adopt(from string) error {
	part := c.run() + ".part"
	if err := copyRun(part, from); err != nil {
		if errors.Is(err, fs.ErrNotExist) { // it was alive, and has finished
			return errLost
		}
		return err
	}
	if err := os.Rename(part, c.run()); err != nil {
		return err
	}
	for _, n := range c.turns(c.cell) {
		if n < c.n {
			_ = os.RemoveAll(c.turn(c.cell, n))
		}
	}
	return nil
}

// publish makes the run the result of the cell, unless another process was first.
func (c *lease) publish() error {
	c.stop()
	cells := filepath.Join(c.dir, cellsDir)
	if err := os.MkdirAll(cells, 0o755); err != nil {
		return err
	}
	if err := os.Rename(c.run(), filepath.Join(cells, c.cell)); err != nil && !c.done(c.cell) {
		return err
	}
	if d, err := os.Open(cells); err == nil { // not every system can sync a folder
		_ = d.Sync()
		d.Close()
	}
	_ = os.RemoveAll(filepath.Join(c.dir, workDir, c.cell))
	return nil
}

// copyRun copies a run directory. The checkpoint comes first, because the records, which grow, must reach at least as
// far.
func copyRun(to, from string) error {
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	var files []string
	err := filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		// temporary files of a killed process
		if err == nil && e.Type().IsRegular() && !strings.HasPrefix(e.Name(), ".") {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		return err
	}
	checkpoint := filepath.Dir(filepath.Join(from, filepath.FromSlash(rundir.State))) + string(filepath.Separator)
	slices.SortStableFunc(files, func(a, b string) int {
		first := func(path string) int {
			if strings.HasPrefix(path, checkpoint) {
				return 0
			}
			return 1
		}
		return first(a) - first(b)
	})
	for _, path := range files {
		if err := copyFile(filepath.Join(to, path[len(from):]), path); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(to, from string) (err error) {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	dst, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	return errors.Join(err, dst.Sync(), dst.Close())
}
