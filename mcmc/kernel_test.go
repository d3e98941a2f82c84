package mcmc_test

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/mcmc"
)

// embedded inherits all methods of HMC, and those that return a kernel return the HMC inside.
type embedded struct{ mcmc.HMC }

// own embeds HMC, counts its steps, and says how it is adapted.
type own struct {
	mcmc.HMC
	steps *int
}

func (k own) Step(s *mcmc.State, t mcmc.Target, rng *rand.Rand) (mcmc.Info, error) {
	*k.steps++
	return k.HMC.Step(s, t, rng)
}

func (k own) WithStep(step float64) mcmc.Kernel { k.StepSize = step; return k }
func (k own) WithMass(m mcmc.Mass) mcmc.Kernel  { k.Mass = m; return k }

func (k own) Adaptation(mcmc.Warmup) mcmc.Adaptation { return nil }

// around runs another kernel.
type around struct {
	mcmc.Kernel
	steps *int
}

func (k around) Step(s *mcmc.State, t mcmc.Target, rng *rand.Rand) (mcmc.Info, error) {
	*k.steps++
	return k.Kernel.Step(s, t, rng)
}

func (k around) Inner() mcmc.Kernel                      { return k.Kernel }
func (k around) WithInner(inner mcmc.Kernel) mcmc.Kernel { k.Kernel = inner; return k }

// closed runs another kernel without exposing it.
type closed struct{ k mcmc.Kernel }

func (k closed) Validate() error { return k.k.Validate() }
func (k closed) Step(s *mcmc.State, t mcmc.Target, rng *rand.Rand) (mcmc.Info, error) {
	return k.k.Step(s, t, rng)
}

// User-defined kernels are adapted as what they are, or warm-up is refused: none is replaced by what it embeds.
func TestOwnKernels(t *testing.T) {
	x := normalBatch(8, 2, source(1))
	sample := func(k mcmc.Kernel, steps int) (*mcmc.Draws, error) {
		return mcmc.Sample(context.Background(), k, mcmc.Shared(gaussian(.1, 3)), x,
			mcmc.SampleConfig{Draws: 50, Warmup: mcmc.Warmup{Steps: steps}}, source(2))
	}
	for name, c := range map[string]struct {
		kernel mcmc.Kernel
		want   string
	}{
		"embedded": {embedded{}, "define WithStep"},
		"inside":   {mcmc.Jumping{Kernel: embedded{}, Proposal: blurred1{}}, "define WithStep"},
		"closed":   {closed{mcmc.HMC{StepSize: .1}}, "nothing of mcmc_test.closed can be adapted"},
		"langevin": {mcmc.Langevin{StepSize: .1}, "nothing of langevin can be adapted"},
		"baoab":    {mcmc.Annealed{Kernel: mcmc.BAOAB{StepSize: .1}}, "nothing of annealed can be adapted"},
	} {
		if _, err := sample(c.kernel, 100); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: warm-up: got %v, want an error with %q", name, err, c.want)
		}
	}
	steps := 0
	for name, k := range map[string]mcmc.Kernel{
		"own": own{steps: &steps}, "around": around{mcmc.NUTS{}, &steps},
		"around own": around{own{steps: new(int)}, &steps},
		"tempered":   mcmc.Tempering{Kernel: own{steps: &steps}},
	} {
		steps = 0
		d, err := sample(k, 200)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if steps < 250 {
			t.Errorf("%s: its Step was called %d times, want at least 250", name, steps)
		}
		g := mcmc.Diagnose(d, nil)
		if p := g.AcceptProb; p < .6 || p > .999 {
			t.Errorf("%s: acceptance %.3f at step %.3g, want that of an adapted step", name, p, g.StepSize)
		}
		inner := d.Kernels[0]
		for {
			o, ok := inner.(mcmc.Outer)
			if !ok {
				break
			}
			inner = o.Inner()
		}
		if m := inner.(mcmc.Massive).Inertia(); (m == nil) != (name == "tempered") {
			t.Errorf("%s: mass %v", name, m)
		}
	}
	if got := mcmc.Name(embedded{}); got != "mcmc_test.embedded" {
		t.Errorf("a kernel that embeds HMC is told as %q", got)
	}
	if d, err := sample(embedded{mcmc.HMC{StepSize: .1}}, 0); err != nil || d.Kept != 50 {
		t.Errorf("without a warm-up: %v", err)
	}
}

