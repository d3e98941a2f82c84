package train

// Average is the exponential moving average of the weights,
//
//	θ̄ ← d θ̄ + (1−d) θ,   d = min(Decay, (1+t)/(10+t)),
//
// where t counts the updates: the early weights, which are mostly the initial ones, are forgotten quickly. A Decay of
// 0 copies θ. Polyak and Juditsky 1992; the warm-up is TensorFlow's ExponentialMovingAverage.
type Average struct {
	Decay float64 // in [0, 1)

	step  uint64
	theta []float64
}

// Update takes in the weights of one step. The first call only copies them.
func (a *Average) Update(theta []float64) {
	if a.theta == nil {
		a.theta = append([]float64(nil), theta...)
		a.step = 1
		return
	}
	if len(theta) != len(a.theta) {
		panic("train: length of θ changed")
	}
	t := float64(a.step)
	d := min(a.Decay, (1+t)/(10+t))
	for i, v := range theta {
		a.theta[i] = v + d*(a.theta[i]-v)
	}
	a.step++
}

// Theta is the live average, nil before the first Update. It must not be written to.
func (a *Average) Theta() []float64 { return a.theta }

// MarshalState returns the average and its count.
func (a *Average) MarshalState() ([]byte, error) {
	var e encoder
	e.uint64(a.step)
	e.floats(a.theta)
	return e.b, nil
}

// UnmarshalState puts back what MarshalState returned.
func (a *Average) UnmarshalState(b []byte) error {
	d := decoder{b: b}
	step, theta := d.uint64(), d.floats()
	if err := d.finish("average"); err != nil {
		return err
	}
	a.step, a.theta = step, theta
	return nil
}
