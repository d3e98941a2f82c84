package conv

// A Plan is the geometry of one role of a convolution, computed once and shared by all runners. It maps a source,
// with cs channels per pixel, to a destination with cd; for the gradient of a filter, the source is x and the
// destination is y.
type Plan struct {
	Window
	Role
	y, x       axis
	sw, sh     int    // width and height of the source
	dw, dh     int    // width and height of the destination
	cs, cd     int    // channels of source and destination
	gs, gd     int    // the same, per group
	runs       []run  // along the width
	ly, lx     []line // of the taps; nil if they are not linear
	muly, mulx int
	full       int   // the first window that sees the full width
	places     []int // where in a row of the source such windows begin; none if patches are better written one by one
	scattering bool
	patching   bool
	byShift    *shifts // how the gradient of a filter is computed, nil: by patches
	tiling     bool    // windows cover the picture without overlap (not in role Out)
}

// A run is a sequence of n equidistant pixels of the destination, from at on, that read the same taps. span is that
// of the first pixel; each further pixel reads shift pixels of the source further on.
type run struct {
	at, n int
	span  span
}

const (
	// fewChannels is the number of channels below which a stretch of a window is too short for a product, and patches
	// are written out instead.
	fewChannels = 8
	// thin is the number of columns up to which the kernels compute products as dot products, whose order of
	// summation depends on where they begin.
	thin = 4
	// blockRows is the number of pixels whose patches are written out, or products scattered, at a time.
	blockRows = 128
	// fewRows is the number of samples below which pixels along the width make better rows of a product.
	fewRows = 8
)

// New returns the plan for a role.
func New(w Window, role Role) *Plan {
	p := &Plan{Window: w, Role: role}
	axes := outAxis
	p.sh, p.sw, p.cs, p.dh, p.dw, p.cd = w.H, w.W, w.C, w.OH(), w.OW(), w.OC
	other := inAxis
	if role == In {
		axes, other = inAxis, outAxis
		p.sh, p.sw, p.cs, p.dh, p.dw, p.cd = p.dh, p.dw, p.cd, p.sh, p.sw, p.cs
	}
	p.gs, p.gd = p.cs/w.Groups, p.cd/w.Groups
	// With few channels in the destination, it is better to multiply each source pixel by all taps at once.
	p.scattering = role != Filter && p.gd <= thin && p.gs >= fewChannels
	p.patching = !p.scattering && (p.gd <= thin || p.gs < fewChannels)
	if p.scattering {
		axes = other
	}
	p.tiling = role != Out && !p.scattering && !p.patching && w.Groups == 1 && w.Stride == [2]int{w.KH, w.KW} &&
		w.Pad == [2]int{} && w.Dilation == [2]int{1, 1} && w.OH()*w.KH == w.H && w.OW()*w.KW == w.W
	p.y = axes(w.H, w.KH, w.Stride[0], w.Pad[0], w.Dilation[0])
	p.x = axes(w.W, w.KW, w.Stride[1], w.Pad[1], w.Dilation[1])
	p.runs = p.x.runs(p.shift())
	p.trace()
	p.align()
	p.byShift = p.shifts()
	return p
}

// align finds the windows along the width whose patches are written together.
func (p *Plan) align() {
	if p.Role == In || p.scattering || p.Groups > 1 || p.x.step > 1 || p.cs >= fewChannels {
		return
	}
	spans := p.x.spans
	for p.full < len(spans) && spans[p.full].n < p.KW {
		p.full++
	}
	for _, s := range spans[p.full:] {
		if s.n < p.KW {
			break
		}
		p.places = append(p.places, s.first*p.cs)
	}
}

// lined reports whether patches are best written tap by tap: those of one channel are, and those that are not aligned.
func (p *Plan) lined() bool { return p.lx != nil && (p.cs == 1 || p.places == nil) }

// shift is the distance in the source between consecutive pixels of a run.
func (p *Plan) shift() int {
	if p.Role == In {
		return 1
	}
	return p.Stride[1]
}

// runs divides the coordinates of a into runs.
func (a *axis) runs(shift int) []run {
	var rs []run
	for c := range min(a.every, len(a.spans)) {
		r := run{at: c, span: a.spans[c]}
		for i := c; i < len(a.spans); i += a.every {
			s, want := a.spans[i], r.span
			if want.first += r.n * shift; s.n == 0 {
				want.first, want.tap = s.first, s.tap
			}
			if s != want {
				rs = append(rs, r)
				r = run{at: i, span: s}
			}
			r.n++
		}
		rs = append(rs, r)
	}
	return rs
}

// source and destination are the number of elements of a picture on either side.
func (p *Plan) source() int      { return p.sh * p.sw * p.cs }
func (p *Plan) destination() int { return p.dh * p.dw * p.cd }

// taps is the number of taps of a pair of classes.
func (p *Plan) taps(cy, cx int) int { return len(p.y.classes[cy]) * len(p.x.classes[cx]) }

// depth is the number of rows of the largest packed operand.
func (p *Plan) depth() int {
	if p.scattering {
		return p.gs
	}
	most := 0
	for cy := range p.y.classes {
		for cx := range p.x.classes {
			most = max(most, p.taps(cy, cx)*p.gs)
		}
	}
	return most
}
