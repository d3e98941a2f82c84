package energy

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/graphs"
)

// LogProbBuilder is a density that builds its own graph: what your own density needs to be an energy.
type LogProbBuilder interface {
	density.Density

	// BuildLogProb builds the log-density (n, 1) of the rows of x (n, d), by the rules of [Energy].Build.
	BuildLogProb(x *G.Node) (*G.Node, error)
}

// Density is the energy -log q of a known density q. It has no parameters, and Z = 1.
type Density struct {
	q     density.Density
	build func(x *G.Node) *G.Node
}

var (
	_ Known      = (*Density)(nil)
	_ Smoothness = (*Density)(nil)
)

// NewDensity returns the energy of q: a Gaussian or a mixture of package density, a blend of such, or a
// [LogProbBuilder]. The graph and q.LogProb agree up to rounding. A density without a graph, because it is
// discontinuous or has kinks, is an error.
func NewDensity(q density.Density) (*Density, error) {
	build, err := logProbBuilder(q)
	if err != nil {
		return nil, err
	}
	return &Density{q, build}, nil
}

// logProbBuilder returns a function that builds the log-density of q, inside graphs.Try.
func logProbBuilder(q density.Density) (func(x *G.Node) *G.Node, error) {
	switch q := q.(type) {
	case nil:
		return nil, errors.New("energy: Density without a density")
	case LogProbBuilder:
		return func(x *G.Node) *G.Node { return graphs.Must(q.BuildLogProb(x)) }, nil
	case *density.Gaussian:
		return mixtureBuilder(q.Parameters()), nil
	case *density.Mixture:
		return mixtureBuilder(q.Parameters()), nil
	case *density.Blend:
		return blendBuilder(q)
	}
	return nil, fmt.Errorf("energy: there is no graph of a %T; a mixture has one, and a type with BuildLogProb", q)
}

// blendBuilder builds log Σ_k w_k q_k.
func blendBuilder(b *density.Blend) (func(x *G.Node) *G.Node, error) {
	parts, logw := b.Parts()
	builders := make([]func(x *G.Node) *G.Node, len(parts))
	for k, p := range parts {
		var err error
		if builders[k], err = logProbBuilder(p); err != nil {
			return nil, err
		}
	}
	return func(x *G.Node) *G.Node {
		var logs G.Nodes
		for k, build := range builders {
			logs = append(logs, graphs.Shift(build(x), logw[k]))
		}
		return graphs.RowLogSumExp(graphs.ConcatCols(logs...))
	}, nil
}

// few is the K²·d up to which the standardised positions of a point under spherical components are built one by one,
// and many that up to which their squares are summed by a product.
const few, many = 512, 1 << 20

// mixtureBuilder returns what builds the log density of a mixture.
func mixtureBuilder(p density.Parameters) func(x *G.Node) *G.Node {
	logs := componentsBuilder(p)
	return func(x *G.Node) *G.Node { return graphs.RowLogSumExp(logs(x)) } // (n, 1)
}

// componentsBuilder returns what builds log w_k N(x; μ_k, Σ_k), (n, K). It chooses the graph: by the places of a point
// under every component, which loses no digit, or, of many round components, by one product.
func componentsBuilder(p density.Parameters) func(x *G.Node) *G.Node {
	d, k := p.Dim, len(p.Weights)
	if p.Covariance == density.Spherical && k*k*d > few {
		return func(x *G.Node) *G.Node { return buildKernels(x, d, p.Means, p.Factors, logWeightsOf(p)) }
	}
	return func(x *G.Node) *G.Node { return buildComponents(buildPlaces(x, p), p) }
}

// logWeightsOf returns log w_k - log det L_k - d/2 log 2π.
func logWeightsOf(p density.Parameters) []float64 {
	k, d := len(p.Weights), p.Dim
	var sum float64
	for _, w := range p.Weights {
		sum += w
	}
	logs := make([]float64, k)
	for i, w := range p.Weights {
		logs[i] = math.Log(w/sum) - 0.5*float64(d)*math.Log(2*math.Pi)
		l := factorOf(p, i)
		for j := range d {
			logs[i] -= math.Log(l.At(j, j))
		}
	}
	return logs
}

// factorOf returns L of component k.
func factorOf(p density.Parameters, k int) *mat.TriDense {
	d := p.Dim
	l := mat.NewTriDense(d, mat.Lower, nil)
	for i := range d {
		switch p.Covariance {
		case density.Spherical:
			l.SetTri(i, i, p.Factors[k])
		case density.Diagonal:
			l.SetTri(i, i, p.Factors[k*d+i])
		default:
			all := p.Factors
			if p.Covariance == density.Full {
				all = all[k*d*d : (k+1)*d*d]
			}
			for j := range i + 1 {
				l.SetTri(i, j, all[i*d+j])
			}
		}
	}
	return l
}

