package datasets

import "math"

// logSum accumulates log Σ exp(e_k) and the weighted mean of slopes Σ exp(e_k) s_k / Σ exp(e_k) in one pass, scaled by
// the largest exponent so far.
type logSum struct {
	max    float64
	sum    float64
	sx, sy float64
}

func newLogSum() logSum { return logSum{max: math.Inf(-1)} }

func (s *logSum) add(e, dx, dy float64) {
	if math.IsInf(e, -1) { // exp(e − max) would be NaN for an empty sum
		return
	}
	if e <= s.max {
		w := math.Exp(e - s.max)
		s.sum += w
		s.sx += w * dx
		s.sy += w * dy
		return
	}
	w := math.Exp(s.max - e)
	s.max, s.sum, s.sx, s.sy = e, s.sum*w+1, s.sx*w+dx, s.sy*w+dy
}

func (s *logSum) log() float64 { return s.max + math.Log(s.sum) }

// slope returns the weighted mean slope, zero for an empty sum.
func (s *logSum) slope() (x, y float64) {
	if s.sum == 0 {
		return 0, 0
	}
	return s.sx / s.sum, s.sy / s.sum
}

// rescale makes top the reference; it must not be below the current one.
func (s *logSum) rescale(top float64) {
	w := math.Exp(s.max - top)
	s.max, s.sum, s.sx, s.sy = top, s.sum*w, s.sx*w, s.sy*w
}

// powers holds 2^(−j/256).
var powers = func() (p [256]float64) {
	for j := range p {
		p[j] = math.Exp2(-float64(j) / 256)
	}
	return p
}()

// expNeg returns exp(−u) for 0 ≤ u < 700 to 1e-15: a power of 2 from a table and four terms of the series. It is
// inlined and takes half the time of math.Exp.
func expNeg(u float64) float64 {
	u *= 256 / math.Ln2
	whole := int(u)
	f := (u - float64(whole)) * (math.Ln2 / 256)
	return (1 - f*(1-f*(0.5-f*(1./6-f*(1./24))))) * powers[whole&255] *
		math.Float64frombits(uint64(1023-whole>>8)<<52)
}

// add2 adds a term with one slope.
func (s *logSum) add2(e, slope float64) { s.add(e, slope, 0) }
