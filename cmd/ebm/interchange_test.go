package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/energy/safetensors"
	"github.com/stheno-ebm/stheno/internal/onnxtest"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// TestExport: an exported model computes what `ebm energy` says, in the units of the data.
func TestExport(t *testing.T) {
	tmp := t.TempDir()
	points := filepath.Join(tmp, "points.csv")
	if err := os.WriteFile(points, []byte(strings.Repeat("100,3\n120,-2\n90,5\n101,1\n118,0\n", 20)),
		0o600); err != nil {
		t.Fatal(err)
	}
	x := filepath.Join(tmp, "x.csv")
	if err := os.WriteFile(x, []byte("100,3\n110,0.5\n85,-4\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	at, err := datasets.Load(x)
	if err != nil {
		t.Fatal(err)
	}
	var jobs []onnxtest.Job
	var wants [][]float64
	for name, more := range map[string][]string{
		"scaled": {"--dataset", points, "--objective", "nce"},
		"bridge": {"--dataset", "moons", "--energy", "fourier", "--bridge", "0.5"},
	} {
		run := filepath.Join(tmp, name)
		trainSmall(t, run, more...).want(t, 0)
		model, table := filepath.Join(tmp, name+".onnx"), filepath.Join(tmp, name+".npy")
		ebm(t, "export", run, "--out", model, "--precision", "float64").want(t, 0)
		ebm(t, "energy", run, "--points", x, "--grad", "--out", table).want(t, 0)
		want, err := datasets.Load(table)
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(model)
		if err != nil {
			t.Fatal(err)
		}
		m, err := onnxtest.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		in := map[string]onnxtest.Tensor{"x": {Dims: []int{3, 2}, Data: at.RawMatrix().Data}}
		got, err := m.Run(in)
		if err != nil {
			t.Fatal(err)
		}
		compareExport(t, name, got, want.RawMatrix().Data)

		ebm(t, "export", run, "--out", model).want(t, 0)
		if b, err = os.ReadFile(model); err != nil {
			t.Fatal(err)
		}
		jobs, wants = append(jobs, onnxtest.Job{Model: b, Inputs: in}), append(wants, want.RawMatrix().Data)

		weights := filepath.Join(tmp, name+".safetensors")
		ebm(t, "export", run, "--out", weights).want(t, 0)
		sameArrays(t, weights, filepath.Join(run, "model.safetensors"))
		ebm(t, "export", run, "--out", weights, "--precision", "float64").want(t, 0)
		f, err := safetensors.ReadFile(weights)
		if err != nil {
			t.Fatal(err)
		}
		if w := f.Tensor("net.0.weight"); w == nil || w.DType != safetensors.F64 {
			t.Errorf("%s: net.0.weight is %v", name, w)
		}
	}
	run := filepath.Join(tmp, "scaled")
	ebm(t, "export", run, "--out", filepath.Join(tmp, "x.pt")).want(t, 2).oneLine(t, "--out", ".onnx or .safetensors")
	ebm(t, "export", run, "--format", "onxn", "--out", filepath.Join(tmp, "x.onnx")).want(t, 2).oneLine(t, "--format",
		"onnx")
	ebm(t, "export", run, "--format", "onnx", "--out", filepath.Join(tmp, "x.bin")).want(t, 2).oneLine(t, "--out",
		".onnx")
	ebm(t, "export", run, "--precision", "float16", "--out", filepath.Join(tmp, "x.onnx")).want(t, 2).oneLine(t,
		"--precision", "float32")
	t.Run("runtime", func(t *testing.T) {
		for i, got := range onnxtest.Runtime(t, jobs) {
			compareExport(t, "ONNX Runtime", got, wants[i])
		}
	})
}

// compareExport allows for rounding in proportion to the largest number. The runs compute in single precision.
func compareExport(t *testing.T, name string, got map[string]onnxtest.Tensor, want []float64) {
	t.Helper()
	top := 1.0
	for _, v := range want {
		top = math.Max(top, math.Abs(v))
	}
	for i, v := range want {
		k, j := i/3, i%3
		y := got["energy"].Data[k]
		if j > 0 {
			y = got["gradient"].Data[2*k+j-1]
		}
		if !(math.Abs(y-v) <= 3e-5*top) {
			t.Errorf("%s: row %d, column %d: got %g, want %g", name, k, j, y, v)
		}
	}
}

// eventLosses reads the losses of the only event file in dir, by step in order.
func eventLosses(t *testing.T, dir string) (steps []int, losses []float32) {
	t.Helper()
	files := train.EventFiles(dir)
	if len(files) != 1 {
		t.Fatalf("event files %v, want one", files)
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	// fields calls f for each field of a message.
	fields := func(b []byte, f func(num protowire.Number, v uint64, b []byte)) {
		for len(b) > 0 {
			num, typ, n := protowire.ConsumeTag(b)
			b = b[n:]
			var v uint64
			var s []byte
			switch typ {
			case protowire.VarintType:
				v, n = protowire.ConsumeVarint(b)
			case protowire.Fixed32Type:
				var w uint32
				w, n = protowire.ConsumeFixed32(b)
				v = uint64(w)
			case protowire.Fixed64Type:
				v, n = protowire.ConsumeFixed64(b)
			default:
				s, n = protowire.ConsumeBytes(b)
			}
			if n < 0 {
				t.Fatal("bad message")
			}
			f(num, v, s)
			b = b[n:]
		}
	}
	for len(b) > 0 {
		n := binary.LittleEndian.Uint64(b)
		var step int
		fields(b[12:12+n], func(num protowire.Number, v uint64, b []byte) {
			switch num {
			case 2:
				step = int(v)
			case 5:
				fields(b, func(_ protowire.Number, _ uint64, b []byte) {
					var tag string
					var value float32
					fields(b, func(num protowire.Number, v uint64, b []byte) {
						switch num {
						case 1:
							tag = string(b)
						case 2:
							value = math.Float32frombits(uint32(v))
						}
					})
					if tag == "loss" {
						steps, losses = append(steps, step), append(losses, value)
					}
				})
			}
		})
		b = b[16+n:]
	}
	return steps, losses
}

// TestTensorBoard: the event file has the losses of metrics.jsonl, even after a run was stopped and continued.
func TestTensorBoard(t *testing.T) {
	run := filepath.Join(t.TempDir(), "run")
	args := append(append([]string{"train", "--out", run, "--tensorboard"}, small...), "--steps", "3000")
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer cancel()
		for range 1000 { // until there are some records
			if b, _ := os.ReadFile(filepath.Join(run, "metrics.jsonl")); bytes.Count(b, []byte("\n")) > 20 {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	stopped := ebmContext(ctx, args...)
	check := func() int {
		t.Helper()
		records, err := train.ReadRecords(filepath.Join(run, "metrics.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		steps, losses := eventLosses(t, run)
		if len(steps) != len(records) {
			t.Fatalf("%d events for %d records", len(steps), len(records))
		}
		for i, r := range records {
			if steps[i] != r.Step || losses[i] != float32(r.Loss) {
				t.Errorf("got loss %g at step %d, want %g at %d", losses[i], steps[i], r.Loss, r.Step)
			}
		}
		return len(steps)
	}
	before := check()
	if stopped.code != 130 {
		t.Skipf("the run was over before it could be stopped: %d", stopped.code)
	}
	// Without the flag: a run that has an event file keeps it.
	ebm(t, "train", "--resume", run).want(t, 0)
	if after := check(); after <= before {
		t.Errorf("%d events, before the stop there were %d", after, before)
	}
}

// sameArrays fails unless an exported file has the arrays of the run and, of the data, nothing but the scale.
func sameArrays(t *testing.T, exported, own string) {
	t.Helper()
	got, err := safetensors.ReadFile(exported)
	if err != nil {
		t.Fatal(err)
	}
	want, err := safetensors.ReadFile(own)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got.Tensors, want.Tensors) {
		t.Errorf("%s: other arrays than %s", exported, own)
	}
	for key := range got.Metadata {
		if !slices.Contains([]string{"format", "energy", "activation", "spectral_norm", "standardizer", "sha256",
			"density", "discrete", "levels", "share"}, key) {
			t.Errorf("%s holds metadata %q", exported, key)
		}
	}
}

// TestExportWithoutData: nothing in an exported file reveals a point of the data, the file or its columns, unless
// there is a bridge; then the export says so.
func TestExportWithoutData(t *testing.T) {
	tmp := t.TempDir()
	t.Chdir(tmp)
	x := mat.NewDense(60, 2, nil)
	for i := range 60 {
		x.SetRow(i, []float64{math.Sin(float64(i)), math.Cos(float64(3 * i))})
	}
	if err := datasets.Save("secret-place.npy", x); err != nil {
		t.Fatal(err)
	}
	holds := func(path string) (n int) {
		f, err := safetensors.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		sc := datasets.NewStandardizer(x)
		z := mat.DenseCopyOf(x)
		sc.Apply(z, z)
		for i := range 60 {
			for _, a := range f.Tensors {
				for k := 0; k+1 < len(a.Data); k++ {
					if math.Hypot(a.Data[k]-z.At(i, 0), a.Data[k+1]-z.At(i, 1)) < 1e-6 {
						n++
					}
				}
			}
		}
		return n
	}
	for _, bridge := range []string{"0", "0.2"} {
		run := "run-" + bridge
		ebm(t, append(append([]string{"train", "--dataset", "secret-place.npy", "--objective", "sm", "--out", run},
			tiny...), "--bridge", bridge, "--smooth", "0")...).want(t, 0)
		for _, file := range []string{bridge + ".onnx", bridge + ".safetensors"} {
			r := ebm(t, "export", run, "--out", file, "--precision", "float64").want(t, 0)
			if note := strings.Contains(r.errout, "made of points of the data"); note != (bridge != "0") {
				t.Errorf("%s: stderr %q", file, r.errout)
			}
			b, err := os.ReadFile(file)
			if err != nil || bytes.Contains(b, []byte("secret")) {
				t.Errorf("%s names the file of the data (%v)", file, err)
			}
		}
		if n := holds(bridge + ".safetensors"); (n > 0) != (bridge != "0") {
			t.Errorf("bridge %s: %d points of the data in the file", bridge, n)
		}
	}
}
