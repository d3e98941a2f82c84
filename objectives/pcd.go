package objectives

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/energy/safetensors"
	"github.com/stheno-ebm/stheno/mcmc"
)

// PersistentCD is `pcd`, the loss of [Chains] that continue from gradient to gradient, one per row of the batch,
// starting at the first batch.
//
// Tieleman, Training restricted Boltzmann machines using approximations to the likelihood gradient, ICML 2008.
type PersistentCD struct{ Chains }

func init() { Register("pcd", PersistentCD{}) }

// Traits describes the objective.
func (m PersistentCD) Traits() Traits {
	return Traits{Summary: "maximum likelihood with persistent chains", Source: "Tieleman 2008", Chains: true,
		Bias: m.bias("as far as persistent chains, %s per gradient, lag behind the model")}
}

// Validate names the fields out of range.
func (m PersistentCD) Validate() error { return m.check(m).Err() }

// Suited sets what is zero.
func (m PersistentCD) Suited(data Facts) Method { return PersistentCD{m.suited(data)} }

// Recipe returns the recipe for objectives that compare energies, with fewer steps, since each runs chains.
func (m PersistentCD) Recipe(data Facts) Recipe { return m.recipe(data) }

// Form returns the loss.
func (m PersistentCD) Form(s Setup) (Form, error) {
	return m.form(s, func(c mover) (negatives, error) {
		return &persistent{mover: c, chains: mat.NewDense(s.Batch, s.Energy.Dim(), nil)}, nil
	})
}

type persistent struct {
	mover
	chains  *mat.Dense
	started bool
}

func (c *persistent) sample(dst, x *mat.Dense, rng *rand.Rand) (mcmc.Info, error) {
	if !c.started {
		c.chains.Copy(x)
		c.started = true
	}
	info, err := c.run(c.chains, rng)
	dst.Copy(c.chains)
	return info, err
}

func (c *persistent) save() []safetensors.Tensor {
	n, d := c.chains.Dims()
	return append(c.mover.save(), array("chains", c.chains.RawMatrix().Data, n, d),
		array("started", []float64{flag(c.started)}, 1))
}

func (c *persistent) restore(f *safetensors.File) error {
	n, d := c.chains.Dims()
	v, err := numbers(f, "chains", n*d)
	if err != nil {
		return err
	}
	s, err := numbers(f, "started", 1)
	if err != nil {
		return err
	}
	if err := c.mover.restore(f); err != nil {
		return err
	}
	copy(c.chains.RawMatrix().Data, v)
	c.started = s[0] != 0
	return nil
}
