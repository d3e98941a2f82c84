package live

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"gonum.org/v1/gonum/mat"
)

// DefaultAddr is the default address of the server.
const DefaultAddr = "127.0.0.1:8080"

const (
	defaultRows    = 20000
	defaultFrames  = 400
	defaultClients = 256
	defaultShare   = 0.0125
	defaultEvery   = 150 * time.Millisecond
)

// Config holds the settings of a Server. Zero fields mean defaults.
type Config struct {
	Addr   string // "" means DefaultAddr; a missing host means loopback; port 0 a free one
	Remote bool   // allow an Addr that other machines can reach, which is otherwise an error

	Title string         // shown on the page
	Meta  map[string]any // further facts shown on the page: dataset, objective, seed, …
	Steps int            // total steps of the run; 0: unknown

	Lo, Hi [2]float64 // box of the plane and of the energies of frames; required
	Names  []string   // of the two axes; nil: x₁, x₂
	Data   mat.Matrix // real samples, m×2 or wider; may be nil

	Token string        // required of every request; "": a random one
	Hosts []string      // further names under which the page is served, besides this machine's and that of Addr
	Share float64       // share of the time spent on making frames; 0 means 0.0125, which leaves some for serving them
	Every time.Duration // minimum time between frames; 0 means 150 ms

	MaxFrames  int // frames kept in memory; 0 means 400
	MaxClients int // simultaneous event streams; 0 means 256
}

// ErrRemote is returned for an address that other machines can reach if Config.Remote does not allow it.
var ErrRemote = errors.New("live: the address can be reached from other machines")

// Validate names every setting that is out of range.
func (c *Config) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("live: Config."+format, args...))
		}
	}
	check(c.Lo[0] < c.Hi[0] && c.Lo[1] < c.Hi[1], "Lo, Hi = %v, %v, want an increasing range on both axes", c.Lo, c.Hi)
	check(c.Steps >= 0, "Steps = %d, want >= 0", c.Steps)
	check(c.Share >= 0 && c.Share <= 1, "Share = %g, want in [0, 1]", c.Share)
	check(c.Every >= 0, "Every = %v, want >= 0", c.Every)
	check(c.MaxFrames >= 0, "MaxFrames = %d, want >= 0", c.MaxFrames)
	check(c.MaxClients >= 0, "MaxClients = %d, want >= 0", c.MaxClients)
	check(len(c.Names) == 0 || len(c.Names) >= 2, "Names = %q, want two", c.Names)
	if c.Data != nil {
		_, d := c.Data.Dims()
		check(d >= 2, "Data has %d columns, want at least 2", d)
	}
	return errors.Join(errs...)
}

// withDefaults replaces zero fields by their defaults.
func (c Config) withDefaults() Config {
	c.Addr = cmp.Or(c.Addr, DefaultAddr)
	c.Share = cmp.Or(c.Share, defaultShare)
	c.Every = cmp.Or(c.Every, defaultEvery)
	c.MaxFrames = cmp.Or(c.MaxFrames, defaultFrames)
	c.MaxClients = cmp.Or(c.MaxClients, defaultClients)
	if c.Token == "" {
		b := make([]byte, 16)
		rand.Read(b)
		c.Token = hex.EncodeToString(b)
	}
	return c
}

// Status of a run.
const (
	running int32 = iota
	paused
	stopping
	ended
)

var statusNames = [...]string{"running", "paused", "stopping", "ended"}

// Server shows one run. Its methods may be called from any goroutine.
type Server struct {
	cfg      Config
	names    map[string]bool // host names served, in lower case
	ln       *limited
	http     *http.Server
	patience patience
	start    time.Time

	status  atomic.Int32
	viewers atomic.Int32
	inbox   inbox
	budget  budget
	pace    pace
	wake    chan struct{}

	mu      sync.Mutex
	hist    *history
	resumed chan struct{} // closed when a pause ends
	clients map[*client]struct{}
	news    update // the last one sent

	done   chan struct{}
	loop   sync.WaitGroup
	closed sync.Once
}

// client is one event stream: a flag that there is something new.
type client struct{ news chan struct{} }

// NewServer starts a server, which listens and serves until Close.
func NewServer(cfg Config) (*Server, error) { return newServer(cfg, defaultPatience) }

