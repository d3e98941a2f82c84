package objectives

import (
	"errors"
	"fmt"
	"sort"
	"strings"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/energy"
)

// Info describes an objective for people.
type Info struct {
	Name    string
	Summary string // one line
	Bias    string // what it learns other than the density of the data; "" if nothing
	Source  string // paper
	Score   bool   // it matches scores: E must be smooth, and is blind to the weights of modes that do not touch
	LogZ    bool   // it learns the normaliser
}

type entry struct {
	Info
	whole bool // its loss is not a mean over single points; it knows a bridge itself
	bias  func(c Config) string
	make  func(e energy.Energy, p *energy.Params, c Config) (Form, error)
}

var registry = map[string]entry{}

func register(e entry) { registry[e.Name] = e }

// Names returns the names of all objectives, sorted.
func Names() []string {
	var names []string
	for n := range registry {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// Describe returns what is to be said of an objective with this configuration.
func Describe(name string, cfg Config) (Info, error) {
	e, ok := registry[name]
	if !ok {
		return Info{}, unknown(name)
	}
	info := e.Info
	var parts []string
	if e.bias != nil {
		parts = append(parts, e.bias(cfg.withDefaults()))
	}
	if len(cfg.Regularizers) > 0 {
		parts = append(parts, "regularisers move the minimum")
	}
	info.Bias = strings.Join(parts, "; ")
	return info, nil
}

func unknown(name string) error {
	return fmt.Errorf("objectives: no objective %q; there are %s", name, strings.Join(Names(), ", "))
}

// New compiles the objective of that name for the energy e with parameters p. It refuses what cannot work, with the reason
// and the remedy. What it returns is an [*Engine] or behaves like one: it implements [Stateful], and [Evaluator] where
// auxiliary inputs are to be given.
func New(name string, e energy.Energy, p *energy.Params, cfg Config) (Objective, error) {
	ent, ok := registry[name]
	if !ok {
		return nil, unknown(name)
	}
	if err := errors.Join(cfg.validate(), energy.CheckParams(e, p)); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	if cfg.Data != nil {
		if _, d := cfg.Data.Dims(); d != e.Dim() {
			return nil, fmt.Errorf("objectives: Config.Data has dimension %d, the energy %d", d, e.Dim())
		}
	}
	if err := energy.Smooth(e); ent.Score && err != nil {
		return nil, fmt.Errorf("objectives: %s differentiates the score, and %w; choose silu, tanh, softplus or gelu", name, err)
	}
	bridge, ok := e.(*energy.Bridge)
	if !ok {
		return ent.compile(e, p, cfg)
	}
	if err := fits(name, ent.Score, bridge.Config(), cfg); err != nil {
		return nil, err
	}
	f, err := ent.make(e, p, cfg)
	if err != nil {
		return nil, err
	}
	if !ent.whole {
		weight := 1.0
		if w, ok := f.(interface{ weight() float64 }); ok { // a multiple of half the Fisher divergence
			weight = w.weight()
		}
		f = bridged{f, newBackground(e), weight}
	}
	return compile(f, bridge.Mixed(), bridge, p, cfg)
}

// compile makes the form and compiles it.
func (ent entry) compile(e energy.Energy, p *energy.Params, cfg Config) (*Engine, error) {
	f, err := ent.make(e, p, cfg)
	if err != nil {
		return nil, err
	}
	return Compile(f, e, p, cfg)
}

// Evaluator is an objective whose loss can be computed with given auxiliary inputs: what tests of published values need.
type Evaluator interface {
	Objective
	Evaluate(grad []float64, x *mat.Dense, in Inputs) (Stats, error)
	InputSpecs() []Input
	Draws() Inputs
}

var _ Evaluator = (*Engine)(nil)

func init() {
	const hyvarinen = "Hyvärinen 2005"
	register(entry{
		Info: Info{Name: "sm", Score: true, Summary: "score matching with the exact Hessian trace", Source: hyvarinen},
		make: func(energy.Energy, *energy.Params, Config) (Form, error) { return scoreMatching{}, nil },
	})
	sliced := func(name, input, summary, source string, project bool) {
		register(entry{
			Info: Info{Name: name, Score: true, Summary: summary, Source: source},
			make: func(_ energy.Energy, _ *energy.Params, c Config) (Form, error) {
				return slicedMatching{input, c.Slices, c.Projection, project}, nil
			},
		})
	}
	sliced("sm-hutchinson", "eps", "score matching with Hutchinson's estimate of the trace", hyvarinen, false)
	sliced("ssm", "v", "sliced score matching", "Song et al. 2019", true)
	sliced("ssm-vr", "v", "sliced score matching with the full norm, of less variance", "Song et al. 2019", false)
	register(entry{
		Info: Info{Name: "fd-ssm", Score: true, Summary: "sliced score matching from energy differences", Source: "Pang et al. 2020"},
		bias: func(c Config) string {
			return fmt.Sprintf("differences over steps of %g: an error of the order of the step squared", fdStep(c))
		},
		make: newFiniteDifference,
	})
	register(entry{
		Info: Info{Name: "dsm", Score: true, Summary: "denoising score matching", Source: "Vincent 2011"},
		bias: func(c Config) string {
			return fmt.Sprintf("learns the density of the data blurred by sigma = %g", c.Sigma)
		},
		make: func(_ energy.Energy, _ *energy.Params, c Config) (Form, error) {
			if !(c.Sigma > 0) {
				return nil, fmt.Errorf("objectives: dsm needs sigma > 0, got %g: without noise there is nothing to denoise; try a tenth of the data's finest detail, or sm", c.Sigma)
			}
			return denoising{c.Sigma, c.Weighted, c.Paired}, nil
		},
	})
	register(entry{
		Info: Info{Name: "dsm-multi", Score: true, Summary: "denoising score matching at many noise levels, for annealed sampling", Source: "Song and Ermon 2019"},
		bias: func(Config) string {
			return "learns the data blurred at every level; the energy of the smallest is reported"
		},
		make: func(e energy.Energy, _ *energy.Params, cfg Config) (Form, error) {
			c, ok := e.(energy.Conditional)
			if !ok {
				return nil, errors.New("objectives: dsm-multi needs an energy conditioned on the noise level; wrap a network of d+1 variables by energy.NewAnnealable")
			}
			return newMultiDenoising(c, cfg), nil
		},
	})
	register(entry{
		Info: Info{Name: "nce", LogZ: true, Summary: "noise contrastive estimation with a learnt normaliser", Source: "Gutmann and Hyvärinen 2010"},
		make: func(_ energy.Energy, _ *energy.Params, c Config) (Form, error) {
			q, err := c.noise()
			if err != nil {
				return nil, err
			}
			return &noiseContrastive{q: q, k: or(c.NoiseRatio, 1), normal: logZ{fixed: c.FixLogZ}}, nil
		},
	})
	register(entry{
		Info: Info{Name: "flow-nce", LogZ: true, Summary: "noise contrastive estimation against a flow that learns the data", Source: "Gao et al. 2020"},
		make: func(_ energy.Energy, _ *energy.Params, c Config) (Form, error) {
			if c.Data == nil {
				return nil, errors.New("objectives: flow-nce centres its flow on data: set Config.Data")
			}
			f, err := newFlow(c.Data, 4, or(c.CriticSize, 32), c.rng())
			if err != nil {
				return nil, err
			}
			return &flowContrastive{flow: f, k: or(c.NoiseRatio, 1), adv: c.Adversary, rate: or(c.CriticRate, 1e-3), normal: logZ{fixed: c.FixLogZ}}, nil
		},
	})
	register(entry{
		Info: Info{Name: "cnce", Summary: "conditional noise contrastive estimation", Source: "Ceylan and Gutmann 2018"},
		make: func(_ energy.Energy, _ *energy.Params, c Config) (Form, error) {
			return conditionalContrastive{or(c.Sigma, 0.75*c.spread()), jumpsOf{c.Data}}, nil
		},
	})
	register(entry{
		Info: Info{Name: "mpf", Summary: "minimum probability flow to random neighbours", Source: "Sohl-Dickstein et al. 2011"},
		make: func(_ energy.Energy, _ *energy.Params, c Config) (Form, error) {
			return probabilityFlow{neighbourhood{or(c.Sigma, 0.5*c.spread()), or(c.NoiseRatio, 1)}, jumpsOf{c.Data}}, nil
		},
	})
	register(entry{
		Info: Info{Name: "ed", Summary: "energy discrepancy with Gaussian perturbation", Source: "Schröder et al. 2023"},
		make: func(_ energy.Energy, _ *energy.Params, c Config) (Form, error) {
			return discrepancy{neighbourhood{or(c.Sigma, 0.75*c.spread()), or(c.NoiseRatio, 16)}}, nil
		},
	})
	register(entry{
		whole: true,
		Info:  Info{Name: "ksd", Score: true, Summary: "kernel Stein discrepancy", Source: "Liu et al. 2016"},
		make: func(e energy.Energy, p *energy.Params, c Config) (Form, error) {
			if c.Batch < 2 {
				return nil, fmt.Errorf("objectives: ksd compares pairs: a batch of %d, want at least 2", c.Batch)
			}
			return newKernelStein(e, p, c)
		},
	})
	register(entry{
		whole: true,
		Info:  Info{Name: "lsd", Score: true, Summary: "Stein discrepancy with a learnt critic", Source: "Grathwohl et al. 2020"},
		bias:  func(Config) string { return "as far as the critic lags behind its optimum" },
		make: func(e energy.Energy, p *energy.Params, c Config) (Form, error) {
			return newLearnedStein(e, p, c)
		},
	})
	chains := func(name, summary, source, bias string, steps int, src func(m mover, e energy.Energy, c Config) (negatives, error)) {
		register(entry{
			Info: Info{Name: name, Summary: summary, Source: source},
			bias: func(c Config) string {
				b := fmt.Sprintf(bias, or(c.Steps, steps))
				if or(c.Steps, steps) == 1 {
					b = strings.Replace(b, "1 steps", "1 step", 1)
				}
				if c.Alpha > 0 {
					b += fmt.Sprintf("; alpha = %g pulls energies to zero", c.Alpha)
				}
				return b
			},
			make: func(e energy.Energy, p *energy.Params, c Config) (Form, error) {
				m, err := c.mover(e, p, steps)
				if err != nil {
					return nil, err
				}
				s, err := src(m, e, c)
				if err != nil {
					return nil, err
				}
				return &likelihood{alpha: c.Alpha, src: s}, nil
			},
		})
	}
	chains("cd", "contrastive divergence", "Hinton 2002", "chains of %d steps from the data have not mixed", 1,
		func(m mover, _ energy.Energy, _ Config) (negatives, error) { return &fromData{m}, nil })
	chains("pcd", "maximum likelihood with persistent chains", "Tieleman 2008", "as far as persistent chains, %d steps per gradient, lag behind the model", 1,
		func(m mover, e energy.Energy, c Config) (negatives, error) {
			return &persistent{mover: m, chains: mat.NewDense(c.Batch, e.Dim(), nil)}, nil
		})
	chains("ml", "maximum likelihood with a replay buffer", "Du and Mordatch 2019", "as far as replayed chains, %d steps per gradient, lag behind the model", 10, newLikelihood)
}

func fdStep(c Config) float64 {
	if c.Epsilon > 0 {
		return c.Epsilon
	}
	if c.Precision == energy.Float64 {
		return 1e-3
	}
	return 0.02
}

// least steps of fd-ssm: below them the second difference is mostly rounding.
const (
	leastStep32 = 3e-3
	leastStep64 = 1e-5
)

func newFiniteDifference(_ energy.Energy, _ *energy.Params, c Config) (Form, error) {
	eps, least := fdStep(c), leastStep32
	if c.Precision == energy.Float64 {
		least = leastStep64
	}
	if eps < least {
		return nil, fmt.Errorf("objectives: fd-ssm: a step of %g drowns in the rounding of %v; take at least %g, or ssm, which differentiates exactly", eps, c.Precision, least)
	}
	return finiteDifference{c.Slices, c.Projection, eps}, nil
}

func newLikelihood(m mover, e energy.Energy, c Config) (negatives, error) {
	slots := or(c.Buffer, max(10000, 10*c.Batch))
	if slots < c.Batch {
		return nil, fmt.Errorf("objectives: ml: a buffer of %d slots for a batch of %d: every row needs a slot of its own", slots, c.Batch)
	}
	restart := max(or(c.Restart, 0.05), 0)
	var fresh Noise
	if c.Noise != nil || c.Data != nil {
		if c.Noise != nil {
			fresh = c.Noise
		} else {
			fresh = BoxOf(c.Data, 0.25)
		}
	}
	return newReplay(m, slots, c.Batch, e.Dim(), fresh, restart), nil
}
