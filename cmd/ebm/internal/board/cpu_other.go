//go:build !linux

package board

import "time"

var start = time.Now()

// threadTime is the time of day: this system does not tell the CPU time of a thread.
func threadTime() time.Duration { return time.Since(start) }
