package board

import (
	"time"

	"golang.org/x/sys/unix"
)

// processTime is the CPU time of this process.
func processTime() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t) != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
