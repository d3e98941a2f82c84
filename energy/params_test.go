package energy

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/energy/safetensors"
)

func TestParams(t *testing.T) {
	p := NewParams([]Spec{{"a", []int{2, 2}}, {"b", []int{3}}, {"c", []int{1}}})
	for i := range p.Data() {
		p.Data()[i] = float64(i)
	}
	if p.Len() != 8 || !floats.Equal(p.View("b"), []float64{4, 5, 6}) || p.View("x") != nil {
		t.Errorf("view b = %v", p.View("b"))
	}
	sub := p.Sub(1, 2)
	sub.View("c")[0] = -1
	if p.Data()[7] != -1 || sub.Len() != 4 {
		t.Error("Sub does not share θ")
	}
	v := p.Version()
	sub.Changed()
	if p.Version() == v {
		t.Error("Sub does not share the version")
	}
	q := p.Clone()
	q.Data()[0] = 9
	if p.Data()[0] != 0 {
		t.Error("Clone shares θ")
	}
	buf := make([][]float64, 0, 3)
	if n := testing.AllocsPerRun(10, func() { buf = p.AppendViews(buf[:0], p.Data()) }); n != 0 {
		t.Errorf("AppendViews allocates %g times", n)
	}
}

func TestLoadRefuses(t *testing.T) {
	p := NewParams([]Spec{{"a", []int{2}}, {"b", []int{1, 2}}})
	copy(p.Data(), []float64{1, 2, 3, 4})
	good := func() *safetensors.File {
		return &safetensors.File{Tensors: p.Clone().Tensors(safetensors.F64)}
	}
	for _, c := range []struct {
		change func(f *safetensors.File)
		says   string
	}{
		{func(f *safetensors.File) { f.Tensors = f.Tensors[:1] }, "missing b"},
		{func(f *safetensors.File) { f.Tensors[0].Name = "net.0" }, "unknown \"net.0\""},
		{func(f *safetensors.File) { f.Tensors[1].Shape = []int{2} }, "b has shape [2], the model wants [1 2]"},
		{func(f *safetensors.File) { f.Tensors[0].Data[1] = math.NaN() }, "a[1] is NaN"},
	} {
		f := good()
		c.change(f)
		err := p.Load(f)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("got %v, want an error with %q", err, c.says)
		}
		if !floats.Equal(p.Data(), []float64{1, 2, 3, 4}) {
			t.Fatal("θ was changed by a file that does not fit")
		}
	}
	v := p.Version()
	if err := p.Load(good()); err != nil || p.Version() == v {
		t.Errorf("a good file: %v", err)
	}
}

// Names may have a prefix that the parameters lack, or lack theirs; entries that are not weights are ignored.
func TestLoadPrefixes(t *testing.T) {
	specs := []Spec{{"net.0.weight", []int{2}}, {"net.0.bias", []int{1}}, {"net.2.weight", []int{1}}}
	for _, c := range []struct{ theirs, ours, says string }{
		{"", "", ""}, {"model.", "", ""}, {"module.", "", ""}, {"_orig_mod.model.", "", ""}, {"", "net.", ""},
		{"model.", "net.", ""},
		{"energy_net.", "net.", ""}, {"model", "net.0", "missing"}, {"", "net.0.", "missing"},
	} {
		p := NewParams(specs)
		f := &safetensors.File{Others: []safetensors.Other{{Name: "steps", DType: "I64"}}}
		for i, s := range specs {
			data := make([]float64, s.Shape[0])
			data[0] = float64(i + 1)
			f.Tensors = append(f.Tensors,
				safetensors.Tensor{Name: c.theirs + strings.TrimPrefix(s.Name, c.ours), Shape: s.Shape, Data: data})
		}
		err := p.Load(f)
		if c.says != "" {
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%q for %q: got %v, want %q", c.theirs, c.ours, err, c.says)
			}
			continue
		}
		if err != nil || !floats.Equal(p.Data(), []float64{1, 0, 2, 3}) {
			t.Errorf("%q for %q: got %v, %v", c.theirs, c.ours, p.Data(), err)
		}
		if theirs, ours := p.Prefix(f); theirs+strings.TrimPrefix("net.0.bias",
			ours) != c.theirs+strings.TrimPrefix("net.0.bias", c.ours) {
			t.Errorf("prefixes %q and %q, want %q and %q", theirs, ours, c.theirs, c.ours)
		}
		f.Tensors = append(f.Tensors, safetensors.Tensor{Name: "loss", Shape: []int{1}, Data: []float64{1}})
		if err := p.Load(f); err == nil || !strings.Contains(err.Error(), `unknown "loss"`) {
			t.Errorf("another tensor: got %v", err)
		}
	}
	p := NewParams(specs[:1])
	two := &safetensors.File{Tensors: []safetensors.Tensor{{Name: "a.net.0.weight", Shape: []int{2},
		Data: []float64{1, 2}}, {Name: "b.net.0.weight", Shape: []int{2}, Data: []float64{1, 2}}}}
	if err := p.Load(two); err == nil ||
		!strings.Contains(err.Error(), `2 sets of them, with the prefixes "a.", "b."`) {
		t.Errorf("two sets: got %v", err)
	}
}

