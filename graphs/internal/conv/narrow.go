package conv

import "github.com/stheno-ebm/stheno/graphs/internal/kernels"

// With few channels, contiguous stretches of memory are short. Where the coordinates of source and destination are a
// linear function of each other, the loops therefore handle one tap for all pixels of a row at a time: patches are
// stored tap by tap, and so are the products to be scattered.

// A line is the map of one tap along an axis: from i to mul·i + add, for lo ≤ i < hi.
type line struct{ add, lo, hi int }

// lines returns the lines of the taps of a, which must have a single class, in order.
func (a *axis) lines(mul int) []line {
	ls := make([]line, len(a.classes[0]))
	for i, s := range a.spans {
		for j := range s.n {
			l := &ls[s.tap+j]
			if l.hi == 0 {
				l.lo, l.add = i, s.first+j*a.step-mul*i
			}
			l.hi = i + 1
		}
	}
	return ls
}

// trace sets the lines of p, where the taps are linear.
func (p *Plan) trace() {
	if len(p.y.classes) != 1 || len(p.x.classes) != 1 {
		return
	}
	p.muly, p.mulx = p.Stride[0], p.Stride[1]
	if (p.Role == In) != p.scattering { // the axes are those of role In, of stride 1
		p.muly, p.mulx = 1, 1
	}
	p.ly, p.lx = p.y.lines(p.muly), p.x.lines(p.mulx)
}

// block is the number of picture rows, of width w, that are processed at a time.
func block(w int) int { return max(blockRows/w, 1) }

// traced is patched with the patches stored tap by tap.
func (r *Runner[T]) traced(g, n int, dst, src []T, f *Packed[T], mul, work []T) {
	p := &r.prod
	k, rows := r.depth(), block(r.dw)
	p.Packed, p.K, p.TransA, p.LdC = f.pack(0, 0, g), k, true, r.cd
	for y, all := 0, n*r.dh; y < all; y += rows {
		m := min(rows, all-y)
		p.M = m * r.dw
		p.LdA = p.M
		r.tracePatches(work[:k*p.M], src, y, m, g)
		r.patchProduct(dst, mul, y*r.dw*r.cd+g*r.gd, work)
	}
	p.TransA = false
}

// tracePatches writes the patches of the pixels in rows y … y+m-1 of the batch, a row for each tap and channel.
func (r *Runner[T]) tracePatches(dst, src []T, y, m, g int) {
	if r.cs == 1 && r.mulx == 1 && r.muly == 1 && r.sw == r.dw {
		r.shifted(dst, src, y, m)
		return
	}
	width := m * r.dw
	step := r.mulx * r.cs
	for i := range m {
		picture := src[(y+i)/r.dh*r.source():][:r.source()]
		at := (y + i) % r.dh
		for j, ly := range r.ly {
			for t, lx := range r.lx {
				lo, hi := lx.lo, lx.hi
				if at < ly.lo || at >= ly.hi {
					lo, hi = 0, 0
				}
				for c := range r.gs {
					d := dst[((j*len(r.lx)+t)*r.gs+c)*width+i*r.dw:][:r.dw]
					for k := range d[:lo] {
						d[k] = 0
					}
					if lo < hi {
						s := picture[((at*r.muly+ly.add)*r.sw+lo*r.mulx+lx.add)*r.cs+g*r.gs+c:]
						if step == 1 {
							copy(d[lo:hi], s)
						} else {
							take(d[lo:hi], s, step)
						}
					}
					e := d[hi:]
					for k := range e {
						e[k] = 0
					}
				}
			}
		}
	}
}

