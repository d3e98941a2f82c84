package energy

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// constant adds an array of fixed numbers to x's graph: an input that carries its value. Its name is derived from its
// content, so that the same array built twice is one node (Gorgonia merges inputs of equal name) and different arrays
// never are.
func constant(x *G.Node, data []float64, shape ...int) *G.Node {
	h := fnv.New128a()
	var b [8]byte
	for _, v := range data {
		binary.LittleEndian.PutUint64(b[:], math.Float64bits(v))
		h.Write(b[:])
	}
	name := fmt.Sprintf("constant-%v-%x", shape, h.Sum(nil))
	g := x.Graph()
	for _, n := range g.AllNodes() {
		if n.Op() == nil && n.Name() == name {
			return n
		}
	}
	var backing any = append([]float64(nil), data...)
	if x.Dtype() == tensor.Float32 {
		f := make([]float32, len(data))
		for i, v := range data {
			f[i] = float32(v)
		}
		backing = f
	}
	t := tensor.New(tensor.WithShape(shape...), tensor.WithBacking(backing))
	return G.NewTensor(g, x.Dtype(), len(shape), G.WithShape(shape...), G.WithName(name), G.WithValue(t))
}

// Constants returns the inputs of g that carry a value, and their values, to be passed to graphs.Compile as held
// inputs, so that energies may use fixed arrays. These are Gorgonia nodes with a bound *tensor.Dense, in row-major
// order.
func Constants(g *G.ExprGraph) (nodes G.Nodes, values [][]float64, err error) {
	for _, n := range g.AllNodes() {
		if n.Op() != nil || n.Value() == nil {
			continue
		}
		if _, ok := n.Value().(*tensor.Dense); !ok {
			continue // one of Gorgonia's own scalar constants
		}
		switch d := n.Value().Data().(type) {
		case []float64:
			values = append(values, d)
		case []float32:
			v := make([]float64, len(d))
			for i, x := range d {
				v[i] = float64(x)
			}
			values = append(values, v)
		default:
			return nil, nil, fmt.Errorf("energy: input %s carries values of type %T, want float32 or float64", n.Name(),
				d)
		}
		nodes = append(nodes, n)
	}
	return nodes, values, nil
}
