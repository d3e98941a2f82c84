package mcmc

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// Reference is a normalised density exp(-E₀) with exact draws: the hot end of a path to the target. *energy.Mixture is one,
// besides Gaussian.
type Reference interface {
	Dim() int

	// EnergyAt returns E₀(x), with ∫exp(-E₀) = 1, and stores ∇E₀(x) in grad unless that is nil.
	EnergyAt(grad, x []float64) float64

	// Sample fills the rows of dst with independent draws.
	Sample(dst *mat.Dense, rng *rand.Rand)
}

var _ Reference = (*Gaussian)(nil)

// checkReference lets a reference that can validate itself do so.
func checkReference(r Reference) error {
	if v, ok := r.(interface{ Validate() error }); ok {
		return v.Validate()
	}
	return nil
}

// Gaussian is a normal distribution with a diagonal covariance.
type Gaussian struct {
	Mean []float64 // length d
	Std  []float64 // length d, > 0
}

// Dim returns d.
func (g *Gaussian) Dim() int { return len(g.Mean) }

// EnergyAt returns E₀(x) = Σ ½((x-μ)/σ)² + log σ + ½ log 2π and its gradient.
func (g *Gaussian) EnergyAt(grad, x []float64) float64 {
	var e float64
	for j, v := range x {
		z := (v - g.Mean[j]) / g.Std[j]
		e += z*z/2 + math.Log(g.Std[j])
		if grad != nil {
			grad[j] = z / g.Std[j]
		}
	}
	return e + float64(len(x))*math.Log(2*math.Pi)/2
}

// Sample fills the rows of dst.
func (g *Gaussian) Sample(dst *mat.Dense, rng *rand.Rand) {
	n, _ := dst.Dims()
	for i := range n {
		x := dst.RawRowView(i)
		for j := range x {
			x[j] = g.Mean[j] + g.Std[j]*rng.NormFloat64()
		}
	}
}

// Validate reports a standard deviation that is not positive, or lengths that differ.
func (g *Gaussian) Validate() error {
	if err := check(len(g.Mean) == len(g.Std), "mcmc: Gaussian: %d means but %d standard deviations", len(g.Mean), len(g.Std)); err != nil {
		return err
	}
	for j, v := range g.Std {
		if err := check(v > 0 && !math.IsInf(v, 1), "mcmc: Gaussian.Std[%d] = %g, want > 0", j, v); err != nil {
			return err
		}
	}
	return nil
}

// FitGaussian returns the mean of the rows of x and their standard deviations times widen.
func FitGaussian(x *mat.Dense, widen float64) *Gaussian {
	n, d := x.Dims()
	g := &Gaussian{Mean: make([]float64, d), Std: make([]float64, d)}
	var v variance
	v.init(d)
	for i := range n {
		v.add(x.RawRowView(i))
	}
	copy(g.Mean, v.mean)
	for j := range g.Std {
		g.Std[j] = widen * math.Sqrt(v.m2[j]/max(1, v.n-1))
		if g.Std[j] == 0 {
			g.Std[j] = widen
		}
	}
	return g
}

// bridge is the path U_β = E₀ + β(E - E₀) between a reference (E₀ = 0 without one) and a target, with a β per row.
type bridge struct {
	target Target
	ref    Reference
	grad   []float64 // ∇E₀ of one row
	beta   []float64
	rows   []int // which rows of the state the next batches hold; nil means all
}

var _ rowwise = (*bridge)(nil)

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

// mix turns E and its gradient into U_β.
func (b *bridge) mix(e *float64, grad, x []float64, beta float64) {
	*e *= beta
	for j := range grad {
		grad[j] *= beta
	}
	b.addReference(e, grad, x, 1-beta)
}

// unmix turns U_β and its gradient into E, for β > 0.
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
	*e += c * b.ref.EnergyAt(b.grad, x)
	for j, g := range b.grad {
		grad[j] += c * g
	}
}

// excess returns E - E₀, what a change of β is multiplied with, from U_β.
func (b *bridge) excess(u float64, x []float64, beta float64) float64 {
	if b.ref == nil {
		return u / beta
	}
	return (u - b.ref.EnergyAt(nil, x)) / beta
}

// variance is Welford's running mean and variance of vectors.
type variance struct {
	n        float64
	mean, m2 []float64
}

func (v *variance) init(d int) {
	if v.mean == nil {
		v.mean, v.m2 = make([]float64, d), make([]float64, d)
	}
	v.n = 0
	clear(v.mean)
	clear(v.m2)
}

func (v *variance) add(x []float64) {
	v.n++
	for j, a := range x {
		d := a - v.mean[j]
		v.mean[j] += d / v.n
		v.m2[j] += d * (a - v.mean[j])
	}
}
