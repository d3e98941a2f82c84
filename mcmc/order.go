package mcmc

import (
	"fmt"
	"math"
	"slices"
)

// LeftOut is a chain that warm-up excluded from pooling because it was not in order when the warm-up ended.
type LeftOut struct {
	Chain  int    `json:"chain"`
	Reason string `json:"reason"`
}

// follower follows one chain through the warm-up.
type follower struct {
	step    dualAveraging // the chain's own
	smooth  float64       // smoothed acceptance of the last few transitions
	before  float64       // energy before the transition
	ordered bool          // pooled with the others
	still   int           // transitions since it last moved
}

// lag returns how far above the others the energy of a chain may be: draws in d dimensions have energies within a few
// √(d/2) of their mean, which for a Gaussian is d/2 above the minimum, so a chain this far above does not yet sample
// the same density.
func lag(d int) float64 { return 50 + 5*float64(d) }

// limit returns the energy above which a chain is still on its way: the lower quartile plus the lag.
func limit(energy []float64, d int) float64 {
	e := make([]float64, 0, len(energy))
	for _, v := range energy {
		if v-v == 0 {
			e = append(e, v)
		}
	}
	if len(e) == 0 {
		return math.Inf(1)
	}
	slices.Sort(e)
	return e[(len(e)-1)/4] + lag(d)
}

// unmoved is the number of transitions without a move after which a chain is out of order.
const unmoved = 20

// fault says what is wrong with a chain; "" if nothing is.
func (f *follower) fault(e, limit float64) string {
	switch {
	case e-e != 0:
		return "its energy is not finite"
	case e > limit:
		return fmt.Sprintf("its energy, %.4g, is far above that of the others", e)
	case f.still >= unmoved:
		return fmt.Sprintf("it has not moved for %d transitions", f.still)
	}
	return ""
}
