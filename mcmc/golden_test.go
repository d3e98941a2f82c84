package mcmc_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/mcmc"
)

// golden is the part of a file of reference values that concerns samplers; benchmarks/testdata/golden/README.md describes it.
type golden struct {
	Dim       int
	Hidden    []int
	Constants struct {
		LangevinStep   float64 `json:"langevin_step"`
		NormalizedStep float64 `json:"normalized_langevin_step"`
		HMCStep        float64 `json:"hmc_step"`
		HMCLeapfrog    int     `json:"hmc_leapfrog"`
		HMCMass        float64 `json:"hmc_mass"`
	}
	Inputs struct {
		X        [][]float64
		Eps      [][]float64
		Momentum [][]float64
		Uniform  []float64
	}
	Nets map[string]struct {
		Activation string
		Weights    map[string]json.RawMessage
		Langevin   [][]float64
		Normalized [][]float64 `json:"normalized_langevin"`
		HMC        struct {
			Positions [][][]float64
			Momentum  [][]float64 `json:"final_momentum"`
			DeltaH    []float64   `json:"delta_h"`
			Accepted  []bool
			XAfter    [][]float64 `json:"x_after"`
		}
		MALA struct {
			LogRatio []float64 `json:"log_accept_ratio"`
			Accepted []bool
		}
	}
}

// perceptron is E(x) = W_L act(… act(W_1 x + b_1)) + b_L with its gradient, row by row.
type perceptron struct {
	w   [][][]float64
	b   [][]float64
	act func(z float64) (a, da float64)
}

func (p perceptron) target(grad, x []float64) float64 {
	h := x
	var slopes [][]float64
	for l, w := range p.w {
		z := make([]float64, len(w))
		da := make([]float64, len(w))
		for i, row := range w {
			z[i] = p.b[l][i]
			for j, v := range row {
				z[i] += v * h[j]
			}
			if l < len(p.w)-1 {
				z[i], da[i] = p.act(z[i])
			}
		}
		h = z
		slopes = append(slopes, da)
	}
	g := []float64{1}
	for l := len(p.w) - 1; l >= 0; l-- {
		if l < len(p.w)-1 {
			for i := range g {
				g[i] *= slopes[l][i]
			}
		}
		next := make([]float64, len(p.w[l][0]))
		for i, row := range p.w[l] {
			for j, v := range row {
				next[j] += g[i] * v
			}
		}
		g = next
	}
	copy(grad, g)
	return h[0]
}

var activations = map[string]func(float64) (float64, float64){
	"silu": func(z float64) (float64, float64) {
		s := 1 / (1 + math.Exp(-z))
		return z * s, s * (1 + z*(1-s))
	},
	"tanh": func(z float64) (float64, float64) { t := math.Tanh(z); return t, 1 - t*t },
}

func dense(rows [][]float64) *mat.Dense {
	m := mat.NewDense(len(rows), len(rows[0]), nil)
	for i, r := range rows {
		m.SetRow(i, r)
	}
	return m
}

func near(t *testing.T, what string, got, want *mat.Dense) {
	t.Helper()
	g, w := got.RawMatrix().Data, want.RawMatrix().Data
	for i := range w {
		if !(math.Abs(g[i]-w[i]) <= 1e-10*math.Abs(w[i])+1e-12) {
			t.Errorf("%s: entry %d: got %.15g, want %.15g", what, i, g[i], w[i])
			return
		}
	}
}

// TestReferenceSteps compares single transitions with PyTorch's, given the same random numbers.
func TestReferenceSteps(t *testing.T) {
	b, err := os.ReadFile("../benchmarks/testdata/golden/mlp-16-16.json")
	if err != nil {
		t.Fatal(err)
	}
	var f golden
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	c := f.Constants
	for name, net := range f.Nets {
		p := perceptron{act: activations[net.Activation]}
		for l := 1; l <= len(f.Hidden)+1; l++ {
			var w [][]float64
			var b []float64
			for key, dst := range map[string]any{"W": &w, "b": &b} {
				if err := json.Unmarshal(net.Weights[key+string(rune('0'+l))], dst); err != nil {
					t.Fatal(err)
				}
			}
			p.w, p.b = append(p.w, w), append(p.b, b)
		}
		target := mcmc.RowFunc(p.target)
		state := func() *mcmc.State { return mcmc.NewState(dense(f.Inputs.X)) }

		s := state()
		if _, err := (mcmc.Langevin{StepSize: c.LangevinStep}).Move(s, target, dense(f.Inputs.Eps)); err != nil {
			t.Fatal(err)
		}
		near(t, name+" langevin", s.X, dense(net.Langevin))

		s = state()
		if _, err := (mcmc.Langevin{StepSize: c.NormalizedStep, Normalize: true}).Move(s, target, dense(f.Inputs.Eps)); err != nil {
			t.Fatal(err)
		}
		near(t, name+" normalized langevin", s.X, dense(net.Normalized))

		s = state()
		info, err := mcmc.MALA{StepSize: c.LangevinStep}.Move(s, target, dense(f.Inputs.Eps), f.Inputs.Uniform)
		if err != nil {
			t.Fatal(err)
		}
		for i, ci := range info.Chains {
			if math.Abs(ci.LogRatio-net.MALA.LogRatio[i]) > 1e-10 || ci.Accepted != net.MALA.Accepted[i] {
				t.Errorf("%s mala: point %d: got %g, %t, want %g, %t", name, i, ci.LogRatio, ci.Accepted, net.MALA.LogRatio[i], net.MALA.Accepted[i])
			}
		}

		s = state()
		inv := make([]float64, f.Dim)
		for j := range inv {
			inv[j] = 1 / c.HMCMass
		}
		hmc := mcmc.HMC{StepSize: c.HMCStep, Leapfrog: c.HMCLeapfrog, InvMass: inv}
		info, err = hmc.Move(s, target, dense(f.Inputs.Momentum), f.Inputs.Uniform)
		if err != nil {
			t.Fatal(err)
		}
		near(t, name+" hmc", s.X, dense(net.HMC.XAfter))
		for i, ci := range info.Chains {
			if math.Abs(-ci.LogRatio-net.HMC.DeltaH[i]) > 1e-10 || ci.Accepted != net.HMC.Accepted[i] {
				t.Errorf("%s hmc: point %d: got ΔH %g, %t, want %g, %t", name, i, -ci.LogRatio, ci.Accepted, net.HMC.DeltaH[i], net.HMC.Accepted[i])
			}
		}

		s = state()
		momentum := dense(f.Inputs.Momentum)
		momentum.Scale(math.Sqrt(c.HMCMass), momentum)
		for l := range net.HMC.Positions {
			near(t, name+" leapfrog", s.X, dense(net.HMC.Positions[l]))
			if l < c.HMCLeapfrog {
				if err := mcmc.Leapfrog(s, momentum, target, inv, c.HMCStep, 1); err != nil {
					t.Fatal(err)
				}
			}
		}
		near(t, name+" momentum", momentum, dense(net.HMC.Momentum))
	}
}
