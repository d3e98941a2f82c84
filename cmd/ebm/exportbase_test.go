package main

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/graphs/onnx/onnxtest"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// An exported model that corrects a base, or is one, has base and correction: it computes what `ebm energy` says, and its
// safetensors file is the weights of the run.
func TestExportBase(t *testing.T) {
	tmp := t.TempDir()
	rng := train.Stream(1, "bent")
	x := mat.NewDense(800, 4, nil)
	for i := range 800 {
		row := x.RawRowView(i)
		row[0] = rng.NormFloat64()
		for j := 1; j < 4; j++ {
			row[j] = 100*math.Cos(2*row[0]+float64(j)) + 10*rng.NormFloat64()
		}
	}
	points, few := filepath.Join(tmp, "points.csv"), filepath.Join(tmp, "few.csv")
	at := x.Slice(0, 5, 0, 4).(*mat.Dense)
	for path, m := range map[string]*mat.Dense{points: x, few: mat.DenseCopyOf(at)} {
		if err := datasets.Save(path, m); err != nil {
			t.Fatal(err)
		}
	}
	for name, more := range map[string][]string{"corrected": {"--steps", "1000", "--hidden", "32"}, "base": {"--steps", "1"}} {
		run := filepath.Join(tmp, name)
		var result struct {
			Share float64 `json:"share"`
		}
		args := append([]string{"--dataset", points, "--objective", "nce", "--batch", "256", "--json"}, more...)
		if err := json.Unmarshal([]byte(trainSmall(t, run, args...).want(t, 0).out), &result); err != nil {
			t.Fatal(err)
		}
		if (result.Share > 0) != (name == "corrected") {
			t.Fatalf("%s: share %g", name, result.Share)
		}
		model, weights, table := filepath.Join(tmp, name+".onnx"), filepath.Join(tmp, name+".safetensors"), filepath.Join(tmp, name+".npy")
		ebm(t, "export", run, "--out", model, "--precision", "float64").want(t, 0)
		ebm(t, "export", run, "--out", weights).want(t, 0)
		sameArrays(t, weights, filepath.Join(run, "model.safetensors"))
		ebm(t, "energy", run, "--points", few, "--grad", "--out", table).want(t, 0)
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
		got, err := m.Run(map[string]onnxtest.Tensor{"x": {Dims: []int{5, 4}, Data: mat.DenseCopyOf(at).RawMatrix().Data}})
		if err != nil {
			t.Fatal(err)
		}
		top := mat.Max(want)
		for i := range 5 {
			for j, w := range want.RawRowView(i) {
				y := got["energy"].Data[i]
				if j > 0 {
					y = got["gradient"].Data[4*i+j-1]
				}
				if !(math.Abs(y-w) <= 1e-4*math.Max(1, top)) {
					t.Errorf("%s: row %d, column %d: got %g, want %g", name, i, j, y, w)
				}
			}
		}
	}
}
