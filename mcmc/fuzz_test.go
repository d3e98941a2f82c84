package mcmc

import (
	"bytes"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// Whatever is accepted as a state is encoded again to the same bytes.
func FuzzState(f *testing.F) {
	s := NewState(mat.NewDense(2, 2, []float64{1, 2, 3, 4}))
	b, err := s.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	s.Replicas = NewState(mat.NewDense(1, 1, []float64{5}))
	s.Momentum = mat.NewDense(2, 2, nil)
	if b, err = s.MarshalBinary(); err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(b[:len(b)-1])
	s.fell = []bool{false, true}
	if b, err = s.MarshalBinary(); err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(append([]byte(stateMagic), bytes.Repeat([]byte{255}, 64)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := new(State)
		if s.UnmarshalBinary(b) != nil {
			return
		}
		got, err := s.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		again := new(State)
		if err := again.UnmarshalBinary(got); err != nil || len(got) != len(b) {
			t.Errorf("%d bytes became %d, %v", len(b), len(got), err)
		}
	})
}
