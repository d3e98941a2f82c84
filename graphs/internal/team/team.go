// Package team shares pieces of work among goroutines that wait for it, spinning: the helpers of the process.
package team

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// A Task is a piece of work in independent parts. Its parts may run on any worker, in any order, and at the same
// time.
type Task interface {
	// Part runs part i with the memory of worker w.
	Part(w, i int)
}

// A Job is a task and its size. It must not be changed once it has run, so that a helper that comes late can look at
// it safely.
type Job struct {
	Task    Task
	Parts   int
	Workers int // at most; worker 0 is the caller
}

// Run does all parts of j.
func (j *Job) Run() { workers.run(j) }

// Pieces is a Task whose parts need no memory of a worker.
type Pieces func(i int)

// Part calls f.
func (f Pieces) Part(_, i int) { f(i) }

// least is the number of elements from which on element-wise work is shared: a helper that sleeps takes several
// microseconds to wake.
const least = 1 << 15

// Parts is the number of parts in which several workers share element-wise work on n elements.
func Parts(n, workers int) int {
	if workers < 2 || n < 2*least {
		return 1
	}
	return min(n/least, 4*workers)
}

// Cut returns part i of n elements in so many parts, which begin at multiples of 64.
func Cut(n, i, parts int) (lo, hi int) {
	size := (n/parts + 63) / 64 * 64
	if i == parts-1 {
		return min(i*size, n), n
	}
	return min(i*size, n), min((i+1)*size, n)
}

// team is the process's helpers: goroutines that wait, spinning for a moment and then asleep, for the parts of a job.
// They end when they have been asleep for a while, and are started again when needed: there is nothing to close.
//
// One job runs at a time. A caller that finds the team busy does its work alone, so functions that run side by side
// never wait for each other.
type team struct {
	taken atomic.Bool
	job   atomic.Pointer[Job]
	// word is the number of the job, in the upper bits, and the next unclaimed part, in the lower ones. A part is
	// claimed by adding one with a compare-and-swap, which fails if the job has ended in the meantime.
	word atomic.Uint64
	done atomic.Uint32

	mu      sync.Mutex
	helpers []*helper
}

type helper struct {
	t      *team
	n      int // worker number, from 1
	asleep atomic.Bool
	gone   bool // guarded by team.mu
	wake   chan struct{}
}

var workers team

const (
	spinTime = 200 * time.Microsecond
	idleTime = 2 * time.Second
	noPart   = 1<<32 - 1
)

func init() { workers.word.Store(noPart) }

// run does all parts of j. The caller is worker 0.
func (t *team) run(j *Job) {
	if j.Parts < 2 || j.Workers < 2 || !t.taken.CompareAndSwap(false, true) {
		for i := range j.Parts {
			j.Task.Part(0, i)
		}
		return
	}
	t.done.Store(0)
	t.job.Store(j)
	number := (t.word.Load()>>32 + 1) << 32
	t.word.Store(number)
	t.call(min(j.Workers, j.Parts) - 1)
	t.help(0)
	for k := 0; int(t.done.Load()) < j.Parts; k++ {
		if k > 100 {
			runtime.Gosched()
		}
	}
	t.word.Store(number | noPart)
	t.taken.Store(false)
}

// call wakes n helpers, or starts them.
func (t *team) call(n int) {
	for i := range n {
		if i < len(t.helpers) {
			if h := t.helpers[i]; !h.asleep.Load() {
				continue // awake, or about to look once more before it sleeps
			}
		}
		t.mu.Lock()
		if i == len(t.helpers) {
			t.helpers = append(t.helpers, &helper{t: t, n: i + 1, gone: true, wake: make(chan struct{}, 1)})
		}
		h := t.helpers[i]
		if h.gone {
			h.gone = false
			h.asleep.Store(false)
			go h.loop()
		}
		t.mu.Unlock()
		select {
		case h.wake <- struct{}{}:
		default:
		}
	}
}

// claim takes the next part of the running job for worker w.
func (t *team) claim(w int) (j *Job, part int, ok bool) {
	for {
		word := t.word.Load()
		j = t.job.Load()
		if j == nil || int(uint32(word)) >= j.Parts || w >= j.Workers {
			return nil, 0, false
		}
		if t.word.CompareAndSwap(word, word+1) {
			return j, int(uint32(word)), true
		}
	}
}

// help does parts for worker w until there are none left. It reports whether it did any.
func (t *team) help(w int) bool {
	did := false
	for {
		j, part, ok := t.claim(w)
		if !ok {
			return did
		}
		j.Task.Part(w, part)
		t.done.Add(1)
		did = true
	}
}

func (h *helper) loop() {
	timer := time.NewTimer(idleTime)
	defer timer.Stop()
	for {
		start := time.Now()
		for k := 1; ; k++ {
			if h.t.help(h.n) {
				start = time.Now()
			}
			if k%64 == 0 {
				if time.Since(start) > spinTime {
					break
				}
				runtime.Gosched()
			}
		}
		h.asleep.Store(true)
		if h.t.help(h.n) { // a job that came between the last look and falling asleep
			h.asleep.Store(false)
			continue
		}
		timer.Reset(idleTime)
		select {
		case <-h.wake:
			h.asleep.Store(false)
		case <-timer.C:
			h.t.mu.Lock()
			h.gone = true
			h.t.mu.Unlock()
			return
		}
	}
}
