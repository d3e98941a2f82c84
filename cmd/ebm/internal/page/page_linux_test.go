package page

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/objectives/fit"
	"github.com/stheno-ebm/stheno/objectives/train"
	"github.com/stheno-ebm/stheno/viz/live"
)

// BenchmarkPage is what the live page takes from the default training, in processor time, as a share of that of the
// training alone: with one viewer at most 2 % are wanted, with two hundred slow ones at most 3 %. The clients are
// another process, which is not counted; what the kernel does for our end of their connections is.
//
// One training, on one thread, goes through blocks of equal steps without (A) and with clients (B), in the order ABBA:
// both have the same program in the same memory, and what drifts cancels. These shares are reported:
//
//   - frames-%: what the training thread does between two steps, in B more than in A: frames are made there;
//   - serving-%: what all other threads do, in B more than in A;
//   - after-%: by how much the step after a frame is slower than the others, for its data have left the caches;
//   - page-%: the sum of the three, which the noise of the training does not enter;
//   - all-%: what B has more than A in the whole process, as a check: the median over all ABBA, beside its
//     standard error, se-%;
//   - nobody-%: what all other threads do in A, while the server waits for viewers, the runtime's own work included.
//
// One iteration is one training:
//
//	go test ./cmd/ebm/internal/page -run ^$ -bench Page -benchtime 4x
func BenchmarkPage(b *testing.B) {
	for _, way := range []struct {
		name string
		crowd
	}{
		{"none", crowd{}}, // the noise of the measurement
		{"one", crowd{1, 0}},
		{"slow200", crowd{200, 20 << 10}}, // a frame takes 16 kB
		{"stuck200", crowd{200, -1}},
		{"fast200", crowd{200, 0}},
	} {
		b.Run("clients="+way.name, func(b *testing.B) {
			var m pageTimes
			for b.Loop() {
				m.watch(b, way.crowd)
			}
			m.report(b)
		})
	}
}

const (
	blockSteps = 300 // of the default run, which measures its KL once every so many steps
	blockWarm  = 20  // of these, right after clients have come or gone: not counted
)

// block is the processor time of a block of steps.
type block struct{ between, thread, process time.Duration }

func (x block) minus(y block) block {
	return block{x.between - y.between, x.thread - y.thread, x.process - y.process}
}

func (x block) others() time.Duration { return x.process - x.thread }

type pageTimes struct {
	blocks       []block         // in the order of time: A B B A A B B A …
	steps, after []time.Duration // of B: steps that do not follow a frame, and steps that do
}

func (m *pageTimes) report(b *testing.B) {
	var training, between, others, nobody time.Duration
	var all []float64
	for q := range slices.Chunk(m.blocks, 4) {
		training += q[0].process + q[3].process
		nobody += q[0].others() + q[3].others()
		between += q[1].between + q[2].between - q[0].between - q[3].between
		others += q[1].others() + q[2].others() - q[0].others() - q[3].others()
		all = append(all, float64(q[1].process+q[2].process)/float64(q[0].process+q[3].process)-1)
	}
	slower := time.Duration(len(m.after)) * (median(m.after) - median(m.steps))
	slices.Sort(all)
	n := len(all)
	sigma := (all[3*n/4] - all[n/4]) / 1.35 // of a normal distribution, from its quartiles
	share := func(name string, d time.Duration) { b.ReportMetric(100*d.Seconds()/training.Seconds(), name) }
	b.ReportMetric(median(m.steps).Seconds()*1e3, "step-cpu-ms")
	b.ReportMetric(float64(len(m.after))/float64(b.N), "frames")
	share("frames-%", between)
	share("serving-%", others)
	share("after-%", slower)
	share("page-%", between+others+slower)
	share("nobody-%", nobody)
	b.ReportMetric(100*all[n/2], "all-%")
	b.ReportMetric(100*1.25*sigma/math.Sqrt(float64(n)), "se-%") // 1.25: a median, not a mean
}

func median(t []time.Duration) time.Duration {
	if len(t) == 0 {
		return 0
	}
	t = slices.Sorted(slices.Values(t))
	return t[len(t)/2]
}

