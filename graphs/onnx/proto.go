package onnx

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// The messages of onnx.proto, by field number.

const (
	irVersion = 8 // the first with opset 17
	opset     = 17
)

// dataType is TensorProto.DataType.
type dataType int

const (
	float  dataType = 1
	integ  dataType = 7 // INT64
	double dataType = 11
)

func putString(b []byte, field protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), s)
}

func putBytes(b []byte, field protowire.Number, v []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), v)
}

func putInt(b []byte, field protowire.Number, v int) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), uint64(v))
}

// model is a ModelProto.
func model(info Info, nodes, inits, inputs, outputs [][]byte) []byte {
	name := cmp.Or(info.Name, "graph")
	var g []byte // GraphProto
	for _, n := range nodes {
		g = putBytes(g, 1, n)
	}
	g = putString(g, 2, name)
	for _, t := range inits {
		g = putBytes(g, 5, t)
	}
	for _, v := range inputs {
		g = putBytes(g, 11, v)
	}
	for _, v := range outputs {
		g = putBytes(g, 12, v)
	}
	b := putInt(nil, 1, irVersion)
	b = putString(b, 2, "stheno")
	if info.Doc != "" {
		b = putString(b, 6, info.Doc)
	}
	b = putBytes(b, 7, g)
	b = putBytes(b, 8, putInt(putString(nil, 1, ""), 2, opset))
	for _, key := range slices.Sorted(maps.Keys(info.Metadata)) {
		b = putBytes(b, 14, putString(putString(nil, 1, key), 2, info.Metadata[key]))
	}
	return b
}

// attribute is an AttributeProto.
type attribute []byte

func integer(name string, v int) attribute {
	return putInt(putInt(putString(nil, 1, name), 3, v), 20, 2)
}

func integers(name string, v ...int) attribute {
	b := putString(nil, 1, name)
	for _, x := range v {
		b = putInt(b, 8, x)
	}
	return putInt(b, 20, 7)
}

func text(name, v string) attribute {
	return putInt(putString(putString(nil, 1, name), 4, v), 20, 3)
}

// node is a NodeProto, named for its first output. Others that it must have are of no use.
func node(kind, out string, in []string, attrs []attribute) []byte {
	var b []byte
	for _, x := range in {
		b = putString(b, 1, x)
	}
	b = putString(b, 2, out)
	if kind == "TopK" {
		b = putString(b, 2, out+"i")
	}
	b = putString(b, 3, kind+" "+out)
	b = putString(b, 4, kind)
	for _, a := range attrs {
		b = putBytes(b, 5, a)
	}
	return b
}

// tensorProto is a TensorProto with raw data.
func tensorProto(name string, t dataType, dims []int, raw []byte) []byte {
	var b []byte
	for _, d := range dims {
		b = putInt(b, 1, d)
	}
	b = putInt(b, 2, int(t))
	b = putString(b, 8, name)
	return putBytes(b, 9, raw)
}

func floats(name string, t dataType, dims []int, v []float64) []byte {
	var raw []byte
	for _, x := range v {
		if t == float {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(float32(x)))
		} else {
			raw = binary.LittleEndian.AppendUint64(raw, math.Float64bits(x))
		}
	}
	return tensorProto(name, t, dims, raw)
}

func int64s(name string, dims, v []int) []byte {
	var raw []byte
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(x))
	}
	return tensorProto(name, integ, dims, raw)
}

// valueInfo is a ValueInfoProto; the open number of rows is called batch.
func (e *emitter) valueInfo(name string, t dataType, shape []int) []byte {
	var dims []byte
	for _, d := range e.p.dims(shape) {
		size := putInt(nil, 1, d.k)
		switch {
		case d == dim{1, 1}:
			size = putString(nil, 2, "batch")
		case d.e == 1:
			size = putString(nil, 2, fmt.Sprintf("%d*batch", d.k))
		case d.e > 1:
			size = putString(nil, 2, fmt.Sprintf("%d*batch^%d", d.k, d.e))
		}
		dims = putBytes(dims, 1, size)
	}
	typ := putBytes(putInt(nil, 1, int(t)), 2, dims) // TypeProto.Tensor
	return putBytes(putString(nil, 1, name), 2, putBytes(nil, 1, typ))
}
