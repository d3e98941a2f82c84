package live

import (
	"crypto/sha256"
	"crypto/subtle"
	_ "embed"
	"encoding/base64"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// Access control. Every request needs the token, either as `Authorization: Bearer TOKEN` or as the query parameter
// token, which is how a browser opens the page and its stream. The page keeps the token for reloads and removes it from
// the address bar. The other checks back it up. A host name that is neither this machine's nor given by the user is
// refused: another site can make its own name resolve to this address (DNS rebinding), but not a numeric address. Pages
// of another origin are refused, too.

//go:embed page.html
var page []byte

// signIn is the page that asks for the token, or uses the one kept by its tab. It reveals nothing about the run.
//
//go:embed signin.html
var signIn []byte

// policy returns the content security policy of a page: its own script (by hash), its own server, nothing else.
func policy(page []byte) string {
	_, s, _ := strings.Cut(string(page), "<script>")
	s, _, _ = strings.Cut(s, "</script>")
	sum := sha256.Sum256([]byte(s))
	return "default-src 'none'; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; style-src 'unsafe-inline'; connect-src 'self'; img-src 'self' data:; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

var pagePolicy, signInPolicy = policy(page), policy(signIn)

// hostNames returns the names under which the page is served: those of this machine, the one it listens on, and more.
func hostNames(host string, more []string) map[string]bool {
	names := map[string]bool{"localhost": true, strings.ToLower(host): true}
	if name, err := os.Hostname(); err == nil {
		names[strings.ToLower(name)] = true
	}
	for _, name := range more {
		names[strings.ToLower(name)] = true
	}
	return names
}

// served reports whether the Host of a request names this server. The port may be that of a tunnel.
func (s *Server) served(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return s.names[strings.ToLower(host)] || net.ParseIP(host) != nil
}

// foreign reports whether the request comes from a page of another origin.
func foreign(r *http.Request) bool {
	if o := r.Header.Get("Origin"); o != "" {
		u, err := url.Parse(o)
		if err != nil || u.Scheme != "http" || !strings.EqualFold(u.Host, r.Host) {
			return true
		}
	}
	site := r.Header.Get("Sec-Fetch-Site")
	return site != "" && site != "same-origin" && site != "none" && r.URL.Path != "/"
}

// authorised reports whether the request carries the token.
func (s *Server) authorised(r *http.Request) bool {
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		given = r.URL.Query().Get("token")
	}
	return subtle.ConstantTimeCompare([]byte(given), []byte(s.cfg.Token)) == 1
}

// guard sets the headers common to all responses, rejects requests that next must not see, and puts a deadline on every
// write.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w = &timed{w, s.patience.answer}
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		switch {
		case !s.served(r.Host):
			refuse(w, "this host name is not served", http.StatusForbidden)
		case foreign(r):
			refuse(w, "foreign origin", http.StatusForbidden)
		case s.authorised(r):
			next.ServeHTTP(w, r)
		case r.Method == http.MethodGet && r.URL.Path == "/":
			h.Set("Connection", "close")
			serveHTML(w, http.StatusUnauthorized, signIn, signInPolicy)
		default:
			refuse(w, "wrong token: open the page by the address that the terminal shows", http.StatusUnauthorized)
		}
	})
}

// refuse rejects a request and closes its connection.
func refuse(w http.ResponseWriter, text string, code int) {
	w.Header().Set("Connection", "close")
	http.Error(w, text, code)
}

func servePage(w http.ResponseWriter, _ *http.Request) { serveHTML(w, http.StatusOK, page, pagePolicy) }

func serveHTML(w http.ResponseWriter, code int, text []byte, policy string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", policy)
	w.WriteHeader(code)
	w.Write(text)
}
