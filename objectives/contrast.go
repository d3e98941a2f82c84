package objectives

import (
	"fmt"
	"math"

	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/energy/safetensors"
	"github.com/stheno-ebm/stheno/graphs"
)

// contrast builds the loss of nce from the noise points and the log densities of the noise at data and noise.
func contrast(b *Builder, y, logqx, logqy *G.Node, k int) *G.Node {
	ex, ey := b.E(b.X), b.E(y)
	b.Yield("positive", graphs.Mean(ex))
	b.Yield("negative", graphs.Mean(ey))
	c := b.In("log_z")
	logit := func(e, logq *G.Node) *G.Node { // (m, 1), each
		return graphs.Shift(graphs.Neg(graphs.Add(graphs.Add(e, graphs.Fill(c, e)), logq)), -math.Log(float64(k)))
	}
	ux, uy := logit(ex, logqx), logit(ey, logqy)
	// ∂L/∂c = mean σ(-u(x)) - 1/n Σ σ(u(y)),  ∂²L/∂c² = mean σ(u)σ(-u) + 1/n Σ σ(u)σ(-u)
	sx, sy := graphs.Sigmoid(graphs.Neg(ux)), graphs.Sigmoid(uy)
	bell := func(s *G.Node) *G.Node { return graphs.Sub(s, graphs.Square(s)) }
	inv := 1 / float64(b.N)
	b.Yield("slope", graphs.Scale(graphs.Sub(graphs.Sum(sx), graphs.Sum(sy)), inv))
	b.Yield("curve", graphs.Scale(graphs.Add(graphs.Sum(bell(sx)), graphs.Sum(bell(sy))), inv))
	return graphs.Scale(graphs.Add(graphs.Sum(graphs.Softplus(graphs.Neg(ux))), graphs.Sum(graphs.Softplus(uy))), inv)
}

// logZ is the learnt log normaliser c.
type logZ struct {
	c     float64
	fixed bool // E itself is to be normalised
}

// move takes a tenth of a Newton step, which averages c over some ten batches, of at most 1.
func (z *logZ) move(out Inputs) {
	slope, curve := out["slope"][0], out["curve"][0]
	if z.fixed || math.IsNaN(slope) || math.IsNaN(curve) {
		return
	}
	z.c -= 0.1 * min(max(slope/(curve+1e-6), -1), 1)
}

func (z *logZ) report(out Inputs, s *Stats) {
	s.Positive, s.Negative, s.LogZ = out["positive"][0], out["negative"][0], z.c
}

func (z *logZ) save() []safetensors.Tensor {
	return []safetensors.Tensor{array("log_z", []float64{z.c}, 1)}
}

func (z *logZ) restore(f *safetensors.File) error {
	v, err := numbers(f, "log_z", 1)
	if err != nil {
		return err
	}
	if !finite(v) {
		return fmt.Errorf("objectives: state: log_z is %g", v[0])
	}
	z.c = v[0]
	return nil
}
