package objectives

import (
	"fmt"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/energy"
)

// mixed is a score-matching objective over an energy.Bridge: an engine over its mixed energy, fed with the mixed stream.
type mixed struct {
	*Engine
	bridge *energy.Bridge
	x      *mat.Dense
}

// Gradient mixes draws of the background into a copy of the batch and goes on.
func (m *mixed) Gradient(grad []float64, x *mat.Dense, rng *rand.Rand) (Stats, error) {
	x, err := m.batch(x)
	if err != nil {
		return Stats{}, err
	}
	m.x.Copy(x)
	m.bridge.Mix(m.x, rng)
	return m.Engine.Gradient(grad, m.x, rng)
}

// fits reports an objective that a bridge is not for, or a blur that is not the objective's.
func fits(name string, score bool, bridge energy.BridgeConfig, cfg Config) error {
	if !score || name == "dsm-multi" {
		return fmt.Errorf("objectives: a bridge is for objectives that match the score of one density, %s sees the weights of modes itself; leave it out", name)
	}
	sigma := 0.0
	if name == "dsm" {
		sigma = cfg.Sigma // dsm learns the blurred mixture: both parts are blurred
	}
	if bridge.Blur != sigma {
		return fmt.Errorf("objectives: %s blurs the data by %g, the bridge by %g; set BridgeConfig.Blur to %g", name, sigma, bridge.Blur, sigma)
	}
	return nil
}
