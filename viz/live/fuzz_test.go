package live

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// For any request: without the token nothing about the run is revealed and nothing changes; with it, the response is
// one that the protocol knows, and only POST /control changes the run.
func FuzzRequest(f *testing.F) {
	cfg := toyConfig()
	cfg.Token = "0123456789abcdef"
	cfg.Title = "secret title"
	f.Add("GET", "/", "", "localhost", "", "", "")
	f.Add("GET", "/events", "token=0123456789abcdef", "127.0.0.1:8080", "", "", "")
	f.Add("GET", "/frame/0", "", "[::1]:8080", "Bearer 0123456789abcdef", "http://[::1]:8080", "")
	f.Add("GET", "/frame/-1", "token=0123456789abcdef&token=x", "localhost:1", "", "", "")
	f.Add("GET", "/frame/99999999999999999999", "token=0123456789abcdef", "localhost:1", "", "", "")
	f.Add("GET", "/frame/..%2f..%2fetc%2fpasswd", "token=0123456789abcdef", "localhost", "", "null", "")
	f.Add("POST", "/control", "", "localhost", "Bearer 0123456789abcdef", "", `{"action":"pause"}`)
	f.Add("POST", "/control", "token=0123456789abcdef", "localhost", "", "http://localhost", `{"action":"stop"}`)
	f.Add("POST", "/control", "", "localhost", "Bearer ", "", `{"action":["pause"]}`)
	f.Add("PUT", "/control", "token=", "evil.example", "Basic eDp5", "http://evil.example", strings.Repeat("[", 2000))
	f.Add("HEAD", "//", "%zz", "a:b:c", "Bearer", "http://%zz", "\x00")
	s, err := NewServer(cfg)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { s.Close() })
	if err := s.Frame(toyFrame(1)); err != nil {
		f.Fatal(err)
	}
	s.take()
	known := map[int]bool{200: true, 204: true, 301: true, 307: true, 308: true, 400: true, 401: true, 403: true,
		404: true, 405: true, 409: true, 415: true}
	f.Fuzz(func(t *testing.T, method, path, query, host, auth, origin, body string) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // a stream ends after its first event
		r, err := http.NewRequestWithContext(ctx, method, "http://localhost/", strings.NewReader(body))
		if err != nil {
			return
		}
		r.URL = &url.URL{Path: path, RawQuery: query}
		r.Host = host
		r.Header.Set("Authorization", auth)
		r.Header.Set("Origin", origin)
		r.Header.Set("Content-Type", "application/json")
		s.status.Store(running)
		w := httptest.NewRecorder()
		s.http.Handler.ServeHTTP(w, r)

		given := auth == "Bearer "+cfg.Token
		if !strings.HasPrefix(auth, "Bearer ") {
			v, _ := url.ParseQuery(query)
			given = v.Get("token") == cfg.Token
		}
		if !known[w.Code] {
			t.Errorf("status %d", w.Code)
		}
		text := w.Body.String()
		if !given && (w.Code < 400 || strings.Contains(text, cfg.Title) || strings.Contains(text, `"lo"`)) {
			t.Errorf("without the token: status %d, %.200q", w.Code, text)
		}
		var v struct{ Action string }
		if s.status.Load() != running &&
			(!given || method != "POST" || path != "/control" ||
				json.NewDecoder(strings.NewReader(body)).Decode(&v) != nil) {
			t.Errorf("the run is %s", statusNames[s.status.Load()])
		}
	})
}
