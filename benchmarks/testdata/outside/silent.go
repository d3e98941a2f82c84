package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/fit"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// cases are what must not go wrong without a word. Each returns nil where it works, or where the error that is due
// comes.
var cases = []struct {
	name string
	run  func() error
}{
	{"a kernel that inherits WithStep is not replaced by what it embeds", func() error {
		_, err := sampled(inherits{}, 100)
		return due(err, "define WithStep on main.inherits")
	}},
	{"a kernel that hides another one is not left as it is", func() error {
		_, err := sampled(hides{mcmc.HMC{StepSize: .1}}, 100)
		return due(err, "nothing of main.hides can be adapted")
	}},
	{"a kernel that hides another one runs without a warm-up", func() error {
		_, err := sampled(hides{mcmc.HMC{StepSize: .1}}, 0)
		return err
	}},
	{"a kernel around another one has that adapted, and stays", func() error {
		d, err := sampled(around{mcmc.HMC{}}, 100)
		if err != nil {
			return err
		}
		k, ok := d.Kernels[0].(around)
		if !ok || !(k.Kernel.(mcmc.HMC).StepSize > 0) {
			return fmt.Errorf("it is %#v", d.Kernels[0])
		}
		return nil
	}},
	{"an energy that mixes points is refused by evaluators", func() error {
		_, err := energy.NewEvaluator(mixing(), energy.NewParams(nil), energy.EvaluatorConfig{})
		return due(err, "mixes the points")
	}},
	{"an energy that mixes points is refused by objectives", func() error {
		_, err := objectives.New(objectives.NCE{}, mixing(), energy.NewParams(nil), objectives.Config{Data: points(100)})
		return due(err, "mixes the points")
	}},
	{"weights of four dimensions do not start at zero", func() error {
		e := energy.Func{D: 2, Params: []energy.Spec{{Name: "kernel", Shape: []int{3, 1, 1, 2}}},
			F: func(x *G.Node, theta G.Nodes) (*G.Node, error) {
				return graphs.Try(func() *G.Node {
					w := graphs.Reshape(theta[0], 3, 2)
					return graphs.RowSum(graphs.Softplus(graphs.MatMul(x, w, false, true)))
				})
			}}
		for _, w := range energy.Init(e, rand.New(rand.NewPCG(1, 2))).Data() {
			if w == 0 {
				return errors.New("a weight is zero")
			}
		}
		return nil
	}},
	{"weights that are all zero are refused", func() error {
		e := energy.Func{D: 2, Params: []energy.Spec{{Name: "conv.weight", Shape: []int{3, 1, 1, 2}}},
			F: func(x *G.Node, theta G.Nodes) (*G.Node, error) {
				return graphs.Try(func() *G.Node {
					return graphs.RowSum(graphs.Square(graphs.MatMul(x, graphs.Reshape(theta[0], 3, 2), false, true)))
				})
			}}
		o, err := objectives.New(objectives.NCE{}, e, energy.NewParams(e.Specs()), objectives.Config{Data: points(100)})
		if err != nil {
			return err
		}
		_, err = train.Run(context.Background(), train.Config{Objective: o, Optimizer: new(train.Adam),
			Source: new(spiral), Dim: 2, Batch: 128, Steps: 10,
			LearningRate: 1e-3, Seed: 1})
		return due(err, "conv.weight of shape [3 1 1 2] is zero throughout")
	}},
	{"an evaluator that workers share is found", func() error {
		e := quartic()
		v, err := energy.NewEvaluator(e, energy.Init(e, rand.New(rand.NewPCG(1, 2))), energy.EvaluatorConfig{Batch: 256})
		if err != nil {
			return err
		}
		for range 50 {
			if text := shared(v); text != "" {
				return due(errors.New(text), "mcmc.Cloned instead of mcmc.Shared")
			}
		}
		return errors.New("no two workers met in fifty runs")
	}},
	{"an option of one of Compile and NewMachine is none of the other, and threads are counted", func() error {
		x := graphs.NewInput(G.NewGraph(), tensor.Float64, "x", 2, 2)
		if _, ok := any(graphs.Held(x)).(graphs.MachineOption); ok {
			return errors.New("Held is an option of NewMachine")
		}
		if _, ok := any(graphs.WatchNaN()).(graphs.CompileOption); ok {
			return errors.New("WatchNaN is an option of Compile")
		}
		y := graphs.Square(x)
		_, err1 := graphs.Compile(G.Nodes{x}, G.Nodes{y}, graphs.Threads(-7))
		_, err2 := graphs.NewMachine(y.Graph(), graphs.Threads(-7))
		return errors.Join(due(err1, "Threads(-7)"), due(err2, "Threads(-7)"))
	}},
	{"a density without a graph is no energy", func() error {
		_, err := energy.NewDensity(disc{1})
		return due(err, "main.disc")
	}},
	{"an objective whose kernel no file holds is not written to one", func() error {
		dir, err := os.MkdirTemp("", "outside")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		o := objectives.PersistentCD{Chains: objectives.Chains{Kernel: &tides{MALA: mcmc.MALA{StepSize: .1}}}}
		_, err = fit.Train(context.Background(), new(spiral),
			fit.Config{Dataset: "spiral", Objective: o, Out: filepath.Join(dir, "run"), Steps: 1})
		return due(err, "cannot hold its Kernel")
	}},
	{"points that have no density are refused", func() error {
		_, err := density.FitMixture(mat.NewDense(9, 2, nil), density.MixtureConfig{}, rand.New(rand.NewPCG(1, 2)))
		var singular *density.SingularError
		if !errors.As(err, &singular) {
			return fmt.Errorf("error %v", err)
		}
		return nil
	}},
	{"the effective size of chains that stand still is no number", func() error {
		x := mat.NewDense(8, 1, nil)
		d, err := mcmc.Sample(context.Background(), stands{}, mcmc.Shared(mcmc.RowFunc(func(grad, x []float64) float64 {
			return 0
		})), x,
			mcmc.SampleConfig{Draws: 100}, rand.New(rand.NewPCG(1, 2)))
		if err != nil {
			return err
		}
		if g := mcmc.Diagnose(d, nil); !math.IsNaN(float64(g.MinESSBulk)) || len(g.Warnings()) == 0 {
			return fmt.Errorf("it is %v, with warnings %q", g.MinESSBulk, g.Warnings())
		}
		return nil
	}},
}

