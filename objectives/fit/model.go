package fit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/files"
	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/energy/safetensors"
	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/fit/rundir"
	"github.com/stheno-ebm/stheno/objectives/metrics"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// Model is an energy with its parameters and what it knows about its data. Points in and out are in the units of the
// data.
//
// Its methods compile what they need when first called; a Model must not be used by several goroutines at once, see
// Clone.
type Model struct {
	Config  Config         // complete
	Network energy.Energy  // in the units of the network; Energy is in those of the data
	Params  *energy.Params // live

	// Result is the outcome of training, nil for an opened model; Draw holds the samples drawn at its end.
	Result *Result
	Draw   *Draw

	data    *data
	density *Density
	logZ    *metrics.LogZ // measured once
	dir     *rundir.Dir   // nil if it has none
	notes   []string      // about weights from elsewhere

	compiled *evaluators // of Network, shared by copies of the model
}

// Notes returns remarks about the weights of an opened model that were written by another program.
func (m *Model) Notes() []string { return m.notes }

// aboutWeights names what a file holds besides weights, and the prefix of its names.
func aboutWeights(p *energy.Params, f *safetensors.File) (notes []string) {
	for _, o := range f.Others {
		notes = append(notes, fmt.Sprintf("%s (%s) is no weight and is not read", files.Quote(o.Name),
			files.Quote(string(o.DType))))
	}
	switch theirs, ours := p.Prefix(withoutMixtures(f)); {
	case theirs != "" && ours != "":
		notes = append(notes, fmt.Sprintf("the names of the weights begin with %s in place of %s", files.Quote(theirs),
			files.Quote(ours)))
	case theirs != "":
		notes = append(notes, fmt.Sprintf("the names of the weights begin with %s, which is taken off",
			files.Quote(theirs)))
	case ours != "":
		notes = append(notes, fmt.Sprintf("the names of the weights lack %s, which is put before them",
			files.Quote(ours)))
	}
	return notes
}

func assemble(c Config, d *data) (*Model, error) {
	e, err := c.build(c.Objective.Traits(), d)
	if err != nil {
		return nil, err
	}
	return &Model{Config: c, Network: e, Params: energy.Init(e, train.Stream(c.Seed, "init")), data: d,
		compiled: newEvaluators()}, nil
}

// Open loads the model of a run directory. The data on which it was trained need not be there, except for
// [Model.Evaluate].
func Open(path string) (*Model, error) { return OpenContext(context.Background(), path, nil) }

// OpenContext is Open with a context, for a run on src: a source without a name, or nil.
func OpenContext(ctx context.Context, path string, src Source) (*Model, error) {
	dir, err := rundir.Open(path)
	if err != nil {
		return nil, err
	}
	return await(ctx, func() (*Model, error) { return open(ctx, dir, src) })
}

func open(ctx context.Context, dir *rundir.Dir, src Source) (*Model, error) {
	c, err := ReadConfig(dir)
	if err != nil {
		return nil, err
	}
	f, err := load(dir, rundir.Model)
	if err != nil {
		return nil, err
	}
	d, err := storedData(ctx, dir, f, &c, src)
	if err != nil {
		return nil, err
	}
	m, err := assemble(c, d)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir.File(rundir.Config), err)
	}
	m.dir = dir
	m.notes = aboutWeights(m.Params, f)
	if err := m.Params.Load(withoutMixtures(f)); err != nil {
		return nil, &rundir.FileError{Path: dir.File(rundir.Model),
			Err: fmt.Errorf("%s: %w", dir.File(rundir.Model), err)}
	}
	return m, nil
}

// storedData returns the data of the model in f. Weights from elsewhere do not have it; then it is derived from the
// source again.
func storedData(ctx context.Context, dir *rundir.Dir, f *safetensors.File, c *Config, src Source) (*data, error) {
	g, err := parseGeometry(f.Metadata)
	if errors.Is(err, errNoGeometry) {
		if src == nil {
			if src, err = c.OpenData(ctx, nil); err != nil {
				return nil, gone(c.Dataset, err)
			}
		}
		d, err := newData(ctx, src, c)
		if err != nil {
			return nil, err
		}
		return d, d.blur(ctx, c)
	}
	if err == nil && c.Bridge > 0 {
		if g.Bridge, err = g.mixture(f, bridgeName); err == nil && g.Odds != oddsForm {
			err = errOdds
		}
	}
	if err == nil && c.Base == On {
		if g.Base, err = g.base(f); err == nil {
			err = g.mix()
		}
		if err == nil {
			g.Warped, err = energy.ReadWarped(f, warpName, g.Base)
		}
	}
	if err != nil {
		return nil, &rundir.FileError{Path: dir.File(rundir.Model),
			Err: fmt.Errorf("%s: %w", dir.File(rundir.Model), err)}
	}
	starts, err := load(dir, rundir.Data)
	if err != nil {
		return nil, err
	}
	if c.tilts(&g) {
		return stored(ctx, c, g, src), nil
	}
	if g.Background, err = g.mixture(starts, startsName); err != nil {
		return nil, &rundir.FileError{Path: dir.File(rundir.Data),
			Err: fmt.Errorf("%s: %w", dir.File(rundir.Data), err)}
	}
	return stored(ctx, c, g, src), nil
}

