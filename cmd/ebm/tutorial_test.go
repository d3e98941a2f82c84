package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTutorial runs every command of TUTORIAL.md, in order, in one shell. Training runs are given fewer steps, and all
// but one do without mixtures fitted to thousands of points; the clone is this one.
func TestTutorial(t *testing.T) {
	t.Parallel()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash")
	}
	page, err := os.ReadFile("TUTORIAL.md")
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, m := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllSubmatch(page, -1) {
		blocks = append(blocks, string(m[1]))
	}
	if len(blocks) < 8 {
		t.Fatalf("%d blocks of commands", len(blocks))
	}
	const start = "git clone https://github.com/stheno-ebm/stheno\ncd stheno\ngo build ./cmd/ebm\n"
	if blocks[0] != start {
		t.Fatalf("the page begins with %q, want %q", blocks[0], start)
	}

	dir := t.TempDir()
	self, err := os.Executable() // this test binary stands in for the program; CI builds it as the page says
	if err != nil {
		t.Fatal(err)
	}
	shorter := strings.Join(small, " ") + " --steps 200"
	script := "#!" + bash + `
case "$*" in
"train --resume "*) ;;
train*"runs/mine") set -- "$@" ` + shorter + ` ;;
train*) set -- "$@" ` + shorter + ` --no-base --smooth 0 ;;
esac
exec '` + self + `' "$@"
`
	if err := os.WriteFile(filepath.Join(dir, "ebm"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bash, "-eux", "-c", strings.Join(blocks[1:], "\n"))
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), asProgram+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{
		"runs/first/panel.png", "runs/first/surface.png", "runs/mine/samples.npy", "runs/mine/contour.pdf",
		"runs/again/eval.json", "runs/network/eval.json", "runs/more.csv", "runs/energies.csv",
	} {
		if st, err := os.Stat(filepath.Join(dir, name)); err != nil || st.Size() == 0 {
			t.Errorf("%s: not there, or empty (%v)", name, err)
		}
	}
	for _, file := range []struct {
		name  string
		lines int
	}{{"points.csv", 5000}, {"runs/energies.csv", 5000}, {"runs/more.csv", 2000}} {
		b, err := os.ReadFile(filepath.Join(dir, file.name))
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(b), "\n"); n < file.lines || n > file.lines+1 {
			t.Errorf("%s has %d lines, want %d", file.name, n, file.lines)
		}
	}
}

// TestTutorialTorch computes energies by the page's lines for PyTorch, and by the program.
func TestTutorialTorch(t *testing.T) {
	t.Parallel()
	const python = "/usr/bin/python3"
	if exec.Command(python, "-c", "import torch").Run() != nil {
		t.Skip("no PyTorch")
	}
	page, err := os.ReadFile("TUTORIAL.md")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile("(?s)```python\n(.*?)```").FindSubmatch(page)
	if code == nil {
		t.Fatal("no lines of Python")
	}
	dir := t.TempDir()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	check := []byte(`
import json, struct, torch
from torch import nn

b = open("net.safetensors", "rb").read()
n = struct.unpack("<Q", b[:8])[0]
header = json.loads(b[8 : 8 + n])
meta = header.pop("__metadata__")
w = {
    k: torch.frombuffer(bytearray(b[8 + n + v["data_offsets"][0] : 8 + n + v["data_offsets"][1]]),
                        dtype=getattr(torch, {"F32": "float32", "F64": "float64"}[v["dtype"]])).reshape(v["shape"]).float()
    for k, v in header.items()
}
scale = json.loads(meta["standardizer"])
mean, sd = torch.tensor(scale["mean"]), torch.tensor(scale["scale"])
rows = [[float(x) for x in line.split(",")] for line in open("points.csv")]
z = (torch.tensor(rows) - mean) / sd
` + strings.ReplaceAll("\n"+string(code[1]), "\n  ", "\n") + `
want = torch.tensor([float(line) for line in open("energies.csv").read().split()[-len(rows):]])
worst = (energy.detach().flatten() + sd.log().sum() - want).abs().max().item()
assert worst < 1e-3, worst
`)
	if err := os.WriteFile(filepath.Join(dir, "check.py"), check, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("bash", "-eu", "-c", `
ebm() { '`+program+`' "$@"; }
ebm data 2spirals --n 300 --out points.csv
ebm train --dataset points.csv --no-base --steps 50 --samples 0 --frames 0 --quiet --out run
ebm export run --out net.safetensors
ebm energy run --points points.csv --out energies.csv
`+python+` check.py`)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), asProgram+"=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