// blurred1 is a proposal.
type blurred1 struct{}

func (blurred1) Sample(dst *mat.Dense, rng *rand.Rand) {
	for i := range dst.RawMatrix().Data {
		dst.RawMatrix().Data[i] = rng.NormFloat64()
	}
}

func (blurred1) LogProb(dst []float64, x *mat.Dense) {
	for i := range dst {
		dst[i] = -mat.Dot(x.RowView(i), x.RowView(i)) / 2
	}
}

type cloned struct {
	mcmc.RowFunc
	clones *int
}

func (c cloned) Clone() cloned { *c.clones++; return c }

// Cloned hands each worker a clone.
func TestCloned(t *testing.T) {
	clones := 0
	targets := mcmc.Cloned(cloned{gaussian(), &clones})
	if _, err := mcmc.Sample(context.Background(), mcmc.NUTS{StepSize: .5}, targets, normalBatch(64, 2, source(1)),
		mcmc.SampleConfig{Draws: 5, Block: 16, Workers: 3}, source(1)); err != nil {
		t.Fatal(err)
	}
	if clones != 3 {
		t.Errorf("got %d clones for 3 workers", clones)
	}
}

// silent is random-walk Metropolis with the minimum that a kernel needs: a step, and the mean acceptance of all
// chains.
type silent struct{ step float64 }

func (silent) Validate() error                     { return nil }
func (k silent) Tuning() mcmc.Tuning               { return mcmc.Tuning{StepSize: k.step, Accept: .3} }
func (k silent) WithStep(step float64) mcmc.Kernel { return silent{step} }

func (k silent) Step(s *mcmc.State, t mcmc.Target, rng *rand.Rand) (mcmc.Info, error) {
	if err := s.Refresh(t); err != nil {
		return mcmc.Info{}, err
	}
	n, d := s.X.Dims()
	y, e, g := mat.NewDense(n, d, nil), make([]float64, n), mat.NewDense(n, d, nil)
	for i := range y.RawMatrix().Data {
		y.RawMatrix().Data[i] = s.X.RawMatrix().Data[i] + k.step*rng.NormFloat64()
	}
	if err := t.EnergyGrad(e, g, y); err != nil {
		return mcmc.Info{}, err
	}
	info := mcmc.Info{Evaluations: n}
	for i := range e {
		info.AcceptProb += min(1, math.Exp(s.Energy[i]-e[i])) / float64(n)
		if -rng.ExpFloat64() < s.Energy[i]-e[i] {
			s.X.SetRow(i, y.RawRowView(i))
			s.Grad.SetRow(i, g.RawRowView(i))
			s.Energy[i] = e[i]
		}
	}
	return info, nil
}

// A kernel that reports nothing about single chains is adapted by what it reports about all, alone and by levels of
// temperature, and is not reported as stuck.
func TestSilentKernel(t *testing.T) {
	for _, k := range []mcmc.Kernel{silent{}, mcmc.Tempering{Kernel: silent{}}, mcmc.Annealed{Kernel: silent{}}} {
		d, err := mcmc.Sample(context.Background(), k, mcmc.Shared(gaussian()), normalBatch(32, 2, source(1)),
			mcmc.SampleConfig{Draws: 300, Warmup: mcmc.Warmup{Steps: 200}}, source(2))
		if err != nil {
			t.Fatal(err)
		}
		g := mcmc.Diagnose(d, nil)
		if g.AcceptProb < .2 || g.AcceptProb > .45 || !(g.StepSize > .3) {
			t.Errorf("%T: acceptance %.3f at step %.3g, want about 0.3", k, g.AcceptProb, g.StepSize)
		}
		for _, w := range g.Warnings() {
			if strings.Contains(w, "moved in") {
				t.Errorf("%T: %s", k, w)
			}
		}
	}
	d, err := mcmc.Sample(context.Background(), silent{1e-300}, mcmc.Shared(gaussian()), normalBatch(4, 2, source(1)),
		mcmc.SampleConfig{Draws: 100}, source(2))
	if err != nil || d.Stats[0].Accepted > 1 {
		t.Errorf("a chain that stands still moved %d times, %v", d.Stats[0].Accepted, err)
	}
}
