package main

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/stheno-ebm/stheno/benchmarks"
)

//go:embed peer.py
var script string

var errNoTorch = errors.New("PyTorch is not installed (Debian: apt-get install python3-torch " +
	"libopenblas0-pthread): Go times only")

// styles are the two ways in which peer.py does each operation.
var styles = []string{"autograd", "expert"}

// peer is a running peer.py with a fixed number of threads. OpenBLAS reads its number and its kernels from the
// environment when it is loaded, and does not follow torch.set_num_threads.
type peer struct {
	version string
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Scanner
}

// kernelsVariable names the kernels OpenBLAS is to use, where its own choice for the processor is not wanted.
const kernelsVariable = "OPENBLAS_CORETYPE"

// blas is the choice of OpenBLAS's kernels: the names it knows them by, empty for its own choice.
type blas struct {
	Kernels string  `json:"kernels"`
	GFLOPS  float64 `json:"gflops"` // of a product 1024×256×256 in float32 on one thread
}

// keepMemory lets glibc keep what PyTorch frees. By itself it returns every large tensor to the system, and on a
// virtual machine the page faults at the next step can take longer than the step.
var keepMemory = []string{"MALLOC_MMAP_MAX_=0", "MALLOC_TRIM_THRESHOLD_=8000000000", "MALLOC_TOP_PAD_=268435456"}

// environ returns the environment of a process that uses these kernels on so many threads.
func (b blas) environ(threads int) []string {
	n := strconv.Itoa(threads)
	env := append(append(keepMemory, os.Environ()...), "OPENBLAS_NUM_THREADS="+n, "OMP_NUM_THREADS="+n)
	if b.Kernels != "" {
		env = append(env, kernelsVariable+"="+b.Kernels)
	}
	return env
}

// fastestBLAS measures a product with OpenBLAS's own choice of kernels and with the others, and returns the fastest: a
// release takes a processor younger than itself for an old one, and is up to five times slower than it could be. What
// the processor cannot run ends its process and is left out; a choice of the user's stands.
func fastestBLAS(ctx context.Context, python string) (blas, error) {
	if exec.CommandContext(ctx, python, "-c", "import torch").Run() != nil {
		return blas{}, errNoTorch
	}
	candidates := []string{"", "Haswell", "Zen", "SkylakeX", "SapphireRapids"}
	if own := os.Getenv(kernelsVariable); own != "" {
		candidates = []string{own}
	}
	var best blas
	for _, kernels := range candidates {
		cmd := exec.CommandContext(ctx, python, "-c", script, "--product")
		cmd.Env = blas{Kernels: kernels}.environ(1)
		out, err := cmd.Output()
		if err != nil {
			continue
		}
		rate, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
		if err != nil {
			return blas{}, fmt.Errorf("peer.py --product: %w", err)
		}
		if rate > 1.03*best.GFLOPS { // its own choice, unless another is clearly faster
			best = blas{kernels, rate}
		}
	}
	if best.GFLOPS == 0 {
		return blas{}, errors.New("peer.py --product failed with every choice of kernels")
	}
	return best, nil
}

func startPeer(ctx context.Context, python string, threads int, b blas) (*peer, error) {
	cmd := exec.CommandContext(ctx, python, "-c", script)
	cmd.Env = b.environ(threads)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &peer{cmd: cmd, in: in, out: bufio.NewScanner(out)}
	p.out.Buffer(nil, 1<<24)
	var hello struct{ Version string }
	if err := p.read(&hello); err != nil {
		return nil, err
	}
	p.version = hello.Version
	return p, nil
}

func (p *peer) read(v any) error {
	if !p.out.Scan() {
		return fmt.Errorf("peer.py ended: %v", p.out.Err())
	}
	return json.Unmarshal(p.out.Bytes(), v)
}

// time returns the median milliseconds per step.
func (p *peer) time(op, style string, s benchmarks.Setting, seconds float64) (float64, error) {
	request := map[string]any{"op": op, "style": style, "batch": s.Batch, "hidden": s.Hidden,
		"threads": max(s.Threads, 1), "seconds": seconds}
	if err := json.NewEncoder(p.in).Encode(request); err != nil {
		return 0, err
	}
	var answer struct{ MS []float64 }
	if err := p.read(&answer); err != nil {
		return 0, err
	}
	return median(answer.MS), nil
}

func (p *peer) close() {
	p.in.Close()
	p.cmd.Wait()
}
