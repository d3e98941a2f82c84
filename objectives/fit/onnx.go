package fit

import "github.com/stheno-ebm/stheno/energy"

// ONNX returns the energy of points in the units of the data, and its gradient, as an ONNX model.
func (m *Model) ONNX() ([]byte, error) {
	c := &m.Config
	cfg := energy.ONNXConfig{
		Precision: m.precision(),
		Metadata:  map[string]string{"objective": c.Name, "energy": c.Network, "activation": c.Activation},
	}
	if m.data.Sum == "" { // a distribution; where somebody keeps a file is nobody's business
		cfg.Metadata["dataset"] = c.Dataset
	}
	if sc := m.data.Scaler; sc != nil {
		cfg.Mean, cfg.Scale = sc.Mean, sc.Scale
	}
	if err := m.data.exportCells(cfg.Metadata); err != nil {
		return nil, err
	}
	return energy.MarshalONNX(m.Network, m.Params, cfg)
}
