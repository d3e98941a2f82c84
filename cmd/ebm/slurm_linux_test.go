package main

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// slurm is a Slurm cluster of this machine only: munge, the controller and one node, as processes of the test.
type slurm struct {
	dir string
	env []string
}

// startSlurm skips the test where the packages slurm-wlm and munge are not installed.
func startSlurm(t *testing.T) *slurm {
	t.Helper()
	for _, name := range []string{"munged", "slurmctld", "slurmd", "sbatch", "scontrol", "squeue", "scancel", "bash"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("%s is not installed (Debian: slurm-wlm, munge)", name)
		}
	}
	if os.Getuid() != 0 {
		t.Skip("Slurm's daemons want root")
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	host, _, _ = strings.Cut(host, ".")
	s := &slurm{dir: t.TempDir()}
	file := func(name string) string { return filepath.Join(s.dir, name) }
	key := make([]byte, 1024)
	_, _ = rand.Read(key)
	text := fmt.Sprintf(`ClusterName=test
SlurmctldHost=%[1]s(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=%[2]s/munge.sock
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SwitchType=switch/none
MpiDefault=none
StateSaveLocation=%[2]s/state
SlurmdSpoolDir=%[2]s/spool
SlurmctldPidFile=%[2]s/slurmctld.pid
SlurmdPidFile=%[2]s/slurmd.pid
SlurmctldPort=%[3]d
SlurmdPort=%[4]d
ReturnToService=2
KillWait=5
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
NodeName=%[1]s NodeAddr=127.0.0.1 CPUs=%[5]d RealMemory=2048 State=UNKNOWN
PartitionName=all Nodes=%[1]s Default=YES MaxTime=INFINITE State=UP
`, host, s.dir, freePort(t), freePort(t), runtime.NumCPU())
	for _, dir := range []string{"state", "spool"} {
		if err := os.Mkdir(file(dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range map[string][]byte{"slurm.conf": []byte(text), "munge.key": key} {
		if err := os.WriteFile(file(name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.env = append(os.Environ(), "SLURM_CONF="+file("slurm.conf"))
	s.daemon(t, "munged", "--foreground", "--force", "--key-file="+file("munge.key"), "--socket="+file("munge.sock"),
		"--pid-file="+file("munged.pid"), "--log-file="+file("munged.log"), "--seed-file="+file("munge.seed"))
	waitUntil(t, "munge", func() bool { _, err := os.Stat(file("munge.sock")); return err == nil })
	s.daemon(t, "slurmctld", "-D", "-i")
	waitUntil(t, "the controller", func() bool { _, err := s.try("scontrol", "ping"); return err == nil })
	s.daemon(t, "slurmd", "-D")
	waitUntil(t, "the node", func() bool {
		out, _ := s.try("sinfo", "--noheader", "--format=%T")
		return strings.Contains(out, "idle")
	})
	return s
}

// daemon runs a process until the end of the test.
func (s *slurm) daemon(t *testing.T, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = s.env
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
		if t.Failed() {
			t.Logf("%s:\n%s", name, log.String())
		}
	})
}

func (s *slurm) try(name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Env = s.env
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func (s *slurm) do(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := s.try(name, args...)
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return out
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func waitUntil(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("waited for %s for two minutes", what)
}

// programOnPath puts the program under its name into a folder, and returns an environment in which a shell finds it.
func programOnPath(t *testing.T) []string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(self, filepath.Join(dir, "ebm")); err != nil {
		t.Fatal(err)
	}
	return []string{"PATH=" + dir + string(filepath.ListSeparator) + os.Getenv("PATH"), asProgram + "=1"}
}

// TestSlurm runs the script that the program prints on a real Slurm: six tasks, one of which is killed while it
// trains and queued again. The board is that of a run without Slurm.
func TestSlurm(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	s := startSlurm(t)
	s.env = append(s.env, programOnPath(t)...)
	dir := t.TempDir()
	args := quick("--datasets", "moons,4squares,circles", "--objectives", "nce,dsm", "--seeds", "2", "--set",
		"steps=1500")
	args = append(args[:1], args[2:]...) // without --quiet
	plain := filepath.Join(dir, "plain")
	ebm(t, append(args, "--out", plain)...).want(t, 0)

	script := ebm(t, append(args, "--out", "board", "--emit", "slurm", "--shards", "6")...).want(t, 0).out
	if err := os.WriteFile(filepath.Join(dir, "sweep.sh"), []byte(script), 0o644); err != nil {
		t.Fatal(err)
	}
	job := s.do(t, "sbatch", "--parsable", "--chdir="+dir, filepath.Join(dir, "sweep.sh"))
	t.Cleanup(func() { _, _ = s.try("scancel", job) })
	task := ""
	waitUntil(t, "a task that trains", func() bool {
		running, _ := filepath.Glob(filepath.Join(dir, "board", "work", "*", "*", "run", "metrics.jsonl"))
		task, _, _ = strings.Cut(s.do(t, "squeue", "--noheader", "--states=R", "--format=%i", "--job="+job), "\n")
		return task != "" && len(running) > 0
	})
	s.do(t, "scontrol", "requeue", task)
	waitUntil(t, "the task to be queued again, and to start before two minutes have passed", func() bool {
		out := s.do(t, "scontrol", "show", "job", task)
		if strings.Contains(out, "Restarts=1") && strings.Contains(out, "JobState=PENDING") {
			_, _ = s.try("scontrol", "update", "jobid="+task, "starttime=now")
		}
		return strings.Contains(out, "Restarts=1") && !strings.Contains(out, "Reason=BeginTime") &&
			!strings.Contains(out, "JobState=COMPLETING")
	})
	watched := false
	waitUntil(t, "the array", func() bool {
		if r := ebm(t, "compare", "--watch", filepath.Join(dir, "board")); strings.Contains(r.out, "1 under way") ||
			strings.Contains(r.out, "2 under way") {
			watched = true
		}
		return s.do(t, "squeue", "--noheader", "--job="+job) == ""
	})
	if !watched {
		t.Error("--watch has not seen a run under way")
	}
	logs, _ := filepath.Glob(filepath.Join(dir, "ebm-compare-*.log"))
	if len(logs) != 6 {
		t.Errorf("logs of %d tasks: %v", len(logs), logs)
	}
	if r := ebm(t, "compare", "--quiet", "--gather", filepath.Join(dir, "board")); r.code != 0 {
		for _, name := range logs {
			b, _ := os.ReadFile(name)
			t.Logf("%s: %s", name, b)
		}
		r.want(t, 0)
	}
	sameBoard(t, filepath.Join(dir, "board"), plain)
}
