// Package onnxtest reads and runs ONNX models in tests: with plain loops in Go, which share no code with the writer,
// and with ONNX Runtime where it is installed.
package onnxtest

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// Tensor is an array of any type as float64.
type Tensor struct {
	Dims  []int // -1: open
	Data  []float64
	Whole bool // of an input: whole numbers
}

// Model is what a file holds.
type Model struct {
	Opset           int
	Nodes           []Node
	Weights         map[string]Tensor
	Types           map[string]int // TensorProto.DataType of weights, inputs and outputs
	Inputs, Outputs []string
	Shapes          map[string][]int // of inputs and outputs
	Metadata        map[string]string
}

// Node is one operation.
type Node struct {
	Op      string
	In, Out []string
	Ints    map[string][]int  // attributes that are whole numbers
	Texts   map[string]string // and those that are texts
}

// message calls f for every field of a protobuf message.
func message(b []byte, f func(field protowire.Number, v uint64, b []byte)) {
	for len(b) > 0 {
		field, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			panic(protowire.ParseError(n))
		}
		b = b[n:]
		switch typ {
		case protowire.VarintType:
			v, m := protowire.ConsumeVarint(b)
			f(field, v, nil)
			n = m
		case protowire.BytesType:
			v, m := protowire.ConsumeBytes(b)
			f(field, 0, v)
			n = m
		default:
			n = protowire.ConsumeFieldValue(field, typ, b)
		}
		if n < 0 {
			panic(protowire.ParseError(n))
		}
		b = b[n:]
	}
}

// Read parses a ModelProto.
func Read(b []byte) (m *Model, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("onnxtest: %v", r)
		}
	}()
	m = &Model{Weights: map[string]Tensor{}, Types: map[string]int{}, Shapes: map[string][]int{},
		Metadata: map[string]string{}}
	message(b, func(field protowire.Number, _ uint64, b []byte) {
		switch field {
		case 7:
			m.graph(b)
		case 8: // OperatorSetIdProto
			message(b, func(field protowire.Number, v uint64, b []byte) {
				switch {
				case field == 1 && len(b) > 0:
					panic(fmt.Sprintf("operations of domain %q", b))
				case field == 2:
					m.Opset = int(v)
				}
			})
		case 14:
			var kv [2]string
			message(b, func(field protowire.Number, _ uint64, b []byte) { kv[field-1] = string(b) })
			m.Metadata[kv[0]] = kv[1]
		}
	})
	return m, nil
}

func (m *Model) graph(b []byte) {
	message(b, func(field protowire.Number, _ uint64, b []byte) {
		switch field {
		case 1:
			m.node(b)
		case 5:
			m.tensor(b)
		case 11:
			m.Inputs = append(m.Inputs, m.info(b))
		case 12:
			m.Outputs = append(m.Outputs, m.info(b))
		}
	})
}

func (m *Model) node(b []byte) {
	n := Node{Ints: map[string][]int{}, Texts: map[string]string{}}
	message(b, func(field protowire.Number, _ uint64, b []byte) {
		switch field {
		case 1:
			n.In = append(n.In, string(b))
		case 2:
			n.Out = append(n.Out, string(b))
		case 4:
			n.Op = string(b)
		case 5:
			var name string
			var ints []int
			message(b, func(field protowire.Number, v uint64, b []byte) {
				switch field {
				case 1:
					name = string(b)
				case 3, 8:
					ints = append(ints, int(v))
				case 4:
					n.Texts[name] = string(b)
				}
			})
			n.Ints[name] = ints
		}
	})
	m.Nodes = append(m.Nodes, n)
}

func (m *Model) tensor(b []byte) {
	var t Tensor
	var name string
	var typ int
	var raw []byte
	message(b, func(field protowire.Number, v uint64, b []byte) {
		switch field {
		case 1:
			t.Dims = append(t.Dims, int(v))
		case 2:
			typ = int(v)
		case 8:
			name = string(b)
		case 9:
			raw = b
		}
	})
	for len(raw) > 0 {
		switch typ {
		case 1:
			t.Data = append(t.Data, float64(math.Float32frombits(binary.LittleEndian.Uint32(raw))))
			raw = raw[4:]
		case 7:
			t.Data = append(t.Data, float64(int64(binary.LittleEndian.Uint64(raw))))
			raw = raw[8:]
		case 11:
			t.Data = append(t.Data, math.Float64frombits(binary.LittleEndian.Uint64(raw)))
			raw = raw[8:]
		default:
			panic(fmt.Sprintf("weight %s of type %d", name, typ))
		}
	}
	if len(t.Data) != size(t.Dims) {
		panic(fmt.Sprintf("weight %s of dimensions %v has %d numbers", name, t.Dims, len(t.Data)))
	}
	if _, dup := m.Weights[name]; dup {
		panic("two weights are called " + name)
	}
	m.Weights[name], m.Types[name] = t, typ
}

// info reads a ValueInfoProto.
func (m *Model) info(b []byte) (name string) {
	dims := []int{}
	var typ int
	message(b, func(field protowire.Number, _ uint64, b []byte) {
		if field == 1 {
			name = string(b)
			return
		}
		message(b, func(_ protowire.Number, _ uint64, b []byte) { // TypeProto
			message(b, func(field protowire.Number, v uint64, b []byte) { // TypeProto.Tensor
				if field == 1 {
					typ = int(v)
					return
				}
				message(b, func(_ protowire.Number, _ uint64, b []byte) { // TensorShapeProto
					message(b, func(field protowire.Number, v uint64, _ []byte) { // Dimension
						if field == 2 {
							v = math.MaxUint64 // a name
						}
						dims = append(dims, int(v))
					})
				})
			})
		})
	})
	m.Types[name], m.Shapes[name] = typ, dims
	return name
}

func size(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}
