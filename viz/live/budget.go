package live

import (
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Making frames takes time from training. The budget keeps it within a given share.
type budget struct {
	due    atomic.Int64 // time of the next frame, in ns since start
	asked  atomic.Int64 // when Wanted last returned true
	spent  atomic.Int64 // ns on frames
	making sync.Mutex   // one promised frame at a time
}

// Wanted reports whether to make a frame now: somebody is watching, and frames have so far cost less than Config.Share
// of the time. After true, the time until Frame counts as the cost.
func (s *Server) Wanted() bool {
	if s.viewers.Load() == 0 {
		return false
	}
	now := int64(time.Since(s.start))
	if now < s.budget.due.Load() {
		return false
	}
	s.budget.asked.Store(now)
	return true
}

// Offer calls make if a frame is wanted.
func (s *Server) Offer(make func() (Frame, error)) error {
	if !s.Wanted() {
		return nil
	}
	f, err := make()
	if err != nil {
		return err
	}
	return s.Frame(f)
}

// Frame adds a frame, wanted or not. It encodes f at once (some 0.1 ms) and does not retain it.
func (s *Server) Frame(f Frame) error {
	s.inbox.Lock()
	id := s.inbox.nextID
	s.inbox.nextID++
	s.inbox.Unlock()
	b, err := f.encode(id, time.Since(s.start).Seconds(), s.cfg.Lo, s.cfg.Hi)
	if err != nil {
		return err
	}
	s.inbox.Lock()
	s.inbox.frames = append(s.inbox.frames, stored{id: id, step: f.Step, json: b})
	s.inbox.seen = true
	s.inbox.Unlock()
	s.signal()
	now := int64(time.Since(s.start))
	pause := int64(s.cfg.Every)
	var cost int64
	if t := s.budget.asked.Swap(0); t > 0 {
		cost = now - t
		pause = max(pause, int64(float64(cost)/s.cfg.Share))
	}
	s.budget.due.Store(now + pause)
	s.charge(time.Duration(cost))
	return nil
}

// Later registers a frame of the step to be made on demand: the page lists it, and make is called, once, when somebody
// asks for it, from another goroutine, one call at a time. Late viewers can thus see steps that nobody watched, and
// nothing is computed unless asked for. The promise is dropped if frames have come since the previous one, since that
// stretch is covered.
//
// The cost of making it counts towards Config.Share, too: it delays the next true of Wanted, and a client that asks for
// many has to wait, unless the run is paused or over.
func (s *Server) Later(step int, make func() (Frame, error)) {
	s.inbox.Lock()
	seen := s.inbox.seen
	s.inbox.seen = false
	if !seen {
		f := stored{id: s.inbox.nextID, step: step, seconds: time.Since(s.start).Seconds(), make: make}
		s.inbox.frames = append(s.inbox.frames, f)
		s.inbox.nextID++
	}
	s.inbox.Unlock()
	if !seen && s.viewers.Load() > 0 {
		s.signal()
	}
}

// made returns a frame of the history, making it if it was only promised; nil if there is none or it cannot be made.
// While the run is active, a request waits until frames are within their share of the time.
func (s *Server) made(id int, r *http.Request) []byte {
	find := func() (stored, bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if f := s.hist.frame(id); f != nil {
			return *f, true
		}
		return stored{}, false
	}
	if f, ok := find(); !ok || f.json != nil {
		return f.json
	}
	s.budget.making.Lock()
	defer s.budget.making.Unlock()
	p, ok := find()
	if !ok || p.json != nil { // another client got there first
		return p.json
	}
	for s.status.Load() == running {
		d := time.Duration(s.budget.due.Load()) - time.Since(s.start)
		if d <= 0 {
			break
		}
		if !s.wait(r, min(d, 100*time.Millisecond)) { // the run may pause or end in the meantime
			return nil
		}
	}
	start := time.Now()
	f, err := p.make()
	if err != nil {
		return nil
	}
	f.Step = p.step
	b, err := f.encode(id, p.seconds, s.cfg.Lo, s.cfg.Hi)
	if err != nil {
		return nil
	}
	s.charge(time.Since(start))
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.hist.frame(id); f != nil { // not thinned out in the meantime
		f.json, f.make = b, nil
	}
	return b
}

// last returns the id of the last frame, -1 if there is none.
func (s *Server) last() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.hist.frames); n > 0 {
		return s.hist.frames[n-1].id
	}
	return -1
}

// charge adds the cost of a frame: no other is wanted until all together are within their share of the time.
func (s *Server) charge(d time.Duration) {
	due := int64(float64(s.budget.spent.Add(int64(d))) / s.cfg.Share)
	for {
		old := s.budget.due.Load()
		if due <= old || s.budget.due.CompareAndSwap(old, due) {
			return
		}
	}
}

func (s *Server) serveFrame(w http.ResponseWriter, r *http.Request) {
	var b []byte
	id, err := strconv.Atoi(r.PathValue("id"))
	if !s.turn(r) {
		return
	}
	if err == nil {
		http.NewResponseController(w).SetReadDeadline(time.Time{}) // making it may take longer
		b = s.made(id, r)
	}
	if b == nil {
		http.Error(w, "no such frame", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(b)
}
