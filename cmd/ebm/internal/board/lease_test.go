package board

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stheno-ebm/stheno/objectives/fit/rundir"
)

// stranger turns the owner of a turn into one on another machine, whose processes cannot be looked up.
func stranger(t *testing.T, c *lease) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.owner.Machine = "another one"
	if err := c.write(c.turn(c.cell, c.n)); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func mustClaim(t *testing.T, l *ledger, cell string) (*lease, context.Context) {
	t.Helper()
	c, ctx, err := l.claim(t.Context(), cell)
	if err != nil {
		t.Fatal(err)
	}
	return c, ctx
}

func wantErr(t *testing.T, l *ledger, cell string, want error) {
	t.Helper()
	if _, _, err := l.claim(t.Context(), cell); !errors.Is(err, want) {
		t.Fatalf("error %v, want %v", err, want)
	}
}

// TestLease follows a cell from owner to owner until it is done.
func TestLease(t *testing.T) {
	dir := t.TempDir()
	first, second := newLedger(dir, time.Hour), newLedger(dir, time.Hour)
	a, _ := mustClaim(t, first, "cell")
	wantErr(t, second, "cell", errBusy)
	wantErr(t, first, "cell", errBusy)
	write(t, filepath.Join(a.run(), rundir.Config), "settings")
	write(t, filepath.Join(a.run(), rundir.State), "state")
	write(t, filepath.Join(a.run(), rundir.Metrics), "records")
	write(t, filepath.Join(a.run(), "."+rundir.Metrics+".1.tmp"), "half")
	if a.earlier() != "" {
		t.Errorf("the first owner finds a run: %s", a.earlier())
	}
	a.release()

	b, _ := mustClaim(t, second, "cell")
	if b.earlier() != a.run() {
		t.Fatalf("earlier run %q, want %q", b.earlier(), a.run())
	}
	if err := b.adopt(b.earlier()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{rundir.Config, rundir.State, rundir.Metrics} {
		if _, err := os.Stat(filepath.Join(b.run(), filepath.FromSlash(name))); err != nil {
			t.Error(err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(b.run(), ".*")); len(left) > 0 {
		t.Errorf("copied: %v", left)
	}
	if _, err := os.Stat(a.run()); err == nil {
		t.Error("the run of the earlier owner is still there")
	}
	if err := b.publish(); err != nil {
		t.Fatal(err)
	}
	wantErr(t, first, "cell", errDone)
	if _, err := os.Stat(filepath.Join(dir, cellsDir, "cell", rundir.Config)); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, workDir, "cell")); err == nil {
		t.Error("the work on the cell is still there")
	}
}

// TestLapse: an owner on another machine is left alone as long as it shows signs of life; if it wakes up after its
// lease has lapsed, it finds that it has been succeeded and cannot disturb its successor. The clock stands still
// while anything runs, so that times are exact however slow the machine is.
func TestLapse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const lives, pause = 100 * time.Millisecond, 7 * time.Millisecond
		dir := t.TempDir()
		a, _ := mustClaim(t, newLedger(dir, lives), "cell")
		stranger(t, a)
		l := newLedger(dir, time.Hour) // the owner's lease is the one that counts
		for range 40 {
			wantErr(t, l, "cell", errBusy)
			time.Sleep(pause)
		}
		close(a.stopped) // it falls asleep
		a.beating.Wait()
		since := time.Now()
		var b *lease
		for b == nil {
			b, _, _ = l.claim(t.Context(), "cell")
			if time.Since(since) > time.Minute {
				t.Fatal("it is never taken over")
			}
			time.Sleep(time.Millisecond)
		}
		defer b.stop()
		// The last sign of life was up to a quarter of the lease ago, and is seen at the next look.
		if took := time.Since(since); took < lives-lives/4 || took > lives+pause+2*time.Millisecond {
			t.Errorf("taken over after %v, want the lease of %v", took, lives)
		}
		if a.mine() {
			t.Error("it has not found that it was succeeded")
		}
		write(t, filepath.Join(b.run(), rundir.Config), "settings")
		if !b.mine() {
			t.Error("its successor has lost the cell")
		}
	})
}

// TestLost: once an owner has been succeeded, its work ends at the next heartbeat.
func TestLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const lives = 40 * time.Millisecond
		dir := t.TempDir()
		a, ctx := mustClaim(t, newLedger(dir, lives), "cell")
		write(t, filepath.Join(a.turn("cell", 2), ownerFile), "{}")
		select {
		case <-ctx.Done():
		case <-time.After(lives/4 + time.Millisecond):
			t.Fatal("it goes on")
		}
		if err := context.Cause(ctx); !errors.Is(err, errLost) {
			t.Errorf("cause %v", err)
		}
		a.stop()
	})
}

// TestDead: a process of this machine that has ended is succeeded at once, even if its ID has been reused.
func TestDead(t *testing.T) {
	if self().Machine == "" {
		t.Skip("this system does not tell one start of a machine from another")
	}
	for name, kill := range map[string]func(*owner){
		"ended": func(o *owner) { o.PID = 1 << 30 },
		"again": func(o *owner) { o.Begun = "long ago" },
	} {
		dir := t.TempDir()
		a, _ := mustClaim(t, newLedger(dir, time.Hour), "cell")
		wantErr(t, newLedger(dir, time.Hour), "cell", errBusy)
		a.stop()
		kill(&a.owner)
		if err := a.write(a.turn("cell", 1)); err != nil {
			t.Fatal(err)
		}
		b, _, err := newLedger(dir, time.Hour).claim(t.Context(), "cell")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		b.stop()
	}
}

// TestRace: of many processes that find a cell free at the same moment exactly one gets it, every time, and each turn
// has had one owner.
func TestRace(t *testing.T) {
	dir := t.TempDir()
	const workers, rounds = 8, 40
	var owners atomic.Int32
	var wg sync.WaitGroup
	for round := range rounds {
		start := make(chan struct{})
		won := make(chan *lease, workers)
		for range workers {
			l := newLedger(dir, time.Hour)
			wg.Go(func() {
				<-start
				c, _, err := l.claim(t.Context(), "cell")
				switch {
				case err == nil:
					owners.Add(1)
					won <- c
				case !errors.Is(err, errBusy):
					t.Error(err)
				}
			})
		}
		close(start)
		wg.Wait()
		close(won)
		if n := len(won); n != 1 {
			t.Fatalf("round %d: %d owners", round, n)
		}
		c := <-won
		if c.n != round+1 {
			t.Errorf("round %d: turn %d", round, c.n)
		}
		c.release()
	}
}

// TestPublishRace: if two have finished, the run of the first one stands, and the second one is told so.
func TestPublishRace(t *testing.T) {
	dir := t.TempDir()
	a, _ := mustClaim(t, newLedger(dir, time.Hour), "cell")
	write(t, filepath.Join(a.run(), "mark"), "a")
	stranger(t, a)
	a.mu.Lock()
	a.owner.Lease = 0 // considered dead at once
	err := a.write(a.turn("cell", 1))
	a.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	l := newLedger(dir, time.Hour)
	b, _ := mustClaim(t, l, "cell")
	write(t, filepath.Join(b.run(), "mark"), "b")
	if err := a.publish(); err != nil {
		t.Fatal(err)
	}
	if err := b.publish(); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, cellsDir, "cell", "mark")); err != nil ||
		strings.TrimSpace(string(got)) != "a" {
		t.Errorf("the cell is %q, %v", got, err)
	}
}
