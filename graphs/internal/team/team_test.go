package team

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// counter counts how often each part was run, and by how many workers at a time.
type counter struct {
	runs []atomic.Int32
	busy [8]atomic.Int32
	bad  atomic.Int32
}

func (c *counter) Part(w, i int) {
	if c.busy[w].Add(1) != 1 {
		c.bad.Add(1) // a worker's memory is used twice at a time
	}
	c.runs[i].Add(1)
	for range 200 {
		runtime.Gosched()
	}
	c.busy[w].Add(-1)
}

func TestTeamRunsEveryPartOnce(t *testing.T) {
	var tm team
	tm.word.Store(noPart)
	for round := range 200 {
		n := 1 + round%7
		c := &counter{runs: make([]atomic.Int32, n)}
		tm.run(&Job{Task: c, Parts: n, Workers: 1 + round%4})
		for i := range c.runs {
			if k := c.runs[i].Load(); k != 1 {
				t.Fatalf("round %d: part %d of %d ran %d times", round, i, n, k)
			}
		}
		if c.bad.Load() != 0 {
			t.Fatalf("round %d: two parts on one worker at once", round)
		}
	}
}

func TestHelpersEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for helpers to end")
	}
	before := runtime.NumGoroutine()
	var tm team
	tm.word.Store(noPart)
	for range 3 {
		c := &counter{runs: make([]atomic.Int32, 8)}
		tm.run(&Job{Task: c, Parts: 8, Workers: 4})
	}
	deadline := time.Now().Add(4 * idleTime)
	for runtime.NumGoroutine() > before && time.Now().Before(deadline) {
		time.Sleep(50 * time.Millisecond)
	}
	if n := runtime.NumGoroutine(); n > before {
		t.Errorf("%d goroutines after the idle time, %d before", n, before)
	}
	c := &counter{runs: make([]atomic.Int32, 8)}
	tm.run(&Job{Task: c, Parts: 8, Workers: 4}) // they come back
	for i := range c.runs {
		if c.runs[i].Load() != 1 {
			t.Errorf("part %d ran %d times", i, c.runs[i].Load())
		}
	}
}

// Cut covers all elements once, in order.
func TestCut(t *testing.T) {
	for _, n := range []int{0, 1, 63, 64, 65, 200, 1 << 15} {
		for parts := 1; parts < 9; parts++ {
			at := 0
			for i := range parts {
				lo, hi := Cut(n, i, parts)
				if lo != at || hi < lo {
					t.Errorf("part %d of %d of %d elements: %d to %d, want from %d", i, parts, n, lo, hi, at)
				}
				at = hi
			}
			if at != n {
				t.Errorf("%d parts of %d elements end at %d", parts, n, at)
			}
		}
	}
}
