package objectives

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/energy/safetensors"
	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/graphs/vector"
)

// kernelStein is `ksd`, the squared kernel Stein discrepancy of the batch from the model, as U-statistic,
//
//	L = 1/(n(n-1)) Σ_{i≠j} s_iᵀs_j k_ij + s_iᵀ∇₂k_ij + s_jᵀ∇₁k_ij + tr ∇₁∇₂k_ij,   s = -∇E,
//
// with the inverse multiquadric k(x, y) = (1 + |x-y|²/h²)^(-1/2). Without bias; zero in expectation exactly at the
// data's density. h is the root mean squared distance of the first batch, or Config.Bandwidth. The kernel does not depend
// on θ: it enters the graph as a matrix, and only first derivatives of E are needed.
//
// Liu, Lee and Jordan, A kernelized Stein discrepancy, arXiv 1602.03253, definition 3.2; the kernel: Gorham and Mackey,
// Measuring sample quality with kernels, arXiv 1703.01717.
type kernelStein struct{ h float64 }

func (f *kernelStein) Inputs(n, d int) []Input {
	return []Input{
		{Name: "k", Shape: []int{n, n}, Derived: true},  // k_ij, 0 on the diagonal
		{Name: "dk", Shape: []int{n, d}, Derived: true}, // Σ_{j≠i} ∇₂k_ij
		{Name: "ddk", Shape: []int{1}, Derived: true},   // Σ_{i≠j} tr ∇₁∇₂k_ij
	}
}

func (f *kernelStein) Draw(Inputs, *mat.Dense, *rand.Rand) error { return nil }

func (f *kernelStein) Derive(in Inputs, x *mat.Dense) error {
	n, d := x.Dims()
	k, dk := in["k"], in["dk"]
	if f.h == 0 {
		_, std := energy.Moments(x)
		f.h = math.Sqrt2 * vector.Norm(std)
		if f.h == 0 {
			return fmt.Errorf("objectives: ksd: all points of the batch are equal")
		}
	}
	inv := 1 / (f.h * f.h)
	clear(dk)
	var trace float64
	for i := range n {
		a := x.RawRowView(i)
		k[i*n+i] = 0
		for j := range i {
			c := x.RawRowView(j)
			var sq float64
			for t := range d {
				sq += (a[t] - c[t]) * (a[t] - c[t])
			}
			q := 1 / (1 + sq*inv)
			root := math.Sqrt(q)
			k[i*n+j], k[j*n+i] = root, root
			w := q * root * inv // ∇₂k(x, y) = q^(3/2) (x - y)/h²
			for t := range d {
				v := w * (a[t] - c[t])
				dk[i*d+t] += v
				dk[j*d+t] -= v
			}
			trace += 2 * (w*float64(d) - 3*w*q*sq*inv)
		}
	}
	in["ddk"][0] = trace
	return nil
}

func (f *kernelStein) Loss(b *Builder) *G.Node {
	s := graphs.Neg(b.Gradient(b.E(b.X), b.X)) // (n, d)
	ks := graphs.Add(graphs.MatMul(b.In("k"), s, false, false), graphs.Scale(b.In("dk"), 2))
	sum := graphs.Add(graphs.Sum(graphs.Mul(s, ks)), b.In("ddk"))
	return graphs.Scale(sum, 1/(float64(b.N)*float64(b.N-1)))
}

func (f *kernelStein) save() []safetensors.Tensor {
	return []safetensors.Tensor{array("bandwidth", []float64{f.h}, 1)}
}

func (f *kernelStein) restore(s *safetensors.File) error {
	v, err := numbers(s, "bandwidth", 1)
	if err != nil {
		return err
	}
	f.h = v[0]
	return nil
}

// learnedStein is `lsd`, the Stein discrepancy with a learnt critic f_φ: R^d → R^d,
//
//	max_φ  mean( s(x)ᵀf(x) + tr ∇f(x) ) - λ mean |f(x)|²,   then θ descends the first mean.
//
// For the best critic, f = (s - s_data)/2λ, the gradient in θ is that of the Fisher divergence over 4λ. For every critic
// the first mean vanishes at the truth (Stein's identity). The trace is estimated by Hutchinson's εᵀ∇f ε. The critic is an
// MLP with two hidden layers, moved by Adam several times per gradient; where it lags behind, so does the descent.
//
// Grathwohl, Wang, Jacobsen, Duvenaud and Zemel, Learning the Stein discrepancy for training and evaluating energy-based
// models without sampling, arXiv 2002.05616, algorithm 2.
type learnedStein struct {
	lambda  float64
	hidden  int
	d       int
	rate    float64
	repeats int
	phi     *energy.Params
}

func newLearnedStein(d, hidden, repeats int, lambda, rate float64, rng *rand.Rand) *learnedStein {
	f := &learnedStein{lambda: lambda, hidden: hidden, d: d, rate: rate, repeats: repeats}
	f.phi = newNet([]int{d, hidden, hidden, d}, "critic", rng)
	return f
}

func (f *learnedStein) OwnParams() *energy.Params { return f.phi }
func (f *learnedStein) OwnRate() float64          { return f.rate }
func (f *learnedStein) Repeats() int              { return f.repeats }

func (f *learnedStein) Inputs(n, d int) []Input { return []Input{{Name: "eps", Shape: []int{n, d}}} }

func (f *learnedStein) Draw(in Inputs, x *mat.Dense, rng *rand.Rand) error {
	Rademacher.draw(in["eps"], f.d, rng)
	return nil
}

func (f *learnedStein) Loss(b *Builder) *G.Node {
	eps := b.In("eps")
	c := buildNet(b.X, b.Own) // (n, d)
	jvp := graphs.Must(graphs.JVP(c, G.Nodes{b.X}, G.Nodes{eps}))
	g := b.Gradient(b.E(b.X), b.X)
	stein := graphs.Mean(graphs.Sub(rowDot(eps, jvp), rowDot(g, c)))
	size := graphs.Mean(graphs.RowSum(graphs.Square(c)))
	b.SetOwnLoss(graphs.Sub(graphs.Scale(size, f.lambda), stein))
	return stein
}

// newNet draws the parameters of an MLP of the given widths; the last layer starts at zero.
func newNet(widths []int, name string, rng *rand.Rand) *energy.Params {
	var specs []energy.Spec
	for l := range len(widths) - 1 {
		specs = append(specs,
			energy.Spec{Name: fmt.Sprintf("%s.%d.weight", name, 2*l), Shape: []int{widths[l+1], widths[l]}},
			energy.Spec{Name: fmt.Sprintf("%s.%d.bias", name, 2*l), Shape: []int{widths[l+1]}})
	}
	p := energy.NewParams(specs)
	views := p.Views(p.Data())
	for l := range len(widths) - 2 {
		for i := range views[2*l] {
			views[2*l][i] = math.Sqrt(2/float64(widths[l])) * rng.NormFloat64()
		}
		for i := range views[2*l+1] {
			views[2*l+1][i] = (2*rng.Float64() - 1) / math.Sqrt(float64(widths[l]))
		}
	}
	return p
}

// buildNet builds an MLP with SiLU between the layers.
func buildNet(x *G.Node, theta G.Nodes) *G.Node {
	for len(theta) > 2 {
		x = graphs.SiLU(graphs.Affine(x, theta[0], theta[1]))
		theta = theta[2:]
	}
	return graphs.Affine(x, theta[0], theta[1])
}
