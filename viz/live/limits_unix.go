//go:build unix

package live

import (
	"math"
	"syscall"
)

// descriptors returns the number of files that the process may have open, 0 if unknown.
func descriptors() int {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		return 0
	}
	return int(min(uint64(r.Cur), math.MaxInt32))
}
