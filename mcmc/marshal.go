package mcmc

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// The encoding is little-endian: magic, n, d, flags, then float64 arrays X, Energy, Grad and, by flag, Momentum, the
// points before an unadjusted step (x, energy, gradient), the rows that were sent back from one (1, others 0; at least
// one), and the replicas (a state, recursively).
const (
	stateMagic = "stheno-chains-1\n"

	flagValid = 1 << iota
	flagMomentum
	flagBack
	flagReplicas
	flagFell
)

// MarshalBinary encodes everything that the next step depends on.
func (s *State) MarshalBinary() ([]byte, error) { return s.append(nil), nil }

func (s *State) append(b []byte) []byte {
	n, d := s.X.Dims()
	var flags uint64
	fell := slices.Contains(s.fell, true)
	for _, f := range []struct {
		on  bool
		bit uint64
	}{{s.valid, flagValid}, {s.Momentum != nil, flagMomentum}, {s.back, flagBack}, {s.Replicas != nil, flagReplicas},
		{fell, flagFell}} {
		if f.on {
			flags |= f.bit
		}
	}
	b = append(b, stateMagic...)
	for _, v := range []uint64{uint64(n), uint64(d), flags} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	arrays := [][]float64{s.X.RawMatrix().Data, s.Energy, s.Grad.RawMatrix().Data}
	if s.Momentum != nil {
		arrays = append(arrays, s.Momentum.RawMatrix().Data)
	}
	if s.back {
		arrays = append(arrays, s.prev.x.RawMatrix().Data, s.prev.energy, s.prev.grad.RawMatrix().Data)
	}
	if fell {
		a := make([]float64, n)
		for i, f := range s.fell {
			if f {
				a[i] = 1
			}
		}
		arrays = append(arrays, a)
	}
	for _, a := range arrays {
		for _, v := range a {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		}
	}
	if s.Replicas != nil {
		b = s.Replicas.append(b)
	}
	return b
}

// UnmarshalBinary sets s to the encoded state, with newly allocated matrices.
func (s *State) UnmarshalBinary(b []byte) error {
	rest, err := s.decode(b, 0)
	if err == nil && len(rest) > 0 {
		err = errState
	}
	return err
}

var errState = errors.New("mcmc: not the encoding of a State, or truncated")

// maxNesting bounds the replicas of replicas that are read; no kernel makes any.
const maxNesting = 4

func (s *State) decode(b []byte, depth int) ([]byte, error) {
	const head = len(stateMagic) + 24
	if len(b) < head || string(b[:len(stateMagic)]) != stateMagic {
		return nil, errState
	}
	word := func(i int) uint64 { return binary.LittleEndian.Uint64(b[len(stateMagic)+8*i:]) }
	nn, dd, flags := word(0), word(1), word(2)
	b = b[head:]
	limit := uint64(len(b)) / 8
	if nn == 0 || dd == 0 || nn > limit || dd > limit || nn*dd > limit {
		return nil, errState
	}
	n, d := int(nn), int(dd)
	arrays := [][]float64{make([]float64, n*d), make([]float64, n), make([]float64, n*d)}
	*s = State{X: mat.NewDense(n, d, arrays[0]), Energy: arrays[1], Grad: mat.NewDense(n, d, arrays[2]),
		valid: flags&flagValid != 0}
	if flags&flagMomentum != 0 {
		s.Momentum = mat.NewDense(n, d, nil)
		arrays = append(arrays, s.Momentum.RawMatrix().Data)
	}
	if flags&flagBack != 0 {
		s.back = true
		s.prev = newPoints(n, d)
		s.fell = make([]bool, n)
		arrays = append(arrays, s.prev.x.RawMatrix().Data, s.prev.energy, s.prev.grad.RawMatrix().Data)
	}
	var fell []float64
	if flags&flagFell != 0 {
		fell = make([]float64, n)
		arrays = append(arrays, fell)
	}
	for _, a := range arrays {
		if len(b) < 8*len(a) {
			return nil, errState
		}
		for i := range a {
			a[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
		}
		b = b[8*len(a):]
	}
	if fell != nil {
		s.fell = make([]bool, n)
		for i, v := range fell {
			if v != 0 && v != 1 {
				return nil, errState
			}
			s.fell[i] = v == 1
		}
		if !slices.Contains(s.fell, true) {
			return nil, errState
		}
	}
	if flags&flagReplicas != 0 {
		if depth == maxNesting {
			return nil, errState
		}
		s.Replicas = new(State)
		return s.Replicas.decode(b, depth+1)
	}
	return b, nil
}
