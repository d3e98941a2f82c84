// Package strided reads and writes arrays of any rank in place through views: transposed axes, every other element,
// broadcasts, the windows of a picture. A view has an offset and a stride for each axis; stride 0 repeats. Gathering
// copies a view out, scattering adds to it, and the two are adjoint: a sum over an axis is the scatter of a
// broadcast.
package strided

import (
	"fmt"
	"slices"
)

// View is an array of shape Dims whose elements lie in another array, of Size elements: element (i, j, …) is at
// Offset + i·Strides[0] + j·Strides[1] + …
//
// Views are made by New, which normalises them: no axis of size 1, and no two adjacent axes that can be merged.
type View struct {
	Size    int
	Offset  int
	Dims    []int
	Strides []int
}

// New returns a view of an array of size elements. It panics if the view reaches outside it.
func New(size, offset int, dims, strides []int) View {
	if len(dims) != len(strides) {
		panic("strided: as many strides as sizes are needed")
	}
	v := View{Size: size, Offset: offset}
	last := offset
	for i, d := range dims {
		if d < 1 || strides[i] < 0 {
			panic(fmt.Sprintf("strided: axis of size %d with stride %d", d, strides[i]))
		}
		last += (d - 1) * strides[i]
		if d == 1 {
			continue
		}
		if n := len(v.Dims) - 1; n >= 0 && v.Strides[n] == d*strides[i] {
			v.Dims[n], v.Strides[n] = v.Dims[n]*d, strides[i]
			continue
		}
		v.Dims, v.Strides = append(v.Dims, d), append(v.Strides, strides[i])
	}
	if len(v.Dims) > rank+2 {
		panic("strided: too many axes")
	}
	if offset < 0 || last >= size {
		panic(fmt.Sprintf("strided: elements %d to %d of %d", offset, last, size))
	}
	return v
}

// Reduction is the view, shaped s, that broadcasts the result of a reduction over axes: Sum by it computes the sums,
// and Gather by it expands them to shape s again.
func Reduction(s, axes []int) View {
	strides := make([]int, len(s))
	size := 1
	for i := len(s) - 1; i >= 0; i-- {
		if !slices.Contains(axes, i) {
			strides[i] = size
			size *= s[i]
		}
	}
	return New(size, 0, s, strides)
}

// Len is the number of elements.
func (v View) Len() int {
	n := 1
	for _, d := range v.Dims {
		n *= d
	}
	return n
}

// Rows is the view of elements lo … hi-1 of the first axis.
func (v View) Rows(lo, hi int) View {
	v.Dims = append([]int{hi - lo}, v.Dims[1:]...)
	v.Offset += lo * v.Strides[0]
	return v
}

// String describes the view completely: equal strings mean equal views.
func (v View) String() string {
	return fmt.Sprintf("%v·%v+%d of %d", v.Dims, v.Strides, v.Offset, v.Size)
}

// Identity reports whether the view is the whole array in order.
func (v View) Identity() bool {
	return v.Len() == v.Size && (len(v.Dims) == 0 || len(v.Dims) == 1 && v.Strides[0] == 1)
}

// Distinct reports whether the view selects no element twice. For views with interleaving axes it may report false
// although they do not.
func (v View) Distinct() bool {
	axes := make([]int, len(v.Dims))
	for i := range axes {
		axes[i] = i
	}
	slices.SortFunc(axes, func(a, b int) int { return v.Strides[a] - v.Strides[b] })
	reach := 0 // the furthest offset along the axes so far
	for _, i := range axes {
		if v.Strides[i] <= reach {
			return false
		}
		reach += (v.Dims[i] - 1) * v.Strides[i]
	}
	return true
}

// Each calls f in order with the index of every element, in the view and in the array.
func (v View) Each(f func(i, at int)) {
	at := make([]int, len(v.Dims))
	k := v.Offset
	for i := range v.Len() {
		f(i, k)
		for j := len(at) - 1; j >= 0; j-- {
			k += v.Strides[j]
			if at[j]++; at[j] < v.Dims[j] {
				break
			}
			k -= at[j] * v.Strides[j]
			at[j] = 0
		}
	}
}

// rank is the largest number of axes that can be walked over without allocating.
const rank = 12

// blocks calls f for each innermost block, a matrix (a,b) of the last two axes with strides (sa,sb), with the indices
// in the view and in the array at which it begins.
func (v View) blocks(f func(i, at, a, b, sa, sb int)) {
	n := len(v.Dims)
	a, b, sa, sb := 1, 1, 0, 1
	switch {
	case n >= 2:
		a, sa = v.Dims[n-2], v.Strides[n-2]
		fallthrough
	case n == 1:
		b, sb = v.Dims[n-1], v.Strides[n-1]
	}
	var at [rank]int
	k, outer := v.Offset, max(n-2, 0)
	total := v.Len()
	for i := 0; i < total; i += a * b {
		f(i, k, a, b, sa, sb)
		for j := outer - 1; j >= 0; j-- {
			k += v.Strides[j]
			if at[j]++; at[j] < v.Dims[j] {
				break
			}
			k -= at[j] * v.Strides[j]
			at[j] = 0
		}
	}
}

// Of composes two views: w, a view of the elements of v, as a single view of v's array. It reports false if there is
// none.
func (v View) Of(w View) (View, bool) {
	if w.Size != v.Len() {
		return View{}, false
	}
	// An index into the elements of v is a number whose digits are its coordinates along the axes of v. Every axis of
	// w must split into axes along which it advances a single digit by a constant, and no sum of digits may carry.
	step := make([]int, len(v.Dims)) // place value of a digit, in elements of v
	for i, s := len(v.Dims)-1, 1; i >= 0; i-- {
		step[i] = s
		s *= v.Dims[i]
	}
	used := make([]int, len(v.Dims)) // the largest digit reached
	offset, rest := v.Offset, w.Offset
	for i := range step {
		used[i] = rest / step[i]
		offset += used[i] * v.Strides[i]
		rest %= step[i]
	}
	var dims, strides []int
	for j, d := range w.Dims {
		s := w.Strides[j]
		if s == 0 {
			dims, strides = append(dims, d), append(strides, 0)
			continue
		}
		// Split the axis of w where it crosses from one axis of v to the next.
		var ds, ss []int
		for i := len(step) - 1; i >= 0 && d > 1; i-- {
			if s%step[i] != 0 || s/step[i] >= v.Dims[i] {
				continue
			}
			q := s / step[i]
			n := d
			if q*(d-1) > v.Dims[i]-1 {
				if v.Dims[i]%q != 0 || d%(v.Dims[i]/q) != 0 {
					return View{}, false
				}
				n = v.Dims[i] / q
			}
			used[i] += q * (n - 1)
			if used[i] >= v.Dims[i] {
				return View{}, false
			}
			ds, ss = append(ds, n), append(ss, q*v.Strides[i])
			d /= n
			s *= n
		}
		if d > 1 {
			return View{}, false
		}
		slices.Reverse(ds)
		slices.Reverse(ss)
		dims, strides = append(dims, ds...), append(strides, ss...)
	}
	if len(dims) > rank {
		return View{}, false
	}
	return New(v.Size, offset, dims, strides), true
}
