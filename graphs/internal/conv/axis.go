package conv

// An axis maps every coordinate of the destination, along the height or the width, to the coordinates of the source
// that contribute to it.
type axis struct {
	spans   []span  // by coordinate of the destination
	step    int     // distance in the source between consecutive taps of a span
	classes [][]int // taps, ordered by the coordinate of the source that they read
	every   int     // distance between coordinates of the same class
}

// A span is the part of a class of taps that lies on the picture: n taps from tap on, of which the first reads the
// source at first.
type span struct{ class, tap, n, first int }

// outAxis is the axis of role Out: coordinate o reads o·stride - pad + k·dilation for every tap k.
func outAxis(n, k, stride, pad, dilation int) axis {
	a := axis{step: dilation, classes: [][]int{make([]int, k)}, every: 1}
	for i := range k {
		a.classes[0][i] = i
	}
	for o := range places(n, k, stride, pad, dilation) {
		s := span{}
		for t := range k {
			if at := o*stride - pad + t*dilation; at >= 0 && at < n {
				if s.n == 0 {
					s.tap, s.first = t, at
				}
				s.n++
			}
		}
		a.spans = append(a.spans, s)
	}
	return a
}

// inAxis is the axis of role In: coordinate i receives from every o with o·stride = i + pad - k·dilation. Which taps
// k qualify depends on i + pad modulo the stride, the class of i.
func inAxis(n, k, stride, pad, dilation int) axis {
	a := axis{step: dilation, classes: make([][]int, stride), every: stride}
	for d := stride; d > 0; d-- { // find the greatest common divisor of stride and dilation
		if stride%d == 0 && dilation%d == 0 {
			a.step = dilation / d
			break
		}
	}
	for t := k - 1; t >= 0; t-- {
		c := t * dilation % stride
		a.classes[c] = append(a.classes[c], t)
	}
	places := places(n, k, stride, pad, dilation)
	for i := range n {
		s := span{class: (i + pad) % stride}
		for j, t := range a.classes[s.class] {
			if q := i + pad - t*dilation; q >= 0 && q/stride < places {
				if s.n == 0 {
					s.tap, s.first = j, q/stride
				}
				s.n++
			}
		}
		a.spans = append(a.spans, s)
	}
	return a
}
