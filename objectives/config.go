package objectives

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/mcmc"
)

// Config holds the settings of all objectives; each reads those that concern it. The zero value of a field means the
// default, but for those that an objective requires.
type Config struct {
	Batch        int              // points per batch; 0 means 128
	Precision    energy.Precision // of the graph; zero is float32
	Threads      int              // 0 means 1
	Seed         uint64           // of what an objective initialises itself: critics, flows
	Regularizers []Regularizer    // penalties, for any objective

	// Data are points of the training set, at least some hundred, to which noises are fitted: nce, flow-nce, jumps.
	Data *mat.Dense

	// Sigma is the standard deviation of the perturbation, in units of x. dsm requires it. For cnce and ed 0 means 0.75, for
	// mpf 0.5 times the largest standard deviation of Data (1 without Data): large enough to reach from mode to mode.
	Sigma      float64
	Paired     bool       // dsm, dsm-multi: every noise with its negative: of less scatter the smaller sigma is, at twice the price
	Floor      float64    // dsm-multi: δ in the weights δ √(σ² + δ²) of the levels, 0 is σ²; about the finest detail of the data, or somewhat more
	Focus      float64    // dsm-multi: share in [0, 1) of the points that get the smallest level instead of that of their turn
	Weighted   bool       // dsm: times σ²
	Slices     int        // sm-hutchinson, ssm, ssm-vr, fd-ssm: directions per point; 0 means 1
	Projection Projection // law of the directions; "" means rademacher
	Epsilon    float64    // fd-ssm: length of the step; 0 means 0.02 in float32 and 0.001 in float64

	Noise      Noise   // nce and jumps; nil means NewNoise(NoiseName, Data)
	NoiseName  string  // gaussian (default), box, kde, mixture
	NoiseRatio int     // k: noise points per datum (nce, flow-nce: 0 means 1), neighbours per datum (mpf: 1, ed: 16)
	FixLogZ    bool    // nce, flow-nce: no learnt constant, E itself is to be normalised
	Adversary  float64 // flow-nce: weight a ≥ 0 of the contest in the loss of the flow

	Kernel   mcmc.Kernel // cd, pcd, ml: how chains move; nil means Langevin with StepSize
	Adjusted bool        // MALA instead of that Langevin, from StepSize on with a step that follows the acceptance
	StepSize float64     // in squared units of x; 0 means 0.001, short for Langevin's law to be that of a sharp energy
	Steps    int         // transitions per gradient; 0 means 10 for ml, 1 for cd and pcd
	Jumps    int         // cd, pcd, ml: proposals from the noise before them, accepted by Metropolis' rule; 0 means none
	Buffer   int         // ml: slots; 0 means 10000, or ten batches if that is more
	Restart  float64     // ml: probability of a fresh start, in [0, 1]; 0 means 0.05, negative none
	Alpha    float64     // ml, cd, pcd: weight α ≥ 0 of the squared energies

	Bandwidth  float64 // ksd: h in units of x; 0 means the distance of neighbours in the first batch
	CriticRate float64 // lsd, flow-nce: learning rate of critic (its first one) or flow; 0 means 0.001
	CriticSize int     // lsd: width of the critic's hidden layers, 0 means 64; flow-nce: of the flow's, 0 means 32
	CriticReps int     // lsd: critic steps per gradient; 0 means 5
	CriticL2   float64 // lsd: λ; 0 means 0.5
	CriticFeat int     // lsd: sines and cosines that the critic sees beside x, for sharp data; 0 means none
}

func (c Config) withDefaults() Config {
	if c.Batch == 0 {
		c.Batch = 128
	}
	if c.Threads == 0 {
		c.Threads = 1
	}
	if c.Slices == 0 {
		c.Slices = 1
	}
	return c
}

// spread returns the largest standard deviation of the data, 1 without data.
func (c Config) spread() float64 {
	if c.Data == nil {
		return 1
	}
	return or(energy.Spread(c.Data), 1)
}

