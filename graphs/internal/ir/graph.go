package ir

import (
	"fmt"
	"slices"
)

// ID identifies an instruction, and the value it computes, by its index in Graph.Code.
type ID int32

// Instr is one instruction: its operation, the shape of its result and its arguments.
type Instr struct {
	Op         Op
	Rows, Cols int
	Args       []ID
}

// Len is the number of elements of the result.
func (in *Instr) Len() int { return in.Rows * in.Cols }

// Graph is a program. Lowering produces one; the rewriting stages take one and return one.
//
// Its methods check shapes and append instructions. On a graph from New they do nothing else; on one from Rewriting,
// each instruction is simplified as it is added.
type Graph struct {
	Code    []Instr
	Outputs []ID
	Held    []bool // by input number: the value changes only when the caller says so

	rewrite func(*Graph, *Instr) (ID, bool)
	equal   map[key]ID // nil: equal instructions are not merged
}

// New returns an empty graph.
func New() *Graph { return &Graph{} }

// Rewriting returns an empty graph that passes every instruction to rewrite before appending it, and that reuses an
// equal instruction if there is one. rewrite returns the value to use instead and whether it found one.
func Rewriting(rewrite func(g *Graph, in *Instr) (ID, bool)) *Graph {
	return &Graph{rewrite: rewrite, equal: map[key]ID{}}
}

// At returns the instruction id.
func (g *Graph) At(id ID) *Instr { return &g.Code[id] }

// Emit appends an instruction; a rewriting graph may return an equal value that it already has instead.
func (g *Graph) Emit(op Op, rows, cols int, args ...ID) ID {
	in := Instr{op, rows, cols, args}
	if g.rewrite != nil {
		if id, ok := g.rewrite(g, &in); ok {
			return id
		}
		if k, ok := keyOf(&in); ok {
			if id, ok := g.equal[k]; ok {
				return id
			}
			g.equal[k] = ID(len(g.Code))
		}
	}
	g.Code = append(g.Code, in)
	return ID(len(g.Code) - 1)
}

// Has reports whether a rewriting graph already contains an instruction.
func (g *Graph) Has(op Op, rows, cols int, args ...ID) bool {
	k, ok := keyOf(&Instr{op, rows, cols, args})
	if ok {
		_, ok = g.equal[k]
	}
	return ok
}

// key identifies an instruction: equal keys mean equal values.
type key struct {
	op         any
	rows, cols int
	a, b       ID
	more       string
}

// keyed is implemented by instructions that cannot be compared by their fields. The key must be comparable; nil means
// that the instruction is never merged with another.
type keyed interface{ key() any }

func keyOf(in *Instr) (key, bool) {
	k := key{in.Op, in.Rows, in.Cols, -1, -1, ""}
	if o, ok := in.Op.(keyed); ok {
		if k.op = o.key(); k.op == nil {
			return k, false
		}
	}
	switch len(in.Args) {
	case 0:
	case 1:
		k.a = in.Args[0]
	case 2:
		k.a, k.b = in.Args[0], in.Args[1]
	default:
		k.more = fmt.Sprint(in.Args)
	}
	return k, true
}

// Live marks the instructions that the outputs depend on, and all inputs.
func (g *Graph) Live() []bool {
	need := make([]bool, len(g.Code))
	for _, o := range g.Outputs {
		need[o] = true
	}
	for i := len(g.Code) - 1; i >= 0; i-- {
		if _, ok := g.Code[i].Op.(Input); ok {
			need[i] = true
		}
		if need[i] {
			for _, a := range g.Code[i].Args {
				need[a] = true
			}
		}
	}
	return need
}

// Uses counts how often live instructions read each value. An output counts as two further reads, so that no
// instruction takes itself for its only reader.
func (g *Graph) Uses(live []bool) []int {
	uses := make([]int, len(g.Code))
	for i := range g.Code {
		if live[i] {
			for _, a := range g.Code[i].Args {
				uses[a]++
			}
		}
	}
	for _, o := range g.Outputs {
		uses[o] += 2
	}
	return uses
}

// StandStill marks the values that depend only on held inputs and constants.
func (g *Graph) StandStill() []bool {
	still := make([]bool, len(g.Code))
	for i := range g.Code {
		switch o := g.Code[i].Op.(type) {
		case Input:
			still[i] = g.Held[o.Index]
		case Opaque:
			still[i] = !o.Volatile && !slices.ContainsFunc(g.Code[i].Args, func(a ID) bool { return !still[a] })
		default:
			still[i] = !slices.ContainsFunc(g.Code[i].Args, func(a ID) bool { return !still[a] })
		}
	}
	return still
}

// sameShape returns the common shape of a and b, and panics if they differ.
func (g *Graph) sameShape(op Op, a, b ID) (rows, cols int) {
	x, y := g.At(a), g.At(b)
	if x.Rows != y.Rows || x.Cols != y.Cols {
		panic(fmt.Sprintf("ir: %s of (%d,%d) and (%d,%d)", op.Name(), x.Rows, x.Cols, y.Rows, y.Cols))
	}
	return x.Rows, x.Cols
}
