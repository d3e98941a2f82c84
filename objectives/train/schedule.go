package train

import "math"

// Schedule is the course of the learning rate: step t of n uses the learning rate times Factor(t, n), 0 ≤ t < n.
type Schedule interface {
	Factor(step, steps int) float64
}

// Constant keeps the learning rate.
type Constant struct{}

// Factor is 1.
func (Constant) Factor(step, steps int) float64 { return 1 }

// Cosine lets the rate fall along half a cosine from 1 to Floor,
//
//	Floor + (1−Floor) (1 + cos(π t/n))/2.
//
// Loshchilov and Hutter, SGDR, ICLR 2017, without restarts.
type Cosine struct {
	Floor float64 // share of the rate that is left at the end, in [0, 1]
}

// Factor implements Schedule.
func (c Cosine) Factor(step, steps int) float64 {
	if steps <= 0 {
		return 1
	}
	t := min(float64(step)/float64(steps), 1)
	return c.Floor + (1-c.Floor)*(1+math.Cos(math.Pi*t))/2
}

// Warmup lets the rate rise linearly during its first Steps steps, (t+1)/Steps, and then follows Then over the
// steps that remain.
type Warmup struct {
	Steps int
	Then  Schedule // nil means Constant
}

// Factor implements Schedule.
func (w Warmup) Factor(step, steps int) float64 {
	if step < w.Steps {
		return float64(step+1) / float64(w.Steps)
	}
	if w.Then == nil {
		return 1
	}
	return w.Then.Factor(step-w.Steps, steps-w.Steps)
}

var (
	_ Schedule = Constant{}
	_ Schedule = Cosine{}
	_ Schedule = Warmup{}
)
