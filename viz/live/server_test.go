package live

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"
)

func toyConfig() Config {
	rng := rand.New(rand.NewPCG(1, 2))
	x := mat.NewDense(1000, 2, nil)
	for i := range 1000 {
		for k := range 2 {
			x.Set(i, k, float64(rng.IntN(2))*4-2+rng.Float64()-0.5)
		}
	}
	return Config{Addr: "127.0.0.1:0", Title: "4squares · dsm", Meta: map[string]any{"dataset": "4squares", "seed": 1},
		Steps: 5000,
		Lo:    [2]float64{-4, -4}, Hi: [2]float64{4, 4}, Data: x}
}

// The page gets the names of the axes.
func TestNames(t *testing.T) {
	cfg := toyConfig()
	cfg.Names = []string{"wait", "minutes"}
	if got := open(t, start(t, cfg)).next(t).Run.Names; !slices.Equal(got, cfg.Names) {
		t.Errorf("the page is told the names %q, want %q", got, cfg.Names)
	}
}

func start(t testing.TB, cfg Config) *Server {
	t.Helper()
	s, err := NewServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func toyFrame(step int) Frame {
	const n = 64
	f := Frame{Step: step, Energy: make([]float64, n*n)}
	u := math.Min(1, float64(step)/1500)
	for j := range n {
		for i := range n {
			x, y := -4+8*float64(i)/(n-1), -4+8*float64(j)/(n-1)
			well := func(v float64) float64 { d := math.Abs(v) - 2; return 3 * d * d }
			f.Energy[j*n+i] = u*(well(x)+well(y)) + (1-u)*(x*x+y*y)/2 + 7
		}
	}
	rng := rand.New(rand.NewPCG(uint64(step), 1))
	m := mat.NewDense(600, 2, nil)
	for i := range 600 {
		for k := range 2 {
			m.Set(i, k, u*(float64(rng.IntN(2))*4-2)+(1.6-u)*rng.NormFloat64())
		}
	}
	f.Samples = m
	return f
}

func toyRecord(step int) Record {
	t := float64(step)
	return Record{Step: step, Seconds: t / 900, Loss: -20 + 40*math.Exp(-t/150) + 2*math.Sin(t*1.3),
		GradNorm: 0.2 + 5*math.Exp(-t/200) + 0.1*math.Sin(t),
		KL:       0.02 + 3*math.Exp(-t/300), Accept: 0.8 + 0.1*math.Sin(t/30)}
}

// stream reads the events of a server.
type stream struct {
	res *http.Response
	r   *bufio.Reader
}

// get sends a request with the token.
func get(s *Server, path string) (*http.Response, error) {
	return http.Get("http://" + s.Addr() + path + "?token=" + s.Token())
}

func open(t testing.TB, s *Server) *stream {
	t.Helper()
	res, err := get(s, "/events")
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != 200 {
		t.Fatalf("status %s", res.Status)
	}
	t.Cleanup(func() { res.Body.Close() })
	return &stream{res, bufio.NewReaderSize(res.Body, 1<<20)}
}

type event struct {
	name string
	Run  struct {
		Title string
		Steps int
		Names []string
	}
	Status, End string
	Rows        [][]*float64
	Frames      [][2]int
	Frame       *struct {
		ID, Step, N int
		E           string
	}
}

func (st *stream) next(t testing.TB) event {
	t.Helper()
	var e event
	for {
		line, err := st.r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		line = strings.TrimSuffix(line, "\n")
		if v, ok := strings.CutPrefix(line, "event: "); ok {
			e.name = v
		}
		if v, ok := strings.CutPrefix(line, "data: "); ok {
			if err := json.Unmarshal([]byte(v), &e); err != nil {
				t.Fatalf("%v in %.200s", err, v)
			}
		}
		if line == "" && e.name != "" {
			return e
		}
	}
}

func TestEvents(t *testing.T) {
	s := start(t, toyConfig())
	for k := range 10 {
		s.Record(toyRecord(k))
	}
	if err := s.Frame(toyFrame(9)); err != nil {
		t.Fatal(err)
	}
	st := open(t, s)
	e := st.next(t)
	if e.name != "init" || len(e.Rows) != 10 || e.Frame == nil || e.Frame.Step != 9 || e.Run.Steps != 5000 ||
		e.Status != "running" {
		t.Fatalf("init: %+v", e)
	}
	s.Record(toyRecord(10))
	if err := s.Frame(toyFrame(10)); err != nil {
		t.Fatal(err)
	}
	rows, frame := 0, 0
	for rows < 1 || frame == 0 {
		e = st.next(t)
		rows += len(e.Rows)
		if e.Frame != nil {
			frame = e.Frame.Step
		}
	}
	if rows != 1 || frame != 10 {
		t.Errorf("update: %d rows and frame %d, want 1 and 10", rows, frame)
	}
	// A late viewer gets everything, including past frames.
	late := open(t, s).next(t)
	if len(late.Rows) != 11 || len(late.Frames) != 2 {
		t.Errorf("late: %d rows, %d frames, want 11 and 2", len(late.Rows), len(late.Frames))
	}
	if late.Rows[0][6] != nil || late.Rows[5][6] == nil || math.Abs(*late.Rows[5][6]-900) > 1 {
		t.Errorf("rate: want null, then 900 steps per second: %v", late.Rows[5])
	}
	res, err := get(s, fmt.Sprintf("/frame/%d", late.Frames[0][0]))
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(res.Body)
	res.Body.Close()
	var f struct {
		Step, N   int
		Min, Full float64
	}
	if err := json.Unmarshal(b, &f); err != nil || f.Step != 9 || f.N != 64 {
		t.Errorf("frame: %v %+v", err, f)
	}
	if res, err := get(s, "/frame/99"); err != nil || res.StatusCode != 404 {
		t.Errorf("unknown frame: %v, want 404", res.Status)
	}
	if err := s.Done("finished"); err != nil {
		t.Fatal(err)
	}
	for e.Status != "ended" {
		e = st.next(t)
	}
	if e.End != "finished" {
		t.Errorf("end %q, want finished", e.End)
	}
}

func TestGate(t *testing.T) {
	s := start(t, toyConfig())
	var steps atomic.Int64
	stopped := make(chan struct{})
	go func() {
		for !s.Gate(context.Background()) {
			steps.Add(1)
			time.Sleep(time.Millisecond)
		}
		close(stopped)
	}()
	moves := func(d time.Duration) bool {
		a := steps.Load()
		for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(time.Millisecond) {
			if steps.Load() > a+1 {
				return true
			}
		}
		return false
	}
	if !moves(5 * time.Second) {
		t.Fatal("does not run")
	}
	for range 2 {
		if err := s.Control("pause"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
		if moves(60 * time.Millisecond) {
			t.Error("runs while paused")
		}
		if err := s.Control("resume"); err != nil {
			t.Fatal(err)
		}
		if !moves(5 * time.Second) {
			t.Error("does not resume")
		}
	}
	s.Control("pause")
	s.Control("stop")
	select {
	case <-stopped:
	case <-time.After(5 * time.Second):
		t.Error("a paused run does not stop")
	}
	// A cancelled context ends a pause.
	s2 := start(t, toyConfig())
	s2.Control("pause")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if !s2.Gate(ctx) {
		t.Error("cancelled while paused: got false, want true")
	}
}

func TestWanted(t *testing.T) {
	cfg := toyConfig()
	cfg.Share, cfg.Every = 0.1, time.Millisecond
	s := start(t, cfg)
	if s.Wanted() {
		t.Error("wanted without a viewer")
	}
	// Without a viewer a training step costs an atomic load and an append.
	if n := testing.AllocsPerRun(100, func() { s.Wanted(); s.Gate(context.Background()) }); n != 0 {
		t.Errorf("%g allocations per step, want 0", n)
	}
	open(t, s).next(t)
	if s.Viewers() != 1 {
		t.Fatalf("%d viewers, want 1", s.Viewers())
	}
	// A frame costs 5 ms; at a share of 10 % there may be one every 50 ms, so at most 7 in 300 ms.
	start, frames, busy := time.Now(), 0, time.Duration(0)
	for time.Since(start) < 300*time.Millisecond {
		t0 := time.Now()
		err := s.Offer(func() (Frame, error) {
			frames++
			time.Sleep(5 * time.Millisecond)
			return toyFrame(frames), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		busy += time.Since(t0)
		time.Sleep(time.Millisecond)
	}
	if frames < 1 || frames > 7 {
		t.Errorf("%d frames, want 1 to 7", frames)
	}
	want := errors.New("no")
	for {
		if err := s.Offer(func() (Frame, error) { return Frame{}, want }); err != nil {
			if !errors.Is(err, want) {
				t.Errorf("got %v", err)
			}
			break
		}
		time.Sleep(time.Millisecond)
	}
	if err := s.Frame(Frame{Energy: make([]float64, 5)}); err == nil {
		t.Error("five energies: no error")
	}
}

// Promised frames are listed from the first step on, and made when they are requested: not before, and only once.
func TestLater(t *testing.T) {
	s := start(t, toyConfig())
	made := make([]atomic.Int32, 200)
	promise := func(step int) {
		s.Later(step, func() (Frame, error) {
			made[step].Add(1)
			if step == 50 {
				return Frame{}, errors.New("gone")
			}
			return toyFrame(step), nil
		})
	}
	for k := range 101 {
		if k%10 == 0 {
			promise(k)
		}
		s.Record(toyRecord(k + 1))
		if s.Wanted() {
			t.Fatal("a frame is wanted with nobody there")
		}
	}
	for k := range made {
		if made[k].Load() != 0 {
			t.Errorf("the frame of step %d was made with nobody there", k)
		}
	}
	st := open(t, s)
	e := st.next(t)
	if len(e.Frames) != 11 || e.Frames[0][1] != 0 || e.Frames[10][1] != 100 || e.Frame == nil || e.Frame.Step != 100 ||
		len(e.Rows) != 101 {
		t.Fatalf("who comes late gets %d rows, frames %v, the last %v", len(e.Rows), e.Frames, e.Frame)
	}
	frame := func(id int) (int, string) {
		res, err := get(s, fmt.Sprintf("/frame/%d", id))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		return res.StatusCode, string(b)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { frame(e.Frames[0][0]) })
	}
	all.Wait()
	code, text := frame(e.Frames[0][0])
	if code != 200 || !strings.Contains(text, `"step":0,`) {
		t.Errorf("the first frame: %d %.80s", code, text)
	}
	if code, _ := frame(e.Frames[5][0]); code != http.StatusNotFound {
		t.Errorf("a frame that cannot be made: %d, want 404", code)
	}
	if made[0].Load() != 1 || made[100].Load() != 1 || made[10].Load() != 0 {
		t.Errorf("made %d, %d and %d times, want 1, 1 and 0", made[0].Load(), made[100].Load(), made[10].Load())
	}

	// A frame that somebody has seen needs no promise; the next stretch does.
	if err := s.Frame(toyFrame(105)); err != nil {
		t.Fatal(err)
	}
	promise(110)
	promise(120)
	for {
		if u := st.next(t); len(u.Frames) > 0 && u.Frames[len(u.Frames)-1][1] == 120 {
			if n := len(u.Frames); n != 13 || u.Frames[11][1] != 105 {
				t.Errorf("frames %v, want 11, 105 and 120", u.Frames)
			}
			break
		}
	}
}

// The cost of promised frames counts towards the same share of the time as that of the others: a client that requests
// many has to wait, unless the run is paused.
func TestLaterShare(t *testing.T) {
	cfg := toyConfig()
	cfg.Share, cfg.Every = 0.5, time.Millisecond
	s := start(t, cfg)
	const cost = 30 * time.Millisecond
	for k := range 9 {
		s.Later(k, func() (Frame, error) { time.Sleep(cost); return toyFrame(k), nil })
	}
	ask := func(id int) {
		t.Helper()
		res, err := get(s, fmt.Sprintf("/frame/%d", id))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if res.StatusCode != 200 {
			t.Fatalf("frame %d: %s", id, res.Status)
		}
	}
	open(t, s).next(t) // makes the last
	for id := range 4 {
		ask(id)
	}
	if now := time.Since(s.start); now < 2*4*cost {
		t.Errorf("five frames of %v were made within %v, want the fifth not before %v", cost, now, 2*4*cost)
	}
	for !s.Wanted() {
		time.Sleep(time.Millisecond)
	}
	if now := time.Since(s.start); now < 2*5*cost {
		t.Errorf("a frame is wanted after %v, when five of %v had been made, want not before %v", now, cost, 2*5*cost)
	}
	s.charge(time.Hour) // no frame is affordable for two hours, but a paused run has time
	s.Control("pause")
	for id := range 4 {
		ask(4 + id)
	}
}

// In any time T at most turnBurst + T/turnEvery responses go out, however many clients ask; turns come in order of
// asking, and a client that asks rarely does not wait.
func TestTurns(t *testing.T) {
	var p pace
	rng := rand.New(rand.NewPCG(3, 4))
	var turns []time.Duration
	now := time.Duration(0)
	for range 3000 {
		switch rng.IntN(60) {
		case 0: // a quiet period
			now += time.Duration(rng.ExpFloat64() * float64(time.Second))
		case 1, 2, 3, 4, 5:
			now += time.Duration(rng.ExpFloat64() * float64(4*turnEvery))
		}
		turns = append(turns, now+p.turn(now))
	}
	for i, first := range turns {
		if i > 0 && first < turns[i-1] {
			t.Fatalf("turn %d at %v, after one at %v", i, first, turns[i-1])
		}
		if j := i + turnBurst; j < len(turns) && turns[j]-first < turnEvery {
			t.Fatalf("turns %d to %d are within %v, want no more than %d in %v", i, j, turns[j]-first, turnBurst,
				turnEvery)
		}
		for _, n := range []int{50, 200} {
			if j := i + n; j < len(turns) {
				if most := turnBurst + int((turns[j]-first)/turnEvery); n > most {
					t.Fatalf("%d turns within %v, want at most %d", n, turns[j]-first, most)
				}
			}
		}
	}
	var seldom pace
	for k := range 100 {
		if d := seldom.turn(time.Duration(k) * turnEvery); d != 0 {
			t.Fatalf("who asks every %v waits %v", turnEvery, d)
		}
	}
}

// A server that closes says how the run ended, and does not wait for clients that do not read.
func TestLastWords(t *testing.T) {
	s := start(t, toyConfig())
	slow(t, s, 20)
	st := open(t, s)
	st.next(t)
	for k := range 400 { // more than fits their buffers
		if err := s.Frame(toyFrame(k)); err != nil {
			t.Fatal(err)
		}
	}
	go func() {
		s.Done("stopped")
		s.Close()
	}()
	for {
		if e := st.next(t); e.Status == "ended" {
			if e.End != "stopped" {
				t.Errorf("the end is %q, want stopped", e.End)
			}
			return
		}
	}
}

// The server keeps to that rate: a hundred streams get no more events than there are turns.
func TestPace(t *testing.T) {
	s := start(t, toyConfig())
	begin := time.Now()
	var events atomic.Int64
	var streams sync.WaitGroup
	for range 100 {
		streams.Go(func() {
			res, err := get(s, "/events")
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close()
			for r := bufio.NewReaderSize(res.Body, 1<<20); ; {
				line, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if strings.HasPrefix(line, "event: ") {
					events.Add(1)
				}
			}
		})
	}
	for k := 0; events.Load() < 250; k++ { // with a new frame all the time
		if err := s.Frame(toyFrame(k)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
	n, took := events.Load(), time.Since(begin)
	s.Close()
	streams.Wait()
	if most := turnBurst + int64(took/turnEvery) + 1; n > most {
		t.Errorf("%d events to 100 streams in %v, want at most %d", n, took, most)
	}
}

// The history is bounded, and covers the run evenly.
func TestHistory(t *testing.T) {
	cfg := toyConfig()
	cfg.MaxFrames = 20
	s := start(t, cfg)
	for k := range 100 {
		r := toyRecord(k)
		if k%2 == 1 {
			r.KL = math.NaN()
		}
		s.Record(r)
		if err := s.Frame(toyFrame(k)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Done("finished"); err != nil {
		t.Fatal(err)
	}
	e := open(t, s).next(t)
	if len(e.Rows) != 100 || e.Status != "ended" || e.End != "finished" || e.Run.Title != cfg.Title ||
		e.Rows[1][4] != nil || e.Rows[2][4] == nil {
		t.Errorf("%d rows, status %q, end %q, title %q", len(e.Rows), e.Status, e.End, e.Run.Title)
	}
	if n := len(e.Frames); n > 20 || n < 10 || e.Frames[0][1] != 0 || e.Frames[n-1][1] != 99 {
		t.Errorf("frames %v: want at most 20 from step 0 to 99", e.Frames)
	}
}

func TestConfigErrors(t *testing.T) {
	if _, err := NewServer(Config{Addr: "127.0.0.1:0"}); err == nil {
		t.Error("no box: no error")
	}
	cfg := toyConfig()
	cfg.Addr = "8080"
	if _, err := NewServer(cfg); err == nil || !strings.Contains(err.Error(), "host:port") {
		t.Errorf("address without port: %v", err)
	}
	s := start(t, toyConfig())
	cfg.Addr = s.Addr()
	if _, err := NewServer(cfg); err == nil || !strings.Contains(err.Error(), "port 0") {
		t.Errorf("port in use: %v", err)
	}
	cfg.Addr = ":0"
	s = start(t, cfg)
	if host, _, _ := net.SplitHostPort(s.Addr()); host != "127.0.0.1" {
		t.Errorf("no host: listens on %s, want loopback", host)
	}
}

// slow opens event streams that never read.
func slow(t testing.TB, s *Server, n int) {
	t.Helper()
	var wg sync.WaitGroup
	for range n {
		c, err := net.Dial("tcp", s.Addr())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		c.(*net.TCPConn).SetReadBuffer(2048)
		wg.Go(func() {
			fmt.Fprintf(c, "GET /events HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n", s.Addr(), s.Token())
		})
	}
	wg.Wait()
	for end := time.Now().Add(30 * time.Second); s.Viewers() < n && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	if s.Viewers() != n {
		t.Fatalf("%d viewers, want %d", s.Viewers(), n)
	}
}

// Two hundred clients that never read do not hold up the training loop: its calls wait for no lock that is held while
// a client is served, their work does not grow with the clients, and nothing is queued for a client. BenchmarkLoop
// has the times.
func TestSlowClients(t *testing.T) {
	cfg := toyConfig()
	cfg.MaxFrames = 10
	s := start(t, cfg)
	row := func() { s.Record(toyRecord(1)); s.Gate(context.Background()); s.Wanted() }
	alone := testing.AllocsPerRun(200, row)
	slow(t, s, 200)
	for k := range 30 { // fill their buffers
		if err := s.Frame(toyFrame(k)); err != nil {
			t.Fatal(err)
		}
	}
	// The lock under which clients are served is held: calls that need it would hang.
	s.mu.Lock()
	calls := make(chan error)
	go func() {
		row()
		calls <- s.Frame(toyFrame(30))
	}()
	select {
	case err := <-calls:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the training loop waits for clients")
	}
	// Handing over costs the same with and without clients.
	if crowd := testing.AllocsPerRun(200, row); crowd > alone+1 { // the inbox grows occasionally
		t.Errorf("%g allocations with 200 clients, %g without", crowd, alone)
	}
	s.mu.Unlock()
	for s.take(); ; time.Sleep(time.Millisecond) {
		s.mu.Lock()
		last := s.hist.frames[len(s.hist.frames)-1].step
		kept := len(s.hist.frames)
		for c := range s.clients {
			if len(c.news) > 1 {
				t.Errorf("%d news are queued for a client", len(c.news))
			}
		}
		s.mu.Unlock()
		if kept > cfg.MaxFrames {
			t.Fatalf("%d frames are kept, want at most %d", kept, cfg.MaxFrames)
		}
		if last == 30 {
			break
		}
	}
	// And a client that reads still gets updates.
	st := open(t, s)
	st.next(t)
	s.Record(toyRecord(5000))
	if e := st.next(t); len(e.Rows) == 0 {
		t.Errorf("no news beside slow clients: %+v", e)
	}
}

// BenchmarkLoop measures the cost of a step of the training loop with records at every step and frames every 20: the
// bare loop, without clients, with one that reads, and with 200 that do not.
func BenchmarkLoop(b *testing.B) {
	for _, clients := range []string{"none", "one", "slow200"} {
		b.Run("clients="+clients, func(b *testing.B) {
			s := start(b, toyConfig())
			switch clients {
			case "one":
				st := open(b, s)
				go io.Copy(io.Discard, st.r)
			case "slow200":
				slow(b, s, 200)
			}
			f := toyFrame(1)
			k, longest := 0, time.Duration(0)
			for b.Loop() {
				t0 := time.Now()
				s.Record(toyRecord(k))
				s.Gate(context.Background())
				if k++; k%20 == 0 && s.Wanted() {
					if err := s.Frame(f); err != nil {
						b.Fatal(err)
					}
				}
				longest = max(longest, time.Since(t0))
			}
			b.ReportMetric(float64(longest.Microseconds()), "longest-µs")
		})
	}
}

func TestThin(t *testing.T) {
	s := make([]int, 100)
	for i := range s {
		s[i] = i
	}
	out := thin(s)
	if len(out) != 38+25 || out[0] != 0 || out[1] != 2 || out[len(out)-1] != 99 || out[len(out)-25] != 75 {
		t.Errorf("got %v", out)
	}
}

// The wire format preserves the energies to its resolution.
func TestFrameEncoding(t *testing.T) {
	f := toyFrame(700)
	b, err := f.encode(3, 1.5, [2]float64{-4, -4}, [2]float64{4, 4})
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		ID, Step, N int
		Min, Full   float64
		E, S        []byte
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	if v.ID != 3 || v.Step != 700 || v.N != 64 {
		t.Errorf("got %d %d %d", v.ID, v.Step, v.N)
	}
	worst := 0.0
	for i, e := range f.Energy {
		got := v.Min + v.Full*float64(uint16(v.E[2*i])|uint16(v.E[2*i+1])<<8)/65535
		worst = math.Max(worst, math.Abs(got-e))
	}
	if worst > v.Full/65535+1e-4*math.Abs(v.Min) { // numbers have six digits
		t.Errorf("energies off by %g of %g", worst, v.Full)
	}
	f.Energy[0], f.Energy[1], f.Energy[2] = math.NaN(), math.Inf(1), 1e9
	if b, err = f.encode(0, 0, [2]float64{-4, -4}, [2]float64{4, 4}); err != nil || !json.Valid(b) {
		t.Errorf("with NaN and Inf: %v", err)
	}
}
