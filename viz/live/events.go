package live

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// A stream is written by the goroutine of its request, which takes what is new from the history once it has written the
// previous update: a slow client holds up its own goroutine and nothing else. The rate at which events go out is
// limited for all clients together, so the work of serving them does not grow with their number.

const (
	updateEvery = 80 * time.Millisecond // minimum time between events of a stream
	turnEvery   = 10 * time.Millisecond // mean time between responses with a frame or records, over all clients
	turnBurst   = 25                    // responses that need not wait after a quiet period
	keepAlive   = 15 * time.Second
	lastWords   = 300 * time.Millisecond // time for the last event when the server closes
)

// view is what a client has seen.
type view struct {
	rows      int // sequence number of the next row
	frame     int // least id of a frame not yet seen
	thinnings int
	status    int32
}

// pace hands out turns: at most turnBurst + T/turnEvery in any time T.
type pace struct {
	sync.Mutex
	next time.Duration // when the next turn is
}

// turn takes the next turn and returns the time until then.
func (p *pace) turn(now time.Duration) time.Duration {
	p.Lock()
	defer p.Unlock()
	at := max(p.next, now-(turnBurst-1)*turnEvery)
	p.next = at + turnEvery
	return max(at-now, 0)
}

// turn waits for the caller's turn to send; it returns false if the request or the server ends first.
func (s *Server) turn(r *http.Request) bool {
	return s.wait(r, s.pace.turn(time.Since(s.start)))
}

func (s *Server) wait(r *http.Request, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-r.Context().Done():
		return false
	case <-s.done:
		return false
	case <-t.C:
		return true
	}
}

func (s *Server) serveEvents(w http.ResponseWriter, r *http.Request) {
	if int(s.viewers.Add(1)) > s.cfg.MaxClients {
		s.viewers.Add(-1)
		http.Error(w, "too many viewers", http.StatusServiceUnavailable)
		return
	}
	defer s.viewers.Add(-1)
	if !s.turn(r) {
		return
	}
	s.take()
	s.made(s.last(), r)
	c := &client{news: make(chan struct{}, 1)}
	s.mu.Lock()
	s.clients[c] = struct{}{}
	first, v := s.initEvent()
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.clients, c)
		s.mu.Unlock()
	}()

	w.Header().Set("Content-Type", "text/event-stream")
	// The body ends with the connection: an event is then one write, where chunked encoding takes three.
	w.Header().Set("Transfer-Encoding", "identity")
	ctl := http.NewResponseController(w)
	ctl.SetReadDeadline(time.Time{})
	out := w.(*timed)
	out.patience = s.patience.stream
	send := func(b []byte) bool {
		if _, err := out.Write(b); err != nil {
			return false
		}
		return ctl.Flush() == nil
	}
	if !send(first) {
		return
	}
	update := func() bool {
		s.mu.Lock()
		var b []byte
		b, v = s.updateEvent(v)
		s.mu.Unlock()
		return b == nil || send(b)
	}
	defer func() {
		select {
		case <-s.done: // so that the page knows how it ended
			out.patience = lastWords
			update()
		default:
		}
	}()
	alive := time.NewTicker(keepAlive)
	defer alive.Stop()
	for {
		select {
		case <-r.Context().Done():
			return
		case <-s.done:
			return
		case <-alive.C:
			if !send([]byte(": \n\n")) {
				return
			}
		case <-c.news:
			if !s.turn(r) || !update() {
				return
			}
			if !s.wait(r, updateEvery) { // more often is of no use on a screen
				return
			}
		}
	}
}

// initEvent is called with the lock held; its result must not be modified.
func (s *Server) initEvent() ([]byte, view) {
	h := s.hist
	v := view{rows: h.next, frame: h.nextFrame, thinnings: h.thinnings, status: s.status.Load()}
	b := append([]byte("event: init\ndata: "), '{')
	b = fmt.Appendf(b, `"run":%s,"status":%q,"end":%s,"rows":`, h.header, statusNames[v.status], h.endJSON())
	b = append(appendRows(b, h.rows), ',')
	b = h.appendIndex(b)
	if f := h.lastMade(); f != nil {
		b = append(append(b, `,"frame":`...), f.json...)
	}
	return append(b, "}\n\n"...), v
}

// endJSON returns the word for how the run ended as a JSON string.
func (h *history) endJSON() []byte {
	b, _ := json.Marshal(h.end)
	return b
}

// appendIndex writes the list of frames: ids and steps.
func (h *history) appendIndex(b []byte) []byte {
	b = append(b, `"frames":[`...)
	for i, f := range h.frames {
		if i > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, "[%d,%d]", f.id, f.step)
	}
	return append(b, ']')
}

// update is an event already encoded, kept for other clients in the same state, so that it is encoded once and not once
// for each.
type update struct {
	from, to view
	b        []byte
}

// updateEvent returns what is new since v, or nil. It is called with the lock held; its result must not be modified.
func (s *Server) updateEvent(v view) ([]byte, view) {
	h := s.hist
	to := view{rows: h.next, frame: h.nextFrame, thinnings: h.thinnings, status: s.status.Load()}
	if s.news.b == nil || s.news.from != v || s.news.to != to {
		s.news = update{v, to, h.update(v, to)}
	}
	return s.news.b, to
}

// update encodes what is new between two views; nil if there is nothing.
func (h *history) update(v, to view) []byte {
	b := []byte("event: update\ndata: {")
	empty := len(b)
	sep := func() {
		if len(b) > empty {
			b = append(b, ',')
		}
	}
	if fresh := min(h.next-v.rows, len(h.rows)); fresh > 0 {
		b = appendRows(append(b, `"rows":`...), h.rows[len(h.rows)-fresh:])
	}
	if n := len(h.frames); n > 0 && h.frames[n-1].id >= v.frame {
		f := h.lastMade()
		if f != nil && f.id < v.frame {
			f = nil
		}
		// Intermediate frames were not sent, and promised ones are not made yet; the list shows that they exist.
		if h.thinnings != v.thinnings || h.frames[n-1].id > v.frame || f == nil {
			sep()
			b = h.appendIndex(b)
		}
		if f != nil {
			sep()
			b = append(append(b, `"frame":`...), f.json...)
		}
	}
	if to.status != v.status {
		sep()
		b = fmt.Appendf(b, `"status":%q,"end":%s`, statusNames[to.status], h.endJSON())
	}
	if len(b) == empty {
		return nil
	}
	return append(b, "}\n\n"...)
}
