package onnx

import (
	"fmt"
	"slices"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/strided"
)

// axis is an axis of a view: its size and its stride.
type axis struct{ n, s dim }

// axes returns the axes of a view, with that of the batch separated from others.
func (p *program) axes(v strided.View) []axis {
	var ax []axis
	for i, d := range v.Dims {
		n, s := p.dim(d), p.dim(v.Strides[i])
		if v.Strides[i] == 0 {
			s = dim{}
		}
		if n.e == 1 && n.k > 1 {
			ax = append(ax, axis{dim{1, 1}, times(s, fixed(n.k))}, axis{fixed(n.k), s})
			continue
		}
		ax = append(ax, axis{n, s})
	}
	return ax
}

// sample is a view as the same view of each row of the batch: the array is (outer, N, inner), a row of the batch
// consists of the m = outer·inner numbers that belong to it, and the view has its own axes within these.
type sample struct {
	axes         []axis // all of the view
	batch        int    // the axis that is the batch; -1: none, and the array is one row
	outer, inner int
	m            int // 0: not known, since the array has the batch and the view has not
	offset       int
	dims         []int // of the axes that are neither the batch nor repetitions
	strides      []int
}

// sampled decomposes a view.
func (e *emitter) sampled(v strided.View) (s sample, ok bool) {
	p := e.p
	s = sample{axes: p.axes(v), batch: -1, outer: 1, offset: v.Offset}
	size := p.dim(v.Size)
	for i, a := range s.axes {
		if a.n.e > 1 || a.n.e == 1 && a.s.k > 0 && s.batch >= 0 {
			return s, false
		}
		if a.n.e == 1 && a.s.k > 0 {
			s.batch = i
		}
	}
	if s.batch < 0 {
		if s.m = size.k; size.e > 0 {
			s.m = 0
		}
	} else {
		a := s.axes[s.batch]
		if size.e != 1 || a.s.e > 0 || size.k%a.s.k != 0 {
			return s, false
		}
		s.inner = a.s.k
		s.outer, s.m = size.k/s.inner, size.k
		block := v.Offset / (rows * s.inner)
		rest := v.Offset % (rows * s.inner)
		s.offset = block*s.inner + rest
		if rest >= s.inner {
			return s, false
		}
		for i, a := range s.axes { // axes within a block must stay there
			if i != s.batch && a.s.e == 0 && a.n.e == 0 {
				rest += (a.n.k - 1) * a.s.k
			}
		}
		if rest >= s.inner {
			return s, false
		}
	}
	for i, a := range s.axes {
		switch {
		case i == s.batch || a.s.k == 0:
			continue
		case a.s.e > 1 || a.s.e == 1 && (s.batch < 0 || a.s.k%s.inner != 0):
			return s, false
		}
		s.dims, s.strides = append(s.dims, a.n.k), append(s.strides, a.s.k)
	}
	return s, true
}

// lead is the batch as the first axis of an array, or nothing.
func (s *sample) lead(ds ...dim) []dim {
	if s.batch < 0 {
		return ds
	}
	return append([]dim{{1, 1}}, ds...)
}

// fixedDims makes sizes of numbers.
func fixedDims(v []int) []dim {
	ds := make([]dim, len(v))
	for i, k := range v {
		ds[i] = fixed(k)
	}
	return ds
}

// toRows turns an array into rows of the batch, (N,m).
func (e *emitter) toRows(s *sample, x string, size dim) string {
	if s.batch < 0 {
		return e.reshape(x, size)
	}
	if s.outer > 1 {
		x = e.transpose(e.reshape(x, fixed(s.outer), dim{1, 1}, fixed(s.inner)), 1, 0, 2)
	}
	return e.reshape(x, dim{1, 1}, fixed(s.m))
}

// fromRows undoes toRows.
func (e *emitter) fromRows(s *sample, x string) string {
	if s.batch < 0 || s.outer == 1 {
		return x
	}
	return e.transpose(e.reshape(x, dim{1, 1}, fixed(s.outer), fixed(s.inner)), 1, 0, 2)
}

