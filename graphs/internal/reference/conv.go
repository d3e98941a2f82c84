package reference

import (
	"github.com/stheno-ebm/stheno/graphs/internal/conv"
	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
)

// conv computes convolutions and pools by their definitions.
func (e *evaluation) conv() bool {
	switch o := e.in.Op.(type) {
	case ir.Conv:
		e.convolution(o)
	case ir.ConvPack: // only the kernels know its layout
		copy(e.y, e.x[0].v)
	case ir.PoolArgMax:
		best := make([]float64, len(e.y))
		seen := make([]bool, len(e.y))
		o.Window.Pairs(e.in.Rows, func(x, y, tap int) {
			if v := e.x[0].v[x]; !seen[y] || v > best[y] {
				best[y], seen[y], e.y[y] = v, true, float64(tap)
			}
		})
	case ir.PoolPick:
		o.Window.Pairs(e.in.Rows, func(x, y, tap int) {
			if e.x[0].v[y] == float64(tap) {
				e.y[y] = e.x[1].v[x]
			}
		})
	case ir.PoolPlace:
		o.Window.Pairs(e.in.Rows, func(x, y, tap int) {
			if e.x[0].v[y] == float64(tap) {
				e.y[x] += e.x[1].v[y]
			}
		})
	case ir.PoolSum:
		o.Window.Pairs(e.in.Rows, func(x, y, _ int) { e.y[y] += e.x[0].v[x] })
	case ir.Spread:
		o.Window.Pairs(e.in.Rows, func(x, y, _ int) { e.y[x] += e.x[0].v[y] })
	case ir.Patches:
		if o.Planes {
			e.planePatches(o.Window)
			return true
		}
		o.Window.Terms(e.x[0].of.Rows, func(x, f, y int) { e.y[y*o.Window.Taps()+f] = e.x[0].v[x] })
	case ir.Fold:
		o.Window.Terms(e.in.Rows, func(x, f, y int) { e.y[x] += e.x[0].v[y*o.Window.Taps()+f] })
	default:
		return false
	}
	return true
}

func (e *evaluation) convolution(o ir.Conv) {
	a, b := e.x[0].v, e.x[1].v
	switch n := e.x[0].of.Rows; o.Role {
	case conv.Out:
		o.Window.Terms(n, func(x, f, y int) { e.y[y] += a[x] * b[f] })
	case conv.In:
		o.Window.Terms(n, func(x, f, y int) { e.y[x] += a[y] * b[f] })
	default:
		o.Window.Terms(n, func(x, f, y int) { e.y[f] += a[x] * b[y] })
	}
	for i := range e.y {
		if o.Bias > 0 {
			e.y[i] += e.x[o.Bias].v[i%o.Channels()]
		}
		if o.Factor > 0 {
			e.y[i] *= e.x[o.Factor].v[i]
		}
	}
}

// windows are convolutions of (rows,5) with (3,1) to (rows,3), and pools over three elements, overlapping or not.
func (r *random) windows() []func() ir.ID {
	one, three := [2]int{1, 1}, [2]int{1, 3}
	w := conv.Window{H: 1, W: 5, C: 1, KH: 1, KW: 3, OC: 1, Stride: [2]int{1, 2}, Pad: [2]int{0, 1}, Dilation: one,
		Groups: 1}
	of := func(cols int) ir.ID {
		return r.where(func(in *ir.Instr) bool { return in.Rows == r.rows && in.Cols == cols })
	}
	filter := func() ir.ID {
		return r.Reshape(r.where(func(in *ir.Instr) bool { return in.Rows == 1 && in.Cols == 3 }), 3, 1)
	}
	pool := func() conv.Window {
		return conv.Window{H: 1, W: 5, C: 1, KH: 1, KW: 3, OC: 1, Stride: choose(r.rng, [][2]int{one, three}),
			Dilation: one, Groups: 1}
	}
	return []func() ir.ID{
		func() ir.ID { return r.Conv(w, conv.Out, of(5), filter()) },
		func() ir.ID { return r.Conv(w, conv.In, of(3), filter()) },
		func() ir.ID { return r.Conv(w, conv.Filter, of(5), of(3)) },
		func() ir.ID { // with a bias and a factor
			bias := r.where(func(in *ir.Instr) bool { return in.Len() == 1 })
			return r.Mul(r.Add(r.Conv(w, conv.In, of(3), filter()), r.Fill(bias, r.rows, 5)), of(5))
		},
		func() ir.ID {
			return r.Add(r.Conv(w, conv.Filter, of(5), of(3)), r.Conv(w, conv.Filter, of(5), of(3)))
		},
		func() ir.ID { return r.PoolPick(pool(), of(5), of(5)) },
		func() ir.ID { w, x := pool(), of(5); return r.PoolPlace(w, x, r.PoolPick(w, x, of(5))) },
		func() ir.ID {
			w, key := pool(), of(5)
			return r.Mul(r.PoolPlace(w, key, r.PoolPick(w, key, of(5))), of(5))
		},
		func() ir.ID { return r.PoolSum(pool(), of(5)) },
		func() ir.ID { return r.Fold(w, r.Unary(kernels.Tanh, 0, r.Patches(w, of(5)))) },
		func() ir.ID { w := pool(); return r.Spread(w, r.PoolSum(w, of(5))) },
	}
}

// planePatches are the patches of pictures stored as planes, with columns by channel, row and column.
func (e *evaluation) planePatches(w conv.Window) {
	oh, ow := w.OH(), w.OW()
	for y := range e.y {
		at, column := y/w.Taps(), y%w.Taps()
		c, ky, kx := column/(w.KH*w.KW), column/w.KW%w.KH, column%w.KW
		iy := at/ow%oh*w.Stride[0] - w.Pad[0] + ky*w.Dilation[0]
		ix := at%ow*w.Stride[1] - w.Pad[1] + kx*w.Dilation[1]
		e.y[y] = 0
		if iy >= 0 && iy < w.H && ix >= 0 && ix < w.W {
			e.y[y] = e.x[0].v[at/(oh*ow)*w.In()+(c*w.H+iy)*w.W+ix]
		}
	}
}
