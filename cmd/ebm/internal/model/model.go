// Package model composes what the settings name: data, energy, objective, sampler.
package model

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
	"github.com/stheno-ebm/stheno/cmd/ebm/internal/run"
	"github.com/stheno-ebm/stheno/cmd/ebm/internal/settings"
	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/energy/safetensors"
	"github.com/stheno-ebm/stheno/objectives"
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
	return assemble(s, data)
}

func assemble(s settings.Settings, data *Data) (*Model, error) {
	e, err := build(s, data)
	if err != nil {
		return nil, exit.AsUsage(err)
	}
	return &Model{Settings: s, Data: data, Energy: e, Params: energy.Init(e, train.Stream(s.Seed, "init"))}, nil
}

// build makes the energy.
func build(s settings.Settings, data *Data) (energy.Energy, error) {
	switch {
	case s.Objective == "dsm-multi":
		inner, err := network(s, data.Dim+1, 4, frequency(levelScale, data.Dim, 1)) // its input is scaled to unit deviation
		if err != nil {
			return nil, err
		}
		e, err := energy.NewAnnealable(inner, energy.GeometricLevels(s.SigmaMax, s.Sigma, s.Levels), slices.Max(data.Std))
		if err != nil || s.Bridge == 0 {
			return e, err
		}
		return e.Beside(data.Bridge, s.Bridge)
	case s.Bridge > 0:
		f, err := network(s, data.Dim, 0, frequency(bridgeScale, data.Dim, slices.Max(data.Std)))
		if err != nil {
			return nil, err
		}
		cfg := energy.BridgeConfig{Background: data.Bridge, Share: s.Bridge}
		if s.Objective == "dsm" {
			cfg.Blur = s.Sigma
		}
		return energy.NewBridge(f, cfg)
	}
	return network(s, data.Dim, 0, frequency(fourierScale, data.Dim, slices.Max(data.Std)))
}

// Spreads of the angular frequencies of the embedding, in radians per standard deviation of the data, in the plane. Points are the
// further apart the more dimensions there are, and the fewer data tell of a detail: the spread falls as 1/d. nce learnt mixture10 to
// 0.50 nats with that of the plane, to nothing that could be seen with a fifth of it.
const (
	fourierScale = 4
	bridgeScale  = 2   // of the correction of a background, which is smoother than the density itself
	levelScale   = 2.5 // the same for all noise levels at once
)

// frequency is the spread in dim dimensions, in radians per unit of what deviates by std.
func frequency(scale float64, dim int, std float64) float64 {
	return scale * 2 / float64(max(dim, 2)) / std
}