// shifted is tracePatches for one channel and windows that move by one pixel, where rows of results are as long as
// those of the picture: what one tap contributes to several rows is a single stretch of the picture, except at its
// ends.
func (r *Runner[T]) shifted(dst, src []T, y, m int) {
	w := r.dw
	for i := 0; i < m; {
		picture, at := src[(y+i)/r.dh*r.source():][:r.source()], (y+i)%r.dh
		rows := min(m-i, r.dh-at)
		for j, ly := range r.ly {
			lo, hi := min(max(ly.lo-at, 0), rows), min(max(ly.hi-at, 0), rows)
			for t, lx := range r.lx {
				d := dst[((j*len(r.lx)+t)*m+i)*w:][:rows*w]
				if lo >= hi || lx.lo >= lx.hi {
					clear(d)
					continue
				}
				clear(d[:lo*w])
				clear(d[hi*w:])
				d = d[lo*w : hi*w]
				copy(d[lx.lo:len(d)-w+lx.hi], picture[(at+lo+ly.add)*w+lx.lo+lx.add:])
				for k := 0; k < len(d); k += w {
					for x := range lx.lo {
						d[k+x] = 0
					}
					for x := lx.hi; x < w; x++ {
						d[k+x] = 0
					}
				}
			}
		}
		i += rows
	}
}

// take stores every step-th element of s in d.
func take[T kernels.Float](d, s []T, step int) {
	s = s[:(len(d)-1)*step+1]
	if step == 2 {
		for len(d) >= 4 && len(s) >= 7 {
			d[0], d[1], d[2], d[3] = s[0], s[2], s[4], s[6]
			if len(s) == 7 {
				return
			}
			d, s = d[4:], s[8:]
		}
	}
	k := 0
	for i := range d {
		d[i] = s[k]
		k += step
	}
}

// scatterLines is scatter with the products of one tap for all pixels of several rows at a time.
func (r *Runner[T]) scatterLines(g, n int, dst, src []T, f *Packed[T], bias, work []T) {
	p := &r.prod
	p.Bias, p.Mul, p.Packed = nil, nil, nil
	taps, rows := r.KH*r.KW*r.gd, block(r.sw)
	products, rest := work[:taps*rows*r.sw], work[taps*rows*r.sw:]
	p.A, p.LdA, p.M, p.K, p.TransB, p.LdB, p.C = f.flat[g*taps*r.gs:][:taps*r.gs], r.gs, taps, r.gs, true, r.cs, products
	for i := range n {
		d, s := dst[i*r.destination():][:r.destination()], src[i*r.source():][:r.source()]
		r.begin(g, d, bias)
		for y := 0; y < r.sh; y += rows {
			m := min(rows, r.sh-y)
			p.N = m * r.sw
			p.LdC = p.N
			p.B = s[y*r.sw*r.cs+g*r.gs:]
			p.Run(rest)
			r.addLines(d, products, y, m, g)
		}
	}
	p.TransB = false
}

// addLines adds the products of rows y … y+m-1 of the source to dst.
func (r *Runner[T]) addLines(dst, products []T, y, m, g int) {
	width, step := m*r.sw, r.mulx*r.cd
	for j, ly := range r.ly {
		for t, lx := range r.lx {
			if lx.lo >= lx.hi {
				continue
			}
			tap := r.y.classes[0][j]*r.KW + r.x.classes[0][t]
			for at := max(y, ly.lo); at < min(y+m, ly.hi); at++ {
				for c := range r.gd {
					q := products[(tap*r.gd+c)*width+(at-y)*r.sw:][lx.lo:lx.hi]
					d := dst[((at*r.muly+ly.add)*r.dw+lx.lo*r.mulx+lx.add)*r.cd+g*r.gd+c:]
					if step == 1 {
						d = d[:len(q)]
						kernels.Add(d, d, q)
						continue
					}
					d = d[:(len(q)-1)*step+1]
					k := 0
					for _, v := range q {
						d[k] += v
						k += step
					}
				}
			}
		}
	}
}

// begin initialises a picture of the destination with the bias, or zeros, before its first group.
func (r *Runner[T]) begin(g int, d, bias []T) {
	if g > 0 {
		return
	}
	if bias == nil {
		clear(d)
		return
	}
	if r.cd == 1 {
		kernels.Fill(d, bias[0])
		return
	}
	for at := 0; at < len(d); at += r.cd {
		copy(d[at:], bias[:r.cd])
	}
}
