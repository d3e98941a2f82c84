package conv

// Terms calls f with the positions in x, filter and y of every term of the form Σ x·f·y, for n samples. It is the
// definition that everything else here is tested against.
func (w Window) Terms(n int, f func(x, filter, y int)) {
	cg, og, oh, ow := w.C/w.Groups, w.OC/w.Groups, w.OH(), w.OW()
	w.each(func(oy, ox, ky, kx, iy, ix int) {
		for i := range n {
			for o := range w.OC {
				for c := range cg {
					f(((i*w.H+iy)*w.W+ix)*w.C+o/og*cg+c, ((ky*w.KW+kx)*cg+c)*w.OC+o, ((i*oh+oy)*ow+ox)*w.OC+o)
				}
			}
		}
	})
}

// Pairs calls f for every pair of an element of x and a window of a pool that contains it, for n samples: with their
// positions in x and y and the number of the tap. The pairs of one window come in the order of the taps.
func (w Window) Pairs(n int, f func(x, y, tap int)) {
	oh, ow := w.OH(), w.OW()
	w.each(func(oy, ox, ky, kx, iy, ix int) {
		for i := range n {
			for c := range w.C {
				f(((i*w.H+iy)*w.W+ix)*w.C+c, ((i*oh+oy)*ow+ox)*w.C+c, ky*w.KW+kx)
			}
		}
	})
}

// each calls f for every tap of every window that lies on the picture.
func (w Window) each(f func(oy, ox, ky, kx, iy, ix int)) {
	oh, ow := w.OH(), w.OW()
	for oy := range oh {
		for ox := range ow {
			for ky := range w.KH {
				for kx := range w.KW {
					iy, ix := oy*w.Stride[0]-w.Pad[0]+ky*w.Dilation[0], ox*w.Stride[1]-w.Pad[1]+kx*w.Dilation[1]
					if 0 <= iy && iy < w.H && 0 <= ix && ix < w.W {
						f(oy, ox, ky, kx, iy, ix)
					}
				}
			}
		}
	}
}
