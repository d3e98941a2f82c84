package run

import (
	"math"
	"testing"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
)

func TestCompare(t *testing.T) {
	v := []float64{math.Inf(-1), -1, math.Copysign(0, -1), 0, 1, math.Inf(1), math.NaN()}
	for r, is := range map[ir.Relation]func(a, b float64) bool{
		ir.Lt: func(a, b float64) bool { return a < b }, ir.Le: func(a, b float64) bool { return a <= b },
		ir.Gt: func(a, b float64) bool { return a > b }, ir.Ge: func(a, b float64) bool { return a >= b },
		ir.Eq: func(a, b float64) bool { return a == b }, ir.Ne: func(a, b float64) bool { return a != b },
	} {
		for _, a := range v {
			for _, b := range v {
				got := []float64{7}
				compare(r, got, []float64{a}, []float64{b})
				if want := is(a, b); (got[0] == 1) != want || got[0] != 0 && got[0] != 1 {
					t.Errorf("relation %d of %v, %v: got %v, want %v", r, a, b, got[0], want)
				}
			}
		}
	}
}
