package objectives

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/stheno-ebm/stheno/energy/safetensors"
)

// The state of an engine is, in this order,
//
//	8 bytes   little-endian, the length of the form's state
//	          the form's state, as its MarshalState returns it
//	          the parameters of a Learner and Adam's moments for them, a safetensors file; nothing for other forms
//
// or nothing at all if there is neither. It may come from a damaged file: nothing in it is trusted.

const lengthBytes = 8

// MarshalState returns what the objective remembers: what its Form does, or else its Method, if that is [Stateful], and
// the parameters of a [Learner]. It is empty, not nil, for one that remembers nothing.
func (o *Engine) MarshalState() ([]byte, error) {
	form := []byte{}
	if o.memory != nil {
		var err error
		if form, err = o.memory.MarshalState(); err != nil {
			return nil, err
		}
	}
	var own []byte
	if o.own != nil {
		var err error
		if own, err = pack(o.own); err != nil {
			return nil, err
		}
	}
	if len(form)+len(own) == 0 {
		return []byte{}, nil
	}
	b := binary.LittleEndian.AppendUint64(make([]byte, 0, lengthBytes+len(form)+len(own)), uint64(len(form)))
	return append(append(b, form...), own...), nil
}

// UnmarshalState restores what MarshalState returned. If it fails nothing has changed, provided the form complies, too.
func (o *Engine) UnmarshalState(b []byte) error {
	has := o.memory != nil
	if !has && o.own == nil {
		return noState(b)
	}
	var form, own []byte
	if len(b) > 0 {
		if len(b) < lengthBytes {
			return fmt.Errorf("objectives: state of %d bytes, which is no state", len(b))
		}
		n := binary.LittleEndian.Uint64(b)
		if n > uint64(len(b)-lengthBytes) {
			return errors.New("objectives: state is cut short, or belongs to another objective")
		}
		form, own = b[lengthBytes:lengthBytes+n], b[lengthBytes+n:]
	}
	var restored *ownState
	if o.own != nil {
		restored = o.own.copy()
		if err := unpack(restored, own); err != nil {
			return err
		}
	} else if err := noState(own); err != nil {
		return err
	}
	if has {
		if err := o.memory.UnmarshalState(form); err != nil {
			return err
		}
	} else if err := noState(form); err != nil {
		return err
	}
	if o.own != nil {
		o.own.set(restored)
	}
	return nil
}

// noState rejects a state for an objective that has none.
func noState(b []byte) error {
	if len(b) != 0 {
		return fmt.Errorf("objectives: state of %d bytes for an objective that has none", len(b))
	}
	return nil
}

// arrays has a state of named arrays of float64. restore checks all of them before it changes anything.
type arrays interface {
	save() []safetensors.Tensor
	restore(f *safetensors.File) error
}

// pack returns the arrays as a safetensors file, empty if there are none.
func pack(a arrays) ([]byte, error) {
	f := &safetensors.File{Tensors: a.save()}
	if len(f.Tensors) == 0 {
		return []byte{}, nil
	}
	var buf bytes.Buffer
	err := safetensors.Write(&buf, f)
	return buf.Bytes(), err
}

// unpack restores what pack returned.
func unpack(a arrays, b []byte) error {
	if len(a.save()) == 0 {
		return noState(b)
	}
	f, err := safetensors.Read(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return fmt.Errorf("objectives: state: %w", err)
	}
	return a.restore(f)
}

func array(name string, data []float64, shape ...int) safetensors.Tensor {
	return safetensors.Tensor{Name: name, DType: safetensors.F64, Shape: shape, Data: append([]float64(nil), data...)}
}

// numbers returns the array with this name, of n numbers.
func numbers(f *safetensors.File, name string, n int) ([]float64, error) {
	t := f.Tensor(name)
	if t == nil {
		return nil, fmt.Errorf("objectives: state has no %s; it belongs to another objective", name)
	}
	if len(t.Data) != n {
		return nil, fmt.Errorf("objectives: state: %s has %d numbers, want %d; it belongs to another configuration",
			name, len(t.Data), n)
	}
	return t.Data, nil
}

func flag(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
