package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Environment variables that disable a system call for the program, and the error that it then returns.
const (
	noFlock = "EBM_TEST_NO_FLOCK" // ENOLCK, as on a network file system without a lock service
	noFsync = "EBM_TEST_NO_FSYNC" // EIO, as on a disk that loses what was written
)

// elsewhere runs a command without flock, as on a network file system without a lock service, and such that its
// process cannot be told from one on another machine: where the system allows it, it has process IDs of its own.
func elsewhere(cmd *exec.Cmd) {
	cmd.Env = append(cmd.Env, noFlock+"=1")
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	}
}

// refuse makes every such system call of this process fail, by means of a filter.
func refuse(call uint32, with unix.Errno) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}, // the number of the system call
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: call},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(with)},
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
	if _, _, errno := unix.Syscall(uintptr(call), 0, unix.LOCK_EX|unix.LOCK_NB, 0); errno != with {
		panic("the call is not refused")
	}
}

func init() {
	if os.Getenv(noFlock) != "" {
		refuse(unix.SYS_FLOCK, unix.ENOLCK)
	}
	if os.Getenv(noFsync) != "" {
		refuse(unix.SYS_FSYNC, unix.EIO)
	}
}

// TestNoLocks: where the file system has no locks, training neither begins nor continues; one line says why, and what
// helps. Nothing is left behind, and commands that only read work.
func TestNoLocks(t *testing.T) {
	tmp := t.TempDir()
	run := filepath.Join(tmp, "run")
	ebmContext(stoppedAtOnce{t.Context(), run}, append([]string{"train", "--out", run}, small...)...).want(t, 130)
	before := contents(t, tmp)
	unlocked := func(args ...string) result { return without(t, noFlock, args...) }
	for name, r := range map[string]result{
		filepath.Join(tmp, "new"): unlocked(append([]string{"train", "--out", filepath.Join(tmp, "new")}, small...)...),
		run:                       unlocked("train", "--resume", run),
	} {
		r.want(t, 2).oneLine(t, name, "no locks", "on a local disk")
		if strings.Count(r.errout, "no locks available") != 1 {
			t.Errorf("%q does not say what the system said, once", r.errout)
		}
	}
	if contents(t, tmp) != before {
		t.Error("something was written")
	}
	unlocked("sample", run, "--n", "10", "--out", filepath.Join(tmp, "draws.npy")).want(t, 0)
}

// without runs the program with a system call disabled.
func without(t *testing.T, call string, args ...string) result {
	t.Helper()
	cmd := command(t, args...)
	cmd.Env = append(cmd.Env, call+"=1")
	var out, errout bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errout
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), errout.String()}
}

// TestNotSynced: everything that the program writes is synced before it is renamed. If syncing fails, this is an
// error, and no file appears under the final name.
func TestNotSynced(t *testing.T) {
	run, tmp := shared(t), t.TempDir()
	out := func(name string) string { return filepath.Join(tmp, name) }
	for _, args := range [][]string{
		{"data", "moons", "--n", "10", "--out", out("x.csv")},
		{"data", "moons", "--n", "10", "--out", out("x.npy")},
		{"sample", run, "--n", "10", "--out", out("x.npz")},
		{"energy", run, "--points", filepath.Join(run, "samples.npy"), "--out", out("e.npy")},
		{"plot", run, "--kind", "loss", "--out", out("loss.png")},
		{"plot", run, "--kind", "animation", "--out", out("a.gif")},
		{"export", run, "--out", out("m.onnx")},
		append([]string{"train", "--out", out("run")}, small...),
	} {
		r := without(t, noFsync, args...)
		if r.code == 0 || strings.Count(r.errout, "input/output error") != 1 || strings.Count(r.errout, "\n") != 1 {
			t.Errorf("%v: exit code %d, %q", args, r.code, r.errout)
		}
	}
	left, err := os.ReadDir(tmp)
	if err != nil || len(left) != 1 || left[0].Name() != "run" {
		t.Errorf("left behind: %v, %v, want the folder of the run alone", left, err)
	}
}
