package conv

import "github.com/stheno-ebm/stheno/graphs/internal/kernels"

// Pool is the geometry of a pool. Every window is a list of taps on the picture; windows that see the same are one pattern.
type Pool struct {
	Window
	windows  []window // of a picture, in order
	patterns []pattern
}

// A window is where one begins, and its pattern.
type window struct{ at, pattern int }

// A pattern is the taps of a window: their distance from where it begins, and their numbers.
type pattern struct{ offsets, numbers []int }

// NewPool returns the geometry of the windows w.
func NewPool(w Window) *Pool {
	p := &Pool{Window: w}
	y := outAxis(w.H, w.KH, w.Stride[0], w.Pad[0], w.Dilation[0])
	x := outAxis(w.W, w.KW, w.Stride[1], w.Pad[1], w.Dilation[1])
	known := map[[4]int]int{}
	for _, sy := range y.spans {
		for _, sx := range x.spans {
			key := [4]int{sy.tap, sy.n, sx.tap, sx.n}
			n, ok := known[key]
			if !ok {
				n = len(p.patterns)
				known[key] = n
				p.patterns = append(p.patterns, newPattern(w, sy, sx))
			}
			p.windows = append(p.windows, window{(sy.first*w.W + sx.first) * w.C, n})
		}
	}
	return p
}

func newPattern(w Window, sy, sx span) pattern {
	var q pattern
	for i := range sy.n {
		for j := range sx.n {
			q.offsets = append(q.offsets, (i*w.Dilation[0]*w.W+j*w.Dilation[1])*w.C)
			q.numbers = append(q.numbers, (sy.tap+i)*w.KW+sx.tap+j)
		}
	}
	return q
}

// Apart reports whether no pixel is in two windows.
func (w Window) Apart() bool {
	return w.Dilation == [2]int{1, 1} && w.Stride[0] >= w.KH && w.Stride[1] >= w.KW
}

// each calls f for every window of n pictures: with its channels in y, what of x begins where it does, and its pattern.
func each[T kernels.Float](p *Pool, n int, x, y []T, f func(x, y []T, q *pattern)) {
	for i := range n {
		x, y := x[i*p.In():(i+1)*p.In()], y[i*p.Out():(i+1)*p.Out()]
		for j := range p.windows {
			f(x[p.windows[j].at:], y[j*p.C:(j+1)*p.C], &p.patterns[p.windows[j].pattern])
		}
	}
}

// ArgMax stores the number of the tap with the largest element of the key in every window of n pictures, of the first of equal ones.
func ArgMax[T kernels.Float](p *Pool, n int, dst, key []T) {
	each(p, n, key, dst, func(x, d []T, q *pattern) {
		if len(q.offsets) == 4 && p.KH*p.KW == 4 {
			argMax4(d, x, q.offsets)
			return
		}
		for c := range d {
			best, k := x[c+q.offsets[0]], q.numbers[0]
			for j, o := range q.offsets[1:] {
				v := x[c+o]
				if v > best {
					k = q.numbers[j+1]
				}
				best = max(best, v)
			}
			d[c] = T(k)
		}
	})
}

// argMax4 is a tournament of four taps, without branches: those of a maximum are mispredicted half of the time.
func argMax4[T kernels.Float](dst, x []T, offsets []int) {
	n := len(dst)
	a, b, c, d := x[offsets[0]:][:n], x[offsets[1]:][:n], x[offsets[2]:][:n], x[offsets[3]:][:n]
	for i := range dst {
		p, q, r, s := a[i], b[i], c[i], d[i]
		k, m := 0, 2
		if q > p {
			k = 1
		}
		if s > r {
			m = 3
		}
		if max(r, s) > max(p, q) {
			k = m
		}
		dst[i] = T(k)
	}
}

// Pick stores the element of x with the given number in every window of n pictures.
func Pick[T kernels.Float](p *Pool, n int, dst, number, x []T) {
	w := p.KW
	step, down := p.Dilation[1]*p.C, p.Dilation[0]*p.W*p.C
	at := 0
	each(p, n, x, dst, func(x, d []T, q *pattern) {
		k := number[at:][:len(d)]
		at += len(d)
		first := q.numbers[0]
		back := first/w*down + first%w*step
		if w == 2 {
			for c, v := range k {
				t := int(v)
				d[c] = x[c+(t>>1)*down+(t&1)*step-back]
			}
			return
		}
		for c, v := range k {
			t := int(v)
			d[c] = x[c+t/w*down+t%w*step-back]
		}
	})
}

// Place is the adjoint of Pick: dst is zero but for the elements of u, added where their numbers say.
func Place[T kernels.Float](p *Pool, n int, dst, number, u []T) {
	w := p.KW
	step, down := p.Dilation[1]*p.C, p.Dilation[0]*p.W*p.C
	clear(dst[:n*p.In()])
	at := 0
	each(p, n, dst, u, func(d, u []T, q *pattern) {
		k := number[at:][:len(u)]
		at += len(u)
		first := q.numbers[0]
		back := first/w*down + first%w*step
		if w == 2 {
			for c, v := range k {
				t := int(v)
				d[c+(t>>1)*down+(t&1)*step-back] += u[c]
			}
			return
		}
		for c, v := range k {
			t := int(v)
			d[c+t/w*down+t%w*step-back] += u[c]
		}
	})
}

// Sum adds up every window of n pictures.
func Sum[T kernels.Float](p *Pool, n int, dst, x []T) {
	each(p, n, x, dst, func(x, d []T, q *pattern) {
		copy(d, x[q.offsets[0]:])
		for _, o := range q.offsets[1:] {
			kernels.Add(d, d, x[o:][:len(d)])
		}
	})
}

// Spread is the adjoint of Sum: it adds every element of u to all pixels of its window.
func Spread[T kernels.Float](p *Pool, n int, dst, u []T) {
	dst = dst[:n*p.In()]
	covered := p.Stride == [2]int{p.KH, p.KW} && p.Pad == [2]int{} && p.H%p.KH == 0 && p.W%p.KW == 0
	if !covered {
		clear(dst)
	}
	each(p, n, dst, u, func(d, u []T, q *pattern) {
		for _, o := range q.offsets {
			e := d[o:][:len(u)]
			if covered {
				copy(e, u)
				continue
			}
			kernels.Add(e, e, u)
		}
	})
}
