package objectives

import (
	"fmt"
	"math"

	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/energy/safetensors"
	"github.com/stheno-ebm/stheno/graphs"
)

// contrasted is what the loss of nce sees of points: energies and log densities of the noise, (m, 1) each, or their sum
// and nil.
type contrasted struct{ e, logq *G.Node }

// contrast builds the loss of nce from what it sees of the data and of k times as much noise.
func contrast(b *Builder, data, noise contrasted, k int) *G.Node {
	b.Yield("positive", graphs.Mean(data.e))
	b.Yield("negative", graphs.Mean(noise.e))
	c := b.In("log_z")
	logit := func(s contrasted) *G.Node { // (m, 1)
		sum := graphs.Add(s.e, graphs.Fill(c, s.e))
		if s.logq != nil {
			sum = graphs.Add(sum, s.logq)
		}
		return graphs.Shift(graphs.Neg(sum), -math.Log(float64(k)))
	}
	ux, uy := logit(data), logit(noise)
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
	fixed bool // E itself must be normalised
}

// move takes a tenth of a Newton step, at most 1, which averages c over some ten batches.
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
