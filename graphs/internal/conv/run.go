package conv

import "github.com/stheno-ebm/stheno/graphs/internal/kernels"

// Runner runs a plan. It has scratch memory of its own, so it must not be used by two goroutines at once.
type Runner[T kernels.Float] struct {
	*Plan
	prod   kernels.Product[T]
	pieces []kernels.Piece
	biases []T // for tiled: the bias of every pixel of a row of a window
}

// NewRunner returns a runner of p.
func NewRunner[T kernels.Float](p *Plan) *Runner[T] {
	r := &Runner[T]{Plan: p, pieces: make([]kernels.Piece, 0, p.KH*p.KW)}
	if p.tiling && p.Role == In {
		r.biases = make([]T, p.KW*p.gd)
	}
	return r
}

// Workspace is the number of elements of work that Run and Gradient need.
func Workspace[T kernels.Float](p *Plan) int {
	d := p.depth()
	switch {
	case shifted[T](p):
		phases, mask := p.byShift.sizes(p)
		return phases + len(p.byShift.masks)*mask + kernels.Workspace[T](p.gs, p.gd, p.dh*p.byShift.pitch)
	case p.Role == Filter:
		rows := max(blockRows, p.dw)
		return rows*d + kernels.Workspace[T](d, p.gd, rows)
	case p.scattering:
		taps, rows := p.KH*p.KW*p.gd, max(blockRows, p.sw)
		return rows*taps + kernels.Workspace[T](taps, rows, p.gs)
	case p.patching:
		return max(blockRows, p.dw) * d
	}
	return 0
}

// Run computes dst = (bias + src ⋆ f) ⊙ mul for n samples in role Out or In. bias has an element for each channel of
// dst, mul has the shape of dst; either may be nil.
//
// Every element is summed over the taps in the same order whatever the number of samples, so results do not depend on
// how a batch is split.
func (r *Runner[T]) Run(n int, dst, src []T, f *Packed[T], bias, mul, work []T) {
	for g := range r.Groups {
		r.prod.N = r.gd
		r.prod.Bias = nil
		if bias != nil {
			r.prod.Bias = bias[g*r.gd:][:r.gd]
		}
		switch {
		case r.tiling:
			r.tiled(n, dst, src, f, bias, mul)
		case r.scattering && r.lx != nil:
			r.scatterLines(g, n, dst, src, f, bias, work)
		case r.patching && r.lined():
			r.traced(g, n, dst, src, f, mul, work)
		case r.scattering:
			r.scatter(g, n, dst, src, f, bias, work)
		case r.patching:
			r.patched(g, n, dst, src, f, mul, work)
		default:
			r.direct(g, n, dst, src, f, mul)
		}
	}
	if r.scattering && mul != nil {
		d := dst[:n*r.destination()]
		kernels.Mul(d, d, mul[:len(d)])
	}
	r.prod.A, r.prod.B, r.prod.C, r.prod.Packed, r.prod.Bias, r.prod.Mul = nil, nil, nil, nil, nil, nil
}

// tiled computes the windows that the pixels of the source give, row by row of the windows: those of a row of pixels
// lie side by side.
func (r *Runner[T]) tiled(n int, dst, src []T, f *Packed[T], bias, mul []T) {
	p := &r.prod
	p.K, p.N, p.LdA, p.LdC, p.LdMul = r.gs, r.KW*r.gd, r.cs, r.KW*r.gd, r.KW*r.gd
	if bias != nil {
		for k := range r.KW {
			copy(r.biases[k*r.gd:], bias)
		}
		p.Bias = r.biases
	}
	step, all := r.tileStep(r.sw), n*r.sh*r.sw
	for q := 0; q < all; q += step {
		p.M, p.A = min(step, all-q), src[q*r.cs:]
		for k := range r.KH {
			at := (q*r.KH*r.KW + k*r.dw) * r.cd
			if p.C, p.Mul, p.Packed = dst[at:], nil, &f.packs[k]; mul != nil {
				p.Mul = mul[at:]
			}
			p.Run(nil)
		}
	}
}

// tileStep is the number of pixels whose windows lie at equal distances: those of a row of width pixels, or as many as
// are wanted if windows have a single row.
func (p *Plan) tileStep(width int) int {
	if p.KH == 1 {
		return max(blockRows, width)
	}
	return width
}

