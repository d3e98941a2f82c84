//go:build !linux

package board

import (
	"errors"
	"os"
	"runtime"
	"syscall"
)

// machine identifies the scope of process ids.
func machine() string {
	host, err := os.Hostname()
	if err != nil {
		return ""
	}
	return host
}

// begun is empty if this machine has no such process. The start time is not available here.
func begun(pid int) string {
	p, err := os.FindProcess(pid)
	if err != nil {
		return ""
	}
	defer p.Release()
	if runtime.GOOS != "windows" { // where finding it is enough
		if err := p.Signal(syscall.Signal(0)); errors.Is(err, os.ErrProcessDone) || errors.Is(err, syscall.ESRCH) {
			return ""
		}
	}
	return "alive"
}
