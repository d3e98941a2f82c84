package energy

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats/scalar"
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/energy/safetensors"
)

// bentBase is a warped mixture of three columns with terms of every kind.
func bentBase() *density.Warped {
	warp := must(density.NewWarp([]density.Reach{{Mean: 0.5, Scale: 1, Lo: -1, Hi: 1.5},
		{Mean: -1, Scale: 2, Lo: -1, Hi: 1}, {Mean: 0, Scale: 0.5, Lo: -3, Hi: 3}}, []density.Bend{
		{Column: 1, From: 2, Times: -1, Knot: 0.3, Width: 0.2, Coefficient: 1.5},
		{Column: 1, From: 2, Times: 2, Coefficient: -0.4},
		{Column: 0, From: 2, Times: -1, Knot: 0.3, Width: 0.2, Coefficient: -0.7},
		{Column: 0, From: 1, Times: -1, Coefficient: 0.2},
		{Column: 0, From: 1, Times: 2, Knot: -0.2, Width: 0.5, Coefficient: 0.9},
	}))
	return must(density.NewWarped(warp, irregular(density.Full, 3, 3), irregular(density.Full, 2, 3), 0.1))
}

// The energy of a warped base is its -log density, whose gradient is that of differences, and in float32 nearly so; it
// goes into a file and out of it to the bit.
func TestTiltedWarped(t *testing.T) {
	base := bentBase()
	tilted := must(Tilt(TiltConfig{Warped: base, Share: 0}, smallNet))
	if tilted.Base() != density.Density(base) {
		t.Error("the base is another")
	}
	const n, h = 20, 1e-5
	rng := newRNG(3)
	p, x := Init(tilted, rng), normal(n, 3, rng)
	want, e, grad := make([]float64, n), make([]float64, n), mat.NewDense(n, 3, nil)
	base.LogProb(want, x)
	for _, precision := range []Precision{Float64, Float32} {
		ev := must(NewEvaluator(tilted, p, EvaluatorConfig{Batch: n, Precision: precision}))
		if err := ev.EnergyGrad(e, grad, x); err != nil {
			t.Fatal(err)
		}
		tol := map[Precision]float64{Float64: 1e-10, Float32: 1e-4}[precision]
		for i, v := range want {
			if !scalar.EqualWithinAbsOrRel(e[i], -v, tol, tol) {
				t.Errorf("%v: energy %g, want %g", precision, e[i], -v)
			}
		}
		for j := range 3 {
			up, down := mat.DenseCopyOf(x), mat.DenseCopyOf(x)
			hi, lo := make([]float64, n), make([]float64, n)
			for i := range n {
				up.Set(i, j, x.At(i, j)+h)
				down.Set(i, j, x.At(i, j)-h)
			}
			base.LogProb(hi, up)
			base.LogProb(lo, down)
			for i := range n {
				slope := (lo[i] - hi[i]) / (2 * h)
				if tol := max(100*tol, 1e-6); !scalar.EqualWithinAbsOrRel(grad.At(i, j), slope, tol, tol) {
					t.Errorf("%v: slope %g in column %d, want %g", precision, grad.At(i, j), j, slope)
				}
			}
		}
	}
	beside, _ := base.Beside()
	f := &safetensors.File{Tensors: WarpedTensors("warp", base)}
	read, err := ReadWarped(f, "warp", beside)
	if err != nil {
		t.Fatal(err)
	}
	again := make([]float64, n)
	read.LogProb(again, x)
	if !slices.Equal(again, want) {
		t.Errorf("log densities %v of the file, want %v", again, want)
	}
	if read, err := ReadWarped(f, "other", beside); read != nil || err != nil {
		t.Errorf("of another name: %v, %v", read, err)
	}
	for i := range f.Tensors {
		if f.Tensors[i].Name == "warp.terms" {
			f.Tensors[i].Data[0] = math.Pi
		}
	}
	if _, err := ReadWarped(f, "warp", beside); err == nil {
		t.Error("a term of column π: no error")
	}
}