const torchScript = `
import json, struct, sys
import torch
dtypes = {"F32": (torch.float32, 4), "F64": (torch.float64, 8)}

def read(path):
    raw = open(path, "rb").read()
    n = struct.unpack("<Q", raw[:8])[0]
    head, data = json.loads(raw[8:8 + n]), raw[8 + n:]
    head.pop("__metadata__", None)
    return {k: torch.frombuffer(bytearray(data[v["data_offsets"][0]:v["data_offsets"][1]]), dtype=dtypes[v["dtype"]][0]).reshape(v["shape"])
            for k, v in head.items()}

def write(path, state):
    head, data = {}, b""
    for k, v in state.items():
        b = v.detach().numpy().tobytes()
        head[k] = {"dtype": {torch.float32: "F32", torch.float64: "F64"}[v.dtype], "shape": list(v.shape), "data_offsets": [len(data), len(data) + len(b)]}
        data += b
    h = json.dumps(head).encode()
    open(path, "wb").write(struct.pack("<Q", len(h)) + h + data)

class Energy(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.net = torch.nn.Sequential(torch.nn.Linear(2, 7), torch.nn.SiLU(), torch.nn.Linear(7, 5), torch.nn.SiLU(), torch.nn.Linear(5, 1))
    def forward(self, x):
        return self.net(x)

x = torch.tensor(json.loads(sys.argv[2]), dtype=torch.float64).reshape(-1, 2)
ours = Energy().double()
ours.load_state_dict(read(sys.argv[1] + "/ours.safetensors"))
torch.manual_seed(1)
theirs = Energy()
write(sys.argv[1] + "/theirs.safetensors", theirs.state_dict())
print(json.dumps([ours(x).flatten().tolist(), theirs.double()(x).flatten().tolist()]))
`

// PyTorch loads our weights into an nn.Sequential, we load PyTorch's, and the energies agree.
func TestPyTorch(t *testing.T) {
	const python = "/usr/bin/python3"
	if exec.Command(python, "-c", "import torch").Run() != nil {
		t.Skip("no PyTorch at /usr/bin/python3")
	}
	e := must(NewMLP(MLPConfig{Dim: 2, Hidden: []int{7, 5}}))
	p := Init(e, newRNG(1))
	var buf bytes.Buffer
	if err := safetensors.Write(&buf,
		&safetensors.File{Tensors: p.Tensors(safetensors.F64),
			Metadata: map[string]string{"format": "pt"}}); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "ours.safetensors"), buf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "-c", torchScript, dir, "[0.5,-1,2,0.25,-3,1]")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	x := mat.NewDense(3, 2, []float64{0.5, -1, 2, 0.25, -3, 1})
	check := func(what string, p *Params, want []float64) {
		t.Helper()
		got := make([]float64, 3)
		if err := must(NewEvaluator(e, p, EvaluatorConfig{Precision: Float64})).Energies(got, x); err != nil {
			t.Fatal(err)
		}
		if !floats.EqualApprox(got, want, 1e-9) {
			t.Errorf("%s: got %v, PyTorch has %v", what, got, want)
		}
	}
	var energies [][]float64
	if err := json.Unmarshal(out, &energies); err != nil {
		t.Fatal(err)
	}
	check("our weights", p, energies[0])
	f, err := safetensors.ReadFile(filepath.Join(dir, "theirs.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	q := NewParams(e.Specs())
	if err := q.Load(f); err != nil {
		t.Fatal(err)
	}
	check("PyTorch's weights", q, energies[1])
}
