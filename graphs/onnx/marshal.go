package onnx

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/graphs/internal/bridge"
)

// Graph is what is written: the outputs as a function of the inputs, with fixed weights.
type Graph struct {
	Inputs, Outputs []Value
	Weights         []Weight
}

// Value is a node under the name that the model's users know it by.
type Value struct {
	Name string
	Node *G.Node
}

// Weight is an input of the graph whose numbers are stored in the model.
type Weight struct {
	Value
	Data []float64 // row-major
}

// Info is what a model says about itself. All of it may be empty.
type Info struct {
	Name, Doc string
	Metadata  map[string]string
}

// Marshal writes g with fixed shapes. Like graphs.Compile it reads the graph only.
func Marshal(g Graph, info Info) ([]byte, error) {
	p, err := lower(g, false)
	if err != nil {
		return nil, err
	}
	return p.marshal(info)
}

// MarshalBatch writes the graph that build makes for a given number of rows, leaving that number open. It calls build
// with the lock of graphs.Building held: once, and a second time, with another number, where a constant of the graph
// has so many digits that it might depend on the number. The two must differ in nothing but the rows. Names and
// weights are those of the first.
func MarshalBatch(build func(rows int) (Graph, error), info Info) ([]byte, error) {
	make := func(n int) (*program, error) {
		defer graphs.Building()()
		g, err := build(n)
		if err != nil {
			return nil, err
		}
		return lower(g, true)
	}
	p, err := make(rows)
	if err != nil {
		return nil, err
	}
	err = p.check()
	if err == nil && p.doubtful() {
		q, failed := make(rows2)
		if failed != nil {
			return nil, failed
		}
		err = p.compare(q)
	}
	if err != nil {
		return nil, fmt.Errorf("onnx: the graph depends on the number of rows: %w; fix it and use Marshal", err)
	}
	return p.marshal(info)
}

// program is a lowered graph with the shapes of its ends.
type program struct {
	Graph
	dt      tensor.Dtype
	batched bool    // the number of rows is open
	in, out [][]int // shapes
	code    []instruction
	result  []int // indices of code
}

func lower(g Graph, batched bool) (*program, error) {
	if len(g.Outputs) == 0 {
		return nil, errors.New("onnx: no outputs")
	}
	p := &program{Graph: g, batched: batched}
	var inputs, outputs G.Nodes
	seen := map[string]bool{"": true}
	add := func(list *G.Nodes, v Value) error {
		if seen[v.Name] || strings.HasPrefix(v.Name, "/") {
			return fmt.Errorf("onnx: name %q: want unique names that do not begin with /", v.Name)
		}
		if v.Node == nil {
			return fmt.Errorf("onnx: %s has no node", v.Name)
		}
		seen[v.Name] = true
		*list = append(*list, v.Node)
		return nil
	}
	for _, v := range g.Inputs {
		if err := add(&inputs, v); err != nil {
			return nil, err
		}
		p.in = append(p.in, slices.Clone(v.Node.Shape()))
	}
	for _, w := range g.Weights {
		if err := add(&inputs, w.Value); err != nil {
			return nil, err
		}
		if n := max(w.Node.Shape().TotalSize(), 1); len(w.Data) != n {
			return nil, fmt.Errorf("onnx: weight %s has %d numbers, its node %d", w.Name, len(w.Data), n)
		}
	}
	for _, v := range g.Outputs {
		if err := add(&outputs, v); err != nil {
			return nil, err
		}
		p.out = append(p.out, slices.Clone(v.Node.Shape()))
	}
	p.dt = outputs[0].Dtype()
	l, err := bridge.Lower(inputs, outputs)
	if err != nil {
		return nil, err
	}
	p.code, p.result = read(l)
	return p, nil
}
