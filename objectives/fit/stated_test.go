package fit

import (
	"math"
	"testing"

	"github.com/stheno-ebm/stheno/mcmc"
)

func TestStatedLogZ(t *testing.T) {
	w := make([]float64, 1000)
	if z := stated(mcmc.Evidence{LogZ: 2, StdErr: .1, ESS: 150, LogWeights: w}); z.Value != 2 || z.StdErr != .1 {
		t.Errorf("got %+v, want 2 ± 0.1", z)
	}
	if z := stated(mcmc.Evidence{LogZ: 2, StdErr: .1, ESS: 90, LogWeights: w}); z.Value != 2 || !math.IsNaN(z.StdErr) {
		t.Errorf("of few effective chains: got %+v, want an unknown error", z)
	}
}
