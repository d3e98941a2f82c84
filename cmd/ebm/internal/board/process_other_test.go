//go:build !linux

package board

import "time"

// processTime is wall-clock time: this system does not report the CPU time of a process.
func processTime() time.Duration { return time.Since(start) }
