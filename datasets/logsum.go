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

func (s *logSum) slope() (x, y float64) { return s.sx / s.sum, s.sy / s.sum }
