package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Gate is called by the training loop once per step. It returns at once while the run is active, waits while it is
// paused, and returns true when the run should stop, either at the page's request or because ctx ended during a pause.
func (s *Server) Gate(ctx context.Context) (stop bool) {
	for {
		switch s.status.Load() {
		case running, ended:
			return false
		case stopping:
			return true
		}
		s.mu.Lock()
		c := s.resumed
		s.mu.Unlock()
		if s.status.Load() != paused {
			continue
		}
		select {
		case <-c:
		case <-ctx.Done():
			return true
		case <-s.done:
			return false
		}
	}
}

func (s *Server) setStatus(v int32) {
	s.mu.Lock()
	s.status.Store(v)
	if v != paused {
		close(s.resumed)
		s.resumed = make(chan struct{})
	}
	s.mu.Unlock()
	s.notify()
}

func (s *Server) serveControl(w http.ResponseWriter, r *http.Request) {
	if ct, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); ct != "application/json" {
		http.Error(w, "want Content-Type: application/json", http.StatusUnsupportedMediaType)
		return
	}
	var v struct {
		Action string `json:"action"`
	}
	if err := json.NewDecoder(io.LimitReader(r.Body, 1024)).Decode(&v); err != nil {
		http.Error(w, "want {\"action\": …}", http.StatusBadRequest)
		return
	}
	if err := s.Control(v.Action); err != nil {
		code := http.StatusConflict
		if errors.Is(err, errAction) {
			code = http.StatusBadRequest
		}
		http.Error(w, err.Error(), code)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

var errAction = errors.New("live: unknown action, want one of pause resume stop")

// Control does what the buttons on the page do: "pause", "resume" or "stop".
func (s *Server) Control(action string) error {
	now := s.status.Load()
	if now == ended || now == stopping {
		return fmt.Errorf("live: the run is %s", statusNames[now])
	}
	switch action {
	case "pause":
		s.setStatus(paused)
	case "resume":
		s.setStatus(running)
	case "stop":
		s.setStatus(stopping)
	default:
		return errAction
	}
	return nil
}
