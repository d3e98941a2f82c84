package conv

import "github.com/stheno-ebm/stheno/graphs/internal/kernels"

// The gradient of one tap of a filter is xᵀ·y with the pixels of x that the tap reads and those of y that it
// contributes to. If x and y have rows of the same length, and windows move by one pixel, the former are the latter
// shifted by a constant: both can be read in place, as one product per picture and tap. Two things are in the way:
//
//   - where a tap reaches beyond the left or right edge, its pixel is one of the row above or below: such pixels of y
//     are zero in a copy, a mask, of which few taps need one of their own;
//   - for windows that move by several pixels, x is divided into phases, the pixels with the same remainders of their
//     coordinates, in which they move by one.
//
// Every sum has the same terms in the same order as that over patches, of which zeros have moved from x to y.
type shifts struct {
	pitch int      // pixels in a row of a phase and of y
	rows  int      // of a phase
	moved bool     // x is divided into phases, or its rows lengthened
	masks [][2]int // the columns of y that they keep
	taps  []shift
	lines [][]int // by phase along the width: where its pixels are in a row of x
}

// A shift is a tap: k pixels of y from pixel y on, of a mask or itself (-1), meet those of x from pixel x on.
type shift struct{ x, y, k, mask int }

// fewPixels is the number of pixels below which the sums of one picture are too short to be a product of their own.
const fewPixels = 32

// shifts returns how to compute the gradient of a filter by shifts, or nil if it is better done by patches.
func (p *Plan) shifts() *shifts {
	if p.Role != Filter || p.gs < fewChannels || p.gd <= thin || p.tiling {
		return nil
	}
	up := func(a, b int) int { return (a + b - 1) / b }
	s := &shifts{pitch: max(p.dw, up(p.sw, p.mulx)), rows: up(p.sh, p.muly)}
	s.moved = p.mulx > 1 || p.muly > 1 || s.pitch != p.sw
	if p.dh*p.dw < fewPixels || 4*s.pitch > 5*p.dw {
		return nil
	}
	for _, ly := range p.ly {
		for _, lx := range p.lx {
			s.taps = append(s.taps, s.tap(p, ly, lx))
		}
	}
	for at := range p.mulx {
		var line []int
		for i := at; i < p.sw; i += p.mulx {
			line = append(line, i*p.cs)
		}
		s.lines = append(s.lines, line)
	}
	return s
}

// shifted reports whether the gradient of a filter is computed by shifts. Otherwise y would be packed for every tap.
func shifted[T kernels.Float](p *Plan) bool { return p.byShift != nil && kernels.WholePanels[T](p.gd) }

// tap returns the shift of a tap, given its lines along height and width.
func (s *shifts) tap(p *Plan, ly, lx line) shift {
	if ly.lo >= ly.hi || lx.lo >= lx.hi {
		return shift{}
	}
	py, px := mod(ly.add, p.muly), mod(lx.add, p.mulx)
	x := ly.lo + (ly.add-py)/p.muly // the first row
	t := shift{y: ly.lo*s.pitch + lx.lo, mask: -1}
	t.k = (ly.hi-1)*s.pitch + lx.hi - t.y
	t.x = ((py*p.mulx+px)*s.rows+x)*s.pitch + lx.lo + (lx.add-px)/p.mulx
	if lx.lo == 0 && lx.hi == p.dw && s.pitch == p.dw {
		return t
	}
	for t.mask = range s.masks {
		if s.masks[t.mask] == [2]int{lx.lo, lx.hi} {
			return t
		}
	}
	t.mask = len(s.masks)
	s.masks = append(s.masks, [2]int{lx.lo, lx.hi})
	return t
}

// mod is the remainder of a by b that is not negative.
func mod(a, b int) int { return (a%b + b) % b }

// sizes are the numbers of elements of all phases of a picture and of a mask.
func (s *shifts) sizes(p *Plan) (phases, mask int) {
	if s.moved {
		phases = p.muly * p.mulx * s.rows * s.pitch * p.cs
	}
	return phases, p.dh * s.pitch * p.cd
}

// shiftedGradient is Gradient by shifts.
func (r *Runner[T]) shiftedGradient(n int, dst, x, y []T, acc bool, work []T) {
	s, p := r.byShift, &r.prod
	phases, mask := s.sizes(r.Plan)
	masks := work[phases:][:len(s.masks)*mask]
	rest := work[phases+len(masks):]
	p.TransA, p.LdA, p.LdB, p.LdC, p.M, p.N = true, r.cs, r.cd, r.OC, r.gs, r.gd
	for i := range n {
		from, to := x[i*r.source():][:r.source()], y[i*r.destination():][:r.destination()]
		if s.moved {
			r.divide(work[:phases], from)
			from = work[:phases]
		}
		for k, keep := range s.masks {
			r.mask(masks[k*mask:][:mask], to, keep[0], keep[1])
		}
		for g := range r.Groups {
			for k, t := range s.taps {
				c := dst[k*r.gs*r.OC+g*r.gd:]
				if t.k == 0 && (i > 0 || acc) {
					continue
				}
				b := to
				if t.mask >= 0 {
					b = masks[t.mask*mask:][:mask]
				}
				p.K, p.A, p.B, p.C, p.Acc = t.k, from[t.x*r.cs+g*r.gs:], b[t.y*r.cd+g*r.gd:], c, acc || i > 0
				p.Run(rest)
			}
		}
	}
	p.A, p.B, p.C = nil, nil, nil
}

// divide stores the phases of a picture, one after the other.
func (r *Runner[T]) divide(dst, picture []T) {
	s := r.byShift
	for py := range r.muly {
		for _, line := range s.lines {
			for y := range s.rows {
				d := dst[:s.pitch*r.cs]
				dst = dst[len(d):]
				if at := y*r.muly + py; at < r.sh {
					kernels.Stretches(d, picture[at*r.sw*r.cs:], line, r.cs, r.cs)
					d = d[len(line)*r.cs:]
				}
				clear(d)
			}
		}
	}
}

// mask stores columns lo … hi-1 of y in rows of the pitch, zeros elsewhere.
func (r *Runner[T]) mask(dst, y []T, lo, hi int) {
	width := r.byShift.pitch * r.cd
	lo, hi = lo*r.cd, hi*r.cd
	for i := range r.dh {
		d := dst[i*width:][:width]
		clear(d[:lo])
		copy(d[lo:hi], y[i*r.dw*r.cd+lo:])
		clear(d[hi:])
	}
}
