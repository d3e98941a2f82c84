package live

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// browser starts a headless Chromium, or skips the test if there is none.
func browser(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Skip("no Chromium on the PATH")
	}
	opts := append(
		chromedp.DefaultExecAllocatorOptions[:len(
			chromedp.DefaultExecAllocatorOptions):len(chromedp.DefaultExecAllocatorOptions)], chromedp.ExecPath(path),
		chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1400, 840),
		chromedp.Flag("disable-quic", true), chromedp.Flag("no-first-run", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.DisableGPU)
	if os.Geteuid() == 0 {
		opts = append(opts, chromedp.NoSandbox)
	}
	alloc, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(func() { chromedp.Cancel(ctx); cancel(); stop() })
	if err := chromedp.Do(ctx); err != nil { // starts it
		t.Fatal(err)
	}
	return ctx
}

// toyRun trains nothing, at some 400 steps per second, until it is stopped.
func toyRun(s *Server, steps *atomic.Int64) {
	for k := 1; k <= 100000; k++ {
		if s.Gate(context.Background()) {
			s.Done("stopped")
			return
		}
		s.Record(toyRecord(k))
		s.Offer(func() (Frame, error) { return toyFrame(k), nil })
		steps.Store(int64(k))
		time.Sleep(2500 * time.Microsecond)
	}
}

