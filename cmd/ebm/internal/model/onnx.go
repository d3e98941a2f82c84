package model

import "github.com/stheno-ebm/stheno/energy"

// ONNX is the energy of points in the units of the data, and its gradient, as an ONNX model.
func (m *Model) ONNX() ([]byte, error) {
	s := m.Settings
	cfg := energy.ONNXConfig{
		Precision: m.Precision(),
		Metadata:  map[string]string{"dataset": s.Dataset, "objective": s.Objective, "energy": s.Energy, "activation": s.Activation},
	}
	if sc := m.Data.Scaler; sc != nil {
		cfg.Mean, cfg.Scale = sc.Mean, sc.Scale
	}
	return energy.MarshalONNX(m.Energy, m.Params, cfg)
}
