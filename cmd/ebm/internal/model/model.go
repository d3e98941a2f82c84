// Package model composes what the settings name: data, energy, objective, sampler.
package model

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
	"github.com/stheno-ebm/stheno/cmd/ebm/internal/run"
	"github.com/stheno-ebm/stheno/cmd/ebm/internal/settings"
	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/energy/safetensors"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// Model is an energy with its parameters and the data it is about. Points in and out are in the units of the data.
type Model struct {
	Settings settings.Settings
	Data     *Data
	Energy   energy.Energy
	Params   *energy.Params
}

// New builds the model of the settings with freshly drawn parameters.
func New(s settings.Settings) (*Model, error) {
	data, err := OpenData(s)
	if err != nil {
		return nil, err
	}
	e, err := build(s, data)
	if err != nil {
		return nil, exit.AsUsage(err)
	}
	return &Model{Settings: s, Data: data, Energy: e, Params: energy.Init(e, train.Stream(s.Seed, "init"))}, nil
}

// build makes the energy.
func build(s settings.Settings, data *Data) (energy.Energy, error) {
	net := func(dim int) (energy.Energy, error) {
		return energy.NewMLP(energy.MLPConfig{Dim: dim, Hidden: s.Hidden, Activation: energy.Activation(s.Activation), FirstGain: s.FirstGain})
	}
	switch s.Energy {
	case "mlp":
		return net(data.Dim())
	case "fourier":
		return energy.NewFourier(energy.FourierConfig{Dim: data.Dim()}, net)
	case "residual":
		return energy.NewResidual(energy.ResidualConfig{Dim: data.Dim(), Width: s.Hidden[0], Blocks: max(1, len(s.Hidden)-1), Activation: energy.Activation(s.Activation), FirstGain: s.FirstGain})
	}
	return nil, exit.Unknown("--energy", s.Energy, Energies())
}

// Energies lists the kinds of network.
func Energies() []string { return []string{"mlp", "residual", "fourier"} }

// Open builds the model of a run directory and reads its weights.
func Open(dir *run.Dir) (*Model, error) {
	s, err := dir.Settings()
	if err != nil {
		return nil, err
	}
	m, err := New(s)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir.File(run.Config), err)
	}
	if _, err := dir.Read(run.Model); err != nil {
		return nil, err
	}
	f, err := safetensors.ReadFile(dir.File(run.Model))
	if err != nil {
		return nil, exit.Usagef("%s: %w", dir.File(run.Model), err)
	}
	if err := m.Params.Load(f); err != nil {
		return nil, exit.Usagef("%s: %w", dir.File(run.Model), err)
	}
	return m, nil
}

// Weights is the content of model.safetensors: the parameters under PyTorch's names, and what else it takes to use them.
func (m *Model) Weights() ([]byte, error) {
	dt := safetensors.F32
	if m.Settings.Precision == "float64" {
		dt = safetensors.F64
	}
	meta := map[string]string{"format": "pt", "energy": m.Settings.Energy, "activation": m.Settings.Activation}
	m.Data.metadata(meta)
	var b bytes.Buffer
	err := safetensors.Write(&b, &safetensors.File{Tensors: m.Params.Tensors(dt), Metadata: meta})
	return b.Bytes(), err
}

// Precision is that of the compiled graphs.
func (m *Model) Precision() energy.Precision {
	p, err := energy.ParsePrecision(m.Settings.Precision)
	if err != nil {
		panic(err) // settings were validated
	}
	return p
}

// Evaluator compiles the energy for batches of the given size, in the units of the network.
func (m *Model) Evaluator(p *energy.Params, batch int) (*energy.Evaluator, error) {
	return energy.NewEvaluator(m.Energy, p, energy.EvaluatorConfig{Batch: batch, Precision: m.Precision(), Threads: m.Settings.Threads})
}

// Density is the energy as a function of points in the units of the data.
type Density struct {
	eval *energy.Evaluator
	data *Data
	z    *mat.Dense
}

// Density compiles the energy for use on points of the data. Batches of any size are accepted; it is not for concurrent
// use.
func (m *Model) Density(p *energy.Params) (*Density, error) {
	ev, err := m.Evaluator(p, 1024)
	if err != nil {
		return nil, err
	}
	return &Density{eval: ev, data: m.Data}, nil
}

// Energy stores −log p up to the constant for every row of x.
func (d *Density) Energy(e []float64, x *mat.Dense) error { return d.EnergyGrad(e, nil, x) }

// EnergyGrad stores the energies and, unless grad is nil, their gradients in x. With z = (x−m)/s it is
// E(z) + Σ log s and (∂E/∂z)/s, so that exp(−E) keeps its integral.
func (d *Density) EnergyGrad(e []float64, grad, x *mat.Dense) error {
	if d.data.std == nil {
		return d.eval.EnergyGrad(e, grad, x)
	}
	n, dim := x.Dims()
	if d.z == nil || d.z.RawMatrix().Rows != n {
		d.z = mat.NewDense(n, dim, nil)
	}
	d.z.Copy(x)
	d.data.std.Apply(d.z)
	if err := d.eval.EnergyGrad(e, grad, d.z); err != nil {
		return err
	}
	shift := d.data.std.LogScale()
	for i := range e {
		e[i] += shift
	}
	if grad != nil {
		d.data.std.Pull(grad)
	}
	return nil
}

// Source is where training batches come from, in the units of the network; with a bridge, the mixed data.
func (m *Model) Source() (train.Source, energy.Energy, error) {
	src := m.Data.source()
	if m.Settings.Bridge == 0 {
		return src, m.Energy, nil
	}
	const points = 10000
	x := mat.NewDense(points, m.Data.Dim(), nil)
	src.Sample(x, train.Stream(m.Settings.Seed, "bridge data"))
	b, err := background(x, train.Stream(m.Settings.Seed, "bridge"))
	if err != nil {
		return nil, nil, err
	}
	e, err := energy.NewBridge(m.Energy, b, m.Settings.Bridge)
	if err != nil {
		return nil, nil, err
	}
	return &mixed{src, b, m.Settings.Bridge}, e, nil
}

// background is the broad density that connects the modes: one Gaussian over everything.
func background(x *mat.Dense, rng *rand.Rand) (*energy.Mixture, error) {
	return energy.Ladder(x, nil, 0, 1.25, rng)
}

// mixed draws the share of a batch from the background, the rest from the data.
type mixed struct {
	data  train.Source
	b     *energy.Mixture
	share float64
}

func (m *mixed) Sample(dst *mat.Dense, rng *rand.Rand) {
	m.data.Sample(dst, rng)
	n, _ := dst.Dims()
	want := m.share * float64(n)
	k := int(want)
	if rng.Float64() < want-float64(k) {
		k++
	}
	for i := range k {
		m.b.SampleRow(dst.RawRowView(i), rng)
	}
}

// Average is a copy of the parameters for averaged weights.
func (m *Model) Average() *energy.Params { return m.Params.Clone() }

// Set copies weights into parameters.
func Set(p *energy.Params, theta []float64) {
	copy(p.Data(), theta)
	p.Changed()
}

// ErrStopped marks work that a signal ended.
var ErrStopped = errors.New("stopped")

var _ = context.Canceled
