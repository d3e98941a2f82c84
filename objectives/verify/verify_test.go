package verify

import (
	"testing"
	"time"
)

func TestChecks(t *testing.T) {
	for _, c := range Checks() {
		t.Run(c.Name+"/"+c.Target+"/"+c.Statistic, func(t *testing.T) {
			start := time.Now()
			r := c.Run()
			t.Logf("%.4g (tolerance %.3g) in %v", r.Value, r.Tolerance, time.Since(start).Round(time.Millisecond))
			if !r.Pass {
				t.Errorf("got %.4g, want at most %.4g (error %v)", r.Value, r.Tolerance, r.Err)
			}
		})
	}
}
