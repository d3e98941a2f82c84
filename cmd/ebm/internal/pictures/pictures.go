// Package pictures draws a run: panel, animation, diagnostics, chains.
package pictures

import (
	"bytes"
	"context"
	"io"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/objectives/fit"
	"github.com/stheno-ebm/stheno/objectives/fit/rundir"
	"github.com/stheno-ebm/stheno/objectives/train"
	"github.com/stheno-ebm/stheno/viz"
)

const gridNodes = 101 // of the energy grid, along each axis

// Pictures draws a run.
type Pictures struct {
	Model   *fit.Model // with a run directory
	Samples *mat.Dense // nil: read from the run directory, if it has some
	Style   *viz.Style // nil means viz.Light
	Columns []int      // of pairs; nil: the first
}

// title names the data and the objective.
func (p *Pictures) title() string {
	return filepath.Base(p.Model.Config.Dataset) + " · " + p.Model.Config.Name
}

func (p *Pictures) dir() *rundir.Dir { return p.Model.Dir() }

// OfRun draws the final pictures of every run to its directory: the panel, in two dimensions the animation, in more
// the pairs of columns.
func OfRun(ctx context.Context, m *fit.Model) error {
	p := &Pictures{Model: m}
	if m.Draw != nil {
		p.Samples = m.Draw.X
	}
	var b bytes.Buffer
	pic, err := p.panel()
	if err == nil {
		err = viz.Encode(&b, filepath.Ext(rundir.Panel), pic)
	}
	if err == nil {
		err = p.dir().Write(rundir.Panel, b.Bytes())
	}
	if err == nil && m.Dim() > 2 {
		err = p.writePairs()
	}
	if err != nil || m.Config.Frames == 0 || m.Dim() != 2 {
		return err
	}
	b.Reset()
	anim, err := p.animation(ctx)
	if err == nil {
		err = anim.Encode(&b)
	}
	if err != nil {
		return err
	}
	return p.dir().Write(rundir.Animation, b.Bytes())
}

// Data returns points of a model's data to show, nil if there are none.
func Data(m *fit.Model, n int) mat.Matrix {
	if m.Truth() == nil {
		return nil
	}
	x := mat.NewDense(n, m.Dim(), nil)
	m.Truth().Sample(x, train.Stream(m.Config.Seed, "picture"))
	return x
}

// curves reads the loss and the KL from the records.
func (p *Pictures) curves() (loss, kl viz.Series, err error) {
	if err := p.dir().Check(rundir.Metrics); err != nil {
		return loss, kl, err
	}
	records, err := fit.Records(p.dir())
	if err != nil {
		return loss, kl, err
	}
	loss.Name, kl.Name = "loss", "KL (nats)"
	for _, r := range records {
		if r.Event != "" {
			continue
		}
		loss.X, loss.Y = append(loss.X, float64(r.Step)), append(loss.Y, r.Loss)
		if v, ok := r.Values["kl"]; ok {
			kl.X, kl.Y = append(kl.X, float64(r.Step)), append(kl.Y, v)
		}
	}
	return loss, kl, nil
}

// panel returns the picture of the run in its current state.
func (p *Pictures) panel() (*viz.Panel, error) {
	s := p.Model.Config
	loss, kl, err := p.curves()
	if err != nil {
		return nil, err
	}
	pic := &viz.Panel{Title: p.title(), Data: Data(p.Model, 3000), Names: p.Model.Names(),
		Steps: s.Steps, Step: s.Steps, Style: p.Style}
	samples, err := p.readSamples()
	if err != nil {
		return nil, err
	}
	if samples != nil {
		pic.Samples = samples
	}
	if n := len(loss.X); n > 0 {
		pic.Loss, pic.Step, pic.Steps = []viz.Series{loss}, int(loss.X[n-1]), p.steps(loss)
	}
	if pic.Note, err = p.comparison(); err != nil {
		return nil, err
	}
	if len(kl.X) > 0 {
		pic.Other = []viz.Series{kl}
	}
	if p.Model.Dim() != 2 {
		return pic, nil
	}
	pic.Energy, err = p.energy()
	return pic, err
}

// energy returns the energy on a grid.
func (p *Pictures) energy() (*viz.Grid, error) {
	density, err := p.Model.Density(p.Model.Params)
	if err != nil {
		return nil, err
	}
	g := p.grid()
	return g, g.Eval(density.Energy)
}

// grid returns an empty grid over the box of the data.
func (p *Pictures) grid() *viz.Grid {
	lo, hi := p.Model.Box()
	return viz.NewGrid(lo, hi, gridNodes)
}

