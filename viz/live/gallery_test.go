package live

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

var gallery = flag.String("gallery", "", "folder for the pictures of viz/README.md: go generate ./viz")

// TestGallery makes the pictures of viz/README.md as a user would: it builds ebm, trains three models, draws each
// picture by ebm plot, and takes screenshots of the page in a browser that watches the first training.
func TestGallery(t *testing.T) {
	if *gallery == "" {
		t.Skip("without -gallery")
	}
	if err := os.MkdirAll(*gallery, 0o755); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	bin := filepath.Join(dir, "ebm")
	if out, err := exec.Command("go", "build", "-o", bin, "../../cmd/ebm").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ebm := func(args string) {
		t.Helper()
		t.Log("ebm " + args)
		cmd := exec.Command(bin, strings.Fields(args)...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("ebm %s: %v\n%s", args, err, out)
		}
	}
	keep := func(name, file string) {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Ext(name) == ".png" { // the program favours speed, the repository small files
			img, err := png.Decode(bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			var small bytes.Buffer
			if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, img); err != nil {
				t.Fatal(err)
			}
			b = small.Bytes()
		}
		if err := os.WriteFile(filepath.Join(*gallery, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}

	watch(t, exec.Command(bin, "train", "--quiet", "--live", "127.0.0.1:0", "--out", "4squares"), dir)
	keep("panel.png", "4squares/panel.png")
	keep("training.gif", "4squares/animation.gif")
	ebm("plot 4squares --kind density,diagnostics")
	keep("density.png", "4squares/density.png")
	keep("diagnostics.png", "4squares/diagnostics.png")

	ebm("train --dataset pinwheel --quiet --out pinwheel")
	ebm("plot pinwheel --style dark")
	keep("panel-dark.png", "pinwheel/panel.png")
	ebm("plot pinwheel --kind contour,surface,score,loss")
	for _, k := range []string{"contour", "surface", "score", "loss"} {
		keep(k+".png", "pinwheel/"+k+".png")
	}

	ebm("train --dataset 2spirals --objective nce --quiet --out 2spirals")
	ebm("plot 2spirals --kind samples,chains")
	keep("samples.png", "2spirals/samples.png")
	keep("chains.gif", "2spirals/chains.gif")
}

// watch trains with a page, and takes a screenshot of it in both themes after two thirds of the steps.
func watch(t *testing.T, cmd *exec.Cmd, dir string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(browser(t), 15*time.Minute)
	defer cancel()
	cmd.Dir = dir
	errout, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	r := bufio.NewReader(errout)
	line, err := r.ReadString('\n')
	if err != nil {
		t.Fatalf("%v: no address in %q", err, line)
	}
	go io.Copy(io.Discard, r)
	url := line[strings.Index(line, "http://"):]

	run := func(a ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(ctx, a...); err != nil {
			t.Fatal(err)
		}
	}
	when := func(js string) {
		t.Helper()
		for {
			ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+js+")"))
			if err != nil {
				t.Fatalf("%s: %v", js, err)
			}
			if ok {
				return
			}
			time.Sleep(30 * time.Millisecond)
		}
	}
	run(chromedp.Navigate(strings.TrimSpace(url)))
	when(
		`window.stheno && stheno.run && stheno.rows[0].at(-1) > stheno.run.steps*2/3 && stheno.frame && stheno.frame.step > stheno.run.steps*2/3`)
	run(chromedp.Click("#pause"))
	when(`stheno.status === "paused" && (document.getElementById("showArrows").checked = true)`)
	for _, name := range []string{"light", "dark"} {
		run(chromedp.Sleep(time.Second))
		b, err := chromedp.Run(ctx, chromedp.FullScreenshot(85))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(*gallery, "live-"+name+".jpg"), b, 0o644); err != nil {
			t.Fatal(err)
		}
		run(chromedp.Click("#theme"))
	}
	run(chromedp.Click("#pause"))
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
}
