package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

var (
	chaosTime = flag.Duration("chaos", 0, "how long TestChaos goes on; 0: a minute, with -short three seconds")
	chaosSeed = flag.Uint64("chaos-seed", 0, "seed of the moments of TestChaos; 0: another one every time")
)

// TestChaos subjects runs, at random moments, to everything that may happen to them: kills, signals, full and
// read-only disks, exhausted descriptors, folders renamed, replaced and deleted, corruption, pauses, clients, a
// second process. Afterwards every run is continued, and must end in the bytes of the undisturbed one; nothing may
// hang, and no stack trace may show.
//
//	go test ./cmd/ebm -run TestChaos -v -chaos 30m -timeout 1h
func TestChaos(t *testing.T) {
	t.Parallel()
	seed := *chaosSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	c := &chaos{t: t, rng: rand.New(rand.NewPCG(seed, 0)), tmp: t.TempDir(), counts: map[string]int{}}
	t.Logf("-chaos-seed %d", seed)
	defer func() { // whatever happens
		for _, k := range slices.Sorted(maps.Keys(c.counts)) {
			t.Logf("%4d %s", c.counts[k], k)
		}
	}()
	c.prepare()
	kinds := map[string]func(dir string){
		"killed": c.killed, "signalled": c.signalled, "stopped": c.stopped, "disk full": c.diskFull, "read-only": c.readOnly,
		"no descriptors": c.noDescriptors, "renamed": c.renamed, "replaced": c.replaced, "deleted": c.deleted,
		"damaged": c.damaged, "two processes": c.twoProcesses, "clients": c.clients, "sample": c.sample,
		"eval": c.eval, "show": c.show, "compare": c.compare,
	}
	names := slices.Sorted(maps.Keys(kinds))
	length := *chaosTime
	if length == 0 {
		length = time.Minute
		if testing.Short() {
			length = 3 * time.Second
		}
	}
	for n, start := 0, time.Now(); time.Since(start) < length && !t.Failed(); n++ {
		if n%len(names) == 0 {
			c.rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		}
		name, dir := names[n%len(names)], filepath.Join(c.tmp, strconv.Itoa(n))
		kinds[name](dir)
		c.counts["kind: "+name]++
		if t.Failed() {
			t.Logf("kind %q, try %d", name, n)
		}
		for _, d := range []string{dir, dir + ".old"} {
			if err := os.RemoveAll(d); err != nil {
				t.Error(err)
			}
		}
	}
}

// chaos is the state of the test.
type chaos struct {
	t      *testing.T
	rng    *rand.Rand
	tmp    string
	counts map[string]int

	args   []string      // of the training, except --out
	base   string        // the undisturbed run
	before string        // the contents of its directory
	whole  time.Duration // it takes

	compareBase   string        // an undisturbed comparison
	compareTime   time.Duration // it takes
	draws, judged []byte        // what sample and eval print about the undisturbed run
}

// hang is the time that a process may take on top of twenty times its undisturbed time.
const hang = 10 * time.Second

// process is the program in a process of its own.
type process struct {
	*exec.Cmd
	out, errout safeBuffer
	done        chan error
}

// safeBuffer may be read while it is being written.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func (c *chaos) start(args ...string) *process {
	c.t.Helper()
	p := &process{Cmd: command(c.t, args...), done: make(chan error, 1)}
	p.Stdout, p.Stderr = &p.out, &p.errout
	p.Env = append(p.Env, fmt.Sprintf("GOMAXPROCS=%d", 1+c.rng.IntN(2)))
	if err := p.Start(); err != nil {
		c.t.Fatal(err)
	}
	go func() { p.done <- p.Wait() }()
	return p
}

// wait returns the exit code, -1 for a process that was killed.
func (c *chaos) wait(p *process, usual time.Duration) int {
	c.t.Helper()
	var err error
	select {
	case err = <-p.done:
	case <-time.After(hang + 20*usual):
		_ = p.Process.Signal(syscall.SIGQUIT)
		<-p.done
		c.t.Fatalf("%v hangs:\n%s", p.Args[1:], p.errout.String())
	}
	if said := p.errout.String(); strings.Contains(said, "goroutine ") || strings.Contains(said, "panic") {
		c.t.Fatalf("%v:\n%s", p.Args[1:], said)
	}
	code := 0
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		code = exit.ExitCode()
	}
	c.counts[fmt.Sprintf("exit code %d", code)]++
	return code
}

// run starts a process and waits for it.
func (c *chaos) run(usual time.Duration, args ...string) (*process, int) {
	c.t.Helper()
	p := c.start(args...)
	return p, c.wait(p, usual)
}

