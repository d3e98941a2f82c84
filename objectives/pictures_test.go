package objectives_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// blobs is a mixture of pictures of 8×8: one of four round spots, with equal weights, and noise of deviation spotNoise
// on every pixel,
//
//	p(x) = ¼ Σ_k N(x; m_k, σ² I).
type blobs struct{ spots [4][64]float64 }

const spotNoise = 0.7

func newBlobs() *blobs {
	b := &blobs{}
	for k := range b.spots {
		cy, cx := 2.0+3*float64(k/2), 2.0+3*float64(k%2)
		for i := range 64 {
			y, x := float64(i/8)-cy, float64(i%8)-cx
			b.spots[k][i] = 1.3 * math.Exp(-(x*x+y*y)/2)
		}
	}
	return b
}

func (b *blobs) draw(x *mat.Dense, rng *rand.Rand) {
	n, _ := x.Dims()
	for i := range n {
		row, m := x.RawRowView(i), &b.spots[rng.IntN(4)]
		for j := range row {
			row[j] = m[j] + spotNoise*rng.NormFloat64()
		}
	}
}

// logProb returns log p(x), and stores its gradient.
func (b *blobs) logProb(x, score []float64) float64 {
	const s2 = spotNoise * spotNoise
	var a [4]float64
	most := math.Inf(-1)
	for k := range a {
		for j, v := range x {
			a[k] -= (v - b.spots[k][j]) * (v - b.spots[k][j]) / (2 * s2)
		}
		most = max(most, a[k])
	}
	z := 0.0
	clear(score)
	for k := range a {
		w := math.Exp(a[k] - most)
		z += w
		for j, v := range x {
			score[j] += w * (b.spots[k][j] - v) / s2
		}
	}
	for j := range score {
		score[j] /= z
	}
	return most + math.Log(z/4) - 32*math.Log(2*math.Pi*s2)
}

// onNoise is a convolutional energy added to that of the noise alone, |x|²/2σ².
type onNoise struct{ *energy.Conv }

func (e onNoise) Build(x *G.Node, theta G.Nodes) (*G.Node, error) {
	u, err := e.Conv.Build(x, theta)
	if err != nil {
		return nil, err
	}
	return graphs.Try(func() *G.Node {
		return graphs.Add(u, graphs.Scale(graphs.RowSum(graphs.Square(x)), 1/(2*spotNoise*spotNoise)))
	})
}

// gap is the distance of a density from that of the blobs, for each of the draws x: the means are KL(p‖model), with
// log Z by importance sampling from p, and the Fisher divergence E|∇E + ∇log p|².
type gap struct{ kl, fisher []float64 }

// gap computes that of an energy; at returns E and ∇E of draw i.
func (b *blobs) gap(x *mat.Dense, at func(i int) (u float64, grad []float64)) gap {
	n, d := x.Dims()
	r := gap{make([]float64, n), make([]float64, n)}
	score, least := make([]float64, d), math.Inf(1)
	for i := range n {
		u, g := at(i)
		r.kl[i] = u + b.logProb(x.RawRowView(i), score) // log p + E
		least = min(least, r.kl[i])
		for j, s := range score {
			r.fisher[i] += (g[j] + s) * (g[j] + s)
		}
	}
	z := 0.0 // e^least times Z
	for _, v := range r.kl {
		z += math.Exp(least-v) / float64(n)
	}
	for i, v := range r.kl { // the mean is KL; the scatter is that of KL, with Z estimated from the same draws
		r.kl[i] = v + math.Log(z) - least + math.Exp(least-v)/z - 1
	}
	return r
}

// of is the gap of a network.
func (b *blobs) of(t *testing.T, e energy.Energy, p *energy.Params, x *mat.Dense) gap {
	t.Helper()
	n, d := x.Dims()
	v, err := energy.NewEvaluator(e, p, energy.EvaluatorConfig{Batch: n})
	if err != nil {
		t.Fatal(err)
	}
	u, g := make([]float64, n), mat.NewDense(n, d, nil)
	if err := v.EnergyGrad(u, g, x); err != nil {
		t.Fatal(err)
	}
	return b.gap(x, func(i int) (float64, []float64) { return u[i], g.RawRowView(i) })
}

// fainter is the gap of blobs whose spots are fainter by a share.
func (b *blobs) fainter(by float64, x *mat.Dense) gap {
	c := *b
	for k := range c.spots {
		for j := range c.spots[k] {
			c.spots[k][j] *= 1 - by
		}
	}
	grad := make([]float64, 64)
	return b.gap(x, func(i int) (float64, []float64) {
		u := -c.logProb(x.RawRowView(i), grad)
		for j := range grad {
			grad[j] = -grad[j]
		}
		return u, grad
	})
}

