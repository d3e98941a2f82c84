package table

import (
	"errors"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Grid is a lattice of decimals, on which all values of a column lie:
//
//	(Offset + k Step) / 10^Decimals,   k whole.
//
// A value on it stands for its cell, the numbers that are rounded to it, from half a Width below to half a Width above.
type Grid struct {
	Decimals int     `json:"decimals"`
	Step     float64 `json:"step"`   // whole, > 0
	Offset   float64 `json:"offset"` // whole, from 0 up to Step
}

// Validate rejects what GridOf would not return.
func (g Grid) Validate() error {
	if g.Decimals < 0 || g.Decimals > mostDecimals || !(g.Step >= 1 && g.Step <= 1<<53) || g.Step != math.Trunc(g.Step) ||
		!(g.Offset >= 0 && g.Offset < g.Step) || g.Offset != math.Trunc(g.Offset) {
		return errors.New("table: a Grid wants 0 to 6 decimals, a whole step > 0 and a whole offset below it")
	}
	return nil
}

// Width is the distance of neighbours, and the width of a cell.
func (g Grid) Width() float64 { return g.Step / g.scale() }

// Round returns the value of the cell of v: the float64 next to a decimal, as in the file.
func (g Grid) Round(v float64) float64 {
	return (g.Offset + g.Step*math.Round((v*g.scale()-g.Offset)/g.Step)) / g.scale()
}

func (g Grid) scale() float64 { return math.Pow10(g.Decimals) }

// GridOf returns the coarsest grid that all values of a column of x lie on, if they are written with at most six
// decimals, and differ.
func GridOf(x *mat.Dense, j int) (g Grid, ok bool) {
	if _, ok := Constant(x, j); ok {
		return g, false
	}
	_, decimals := decimalsOf(x, j)
	if decimals < 0 {
		return g, false
	}
	g.Decimals = decimals
	n, _ := x.Dims()
	first := math.Round(x.At(0, j) * g.scale())
	for i := range n {
		g.Step = divisor(g.Step, math.Abs(math.Round(x.At(i, j)*g.scale())-first))
	}
	g.Offset = math.Mod(math.Mod(first, g.Step)+g.Step, g.Step)
	return g, true
}

// divisor is the greatest common divisor of two whole numbers, of which the first may be 0.
func divisor(a, b float64) float64 {
	for b != 0 {
		a, b = b, math.Mod(a, b)
	}
	return a
}

// Values returns the distinct values of a column of x in increasing order and how often each occurs, nil unless they
// are few.
func Values(x *mat.Dense, j int) (values []float64, counts []int) {
	n, _ := x.Dims()
	for i := range n {
		v := x.At(i, j)
		at, ok := slices.BinarySearch(values, v)
		switch {
		case ok:
			counts[at]++
		case len(values) == few:
			return nil, nil
		default:
			values, counts = slices.Insert(values, at, v), slices.Insert(counts, at, 1)
		}
	}
	if !fewOf(len(values), n) {
		return nil, nil
	}
	return values, counts
}

// fewOf reports whether so many distinct values of so many rows are few: at most 20, and ten rows or more for each.
func fewOf(values, rows int) bool { return values <= few && rows >= 10*values }

// Ties reports whether most of so many rows share their value with others, of so many distinct ones.
func Ties(values, rows int) bool { return 2*values < rows }

const mostDecimals = 6

// decimalsOf reports whether all values of a column are whole, and otherwise the smallest number of decimals, at most
// six, with which all can be written; -1 if six are not enough. A value times a power of ten is whole if it is so but
// for the rounding of a float64 (a relative 1e-12), which above 1e11 could no longer be told from decimals.
func decimalsOf(x *mat.Dense, j int) (whole bool, decimals int) {
	n, _ := x.Dims()
	scale := 1.0
	for i := range n {
		v := x.At(i, j)
		for {
			u := v * scale
			if math.Abs(u) > 1<<53 || scale > 1 && math.Abs(u) > 1e11 {
				return false, -1
			}
			if r := math.Round(u); u == r || scale > 1 && math.Abs(u-r) <= 1e-12*math.Abs(u) {
				break
			}
			if decimals++; decimals > mostDecimals {
				return false, -1
			}
			scale *= 10
		}
	}
	return decimals == 0, decimals
}
