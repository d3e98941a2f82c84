package train

import (
	"errors"
	"fmt"
	"math"
)

// Schedule is a learning rate schedule: step t of n uses the learning rate times Factor(t, n), 0 ≤ t < n.
type Schedule interface {
	Factor(step, steps int) float64
}

// Constant is a constant learning rate.
type Constant struct{}

// Factor returns 1.
func (Constant) Factor(step, steps int) float64 { return 1 }

// Cosine decreases the rate along half a cosine from 1 to Floor,
//
//	Floor + (1−Floor) (1 + cos(π t/n))/2.
//
// Loshchilov and Hutter, SGDR, ICLR 2017, without restarts.
type Cosine struct {
	Floor float64 // final share of the rate, in [0, 1]
}

// Validate names a Floor that is out of range.
func (c Cosine) Validate() error {
	if !(c.Floor >= 0 && c.Floor <= 1) {
		return fmt.Errorf("train: Cosine.Floor = %g, want in [0, 1]", c.Floor)
	}
	return nil
}

// Factor implements Schedule.
func (c Cosine) Factor(step, steps int) float64 {
	if steps <= 0 {
		return 1
	}
	t := min(float64(step)/float64(steps), 1)
	return c.Floor + (1-c.Floor)*(1+math.Cos(math.Pi*t))/2
}

// Warmup increases the rate linearly over the first Steps steps, (t+1)/Steps, and then follows Then over the remaining
// steps.
type Warmup struct {
	Steps int
	Then  Schedule // nil means Constant
}

// Validate names what is out of range, including in Then.
func (w Warmup) Validate() error {
	var err error
	if w.Steps < 0 {
		err = fmt.Errorf("train: Warmup.Steps = %d, want >= 0", w.Steps)
	}
	return errors.Join(err, validateSchedule(w.Then))
}

// validateSchedule validates a schedule that has a Validate method.
func validateSchedule(s Schedule) error {
	if v, ok := s.(interface{ Validate() error }); ok {
		return v.Validate()
	}
	return nil
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