// batchFirst returns the order of the axes that are not repetitions, with the batch first, and its inverse.
func (s *sample) batchFirst() (perm, back []int) {
	n, at := 0, 0
	for i, a := range s.axes {
		if a.s.k == 0 {
			continue
		}
		if i == s.batch {
			at = n
		}
		n++
	}
	for i := range n {
		switch {
		case s.batch < 0 || i > at:
			perm = append(perm, i)
		case i == 0:
			perm = append(perm, at)
		default:
			perm = append(perm, i-1)
		}
	}
	back = make([]int, n)
	for i, p := range perm {
		back[p] = i
	}
	return perm, back
}

// grid is a row of m numbers as an array in which the axes of a view are axes or parts of axes.
type grid struct {
	order []int // the axes of the view from the longest stride to the shortest
	shape []int // sizes, and what remains below the last stride if that is not 1
	lo    []int // where the view begins
	step  []int
}

// grid finds the array. There is none for overlapping windows.
func (s *sample) grid() (g grid, ok bool) {
	if s.m == 0 {
		return g, false
	}
	g.order = counted(len(s.dims))
	slices.SortStableFunc(g.order, func(a, b int) int { return s.strides[b] - s.strides[a] })
	below := s.m
	for _, i := range g.order {
		d := gcd(below, s.strides[i])
		n, step, lo := below/d, s.strides[i]/d, s.offset/d%(below/d)
		if lo+step*(s.dims[i]-1) >= n {
			return g, false
		}
		g.shape, g.lo, g.step = append(g.shape, n), append(g.lo, lo), append(g.step, step)
		below = d
	}
	if below > 1 {
		g.shape, g.lo, g.step = append(g.shape, below), append(g.lo, s.offset%below), append(g.step, 1)
	}
	return g, true
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// positions are the positions of the view's numbers in a row.
func (s *sample) positions() []int {
	at := []int{s.offset}
	for i, d := range s.dims {
		next := make([]int, 0, len(at)*d)
		for _, a := range at {
			for j := range d {
				next = append(next, a+j*s.strides[i])
			}
		}
		at = next
	}
	return at
}

// strided translates operations on views.
func (e *emitter) strided(in *instruction, id int) string {
	arg := func(i int) string { return e.whole(in.args[i]) }
	switch in.op.(type) {
	case ir.Gather:
		return e.gather(arg(0), in.view)
	case ir.Put:
		return e.put(arg(0), in.view, in.c)
	case ir.Scatter:
		return e.scatter(arg(0), in.view)
	}
	v, size, ok := windows(in.groups)
	if !ok {
		e.fail("the groups of %v have no form", in.op.Name())
		return ""
	}
	groups := times(e.p.dim(in.groups.At.Len()))
	switch in.op.(type) {
	case ir.ArgMax:
		x := e.reshape(e.gather(arg(0), v), groups, fixed(size))
		number := e.with("ArgMax", []attribute{integer("axis", 1)}, x)
		y := e.cast(number)
		e.views[y] = view{of: y, dims: []dim{groups, fixed(1)}}
		e.indices[y] = number
		return y
	case ir.Pick:
		x := e.reshape(e.gather(arg(1), v), groups, fixed(size))
		return e.with("GatherElements", []attribute{integer("axis", 1)}, x, e.integers(arg(0), groups, fixed(1)))
	}
	// (groups,size)
	chosen := e.cast(e.op("Equal", e.integers(arg(0), groups, fixed(1)), e.intArray([]int{1, size}, counted(size))))
	return e.scatter(e.op("Mul", chosen, e.reshape(arg(1), groups, fixed(1))), v)
}

func counted(n int) []int {
	v := make([]int, n)
	for i := range v {
		v[i] = i
	}
	return v
}

// integers returns the integers that x was converted from.
func (e *emitter) integers(x string, ds ...dim) string {
	if v, ok := e.views[x]; ok && v.perm == nil {
		if n, ok := e.indices[v.of]; ok {
			return e.reshape(n, ds...)
		}
	}
	return e.with("Cast", []attribute{integer("to", int(integ))}, e.reshape(x, ds...))
}

// windows returns groups as one view whose last axes are those of a group.
func windows(g strided.Groups) (v strided.View, size int, ok bool) {
	dims, strides := slices.Clone(g.At.Dims), slices.Clone(g.At.Strides)
	var gd, gs []int
	rest := g.Offsets
	first := rest[0]
	for len(rest) > 1 { // the last axis of the offsets, then its repetitions
		d, n := rest[1]-rest[0], 1
		for n < len(rest) && rest[n]-rest[n-1] == d {
			n++
		}
		if d <= 0 || len(rest)%n != 0 {
			return v, 0, false
		}
		var outer []int
		for i := 0; i < len(rest); i += n {
			for j := range n {
				if rest[i+j] != rest[i]+j*d {
					return v, 0, false
				}
			}
			outer = append(outer, rest[i])
		}
		gd, gs, rest = append(gd, n), append(gs, d), outer
	}
	slices.Reverse(gd)
	slices.Reverse(gs)
	return strided.New(g.At.Size, g.At.Offset+first, append(dims, gd...), append(strides, gs...)), len(g.Offsets), true
}

// gather returns the numbers of x that the view sees.
func (e *emitter) gather(x string, v strided.View) string {
	s, ok := e.sampled(v)
	if !ok {
		e.fail("a view mixes the rows of the batch: %v", v)
		return ""
	}
	x = e.toRows(&s, x, e.p.dim(v.Size))
	first := 0
	if s.batch >= 0 {
		first = 1
	}
	if g, ok := s.grid(); ok {
		x = e.reshape(x, s.lead(fixedDims(g.shape)...)...)
		x = e.cut(x, first, &s, &g)
		perm := make([]int, first+len(g.order))
		var ds []dim
		for i, at := range g.order {
			perm[first+at] = first + i
			ds = append(ds, fixed(s.dims[at]))
		}
		x = e.transpose(e.reshape(x, s.lead(ds...)...), perm...)
	} else {
		x = e.with("Gather", []attribute{integer("axis", first)}, x, e.ints(s.positions()...))
		x = e.reshape(x, s.lead(fixedDims(s.dims)...)...)
	}
	_, back := s.batchFirst()
	x = e.transpose(x, back...)
	var ones, all []dim
	for _, a := range s.axes {
		if all = append(all, a.n); a.s.k == 0 {
			ones = append(ones, fixed(1))
		} else {
			ones = append(ones, a.n)
		}
	}
	if slices.Equal(ones, all) {
		return x
	}
	return e.expand(e.reshape(x, ones...), all...)
}

// cut returns the part of a grid that a view sees.
func (e *emitter) cut(x string, first int, s *sample, g *grid) string {
	var lo, hi, axes, steps []int
	for i, n := range g.shape {
		d := 1
		if i < len(g.order) {
			d = s.dims[g.order[i]]
		}
		if g.lo[i] == 0 && d == n {
			continue
		}
		lo, hi = append(lo, g.lo[i]), append(hi, g.lo[i]+(d-1)*g.step[i]+1)
		axes, steps = append(axes, first+i), append(steps, g.step[i])
	}
	if len(lo) == 0 {
		return x
	}
	return e.op("Slice", x, e.ints(lo...), e.ints(hi...), e.ints(axes...), e.ints(steps...))
}

// put returns the array that is x where the view sees it, and fill elsewhere.
func (e *emitter) put(x string, v strided.View, fill float64) string {
	s, ok := e.sampled(v)
	if !ok || s.m == 0 {
		e.fail("a view mixes the rows of the batch: %v", v)
		return ""
	}
	return e.placed(x, &s, fill)
}

// placed is put for axes that are not repetitions.
func (e *emitter) placed(x string, s *sample, fill float64) string {
	var ds []dim
	for _, a := range s.axes {
		if a.s.k > 0 {
			ds = append(ds, a.n)
		}
	}
	perm, _ := s.batchFirst()
	x = e.transpose(e.reshape(x, ds...), perm...) // (N, axes)
	first := len(s.lead())
	if g, ok := s.grid(); ok && !slices.ContainsFunc(g.step, func(n int) bool { return n > 1 }) {
		perm := make([]int, first+len(g.order))
		var ds []dim
		before, after := make([]int, first), make([]int, first)
		for i, at := range g.order {
			perm[first+i] = first + at
			ds = append(ds, fixed(s.dims[at]))
			before, after = append(before, g.lo[i]), append(after, g.shape[i]-g.lo[i]-s.dims[at])
		}
		if i := len(g.order); len(g.shape) > i {
			ds = append(ds, fixed(1))
			before, after = append(before, g.lo[i]), append(after, g.shape[i]-g.lo[i]-1)
		}
		x = e.reshape(e.transpose(x, perm...), s.lead(ds...)...)
		if pads := append(before, after...); slices.Max(append(pads, 0)) > 0 {
			args := []string{x, e.ints(pads...)}
			if fill != 0 {
				args = append(args, e.scalar(fill))
			}
			x = e.op("Pad", args...)
		}
		return e.fromRows(s, e.reshape(x, s.lead(fixed(s.m))...))
	}
	at := s.positions()
	table := slices.Repeat([]int{len(at)}, s.m) // indices of the numbers to take; the one after the last is fill
	for i, k := range at {
		table[k] = i
	}
	one := s.lead(fixed(1))
	filler := e.expand(e.reshape(e.number(fill), fixed(1)), one...)
	x = e.with("Concat", []attribute{integer("axis", first)}, e.reshape(x, s.lead(fixed(len(at)))...), filler)
	x = e.with("Gather", []attribute{integer("axis", first)}, x, e.ints(table...))
	return e.fromRows(s, x)
}

// scalar is a constant without axes.
func (e *emitter) scalar(c float64) string {
	return e.once(fmt.Sprint("0-d ", c), func() string { return e.array(nil, []float64{c}) })
}

// scatter returns an array of zeros to which x is added where the view sees it.
func (e *emitter) scatter(x string, v strided.View) string {
	s, ok := e.sampled(v)
	if !ok || s.m == 0 {
		e.fail("a view mixes the rows of the batch: %v", v)
		return ""
	}
	var all []dim
	var repeated []int
	for i, a := range s.axes {
		if all = append(all, a.n); a.s.k == 0 {
			repeated = append(repeated, i)
		}
	}
	x = e.reshape(x, all...)
	if len(repeated) > 0 {
		x = e.with("ReduceSum", []attribute{integer("keepdims", 0)}, x, e.ints(repeated...))
	}
	if strided.New(s.m, s.offset, s.dims, s.strides).Distinct() {
		return e.placed(x, &s, 0)
	}
	// ScatterND adds rows to rows, so the batch comes last.
	at := s.positions()
	var ds []dim
	for _, a := range s.axes {
		if a.s.k > 0 {
			ds = append(ds, a.n)
		}
	}
	index := e.intArray([]int{len(at), 1}, at)
	if s.batch < 0 {
		zeros := e.expand(e.reshape(e.number(0), fixed(1)), fixed(s.m))
		return e.with("ScatterND", []attribute{text("reduction", "add")}, zeros, index, e.reshape(x, fixed(len(at))))
	}
	perm, _ := s.batchFirst()
	x = e.reshape(e.transpose(e.reshape(x, ds...), perm...), dim{1, 1}, fixed(len(at)))
	zeros := e.expand(e.number(0), fixed(s.m), dim{1, 1})
	y := e.with("ScatterND", []attribute{text("reduction", "add")}, zeros, index, e.transpose(x, 1, 0))
	e.views[y] = view{of: y, dims: []dim{fixed(s.m), {1, 1}}}
	return e.fromRows(&s, e.transpose(y, 1, 0))
}

// taken takes slices of an array (before, size, after) at k indices known when the model runs, or is the adjoint of
// that. An index out of range counts as 0.
func (e *emitter) taken(in *instruction, adjoint bool, sizes [4]int) string {
	before, size, after, k := e.p.dim(sizes[0]), e.p.dim(sizes[1]), e.p.dim(sizes[2]), e.p.dim(sizes[3])
	at := e.integers(e.whole(in.args[1]), k)
	// Indices below 0 and from size on become 0.
	inside := e.op("And", e.op("GreaterOrEqual", at, e.ints(0)), e.op("Less", at, e.sizes(false, size)))
	at = e.op("Mul", at, e.with("Cast", []attribute{integer("to", int(integ))}, inside))
	rows, cols := e.p.dim(in.rows), e.p.dim(in.cols)
	if !adjoint {
		x := e.reshape(e.whole(in.args[0]), before, size, after)
		return e.reshape(e.with("Gather", []attribute{integer("axis", 1)}, x, at), rows, cols)
	}
	x := e.transpose(e.reshape(e.whole(in.args[0]), before, k, after), 1, 0, 2)
	zeros := e.expand(e.reshape(e.number(0), fixed(1), fixed(1), fixed(1)), size, before, after)
	y := e.with("ScatterND", []attribute{text("reduction", "add")}, zeros,
		e.op("Reshape", at, e.sizes(true, k, fixed(1))), x)
	return e.reshape(e.transpose(y, 1, 0, 2), rows, cols)
}