// due is nil for an error with that text.
func due(err error, text string) error {
	if err == nil || !strings.Contains(err.Error(), text) {
		return fmt.Errorf("error %v, want one with %q", err, text)
	}
	return nil
}

// silent runs the cases.
func silent() error {
	var errs []error
	for _, c := range cases {
		if err := c.run(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", c.name, err))
		}
	}
	if len(errs) == 0 {
		fmt.Printf("learnt %d cases\n", len(cases))
	}
	return errors.Join(errs...)
}

// inherits has all methods of HMC, and those that return a kernel return an HMC.
type inherits struct{ mcmc.HMC }

// hides runs another kernel and says nothing of it.
type hides struct{ k mcmc.Kernel }

func (k hides) Validate() error { return k.k.Validate() }
func (k hides) Step(s *mcmc.State, t mcmc.Target, rng *rand.Rand) (mcmc.Info, error) {
	return k.k.Step(s, t, rng)
}

// around runs another kernel and says so.
type around struct{ mcmc.Kernel }

func (k around) Inner() mcmc.Kernel                      { return k.Kernel }
func (k around) WithInner(inner mcmc.Kernel) mcmc.Kernel { return around{inner} }

// stands leaves chains where they are.
type stands struct{}

func (stands) Validate() error { return nil }
func (stands) Step(s *mcmc.State, t mcmc.Target, _ *rand.Rand) (mcmc.Info, error) {
	return mcmc.Info{AcceptProb: 1}, s.Refresh(t)
}

func sampled(k mcmc.Kernel, warmup int) (*mcmc.Draws, error) {
	target := mcmc.RowFunc(func(grad, x []float64) float64 {
		copy(grad, x)
		return (x[0]*x[0] + x[1]*x[1]) / 2
	})
	return mcmc.Sample(context.Background(), k, mcmc.Shared(target), points(8),
		mcmc.SampleConfig{Draws: 20, Warmup: mcmc.Warmup{Steps: warmup}},
		rand.New(rand.NewPCG(1, 2)))
}

// shared samples with an evaluator that eight workers share, and returns what that panics with.
func shared(v *energy.Evaluator) (text string) {
	defer func() {
		if p := recover(); p != nil {
			text = fmt.Sprint(reflect.ValueOf(p).Interface())
		}
	}()
	_, err := mcmc.Sample(context.Background(), mcmc.MALA{StepSize: .01}, mcmc.Shared(v), points(512),
		mcmc.SampleConfig{Draws: 200, Block: 32, Workers: 8},
		rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		return err.Error()
	}
	return ""
}

func points(n int) *mat.Dense {
	x, rng := mat.NewDense(n, 2, nil), rand.New(rand.NewPCG(3, 4))
	for i := range x.RawMatrix().Data {
		x.RawMatrix().Data[i] = rng.NormFloat64()
	}
	return x
}

// mixing is an energy of the distance from the mean of all points.
func mixing() energy.Energy {
	return energy.Func{D: 2, F: func(x *G.Node, _ G.Nodes) (*G.Node, error) {
		return graphs.Try(func() *G.Node {
			n := x.Shape()[0]
			mean := graphs.ExpandRows(graphs.Reshape(graphs.Scale(graphs.ColSum(x), 1/float64(n)), 2), n)
			return graphs.RowSum(graphs.Square(graphs.Sub(x, mean)))
		})
	}}
}