// direct reads the source in place. The rows of a product are all samples at one pixel or, if there are few samples,
// the pixels along the width.
func (r *Runner[T]) direct(g, n int, dst, src []T, f *Packed[T], mul []T) {
	p := &r.prod
	for y := range r.dh {
		sy := r.y.spans[y]
		for _, run := range r.runs {
			p.Packed = f.pack(sy.class, run.span.class, g)
			if n < fewRows && run.n > n {
				r.stretch(sy, run.span, g)
				p.M, p.LdA, p.LdC = run.n, r.shift()*r.cs, r.x.every*r.cd
				for i := range n {
					r.product(dst, mul, i*r.destination()+(y*r.dw+run.at)*r.cd+g*r.gd, src[i*r.source():])
				}
				continue
			}
			p.M, p.LdA, p.LdC = n, r.source(), r.destination()
			s := run.span
			for i := range run.n {
				r.stretch(sy, s, g)
				r.product(dst, mul, (y*r.dw+run.at+i*r.x.every)*r.cd+g*r.gd, src)
				s.first += r.shift()
			}
		}
	}
}

// product runs a product whose result begins at element at of dst.
func (r *Runner[T]) product(dst, mul []T, at int, a []T) {
	p := &r.prod
	p.A, p.C, p.Mul = a, dst[at:], nil
	if mul != nil {
		p.Mul, p.LdMul = mul[at:], p.LdC
	}
	if len(r.pieces) > 0 {
		p.RunPieces(r.pieces)
		return
	}
	for i := range p.M { // a window without any tap on the picture
		c := p.C[i*p.LdC:][:p.N]
		clear(c)
		copy(c, p.Bias)
		if mul != nil {
			kernels.Mul(c, c, p.Mul[i*p.LdMul:][:p.N])
		}
	}
}

// stretch sets r.pieces to the contiguous pieces of the source that a window covers.
func (r *Runner[T]) stretch(sy, sx span, g int) {
	r.pieces = r.pieces[:0]
	if sx.n == 0 {
		return
	}
	width := len(r.x.classes[sx.class])
	for i := range sy.n {
		a := ((sy.first+i*r.y.step)*r.sw+sx.first)*r.cs + g*r.gs
		b := ((sy.tap+i)*width + sx.tap) * r.gs
		if r.x.step == 1 && r.Groups == 1 {
			r.pieces = append(r.pieces, kernels.Piece{A: a, B: b, K: sx.n * r.gs})
			continue
		}
		for j := range sx.n {
			r.pieces = append(r.pieces, kernels.Piece{A: a + j*r.x.step*r.cs, B: b + j*r.gs, K: r.gs})
		}
	}
}

// patched writes patches out, a row for each pixel of the destination. With several classes of taps, the rows of a
// product are pixels along the width; otherwise they are pixels of the whole batch.
func (r *Runner[T]) patched(g, n int, dst, src []T, f *Packed[T], mul, work []T) {
	p := &r.prod
	if r.x.every == 1 && r.y.every == 1 {
		p.Packed, p.K, p.LdA, p.LdC = f.pack(0, 0, g), r.depth(), r.depth(), r.cd
		for q, all := 0, n*r.dh*r.dw; q < all; q += blockRows {
			p.M = min(blockRows, all-q)
			r.patches(work, src, q, p.M, g)
			r.patchProduct(dst, mul, q*r.cd+g*r.gd, work)
		}
		return
	}
	for i := range n {
		for y := range r.dh {
			sy := r.y.spans[y]
			for c := range min(r.x.every, r.dw) {
				k := r.taps(sy.class, r.x.spans[c].class) * r.gs
				p.Packed, p.K, p.LdA, p.LdC = f.pack(sy.class, r.x.spans[c].class, g), k, k, r.x.every*r.cd
				for x := c; x < r.dw; x += blockRows * r.x.every {
					p.M = 0
					for q := x; q < r.dw && p.M < blockRows; q += r.x.every {
						r.patch(work[p.M*k:(p.M+1)*k], src[i*r.source():], sy, r.x.spans[q], g)
						p.M++
					}
					r.patchProduct(dst, mul, ((i*r.dh+y)*r.dw+x)*r.cd+g*r.gd, work)
				}
			}
		}
	}
}

