package live

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"gonum.org/v1/gonum/mat"
)

//go:embed page.html
var page []byte

// pagePolicy is the page's content security policy: its own script by hash, its own server, and nothing else.
var pagePolicy = func() string {
	s := string(page)
	_, s, _ = strings.Cut(s, "<script>")
	s, _, _ = strings.Cut(s, "</script>")
	sum := sha256.Sum256([]byte(s))
	return "default-src 'none'; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; style-src 'unsafe-inline'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}()

// DefaultAddr is where the server listens unless told otherwise.
const DefaultAddr = "127.0.0.1:8080"

const (
	defaultRows   = 20000
	defaultFrames = 400
)

// Config sets up a Server.
type Config struct {
	Addr  string         // "" means DefaultAddr; a missing host means loopback; port 0 a free one
	Title string         // shown in the page
	Meta  map[string]any // further facts, shown in the page: dataset, objective, seed, …
	Steps int            // where the run will end; 0: not known

	Lo, Hi [2]float64 // box of the plane and of the energies of frames; required
	Names  []string   // of the two axes; nil: x₁, x₂
	Data   mat.Matrix // real samples, m×2 or wider; may be nil

	History string        // path of the history file; "": none
	Token   string        // for the controls; "": a random one
	Hosts   []string      // names besides localhost and the address under which the page may be reached
	Share   float64       // of the time that making frames may take; 0 means 0.0125, which leaves room for serving them
	Every   time.Duration // least time between frames; 0 means 150 ms

	MaxFrames  int // kept in memory and in the file; 0 means 400
	MaxClients int // event streams at a time; 0 means 256
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
	cfg   Config
	token string
	ln    net.Listener
	http  *http.Server
	hosts map[string]bool
	start time.Time

	status  atomic.Int32
	viewers atomic.Int32
	due     atomic.Int64 // time of the next frame, in ns since start
	asked   atomic.Int64 // when Wanted last said yes

	inbox struct { // what the training loop hands over: held for moments only
		sync.Mutex
		rows   [][columns]float64
		frames []stored
		nextID int
		seen   bool // a frame has come since the last promise
	}
	pace   pace
	making sync.Mutex   // one promised frame at a time
	spent  atomic.Int64 // ns on frames
	wake   chan struct{}

	mu      sync.Mutex
	hist    *history
	dirty   bool
	resumed chan struct{} // closed when a pause ends
	clients map[*client]struct{}
	news    update // the last that was sent

	before struct{ step, seconds float64 } // the record before, for the rate; used by take only

	done   chan struct{}
	loop   sync.WaitGroup
	closed sync.Once
	failed atomic.Pointer[error] // of the history file
}

// client is one event stream: a flag that there is news.
type client struct{ news chan struct{} }

// NewServer listens and serves until Close.
func NewServer(cfg Config) (*Server, error) {
	if !(cfg.Lo[0] < cfg.Hi[0]) || !(cfg.Lo[1] < cfg.Hi[1]) {
		return nil, fmt.Errorf("live: Config.Lo, Hi = %v, %v, want an increasing range on both axes", cfg.Lo, cfg.Hi)
	}
	h := &history{header: header{Format: formatName, Version: formatVersion, Title: cfg.Title, Meta: cfg.Meta,
		Steps: cfg.Steps, Lo: cfg.Lo, Hi: cfg.Hi, Names: cfg.Names}, maxRows: defaultRows, maxFrames: cfg.MaxFrames}
	if h.maxFrames <= 0 {
		h.maxFrames = defaultFrames
	}
	if cfg.Data != nil {
		h.header.Data = base64.StdEncoding.EncodeToString(quantise(cfg.Data, cfg.Lo, cfg.Hi))
	}
	if _, err := json.Marshal(h.header); err != nil {
		return nil, fmt.Errorf("live: Config.Meta: %w", err)
	}
	return serve(cfg, h, running)
}

// Open serves the history file of a run that ended (or was interrupted) at an address as in Config.Addr.
func Open(path, addr string) (*Server, error) {
	h, err := readHistory(path)
	if err != nil {
		return nil, err
	}
	if h.end == "" {
		h.end = "interrupted"
	}
	return serve(Config{Addr: addr, Lo: h.header.Lo, Hi: h.header.Hi}, h, ended)
}

func serve(cfg Config, h *history, status int32) (*Server, error) {
	if cfg.Share <= 0 {
		cfg.Share = 0.0125
	}
	if cfg.Every <= 0 {
		cfg.Every = 150 * time.Millisecond
	}
	if cfg.MaxClients <= 0 {
		cfg.MaxClients = 256
	}
	addr := cfg.Addr
	if addr == "" {
		addr = DefaultAddr
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("live: address %q: want host:port, for instance %s", cfg.Addr, DefaultAddr)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	ln, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		if errors.Is(err, syscall.EADDRINUSE) {
			return nil, fmt.Errorf("live: %w (port 0 takes a free one)", err)
		}
		return nil, fmt.Errorf("live: %w", err)
	}
	s := &Server{cfg: cfg, token: cfg.Token, ln: ln, hist: h, start: time.Now(),
		wake: make(chan struct{}, 1), done: make(chan struct{}), clients: map[*client]struct{}{}, resumed: make(chan struct{})}
	s.status.Store(status)
	if s.token == "" {
		b := make([]byte, 16)
		rand.Read(b)
		s.token = hex.EncodeToString(b)
	}
	_, bound, _ := net.SplitHostPort(ln.Addr().String())
	s.hosts = map[string]bool{}
	for _, name := range append([]string{"localhost", "127.0.0.1", "::1", host}, cfg.Hosts...) {
		s.hosts[strings.ToLower(net.JoinHostPort(name, bound))] = true
		if bound == "80" {
			s.hosts[strings.ToLower(name)] = true
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.servePage)
	mux.HandleFunc("GET /events", s.serveEvents)
	mux.HandleFunc("GET /frame/{id}", s.serveFrame)
	mux.HandleFunc("POST /control", s.serveControl)
	s.http = &http.Server{Handler: s.guard(mux), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	s.loop.Add(2)
	go func() { defer s.loop.Done(); s.http.Serve(ln) }()
	go func() { defer s.loop.Done(); s.run() }()
	return s, nil
}

// Addr returns the address that the server listens on.
func (s *Server) Addr() string { return s.ln.Addr().String() }

// URL returns what to open in a browser: the page, with the token for the controls in the fragment.
func (s *Server) URL() string {
	host, port, _ := net.SplitHostPort(s.Addr())
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	u := url.URL{Scheme: "http", Host: net.JoinHostPort(host, port), Path: "/"}
	if s.status.Load() != ended {
		u.Fragment = "token=" + s.token
	}
	return u.String()
}

// Token returns the token of the controls.
func (s *Server) Token() string { return s.token }

// Viewers returns the number of open event streams.
func (s *Server) Viewers() int { return int(s.viewers.Load()) }

// Wanted tells whether a frame would be looked at now: somebody looks, and the frames so far have cost less than
// Config.Share of the time. After a yes the time until Frame counts as the cost.
func (s *Server) Wanted() bool {
	if s.viewers.Load() == 0 {
		return false
	}
	now := int64(time.Since(s.start))
	if now < s.due.Load() {
		return false
	}
	s.asked.Store(now)
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

// Later promises a frame of the step: the page lists it, and make is called when somebody wants to see it, once, from another
// goroutine, never two at a time. So who comes late sees what nobody watched, and nothing is computed before. A promise is dropped
// if frames have come since the one before: that stretch is covered.
//
// What making it costs is within Config.Share, too: it delays the next yes of Wanted, and who asks for many waits, unless the run is
// paused or over. Done makes all that was promised if there is a history file.
func (s *Server) Later(step int, make func() (Frame, error)) {
	s.inbox.Lock()
	seen := s.inbox.seen
	s.inbox.seen = false
	if !seen {
		s.inbox.frames = append(s.inbox.frames, stored{id: s.inbox.nextID, step: step, seconds: time.Since(s.start).Seconds(), make: make})
		s.inbox.nextID++
	}
	s.inbox.Unlock()
	if !seen && s.viewers.Load() > 0 {
		s.signal()
	}
}

// made returns a frame of the history, making it if it was only promised; nil if there is none or it cannot be made. For a request
// it waits, while the run goes on, until frames are within their share of the time.
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
	s.making.Lock()
	defer s.making.Unlock()
	p, ok := find()
	if !ok || p.json != nil { // another client was faster
		return p.json
	}
	for r != nil && s.status.Load() == running {
		d := time.Duration(s.due.Load()) - time.Since(s.start)
		if d <= 0 {
			break
		}
		if !s.wait(r, min(d, 100*time.Millisecond)) { // the run may be paused or end meanwhile
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
	if f := s.hist.frame(id); f != nil { // not thinned away meanwhile
		f.json, f.make, s.dirty = b, nil, true
	}
	return b
}

// last is the id of the last frame, -1 if there is none.
func (s *Server) last() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.hist.frames); n > 0 {
		return s.hist.frames[n-1].id
	}
	return -1
}

// charge counts the cost of a frame: no other is wanted before all of them are within their share of the time.
func (s *Server) charge(d time.Duration) {
	due := int64(float64(s.spent.Add(int64(d))) / s.cfg.Share)
	for {
		old := s.due.Load()
		if due <= old || s.due.CompareAndSwap(old, due) {
			return
		}
	}
}

// Frame adds a frame, whether it was wanted or not. It encodes f at once (some 0.1 ms) and keeps nothing of it.
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
	if t := s.asked.Swap(0); t > 0 {
		cost = now - t
		pause = max(pause, int64(float64(cost)/s.cfg.Share))
	}
	s.due.Store(now + pause)
	s.charge(time.Duration(cost))
	return nil
}

// Record adds a row of the curves. It keeps a copy.
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

// Gate is called by the training loop once per step. It returns at once while the run goes on, waits while it is
// paused, and returns true when it shall stop: by the page, or because ctx has ended during a pause.
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

// Done marks the run as ended, with a word that the page shows ("finished", "stopped", "diverged"), and writes the history
// file. The page stays until Close.
func (s *Server) Done(word string) error {
	s.take()
	if s.cfg.History != "" {
		s.mu.Lock()
		frames := s.hist.clone().frames
		s.mu.Unlock()
		for _, f := range frames {
			s.made(f.id, nil)
		}
	}
	s.mu.Lock()
	s.hist.end, s.dirty = word, true
	s.mu.Unlock()
	s.setStatus(ended)
	s.save()
	return s.Err()
}

// Err returns the last error of the history file.
func (s *Server) Err() error {
	if p := s.failed.Load(); p != nil {
		return *p
	}
	return nil
}

// Close sends the streams their last news, to those who take it at once, ends all connections, writes the history file and stops
// listening.
func (s *Server) Close() error {
	s.closed.Do(func() {
		s.take()
		close(s.done)
		ctx, cancel := context.WithTimeout(context.Background(), lastWords)
		s.http.Shutdown(ctx)
		cancel()
		s.http.Close()
		s.loop.Wait()
		s.take()
		s.save()
	})
	return s.Err()
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

// run moves what the training loop hands over into the history, wakes the clients, and writes the file now and then.
func (s *Server) run() {
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-s.done:
			return
		case <-s.wake:
			if s.take() {
				s.notify()
			}
			// Records come step by step: gather them for a while.
			select {
			case <-s.done:
				return
			case <-time.After(50 * time.Millisecond):
			}
		case <-tick.C:
			s.take()
			s.save()
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
			if d := sec - s.before.seconds; d > 0 && step > s.before.step {
				r[6] = (step - s.before.step) / d
			}
		}
		s.before.step, s.before.seconds = r[0], r[1]
		s.hist.addRow(r)
	}
	for _, f := range frames {
		s.hist.addFrame(f)
	}
	if len(rows)+len(frames) > 0 {
		s.dirty = true
	}
	return len(rows)+len(frames) > 0
}

func (s *Server) notify() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.clients {
		select {
		case c.news <- struct{}{}:
		default: // it has not yet read the last news
		}
	}
}

