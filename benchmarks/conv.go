package benchmarks

import (
	"fmt"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/graphs/vector"
	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// convNets are the convolutional energies that are timed, of pictures of 28×28: Conv 3×3 → 32, SiLU, Conv 3×3 → 64,
// SiLU, Linear 3136 → 128, SiLU, Linear → 1, with steps of two or with a maximum of 2×2 after each activation.
var convNets = map[string]energy.ConvConfig{
	"stride": {Height: 28, Width: 28, Widths: []int{32, 64}, Hidden: []int{128}},
	"pool":   {Height: 28, Width: 28, Widths: []int{32, 64}, Hidden: []int{128}, Pool: 2},
}

// ConvOps are what is timed of them: energies and ∇ₓ with weights that stand still, and training steps with noise and
// Adam, where ml is mean E(data) - mean E(samples) for samples that are given.
var ConvOps = []string{"grad", "ml", "dsm", "ssm"}

// Conv is one step of an operation of a net. Setting.Hidden has no meaning.
func Conv(net, op string, s Setting) (Work, error) {
	cfg, ok := convNets[net]
	if !ok {
		return Work{}, fmt.Errorf("benchmarks: net %q, want stride or pool", net)
	}
	e, err := energy.NewConv(cfg)
	if err != nil {
		return Work{}, err
	}
	rng := rand.New(rand.NewPCG(1, 2))
	p := energy.Init(e, rng)
	x := mat.NewDense(s.Batch, e.Dim(), nil)
	for i := range x.RawMatrix().Data {
		x.RawMatrix().Data[i] = rng.Float64()
	}
	if op == "grad" {
		v, err := energy.NewEvaluator(e, p, s.evaluator())
		if err != nil {
			return Work{}, err
		}
		u, g := make([]float64, s.Batch), mat.NewDense(s.Batch, e.Dim(), nil)
		return Work{Step: func() error { return v.EnergyGrad(u, g, x) }}, nil
	}
	form, err := convForm(op)
	if err != nil {
		return Work{}, err
	}
	o, err := objectives.Compile(form, e, p, s.config(nil))
	if err != nil {
		return Work{}, err
	}
	opt, grad := &train.Adam{LearningRate: rate, Threads: s.Threads}, make([]float64, p.Len())
	return Work{Step: func() error {
		if _, err := o.Gradient(grad, x, rng); err != nil {
			return err
		}
		if err := opt.Step(p.Data(), grad); err != nil {
			return err
		}
		p.Changed()
		return nil
	}}, nil
}

// convForm is the loss of a training step.
func convForm(op string) (objectives.Form, error) {
	if op == ConvOps[1] {
		return given{}, nil
	}
	m, _, err := method(op)
	if err != nil {
		return nil, fmt.Errorf("benchmarks: operation %q, want one of %v", op, ConvOps)
	}
	if s, ok := m.(objectives.Sliced); ok {
		s.Slices = 1
		m = s
	}
	return m.Form(objectives.Setup{})
}

// given is maximum likelihood with samples that are drawn from a normal distribution instead of the model.
type given struct{}

func (given) Inputs(n, d int) []objectives.Input {
	return []objectives.Input{{Name: "samples", Shape: []int{n, d}}}
}

func (given) Draw(in objectives.Inputs, _ *mat.Dense, rng *rand.Rand) error {
	vector.Normal(in["samples"], rng)
	return nil
}

func (given) Loss(b *objectives.Builder) *G.Node {
	return graphs.Sub(graphs.Mean(b.E(b.X)), graphs.Mean(b.E(b.In("samples"))))
}
