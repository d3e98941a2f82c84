package objectives

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/energy"
)

// Kernel is a Gaussian kernel density of data. Its log density is computed by a compiled float32 graph, as an NCE step
// looks at some thousand points times some thousand centres.
type Kernel struct {
	mix   *energy.Mixture
	evals pool[*energy.Evaluator] // one per goroutine
}

var _ Noise = (*Kernel)(nil)

// NewKernel blurs the first rows of data, at most centres, by N(0, sd² I).
func NewKernel(data *mat.Dense, sd float64, centres int) (*Kernel, error) {
	n, d := data.Dims()
	n = min(n, centres)
	sds := make([]float64, n)
	for i := range sds {
		sds[i] = sd
	}
	m, err := energy.NewMixture(data.Slice(0, n, 0, d).(*mat.Dense), sds, nil)
	if err != nil {
		return nil, err
	}
	return KernelOf(m)
}

// blurred is the density of the first rows of data, at most centres, blurred by the given rising fractions of the
// spread in turn: near the data at every scale from a sharp mode's to the gaps'. Where a table resolves the least of
// them it is one.
func blurred(data *mat.Dense, fractions []float64, centres int) (Noise, error) {
	n, d := data.Dims()
	n = min(n, centres)
	sds, spread := make([]float64, n), energy.Spread(data)
	for i := range sds {
		sds[i] = spread * fractions[i%len(fractions)]
	}
	m, err := energy.NewMixture(data.Slice(0, n, 0, d).(*mat.Dense), sds, nil)
	if err != nil {
		return nil, err
	}
	k, err := KernelOf(m)
	if err != nil {
		return nil, err
	}
	box := bounds(data)
	margin := 6 * spread * fractions[len(fractions)-1]
	floats.AddConst(-margin, box.Lo)
	floats.AddConst(margin, box.Hi)
	if t, err := Tabulate(k, box.Lo, box.Hi, spread*fractions[0]/2); err == nil {
		return t, nil
	}
	return k, nil
}

// kernelBlock is the number of points that a compiled kernel density is evaluated at.
const kernelBlock = 256

// KernelOf makes a fast Noise of a mixture.
func KernelOf(m *energy.Mixture) (*Kernel, error) {
	eval, err := energy.NewEvaluator(m.Energy(), energy.NewParams(nil), energy.EvaluatorConfig{Batch: kernelBlock})
	if err != nil {
		return nil, err
	}
	// Called once, so that the clones share what is compiled; never again, so that it can be cloned at any time.
	if err := eval.Energies(make([]float64, kernelBlock), mat.NewDense(kernelBlock, m.Dim(), nil)); err != nil {
		return nil, err
	}
	return &Kernel{mix: m, evals: pool[*energy.Evaluator]{fresh: eval.Clone}}, nil
}

// Sample draws a centre and blurs it.
func (k *Kernel) Sample(dst *mat.Dense, rng *rand.Rand) { k.mix.Sample(dst, rng) }

// LogProb stores the log density.
func (k *Kernel) LogProb(dst []float64, x *mat.Dense) {
	eval := k.evals.get()
	defer k.evals.put(eval)
	if err := eval.Energies(dst, x); err != nil {
		panic(err) // a function compiled for these shapes does not fail
	}
	for i := range dst {
		dst[i] = -dst[i]
	}
}
