package energy

import (
	"errors"
	"math"

	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/graphs/onnx"
)

// ONNXConfig holds the settings for writing an energy as an ONNX model.
type ONNXConfig struct {
	Precision Precision // of the model; zero is Float32
	// Mean and Scale > 0 describe a standardisation before the energy; nil: none. The model is then E((x - Mean)/Scale)
	// + Σ log Scale, a function of x whose exp(-E) has the same integral.
	Mean, Scale []float64
	Metadata    map[string]string // stored in the model
}

// MarshalONNX returns e with the parameters p as an ONNX model: input x (batch, d), outputs energy (batch, 1) and
// gradient (batch, d), ∂energy/∂x. The number of rows is dynamic. Parameters keep their names. A [NoiseConditional]
// energy is exported at its smallest level.
func MarshalONNX(e Energy, p *Params, cfg ONNXConfig) ([]byte, error) {
	if err := CheckParams(e, p); err != nil {
		return nil, err
	}
	none := cfg.Mean == nil && cfg.Scale == nil
	errs := []error{check(none || len(cfg.Mean) == e.Dim() && len(cfg.Scale) == e.Dim(),
		"energy: ONNXConfig has %d means and %d scales, want %d", len(cfg.Mean), len(cfg.Scale), e.Dim())}
	shift, inverse := 0.0, make([]float64, len(cfg.Scale))
	for i, s := range cfg.Scale {
		errs = append(errs, check(positive(s), "energy: ONNXConfig.Scale[%d] = %g, want > 0", i, s))
		shift += math.Log(s)
		inverse[i] = 1 / s
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	build := func(rows int) (m onnx.Graph, err error) {
		g := G.NewGraph()
		theta, err := Inputs(g, cfg.Precision, e)
		if err != nil {
			return m, err
		}
		var x *G.Node
		u, err := graphs.Try(func() *G.Node {
			x = graphs.NewInput(g, cfg.Precision.Dtype(), "x", rows, e.Dim())
			z := x
			if cfg.Mean != nil {
				z = graphs.Sub(z, graphs.ExpandRows(constant(x, cfg.Mean, e.Dim()), rows))
				z = graphs.Mul(z, graphs.ExpandRows(constant(x, inverse, e.Dim()), rows))
			}
			return graphs.Shift(graphs.Must(e.Build(z, theta)), shift)
		})
		if err != nil {
			return m, err
		}
		grad, err := graphs.VJP(u, graphs.OnesLike(u), x)
		if err != nil {
			return m, err
		}
		m.Inputs = []onnx.Value{{Name: "x", Node: x}}
		m.Outputs = []onnx.Value{{Name: "energy", Node: u}, {Name: "gradient", Node: grad[0]}}
		for i, s := range p.specs {
			m.Weights = append(m.Weights,
				onnx.Weight{Value: onnx.Value{Name: s.Name, Node: theta[i]}, Data: p.views[i]})
		}
		nodes, values, err := Constants(g)
		for i, n := range nodes {
			m.Weights = append(m.Weights, onnx.Weight{Value: onnx.Value{Name: n.Name(), Node: n}, Data: values[i]})
		}
		return m, err
	}
	return onnx.MarshalBatch(build, onnx.Info{
		Name:     "energy",
		Doc:      "An energy E(x) and its gradient; the density is exp(-E(x))/Z.",
		Metadata: cfg.Metadata,
	})
}
