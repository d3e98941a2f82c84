//go:build !linux

package board

import "time"

var start = time.Now()

// threadTime returns elapsed time: this system does not report the CPU time of a thread.
func threadTime() time.Duration { return time.Since(start) }
