//go:build unix

package rundir

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// lock takes an exclusive lock on the folder that the system releases when the process ends, however it ends.
func lock(root *os.Root) (l io.Closer, held bool, err error) {
	f, err := root.Open(".")
	if err != nil {
		return nil, false, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		return f, true, nil
	}
	f.Close()
	switch {
	case errors.Is(err, unix.EWOULDBLOCK):
		return nil, false, nil
	case errors.Is(err, unix.ENOLCK), errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EOPNOTSUPP):
		err = fmt.Errorf("%w (%w)", errNoLocks, err)
	}
	return nil, false, err
}
