package conv

import "github.com/stheno-ebm/stheno/graphs/internal/kernels"

// Pool is the geometry of a pool. Every window is a list of taps on the picture; windows with the same taps share a
// pattern.
type Pool struct {
	Window
	windows  []window // of a picture, in order
	patterns []pattern
}

// A window is its first element on the picture, its pattern, and the number of consecutive complete 2×2 windows in
// its row from this one on.
type window struct{ at, pattern, quads int }

// A pattern is the taps of a window: their offsets from its first element, and their numbers.
type pattern struct{ offsets, numbers []int }

// NewPool returns the geometry of a pool with windows w.
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
			p.windows = append(p.windows, window{(sy.first*w.W + sx.first) * w.C, n, 0})
		}
	}
	p.quads()
	return p
}

// quads sets, for every window, how many complete 2×2 windows follow in its row.
func (p *Pool) quads() {
	if p.KH != 2 || p.KW != 2 {
		return
	}
	for i := len(p.windows) - 1; i >= 0; i-- {
		w := &p.windows[i]
		if len(p.patterns[w.pattern].offsets) < 4 {
			continue
		}
		w.quads = 1
		if (i+1)%p.OW() != 0 {
			w.quads += p.windows[i+1].quads
		}
	}
}

// around is the distances to the tap on the right, to the tap below, and to the next window in the row.
func (p *Pool) around() (right, down, step int) {
	return p.Dilation[1] * p.C, p.Dilation[0] * p.W * p.C, p.Stride[1] * p.C
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

// each calls f for every window of n pictures with the part of x that begins at the window, its channels in y, and
// its pattern. Unless four is nil, consecutive complete 2×2 windows of a row are passed to it instead, k at once.
func each[T kernels.Float](p *Pool, n int, x, y []T, four func(k int, x, y []T), f func(x, y []T, q *pattern)) {
	for i := range n {
		x, y := x[i*p.In():(i+1)*p.In()], y[i*p.Out():(i+1)*p.Out()]
		for j := 0; j < len(p.windows); {
			w := &p.windows[j]
			if w.quads > 0 && four != nil {
				four(w.quads, x[w.at:], y[j*p.C:(j+w.quads)*p.C])
				j += w.quads
				continue
			}
			f(x[w.at:], y[j*p.C:(j+1)*p.C], &p.patterns[w.pattern])
			j++
		}
	}
}

// ArgMax stores, for every window of n pictures, the number of the tap with the largest element of key; of equal
// ones, the first.
func ArgMax[T kernels.Float](p *Pool, n int, dst, key []T) {
	right, down, step := p.around()
	each(p, n, key, dst, func(k int, x, d []T) {
		kernels.ArgMax4(k, p.C, d, x, right, down, step)
	}, func(x, d []T, q *pattern) {
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

// Pick stores, for every window of n pictures, the element of x at the tap with the given number.
func Pick[T kernels.Float](p *Pool, n int, dst, number, x []T) {
	right, down, step := p.around()
	at := 0
	next := func(k int) []T { at += k; return number[at-k : at] }
	each(p, n, x, dst, func(k int, x, d []T) {
		kernels.Pick4(k, p.C, d, next(len(d)), x, right, down, step)
	}, func(x, d []T, q *pattern) {
		back := p.tap(q.numbers[0])
		for c, v := range next(len(d)) {
			d[c] = x[c+p.tap(int(v))-back]
		}
	})
}

// tap is the offset of tap t from the first.
func (p *Pool) tap(t int) int {
	right, down, _ := p.around()
	return t/p.KW*down + t%p.KW*right
}

// Place is the adjoint of Pick: it sets dst to zero and adds each element of u at the tap with the given number.
func Place[T kernels.Float](p *Pool, n int, dst, number, u []T) {
	right, down, step := p.around()
	at := 0
	next := func(k int) []T { at += k; return number[at-k : at] }
	four := func(k int, d, u []T) { kernels.Place4(k, p.C, d, next(len(u)), u, right, down, step) }
	if !p.Apart() {
		four = nil
	}
	if four == nil || p.windows[0].quads == 0 || !p.covered() { // otherwise all of it is stored below
		clear(dst[:n*p.In()])
	}
	each(p, n, dst, u, four, func(d, u []T, q *pattern) {
		back := p.tap(q.numbers[0])
		for c, v := range next(len(u)) {
			d[c+p.tap(int(v))-back] += u[c]
		}
	})
}

// covered reports whether the windows tile the picture: every pixel is in exactly one, and none reaches beyond it.
func (p *Pool) covered() bool {
	return p.Stride == [2]int{p.KH, p.KW} && p.Dilation == [2]int{1, 1} && p.Pad == [2]int{} && p.H%p.KH == 0 &&
		p.W%p.KW == 0
}

// Sum stores the sum of every window of n pictures.
func Sum[T kernels.Float](p *Pool, n int, dst, x []T) {
	each(p, n, x, dst, nil, func(x, d []T, q *pattern) {
		copy(d, x[q.offsets[0]:])
		for _, o := range q.offsets[1:] {
			kernels.Add(d, d, x[o:][:len(d)])
		}
	})
}

// Spread is the adjoint of Sum: it adds every element of u to all pixels of its window.
func Spread[T kernels.Float](p *Pool, n int, dst, u []T) {
	dst = dst[:n*p.In()]
	covered := p.covered()
	if !covered {
		clear(dst)
	}
	each(p, n, dst, u, nil, func(d, u []T, q *pattern) {
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