func TestPage(t *testing.T) {
	ctx := browser(t)
	s := start(t, toyConfig())
	var steps atomic.Int64
	ended := make(chan struct{})
	go func() { toyRun(s, &steps); close(ended) }()

	ctx, cancel := context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	run := func(what string, a ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(ctx, a...); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	eval := func(js string) string {
		t.Helper()
		v, err := chromedp.Run(ctx, chromedp.Evaluate[string]("String("+js+")"))
		if err != nil {
			t.Fatalf("%s: %v", js, err)
		}
		return v
	}
	poll := func(what, js string) { // not chromedp.Poll: it evaluates in the page, which the page's policy forbids
		t.Helper()
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(30 * time.Millisecond) {
			ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+js+")"))
			if ok && err == nil { // an error while one page is being replaced by the next
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%s: not within 20 s: %v", what, err)
			}
		}
	}

	run("load", chromedp.Navigate(s.URL()))
	poll("frames arrive", `stheno.received >= 3 && stheno.rows[0].length > 20`)
	if got := eval("location.href"); got != "http://"+s.Addr()+"/" {
		t.Errorf("address %q still shows the token", got)
	}
	// Everything is drawn: no canvas is a single colour.
	for _, id := range []string{"plane", "surface", "chart-loss", "chart-grad_norm", "chart-kl", "chart-accept",
		"chart-rate"} {
		js := fmt.Sprintf(`(() => { const c = document.getElementById(%q), d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data, s = new Set();
			for (let i = 0; i < d.length; i += 4) s.add(d[i] << 16 | d[i+1] << 8 | d[i+2]); return s.size; })() > 20`, id)
		poll(id+" is drawn", js)
	}
	// Dragging rotates the surface: the pixels of a still frame change.
	eval(`(show(0), 1)`)
	poll("scrubbed", `!stheno.live && stheno.frame.id === stheno.frames[0][0] && stheno.dirty.size === 0`)
	pixels := `(() => { const c = document.getElementById("surface"), d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data; let h = 7; for (let i = 0; i < d.length; i += 1) h = (h*31 + d[i]) | 0; return h; })()`
	before := eval(pixels)
	if again := eval(pixels); again != before {
		t.Error("a still frame changes by itself")
	}
	type rect struct{ X, Y, W, H float64 }
	box, err := chromedp.Run(ctx,
		chromedp.Evaluate[rect](`(() => { const r = document.getElementById("surface").getBoundingClientRect(); return {X:r.x, Y:r.y, W:r.width, H:r.height}; })()`))
	if err != nil {
		t.Fatal(err)
	}
	cx, cy := box.X+box.W/2, box.Y+box.H/2
	run("drag", chromedp.DragAndDropXY(cx, cy, cx+90, cy-30, 4))
	poll("turned", `stheno.yaw !== -60 && stheno.dirty.size === 0`)
	if eval(pixels) == before {
		t.Error("the surface did not turn")
	}

	run("pause", chromedp.Click("#pause"))
	poll("paused", `stheno.status === "paused" && document.getElementById("pause").textContent === "Resume"`)
	time.Sleep(50 * time.Millisecond)
	at := steps.Load()
	time.Sleep(100 * time.Millisecond)
	if steps.Load() != at {
		t.Error("the run goes on while paused")
	}
	run("resume", chromedp.Click("#pause"))
	poll("running", `stheno.status === "running"`)
	for end := time.Now().Add(5 * time.Second); steps.Load() == at && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	if steps.Load() == at {
		t.Error("the run does not resume")
	}

	// A reload has the whole history, and still the token.
	n := eval("stheno.rows[0].length")
	run("reload", chromedp.Reload())
	poll(
		"history is kept", fmt.Sprintf(
			`window.stheno && stheno.rows[0].length >= %s && stheno.frames.length >= 3 && stheno.rows[0][0] === 1`, n))
	poll("controls work after the reload", `!document.getElementById("pause").disabled`)

	// A wrong token is refused, and the page says so.
	eval(`(stheno.token = "wrong", control("pause"), 1)`)
	poll("refusal is shown", `document.getElementById("message").textContent.includes("token")`)
	if s.status.Load() != running {
		t.Error("a wrong token paused the run")
	}
	eval(fmt.Sprintf(`(stheno.token = %q, 1)`, s.Token()))

	run("stop", chromedp.Click("#stop"), chromedp.Click("#stop"))
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("the run does not stop")
	}
	poll("the end is shown", `stheno.status === "ended" && document.getElementById("status").textContent === "stopped"`)

	// A viewer who comes after the end sees the run from the first step: the page requests frames that nobody had
	// seen.
	late := start(t, toyConfig())
	for k := range 100 {
		late.Later(10*k, func() (Frame, error) { return toyFrame(10 * k), nil })
		late.Record(toyRecord(10*k + 1))
	}
	if err := late.Done("finished"); err != nil {
		t.Fatal(err)
	}
	run("come late", chromedp.Navigate(late.URL()))
	poll("the last frame is shown",
		`window.stheno && stheno.frames.length === 100 && stheno.frame && stheno.frame.step === 990 && stheno.dirty.size === 0`)
	before = eval(pixels)
	eval(
		`(document.getElementById("scrub").value = 0, document.getElementById("scrub").dispatchEvent(new Event("input")), 1)`)
	poll("the first frame is shown", `stheno.frame.step === 0 && stheno.dirty.size === 0`)
	if eval(pixels) == before {
		t.Error("the first frame looks like the last")
	}
	eval(`(document.getElementById("play").click(), 1)`)
	poll("all frames are played", `stheno.live && stheno.frame.step === 990 && stheno.cache.size >= 60`)

	// A page of another origin can neither read nor control.
	other := start(t, toyConfig())
	run("foreign page", chromedp.Navigate(other.URL()))
	poll("loaded", `window.stheno && stheno.run`)
	eval(
		fmt.Sprintf(
			`(window.got = "", fetch("http://%s/events?token=%s").then(r => got = "read", e => got = "refused"), 1)`,
			s.Addr(), s.Token()))
	poll("foreign read refused", `got === "refused"`)

	// Without the token there is a form for it; a wrong one is refused, and the page says so.
	run("no token", chromedp.Navigate("http://"+other.Addr()+"/"))
	eval(`(sessionStorage.clear(), 1)`)
	run("no token", chromedp.Navigate("http://"+other.Addr()+"/"))
	poll("the form is shown", `!window.stheno && document.getElementById("token")`)
	eval(`(document.getElementById("token").value = "wrong", document.getElementById("form").requestSubmit(), 1)`)
	poll("refused", `!window.stheno && document.getElementById("message").textContent.includes("not the token")`)
	eval(
		fmt.Sprintf(`(document.getElementById("token").value = %q, document.getElementById("form").requestSubmit(), 1)`,
			other.Token()))
	poll("signed in", `window.stheno && stheno.run && !location.search`)
	eval(`(sessionStorage.clear(), 1)`)
	run("token in the fragment", chromedp.Navigate("http://"+other.Addr()+"/#token="+other.Token()))
	run("token in the fragment", chromedp.Reload())
	poll("signed in by the fragment", `window.stheno && stheno.run`)
}