// Recommended returns settings by which the objective of that name learns planar densities with separate modes, given
// points of the training set: noises and perturbations in proportion to the spread of the data, jumps for chains. Batch,
// precision, threads and seed are left to the caller. Objectives that match scores want an energy.Bridge around the network
// besides.
func Recommended(name string, data *mat.Dense) (Config, error) {
	if _, ok := registry[name]; !ok {
		return Config{}, unknown(name)
	}
	if data != nil && data.IsEmpty() {
		return Config{}, fmt.Errorf("objectives: settings for %s follow from data: there are none; give points, or nil for a deviation of 1", name)
	}
	cfg := Config{Data: data, NoiseName: "mixture"}
	switch name {
	case "dsm":
		cfg.Sigma, cfg.Paired = 0.00125*cfg.spread(), true
	case "dsm-multi":
		cfg.Paired, cfg.Floor, cfg.Focus = true, 0.1*cfg.spread(), 0.75
	case "lsd":
		cfg.CriticFeat, cfg.CriticSize, cfg.CriticRate = 32, 128, 2e-3
	case "nce":
		cfg.NoiseRatio = 2
	case "flow-nce", "mpf":
		cfg.NoiseRatio = 4
	case "ml", "cd", "pcd":
		cfg.Adjusted, cfg.Jumps, cfg.Steps, cfg.Restart = true, 4, 2, -1
	}
	return cfg, nil
}

func or[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

// validate names every field out of range, whether the objective reads it or not.
func (c Config) validate() error {
	var errs []error
	whole := func(name string, v int) {
		if v < 0 {
			errs = append(errs, fmt.Errorf("objectives: Config.%s = %d, want > 0", name, v))
		}
	}
	number := func(name string, v float64) {
		if !(v >= 0) || math.IsInf(v, 1) {
			errs = append(errs, fmt.Errorf("objectives: Config.%s = %g, want a finite number >= 0", name, v))
		}
	}
	whole("Batch", c.Batch)
	whole("Threads", c.Threads)
	whole("Slices", c.Slices)
	whole("NoiseRatio", c.NoiseRatio)
	whole("Steps", c.Steps)
	whole("Jumps", c.Jumps)
	whole("Buffer", c.Buffer)
	whole("CriticSize", c.CriticSize)
	whole("CriticReps", c.CriticReps)
	whole("CriticFeat", c.CriticFeat)
	number("Sigma", c.Sigma)
	number("Floor", c.Floor)
	number("Epsilon", c.Epsilon)
	number("Adversary", c.Adversary)
	number("StepSize", c.StepSize)
	number("Alpha", c.Alpha)
	number("Bandwidth", c.Bandwidth)
	number("CriticRate", c.CriticRate)
	number("CriticL2", c.CriticL2)
	if !(c.Focus >= 0 && c.Focus < 1) {
		errs = append(errs, fmt.Errorf("objectives: Config.Focus = %g, want in [0, 1)", c.Focus))
	}
	if !(c.Restart <= 1) {
		errs = append(errs, fmt.Errorf("objectives: Config.Restart = %g, want at most 1", c.Restart))
	}
	if c.Precision != energy.Float32 && c.Precision != energy.Float64 {
		errs = append(errs, fmt.Errorf("objectives: Config.Precision = %d, want Float32 or Float64", c.Precision))
	}
	if c.Data != nil && c.Data.IsEmpty() {
		errs = append(errs, errors.New("objectives: Config.Data has no points; give some, or nil"))
	}
	errs = append(errs, c.Projection.validate())
	if c.Kernel != nil {
		errs = append(errs, c.Kernel.Validate())
	}
	for i, r := range c.Regularizers {
		if r == nil {
			errs = append(errs, fmt.Errorf("objectives: Config.Regularizers[%d] is nil", i))
			continue
		}
		errs = append(errs, r.Validate())
	}
	return errors.Join(errs...)
}

// noise returns the configured noise.
func (c Config) noise() (Noise, error) {
	if c.Noise != nil {
		return c.Noise, nil
	}
	return NewNoise(c.NoiseName, c.Data)
}

func (c Config) rng() *rand.Rand { return rand.New(rand.NewPCG(c.Seed, 0x6f626a6563746976)) }

// mover returns the chains of cd, pcd and ml.
func (c Config) mover(e energy.Energy, p *energy.Params, steps int) (mover, error) {
	m := mover{kernel: c.Kernel, steps: or(c.Steps, steps), stale: p.Changed}
	if m.kernel == nil {
		h := or(c.StepSize, 0.001)
		m.kernel = mcmc.Langevin{StepSize: h}
		if c.Adjusted {
			m.tuned = &mcmc.MALA{StepSize: h}
			m.kernel = m.tuned
		}
	}
	eval, err := energy.NewEvaluator(e, p, energy.EvaluatorConfig{Batch: c.Batch, Precision: c.Precision, Threads: c.Threads})
	if err != nil {
		return m, err
	}
	m.target, m.energies = eval, eval.Energies
	if c.Jumps > 0 {
		q, err := c.noise()
		if err != nil {
			return m, err
		}
		m.jumps = newJumps(q, c.Jumps, c.Batch, e.Dim())
	}
	return m, nil
}
