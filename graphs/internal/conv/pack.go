package conv

import "github.com/stheno-ebm/stheno/graphs/internal/kernels"

// Packed is a filter packed for a plan: the right operand of products for every pair of classes of taps and every
// group.
type Packed[T kernels.Float] struct {
	plan  *Plan
	packs []kernels.Packed[T]
	taps  []T // scratch for one pack
	flat  []T // for scatterLines: for every group, a row for each tap and channel of the destination
}

// NewPacked returns an empty Packed. Only the first call of Pack allocates.
func NewPacked[T kernels.Float](p *Plan) *Packed[T] {
	n := 1
	if p.tiling {
		n = p.KH
	} else if !p.scattering {
		n = len(p.y.classes) * len(p.x.classes)
	}
	return &Packed[T]{plan: p, packs: make([]kernels.Packed[T], n*p.Groups)}
}

// pack returns the operand for a pair of classes and a group.
func (f *Packed[T]) pack(cy, cx, group int) *kernels.Packed[T] {
	return &f.packs[(cy*len(f.plan.x.classes)+cx)*f.plan.Groups+group]
}

// Pack packs the filter w.
func (f *Packed[T]) Pack(w []T) {
	p := f.plan
	for g := range p.Groups {
		switch {
		case p.scattering && p.lx != nil:
			f.flatten(w, g)
		case p.scattering && p.Role == In: // maps the channels of y to those of all taps
			f.packs[g].Pack(w[g*p.gs:], p.OC, true, p.gs, p.KH*p.KW*p.gd)
		case p.scattering:
			f.scattered(w, g)
		case p.tiling: // for every row of a window, maps the channels of y to those of its pixels
			for k := range f.packs {
				f.packs[k].Pack(w[k*p.KW*p.gd*p.OC:], p.OC, true, p.gs, p.KW*p.gd)
			}
		case p.Role == Out:
			f.packs[g].Pack(w[g*p.gd:], p.OC, false, p.KH*p.KW*p.gs, p.gd)
		default:
			for cy := range p.y.classes {
				for cx := range p.x.classes {
					f.classed(w, cy, cx, g)
				}
			}
		}
	}
}

// flatten stores the filter of group g with a row for each tap and channel of the destination.
func (f *Packed[T]) flatten(w []T, g int) {
	p := f.plan
	n := p.KH * p.KW
	if f.flat == nil {
		f.flat = make([]T, p.Groups*n*p.gd*p.gs)
	}
	d := f.flat[g*n*p.gd*p.gs:]
	for t := range n {
		for o := range p.gd {
			row := d[(t*p.gd+o)*p.gs:][:p.gs]
			if p.Role == In {
				copy(row, w[(t*p.gd+o)*p.OC+g*p.gs:])
				continue
			}
			for c := range row {
				row[c] = w[(t*p.gs+c)*p.OC+g*p.gd+o]
			}
		}
	}
}

// scattered packs the map from the channels of x to those of y for all taps.
func (f *Packed[T]) scattered(w []T, g int) {
	p := f.plan
	n := p.KH * p.KW
	f.room(p.gs * n * p.gd)
	for t := range n {
		for c := range p.gs {
			copy(f.taps[(c*n+t)*p.gd:][:p.gd], w[(t*p.gs+c)*p.OC+g*p.gd:])
		}
	}
	f.packs[g].Pack(f.taps, n*p.gd, false, p.gs, n*p.gd)
}

// classed packs the taps of a pair of classes, each transposed to map the channels of y to those of x.
func (f *Packed[T]) classed(w []T, cy, cx, g int) {
	p := f.plan
	n := p.taps(cy, cx)
	if n == 0 {
		return
	}
	f.room(n * p.gs * p.gd)
	i := 0
	for _, ky := range p.y.classes[cy] {
		for _, kx := range p.x.classes[cx] {
			for c := range p.gd {
				row := w[((ky*p.KW+kx)*p.gd+c)*p.OC+g*p.gs:][:p.gs]
				d := f.taps[i*p.gs*p.gd+c:]
				for o, v := range row {
					d[o*p.gd] = v
				}
			}
			i++
		}
	}
	f.pack(cy, cx, g).Pack(f.taps, p.gd, false, n*p.gs, p.gd)
}

// room makes f.taps n elements long, reallocating if necessary.
func (f *Packed[T]) room(n int) {
	if cap(f.taps) < n {
		f.taps = make([]T, n)
	}
	f.taps = f.taps[:n]
}
