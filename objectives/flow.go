package objectives

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/graphs"
)

// flow is the density of y = mean + sd·T(z), z ~ N(0, I), with T a chain of couplings
//
//	(a, b) ↦ (b·exp(s(a)) + t(a), a),   s = 1.5 tanh(…), t: small networks of the first half a,
//
// whose inverse and volume are explicit (Dinh, Sohl-Dickstein and Bengio, Density estimation using Real NVP,
// arXiv 1605.08803). It starts as the identity.
type flow struct {
	d, half  int
	mean, sd []float64
	layers   int
	phi      *energy.Params
	per      int // parameters per layer
}

func newFlow(data *mat.Dense, layers, hidden int, rng *rand.Rand) (*flow, error) {
	_, d := data.Dims()
	if d < 2 {
		return nil, fmt.Errorf("objectives: flow-nce needs dimension 2 or more, the data have %d; use nce with "+
			"gaussian noise", d)
	}
	mean, sd := density.Moments(data)
	for j, s := range sd {
		if !(s > 0) {
			return nil, fmt.Errorf("objectives: flow-nce: coordinate %d of the data is constant", j)
		}
	}
	f := &flow{d: d, half: d / 2, mean: mean, sd: sd, layers: layers}
	var specs []energy.Spec
	var values []float64
	for l := range layers {
		p := newNet([]int{f.half, hidden, 2 * (d - f.half)}, fmt.Sprintf("flow.%d", l), rng)
		f.per = len(p.Specs())
		specs = append(specs, p.Specs()...)
		values = append(values, p.Data()...)
	}
	f.phi = energy.NewParams(specs)
	copy(f.phi.Data(), values)
	return f, nil
}

// net builds s and t (m, d-half) of layer l from a (m, half).
func (f *flow) net(a *G.Node, own G.Nodes, l int) (s, t *G.Node) {
	h := buildNet(a, own[l*f.per:(l+1)*f.per])
	w := f.d - f.half
	return graphs.Scale(graphs.Tanh(graphs.SliceCols(h, 0, w)), 1.5), graphs.SliceCols(h, w, 2*w)
}

// logBase builds log N(z; 0, I) minus the log volume of the standardisation (m, 1).
func (f *flow) logBase(z *G.Node) *G.Node {
	c := 0.5 * float64(f.d) * math.Log(2*math.Pi)
	for _, s := range f.sd {
		c += math.Log(s)
	}
	return graphs.Shift(graphs.Neg(halfSquare(z)), -c)
}

func (f *flow) columns(v []float64, x *G.Node) *G.Node { // (m, d) with v in every row
	var cols G.Nodes
	like := graphs.OnesLike(graphs.SliceCols(x, 0, 1))
	for _, a := range v {
		cols = append(cols, graphs.Scale(like, a))
	}
	return graphs.ConcatCols(cols...)
}

// forward builds the image y of z (m, d) and log q(y) (m, 1).
func (f *flow) forward(z *G.Node, own G.Nodes) (y, logq *G.Node) {
	logq = f.logBase(z)
	for l := range f.layers {
		a, b := graphs.SliceCols(z, 0, f.half), graphs.SliceCols(z, f.half, f.d)
		s, t := f.net(a, own, l)
		z = graphs.ConcatCols(graphs.Add(graphs.Mul(b, graphs.Exp(s)), t), a)
		logq = graphs.Sub(logq, graphs.RowSum(s))
	}
	return graphs.Add(graphs.Mul(z, f.columns(f.sd, z)), f.columns(f.mean, z)), logq
}

// logProb builds log q (m, 1) of the rows of y (m, d).
func (f *flow) logProb(y *G.Node, own G.Nodes) *G.Node {
	z := graphs.Div(graphs.Sub(y, f.columns(f.mean, y)), f.columns(f.sd, y))
	var volume *G.Node
	for l := f.layers - 1; l >= 0; l-- {
		w := f.d - f.half
		b, a := graphs.SliceCols(z, 0, w), graphs.SliceCols(z, w, f.d)
		s, t := f.net(a, own, l)
		z = graphs.ConcatCols(a, graphs.Mul(graphs.Sub(b, t), graphs.Exp(graphs.Neg(s))))
		volume = plus(volume, graphs.RowSum(s))
	}
	return graphs.Sub(f.logBase(z), volume)
}
