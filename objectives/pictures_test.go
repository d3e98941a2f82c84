package objectives_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// blobs is a mixture of pictures of 8×8: one of four round spots, with equal weights, and noise of deviation spotNoise on every pixel,
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

// gap is how far an energy is from the density, on draws x of it: KL(p‖model), whose log Z is found by importance sampling from p, and
// the Fisher divergence E|∇E + ∇log p|².
func (b *blobs) gap(t *testing.T, e energy.Energy, p *energy.Params, x *mat.Dense) (kl, fisher float64) {
	n, d := x.Dims()
	v, err := energy.NewEvaluator(e, p, energy.EvaluatorConfig{Batch: n})
	if err != nil {
		t.Fatal(err)
	}
	u, g, score := make([]float64, n), mat.NewDense(n, d, nil), make([]float64, d)
	if err := v.EnergyGrad(u, g, x); err != nil {
		t.Fatal(err)
	}
	mean, least := 0.0, math.Inf(1)
	for i := range u {
		u[i] += b.logProb(x.RawRowView(i), score) // log p + E
		mean += u[i] / float64(n)
		least = min(least, u[i])
		for j, s := range score {
			fisher += (g.At(i, j) + s) * (g.At(i, j) + s) / float64(n)
		}
	}
	z := 0.0
	for _, r := range u {
		z += math.Exp(least-r) / float64(n)
	}
	return mean + math.Log(z) - least, fisher
}

// Two convolutions learn the spots: with nce the density, with ssm its score. Before training, the gaps are those of
// the noise alone.
func TestConvLearns(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for seconds")
	}
	b := newBlobs()
	rng := rand.New(rand.NewPCG(1, 2))
	test := mat.NewDense(4000, 64, nil)
	b.draw(test, rng)
	for _, c := range []struct {
		name       string
		m          objectives.Method
		steps      int
		rate       float64
		kl, fisher float64 // the fraction of the initial gaps that may be left; 0: not checked
	}{
		{"nce", objectives.NCE{Ratio: 1}, 4000, 2e-2, 0.05, 0.1},
		{"ssm", objectives.Sliced{Slices: 4}, 1500, 3e-3, 0, 0.1},
	} {
		t.Run(c.name, func(t *testing.T) {
			const batch = 128
			net, err := energy.NewConv(energy.ConvConfig{Height: 8, Width: 8, Widths: []int{8, 16}, Hidden: []int{16}})
			if err != nil {
				t.Fatal(err)
			}
			e := onNoise{net}
			p := energy.Init(e, rng)
			klBefore, fisherBefore := b.gap(t, e, p, test)
			data := mat.NewDense(2000, 64, nil)
			b.draw(data, rng)
			o, err := objectives.New(c.m, e, p, objectives.Config{Batch: batch, Data: data})
			if err != nil {
				t.Fatal(err)
			}
			opt, grad, x := &train.Adam{LearningRate: c.rate}, make([]float64, p.Len()), mat.NewDense(batch, 64, nil)
			for i := range c.steps {
				opt.LearningRate = c.rate * (1 - float64(i)/float64(c.steps))
				b.draw(x, rng)
				if _, err := o.Gradient(grad, x, rng); err != nil {
					t.Fatal(err)
				}
				if err := opt.Step(p.Data(), grad); err != nil {
					t.Fatal(err)
				}
				p.Changed()
			}
			kl, fisher := b.gap(t, e, p, test)
			t.Logf("KL %.4f of %.3f nats, Fisher divergence %.3f of %.2f", kl, klBefore, fisher, fisherBefore)
			if c.kl > 0 && !(kl < c.kl*klBefore) {
				t.Errorf("KL = %.4f, want < %g of %.3f before", kl, c.kl, klBefore)
			}
			if !(fisher < c.fisher*fisherBefore) {
				t.Errorf("Fisher divergence = %.3f, want < %g of %.3f before", fisher, c.fisher, fisherBefore)
			}
		})
	}
}
