//go:build unix

package cpu

import (
	"math"

	"golang.org/x/sys/unix"
)

// Seconds is the processor time that all threads of this process have had, NaN where the system does not tell.
func Seconds() float64 {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return math.NaN()
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) * 1e-9
}