// save writes the history file if there is one and something is new.
func (s *Server) save() {
	s.mu.Lock()
	if s.cfg.History == "" || !s.dirty {
		s.mu.Unlock()
		return
	}
	h := s.hist.clone()
	s.dirty = false
	s.mu.Unlock()
	if err := h.write(s.cfg.History); err != nil {
		s.failed.Store(&err)
	}
}

// guard refuses requests for other hosts and from other origins, and sets the headers that all answers have.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if !s.hosts[strings.ToLower(r.Host)] {
			http.Error(w, "this host name is not served", http.StatusForbidden)
			return
		}
		if o := r.Header.Get("Origin"); o != "" {
			u, err := url.Parse(o)
			if err != nil || u.Scheme != "http" || !strings.EqualFold(u.Host, r.Host) {
				http.Error(w, "foreign origin", http.StatusForbidden)
				return
			}
		}
		if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" && r.URL.Path != "/" {
			http.Error(w, "foreign site", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Server) servePage(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", pagePolicy)
	w.Write(page)
}

func (s *Server) serveFrame(w http.ResponseWriter, r *http.Request) {
	var b []byte
	id, err := strconv.Atoi(r.PathValue("id"))
	if !s.turn(r) {
		return
	}
	if err == nil {
		b = s.made(id, r)
	}
	if b == nil {
		http.Error(w, "no such frame", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(b)
}

func (s *Server) serveControl(w http.ResponseWriter, r *http.Request) {
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || subtle.ConstantTimeCompare([]byte(given), []byte(s.token)) != 1 {
		http.Error(w, "wrong token: open the page by the address that the terminal shows", http.StatusUnauthorized)
		return
	}
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

// Control does what the buttons of the page do: "pause", "resume" or "stop".
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