// Dir returns the run directory of the model, nil if it has none.
func (m *Model) Dir() *rundir.Dir { return m.dir }

// Dim returns the number of columns of the data.
func (m *Model) Dim() int { return m.data.Dim }

// Names returns the names of the columns, nil if they have none.
func (m *Model) Names() []string { return m.data.Names }

// Box returns the corners of a box around the data. The caller owns the slices.
func (m *Model) Box() (lo, hi []float64) { return m.data.box() }

// DataSum is what the file of the data is known by, see the function DataSum; "" for distributions.
func (m *Model) DataSum() string { return m.data.Sum }

// Truth returns the source of the data, nil if they are no longer there; Gone says why, and what helps.
func (m *Model) Truth() Source { return m.data.truth }

// Gone returns the reason why Truth is nil; nil if it is not.
func (m *Model) Gone() error { return m.data.gone }

// Save writes the model to a new run directory: its settings, its weights, and what else [Open] needs. The folder must
// be new or empty.
func (m *Model) Save(path string) error {
	if err := m.Config.storable(); err != nil {
		return err
	}
	dir, err := rundir.Create(path, m.Config.Dataset, m.Config.Name)
	if err != nil {
		return err
	}
	defer dir.Unlock()
	if err := m.Config.Store(dir); err != nil {
		return err
	}
	return m.write(dir)
}

// write writes weights and starts.
func (m *Model) write(dir *rundir.Dir) error {
	starts, err := m.starts()
	if err != nil {
		return err
	}
	weights, err := m.weights()
	if err != nil {
		return err
	}
	return errors.Join(dir.Write(rundir.Data, starts), dir.Write(rundir.Model, weights))
}

// storable refuses an objective that the settings in a config.json do not make again.
func (c *Config) storable() error {
	if len(c.unstored) == 0 {
		return nil
	}
	return &RefusedError{c.Name,
		fmt.Errorf(
			"config.json cannot hold its %s, and a resumed run would go on with something else: "+
				"register the method under a name of its own (objectives.Register) for Config.Name, or write no run directory",
			strings.Join(c.unstored, " and "))}
}

// Store writes config.json, so that another program can read it.
func (c *Config) Store(dir *rundir.Dir) error {
	if _, err := objectives.ByName(c.Name); err != nil {
		return &UnknownError{Key: objectiveKey, Name: c.Name, Known: objectives.Names()}
	}
	b, err := c.MarshalConfig()
	if err != nil {
		return err
	}
	return dir.Write(rundir.Config, b)
}

// precision returns the precision of the compiled graphs.
func (m *Model) precision() energy.Precision {
	p, err := energy.ParsePrecision(m.Config.Precision)
	if err != nil {
		panic(err) // settings were validated
	}
	return p
}

// Evaluator returns an evaluator of the energy, in the units of the network, for batches of the given size. The energy
// is compiled once for each size; several goroutines may call it at once.
func (m *Model) Evaluator(p *energy.Params, batch int) (*energy.Evaluator, error) {
	return m.evaluator(p, batch, m.Config.cores())
}

// alone returns clones of one evaluator with a single thread, since blocks of chains run in parallel.
func (m *Model) alone(batch int) (mcmc.Targets, error) {
	ev, err := m.evaluator(m.Params, batch, 1)
	if err != nil {
		return nil, err
	}
	return mcmc.Cloned(ev), nil
}

func (m *Model) evaluator(p *energy.Params, batch, threads int) (*energy.Evaluator, error) {
	cfg := energy.EvaluatorConfig{Batch: batch, Precision: m.precision(), Threads: threads}
	m.compiled.Lock()
	defer m.compiled.Unlock()
	if known := m.compiled.by[cfg]; known != nil {
		return known.With(p)
	}
	ev, err := energy.NewEvaluator(m.Network, p, cfg)
	if err != nil {
		return nil, err
	}
	m.compiled.by[cfg] = ev.Clone() // never called, so it allocates no buffers
	return ev, nil
}

// evaluators holds the evaluators from which others are cloned.
type evaluators struct {
	sync.Mutex
	by map[energy.EvaluatorConfig]*energy.Evaluator
}

func newEvaluators() *evaluators {
	return &evaluators{by: map[energy.EvaluatorConfig]*energy.Evaluator{}}
}

// Clone returns a model of the same parameters for another goroutine. It compiles nothing that m has compiled. With
// mcmc.Cloned a model is a target of any number of workers.
func (m *Model) Clone() *Model {
	c := *m
	c.density = nil
	return &c
}

// Density is the energy as a function of points in the units of the data.
type Density struct {
	eval *energy.Evaluator
	data *data
	z    *mat.Dense
	busy atomic.Bool
}

const errBusy = "fit: a Model, or its Density, is called by two goroutines at a time: give each of them its " +
	"own, made by Clone; mcmc.Cloned instead of mcmc.Shared does so"

