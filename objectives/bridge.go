package objectives

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/energy"
)

// Bridge is the remedy for score matching's blindness to the weights of modes: see energy.Bridge. With it the objective
// fits E_q to a stream in which a share of the points comes from the background.
type Bridge struct {
	Background *energy.Mixture // required; energy.Ladder makes one of the data
	Share      float64         // ε, of background points, in (0, 1); 0 means 0.1
	Balance    float64         // λ of the term that fixes the constant; 0 means 1, negative none
}

// mixed is an engine over E_q, fed with the mixed stream.
type mixed struct {
	*Engine
	b     *energy.Mixture
	share float64
	x     *mat.Dense
}

// Gradient replaces rows of the batch by draws of the background, each with probability ε, and goes on.
func (m *mixed) Gradient(grad []float64, x *mat.Dense, rng *rand.Rand) (Stats, error) {
	x, err := m.batch(x)
	if err != nil {
		return Stats{}, err
	}
	m.x.Copy(x)
	n, _ := x.Dims()
	for i := range n {
		if rng.Float64() < m.share {
			m.b.SampleRow(m.x.RawRowView(i), rng)
		}
	}
	return m.Engine.Gradient(grad, m.x, rng)
}