// must runs a process and fails the test unless it succeeds.
func (c *chaos) must(usual time.Duration, args ...string) *process {
	c.t.Helper()
	p, code := c.run(usual, args...)
	if code != 0 {
		c.t.Fatalf("%v: exit code %d\n%s", args, code, p.errout.String())
	}
	return p
}

// prepare makes the undisturbed results that everything is compared with.
func (c *chaos) prepare() {
	c.args = killSettings(c.t, c.tmp)
	c.base, c.compareBase = filepath.Join(c.tmp, "base"), filepath.Join(c.tmp, "compare")
	start := time.Now()
	c.must(time.Minute, append(c.args, "--out", c.base)...)
	c.whole, c.before = time.Since(start), contents(c.t, c.base)
	start = time.Now()
	c.must(time.Minute, c.comparing(c.compareBase)...)
	c.compareTime = time.Since(start)
	c.judged = []byte(c.must(time.Minute, "eval", c.base, "--json").out.String())
	c.must(time.Minute, "sample", c.base, "--n", "200", "--out", filepath.Join(c.tmp, "draws.npy"))
	c.draws = c.read(filepath.Join(c.tmp, "draws.npy"))
}

func (c *chaos) comparing(dir string) []string {
	return []string{"compare", "--out", dir, "--datasets", "moons", "--objectives", "nce,dsm", "--quiet",
		"--set", "hidden=8,8", "--set", "steps=300",
		"--set", "samples=0", "--set", "grid=100", "--set", "test-points=200", "--set", "frames=0"}
}

func (c *chaos) read(path string) []byte {
	c.t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		c.t.Fatal(err)
	}
	return b
}

// some is a random fraction of a duration.
func (c *chaos) some(of time.Duration) time.Duration {
	return time.Duration(c.rng.Float64() * float64(of))
}

// next is the command that begins or continues the training in dir.
func (c *chaos) next(dir string) []string {
	if _, err := os.Stat(filepath.Join(dir, "config.json")); err == nil {
		return []string{"train", "--resume", dir}
	}
	return append(slices.Clone(c.args), "--out", dir)
}

// under begins the training and, some time after it has written its first record, does something to it. It returns
// the process unless that has already ended.
func (c *chaos) under(dir string, more ...string) *process {
	c.t.Helper()
	p := c.start(append(c.next(dir), more...)...)
	c.until(p, "record", func() bool {
		info, err := os.Stat(filepath.Join(dir, "metrics.jsonl"))
		return err == nil && info.Size() > 0
	})
	time.Sleep(c.some(c.whole * 2 / 3))
	return p
}

// finish continues a training to its end, which must be that of the undisturbed one.
func (c *chaos) finish(dir string) {
	c.t.Helper()
	c.must(c.whole, c.next(dir)...)
	sameRun(c.t, dir, c.base)
	if left, _ := filepath.Glob(filepath.Join(dir, "*", ".*.tmp")); len(left) > 0 {
		c.t.Errorf("left behind: %v", left)
	}
	c.counts["runs that ended in the same bytes"]++
}

func (c *chaos) kill(p *process) {
	time.Sleep(c.some(c.whole))
	_ = p.Process.Kill()
	if c.wait(p, c.whole) == -1 {
		c.counts["kills"]++
	}
}

func (c *chaos) killed(dir string) {
	for range 1 + c.rng.IntN(3) {
		c.kill(c.start(c.next(dir)...))
	}
	c.finish(dir)
}

func (c *chaos) signalled(dir string) {
	p := c.start(c.next(dir)...)
	time.Sleep(c.some(c.whole))
	_ = p.Process.Signal([]os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP}[c.rng.IntN(3)])
	switch code := c.wait(p, c.whole); code {
	case 0, 130, -1: // -1: before it listened
	default:
		c.t.Errorf("signalled: exit code %d\n%s", code, p.errout.String())
	}
	c.finish(dir)
}

func (c *chaos) stopped(dir string) {
	p := c.start(c.next(dir)...)
	for range 3 {
		time.Sleep(c.some(c.whole / 3))
		_ = p.Process.Signal(syscall.SIGSTOP)
		time.Sleep(c.some(c.whole / 3))
		_ = p.Process.Signal(syscall.SIGCONT)
	}
	if code := c.wait(p, c.whole); code != 0 {
		c.t.Errorf("stopped and continued: exit code %d\n%s", code, p.errout.String())
	}
	c.finish(dir)
}

// disk mounts a file system for the test, where that is allowed.
func (c *chaos) disk(dir, options string) (ok bool) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		c.t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		c.counts["skipped: no tmpfs can be mounted here"]++
		return false
	}
	return true
}

