package files

import (
	"math"
	"testing"
)

// The values are exact: the extremes of each kind of number, and the nearest to 1/3.
func TestHalf(t *testing.T) {
	for h, want := range map[uint16]float64{
		0x0000: 0, 0x0001: math.Ldexp(1, -24), 0x03ff: math.Ldexp(1023, -24), 0x0400: math.Ldexp(1, -14),
		0x3555: 0.333251953125, 0x3c00: 1, 0xc000: -2, 0x7bff: 65504, 0x7c00: math.Inf(1), 0xfc00: math.Inf(-1),
	} {
		if got := Half(h); got != want {
			t.Errorf("%#04x: got %g, want %g", h, got, want)
		}
	}
	if !math.IsNaN(Half(0x7e00)) || !math.Signbit(Half(0x8000)) {
		t.Error("NaN or negative zero is lost")
	}
}
