package objectives

import (
	"bytes"
	"fmt"

	"github.com/stheno-ebm/stheno/energy/safetensors"
)

// The state of an objective is a safetensors file: named arrays of float64, read by a reader that trusts nothing.

// remembers is a Form with a state. Both methods work on named arrays; restore checks all of them before it changes anything.
type remembers interface {
	Form
	save() []safetensors.Tensor
	restore(f *safetensors.File) error
}

// MarshalState returns what the objective remembers. It is empty, not nil, for one that remembers nothing.
func (o *Engine) MarshalState() ([]byte, error) {
	f := &safetensors.File{}
	if r, ok := o.form.(remembers); ok {
		f.Tensors = r.save()
	}
	if w := o.own; w != nil {
		k := len(w.m)
		f.Tensors = append(f.Tensors, array("own.params", w.p.Data(), k), array("own.m", w.m, k), array("own.v", w.v, k),
			array("own.t", []float64{float64(w.t)}, 1))
	}
	if len(f.Tensors) == 0 {
		return []byte{}, nil
	}
	var buf bytes.Buffer
	if err := safetensors.Write(&buf, f); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// UnmarshalState restores what MarshalState returned.
func (o *Engine) UnmarshalState(b []byte) error {
	r, has := o.form.(remembers)
	if o.own == nil && (!has || len(r.save()) == 0) {
		if len(b) != 0 {
			return fmt.Errorf("objectives: state of %d bytes for an objective that has none", len(b))
		}
		return nil
	}
	f, err := safetensors.Read(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return fmt.Errorf("objectives: state: %w", err)
	}
	var own [4][]float64
	if w := o.own; w != nil {
		k := len(w.m)
		for i, want := range []struct {
			name string
			n    int
		}{{"own.params", k}, {"own.m", k}, {"own.v", k}, {"own.t", 1}} {
			if own[i], err = numbers(f, want.name, want.n); err != nil {
				return err
			}
		}
	}
	if has {
		if err := r.restore(f); err != nil {
			return err
		}
	}
	if w := o.own; w != nil {
		copy(w.p.Data(), own[0])
		copy(w.m, own[1])
		copy(w.v, own[2])
		w.t = int(own[3][0])
		w.p.Changed()
	}
	return nil
}

func array(name string, data []float64, shape ...int) safetensors.Tensor {
	return safetensors.Tensor{Name: name, DType: safetensors.F64, Shape: shape, Data: append([]float64(nil), data...)}
}

// numbers returns the array of that name, of n numbers.
func numbers(f *safetensors.File, name string, n int) ([]float64, error) {
	t := f.Tensor(name)
	if t == nil {
		return nil, fmt.Errorf("objectives: state has no %s; it belongs to another objective", name)
	}
	if len(t.Data) != n {
		return nil, fmt.Errorf("objectives: state: %s has %d numbers, want %d; it belongs to another configuration", name, len(t.Data), n)
	}
	return t.Data, nil
}
