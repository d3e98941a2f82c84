//go:build !unix

package rundir

import "os"

// tryLock does not guard on systems without flock.
func tryLock(*os.File) (held bool, err error) { return true, nil }
