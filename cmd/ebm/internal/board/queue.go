package board

import (
	"context"
	"iter"
	"sync"
	"time"
)

// queue hands out cells, each to one worker, and retries those that other processes train until they are done.
type queue struct {
	mu      sync.Mutex
	ready   []int // the longest first, so that no worker is left with a long one at the end
	later   []int // busy when last checked
	look    time.Time
	pause   time.Duration // between checks
	waiting func(cells int)
}

// again puts a cell back that another process trains.
func (q *queue) again(i int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.later) == 0 {
		q.look = time.Now().Add(q.pause)
	}
	q.later = append(q.later, i)
}

// next returns a cell or, if not ok, how long to wait for one, 0 if none is left.
func (q *queue) next() (i int, ok bool, wait time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.later) > 0 && !time.Now().Before(q.look) {
		q.ready, q.later = append(q.ready, q.later...), nil
	}
	if len(q.ready) > 0 {
		i, q.ready = q.ready[0], q.ready[1:]
		return i, true, 0
	}
	if len(q.later) == 0 {
		return 0, false, 0
	}
	if q.waiting != nil {
		q.waiting(len(q.later))
		q.waiting = nil
	}
	return 0, false, max(time.Until(q.look), time.Millisecond)
}

// each yields the cells for one worker.
func (q *queue) each(ctx context.Context) iter.Seq[int] {
	return func(yield func(int) bool) {
		for ctx.Err() == nil {
			i, ok, wait := q.next()
			switch {
			case ok:
				if !yield(i) {
					return
				}
			case wait == 0:
				return
			default:
				select {
				case <-ctx.Done():
				case <-time.After(wait):
				}
			}
		}
	}
}
