package energy

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/floats/scalar"
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/density"
)

// With discrete columns the energy of share 0 is that of the base, in both precisions, and its slope that of the base
// between edges; the correction sees the values only, so that it is the same everywhere in a cell.
func TestTiltedMixed(t *testing.T) {
	gauss := irregular(density.Full, 3, 4)
	levels := []density.Levels{
		{Column: 1, Values: []float64{-1, 0, 2}, Probs: [][]float64{{0.2, 0.5, 0.3}, {0.7, 0.1, 0.2}, {0.1, 0.1, 0.8}}},
		{Column: 2, Values: []float64{-0.5, 1}, Probs: [][]float64{{0.25, 0.75}, {0.9, 0.1}, {0.5, 0.5}}},
	}
	base := must(density.NewMixed(gauss, levels))
	for _, share := range []float64{0, 0.8} {
		tilted := must(Tilt(TiltConfig{Mixed: base, Share: share}, smallNet))
		rng := newRNG(3)
		p := Init(tilted, rng)
		for i := range p.Data() {
			p.Data()[i] += 0.3 * rng.NormFloat64()
		}
		x := mat.NewDense(40, 4, nil)
		base.Sample(x, rng)
		want, e, f := make([]float64, 40), make([]float64, 40), make([]float64, 40)
		base.LogProb(want, x)
		for _, precision := range []Precision{Float64, Float32} {
			tolerance := 1e-10
			if precision == Float32 {
				tolerance = 3e-4
			}
			cfg := EvaluatorConfig{Batch: 8, Precision: precision}
			ev, alone := must(NewEvaluator(tilted, p, cfg)), must(NewEvaluator(tilted.Alone(), p, cfg))
			grad := mat.NewDense(40, 4, nil)
			if err := ev.EnergyGrad(e, grad, x); err != nil {
				t.Fatal(err)
			}
			if err := alone.Energies(f, x); err != nil {
				t.Fatal(err)
			}
			for i := range e {
				if math.Abs(e[i]-f[i]+want[i]) > tolerance*(1+math.Abs(want[i])) {
					t.Errorf("share %g, %v: energy less correction %g, want %g", share, precision, e[i]-f[i], -want[i])
				}
			}
			if precision == Float32 {
				continue
			}
			const h = 1e-6
			for j := range 4 {
				up, down := mat.DenseCopyOf(x), mat.DenseCopyOf(x)
				for i := range 40 {
					up.Set(i, j, x.At(i, j)+h)
					down.Set(i, j, x.At(i, j)-h)
				}
				hi, lo := make([]float64, 40), make([]float64, 40)
				if err := ev.Energies(hi, up); err != nil {
					t.Fatal(err)
				}
				if err := ev.Energies(lo, down); err != nil {
					t.Fatal(err)
				}
				for i := range hi {
					if slope := (hi[i] - lo[i]) / (2 * h); !scalar.EqualWithinAbsOrRel(grad.At(i, j), slope, 1e-5, 1e-5) {
						t.Errorf("share %g, row %d, column %d: slope %g, want %g", share, i, j, grad.At(i, j), slope)
					}
				}
			}
			within := mat.DenseCopyOf(x)
			for i := range 40 {
				for _, l := range levels {
					within.Set(i, l.Column, l.Values[l.Of(x.At(i, l.Column))])
				}
			}
			same := make([]float64, 40)
			if err := alone.Energies(same, within); err != nil {
				t.Fatal(err)
			}
			for i := range same {
				if math.Abs(same[i]-f[i]) > 1e-12 {
					t.Errorf("row %d: correction %g at the value, %g elsewhere in its cell", i, same[i], f[i])
				}
			}
		}
	}
	if _, err := Tilt(TiltConfig{Mixed: base, Plain: true}, smallNet); err == nil {
		t.Error("a plain correction with discrete columns is accepted")
	}
}
