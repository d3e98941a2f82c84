package main

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// noFlock in the environment takes flock from the program.
const noFlock = "EBM_TEST_NO_FLOCK"

// elsewhere makes a command one that has no flock, as on a network file system without a service of locks, and whose
// process cannot be told from one of another machine: it has process ids of its own, where the system allows that.
func elsewhere(cmd *exec.Cmd) {
	cmd.Env = append(cmd.Env, noFlock+"=1")
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	}
}

// refuseFlock makes every flock of this process fail with ENOLCK, by a filter of system calls.
func refuseFlock() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}, // the number of the call
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: unix.SYS_FLOCK},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.ENOLCK)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		panic(err)
	}
	if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC,
		uintptr(unsafe.Pointer(&prog))); errno != 0 {
		panic(errno)
	}
	if err := unix.Flock(0, unix.LOCK_EX|unix.LOCK_NB); err != unix.ENOLCK {
		panic("flock is not refused")
	}
}

func init() {
	if os.Getenv(noFlock) != "" {
		refuseFlock()
	}
}
