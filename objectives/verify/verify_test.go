package verify

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"testing"
	"time"
)

// A check that misses its tolerance, has no number or cannot be carried out fails, and its row says so; the order is
// preserved for any number of threads.
func TestFailuresAreRows(t *testing.T) {
	outcome := func(name string, value, tol float64, err error) Check {
		return Check{name, "target", "statistic", func() (float64, float64, error) { return value, tol, err }}
	}
	checks := []Check{
		outcome("good", 1, 1, nil), outcome("bad", 1.01, 1, nil), outcome("nan", math.NaN(), 1, nil),
		outcome("broken", 0, 1, errors.New("boom")),
	}
	for _, threads := range []int{1, 3} {
		seen := 0
		rows, err := Run(context.Background(), checks, threads, func(Row) { seen++ })
		if err != nil || seen != len(checks) {
			t.Fatalf("%d rows told, %v", seen, err)
		}
		for i, r := range rows {
			if r.Name != checks[i].Name || r.Pass != (r.Name == "good") || (r.Err != nil) != (r.Name == "broken") {
				t.Errorf("row %d: %+v", i, r)
			}
		}
		got, err := json.Marshal(rows[1:])
		if want := `[{"name":"bad","target":"target","statistic":"statistic","value":1.01,"tolerance":1,"pass":false},` +
			`{"name":"nan","target":"target","statistic":"statistic","value":null,"tolerance":1,"pass":false},` +
			`{"name":"broken","target":"target","statistic":"statistic","value":null,"tolerance":1,"pass":false,"error":"broken, statistic on target: boom"}]`; err != nil || string(got) != want {
			t.Errorf("JSON: got %s, want %s (%v)", got, want, err)
		}
	}
}

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
