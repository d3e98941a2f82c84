package kernels

// unaryGeneric is Unary in portable Go.
func unaryGeneric[T Float](f Func, order int, dst, x []T) {
	if order <= 3 && (jets64[f] != nil || f == Exp) {
		var d [4][]T
		d[order] = dst
		multiGeneric(f, d[0], d[1], d[2], d[3], x)
		return
	}
	if f == Log && order == 0 && isFloat32[T]() {
		logarithms32(any(dst).([]float32), any(x).([]float32))
		return
	}
	for i, v := range x {
		dst[i] = T(scalar(f, order, float64(v)))
	}
}

// multiGeneric is UnaryMulti in portable Go.
func multiGeneric[T Float](f Func, d0, d1, d2, d3, x []T) {
	if isFloat32[T]() && multi32(f, any(d0).([]float32), any(d1).([]float32), any(d2).([]float32), any(d3).([]float32),
		any(x).([]float32)) {
		return
	}
	g := jets64[f]
	if g == nil {
		g = func(x float64, orders int) (v0, v1, v2, v3 float64) {
			return scalar(f, 0, x), scalar(f, 1, x), scalar(f, 2, x), scalar(f, 3, x)
		}
	}
	orders := 4
	switch {
	case d3 != nil:
	case d2 != nil:
		orders = 3
	case d1 != nil:
		orders = 2
	default:
		orders = 1
	}
	for i, v := range x {
		v0, v1, v2, v3 := g(float64(v), orders)
		if d0 != nil {
			d0[i] = T(v0)
		}
		if d1 != nil {
			d1[i] = T(v1)
		}
		if d2 != nil {
			d2[i] = T(v2)
		}
		if d3 != nil {
			d3[i] = T(v3)
		}
	}
}
