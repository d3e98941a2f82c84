package train

import (
	"math"
	"math/rand/v2"
)

// localWidths are the widths of the steps of a local contrast, in deviations of the points; 0 stands for that of the
// kernels of the other contrast, which is less than the distance of most modes.
var localWidths = [...]float64{0, 0, 5, 20}

// NewLocalContrast is [NewContrast] for energies whose weights of modes are arbitrary, however well a run goes: those
// of a score without a bridge. Each point is compared with one place, a normal step away from it,
//
//	J(θ) = mean 2 log(1 + exp(E(x) − E(x + ση))),   η ~ N(0, Σ),
//
// the loss of conditional noise contrastive estimation (Ceylan and Gutmann, ICML 2018): the density of such steps is
// symmetrical and cancels. It is 2 log 2 for an uninformative energy. Half of the steps are short and mostly stay
// within a mode, the others lead far away, where hardly any land in another mode; their weights hardly count.
func NewLocalContrast(dim int, held, data Source, energies Energies, rng *rand.Rand) (*Contrast, error) {
	if err := checkContrast(dim, held, data, energies, rng); err != nil {
		return nil, err
	}
	const n = contrastPoints
	c, noise, err := newContrast(dim, held, data, energies, rng)
	if err != nil {
		return nil, err
	}
	c.local = true
	for i := range n {
		width := localWidths[i%len(localWidths)]
		if width == 0 {
			width = noise.width
		}
		noise.step(c.x.RawRowView(n+i), c.x.RawRowView(i), width, rng)
	}
	c.refer(noise)
	return c, nil
}

// step stores x + width·η.
func (q *contrastNoise) step(dst, x []float64, width float64, rng *rand.Rand) {
	q.whiten(x)
	y := q.y.RawVector().Data
	for k := range y {
		y[k] += width * rng.NormFloat64()
	}
	q.x.MulVec(&q.chol, q.y)
	q.x.AddVec(q.x, q.mean)
	copy(dst, q.x.RawVector().Data)
}

// finite0 returns v, and for the difference of two infinite energies the largest one.
func finite0(v float64) float64 {
	if math.IsNaN(v) {
		return math.Inf(1)
	}
	return v
}
