package rundir

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/windows"
)

// lock takes an exclusive lock that the system releases when the process ends, however it ends. It is on a file, since
// a folder cannot be locked, far beyond its end, so that the file can be read when the directory is copied.
func lock(root *os.Root) (l io.Closer, held bool, err error) {
	f, err := root.OpenFile(lockFile, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, false, err
	}
	const how = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	err = windows.LockFileEx(windows.Handle(f.Fd()), how, 0, 1, 0, &windows.Overlapped{OffsetHigh: 1 << 30})
	if err == nil {
		return f, true, nil
	}
	f.Close()
	switch {
	case errors.Is(err, windows.ERROR_LOCK_VIOLATION):
		return nil, false, nil
	case errors.Is(err, windows.ERROR_NOT_SUPPORTED), errors.Is(err, windows.ERROR_INVALID_FUNCTION):
		err = fmt.Errorf("%w (%w)", errNoLocks, err)
	}
	return nil, false, err
}
