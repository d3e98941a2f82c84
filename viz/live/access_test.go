package live

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
)

func request(t *testing.T, s *Server, method, path, body string, header ...string) (code int, text string) {
	t.Helper()
	r, err := http.NewRequest(method, "http://"+s.Addr()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
		} else {
			r.Header.Set(header[i], header[i+1])
		}
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// Every kind of request needs the token; without it nothing about the run is revealed.
func TestAccess(t *testing.T) {
	s := start(t, toyConfig())
	if err := s.Frame(toyFrame(1)); err != nil {
		t.Fatal(err)
	}
	open(t, s).next(t)
	_, port, _ := net.SplitHostPort(s.Addr())
	token := "?token=" + s.Token()
	wrong := s.Token()[1:] + "0"
	auth := []string{"Authorization", "Bearer " + s.Token(), "Content-Type", "application/json"}
	with := func(h ...string) []string { return append(append([]string(nil), auth...), h...) }
	for _, c := range []struct {
		name, method, path, body string
		header                   []string
		want                     int
	}{
		{"page without token", "GET", "/", "", nil, 401},
		{"events without token", "GET", "/events", "", nil, 401},
		{"frame without token", "GET", "/frame/0", "", nil, 401},
		{"other path without token", "GET", "/etc/passwd", "", nil, 401},
		{"page with wrong token", "GET", "/?token=" + wrong, "", nil, 401},
		{"frame with wrong token", "GET", "/frame/0?token=" + wrong, "", nil, 401},
		{"frame with wrong and right token", "GET", "/frame/0" + token, "",
			[]string{"Authorization", "Bearer " + wrong}, 401},
		{"control without token", "POST", "/control", `{"action":"pause"}`,
			[]string{"Content-Type", "application/json"}, 401},
		{"control with wrong token", "POST", "/control", `{"action":"pause"}`,
			[]string{"Content-Type", "application/json", "Authorization", "Bearer " + wrong}, 401},
		{"page", "GET", "/" + token, "", nil, 200},
		{"page by header", "GET", "/", "", auth, 200},
		{"frame", "GET", "/frame/0" + token, "", nil, 200},
		{"frame by header", "GET", "/frame/0", "", auth, 200},
		{"page as localhost", "GET", "/" + token, "", []string{"Host", "localhost:" + port}, 200},
		{"page through a tunnel", "GET", "/" + token, "", []string{"Host", "localhost:9"}, 200},
		{"page at an address in digits", "GET", "/" + token, "", []string{"Host", "[::1]:" + port}, 200},
		{"page under another name", "GET", "/" + token, "", []string{"Host", "evil.example:" + port}, 403},
		{"frame from a foreign page", "GET", "/frame/0" + token, "", []string{"Origin", "http://evil.example"}, 403},
		{"frame from a foreign site", "GET", "/frame/0" + token, "", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"other path", "GET", "/etc/passwd" + token, "", nil, 404},
		{"control from a foreign page", "POST", "/control", `{"action":"pause"}`, with("Origin", "http://localhost:1"),
			403},
		{"control as a form", "POST", "/control", `{"action":"pause"}`,
			[]string{"Authorization", "Bearer " + s.Token(), "Content-Type", "text/plain"}, 415},
		{"control by GET", "GET", "/control", "", auth, 405},
		{"unknown action", "POST", "/control", `{"action":"reboot"}`, auth, 400},
		{"not JSON", "POST", "/control", `pause`, auth, 400},
		{"pause", "POST", "/control", `{"action":"pause"}`, with("Origin", "http://"+s.Addr()), 204},
		{"resume", "POST", "/control", `{"action":"resume"}`, auth, 204},
		{"stop", "POST", "/control", `{"action":"stop"}`, auth, 204},
		{"after the stop", "POST", "/control", `{"action":"pause"}`, auth, 409},
	} {
		got, text := request(t, s, c.method, c.path, c.body, c.header...)
		if got != c.want {
			t.Errorf("%s: status %d, want %d", c.name, got, c.want)
		}
		if got >= 400 && strings.Contains(text, s.cfg.Title) {
			t.Errorf("%s: tells of the run: %.200q", c.name, text)
		}
	}
	if !s.Gate(context.Background()) {
		t.Error("Gate after stop: got false, want true")
	}
	if err := s.Done("stopped"); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(s.URL(), token) {
		t.Errorf("the address of a run that has ended, %s, lacks the token", s.URL())
	}
}

// An address that other machines can reach is an error unless allowed; if allowed, the page is served under the names
// of this machine.
func TestRemote(t *testing.T) {
	cfg := toyConfig()
	for _, addr := range []string{"0.0.0.0:0", "[::]:0"} {
		cfg.Addr = addr
		if s, err := NewServer(cfg); !errors.Is(err, ErrRemote) {
			t.Errorf("%s: got %v, want ErrRemote", addr, err)
			s.Close()
		}
	}
	cfg.Addr, cfg.Remote, cfg.Hosts = "0.0.0.0:0", true, []string{"Desk.example"}
	s := start(t, cfg)
	if !s.Remote() || !strings.HasPrefix(s.URL(), "http://localhost:") {
		t.Errorf("Remote() = %v, URL() = %s", s.Remote(), s.URL())
	}
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(s.Addr())
	for host, want := range map[string]int{
		"localhost": 200, "127.0.0.1": 200, "192.0.2.7": 200, "[2001:db8::7]": 200, name: 200, "desk.example": 200,
		"DESK.EXAMPLE": 200,
		"evil.example": 403, "": 200, // without a Host it is the address
	} {
		if host != "" {
			host += ":" + port
		}
		if got, _ := request(t, s, "GET", "/?token="+s.Token(), "", "Host", host); got != want {
			t.Errorf("Host %q: status %d, want %d", host, got, want)
		}
		if got, _ := request(t, s, "GET", "/", "", "Host", host); got == 200 {
			t.Errorf("Host %q without token: status 200", host)
		}
	}
}