func (c *chaos) remount(dir string, flags uintptr, options string) {
	c.t.Helper()
	if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_REMOUNT|flags, options); err != nil {
		c.t.Fatal(err)
	}
}

func (c *chaos) unmount(dir string) {
	if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
		c.t.Error(err)
	}
}

func (c *chaos) diskFull(dir string) {
	if !c.disk(dir, fmt.Sprintf("size=%dk", 40+c.rng.IntN(500))) {
		return
	}
	defer c.unmount(dir)
	run := filepath.Join(dir, "run")
	if p, code := c.run(c.whole, c.next(run)...); code != 0 {
		c.counts["disks that were full"]++
		if !strings.Contains(p.errout.String(), "no space left") {
			c.t.Errorf("disk full: exit code %d, %s", code, p.errout.String())
		}
	}
	c.remount(dir, 0, "size=64m")
	c.finish(run)
}

func (c *chaos) readOnly(dir string) {
	if !c.disk(dir, "size=64m") {
		return
	}
	defer c.unmount(dir)
	run := filepath.Join(dir, "run")
	c.kill(c.start(c.next(run)...))
	c.remount(dir, unix.MS_RDONLY, "")
	if _, err := os.Stat(filepath.Join(run, "checkpoint", "sums.json")); errors.Is(err, fs.ErrNotExist) {
		if p, code := c.run(c.whole, c.next(run)...); code == 0 || !strings.Contains(p.errout.String(), "read-only") {
			c.t.Errorf("read-only: exit code %d, %s", code, p.errout.String())
		}
	}
	c.remount(dir, 0, "size=64m")
	c.finish(run)
}

// noDescriptors uses up all descriptors but those that are open.
func (c *chaos) noDescriptors(dir string) {
	p := c.under(dir)
	var most uint64
	open, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.Process.Pid))
	for _, e := range open {
		if n, err := strconv.ParseUint(e.Name(), 10, 64); err == nil {
			most = max(most, n)
		}
	}
	if most > 0 {
		_ = unix.Prlimit(p.Process.Pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: most + 1, Max: most + 1}, nil)
	}
	if code := c.wait(p, c.whole); code != 0 {
		said := p.errout.String()
		if !strings.Contains(said, "too many open files") {
			c.t.Errorf("no descriptors: exit code %d, %s", code, said)
		}
		if strings.Contains(said, "checkpoint") {
			c.t.Errorf("no descriptors: a training ended: %s", said)
		}
		c.counts["runs without descriptors that failed after the training"]++
	}
	c.finish(dir)
}

// moved does something to the folder of a run, which must no longer write under its old name.
func (c *chaos) moved(dir string, move func() error) {
	c.t.Helper()
	p := c.under(dir)
	if err := move(); err != nil {
		c.t.Fatal(err)
	}
	if code := c.wait(p, c.whole); code != 0 {
		c.counts["runs that noticed"]++
		if said := p.errout.String(); !strings.Contains(said, "renamed or replaced") &&
			!strings.Contains(said, "no such file") {
			c.t.Errorf("moved: exit code %d, %s", code, said)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) > 0 {
		c.t.Errorf("%v was written under the old name", entries)
	}
}

func (c *chaos) renamed(dir string) {
	c.moved(dir, func() error { return os.Rename(dir, dir+".old") })
	c.finish(dir + ".old")
}

func (c *chaos) replaced(dir string) {
	c.moved(dir, func() error { return errors.Join(os.Rename(dir, dir+".old"), os.Mkdir(dir, 0o755)) })
	c.finish(dir + ".old")
	c.finish(dir)
}

func (c *chaos) deleted(dir string) {
	c.moved(dir, func() error {
		gone := dir + ".old" // in one step, not file by file
		if err := os.Rename(dir, gone); err != nil {
			return err
		}
		for start := time.Now(); ; { // the run may make more files there until it notices
			if err := os.RemoveAll(gone); !errors.Is(err, syscall.ENOTEMPTY) || time.Since(start) > hang {
				return err
			}
		}
	})
	c.finish(dir)
}

// damaged corrupts the newest checkpoint.
func (c *chaos) damaged(dir string) {
	c.kill(c.start(c.next(dir)...))
	state := filepath.Join(dir, "checkpoint", "state")
	_, sealed := os.Stat(filepath.Join(dir, "checkpoint", "sums.json"))
	if _, err := os.Stat(state + ".1"); err == nil && sealed != nil {
		spoil(c.t, state, []string{"truncated", "flipped", "emptied", "missing"}[c.rng.IntN(4)])
		c.counts["damaged checkpoints"]++
	}
	c.finish(dir)
}

func (c *chaos) twoProcesses(dir string) {
	c.kill(c.start(c.next(dir)...))
	a, b := c.start(c.next(dir)...), c.start(c.next(dir)...)
	codes := []int{c.wait(a, c.whole), c.wait(b, c.whole)}
	if !slices.Contains(codes, 0) {
		c.t.Errorf("two processes: exit codes %v, %s%s", codes, a.errout.String(), b.errout.String())
	}
	c.finish(dir)
}

// until waits for what a training or a page does first, for as long as a whole training may take.
func (c *chaos) until(p *process, what string, done func() bool) {
	c.t.Helper()
	for start := time.Now(); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Since(start) > hang+20*c.whole {
			c.t.Fatalf("no %s: %s", what, p.errout.String())
		}
	}
}

