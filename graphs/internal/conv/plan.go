package conv

// A Plan is the geometry of one role of a convolution, made once and shared by all who run it. It goes from a source, pixels of cs
// channels, to a destination, pixels of cd channels; of a filter's gradient, the source is x and the destination is y.
type Plan struct {
	Window
	Role
	y, x       axis
	sw, sh     int    // width and height of the source
	dw, dh     int    // of the destination
	cs, cd     int    // channels
	gs, gd     int    // of a group
	runs       []run  // along the width
	ly, lx     []line // of the taps; none where they are not linear
	muly, mulx int
	scattering bool
	patching   bool
}

// A run is pixels of the destination, every so many, that see the same taps; what the first sees is in span, what the next sees is
// shift pixels of the source further.
type run struct {
	at, n int
	span  span
}

const (
	// fewChannels is the number below which a stretch of a window is too short for a product: patches are written out instead.
	fewChannels = 8
	// thin is the number of columns up to which products are dot products, whose sums depend on where they begin.
	thin = 4
	// blockRows is the number of pixels of which patches are written out, or products scattered, at a time.
	blockRows = 128
	// fewRows is the number of samples below which pixels along the width are the better rows.
	fewRows = 8
)

// New returns the plan of a role.
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
	// A destination of few channels is the smaller side of a product with all taps at once.
	p.scattering = role != Filter && p.gd <= thin && p.gs >= fewChannels
	p.patching = !p.scattering && (p.gd <= thin || p.gs < fewChannels)
	if p.scattering {
		axes = other
	}
	p.y = axes(w.H, w.KH, w.Stride[0], w.Pad[0], w.Dilation[0])
	p.x = axes(w.W, w.KW, w.Stride[1], w.Pad[1], w.Dilation[1])
	p.runs = p.x.runs(p.shift())
	p.trace()
	return p
}

// shift is how far the source moves from a pixel of a run to the next.
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

// source and destination are the numbers of elements of a picture.
func (p *Plan) source() int      { return p.sh * p.sw * p.cs }
func (p *Plan) destination() int { return p.dh * p.dw * p.cd }

// taps is the number of taps of a pair of classes.
func (p *Plan) taps(cy, cx int) int { return len(p.y.classes[cy]) * len(p.x.classes[cx]) }

// depth is the number of rows of the largest packed filter.
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
