package objectives

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/energy/safetensors"
	"github.com/stheno-ebm/stheno/graphs"
)

// noiseContrastive is `nce`, the logistic loss of telling data from k noise points each,
//
//	L = mean_i softplus(-u(x_i)) + Σ_{j≤k} softplus(u(y_ij)),   u = -E - c - log q - log k,
//
// whose minimum over all E and c is E + c = -log p, so that c is log Z. c is learnt by damped Newton steps on the same
// loss, in which it is convex, one after every gradient. Consistent for every noise with q > 0 where p > 0; the nearer q
// is to p, the smaller the error.
//
// Gutmann and Hyvärinen, Noise-contrastive estimation, AISTATS 2010; with k noise points per datum, JMLR 13 (2012) 307–361.
type noiseContrastive struct {
	q      Noise
	k      int
	normal logZ
	y      mat.Dense
}

func (f *noiseContrastive) Inputs(n, d int) []Input {
	return []Input{
		{Name: "noise", Shape: []int{n * f.k, d}},
		{Name: "log_q_data", Shape: []int{n, 1}, Derived: true},
		{Name: "log_q_noise", Shape: []int{n * f.k, 1}, Derived: true},
		{Name: "log_z", Shape: []int{1}, Derived: true},
	}
}

func (f *noiseContrastive) Draw(in Inputs, x *mat.Dense, rng *rand.Rand) error {
	n, d := x.Dims()
	f.q.Sample(view(&f.y, in["noise"], n*f.k, d), rng)
	return nil
}

// least log density of the noise: a datum outside its support counts as certainly a datum, without infinities.
const leastLogQ = -1e4

func (f *noiseContrastive) Derive(in Inputs, x *mat.Dense) error {
	n, d := x.Dims()
	f.q.LogProb(in["log_q_data"], x)
	f.q.LogProb(in["log_q_noise"], view(&f.y, in["noise"], n*f.k, d))
	for _, v := range [2][]float64{in["log_q_data"], in["log_q_noise"]} {
		for i := range v {
			v[i] = max(v[i], leastLogQ)
		}
	}
	in["log_z"][0] = f.normal.c
	return nil
}

func (f *noiseContrastive) Loss(b *Builder) *G.Node {
	y := b.In("noise")
	b.SetNegatives(y)
	return contrast(b, y, b.In("log_q_data"), b.In("log_q_noise"), f.k)
}

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

func (f *noiseContrastive) Report(out Inputs, s *Stats) { f.normal.report(out, s) }
func (f *noiseContrastive) Update(out Inputs) error     { f.normal.move(out); return nil }
func (f *noiseContrastive) save() []safetensors.Tensor  { return f.normal.save() }
func (f *noiseContrastive) restore(s *safetensors.File) error {
	return f.normal.restore(s)
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
