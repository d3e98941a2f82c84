package train

// Average is the moving average of the weights,
//
//	θ̄ ← d θ̄ + (1−d) θ,   d = min(Decay, (t−1)/(t+3)),
//
// at update t = 1, 2, …: while (t−1)/(t+3) is smaller, step s has a weight of about s³, so that the average covers
// about the last quarter of the steps so far and forgets the early weights, which are mostly the initial ones; later it
// is exponential, over about the last 1/(1−Decay) steps. A Decay of 0 copies θ.
//
// Shamir and Zhang, Stochastic gradient descent for non-smooth optimization, ICML 2013, arXiv 1212.1824:
// polynomial-decay averaging with η = 3. The idea is due to Polyak and Juditsky 1992.
type Average struct {
	Decay float64 // in [0, 1)

	step  uint64
	theta []float64
}

// Update adds the weights of one step. The first call only copies them.
func (a *Average) Update(theta []float64) {
	if a.theta == nil {
		a.theta = append([]float64(nil), theta...)
		a.step = 1
		return
	}
	if len(theta) != len(a.theta) {
		panic("train: length of θ changed")
	}
	a.step++
	t := float64(a.step)
	d := min(a.Decay, (t-1)/(t+3))
	for i, v := range theta {
		a.theta[i] = v + d*(a.theta[i]-v)
	}
}

// Theta returns the live average, nil before the first Update. It must not be written to.
func (a *Average) Theta() []float64 { return a.theta }

// MarshalState returns the average and its count.
func (a *Average) MarshalState() ([]byte, error) {
	var e encoder
	e.uint64(a.step)
	e.floats(a.theta)
	return e.b, nil
}

// UnmarshalState restores what MarshalState returned.
func (a *Average) UnmarshalState(b []byte) error {
	d := decoder{b: b}
	step, theta := d.uint64(), d.floats()
	if err := d.finish("average"); err != nil {
		return err
	}
	a.step, a.theta = step, theta
	return nil
}
