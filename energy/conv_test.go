package energy

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/energy/safetensors"
)

// convTorch reads weights, prints energies and gradients of the points in the last argument, and writes the weights
// doubled.
const convTorch = `
import json, struct, sys
import torch
from torch import nn
file, back, pool, x = sys.argv[1:]
def act(): return [nn.SiLU(), nn.MaxPool2d(2)] if pool == "2" else [nn.SiLU()]
s = 1 if pool == "2" else 2
net = nn.Sequential(nn.Conv2d(1, 5, 3, s, 1), *act(), nn.Conv2d(5, 6, 3, s, 1), *act(), nn.Flatten(), nn.LazyLinear(4), nn.SiLU(), nn.Linear(4, 1))
x = torch.tensor([float(v) for v in x.strip("[]").split()], dtype=torch.float64).view(-1, 1, 9, 7).requires_grad_(True)
net.double()(x)
raw = open(file, "rb").read()
n, = struct.unpack("<Q", raw[:8])
state = {}
for name, t in json.loads(raw[8:8+n]).items():
    if name == "__metadata__": continue
    a, b = t["data_offsets"]
    state[name.removeprefix("net.")] = torch.frombuffer(bytearray(raw[8+n+a:8+n+b]), dtype=torch.float32).view(t["shape"]).double()
net.load_state_dict(state)
e = net(x)[:, 0]
g, = torch.autograd.grad(e.sum(), x)
print(*e.tolist(), *g.flatten().tolist())
head, data = {}, b""
for name, t in net.state_dict().items():
    v = struct.pack("<%df" % t.numel(), *(2 * t).flatten().tolist())
    head["net." + name] = {"dtype": "F32", "shape": list(t.shape), "data_offsets": [len(data), len(data) + len(v)]}
    data += v
head = json.dumps(head).encode()
head += b" " * (-len(head) % 8)
open(back, "wb").write(struct.pack("<Q", len(head)) + head + data)
`

// Names and shapes are those of PyTorch's nn.Sequential.
func TestConvSpecs(t *testing.T) {
	stride := must(NewConv(ConvConfig{Height: 28, Width: 28, Widths: []int{32, 64}, Hidden: []int{128}}))
	pool := must(NewConv(ConvConfig{Height: 28, Width: 28, Widths: []int{32, 64}, Hidden: []int{128}, Pool: 2}))
	for e, want := range map[Energy]string{
		stride: "[{net.0.weight [32 1 3 3]} {net.0.bias [32]} {net.2.weight [64 32 3 3]} {net.2.bias [64]} " +
			"{net.5.weight [128 3136]} {net.5.bias [128]} {net.7.weight [1 128]} {net.7.bias [1]}]",
		pool: "[{net.0.weight [32 1 3 3]} {net.0.bias [32]} {net.3.weight [64 32 3 3]} {net.3.bias [64]} " +
			"{net.7.weight [128 3136]} {net.7.bias [128]} {net.9.weight [1 128]} {net.9.bias [1]}]",
	} {
		if got := fmt.Sprint(e.Specs()); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// Every bad field is named.
func TestConvErrors(t *testing.T) {
	_, err := NewConv(ConvConfig{Height: 0, Width: 4, Kernel: 2, Stride: -1, Hidden: []int{0}, Activation: "none"})
	for _, want := range []string{"Conv.Height = 0", "Conv.Kernel = 2", "Conv.Stride = -1", "Conv.Hidden[0] = 0",
		"none", "Conv.Widths is empty"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want … %s …", err, want)
		}
	}
	_, err = NewConv(ConvConfig{Height: 4, Width: 4, Widths: []int{2, 2, 2}, Pool: 2})
	if err == nil || !strings.Contains(err.Error(), "convolution 2 leaves pictures of 1×1 only") {
		t.Errorf("too many pools: %v", err)
	}
	if err := Smooth(must(NewConv(ConvConfig{Height: 4, Width: 4, Widths: []int{2}, Pool: 2}))); err == nil {
		t.Error("an energy with maxima is said to be smooth")
	}
}

// PyTorch loads the weights by their names, computes the same energies and gradients, and writes weights that are read
// back.
func TestConvPyTorch(t *testing.T) {
	const python = "/usr/bin/python3"
	if testing.Short() {
		t.Skip("PyTorch takes seconds to start")
	}
	for name, cfg := range map[string]ConvConfig{
		"stride": {Height: 9, Width: 7, Widths: []int{5, 6}, Hidden: []int{4}},
		"pool":   {Height: 9, Width: 7, Widths: []int{5, 6}, Hidden: []int{4}, Pool: 2},
	} {
		t.Run(name, func(t *testing.T) {
			e := must(NewConv(cfg))
			rng := newRNG(3)
			p := Init(e, rng)
			for i := range p.Data() {
				p.Data()[i] = float64(float32(p.Data()[i]))
			}
			dir := t.TempDir()
			file, back := filepath.Join(dir, "a.safetensors"), filepath.Join(dir, "b.safetensors")
			var weights bytes.Buffer
			if err := safetensors.Write(&weights, &safetensors.File{Tensors: p.Tensors(safetensors.F32)}); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, weights.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			const n = 3
			x := normal(n, e.Dim(), rng)
			c := exec.Command(python, "-c", convTorch, file, back, fmt.Sprint(cfg.Pool), fmt.Sprint(x.RawMatrix().Data))
			var complaint strings.Builder
			c.Stderr = &complaint
			out, err := c.Output()
			switch {
			case errors.Is(err, fs.ErrNotExist) || strings.Contains(complaint.String(), "No module named 'torch'"):
				t.Skip("no PyTorch")
			case err != nil:
				t.Fatalf("%v: %s", err, complaint.String())
			}
			v := must(NewEvaluator(e, p, EvaluatorConfig{Batch: n, Precision: Float64}))
			u, g := make([]float64, n), mat.NewDense(n, e.Dim(), nil)
			if err := v.EnergyGrad(u, g, x); err != nil {
				t.Fatal(err)
			}
			for i, s := range strings.Fields(string(out)) {
				var want float64
				fmt.Sscan(s, &want)
				got := append(append([]float64(nil), u...), g.RawMatrix().Data...)[i]
				if math.Abs(got-want) > 1e-12*(1+math.Abs(want)) {
					t.Fatalf("number %d is %g, PyTorch has %g", i, got, want)
				}
			}
			q := NewParams(e.Specs())
			doubled := must(os.ReadFile(back))
			if err := q.Load(must(safetensors.Read(bytes.NewReader(doubled), int64(len(doubled))))); err != nil {
				t.Fatal(err)
			}
			for i, w := range q.Data() {
				if w != 2*p.Data()[i] {
					t.Fatalf("weight %d came back as %g, want %g", i, w, 2*p.Data()[i])
				}
			}
		})
	}
}
