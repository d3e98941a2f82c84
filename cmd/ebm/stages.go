package main

import (
	"sync"
	"time"
)

// stages reports on stderr what is being done if it takes longer than a second.
type stages struct {
	e     *env
	quiet bool
	mu    sync.Mutex
	timer *time.Timer
}

// begin ends the previous stage.
func (s *stages) begin(text string) {
	s.end()
	if s.quiet {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.timer = time.AfterFunc(time.Second, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.timer != nil {
			s.e.logf("%s …", text)
		}
	})
}

// end ends reporting.
func (s *stages) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
}
