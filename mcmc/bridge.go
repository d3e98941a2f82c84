package mcmc

import "gonum.org/v1/gonum/mat"

// bridge is the path U_β = E₀ + β(E - E₀) between a reference (E₀ = 0 without one) and a target, with a β per row.
type bridge struct {
	target Target
	ref    Reference
	logStd []float64 // of ref, if that is a Gaussian
	grad   []float64 // ∇E₀ of one row
	beta   []float64
	rows   []int // the rows of the state in the next batches; nil means all
}

var _ rowwise = (*bridge)(nil)

// between sets the ends of the path.
func (b *bridge) between(ref Reference, t Target) {
	b.target, b.ref = t, ref
	if g, ok := ref.(*Gaussian); ok {
		b.logStd = g.logStd(b.logStd)
	}
}

// reference is EnergyAt of the reference.
func (b *bridge) reference(grad, x []float64) float64 {
	if g, ok := b.ref.(*Gaussian); ok {
		return g.energyAt(grad, x, b.logStd)
	}
	return b.ref.EnergyAt(grad, x)
}

func (b *bridge) setRows(rows []int) { b.rows = rows }

func (b *bridge) EnergyGrad(e []float64, grad, x *mat.Dense) error {
	if err := b.target.EnergyGrad(e, grad, x); err != nil {
		return err
	}
	for i := range e {
		r := i
		if b.rows != nil {
			r = b.rows[i]
		}
		b.mix(&e[i], grad.RawRowView(i), x.RawRowView(i), b.beta[r])
	}
	return nil
}

// mix converts E and its gradient to U_β.
func (b *bridge) mix(e *float64, grad, x []float64, beta float64) {
	*e *= beta
	for j := range grad {
		grad[j] *= beta
	}
	b.addReference(e, grad, x, 1-beta)
}

// unmix converts U_β and its gradient to E, for β > 0.
func (b *bridge) unmix(e *float64, grad, x []float64, beta float64) {
	b.addReference(e, grad, x, beta-1)
	*e /= beta
	for j := range grad {
		grad[j] /= beta
	}
}

// addReference adds c·E₀.
func (b *bridge) addReference(e *float64, grad, x []float64, c float64) {
	if b.ref == nil || c == 0 {
		return
	}
	if len(b.grad) != len(x) {
		b.grad = make([]float64, len(x))
	}
	*e += c * b.reference(b.grad, x)
	for j, g := range b.grad {
		grad[j] += c * g
	}
}

// excess returns E - E₀, the factor of a change in β, from U_β.
func (b *bridge) excess(u float64, x []float64, beta float64) float64 {
	if b.ref == nil {
		return u / beta
	}
	return (u - b.reference(nil, x)) / beta
}