// Animation draws the course of training to a .gif, or to a folder of frames: a panel for every frame, with samples
// drawn from the energy on the grid by the same random numbers.
func (p *Pictures) Animation(ctx context.Context, path string) error {
	anim, err := p.animation(ctx)
	if err != nil {
		return err
	}
	return saveFrames(anim, path)
}

// saveFrames writes an animation to a .gif, or, if the path has no extension, its frames one by one to a folder.
func saveFrames(a interface {
	Save(path string) error
	SaveFrames(dir string) error
}, path string) error {
	if filepath.Ext(path) == "" {
		return a.SaveFrames(path)
	}
	return a.Save(path)
}

func (p *Pictures) animation(ctx context.Context) (*viz.Animation, error) {
	s := p.Model.Config
	if err := p.dir().Check(rundir.Frames); err != nil {
		return nil, err
	}
	frames, err := p.dir().ReadFrames(p.Model.Params.Len())
	if err != nil {
		return nil, err
	}
	if len(frames) == 0 {
		return nil, exit.Usagef("%s has no frames to animate; train with --frames N", p.dir().Path)
	}
	loss, kl, err := p.curves()
	if err != nil {
		return nil, err
	}
	params := p.Model.Params.Clone()
	density, err := p.Model.Density(params)
	if err != nil {
		return nil, err
	}
	data, grid := Data(p.Model, 1200), p.grid()
	points := grid.Points()
	anim := new(viz.Animation)
	for _, f := range frames {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		params.Set(f.Theta)
		if err := density.Energy(grid.Z, points); err != nil {
			return nil, err
		}
		pic := &viz.Panel{
			Title: p.title(), Data: data, Names: p.Model.Names(), Energy: grid, Step: f.Step,
			Steps:   p.steps(loss),
			Samples: DrawGrid(grid, 1200, train.Stream(s.Seed, "frame")), Style: p.Style,
		}
		if len(loss.X) > 0 { // the layout is the same in all frames, even before the first record
			pic.Loss = []viz.Series{until(loss, f.Step)}
		}
		if len(kl.X) > 0 {
			pic.Other = []viz.Series{until(kl, f.Step)}
		}
		if err := anim.Add(pic); err != nil {
			return nil, err
		}
	}
	return anim, nil
}

// steps is where the axis of curves ends: with the last record of a run that has ended, perhaps early.
func (p *Pictures) steps(loss viz.Series) int {
	if n := len(loss.X); n > 0 && (p.Model.Result != nil || p.dir().Sealed()) {
		return int(loss.X[n-1])
	}
	return p.Model.Config.Steps
}

// until cuts a series after a step.
func until(s viz.Series, step int) viz.Series {
	n := 0
	for n < len(s.X) && s.X[n] <= float64(step) {
		n++
	}
	return viz.Series{Name: s.Name, X: s.X[:n:n], Y: s.Y[:n:n]}
}

// DrawGrid draws n points from exp(−E) on the grid: a node by its weight, then uniformly in the part of its cell inside
// the box.
func DrawGrid(g *viz.Grid, n int, rng *rand.Rand) *mat.Dense {
	lo := slices.Min(g.Z)
	cdf := make([]float64, len(g.Z))
	var sum float64
	for i, e := range g.Z {
		sum += math.Exp(lo - e)
		cdf[i] = sum
	}
	within := func(axis []float64, k int) float64 {
		half := (axis[1] - axis[0]) / 2
		lo, hi := max(axis[k]-half, axis[0]), min(axis[k]+half, axis[len(axis)-1])
		return lo + (hi-lo)*rng.Float64()
	}
	x := mat.NewDense(n, 2, nil)
	for i := range n {
		k := density.Pick(cdf, rng)
		x.Set(i, 0, within(g.X, k%len(g.X)))
		x.Set(i, 1, within(g.Y, k/len(g.X)))
	}
	return x
}

// Kinds lists the pictures of Draw.
func Kinds() []string {
	return append(viz.Kinds(), "density", "diagnostics", Pairs, "animation", "chains")
}

// Moving reports whether pictures of a kind are animations.
func Moving(kind string) bool { return kind == "animation" || kind == "chains" }

// Check rejects a kind of picture that the data do not allow.
func (p *Pictures) Check(kind string) error {
	switch kind {
	case "contour", "surface", "score", "animation", "chains":
		return p.checkPlane("--kind " + kind)
	case "density":
		return p.CheckDensity("--kind density")
	}
	return nil
}