// network makes the network for points of the given dimension, whose embedding has frequencies of the given spread, in
// radians per unit of its input, and some for the last variable alone.
func network(s settings.Settings, dim, last int, spread float64) (energy.Energy, error) {
	act := energy.Activation(s.Activation)
	bounded := func(e energy.Energy, err error) (energy.Energy, error) {
		if err != nil || s.Spectral == 0 {
			return e, err
		}
		return energy.NewSpectral(e, s.Spectral)
	}
	mlp := func(dim int) (energy.Energy, error) { // on an embedding, whose frequencies have no bound
		e, err := energy.NewMLP(energy.MLPConfig{Dim: dim, Hidden: s.Hidden, Activation: act, FirstGain: s.FirstGain})
		return bounded(e, err)
	}
	switch s.Energy {
	case "mlp":
		return mlp(dim)
	case "fourier":
		return energy.NewFourier(energy.FourierConfig{Dim: dim, Condition: last, Scale: spread}, mlp)
	case "residual":
		e, err := energy.NewResidual(energy.ResidualConfig{Dim: dim, Width: s.Hidden[0], Blocks: max(1, len(s.Hidden)-1), Activation: act, FirstGain: s.FirstGain})
		return bounded(e, err)
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
	if err := dir.Find(run.Model); err != nil {
		return nil, err
	}
	path := dir.File(run.Model)
	f, err := safetensors.ReadFile(path) // its errors name the file
	if err != nil {
		return nil, exit.AsUsage(err)
	}
	if err := checkSum(f); err != nil {
		return nil, exit.Usagef("%s: %w", path, err)
	}
	var m *Model
	switch g, err := parseGeometry(f.Metadata); {
	case err == nil:
		m, err = assemble(s, stored(s, g))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", dir.File(run.Config), err)
		}
	case errors.Is(err, errNoGeometry): // weights from elsewhere
		if m, err = New(s); err != nil {
			return nil, fmt.Errorf("%s: %w", dir.File(run.Config), err)
		}
	default:
		return nil, exit.Usagef("%s: %w", path, err)
	}
	if err := m.Params.Load(f); err != nil {
		return nil, exit.Usagef("%s: %w", path, err)
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
	if c := m.Settings.Spectral; c > 0 { // the network is that of the weights scaled to it
		meta["spectral_norm"] = strconv.FormatFloat(c, 'g', -1, 64)
	}
	if err := m.Data.metadata(meta); err != nil {
		return nil, err
	}
	f := &safetensors.File{Tensors: m.Params.Tensors(dt), Metadata: meta}
	meta[sumKey] = sum(f)
	var b bytes.Buffer
	err := safetensors.Write(&b, f)
	return b.Bytes(), err
}

// sumKey is where the checksum of a file's arrays and metadata stands.
const sumKey = "sha256"

// sum is the SHA-256 of all that a file holds but the sum itself. Values count as they are stored.
func sum(f *safetensors.File) string {
	h := sha256.New()
	for _, key := range slices.Sorted(maps.Keys(f.Metadata)) {
		if key != sumKey {
			fmt.Fprintf(h, "%q: %q\n", key, f.Metadata[key])
		}
	}
	var b [8]byte
	for _, t := range f.Tensors {
		fmt.Fprintf(h, "%q %s %d\n", t.Name, t.DType, t.Shape)
		for _, v := range t.Data {
			if t.DType == safetensors.F32 {
				v = float64(float32(v))
			}
			binary.LittleEndian.PutUint64(b[:], math.Float64bits(v))
			h.Write(b[:])
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// checkSum fails if a file has a checksum and it does not match. Files from elsewhere have none.
func checkSum(f *safetensors.File) error {
	if want, ok := f.Metadata[sumKey]; ok && want != sum(f) {
		return errors.New("damaged: its checksum does not match")
	}
	return nil
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
	return energy.NewEvaluator(m.Energy, p, energy.EvaluatorConfig{Batch: batch, Precision: m.Precision(), Threads: m.Settings.Cores()})
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
	if d.data.Scaler == nil {
		return d.eval.EnergyGrad(e, grad, x)
	}
	n, dim := x.Dims()
	if d.z == nil || d.z.RawMatrix().Rows != n {
		d.z = mat.NewDense(n, dim, nil)
	}
	d.z.Copy(x)
	d.data.Scaler.Apply(d.z, d.z)
	if err := d.eval.EnergyGrad(e, grad, d.z); err != nil {
		return err
	}
	floats.AddConst(d.data.logScale(), e)
	if grad != nil {
		d.data.Scaler.Pullback(grad, grad)
	}
	return nil
}

// method is the objective with the values of the settings that it has.
func (m *Model) method() (objectives.Method, error) {
	s := m.Settings
	bare, err := objectives.ByName(s.Objective)
	if err != nil {
		return nil, err
	}
	layer, keys := s.Layer(), map[string]json.RawMessage{}
	layer["unpaired"], err = json.Marshal(!s.Paired)
	if err != nil {
		return nil, err
	}
	for _, f := range objectives.Fields(bare) {
		if raw, ok := layer[f.Key]; ok {
			keys[f.Key] = raw
		}
	}
	method, err := objectives.Decode(s.Objective, keys)
	if err != nil {
		return nil, err
	}
	return method.Suited(objectives.Facts{Dim: m.Data.Dim, Spread: slices.Max(m.Data.Std)}), nil
}

// Objective compiles the objective of the settings for training this model.
func (m *Model) Objective() (objectives.Objective, error) {
	s := m.Settings
	cfg := objectives.Config{Batch: s.Batch, Precision: m.Precision(), Threads: s.Cores(), Seed: s.Seed}
	if s.L2 > 0 {
		cfg.Regularizers = append(cfg.Regularizers, objectives.EnergyL2{Alpha: s.L2})
	}
	if s.Gradient > 0 {
		cfg.Regularizers = append(cfg.Regularizers, objectives.GradientPenalty{Lambda: s.Gradient})
	}
	cfg.Data = m.Data.Points(fitPoints, train.Stream(s.Seed, "fit"))
	method, err := m.method()
	if err != nil {
		return nil, err
	}
	return objectives.New(method, m.Energy, m.Params, cfg)
}

// Bias says what the objective of the settings learns other than the density of the data, "" if nothing.
func (m *Model) Bias() string {
	s := m.Settings
	method, err := m.method()
	if err != nil {
		panic(err) // settings were validated
	}
	info := method.Traits()
	var parts []string
	if info.Bias != "" {
		parts = append(parts, info.Bias)
	}
	if s.L2 > 0 || s.Gradient > 0 {
		parts = append(parts, "regularisers move the minimum")
	}
	if s.Smooth > 0 && Finite(s) {
		parts = append(parts, fmt.Sprintf("learns the density of the points smoothed by %g of the scatter of their neighbours", s.Smooth))
	}
	if info.Score && s.Bridge == 0 && s.Objective != "dsm-multi" {
		parts = append(parts, "blind to the weights of modes that do not touch; --bridge shows them")
	}
	if s.Spectral > 0 {
		parts = append(parts, fmt.Sprintf("slopes are bounded by layers of spectral norm %g", s.Spectral))
	}
	if s.WeightDecay > 0 {
		parts = append(parts, "weight decay moves the minimum")
	}
	return strings.Join(parts, "; ")
}

// Source is where training batches come from, in the units of the network.
func (m *Model) Source() train.Source { return m.Data.source }

// Average is a copy of the parameters for averaged weights.
func (m *Model) Average() *energy.Params { return m.Params.Clone() }

// Set copies weights into p, parameters of this model.
func (m *Model) Set(p *energy.Params, theta []float64) {
	copy(p.Data(), theta)
	p.Changed()
}
