package energy

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"
)

// Weights have the stated standard deviation, and biases fill ±gain/√in.
func TestInit(t *testing.T) {
	const width, d, blocks = 256, 4, 4
	type layer = struct{ sd, bound float64 }
	root := func(in int) float64 { return 1 / math.Sqrt(float64(in)) }
	glorot := func(in, out int) float64 { return math.Sqrt(2 / float64(in+out)) }
	for _, c := range []struct {
		name string
		e    Energy
		want []layer
	}{
		{"silu", must(NewMLP(MLPConfig{Dim: d, Hidden: []int{width, width}, FirstGain: 3})), []layer{
			{3 * math.Sqrt2 * root(d), 3 * math.Sqrt2 * root(d)}, {math.Sqrt2 * root(width), math.Sqrt2 * root(width)},
			{root(width), 0},
		}},
		{"tanh", must(NewMLP(MLPConfig{Dim: d, Hidden: []int{width, width}, Activation: Tanh})), []layer{
			{glorot(d, width), root(d)}, {glorot(width, width), root(width)}, {glorot(width, 1), 0},
		}},
		{"residual", must(NewResidual(ResidualConfig{Dim: d, Width: width, Blocks: blocks, FirstGain: 2})), []layer{
			{2 * root(d), 2 * root(d)},
			{math.Sqrt2 * root(width), math.Sqrt2 * root(width)},
			{root(width) / math.Sqrt(blocks), root(width) / math.Sqrt(blocks)},
		}},
	} {
		p := Init(c.e, newRNG(3))
		views := p.Views(p.Data())
		for l, want := range c.want {
			w, b := views[2*l], views[2*l+1]
			if got := stat.StdDev(w, nil); math.Abs(got-want.sd) > 4.5*want.sd/math.Sqrt(2*float64(len(w))) {
				t.Errorf("%s: weights of layer %d have deviation %g, want %g", c.name, l, got, want.sd)
			}
			// The largest of 256 uniform numbers is above 0.95 of the bound except once in 10⁵.
			if got := floats.Norm(b, math.Inf(1)); got > want.bound || got < 0.95*want.bound {
				t.Errorf("%s: biases of layer %d reach %g, want %g", c.name, l, got, want.bound)
			}
		}
	}
}

// Arrays of any rank that the energy does not draw itself are drawn according to their number of inputs; a weight
// that is all zeros is reported.
func TestInitRanks(t *testing.T) {
	f := Func{D: 2, Params: []Spec{
		{"conv.weight", []int{64, 8, 3, 3}}, {"line", []int{80, 5, 10}}, {"matrix", []int{100, 40}}, {"bias", []int{9}},
	}}
	p := Init(f, newRNG(5))
	for i, in := range []float64{72, 50, 40} {
		w, want := p.views[i], 1/math.Sqrt(in)
		if got := stat.StdDev(w, nil); math.Abs(got-want) > 4.5*want/math.Sqrt(2*float64(len(w))) {
			t.Errorf("%s: deviation %g, want %g", f.Params[i].Name, got, want)
		}
	}
	if floats.Norm(p.View("bias"), 1) != 0 {
		t.Error("the bias is not zero")
	}
	if err := CheckWeights(p); err != nil {
		t.Error(err)
	}
	clear(p.View("matrix"))
	if err := CheckWeights(p); err != nil {
		t.Errorf("not named a weight: %v", err)
	}
	line := slices.Clone(p.View("line"))
	clear(p.View("line"))
	if err := CheckWeights(p); err == nil || !strings.Contains(err.Error(), "line of shape [80 5 10]") {
		t.Errorf("error %v, want the name of the parameter", err)
	}
	copy(p.View("line"), line)
	clear(p.View("conv.weight"))
	if err := CheckWeights(p); err == nil || !strings.Contains(err.Error(), "conv.weight of shape [64 8 3 3]") {
		t.Errorf("error %v, want the name of the weight", err)
	}
}
