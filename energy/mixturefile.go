package energy

import (
	"fmt"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/energy/safetensors"
)

// Tensors returns the mixture as arrays of float64, name.centres (k, d), name.sds (k) and name.weights (k), the weights
// as given, so that [ReadMixture] returns the same mixture to the bit.
func (m *Mixture) Tensors(name string) []safetensors.Tensor {
	p := m.Parameters()
	k := len(p.Weights)
	array := func(part string, data []float64, shape ...int) safetensors.Tensor {
		return safetensors.Tensor{Name: name + "." + part, DType: safetensors.F64, Shape: shape,
			Data: append([]float64(nil), data...)}
	}
	return []safetensors.Tensor{array("centres", p.Means, k, p.Dim), array("sds", p.Factors, k),
		array("weights", p.Weights, k)}
}

// ReadMixture reads what Tensors wrote, and rejects what NewMixture rejects.
func ReadMixture(f *safetensors.File, name string) (*Mixture, error) {
	if f == nil {
		return nil, fmt.Errorf("energy: mixture %s of no file", name)
	}
	var parts [3]*safetensors.Tensor
	for i, part := range []string{"centres", "sds", "weights"} {
		full := name + "." + part
		if parts[i] = f.Tensor(full); parts[i] == nil {
			return nil, fmt.Errorf("energy: mixture: no array %s", full)
		}
	}
	centres := parts[0]
	if len(centres.Shape) != 2 || centres.Shape[0] < 1 || centres.Shape[1] < 1 ||
		len(centres.Data) != centres.Shape[0]*centres.Shape[1] {
		return nil, fmt.Errorf("energy: mixture: %s has shape %v, want (components, dimension)", centres.Name,
			centres.Shape)
	}
	return NewMixture(mat.NewDense(centres.Shape[0], centres.Shape[1], centres.Data), parts[1].Data, parts[2].Data)
}