// watch trains once and appends its blocks.
func (m *pageTimes) watch(b *testing.B, c crowd) {
	b.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	truth, err := datasets.New("4squares")
	if err != nil {
		b.Fatal(err)
	}
	source := &hooked{Distribution: truth, before: func() {}}
	job, err := fit.Prepare(source, fit.Config{Dataset: "4squares", Threads: 1})
	if err != nil {
		b.Fatal(err)
	}
	dir, err := job.Create(filepath.Join(b.TempDir(), "run"))
	if err != nil {
		b.Fatal(err)
	}
	defer dir.Unlock()
	srv, err := Serve(job.Model, "127.0.0.1:0", false)
	if err != nil {
		b.Fatal(err)
	}
	defer srv.Close()
	clients := startClients(b, srv)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()

	thread := func() time.Duration { return cpuTime(unix.CLOCK_THREAD_CPUTIME_ID) }
	var begin block
	var between, left, entered time.Duration // from leaving a step to entering the next
	now := func() block { return block{between, thread(), cpuTime(unix.CLOCK_PROCESS_CPUTIME_ID)} }
	afterFrame, with := false, false
	source.before = func() {
		entered = thread()
		between += entered - left
		afterFrame = entered-left > time.Millisecond
	}
	last := (job.Config.Steps/blockSteps - 1) / 4 * 4
	progress := func(pr train.Progress) {
		left = thread()
		k, i := pr.Step/blockSteps, pr.Step%blockSteps
		switch {
		case with && i > blockWarm && afterFrame:
			m.after = append(m.after, left-entered)
		case with && i > blockWarm:
			m.steps = append(m.steps, left-entered)
		}
		switch i {
		case 0:
			if k > 1 {
				m.blocks = append(m.blocks, now().minus(begin))
			}
			if k > last {
				cancel()
				return
			}
			if with = (k-1)%4 == 1 || (k-1)%4 == 2; with {
				clients.open(b, srv, c)
			} else {
				clients.open(b, srv, crowd{})
			}
			left = thread()
		case blockWarm:
			begin = now()
		}
	}
	job.Config.Hooks.Step = func(pr train.Progress) error { progress(pr); return nil }
	Attach(job, dir, srv, false, func(error) { cancel() })
	if _, err := job.Run(ctx, dir); !errors.Is(err, context.Canceled) {
		b.Fatalf("got %v, want context.Canceled", err)
	}
}

// cpuTime reads a clock of processor time.
func cpuTime(clock int32) time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(clock, &t); err != nil {
		panic(err)
	}
	return time.Duration(t.Nano())
}

// hooked calls a function at the beginning of every draw.
type hooked struct {
	datasets.Distribution
	before func()
}

func (h *hooked) Sample(dst *mat.Dense, rng *rand.Rand) {
	h.before()
	h.Distribution.Sample(dst, rng)
}

// crowd is a number of event streams, and the bytes that each reads per second: all of them if rate is zero, one if it
// is negative.
type crowd struct{ n, rate int }

// clients are the event streams of another process: this test, run again.
type clients struct {
	orders  io.Writer
	answers *bufio.Scanner
}

const clientsOf = "EBM_CLIENTS_OF" // the address of the page and its token

func startClients(b *testing.B, srv *live.Server) *clients {
	b.Helper()
	cmd := exec.Command(os.Args[0], "-test.run", "^TestClients$")
	cmd.Env = append(os.Environ(), clientsOf+"="+srv.Addr()+" "+srv.Token())
	cmd.Stderr = os.Stderr
	orders, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	answers, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		orders.Close()
		if err := cmd.Wait(); err != nil {
			b.Error("clients:", err)
		}
	})
	return &clients{orders, bufio.NewScanner(answers)}
}

// open replaces the open streams, and returns when the new ones have received their first byte.
func (c *clients) open(b *testing.B, srv *live.Server, w crowd) {
	b.Helper()
	fmt.Fprintln(c.orders, w.n, w.rate)
	if !c.answers.Scan() {
		b.Fatal("the clients are gone")
	}
	for srv.Viewers() != w.n { // the previous ones
		time.Sleep(time.Millisecond)
	}
}

// TestClients is the process of the clients, not a test.
func TestClients(t *testing.T) {
	addr, token, _ := strings.Cut(os.Getenv(clientsOf), " ")
	if addr == "" {
		t.Skip("the other end of BenchmarkPage")
	}
	var open []net.Conn
	for orders := bufio.NewScanner(os.Stdin); orders.Scan(); {
		var w crowd
		if _, err := fmt.Sscan(orders.Text(), &w.n, &w.rate); err != nil {
			t.Fatal(err)
		}
		for _, c := range open {
			c.Close()
		}
		open = open[:0]
		var first sync.WaitGroup
		for range w.n {
			c, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			if w.rate < 0 {
				c.(*net.TCPConn).SetReadBuffer(2048)
			}
			fmt.Fprintf(c, "GET /events HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n", addr, token)
			open = append(open, c)
			first.Add(1)
			go func() {
				c.Read(make([]byte, 1))
				first.Done()
				for buf := make([]byte, 2048); w.rate >= 0; {
					n, err := c.Read(buf)
					if err != nil {
						return
					}
					if w.rate > 0 {
						time.Sleep(time.Duration(n) * time.Second / time.Duration(w.rate))
					}
				}
			}()
		}
		first.Wait()
		fmt.Println("open")
	}
}
