package ir

import (
	"fmt"
	"math"
)

type (
	// Input is the Index-th argument of a call.
	Input struct {
		source
		Index int
		Label string // for dumps and messages
	}
	// Const is a matrix with C everywhere.
	Const struct {
		source
		C float64
	}
	// Data is a matrix of fixed values.
	Data struct {
		source
		Values []float64
	}
)

func (Input) Name() string { return "input" }
func (Const) Name() string { return "const" }
func (Data) Name() string  { return "data" }

func (o Input) Text([]string) string { return fmt.Sprint("input ", o.Index) }
func (o Const) Text([]string) string { return fmt.Sprint("const ", o.C) }
func (o Data) Text([]string) string  { return "data" }

// constKey is the key of a constant, its bits: 0 and −0 differ.
type constKey uint64

func (o Const) key() any { return constKey(math.Float64bits(o.C)) }
func (o Data) key() any  { return nil }

// Arg declares the next input. If held, its value changes only when the caller says so.
func (g *Graph) Arg(rows, cols int, label string, held bool) ID {
	g.Held = append(g.Held, held)
	return g.Emit(Input{Index: len(g.Held) - 1, Label: label}, rows, cols)
}

// Const is the matrix with c everywhere.
func (g *Graph) Const(rows, cols int, c float64) ID { return g.Emit(Const{C: c}, rows, cols) }

// Data is the rows × cols matrix of the values v.
func (g *Graph) Data(rows, cols int, v []float64) ID {
	if len(v) != rows*cols {
		panic(fmt.Sprintf("ir: %d numbers for (%d,%d)", len(v), rows, cols))
	}
	return g.Emit(Data{Values: v}, rows, cols)
}

// Constant returns the value of in if it is a Const.
func (in *Instr) Constant() (float64, bool) {
	o, ok := in.Op.(Const)
	return o.C, ok
}
