package benchmarks

import (
	"context"
	"math/rand/v2"
	"runtime"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/files"
	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/fit"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// TestNilArguments: a missing argument is reported by an error that says so, never by a nil dereference.
func TestNilArguments(t *testing.T) {
	net, err := energy.NewMLP(energy.MLPConfig{Dim: 2, Hidden: []int{4}})
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	params := energy.Init(net, rng)
	data := mat.NewDense(50, 2, nil)
	for i := range 50 {
		data.SetRow(i, []float64{rng.NormFloat64(), rng.NormFloat64()})
	}
	ctx := context.Background()
	cfg := objectives.Config{Batch: 8, Data: data}
	target := mcmc.Shared(mcmc.RowFunc(func(g, x []float64) float64 { copy(g, x); return 0 }))
	for name, call := range map[string]func() error{
		"energy.NewEvaluator without energy": func() error {
			_, err := energy.NewEvaluator(nil, params, energy.EvaluatorConfig{Batch: 4})
			return err
		},
		"energy.NewEvaluator without parameters": func() error {
			_, err := energy.NewEvaluator(net, nil, energy.EvaluatorConfig{Batch: 4})
			return err
		},
		"energy.NewAnnealable": func() error {
			_, err := energy.NewAnnealable(nil, []float64{1, 0.1}, 1)
			return err
		},
		"energy.NewBridge": func() error {
			_, err := energy.NewBridge(nil, energy.BridgeConfig{})
			return err
		},
		"energy.NewBridge without noise": func() error {
			_, err := energy.NewBridge(net, energy.BridgeConfig{})
			return err
		},
		"energy.CompileDensity": func() error {
			_, err := energy.CompileDensity(nil, energy.EvaluatorConfig{Batch: 4})
			return err
		},
		"energy.Confine":    func() error { _, err := energy.Confine(nil, nil, 1); return err },
		"energy.NewDensity": func() error { _, err := energy.NewDensity(nil); return err },
		"energy.NewFourier": func() error {
			_, err := energy.NewFourier(energy.FourierConfig{}, nil)
			return err
		},
		"energy.Ladder": func() error {
			_, err := energy.Ladder(nil, []float64{1}, 4, 1, rng)
			return err
		},
		"energy.AdaptiveLadder": func() error {
			_, err := energy.AdaptiveLadder(nil, []float64{1}, 4, 1, rng)
			return err
		},
		"energy.Ladder without random numbers": func() error {
			_, err := energy.Ladder(data, []float64{1}, 4, 1, nil)
			return err
		},
		"energy.NewMixture":  func() error { _, err := energy.NewMixture(nil, nil, nil); return err },
		"energy.ReadMixture": func() error { _, err := energy.ReadMixture(nil, "x"); return err },
		"energy.MarshalONNX without energy": func() error {
			_, err := energy.MarshalONNX(nil, params, energy.ONNXConfig{})
			return err
		},
		"energy.MarshalONNX without parameters": func() error {
			_, err := energy.MarshalONNX(net, nil, energy.ONNXConfig{})
			return err
		},
		"energy.CheckParams":                    func() error { return energy.CheckParams(nil, nil) },
		"energy.CheckParams without parameters": func() error { return energy.CheckParams(net, nil) },
		"energy.CheckWeights":                   func() error { return energy.CheckWeights(nil) },
		"energy.NewSpectral":                    func() error { _, err := energy.NewSpectral(nil, 1); return err },
		"energy.Params.Load":                    func() error { return params.Load(nil) },
		"graphs.Compile":                        func() error { _, err := graphs.Compile(nil, nil); return err },
		"graphs.Grad":                           func() error { _, err := graphs.Grad(nil); return err },
		"graphs.JVP":                            func() error { _, err := graphs.JVP(nil, nil, nil); return err },
		"graphs.HVP":                            func() error { _, err := graphs.HVP(nil, nil, nil); return err },
		"graphs.HessianTrace":                   func() error { _, err := graphs.HessianTrace(nil, nil); return err },
		"graphs.NewMachine":                     func() error { _, err := graphs.NewMachine(nil); return err },
		"objectives.New without method": func() error {
			_, err := objectives.New(nil, net, params, cfg)
			return err
		},
		"objectives.New without energy": func() error {
			_, err := objectives.New(objectives.NCE{}, nil, params, cfg)
			return err
		},
		"objectives.New without parameters": func() error {
			_, err := objectives.New(objectives.NCE{}, net, nil, cfg)
			return err
		},
		"objectives.Compile": func() error {
			_, err := objectives.Compile(nil, net, params, cfg)
			return err
		},
		"objectives.NewNoise": func() error { _, err := objectives.NewNoise("gaussian", nil); return err },
		"train.NewContrast": func() error {
			_, err := train.NewContrast(2, nil, nil, nil, rng)
			return err
		},
		"train.Run":      func() error { _, err := train.Run(ctx, train.Config{}); return err },
		"files.KeepIn":   func() error { return files.KeepIn(nil, "x", 1, nil) },
		"fit.Train":      func() error { _, err := fit.Train(ctx, nil, fit.Config{}); return err },
		"fit.Prepare":    func() error { _, err := fit.Prepare(nil, fit.Config{}); return err },
		"fit.ReadConfig": func() error { _, err := fit.ReadConfig(nil); return err },
		"fit.Records":    func() error { _, err := fit.Records(nil); return err },
		"mcmc.Sample without kernel": func() error {
			_, err := mcmc.Sample(ctx, nil, target, data, mcmc.SampleConfig{Draws: 1}, rng)
			return err
		},
		"mcmc.Sample without chains": func() error {
			_, err := mcmc.Sample(ctx, mcmc.MALA{StepSize: 1}, target, nil, mcmc.SampleConfig{Draws: 1}, rng)
			return err
		},
		"mcmc.Sample without target": func() error {
			_, err := mcmc.Sample(ctx, mcmc.MALA{StepSize: 1}, nil, data, mcmc.SampleConfig{Draws: 1}, rng)
			return err
		},
		"mcmc.Sample of a target that is nil": func() error {
			_, err := mcmc.Sample(ctx, mcmc.MALA{StepSize: 1}, mcmc.Shared(nil), data, mcmc.SampleConfig{Draws: 1}, rng)
			return err
		},
		"mcmc.Starts": func() error { _, err := mcmc.Starts(nil, 1, 1, nil, rng); return err },
		"mcmc.Starts without random numbers": func() error {
			_, err := mcmc.Starts(mcmc.RowFunc(func(g, x []float64) float64 { return 0 }), 1, 1, nil, nil)
			return err
		},
		"mcmc.NewAdapter": func() error { _, err := mcmc.NewAdapter(nil, mcmc.Warmup{}); return err },
		"mcmc.NewDense":   func() error { _, err := mcmc.NewDense(nil); return err },
		"mcmc.FitMass":    func() error { _, err := mcmc.FitMass(nil, nil); return err },
		"mcmc.NewLowRank": func() error { _, err := mcmc.NewLowRank(nil, nil, nil); return err },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if r, ok := recover().(runtime.Error); ok {
					t.Errorf("panics: %v", r)
				}
			}()
			if call() == nil {
				t.Error("no error")
			}
		})
	}
}
