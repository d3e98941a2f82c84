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

	"github.com/stheno-ebm/stheno/benchmarks"
)

//go:embed peer.py
var script string

var errNoTorch = errors.New("PyTorch is not installed (Debian: apt-get install python3-torch libopenblas0-pthread): Go times only")

// styles are the two ways in which peer.py does each operation.
var styles = []string{"autograd", "expert"}

// peer is a running peer.py with a fixed number of threads. OpenBLAS reads its number from the environment when it is loaded, and does not
// follow torch.set_num_threads.
type peer struct {
	version string
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Scanner
}

func startPeer(ctx context.Context, python string, threads int) (*peer, error) {
	if exec.CommandContext(ctx, python, "-c", "import torch").Run() != nil {
		return nil, errNoTorch
	}
	cmd := exec.CommandContext(ctx, python, "-c", script)
	n := strconv.Itoa(threads)
	cmd.Env = append(os.Environ(), "OPENBLAS_NUM_THREADS="+n, "OMP_NUM_THREADS="+n)
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
	request := map[string]any{"op": op, "style": style, "batch": s.Batch, "hidden": s.Hidden, "threads": max(s.Threads, 1), "seconds": seconds}
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