func newServer(cfg Config, p patience) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	head := header{Title: cfg.Title, Meta: cfg.Meta, Steps: cfg.Steps, Lo: cfg.Lo, Hi: cfg.Hi, Names: cfg.Names}
	if cfg.Data != nil {
		head.Data = base64.StdEncoding.EncodeToString(quantise(cfg.Data, cfg.Lo, cfg.Hi))
	}
	text, err := json.Marshal(head.printed())
	if err != nil {
		return nil, fmt.Errorf("live: Config.Meta: %w", err)
	}
	ln, host, err := listen(cfg)
	if err != nil {
		return nil, err
	}
	s := &Server{
		cfg: cfg, names: hostNames(host, cfg.Hosts), ln: ln, patience: p, start: time.Now(),
		hist: &history{header: text, maxRows: defaultRows, maxFrames: cfg.MaxFrames},
		wake: make(chan struct{}, 1), done: make(chan struct{}), resumed: make(chan struct{}),
		clients: map[*client]struct{}{},
	}
	s.http = &http.Server{
		Handler: s.handler(), MaxHeaderBytes: 16 << 10, ErrorLog: silent,
		ReadHeaderTimeout: p.header, ReadTimeout: p.answer, WriteTimeout: p.answer, IdleTimeout: p.idle,
	}
	s.loop.Go(func() { s.http.Serve(ln) })
	s.loop.Go(s.run)
	return s, nil
}

// listen listens on the address of cfg and returns the host it names.
func listen(cfg Config) (*limited, string, error) {
	host, port, err := net.SplitHostPort(cfg.Addr)
	if err != nil {
		return nil, "", fmt.Errorf("live: address %q: want host:port, for instance %s", cfg.Addr, DefaultAddr)
	}
	host = cmp.Or(host, "127.0.0.1")
	at, err := net.ResolveTCPAddr("tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, "", fmt.Errorf("live: address %q: %w", cfg.Addr, err)
	}
	if !at.IP.IsLoopback() && !cfg.Remote {
		return nil, "", fmt.Errorf("%w: %s; Config.Remote allows it", ErrRemote, cfg.Addr)
	}
	ln, err := net.ListenTCP("tcp", at)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, "", fmt.Errorf("live: %w (port 0 takes a free one)", err)
	}
	if err != nil {
		return nil, "", fmt.Errorf("live: %w", err)
	}
	return &limited{ln, make(chan struct{}, maxConns(cfg.MaxClients))}, host, nil
}

// handler answers requests.
func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", servePage)
	mux.HandleFunc("GET /events", s.serveEvents)
	mux.HandleFunc("GET /frame/{id}", s.serveFrame)
	mux.HandleFunc("POST /control", s.serveControl)
	return s.guard(mux)
}

// Addr returns the address that the server listens on.
func (s *Server) Addr() string { return s.ln.Addr().String() }

// Remote reports whether other machines can reach the page.
func (s *Server) Remote() bool { return !s.ln.Addr().(*net.TCPAddr).IP.IsLoopback() }

// URL returns the address to open in a browser, which includes the token. Anyone who has it can see the run and stop
// it.
func (s *Server) URL() string {
	host, port, _ := net.SplitHostPort(s.Addr())
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	token := url.Values{"token": {s.cfg.Token}}
	return (&url.URL{Scheme: "http", Host: net.JoinHostPort(host, port), Path: "/", RawQuery: token.Encode()}).String()
}

// Token returns the token.
func (s *Server) Token() string { return s.cfg.Token }

// Viewers returns the number of open event streams.
func (s *Server) Viewers() int { return int(s.viewers.Load()) }

// Done marks the run as ended, with a word for the page to show ("finished", "stopped", "diverged"). The page is served
// until Close.
func (s *Server) Done(word string) error {
	s.take()
	s.mu.Lock()
	s.hist.end = word
	s.mu.Unlock()
	s.setStatus(ended)
	return nil
}

// Close sends the streams their last update, if they take it at once, closes all connections and stops listening.
func (s *Server) Close() error {
	s.closed.Do(func() {
		s.take()
		close(s.done)
		ctx, cancel := context.WithTimeout(context.Background(), lastWords)
		s.http.Shutdown(ctx)
		cancel()
		s.http.Close()
		s.loop.Wait()
	})
	return nil
}