// smaller reports whether the mean of a is below that of b by more than four standard errors of the difference.
func smaller(a, b []float64) bool {
	d := make([]float64, len(a))
	for i := range d {
		d[i] = a[i] - b[i]
	}
	mean, sd := stat.MeanStdDev(d, nil)
	return mean+4*sd/math.Sqrt(float64(len(d))) < 0
}

// wrong is a form with something replaced.
type wrong struct {
	objectives.Form
	loss   func(b *objectives.Builder) *G.Node
	derive func(in objectives.Inputs)
}

func (w wrong) Loss(b *objectives.Builder) *G.Node {
	if w.loss != nil {
		return w.loss(b)
	}
	return w.Form.Loss(b)
}

func (w wrong) Derive(in objectives.Inputs, x *mat.Dense) error {
	f, ok := w.Form.(objectives.Deriver)
	if !ok {
		return nil
	}
	err := f.Derive(in, x)
	w.derive(in)
	return err
}

// trainee trains a convolutional energy on the blobs.
type trainee struct {
	b   *blobs
	e   energy.Energy
	p   *energy.Params
	rng *rand.Rand
}

// train takes steps whose size falls to zero.
func (l trainee) train(t *testing.T, o *objectives.Engine, steps int, rate float64) {
	t.Helper()
	n, d := o.Dims()
	opt, grad, x := &train.Adam{}, make([]float64, l.p.Len()), mat.NewDense(n, d, nil)
	for i := range steps {
		opt.LearningRate = rate * (1 - float64(i)/float64(steps))
		l.b.draw(x, l.rng)
		if _, err := o.Gradient(grad, x, l.rng); err != nil {
			t.Fatal(err)
		}
		if err := opt.Step(l.p.Data(), grad); err != nil {
			t.Fatal(err)
		}
		l.p.Changed()
	}
}

// Two convolutions learn the spots: with nce the density, with ssm its score. The result is closer to the truth than
// the truth with spots fainter by a fifth is, by more than four standard errors. After training on with one
// coefficient wrong it no longer is.
func TestConvLearns(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for seconds")
	}
	b, rng := newBlobs(), rand.New(rand.NewPCG(1, 2))
	test := mat.NewDense(4000, 64, nil)
	b.draw(test, rng)
	faint := b.fainter(0.2, test)
	for _, c := range []struct {
		name    string
		m       objectives.Method
		steps   int
		rate    float64
		density bool // it learns more than the score
		wrong   wrong
	}{
		{"nce", objectives.NCE{Ratio: 1}, 4000, 2e-2, true, wrong{derive: func(in objectives.Inputs) {
			for _, name := range []string{"log_q_data", "log_q_noise"} {
				floats.Scale(0.5, in[name])
			}
		}}},
		{"ssm", objectives.Sliced{Slices: 4}, 1500, 3e-3, false, wrong{loss: func(b *objectives.Builder) *G.Node {
			v := graphs.SliceRows(b.In("v"), 0, b.N)
			along := graphs.RowSum(graphs.Mul(b.Gradient(b.E(b.X), b.X), v))
			curvature := graphs.RowSum(graphs.Mul(b.Gradient(along, b.X), v))
			return graphs.Mean(graphs.Sub(graphs.Square(along), curvature))
		}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			net, err := energy.NewConv(energy.ConvConfig{Height: 8, Width: 8, Widths: []int{8, 16}, Hidden: []int{16}})
			if err != nil {
				t.Fatal(err)
			}
			l := trainee{b, onNoise{net}, nil, rng}
			l.p = energy.Init(l.e, rng)
			data := mat.NewDense(2000, 64, nil)
			b.draw(data, rng)
			cfg := objectives.Config{Batch: 128, Data: data}
			o, err := objectives.New(c.m, l.e, l.p, cfg)
			if err != nil {
				t.Fatal(err)
			}
			near := func(what string) bool {
				g := b.of(t, l.e, l.p, test)
				t.Logf("%s: KL %.3f, Fisher divergence %.2f; of faint spots %.3f, %.2f", what, stat.Mean(g.kl, nil),
					stat.Mean(g.fisher, nil), stat.Mean(faint.kl, nil), stat.Mean(faint.fisher, nil))
				return smaller(g.fisher, faint.fisher) && (!c.density || smaller(g.kl, faint.kl))
			}
			if near("untrained") {
				t.Error("the untrained network is near enough")
			}
			l.train(t, o, c.steps, c.rate)
			if !near("trained") {
				t.Error("what is learnt is no nearer than faint spots")
			}
			c.wrong.Form = o.Form()
			broken, err := objectives.Compile(c.wrong, l.e, l.p, cfg)
			if err != nil {
				t.Fatal(err)
			}
			l.train(t, broken, c.steps/4, c.rate)
			if near("one coefficient wrong") {
				t.Error("it stays near with one coefficient wrong")
			}
		})
	}
}
