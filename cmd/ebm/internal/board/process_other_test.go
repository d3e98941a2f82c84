//go:build !linux

package board

import "time"

// processTime is the time of day: this system does not tell the CPU time of a process.
func processTime() time.Duration { return time.Since(start) }
