package conv

// An axis maps the coordinates of a destination, along the height or the width, to those of the source that add to them.
type axis struct {
	spans   []span  // by coordinate of the destination
	step    int     // from a coordinate of the source to the next of a span
	classes [][]int // taps in the order in which they meet increasing coordinates of the source
	every   int     // coordinates of one class are so far apart
}

// A span is the part of a class of taps that is on the picture, and the coordinate that meets the first of them.
type span struct{ class, tap, n, first int }

// outAxis is that of role Out: coordinate o sees o·stride - pad + k·dilation for every tap k.
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

// inAxis is that of role In: coordinate i is seen from every o with o·stride = i + pad - k·dilation. Which taps these can be
// depends on i + pad modulo the stride.
func inAxis(n, k, stride, pad, dilation int) axis {
	a := axis{step: dilation, classes: make([][]int, stride), every: stride}
	for d := stride; d > 0; d-- { // the greatest common divisor of stride and dilation
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
