package onnx

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
)

// The number of rows with which an open batch is built: a prime that divides only those sizes of a graph that depend on
// the batch, so that a size k·rows^e can be recognised. Building and writing a graph allocates nothing for rows.
//
// A constant cannot be recognised this way: 0.37/rows is a number like any other. If a graph has constants with more
// digits than people write, it is built again with rows2, and the constants that differ are c·N^e. Both numbers exceed
// the widths of weights, so that both builds take the same branches.
const rows, rows2 = 1318703, 1874177

// dim is a size k·N^e, N the open number of rows.
type dim struct{ k, e int }

func fixed(k int) dim { return dim{k, 0} }

func times(ds ...dim) dim {
	p := dim{1, 0}
	for _, d := range ds {
		p.k, p.e = p.k*d.k, p.e+d.e
	}
	return p
}

// dim reads a size.
func (p *program) dim(v int) dim {
	d := dim{v, 0}
	for p.batched && d.k > 0 && d.k%rows == 0 {
		d.k, d.e = d.k/rows, d.e+1
	}
	return d
}

// odd reports whether v depends on the number of rows without being a multiple of it, such as rows-1.
func (p *program) odd(v int) bool {
	const some = 4096
	return p.batched && v >= rows/2 && p.dim(v).e == 0 && (v%rows < some || rows-v%rows < some || v < rows)
}

// check reports anything that depends on the number of rows in a way that no model can express.
func (p *program) check() error {
	if !p.batched {
		return nil
	}
	for what, shapes := range map[string][][]int{"input": p.in, "output": p.out} {
		for i, s := range shapes {
			if slices.ContainsFunc(s, p.odd) {
				return fmt.Errorf("a dimension of %s %d is not a multiple of it", what, i)
			}
		}
	}
	for i := range p.code {
		if err := p.checkOne(&p.code[i]); err != nil {
			return err
		}
	}
	return nil
}

func (p *program) checkOne(in *instruction) error {
	open := len(in.args) == 0 && !is[ir.Input](in) && !is[ir.Data](in) // of constants, no more is known
	for _, a := range in.args {
		open = open || p.dim(p.code[a].rows).e > 0 || p.dim(p.code[a].cols).e > 0
	}
	if is[ir.Data](in) && p.dim(in.rows*in.cols).e > 0 {
		return errors.New("its constants have other values for another number")
	}
	if !open {
		return nil
	}
	bad := func(what string, v ...int) error {
		if slices.ContainsFunc(v, p.odd) {
			return fmt.Errorf("%s of %v is no multiple of it", what, in.op.Name())
		}
		return nil
	}
	switch in.op.(type) {
	case ir.SliceCols, ir.SliceRows, ir.PadCols, ir.PadRows:
		if err := bad("a bound", in.lo, in.hi); err != nil {
			return err
		}
	case ir.Gather, ir.Put, ir.Scatter:
		if err := bad("a bound", append(slices.Clone(in.view.Dims), in.view.Offset)...); err != nil {
			return err
		}
	}
	if err := bad("the height", in.rows); err != nil {
		return err
	}
	return bad("the width", in.cols)
}

// long reports whether c has more digits than people write.
func long(c float64) bool {
	const digits = 6
	short, err := strconv.ParseFloat(strconv.FormatFloat(c, 'g', digits, 64), 64)
	return err != nil || short != c && !math.IsNaN(c)
}

// doubtful reports whether a constant of the program may depend on the number of rows.
func (p *program) doubtful() bool {
	for i := range p.code {
		if long(p.code[i].c) || slices.ContainsFunc(p.code[i].values, long) {
			return true
		}
	}
	return false
}

// compare finds the constants of p that depend on the number of rows by comparison with q, a build with rows2.
func (p *program) compare(q *program) error {
	if len(p.code) != len(q.code) || !slices.Equal(p.result, q.result) {
		return errors.New("it has other operations for another number")
	}
	for i := range p.code {
		a, b := &p.code[i], &q.code[i]
		if a.op.Name() != b.op.Name() || a.fn != b.fn || a.order != b.order || !slices.Equal(a.args, b.args) ||
			a.transA != b.transA || a.transB != b.transB || a.index != b.index {
			return errors.New("it has other operations for another number")
		}
		if !slices.Equal(a.values, b.values) {
			return errors.New("its constants have other values for another number")
		}
		if math.Float64bits(a.c) == math.Float64bits(b.c) {
			continue
		}
		if !a.power(b.c) || is[ir.Pow](a) || is[ir.Put](a) {
			return fmt.Errorf("operation %v has the factor %g for %d rows and %g for %d", a.op.Name(), a.c, rows, b.c, rows2)
		}
	}
	return nil
}

// power writes the constant of in as c·N^e if it has that form; other is its value with rows2.
func (in *instruction) power(other float64) bool {
	for _, e := range []float64{1, -1, 2, -2, 0.5, -0.5} {
		c, d := in.c/math.Pow(rows, e), other/math.Pow(rows2, e)
		if math.Abs(c-d) > 1e-13*math.Abs(c) {
			continue
		}
		short, err := strconv.ParseFloat(strconv.FormatFloat(c, 'g', 12, 64), 64)
		if err == nil && math.Abs(c-short) < 1e-15*math.Abs(c) {
			c = short
		}
		in.c, in.exponent = c, e
		return true
	}
	return false
}
