package kubernetes

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// build makes the program as the Containerfile does.
func build(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../Containerfile")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^RUN (CGO_ENABLED=0 go build .*) -o /ebm (\S+)$`).FindSubmatch(text)
	if m == nil {
		t.Fatal("the Containerfile builds nothing")
	}
	path := filepath.Join(t.TempDir(), "ebm")
	cmd := exec.Command("sh", "-c", fmt.Sprintf("%s -o '%s' %s", m[1], path, m[2]))
	cmd.Dir = "../../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// manifest decodes the two documents; fields that Kubernetes does not know are errors.
func manifest(text string) (claim core.PersistentVolumeClaim, job batch.Job, err error) {
	first, second, ok := strings.Cut(text, "\n---\n")
	if !ok {
		return claim, job, fmt.Errorf("one document, want two")
	}
	if err = yaml.UnmarshalStrict([]byte(first), &claim); err == nil {
		err = yaml.UnmarshalStrict([]byte(second), &job)
	}
	return claim, job, err
}

// comparison are flags of a comparison that takes seconds.
func comparison(out string, more ...string) []string {
	args := []string{"compare", "--datasets", "moons,4squares", "--objectives", "nce,dsm", "--seeds", "2", "--out", out}
	for _, s := range []string{"steps=50", "hidden=8", "batch=16", "samples=0", "test-points=100", "grid=50",
		"energy=mlp", "bridge=0"} {
		args = append(args, "--set", s)
	}
	return append(args, more...)
}

func run(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var out, errout bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errout
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %v\n%s%s", cmd.Args, err, out.String(), errout.String())
	}
	return out.String()
}

// static fails unless the program needs nothing else in its container.
func static(t *testing.T, program string) {
	t.Helper()
	f, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		t.Error("the program is not static")
	}
}

// TestManifest: Kubernetes accepts the manifest, and its container's command, run unchanged for every index, makes
// the board.
func TestManifest(t *testing.T) {
	program := build(t)
	static(t, program)
	dir := t.TempDir()
	const shards = 3
	text := run(t, exec.Command(program, comparison("runs/board", "--emit", "kubernetes", "--shards",
		strconv.Itoa(shards), "--workers", "2", "--image", "example.com/ebm:1")...))
	claim, job, err := manifest(text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	check(t, claim, job, shards)

	container := job.Spec.Template.Spec.Containers[0]
	root := newRoot(t, program, dir)
	for index := range shards {
		env := []string{"JOB_COMPLETION_INDEX=" + strconv.Itoa(index)}
		for _, v := range container.Env {
			env = append(env, v.Name+"="+v.Value)
		}
		run(t, root.command(container.Command, container.WorkingDir, env))
	}
	board := func(out string) string {
		b, err := os.ReadFile(filepath.Join(out, "table.csv"))
		if err != nil {
			t.Fatal(err)
		}
		return regexp.MustCompile(`(?m)^(([^,]*,){4})[0-9.]+,`).ReplaceAllString(string(b), "$1,") // without the seconds
	}
	run(t, exec.Command(program, "compare", "--gather", filepath.Join(root.data, "runs/board")))
	plain := filepath.Join(t.TempDir(), "plain")
	run(t, exec.Command(program, comparison(plain)...))
	if got, want := board(filepath.Join(root.data, "runs/board")), board(plain); got != want ||
		strings.Count(got, "\n") != 9 {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// check verifies what the types alone do not ensure.
func check(t *testing.T, claim core.PersistentVolumeClaim, job batch.Job, shards int32) {
	t.Helper()
	s, pod := job.Spec, job.Spec.Template.Spec
	if claim.Kind != "PersistentVolumeClaim" || claim.APIVersion != "v1" || job.Kind != "Job" ||
		job.APIVersion != "batch/v1" {
		t.Errorf("kinds %s %s, %s %s", claim.APIVersion, claim.Kind, job.APIVersion, job.Kind)
	}
	if s.CompletionMode == nil || *s.CompletionMode != batch.IndexedCompletion || s.Completions == nil ||
		*s.Completions != shards || s.Parallelism == nil || *s.Parallelism != shards {
		t.Errorf("mode %v, completions %v, parallelism %v", s.CompletionMode, s.Completions, s.Parallelism)
	}
	if s.BackoffLimitPerIndex == nil || *s.BackoffLimitPerIndex < 1 || pod.RestartPolicy != core.RestartPolicyNever {
		t.Errorf("back-off %v, restart %s: a limit per index wants Never", s.BackoffLimitPerIndex, pod.RestartPolicy)
	}
	if len(pod.Containers) != 1 || len(pod.Volumes) != 1 {
		t.Fatalf("%d containers, %d volumes", len(pod.Containers), len(pod.Volumes))
	}
	c, v := pod.Containers[0], pod.Volumes[0]
	if v.PersistentVolumeClaim == nil || v.PersistentVolumeClaim.ClaimName != claim.Name || claim.Name == "" {
		t.Errorf("volume %+v, claim %q", v, claim.Name)
	}
	if len(c.VolumeMounts) != 1 || c.VolumeMounts[0].Name != v.Name || c.VolumeMounts[0].MountPath != c.WorkingDir {
		t.Errorf("mounts %+v, working directory %s", c.VolumeMounts, c.WorkingDir)
	}
	if c.Image != "example.com/ebm:1" || c.Resources.Requests.Cpu().Value() != 2 ||
		c.Resources.Requests.Memory().IsZero() || c.Resources.Limits.Memory().IsZero() {
		t.Errorf("image %q, resources %+v", c.Image, c.Resources)
	}
	for _, r := range s.PodFailurePolicy.Rules {
		if r.OnExitCodes != nil && *r.OnExitCodes.ContainerName != c.Name {
			t.Errorf("a rule for container %q", *r.OnExitCodes.ContainerName)
		}
	}
	if storage := claim.Spec.Resources.Requests.Storage(); storage.IsZero() ||
		!slices.Contains(claim.Spec.AccessModes, core.ReadWriteMany) {
		t.Errorf("claim %+v", claim.Spec)
	}
}

// TestStrict: a misspelt field is found.
func TestStrict(t *testing.T) {
	const text = "kind: PersistentVolumeClaim\n---\nkind: Job\nspec:\n  completionMode: Indexed\n"
	if _, _, err := manifest(text); err != nil {
		t.Fatal(err)
	}
	if _, _, err := manifest(strings.Replace(text, "completionMode", "completionsMode", 1)); err == nil {
		t.Error("completionsMode was taken")
	}
}
