package energy

import (
	"fmt"
	"math"
	"sort"
	"strings"

	"github.com/stheno-ebm/stheno/energy/safetensors"
)

// Tensors returns θ as named arrays in the given type (safetensors.F32 or F64), ready to be written. The values are copies.
func (p *Params) Tensors(dt safetensors.DType) []safetensors.Tensor {
	out := make([]safetensors.Tensor, len(p.specs))
	for i, s := range p.specs {
		out[i] = safetensors.Tensor{Name: s.Name, DType: dt, Shape: append([]int(nil), s.Shape...), Data: append([]float64(nil), p.views[i]...)}
	}
	return out
}

// Load sets θ from a file's arrays: every parameter must be there with its shape and finite numbers, and nothing else.
// On error θ is unchanged.
func (p *Params) Load(f *safetensors.File) error {
	var missing, unknown []string
	for i, s := range p.specs {
		t := f.Tensor(s.Name)
		if t == nil {
			missing = append(missing, s.Name)
			continue
		}
		if fmt.Sprint(t.Shape) != fmt.Sprint(s.Shape) {
			return fmt.Errorf("energy: weights: %s has shape %v, the model wants %v", s.Name, t.Shape, s.Shape)
		}
		for j, v := range t.Data {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("energy: weights: %s[%d] is %g", s.Name, j, v)
			}
		}
		if len(t.Data) != len(p.views[i]) {
			return fmt.Errorf("energy: weights: %s has %d numbers, want %d", s.Name, len(t.Data), len(p.views[i]))
		}
	}
	for _, t := range f.Tensors {
		if p.View(t.Name) == nil {
			unknown = append(unknown, fmt.Sprintf("%.40q", t.Name))
		}
	}
	if len(missing)+len(unknown) > 0 {
		return fmt.Errorf("energy: weights do not fit the model: missing %s; unknown %s", list(missing), list(unknown))
	}
	for i, s := range p.specs {
		copy(p.views[i], f.Tensor(s.Name).Data)
	}
	p.Changed()
	return nil
}

// list names at most four.
func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	sort.Strings(names)
	if len(names) > 4 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:4], ", "), len(names)-4)
	}
	return strings.Join(names, ", ")
}
