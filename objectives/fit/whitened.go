package fit

import (
	"errors"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/mcmc"
)

// whitening are the coordinates u of x = μ + L u, in which a density with mean μ and covariance LLᵀ is round, so that
// one step size suits all directions.
type whitening struct {
	mean    []float64
	root    *mat.TriDense // L
	inverse *mat.TriDense
}

func newWhitening(mean []float64, root *mat.TriDense) (*whitening, error) {
	inverse := new(mat.TriDense)
	if err := inverse.InverseTri(root); err != nil && !errors.As(err, new(mat.Condition)) {
		return nil, err
	}
	return &whitening{mean, root, inverse}, nil
}

// to stores u of the rows of x in dst, which may be x.
func (w *whitening) to(dst, x *mat.Dense) {
	n, _ := x.Dims()
	var off mat.Dense
	off.CloneFrom(x)
	for i := range n {
		row := off.RawRowView(i)
		for j, m := range w.mean {
			row[j] -= m
		}
	}
	dst.Mul(&off, w.inverse.T())
}

// from stores x of the rows of u in dst, which may be u.
func (w *whitening) from(dst, u *mat.Dense) {
	n, _ := u.Dims()
	var x mat.Dense
	x.Mul(u, w.root.T())
	for i := range n {
		row := x.RawRowView(i)
		for j, m := range w.mean {
			row[j] += m
		}
	}
	dst.Copy(&x)
}

// target is a target as a function of u: the density of u but for a factor.
func (w *whitening) target(t mcmc.Target) mcmc.Target { return &whitenedTarget{w: w, t: t} }

type whitenedTarget struct {
	w       *whitening
	t       mcmc.Target
	x, grad mat.Dense
}

func (t *whitenedTarget) EnergyGrad(e []float64, grad, u *mat.Dense) error {
	n, d := u.Dims()
	t.x.Reset()
	t.x.ReuseAs(n, d)
	t.w.from(&t.x, u)
	if grad == nil {
		return t.t.EnergyGrad(e, nil, &t.x)
	}
	t.grad.Reset()
	t.grad.ReuseAs(n, d)
	if err := t.t.EnergyGrad(e, &t.grad, &t.x); err != nil {
		return err
	}
	grad.Mul(&t.grad, t.w.root) // Lᵀ of every gradient
	return nil
}

// proposal is a proposal as a density of u, but for a factor.
func (w *whitening) proposal(q mcmc.Proposal) mcmc.Proposal { return whitenedProposal{w, q} }

type whitenedProposal struct {
	w *whitening
	q mcmc.Proposal
}

func (p whitenedProposal) Sample(dst *mat.Dense, rng *rand.Rand) {
	p.q.Sample(dst, rng)
	p.w.to(dst, dst)
}

func (p whitenedProposal) LogProb(dst []float64, u *mat.Dense) {
	n, d := u.Dims()
	x := mat.NewDense(n, d, nil)
	p.w.from(x, u)
	p.q.LogProb(dst, x)
}
