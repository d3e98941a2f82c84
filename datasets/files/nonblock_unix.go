//go:build unix

package files

import "syscall"

// nonblock keeps the opening of a named pipe from waiting for somebody who writes to it.
const nonblock = syscall.O_NONBLOCK
