package kubernetes

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// root is the file system of the container: the program and the volume, nothing else. Without root privileges it is
// the volume alone.
type root struct{ dir, data, bin string }

func newRoot(t *testing.T, program, dir string) root {
	t.Helper()
	r := root{dir, filepath.Join(dir, "data"), filepath.Join(dir, "usr/local/bin")}
	for _, d := range []string{r.data, r.bin} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(r.bin, "ebm"), b, 0o755); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 {
		if err := os.Chown(r.data, 65532, 65532); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// command is a process in the container.
func (r root) command(args []string, workingDir string, env []string) *exec.Cmd {
	if os.Getuid() != 0 {
		return &exec.Cmd{Path: filepath.Join(r.bin, args[0]), Args: args, Dir: r.data, Env: env}
	}
	return &exec.Cmd{
		Path: filepath.Join("/usr/local/bin", args[0]), Args: args, Dir: workingDir, Env: append(env, "PATH=/usr/local/bin"),
		SysProcAttr: &syscall.SysProcAttr{Chroot: r.dir, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}},
	}
}
