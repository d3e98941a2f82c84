package fit

import "github.com/stheno-ebm/stheno/energy"

// ONNX is the energy of points in the units of the data, and its gradient, as an ONNX model.
func (m *Model) ONNX() ([]byte, error) {
	c := &m.Config
	cfg := energy.ONNXConfig{
		Precision: m.precision(),
		Metadata:  map[string]string{"dataset": c.Dataset, "objective": c.Name, "energy": c.Network, "activation": c.Activation},
	}
	if sc := m.data.Scaler; sc != nil {
		cfg.Mean, cfg.Scale = sc.Mean, sc.Scale
	}
	return energy.MarshalONNX(m.Network, m.Params, cfg)
}