// Draw writes the picture of the given kind to path.
func (p *Pictures) Draw(ctx context.Context, kind, path string) error {
	if err := p.Check(kind); err != nil {
		return err
	}
	var pic viz.Picture
	var err error
	switch kind {
	case "animation":
		return p.Animation(ctx, path)
	case "chains":
		return p.chains(ctx, path)
	case "diagnostics":
		pic, err = p.diagnostics(ctx)
	case Pairs:
		pic, err = p.pairs()
	case "density":
		z, err := p.Model.LogZ(ctx)
		if err != nil {
			return err
		}
		return p.Density(ctx, z.Value, path)
	default:
		pic, err = p.kind(kind)
	}
	if err != nil {
		return err
	}
	return viz.Save(path, pic)
}

// kind returns one of the pictures of viz.Kinds.
func (p *Pictures) kind(kind string) (*viz.Figure, error) {
	pic, err := p.panel()
	if err == nil && kind == "score" {
		pic.Score, err = p.score()
	}
	if err != nil {
		return nil, err
	}
	return pic.Kind(kind)
}

// score is −∇E on a lattice.
func (p *Pictures) score() (*viz.Field, error) {
	lo, hi := p.Model.Box()
	at := viz.FieldPoints(lo, hi, 20)
	n, d := at.Dims()
	density, err := p.Model.Density(p.Model.Params)
	if err != nil {
		return nil, err
	}
	grad := mat.NewDense(n, d, nil)
	if err := density.EnergyGrad(make([]float64, n), grad, at); err != nil {
		return nil, err
	}
	grad.Scale(-1, grad)
	return &viz.Field{At: at, Vector: grad}, nil
}

// diagnostics draws new samples, few chains and many draws, and shows how they mix.
func (p *Pictures) diagnostics(ctx context.Context) (*viz.Diagnostics, error) {
	m := p.Model
	draw, chains, err := p.follow(ctx, 16, 500)
	if err != nil {
		return nil, err
	}
	d := draw.Draws
	pic := &viz.Diagnostics{Title: m.Config.Dataset + " · " + draw.Diagnostics.Sampler, Draws: d.Kept * d.Chains,
		Chains: chains, Names: m.Names(), Style: p.Style}
	for _, q := range draw.Diagnostics.Quantities[:d.Dim] {
		pic.RHat, pic.ESS = append(pic.RHat, float64(q.RHat)), append(pic.ESS, float64(q.ESSBulk))
	}
	if d.Dim == 2 {
		pic.Energy, err = p.energy()
	}
	return pic, err
}

// follow draws new samples, keeping every draw of a few chains; each matrix is the trajectory of one.
func (p *Pictures) follow(ctx context.Context, chains, draws int) (*fit.Draw, []*mat.Dense, error) {
	m := *p.Model
	m.Config.Chains, m.Config.Thin = chains, 1
	draw, err := m.Sample(ctx, fit.SampleConfig{N: chains * draws, Seed: m.Config.Seed})
	if err != nil {
		return nil, nil, err
	}
	d := draw.Draws
	var ways []*mat.Dense
	for c := range d.Chains {
		x := mat.NewDense(d.Kept, d.Dim, nil)
		for t := range d.Kept {
			x.SetRow(t, d.Chain(c, t))
		}
		ways = append(ways, x)
	}
	return draw, ways, nil
}

// chains animates sampling: chains that start all over the plane and move into the landscape, draw by draw.
func (p *Pictures) chains(ctx context.Context, path string) error {
	const n, draws = 200, 60
	m := p.Model
	sampler, frames, err := m.Walk(ctx, n, draws, m.Config.Seed)
	if err != nil {
		return err
	}
	energy, err := p.energy()
	if err != nil {
		return err
	}
	return saveFrames(&viz.Walk{Title: m.Config.Dataset + " · " + sampler, Energy: energy, Names: m.Names(),
		Frames: frames, Style: p.Style}, path)
}

// Terminal draws samples and energy as characters.
func (p *Pictures) Terminal(w io.Writer, width int, color viz.ColorMode) error {
	pic, err := p.panel()
	if err != nil {
		return err
	}
	return viz.Terminal(w, pic, viz.TerminalConfig{Width: width, Color: color})
}

// readSamples reads samples.npy, if the run has got that far.
func (p *Pictures) readSamples() (*mat.Dense, error) {
	if p.Samples != nil {
		return p.Samples, nil
	}
	if err := p.dir().Check(rundir.Samples); err != nil || !p.dir().Has(rundir.Samples) {
		return nil, err
	}
	x, err := datasets.Load(p.dir().File(rundir.Samples))
	if err != nil {
		return nil, exit.AsUsage(err)
	}
	if _, d := x.Dims(); d != p.Model.Dim() {
		return nil, exit.Usagef("%s has %d columns, the model %d", p.dir().File(rundir.Samples), d, p.Model.Dim())
	}
	p.Samples = x
	return x, nil
}
