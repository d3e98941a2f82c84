package live

import (
	"fmt"
	"net"
	"testing"
	"time"
)

// connect opens n connections that send text, unless it is empty, and never read.
func connect(t *testing.T, s *Server, n int, text string) {
	t.Helper()
	for range n {
		c, err := net.Dial("tcp", s.Addr())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		c.(*net.TCPConn).SetReadBuffer(2048)
		if text != "" {
			fmt.Fprintf(c, text, s.Addr(), s.Token()) // may fail: there are too many
		}
	}
}

// held returns the number of connections that the server keeps open.
func (s *Server) held() int { return len(s.ln.slots) }

// Clients that never read, or never send a request, are disconnected in time, with and without the token.
func TestDeadlines(t *testing.T) {
	quick := patience{header: 200 * time.Millisecond, answer: 300 * time.Millisecond, stream: 400 * time.Millisecond,
		idle: 200 * time.Millisecond}
	for name, text := range map[string]string{
		"silent":        "",
		"half a header": "GET / HTTP/1.1\r\nHost: %s\r\nX-Token: %s\r\n",
		"half a body": "POST /control HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: " +
			"application/json\r\nContent-Length: 100\r\n\r\n{",
		"page without token": "GET / HTTP/1.1\r\nHost: %s\r\nX-Token: %s\r\n\r\n",
		"page":               "GET / HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n",
		"frame":              "GET /frame/0 HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n",
		"events":             "GET /events HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := newServer(toyConfig(), quick)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			big := toyFrame(0)
			big.Energy = make([]float64, 512*512) // more than fits the buffers
			frame := func() {
				if err := s.Frame(big); err != nil {
					t.Fatal(err)
				}
			}
			frame()
			s.take()
			connect(t, s, 30, text)
			for end := time.Now().Add(2 * time.Second); s.held() == 0 && time.Now().Before(end); {
				time.Sleep(time.Millisecond)
			}
			begin := time.Now()
			for s.held() > 0 && time.Since(begin) < 20*time.Second {
				if name == "events" {
					frame()
				}
				time.Sleep(20 * time.Millisecond)
			}
			if s.held() > 0 {
				t.Errorf("%d connections are held after 20 s", s.held())
			}
		})
	}
}

// There are never more connections than the limit, which leaves descriptors for training, and new clients are served
// once others have left.
func TestConnections(t *testing.T) {
	cfg := toyConfig()
	cfg.MaxClients = 3
	p := defaultPatience
	p.header = 500 * time.Millisecond
	s, err := newServer(cfg, p)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	limit := maxConns(3)
	if cap(s.ln.slots) != limit || limit > 3+spareConns {
		t.Fatalf("room for %d connections, want %d", cap(s.ln.slots), limit)
	}
	connect(t, s, 3*limit, "")
	for end := time.Now().Add(5 * time.Second); s.held() < limit && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if s.held() != limit {
		t.Errorf("%d connections, want the limit of %d", s.held(), limit)
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if res, err := get(s, "/"); err == nil {
			res.Body.Close()
			break
		}
		if time.Now().After(end) {
			t.Fatal("nobody is served any more")
		}
	}
	if n := descriptors(); n > 0 && maxConns(1<<30) > max(n/2, 1) {
		t.Errorf("clients may take %d of %d descriptors", maxConns(1<<30), n)
	}
}
