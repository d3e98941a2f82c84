package energy

import (
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/internal/onnxtest"
)

// onnxCase is an energy with parameters, and the way it is exported.
type onnxCase struct {
	name string
	e    Energy
	p    *Params
	cfg  ONNXConfig
}

func onnxCases() []onnxCase {
	var cases []onnxCase
	all := every()
	all["mlp relu"] = must(NewMLP(MLPConfig{Dim: 2, Hidden: []int{5, 4}, Activation: ReLU}))
	all["residual gelu"] = must(NewResidual(ResidualConfig{Dim: 3, Width: 8, Blocks: 1, Activation: GELU}))
	all["bridge of features"] = must(NewBridge(all["fourier"],
		BridgeConfig{Background: all["bridge"].(*Bridge).Config().Background}))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		p, rng := Init(all[name], newRNG(3)), newRNG(4)
		for i := range p.Data() {
			p.Data()[i] = float64(float32(p.Data()[i] + 0.1*rng.NormFloat64())) // the same in both types
		}
		cases = append(cases, onnxCase{name, all[name], p, ONNXConfig{}})
		if name == "mlp tanh" {
			cases = append(cases, onnxCase{"standardised", all[name], p,
				ONNXConfig{Mean: []float64{1, -2}, Scale: []float64{0.5, 3}}})
		}
	}
	return cases
}

// want computes what the model should.
func (c onnxCase) want(t *testing.T, x *mat.Dense) (e []float64, grad *mat.Dense) {
	t.Helper()
	n, d := x.Dims()
	e, grad = make([]float64, n), mat.NewDense(n, d, nil)
	z := mat.DenseCopyOf(x)
	for j := range c.cfg.Scale {
		for i := range n {
			z.Set(i, j, (z.At(i, j)-c.cfg.Mean[j])/c.cfg.Scale[j])
		}
	}
	if err := must(NewEvaluator(c.e, c.p, EvaluatorConfig{Precision: Float64})).EnergyGrad(e, grad, z); err != nil {
		t.Fatal(err)
	}
	for j, s := range c.cfg.Scale {
		for i := range n {
			e[i] += math.Log(s)
			grad.Set(i, j, grad.At(i, j)/s)
		}
	}
	return e, grad
}

// check compares values, allowing for rounding in proportion to the largest energy and derivative.
func (c onnxCase) check(t *testing.T, got map[string]onnxtest.Tensor, x *mat.Dense, tol float64) {
	t.Helper()
	n, d := x.Dims()
	e, grad := c.want(t, x)
	y, g := got["energy"], got["gradient"]
	if !slices.Equal(y.Dims, []int{n, 1}) || !slices.Equal(g.Dims, []int{n, d}) {
		t.Fatalf("energy %v, gradient %v, want (%d, 1) and (%d, %d)", y.Dims, g.Dims, n, n, d)
	}
	compare := func(what string, got, want []float64) {
		t.Helper()
		top := 1.0
		for _, v := range want {
			top = max(top, math.Abs(v))
		}
		for i, v := range want {
			if !(math.Abs(got[i]-v) <= tol*top) {
				t.Errorf("%s %d: got %g, want %g", what, i, got[i], v)
			}
		}
	}
	compare("energy", y.Data, e)
	compare("derivative", g.Data, grad.RawMatrix().Data)
}

func (c onnxCase) model(t *testing.T, prec Precision) []byte {
	t.Helper()
	c.cfg.Precision = prec
	b, err := MarshalONNX(c.e, c.p, c.cfg)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// narrow reports which energies are written in single precision only: ONNX Runtime has no Erf in double.
func (c onnxCase) narrow() bool { return strings.Contains(c.name, "gelu") }

// inputs are n points that single precision represents exactly.
func (c onnxCase) inputs(n int) (*mat.Dense, map[string]onnxtest.Tensor) {
	x := normal(n, c.e.Dim(), newRNG(9))
	x.Apply(func(_, _ int, v float64) float64 { return float64(float32(2 * v)) }, x)
	return x, map[string]onnxtest.Tensor{"x": {Dims: []int{n, c.e.Dim()}, Data: x.RawMatrix().Data}}
}

// Every kind of energy and its gradient, for any number of rows, evaluated operation by operation.
func TestONNX(t *testing.T) {
	for _, c := range onnxCases() {
		t.Run(c.name, func(t *testing.T) {
			prec, tol := Float64, 1e-11
			if c.narrow() {
				prec, tol = Float32, 1e-5
			}
			m, err := onnxtest.Read(c.model(t, prec))
			if err != nil {
				t.Fatal(err)
			}
			for name, w := range m.Weights {
				if v := c.p.View(name); v != nil && prec == Float64 && !slices.Equal(w.Data, v) {
					t.Errorf("weight %s: got %v, want %v", name, w.Data, v)
				}
			}
			for _, n := range []int{6, 1} {
				x, in := c.inputs(n)
				got, err := m.Run(in)
				if err != nil {
					t.Fatal(err)
				}
				c.check(t, got, x, tol)
			}
		})
	}
}

func TestONNXRuntime(t *testing.T) {
	for _, prec := range []Precision{Float32, Float64} {
		t.Run(prec.String(), func(t *testing.T) {
			const n = 33
			var jobs []onnxtest.Job
			var cases []onnxCase
			for _, c := range onnxCases() {
				if prec == Float64 && c.narrow() {
					continue
				}
				_, in := c.inputs(n)
				jobs = append(jobs, onnxtest.Job{Model: c.model(t, prec), Double: prec == Float64, Inputs: in})
				cases = append(cases, c)
			}
			tol := 1e-11
			if prec == Float32 {
				tol = 1e-5
			}
			for i, got := range onnxtest.Runtime(t, jobs) {
				t.Run(cases[i].name, func(t *testing.T) {
					x, _ := cases[i].inputs(n)
					cases[i].check(t, got, x, tol)
				})
			}
		})
	}
}

func TestONNXRefuses(t *testing.T) {
	e := must(NewMLP(MLPConfig{Dim: 2, Hidden: []int{4}}))
	p := Init(e, newRNG(1))
	for name, cfg := range map[string]ONNXConfig{
		"one mean":       {Mean: []float64{1}, Scale: []float64{1, 1}},
		"no scale":       {Mean: []float64{1, 1}},
		"negative scale": {Mean: []float64{1, 1}, Scale: []float64{1, -1}},
	} {
		if _, err := MarshalONNX(e, p, cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
