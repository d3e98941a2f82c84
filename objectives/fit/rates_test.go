package fit

import (
	"context"
	"flag"
	"testing"

	"github.com/stheno-ebm/stheno/objectives/verify"
)

var everyRate = flag.Bool("rates", false, "all objectives at all rates, on a distribution and on points: takes long")

// TestRates: at thirty times their learning rates, score matching and ksd are rescued by rollbacks; without the
// sentinel's contrast they end at KLs of 9 and 15. At a hundred times, nce learns only once the rate has fallen, and
// ended at a KL of 0.2, ninety times that of its own rate; the network of dsm dies, which passed for success. With
// -rates this is the whole table of `ebm verify --long`.
func TestRates(t *testing.T) {
	ctx := context.Background()
	checks := append(rateChecks(ctx, "ksd", 0, 400, []float64{30}), rateChecks(ctx, "sm", 0, 400, []float64{30})...)
	if !testing.Short() {
		checks = append(checks, rateChecks(ctx, "nce", 0, 2000, []float64{100})...)
		checks = append(checks, rateChecks(ctx, "dsm", 0, 2000, []float64{100})...)
	}
	if *everyRate {
		checks = SentinelChecks(ctx)
	}
	_, err := verify.Run(ctx, checks, 1, func(r verify.Row) {
		t.Logf("%12s %-24s %-16s %10.3g ≤ %.3g", r.Name, r.Target, r.Statistic, r.Value, r.Tolerance)
		if !r.Pass {
			t.Errorf("%s on %s, %s: %g, want at most %g (error %v)", r.Name, r.Target, r.Statistic, r.Value,
				r.Tolerance, r.Err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}
