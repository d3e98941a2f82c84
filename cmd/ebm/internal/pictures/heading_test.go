package pictures

import (
	"math"
	"testing"

	"github.com/stheno-ebm/stheno/objectives/metrics"
)

// A value in a heading has as many decimals as its error.
func TestWithError(t *testing.T) {
	for _, c := range []struct {
		v, se metrics.Value
		want  string
	}{{4, 0.05, "4.00 ± 0.05"}, {3.99731, 0.0478, "3.997 ± 0.048"}, {1234.56, 123, "1235 ± 120"},
		{-0.00123, 0.0000456, "-0.001230 ± 0.000046"}, {2.5, 0, "2 ± 0"}, {1.23456, metrics.Value(math.NaN()), "1.235"}} {
		if got := withError(c.v, c.se); got != c.want {
			t.Errorf("%g, %g: got %q, want %q", c.v, c.se, got, c.want)
		}
	}
}
