package objectives

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/energy"
)

type goldenFile struct {
	Dim       int
	Hidden    []int
	Constants map[string]float64
	Inputs    struct {
		X [][]float64
	}
	Nets map[string]struct {
		Activation string
		Weights    map[string]json.RawMessage
		Losses     map[string]struct {
			Value float64
			Grads map[string]json.RawMessage
		}
	}
}

func flatten(raw json.RawMessage) []float64 {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		panic(err)
	}
	var out []float64
	var walk func(any)
	walk = func(v any) {
		if a, ok := v.([]any); ok {
			for _, e := range a {
				walk(e)
			}
			return
		}
		out = append(out, v.(float64))
	}
	walk(v)
	return out
}

func join(rows [][]float64, scale float64) []float64 {
	var out []float64
	for _, r := range rows {
		for _, v := range r {
			out = append(out, scale*v)
		}
	}
	return out
}

// Values and gradients of PyTorch (testdata/golden of benchmarks, where the complete conformance test is).
func TestAgainstPyTorch(t *testing.T) {
	raw, err := os.ReadFile("../benchmarks/testdata/golden/mlp-16-16.json")
	if err != nil {
		t.Fatal(err)
	}
	var f goldenFile
	var alt struct {
		Inputs map[string]json.RawMessage
	}
	if err := json.Unmarshal(raw, &f); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &alt); err != nil {
		t.Fatal(err)
	}
	in := func(name string) []float64 { return flatten(alt.Inputs[name]) }
	n, d := len(f.Inputs.X), f.Dim
	x := mat.NewDense(n, d, join(f.Inputs.X, 1))
	w := in("v_unit")
	for i := range w {
		w[i] *= math.Sqrt(float64(d))
	}
	q, err := Isotropic(d, f.Constants["nce_std"])
	if err != nil {
		t.Fatal(err)
	}
	for name, net := range f.Nets {
		e, err := energy.NewMLP(energy.MLPConfig{Dim: d, Hidden: f.Hidden, Activation: energy.Activation(net.Activation)})
		if err != nil {
			t.Fatal(err)
		}
		p := energy.NewParams(e.Specs())
		for l := range len(f.Hidden) + 1 {
			copy(p.View(fmt.Sprintf("net.%d.weight", 2*l)), flatten(net.Weights[fmt.Sprintf("W%d", l+1)]))
			copy(p.View(fmt.Sprintf("net.%d.bias", 2*l)), flatten(net.Weights[fmt.Sprintf("b%d", l+1)]))
		}
		for loss, want := range net.Losses {
			cfg := Config{Batch: n, Sigma: f.Constants["dsm_sigma"]}
			given := Inputs{"eps": in("eps")}
			objective := loss
			switch loss {
			case "sm":
				given = nil
			case "sm-hutchinson", "dsm":
			case "cnce":
				cfg.Sigma = f.Constants["cnce_std"]
			case "ssm":
				given = Inputs{"v": in("eps")}
			case "ssm-vr":
				given = Inputs{"v": w}
			case "nce":
				cfg.Noise, cfg.NoiseRatio = q, int(f.Constants["nce_k"])
				given = Inputs{"noise": in("nce_noise"), "log_z": {0}}
			case "ml", "ml-l2":
				if loss == "ml-l2" {
					cfg.Alpha = f.Constants["ml_alpha"]
				}
				objective = "ml"
				given = Inputs{"neg": in("x_neg")}
			default:
				t.Errorf("unknown loss %q", loss)
				continue
			}
			for _, prec := range []energy.Precision{energy.Float64, energy.Float32} {
				t.Run(fmt.Sprintf("%s/%s/%v", name, loss, prec), func(t *testing.T) {
					cfg.Precision = prec
					o, err := New(objective, e, p, cfg)
					if err != nil {
						t.Fatal(err)
					}
					grad := make([]float64, p.Len())
					s, err := o.(Evaluator).Evaluate(grad, x, given)
					if err != nil {
						t.Fatal(err)
					}
					tol := 1e-10
					if prec == energy.Float32 {
						tol = 1e-4
					}
					if math.Abs(s.Loss-want.Value) > tol*math.Abs(want.Value) {
						t.Errorf("loss: got %.14g, want %.14g", s.Loss, want.Value)
					}
					for k, got := range p.Views(grad) {
						ref := flatten(want.Grads[[]string{"W", "b"}[k%2]+fmt.Sprint(k/2+1)])
						most := 0.0
						for _, v := range ref {
							most = max(most, math.Abs(v))
						}
						for i := range ref {
							if math.Abs(got[i]-ref[i]) > tol*most+1e-12 {
								t.Errorf("%s[%d]: got %.14g, want %.14g", p.Specs()[k].Name, i, got[i], ref[i])
								break
							}
						}
					}
				})
			}
		}
	}
}
