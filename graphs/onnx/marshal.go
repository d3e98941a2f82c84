package onnx

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs"
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
	p, err := lower(g)
	if err != nil {
		return nil, err
	}
	return p.marshal(info)
}

// The numbers of rows that MarshalBatch builds with: primes that nothing else in a graph is likely to have, above the
// widths of weights, so that both builds take the same turns.
const rows1, rows2 = 1000003, 2000003

// batch stands for the open number of rows.
const batch = -1

// MarshalBatch writes the graph that build makes for a given number of rows, leaving that number open. It calls build
// twice, with the lock of graphs.Building held; the two must differ in nothing but the rows. Names and weights are those of
// the first.
func MarshalBatch(build func(rows int) (Graph, error), info Info) ([]byte, error) {
	var ps [2]*program
	for i, rows := range []int{rows1, rows2} {
		unlock := graphs.Building()
		g, err := build(rows)
		if err == nil {
			ps[i], err = lower(g)
		}
		unlock()
		if err != nil {
			return nil, err
		}
	}
	if err := ps[0].open(ps[1]); err != nil {
		return nil, fmt.Errorf("onnx: the graph depends on the number of rows: %w; fix it and use Marshal", err)
	}
	return ps[0].marshal(info)
}

// program is a lowered graph with the shapes of its ends.
type program struct {
	Graph
	dt      tensor.Dtype
	in, out [][]int // shapes
	code    []instruction
	result  []int // indices of code
}

// instruction is one of graphs', with what padding adds at the end in place of Hi.
type instruction struct {
	graphs.Instruction
	after int
}

func lower(g Graph) (*program, error) {
	if len(g.Outputs) == 0 {
		return nil, errors.New("onnx: no outputs")
	}
	p := &program{Graph: g}
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
	l, err := graphs.Lower(inputs, outputs)
	if err != nil {
		return nil, err
	}
	p.result = l.Outputs
	for _, in := range l.Code {
		i := instruction{Instruction: in}
		switch in.Op {
		case "padcols":
			i.after, i.Hi = in.Cols-in.Hi, 0
		case "padrows":
			i.after, i.Hi = in.Rows-in.Hi, 0
		}
		p.code = append(p.code, i)
	}
	return p, nil
}

// open replaces by batch what is rows1 in p and rows2 in q, which must be equal otherwise.
func (p *program) open(q *program) error {
	same := func(what string, a *int, b int) error {
		switch {
		case *a == rows1 && b == rows2:
			*a = batch
		case *a != b:
			return fmt.Errorf("%s is %d for %d rows and %d for %d", what, *a, rows1, b, rows2)
		}
		return nil
	}
	var errs []error
	shapes := func(what string, a, b [][]int) {
		for i := range a {
			if len(a[i]) != len(b[i]) {
				errs = append(errs, fmt.Errorf("%s %d has shapes %v and %v", what, i, a[i], b[i]))
				continue
			}
			for j := range a[i] {
				errs = append(errs, same(fmt.Sprintf("a dimension of %s %d", what, i), &a[i][j], b[i][j]))
			}
		}
	}
	if len(p.in) != len(q.in) || len(p.out) != len(q.out) || len(p.Weights) != len(q.Weights) || len(p.code) != len(q.code) || !slices.Equal(p.result, q.result) {
		return errors.New("it has other operations for another number")
	}
	shapes("input", p.in, q.in)
	shapes("output", p.out, q.out)
	for i := range p.code {
		a, b := &p.code[i], &q.code[i]
		if a.Op != b.Op || a.Fn != b.Fn || a.Order != b.Order || !slices.Equal(a.Args, b.Args) || a.TransA != b.TransA || a.TransB != b.TransB || a.Index != b.Index {
			return errors.New("it has other operations for another number")
		}
		if math.Float64bits(a.C) != math.Float64bits(b.C) {
			errs = append(errs, fmt.Errorf("operation %s has the factor %g for %d rows and %g for %d", a.Op, a.C, rows1, b.C, rows2))
		}
		if !slices.Equal(a.Values, b.Values) {
			errs = append(errs, errors.New("its constants have other values for another number"))
		}
		errs = append(errs,
			same("the height of "+a.Op, &a.Rows, b.Rows), same("the width of "+a.Op, &a.Cols, b.Cols),
			same("a bound of "+a.Op, &a.Lo, b.Lo), same("a bound of "+a.Op, &a.Hi, b.Hi), same("the padding of "+a.Op, &a.after, b.after))
		if a.Lo == batch || a.Hi == batch || a.after == batch {
			errs = append(errs, fmt.Errorf("a bound of %s is the number of rows", a.Op))
		}
	}
	for _, err := range errs {
		if err != nil {
			return err // the first says enough
		}
	}
	return nil
}
