package conv

import "github.com/stheno-ebm/stheno/graphs/internal/kernels"

// Planes are windows over pictures stored as planes, one per channel, (n, c·h·w). Their patches have columns by
// channel, row and column, Gorgonia's order: the rows of taps in a patch are stretches of rows of the planes, one
// after the other.
type Planes struct {
	Window
	y, x    []span
	offsets []int // of the rows of taps, relative to the first
	lo      int   // the first window that covers the full width
	// where the windows that do begin, along the width; nil if there are enough channels to write patch by patch
	places []int
}

// NewPlanes returns the windows w, which must have one group.
func NewPlanes(w Window) *Planes {
	p := &Planes{Window: w}
	p.y = outAxis(w.H, w.KH, w.Stride[0], w.Pad[0], w.Dilation[0]).spans
	p.x = outAxis(w.W, w.KW, w.Stride[1], w.Pad[1], w.Dilation[1]).spans
	for c := range w.C {
		for ky := range w.KH {
			p.offsets = append(p.offsets, (c*w.H+ky*w.Dilation[0])*w.W)
		}
	}
	for p.lo < len(p.x) && p.x[p.lo].n < w.KW {
		p.lo++
	}
	for i := p.lo; i < len(p.x) && p.x[i].n == w.KW && w.C < fewChannels && w.Dilation[1] == 1; i++ {
		p.places = append(p.places, p.x[i].first)
	}
	return p
}

// PlanePatches writes the patches of n pictures, (n·oh·ow, c·kh·kw), with zeros for the padding.
func PlanePatches[T kernels.Float](p *Planes, n int, dst, x []T) {
	k := p.Taps()
	for i := range n {
		picture := x[i*p.In():][:p.In()]
		for _, sy := range p.y {
			lines := 0
			if sy.n == p.KH && len(p.places) > 0 {
				lines = len(p.places)
				planeLines(p, dst[p.lo*k:], picture[sy.first*p.W:])
			}
			for ox, sx := range p.x {
				d := dst[:k]
				dst = dst[k:]
				if ox >= p.lo && ox < p.lo+lines {
					continue
				}
				if sy.n < p.KH || sx.n < p.KW {
					clear(d)
				}
				if sy.n == 0 || sx.n == 0 {
					continue
				}
				planePatch(p, d, picture[sy.first*p.W+sx.first:], sy, sx)
			}
		}
	}
}

// planePatch writes the part of a patch that lies on the picture, where s begins.
func planePatch[T kernels.Float](p *Planes, d, s []T, sy, sx span) {
	switch {
	case p.Dilation[1] > 1:
		for c := range p.C {
			for i, o := range p.offsets[c*p.KH:][:sy.n] {
				e := d[(c*p.KH+sy.tap+i)*p.KW+sx.tap:]
				for j := range sx.n {
					e[j] = s[o+j*p.Dilation[1]]
				}
			}
		}
	case sy.n == p.KH:
		kernels.Stretches(d[sx.tap:], s, p.offsets, sx.n, p.KW)
	default:
		for c := range p.C {
			kernels.Stretches(d[(c*p.KH+sy.tap)*p.KW+sx.tap:], s, p.offsets[c*p.KH:][:sy.n], sx.n, p.KW)
		}
	}
}

// planeLines writes the patches of a row of windows that lie on the picture in full width and height; s is the first
// picture row that they cover.
func planeLines[T kernels.Float](p *Planes, d, s []T) {
	for j, o := range p.offsets {
		kernels.Stretches(d[j*p.KW:], s[o:], p.places, p.KW, p.Taps())
	}
}