// patchProduct runs a product of patches, which may have no taps, whose result begins at element at of dst.
func (r *Runner[T]) patchProduct(dst, mul []T, at int, patches []T) {
	p := &r.prod
	r.pieces = r.pieces[:0]
	if p.K == 0 {
		r.product(dst, mul, at, patches)
		return
	}
	p.A, p.C, p.Mul = patches, dst[at:], nil
	if mul != nil {
		p.Mul, p.LdMul = mul[at:], p.LdC
	}
	p.Run(nil)
}

// patches writes m patches from pixel q of the batch on, for a plan with a single class of taps.
func (r *Runner[T]) patches(dst, src []T, q, m, g int) {
	k := r.depth()
	x, y, i := q%r.dw, q/r.dw%r.dh, q/r.dw/r.dh
	picture := src[i*r.source():][:r.source()]
	for j := 0; j < m; j++ {
		if f := x - r.full; f >= 0 && f < len(r.places) && r.y.spans[y].n == r.KH {
			to := min(f+m-j, len(r.places))
			r.patchLine(dst[j*k:], picture[r.y.spans[y].first*r.sw*r.cs:], r.places[f:to])
			j += to - f - 1
			x += to - f - 1
		} else {
			r.patch(dst[j*k:(j+1)*k], picture, r.y.spans[y], r.x.spans[x], g)
		}
		if x++; x < r.dw {
			continue
		}
		if x, y = 0, y+1; y < r.dh {
			continue
		}
		if y, i = 0, i+1; j+1 < m {
			picture = src[i*r.source():][:r.source()]
		}
	}
}

// patchLine writes the patches of windows along a row, which begin at the given places of s and lie on the picture.
func (r *Runner[T]) patchLine(dst, s []T, places []int) {
	n := r.KW * r.cs
	for ky := range r.KH {
		kernels.Stretches(dst[ky*n:], s[ky*r.y.step*r.sw*r.cs:], places, n, r.KH*n)
	}
}

// patch writes the elements that a window covers, with zeros for the padding.
func (r *Runner[T]) patch(dst, picture []T, sy, sx span, g int) {
	width := len(r.x.classes[sx.class]) * r.gs
	clear(dst[:sy.tap*width])
	lo, hi := sx.tap*r.gs, (sx.tap+sx.n)*r.gs
	for i := range sy.n {
		d := dst[(sy.tap+i)*width:][:width]
		a := picture[((sy.first+i*r.y.step)*r.sw+sx.first)*r.cs+g*r.gs:]
		if width <= 16 && r.x.step == 1 && r.Groups == 1 {
			for j := range d[:lo] {
				d[j] = 0
			}
			e := d[lo:hi]
			a = a[:len(e)]
			//lint:ignore S1001 a call of copy is slower here
			for j, v := range a {
				e[j] = v
			}
			e = d[hi:]
			for j := range e {
				e[j] = 0
			}
			continue
		}
		clear(d[:lo])
		clear(d[hi:])
		if r.x.step == 1 && r.Groups == 1 {
			copy(d[lo:hi], a)
			continue
		}
		for j := range sx.n {
			copy(d[lo+j*r.gs:lo+(j+1)*r.gs], a[j*r.x.step*r.cs:])
		}
	}
	clear(dst[(sy.tap+sy.n)*width:])
}

// scatter multiplies every pixel of the source by all taps at once and adds the products to the destination.
func (r *Runner[T]) scatter(g, n int, dst, src []T, f *Packed[T], bias, work []T) {
	p := &r.prod
	p.Bias, p.Mul, p.Packed = nil, nil, &f.packs[g]
	p.K, p.N, p.LdA, p.LdC, p.C = r.gs, r.KH*r.KW*r.gd, r.cs, r.KH*r.KW*r.gd, work
	for i := range n {
		d, s := dst[i*r.destination():][:r.destination()], src[i*r.source():][:r.source()]
		r.begin(g, d, bias)
		for q, all := 0, r.sh*r.sw; q < all; q += blockRows {
			p.M = min(blockRows, all-q)
			p.A = s[q*r.cs+g*r.gs:]
			p.Run(nil)
			for j := range p.M {
				r.scatterPixel(d[g*r.gd:], work[j*p.N:(j+1)*p.N], r.y.spans[(q+j)/r.sw], r.x.spans[(q+j)%r.sw])
			}
		}
	}
}