// buildPlaces builds z_k = L_k⁻¹(x - μ_k), (n, K·d), all of them by one product, from x - μ̄, μ̄ the mean of the means.
func buildPlaces(x *G.Node, p density.Parameters) *G.Node {
	k, d := len(p.Weights), p.Dim
	mean := make([]float64, d)
	for i, v := range p.Means {
		mean[i%d] += v / float64(k)
	}
	w, b := mat.NewDense(k*d, d, nil), make([]float64, k*d)
	for c := range k {
		var inv mat.TriDense
		if err := inv.InverseTri(factorOf(p, c)); err != nil && !errors.As(err, new(mat.Condition)) {
			panic(err) // a factor has a positive diagonal
		}
		for i := range d {
			for j := range i + 1 {
				v := inv.At(i, j)
				w.Set(c*d+i, j, v)
				b[c*d+i] -= v * (p.Means[c*d+j] - mean[j])
			}
		}
	}
	r := graphs.Sub(x, graphs.ExpandRows(constant(x, mean, d), x.Shape()[0])) // (n, d)
	return graphs.Affine(r, constant(x, w.RawMatrix().Data, k*d, d), constant(x, b, k*d))
}

// buildComponents builds c_k - ½|z_k|² (n, K) from these, the sums of squares by another product.
func buildComponents(z *G.Node, p density.Parameters) *G.Node {
	n, k, d := z.Shape()[0], len(p.Weights), p.Dim
	logw := constant(z, logWeightsOf(p), k)
	if k*k*d > many {
		sq := graphs.RowSum(graphs.Reshape(graphs.Square(z), n*k, d)) // (n·K, 1)
		half := graphs.Scale(graphs.Reshape(sq, n, k), 0.5)
		return graphs.Sub(graphs.ExpandRows(logw, n), half)
	}
	sums := mat.NewDense(k, k*d, nil)
	for i := range k * d {
		sums.Set(i/d, i, -0.5)
	}
	return graphs.Affine(graphs.Square(z), constant(z, sums.RawMatrix().Data, k, k*d), logw)
}

// buildKernels builds the log densities of round components, with their weights, (n, K). The squared distances of all
// are one product,
//
//	log w_k - |x - c_k|²/(2s_k²) = (x - x̄)·(c_k - x̄)/s_k² - |x - x̄|²/(2s_k²) + const,
//
// with x̄ the mean of the centres, which keeps the cancellation small near them: it costs about (|x - x̄|/s_k)²
// roundings, in float32 0.01 nats 400 widths away.
func buildKernels(x *G.Node, d int, centres, sds, logw []float64) *G.Node {
	k := len(sds)
	mean := make([]float64, d)
	for i, v := range centres {
		mean[i%d] += v / float64(k)
	}
	w := make([]float64, 0, k*(d+1))
	b := make([]float64, k)
	for i, s := range sds {
		inv := 1 / (s * s)
		b[i] = logw[i]
		for j, c := range centres[i*d : (i+1)*d] {
			c -= mean[j]
			w = append(w, c*inv)
			b[i] -= 0.5 * c * c * inv
		}
		w = append(w, -0.5*inv)
	}
	r := graphs.Sub(x, graphs.ExpandRows(constant(x, mean, d), x.Shape()[0])) // (n, d)
	in := graphs.ConcatCols(r, graphs.RowSum(graphs.Square(r)))               // (n, d+1)
	return graphs.Affine(in, constant(x, w, k, d+1), constant(x, b, k))       // (n, K)
}

// Dim returns the dimension of q.
func (e *Density) Dim() int { return e.q.Dim() }

// Specs returns none.
func (e *Density) Specs() []Spec { return nil }

// Smooth asks q if it builds its own graph; the others are smooth.
func (e *Density) Smooth() error {
	if s, ok := e.q.(Smoothness); ok {
		return s.Smooth()
	}
	return nil
}

// Build builds -log q.
func (e *Density) Build(x *G.Node, theta G.Nodes) (*G.Node, error) {
	if err := checkBuild("Density", e, x, theta); err != nil {
		return nil, err
	}
	return graphs.Try(func() *G.Node { return graphs.Neg(e.build(x)) })
}

// LogZ returns 0.
func (e *Density) LogZ(*Params) float64 { return 0 }

// Sample draws from q.
func (e *Density) Sample(_ *Params, dst *mat.Dense, rng *rand.Rand) { e.q.Sample(dst, rng) }
