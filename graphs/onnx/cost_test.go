package onnx_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/graphs/onnx"
)

// pictures is a convolutional energy of 28×28 pictures and its gradient in them: 3×3 filters with 16 and 32 channels,
// pools between.
func pictures(rows int) (onnx.Graph, error) {
	g := G.NewGraph()
	var m onnx.Graph
	weight := func(name string, shape ...int) *G.Node {
		n := graphs.NewInput(g, tensor.Float32, name, shape...)
		m.Weights = append(m.Weights, onnx.Weight{Value: onnx.Value{Name: name, Node: n},
			Data: make([]float64, tensor.Shape(shape).TotalSize())})
		return n
	}
	var x *G.Node
	e, err := graphs.Try(func() *G.Node {
		x = graphs.NewInput(g, tensor.Float32, "x", rows, 1, 28, 28)
		h, channels, size := x, 1, 28
		for i, width := range []int{16, 32} {
			h = graphs.Conv2D(h, weight(fmt.Sprint("w", i), width, channels, 3, 3), nil, 1, 1, 1, 1)
			h = graphs.MaxPool2D(graphs.SiLU(h), 2, 2, 0)
			channels, size = width, size/2
		}
		flat := graphs.Reshape(h, rows, channels*size*size)
		return graphs.Affine(flat, weight("out", 1, channels*size*size), weight("bias", 1))
	})
	if err != nil {
		return m, err
	}
	dx, err := graphs.VJP(e, graphs.OnesLike(e), x)
	if err != nil {
		return m, err
	}
	m.Inputs = []onnx.Value{{Name: "x", Node: x}}
	m.Outputs = []onnx.Value{{Name: "energy", Node: e}, {Name: "gradient", Node: dx[0]}}
	return m, nil
}

// The batch axis is found in one build, whose cost does not depend on the batch size.
func TestCostOfPictures(t *testing.T) {
	builds := 0
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	model, err := onnx.MarshalBatch(func(rows int) (onnx.Graph, error) { builds++; return pictures(rows) }, onnx.Info{})
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	allocated := float64(after.TotalAlloc-before.TotalAlloc) / (1 << 20)
	t.Logf("%v, %.1f MiB allocated, a model of %.2f MiB", took, allocated, float64(len(model))/(1<<20))
	if builds != 1 || took > time.Second || allocated > 200 {
		t.Errorf("%d builds, %v, %.0f MiB allocated in all; want 1, less than 1 s and 200 MiB", builds, took, allocated)
	}
}