// address waits for the address of a page.
func (c *chaos) address(p *process) (page string) {
	c.t.Helper()
	at := regexp.MustCompile(`http://\S+`)
	c.until(p, "page", func() bool {
		page = at.FindString(p.errout.String())
		return page != ""
	})
	return page
}

// flood has clients send requests, with and without the token, and never read the responses, until stop is closed.
func (c *chaos) flood(page string, stop chan struct{}) {
	u, err := url.Parse(page)
	if err != nil {
		c.t.Fatal(err)
	}
	client := &http.Client{Timeout: time.Second}
	for k := range 12 {
		go func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if k%2 == 0 {
					if conn, err := net.Dial("tcp", u.Host); err == nil {
						fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", u.RequestURI(), u.Host)
						time.Sleep(50 * time.Millisecond)
						conn.Close()
					}
				} else if r, err := client.Get("http://" + u.Host +
					[]string{u.RequestURI(), "/", "/events", "/../etc/passwd"}[k/2%4]); err == nil {
					_, _ = io.CopyN(io.Discard, r.Body, 1<<12)
					r.Body.Close()
				}
				time.Sleep(5 * time.Millisecond)
			}
		}()
	}
}

func (c *chaos) clients(dir string) {
	p := c.start(append(c.next(dir), "--live", "127.0.0.1:0")...)
	stop := make(chan struct{})
	defer close(stop)
	c.flood(c.address(p), stop)
	if code := c.wait(p, c.whole); code != 0 {
		c.t.Errorf("clients: exit code %d\n%s", code, p.errout.String())
	}
	c.finish(dir)
}

// reading does something to a command that only reads a run.
func (c *chaos) reading(what func()) {
	c.t.Helper()
	what()
	if contents(c.t, c.base) != c.before {
		c.t.Error("the run directory changed")
	}
}

func (c *chaos) sample(dir string) {
	file := dir + ".npy"
	args := []string{"sample", c.base, "--n", "200", "--out", file}
	c.reading(func() {
		c.kill(c.start(args...))
		if b, err := os.ReadFile(file); err == nil && !bytes.Equal(b, c.draws) {
			c.t.Error("half a file of draws, or others")
		}
		c.must(c.whole, args...)
		if !bytes.Equal(c.read(file), c.draws) {
			c.t.Error("other draws than before")
		}
	})
}

func (c *chaos) eval(string) {
	args := []string{"eval", c.base, "--json"}
	c.reading(func() {
		c.kill(c.start(args...))
		if got := c.must(c.whole, args...).out.String(); got != string(c.judged) {
			c.t.Error("other measures than before")
		}
	})
}

func (c *chaos) show(string) {
	c.reading(func() {
		p := c.start("show", c.base, "--live", "127.0.0.1:0")
		stop := make(chan struct{})
		defer close(stop)
		c.flood(c.address(p), stop)
		time.Sleep(c.some(c.whole / 2))
		_ = p.Process.Signal(syscall.SIGTERM)
		if code := c.wait(p, c.whole); code != 0 && code != 130 {
			c.t.Errorf("show: exit code %d\n%s", code, p.errout.String())
		}
	})
}

func (c *chaos) compare(dir string) {
	for range 1 + c.rng.IntN(2) {
		p := c.start(c.comparing(dir)...)
		time.Sleep(c.some(c.compareTime))
		_ = p.Process.Kill()
		c.wait(p, c.compareTime)
	}
	c.must(c.compareTime, c.comparing(dir)...)
	weights, _ := filepath.Glob(filepath.Join(c.compareBase, "cells", "*", "model.safetensors"))
	if len(weights) == 0 {
		weights, _ = filepath.Glob(filepath.Join(c.compareBase, "cells", "*", "*", "model.safetensors"))
	}
	if len(weights) == 0 {
		c.t.Error("the comparison has no runs")
	}
	for _, w := range weights {
		same(c.t, filepath.Join(dir, w[len(c.compareBase):]), w)
	}
}
