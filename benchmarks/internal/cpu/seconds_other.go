//go:build !unix

package cpu

import "math"

// Seconds is NaN: it is measured under Unix.
func Seconds() float64 { return math.NaN() }