// scatterPixel adds the products of one pixel of the source to the destination.
func (r *Runner[T]) scatterPixel(dst, taps []T, sy, sx span) {
	ky, kx := r.y.classes[sy.class], r.x.classes[sx.class]
	for i := range sy.n {
		d := dst[((sy.first+i*r.y.step)*r.dw+sx.first)*r.cd:]
		row := taps[ky[sy.tap+i]*r.KW*r.gd:]
		if r.cd == 1 && r.x.step == 1 && r.Role == In {
			t := row[sx.tap:][:sx.n]
			d = d[:len(t)]
			for j, v := range t {
				d[j] += v
			}
			continue
		}
		for j := range sx.n {
			e := d[j*r.x.step*r.cd:][:r.gd]
			for c, v := range row[kx[sx.tap+j]*r.gd:][:r.gd] {
				e[c] += v
			}
		}
	}
}

// Gradient computes the gradient of the filter, role Filter, from x and y of n samples; with acc it is added to dst.
//
// The sums run over the pixels of y in order, so results do not depend on how a batch is split.
func (r *Runner[T]) Gradient(n int, dst, x, y []T, acc bool, work []T) {
	if r.gs < fewChannels && r.gd > thin && r.lined() {
		r.tracedGradient(n, dst, x, y, acc, work)
		return
	}
	if r.tiling {
		r.tiledGradient(n, dst, x, y, acc, work)
		return
	}
	if shifted[T](r.Plan) {
		r.shiftedGradient(n, dst, x, y, acc, work)
		return
	}
	p := &r.prod
	k := r.depth()
	patches, rest := work[:blockRows*k], work[blockRows*k:]
	p.TransA, p.LdA, p.LdB, p.LdC, p.M, p.N = true, k, r.cd, r.OC, k, r.gd
	for g := range r.Groups {
		p.Acc = acc
		for q, all := 0, n*r.dh*r.dw; q < all; q += blockRows {
			p.K = min(blockRows, all-q)
			r.patches(patches, x, q, p.K, g)
			p.A, p.B, p.C = patches, y[q*r.cd+g*r.gd:], dst[g*r.gd:]
			p.Run(rest)
			p.Acc = true
		}
	}
	p.A, p.B, p.C = nil, nil, nil
}

// tiledGradient is Gradient for windows side by side: one row of a window of all of them is a row of the picture.
func (r *Runner[T]) tiledGradient(n int, dst, x, y []T, acc bool, work []T) {
	p := &r.prod
	p.TransA, p.M, p.N, p.LdA, p.LdB, p.LdC = true, r.KW*r.gs, r.gd, r.KW*r.gs, r.cd, r.OC
	step, all := r.tileStep(r.dw), n*r.dh*r.dw
	for q := 0; q < all; q += step {
		p.K, p.B, p.Acc = min(step, all-q), y[q*r.cd:], acc || q > 0
		for k := range r.KH {
			p.A, p.C = x[(q*r.KH*r.KW+k*r.sw)*r.cs:], dst[k*p.M*r.OC:]
			p.Run(work)
		}
	}
	p.A, p.B, p.C = nil, nil, nil
}

// tracedGradient is Gradient with the patches stored tap by tap.
func (r *Runner[T]) tracedGradient(n int, dst, x, y []T, acc bool, work []T) {
	p := &r.prod
	k, rows := r.depth(), block(r.dw)
	patches, rest := work[:k*rows*r.dw], work[k*rows*r.dw:]
	p.TransA, p.LdB, p.LdC, p.M, p.N = false, r.cd, r.OC, k, r.gd
	for g := range r.Groups {
		p.Acc = acc
		for q, all := 0, n*r.dh; q < all; q += rows {
			m := min(rows, all-q)
			p.K = m * r.dw
			p.LdA = p.K
			r.tracePatches(patches[:k*p.K], x, q, m, g)
			p.A, p.B, p.C = patches, y[q*r.dw*r.cd+g*r.gd:], dst[g*r.gd:]
			p.Run(rest)
			p.Acc = true
		}
	}
	p.A, p.B, p.C = nil, nil, nil
}
