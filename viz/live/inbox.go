package live

import (
	"math"
	"sync"
	"time"
)

// inbox receives what the training loop hands over. Its lock is held only briefly, and never while a client is served.
type inbox struct {
	sync.Mutex
	rows   [][columns]float64
	frames []stored
	nextID int
	seen   bool // a frame has come since the last promise

	before struct{ step, seconds float64 } // the previous record, for the rate; used by take only
}

// Record adds a row to the curves. It keeps a copy.
func (s *Server) Record(r Record) {
	s.inbox.Lock()
	s.inbox.rows = append(s.inbox.rows, r.row())
	s.inbox.Unlock()
	if s.viewers.Load() > 0 {
		s.signal()
	}
}

func (s *Server) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// run moves what the training loop has handed over into the history and wakes the clients.
func (s *Server) run() {
	for {
		select {
		case <-s.done:
			return
		case <-s.wake:
			if s.take() {
				s.notify()
			}
			// Records arrive step by step: collect them for a while.
			select {
			case <-s.done:
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}
}

// take empties the inbox into the history.
func (s *Server) take() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inbox.Lock()
	rows, frames := s.inbox.rows, s.inbox.frames
	s.inbox.rows, s.inbox.frames = nil, nil
	s.inbox.Unlock()
	for _, r := range rows {
		if step, sec := r[0], r[1]; !(r[6] > 0) {
			r[6] = math.NaN()
			if d := sec - s.inbox.before.seconds; d > 0 && step > s.inbox.before.step {
				r[6] = (step - s.inbox.before.step) / d
			}
		}
		s.inbox.before.step, s.inbox.before.seconds = r[0], r[1]
		s.hist.addRow(r)
	}
	for _, f := range frames {
		s.hist.addFrame(f)
	}
	return len(rows)+len(frames) > 0
}

func (s *Server) notify() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.clients {
		select {
		case c.news <- struct{}{}:
		default: // it has not yet read the previous update
		}
	}
}
