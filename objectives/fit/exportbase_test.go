package fit

import (
	"bytes"
	"errors"
	"math"
	"strconv"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/energy/safetensors"
	"github.com/stheno-ebm/stheno/internal/onnxtest"
)

// Exported models carry base, warp and network: the ONNX model computes energies and gradients of the whole, and the
// safetensors file holds the base, the warp, the weights and the share of the correction.
func TestExportBase(t *testing.T) {
	path := curved(t, 400)
	c := quick(50)
	c.Dataset, c.Samples, c.Precision = path, -1, "float64"
	m, err := Train(t.Context(), opened(t, path), c)
	if err != nil {
		t.Fatal(err)
	}
	const rows = 7
	if !m.Warped() {
		t.Fatal("nothing is bent")
	}
	x := mat.DenseCopyOf(m.data.train.Slice(0, rows, 0, m.Dim()))
	for _, share := range []float64{0, 0.6} {
		m.data.Share = share // whatever the points held back say
		if err := m.rebuild(); err != nil {
			t.Fatal(err)
		}
		b, err := m.ONNX()
		if err != nil {
			t.Fatal(err)
		}
		model, err := onnxtest.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		got, err := model.Run(map[string]onnxtest.Tensor{"x": {Dims: []int{rows, m.Dim()}, Data: x.RawMatrix().Data}})
		if err != nil {
			t.Fatal(err)
		}
		e, grad := make([]float64, rows), mat.NewDense(rows, m.Dim(), nil)
		base := make([]float64, rows)
		if err := m.EnergyGrad(e, grad, x); err != nil {
			t.Fatal(err)
		}
		inUnits{m.data, m.data.Warped}.LogProb(base, x)
		tilt := 0.0
		for i, want := range e {
			if v := got["energy"].Data[i]; !(math.Abs(v-want) < 1e-9*math.Max(1, math.Abs(want))) {
				t.Errorf("share %g: energy %g, want %g", share, v, want)
			}
			for j, want := range grad.RawRowView(i) {
				if v := got["gradient"].Data[i*m.Dim()+j]; !(math.Abs(v-want) < 1e-9*math.Max(1, math.Abs(want))) {
					t.Errorf("share %g: gradient %g, want %g", share, v, want)
				}
			}
			tilt = math.Max(tilt, math.Abs(e[i]+base[i]))
		}
		if (tilt > 1e-9) != (share > 0) {
			t.Errorf("share %g: the energy differs from that of the base by %g", share, tilt)
		}
		text, err := m.Export()
		if err != nil {
			t.Fatal(err)
		}
		f, err := safetensors.Read(bytes.NewReader(text), int64(len(text)))
		if err != nil {
			t.Fatal(err)
		}
		beside, err := energy.ReadDensity(f, baseName)
		if err != nil {
			t.Fatal(err)
		}
		stored, err := energy.ReadWarped(f, warpName, beside)
		params := m.Params.Clone()
		if err := errors.Join(err, params.Load(withoutMixtures(f))); err != nil {
			t.Fatal(err)
		}
		again := make([]float64, rows)
		points, err := m.data.network(x)
		if err != nil {
			t.Fatal(err)
		}
		stored.LogProb(again, points.Matrix())
		for i := range again {
			if v := again[i] - m.data.logScale(); v != base[i] {
				t.Errorf("log p of the stored base %g, want %g", v, base[i])
			}
		}
		if got := f.Metadata["share"]; got != strconv.FormatFloat(share, 'g', -1, 64) {
			t.Errorf("metadata: share %q, want %g", got, share)
		}
	}
}
