package onnx

import (
	"fmt"
	"slices"
)

// view describes a value as another one with different sizes, or with its axes in another order.
type view struct {
	of   string
	perm []int // axes of of; nil: a reshape
	dims []dim
}

// dims reads a shape.
func (p *program) dims(s []int) []dim {
	d := make([]dim, len(s))
	for i, v := range s {
		d[i] = p.dim(v)
	}
	return d
}

// batch is the open number of rows as a vector (1).
func (e *emitter) batch() string {
	return e.once("rows", func() string {
		for i, v := range e.p.Inputs {
			for j, d := range e.p.dims(e.p.in[i]) {
				if d.e != 1 {
					continue
				}
				n := e.with("Shape", []attribute{integer("start", j), integer("end", j+1)}, v.Name)
				if d.k > 1 {
					n = e.op("Div", n, e.ints(d.k))
				}
				return n
			}
		}
		e.fail("no input has the open number of rows")
		return ""
	})
}

// sizes is a vector of sizes. If they are for a Reshape, one of them may be left to the runtime.
func (e *emitter) sizes(reshape bool, ds ...dim) string {
	v := make([]int, len(ds))
	open := 0
	for i, d := range ds {
		if v[i] = d.k; d.e > 0 {
			v[i], open = -1, open+1
		}
	}
	if open == 0 || reshape && open == 1 {
		return e.ints(v...)
	}
	return e.once(fmt.Sprint("s ", ds), func() string {
		parts := make([]string, len(ds))
		for i, d := range ds {
			switch {
			case d.e == 0:
				parts[i] = e.ints(d.k)
				continue
			case d.k == 1:
				parts[i] = e.batch()
			default:
				parts[i] = e.op("Mul", e.batch(), e.ints(d.k))
			}
			for range d.e - 1 {
				parts[i] = e.op("Mul", parts[i], e.batch())
			}
		}
		if len(parts) == 1 {
			return parts[0]
		}
		return e.with("Concat", []attribute{integer("axis", 0)}, parts...)
	})
}

// reshape gives x other sizes. Successive reshapes are merged.
func (e *emitter) reshape(x string, ds ...dim) string {
	v, known := e.views[x]
	if known && slices.Equal(v.dims, ds) {
		return x
	}
	if known && v.perm == nil {
		x = v.of
		if w, ok := e.views[x]; ok && slices.Equal(w.dims, ds) {
			return x
		}
	}
	return e.once(fmt.Sprint("r ", x, ds), func() string {
		y := e.op("Reshape", x, e.sizes(true, ds...))
		e.views[y] = view{of: x, dims: slices.Clone(ds)}
		return y
	})
}

// transpose permutes axes: axis i of the result is axis perm[i] of x. Successive transpositions are merged.
func (e *emitter) transpose(x string, perm ...int) string {
	v, known := e.views[x]
	if known && v.perm != nil {
		of := make([]int, len(perm))
		for i, p := range perm {
			of[i] = v.perm[p]
		}
		x, perm = v.of, of
		v, known = e.views[x]
	}
	if slices.IsSorted(perm) {
		return x
	}
	return e.once(fmt.Sprint("t ", x, perm), func() string {
		y := e.with("Transpose", []attribute{integers("perm", perm...)}, x)
		if known {
			w := view{of: x, perm: slices.Clone(perm)}
			for _, p := range perm {
				w.dims = append(w.dims, v.dims[p])
			}
			e.views[y] = w
		}
		return y
	})
}

// expand repeats x along axes where it has size 1.
func (e *emitter) expand(x string, ds ...dim) string {
	y := e.op("Expand", x, e.sizes(false, ds...))
	e.views[y] = view{of: y, dims: slices.Clone(ds)}
	return y
}
