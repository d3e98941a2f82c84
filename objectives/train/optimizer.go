package train

// Stateful is what a checkpoint can save and restore. The caller owns the bytes of MarshalState.
type Stateful interface {
	MarshalState() ([]byte, error)
	UnmarshalState(b []byte) error
}

// Optimizer updates θ in place from a gradient of the same length. Step may overwrite grad. The first Step fixes the
// length; SetLearningRate applies from the next Step on. The state is everything except the settings.
type Optimizer interface {
	Stateful
	Step(theta, grad []float64) error
	SetLearningRate(rate float64)
	Validate() error
}