// Density compiles the energy with parameters p, which may be a copy of the model's, for use on points of the data. It
// accepts batches of any size, and must not be used by several goroutines at once.
func (m *Model) Density(p *energy.Params) (*Density, error) {
	ev, err := m.Evaluator(p, 1024)
	if err != nil {
		return nil, err
	}
	return &Density{eval: ev, data: m.data}, nil
}

// Energy stores −log p up to a constant for every row of x.
func (d *Density) Energy(e []float64, x *mat.Dense) error { return d.EnergyGrad(e, nil, x) }

// EnergyGrad stores the energies and, unless grad is nil, their gradients in x. With z = (x−m)/s it is
// E(z) + Σ log s and (∂E/∂z)/s, so that exp(−E) keeps its integral.
func (d *Density) EnergyGrad(e []float64, grad, x *mat.Dense) error {
	if !d.busy.CompareAndSwap(false, true) {
		panic(errBusy)
	}
	defer d.busy.Store(false)
	if d.data.Scaler == nil {
		return d.eval.EnergyGrad(e, grad, x)
	}
	n, dim := x.Dims()
	if d.z == nil || d.z.RawMatrix().Rows != n {
		d.z = mat.NewDense(n, dim, nil)
	}
	d.z.Copy(x)
	d.data.Scaler.Apply(d.z, d.z)
	if err := d.eval.EnergyGrad(e, grad, d.z); err != nil {
		return err
	}
	floats.AddConst(d.data.logScale(), e)
	if grad != nil {
		d.data.Scaler.Pullback(grad, grad)
	}
	return nil
}

// own returns the density with the live parameters.
func (m *Model) own() (*Density, error) {
	if m.density == nil {
		var err error
		if m.density, err = m.Density(m.Params); err != nil {
			return nil, err
		}
	}
	return m.density, nil
}

// EnergyGrad stores E(x_i) in e and, unless grad is nil, ∇E(x_i) in the rows of grad: the model is an mcmc.Target. It
// is the energy of a point, not of a cell, also where columns are discrete.
func (m *Model) EnergyGrad(e []float64, grad, x *mat.Dense) error {
	if _, d := x.Dims(); d != m.data.Dim {
		return fmt.Errorf("fit: points of %d columns, the model wants %d", d, m.data.Dim)
	}
	d, err := m.own()
	if err != nil {
		return err
	}
	return d.EnergyGrad(e, grad, x)
}

// Energy stores E of the rows of x in dst: −log p up to log Z, in nats; in discrete columns of the cells of their
// values.
func (m *Model) Energy(dst []float64, x *mat.Dense) error {
	if len(m.data.Cells) == 0 {
		return m.EnergyGrad(dst, nil, x)
	}
	if _, d := x.Dims(); d != m.data.Dim {
		return m.EnergyGrad(dst, nil, x) // which says so
	}
	return m.data.Cells.overCells(dst, x, func(dst []float64, x *mat.Dense) error { return m.EnergyGrad(dst, nil, x) })
}

// LogProb stores log p = −E − log Z of the rows of x in dst, E by [Model.Energy]. log Z is measured at the first call,
// see [Model.LogZ].
func (m *Model) LogProb(ctx context.Context, dst []float64, x *mat.Dense) error {
	z, err := m.LogZ(ctx)
	if err != nil {
		return err
	}
	if err := m.Energy(dst, x); err != nil {
		return err
	}
	for i := range dst {
		dst[i] = -dst[i] - z.Value
	}
	return nil
}

// Score stores ∇ log p = −∇E of the rows of x in the rows of dst.
func (m *Model) Score(dst, x *mat.Dense) error {
	n, _ := x.Dims()
	if err := m.EnergyGrad(make([]float64, n), dst, x); err != nil {
		return err
	}
	dst.Scale(-1, dst)
	return nil
}

// bias says what the objective of the model learns other than the density of the data, "" if nothing.
func (m *Model) bias() string {
	c, traits := &m.Config, m.Config.Objective.Traits()
	var parts []string
	if traits.Bias != "" {
		parts = append(parts, traits.Bias)
	}
	if c.EnergyL2 > 0 || c.GradientPenalty > 0 {
		parts = append(parts, "regularisers move the minimum")
	}
	if c.Smooth > 0 {
		parts = append(
			parts, fmt.Sprintf("learns the density of the points, blurred by %g of the scatter of their neighbours",
				c.Smooth))
	}
	if traits.Bridge && c.Bridge == 0 && traits.Levels == nil && c.Base != On {
		parts = append(parts, "blind to the weights of modes that do not touch; a bridge shows them")
	}
	if c.SpectralNorm > 0 {
		parts = append(parts, fmt.Sprintf("slopes are bounded by layers of spectral norm %g", c.SpectralNorm))
	}
	if c.WeightDecay > 0 && c.Base != On {
		parts = append(parts, "weight decay moves the minimum")
	}
	return strings.Join(parts, "; ")
}
