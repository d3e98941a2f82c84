package energy

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/graphs"
)

// Tilted is a known density b, a mixture of K Gaussians, tilted by an energy that is learnt:
//
//	E(x) = -log b(x) + λ f_θ(z, r, u, l),   p(x) = b(x) exp(-λ f) / Z.
//
// The base b has the tails, the scales and the correlations of the data, as far as a mixture fitted to them can tell,
// and f has only to improve on it. Where f = 0 the density is b, and Z = 1; log Z = log E_b[exp(-λ f)] is a mean over
// draws of b. f sees
//
//	z = L⁻¹(x - μ)                          the point (d) in units in which b as a whole has mean 0 and covariance I,
//	r_k = w_k N(x; μ_k, Σ_k) / b(x)         the component it belongs to (K; components of equal mean count as one,
//	                                        none if that is all),
//	u = Σ_k r_k L_k⁻¹(x - μ_k)              where in that component it lies (d), Σ_k = L_k L_kᵀ; with r or not at all,
//	l = log(1 + log(1 + exp(v))),           how far out it lies,
//	v = (-log b(x) - h)/√d,   h = Σ_k w_k (d/2 (1 + log 2π) + ½ log det Σ_k - log w_k),
//
// LLᵀ the covariance of b, and h its entropy, but for the overlap of its components. What b has got wrong, it has
// mostly got wrong around this or that component. Of 3000 points of three densities of bananas and log-normals in 6 to
// 10 dimensions, on which the mixture is .17, 1.74 and .78 nats off, f of z alone takes away .05, .82 and .26 of these,
// with r and l .08, .97 and .41. Narrow components are bent on a scale of their own, that of u: of 3000 points of
// another log-normal, and 10 000 of a coil and of bananas, on which the mixture is 1.20, .060 and .187 off, f without u
// takes away .53, .015 and .096, with u .67, .022 and .109.
//
// If b is a [density.Mixed], some columns of x are discrete. Then f sees their values in place of the coordinates in
// their cells, and b, r and v are those of the row, so that E differs between points of a cell by what is known alone;
// its slope in these columns is that of this.
//
// If b is a [density.Warped], (1-ε) m(T(x)) + ε b'(x), then z, r and u are those of T(x) in m, and l is that of b.
//
// The parameters are those of f.
type Tilted struct {
	inner  Energy // f
	base   *density.Mixture
	mixed  *density.Mixed  // b if columns are discrete, base its Gaussians; else nil
	warped *density.Warped // b if columns are straightened, base that of these; else nil
	mean   []float64       // μ
	root   *mat.TriDense   // L

	outer     []float64 // the mean and the root of the covariance that Moments tells
	outerRoot *mat.TriDense

	whiten  []float64 // L⁻¹, row-major
	entropy float64   // h
	groups  []float64 // (K, groups), 1 where a component belongs to a group
	count   int       // of the groups of components of the same mean
	share   float64   // λ
	plain   bool      // f sees z alone
	steps   *steps    // of the discrete columns; nil: there are none
}

var (
	_ Energy      = (*Tilted)(nil)
	_ Initializer = (*Tilted)(nil)
	_ Smoothness  = (*Tilted)(nil)
)

// TiltConfig describes a Tilted.
type TiltConfig struct {
	Base   *density.Mixture // b; required, unless there is one of the next
	Mixed  *density.Mixed   // b, in place of Base
	Warped *density.Warped  // b, in place of Base
	Share  float64          // λ ≥ 0; with 0 the energy is that of the base, whatever f is
	// f sees z alone: in the plane, where networks learn detail by the frequencies of an embedding
	Plain bool
}

// Tilt makes f by calling it with the number of variables that it sees, and returns the base tilted by λ f.
func Tilt(cfg TiltConfig, f func(dim int) (Energy, error)) (*Tilted, error) {
	switch {
	case cfg.Mixed != nil && cfg.Warped != nil:
		return nil, errors.New("energy: TiltConfig has both Mixed and Warped")
	case cfg.Mixed != nil:
		cfg.Base = cfg.Mixed.Gaussians()
	case cfg.Warped != nil:
		cfg.Base = cfg.Warped.Straight()
	}
	if cfg.Base == nil {
		return nil, errors.New("energy: TiltConfig.Base is nil")
	}
	if cfg.Mixed != nil && cfg.Plain {
		return nil, errors.New("energy: TiltConfig.Plain with discrete columns, of which a network of x alone knows nothing")
	}
	if !(cfg.Share >= 0) || math.IsInf(cfg.Share, 1) {
		return nil, fmt.Errorf("energy: TiltConfig.Share = %g, want >= 0", cfg.Share)
	}
	p := cfg.Base.Parameters()
	t := &Tilted{base: cfg.Base, mixed: cfg.Mixed, warped: cfg.Warped, share: cfg.Share, plain: cfg.Plain}
	if t.mixed != nil {
		t.steps = newSteps(t.mixed)
	}
	t.group(p)
	if err := t.measure(p); err != nil {
		return nil, err
	}
	var err error
	if t.inner, err = f(t.features()); err != nil {
		return nil, err
	}
	if got := t.inner.Dim(); got != t.features() {
		return nil, fmt.Errorf("energy: Tilt: the correction is of %d variables, want %d", got, t.features())
	}
	return t, nil
}

// features is the number of variables that f sees.
func (t *Tilted) features() int {
	switch {
	case t.plain:
		return t.base.Dim()
	case t.count > 1:
		return 2*t.base.Dim() + t.count + 1
	}
	return t.base.Dim() + 1
}

// group finds the components of the same mean.
func (t *Tilted) group(p density.Parameters) {
	k, d := len(p.Weights), p.Dim
	var first []int // component of each group
	of := make([]int, k)
	for c := range k {
		same := func(other int) bool {
			return slices.Equal(p.Means[c*d:(c+1)*d], p.Means[other*d:(other+1)*d])
		}
		if of[c] = slices.IndexFunc(first, same); of[c] < 0 {
			of[c] = len(first)
			first = append(first, c)
		}
	}
	t.count = len(first)
	t.groups = make([]float64, k*t.count)
	for c, g := range of {
		t.groups[c*t.count+g] = 1
	}
}

// measure takes the moments and the entropy of the base.
func (t *Tilted) measure(p density.Parameters) error {
	d := p.Dim
	for k, v := range t.base.Weights() {
		l := factorOf(p, k)
		t.entropy += v * (0.5*float64(d)*(1+math.Log(2*math.Pi)) - math.Log(v))
		for j := range d {
			t.entropy += v * math.Log(l.At(j, j))
		}
	}
	if t.mixed != nil {
		t.entropy += t.mixed.EntropyBeside()
	}
	var err error
	if t.mean, t.root, err = momentsOf(t.base); err != nil {
		return err
	}
	t.outer, t.outerRoot = t.mean, t.root
	if t.warped != nil {
		beside, _ := t.warped.Beside()
		if t.outer, t.outerRoot, err = momentsOf(beside); err != nil {
			return err
		}
	}
	var inv mat.TriDense
	if err := inv.InverseTri(t.root); err != nil && !errors.As(err, new(mat.Condition)) {
		return fmt.Errorf("energy: Tilt: %w", err)
	}
	t.whiten = make([]float64, 0, d*d)
	for i := range d {
		for j := range d {
			t.whiten = append(t.whiten, inv.At(i, j))
		}
	}
	return nil
}

// momentsOf returns the mean of a mixture and L, LLᵀ its covariance.
func momentsOf(m *density.Mixture) (mean []float64, root *mat.TriDense, err error) {
	p, w := m.Parameters(), m.Weights()
	d := p.Dim
	mean = make([]float64, d)
	for k, v := range w {
		for j := range d {
			mean[j] += v * p.Means[k*d+j]
		}
	}
	cov := mat.NewSymDense(d, nil)
	off := mat.NewVecDense(d, nil)
	for k, v := range w {
		var part mat.SymDense
		part.ScaleSym(v, m.CovarianceOf(k))
		cov.AddSym(cov, &part)
		for j := range d {
			off.SetVec(j, p.Means[k*d+j]-mean[j])
		}
		cov.SymRankOne(cov, v, off)
	}
	var chol mat.Cholesky
	if !chol.Factorize(cov) {
		return nil, nil, errors.New("energy: Tilt: the covariance of the base is singular")
	}
	root = new(mat.TriDense)
	chol.LTo(root)
	return mean, root, nil
}

// Base returns b.
func (t *Tilted) Base() density.Density {
	switch {
	case t.mixed != nil:
		return t.mixed
	case t.warped != nil:
		return t.warped
	}
	return t.base
}

// Moments returns μ and L; of the coordinates in cells where columns are discrete, as if these did not depend on the
// others; of the mixture beside where columns are straightened.
func (t *Tilted) Moments() (mean []float64, root *mat.TriDense) {
	if t.mixed != nil {
		return t.apart()
	}
	return slices.Clone(t.outer), t.outerRoot
}

// Dim returns that of the base.
func (t *Tilted) Dim() int { return t.base.Dim() }

// Specs returns those of f.
func (t *Tilted) Specs() []Spec { return t.inner.Specs() }

// Smooth asks f, unless it has no part in the energy; with discrete columns it is an error.
func (t *Tilted) Smooth() error {
	if t.mixed != nil {
		return errors.New("it jumps between the values of discrete columns")
	}
	if t.share == 0 {
		return nil
	}
	return Smooth(t.inner)
}

// small is the part of its usual size at which the last layer of f starts, so that learning begins at the base.
const small = 0.1

// Init initialises f, and makes the last two arrays of θ small, which are those of the last layer in every network of
// this package.
func (t *Tilted) Init(p *Params, rng *rand.Rand) {
	initialise(t.inner, p, rng)
	for _, v := range p.views[max(0, len(p.views)-2):] {
		for i := range v {
			v[i] *= small
		}
	}
}

// Build builds E.
func (t *Tilted) Build(x *G.Node, theta G.Nodes) (*G.Node, error) {
	if err := checkBuild("Tilted", t, x, theta); err != nil {
		return nil, err
	}
	return graphs.Try(func() *G.Node {
		p := t.placed(x)
		b := graphs.Neg(graphs.RowLogSumExp(p.all)) // (n, 1)
		if t.mixed != nil {
			b = graphs.Sub(b, t.steps.reference(x))
		}
		if t.share == 0 {
			return b
		}
		return graphs.Add(b, t.correction(p, theta))
	})
}

// placed is where x is in the base.
type placed struct {
	row  *G.Node // T(x); x with discrete values in place of the coordinates in their cells (n, d)
	z    *G.Node // L_k⁻¹(row - μ_k) (n, K·d)
	logs *G.Node // log w_k P_k of it (n, K)
	all  *G.Node // of all components of b, which are those but for a mixture beside
}

func (t *Tilted) placed(x *G.Node) placed {
	p := placed{row: x}
	var beside *G.Node
	if t.mixed != nil {
		p.row, beside = t.steps.row(x)
	}
	if t.warped != nil {
		p.row = buildWarp(x, t.warped.Warp())
	}
	gaussians := t.base.Parameters()
	p.z = buildPlaces(p.row, gaussians)
	p.logs = buildComponents(p.z, gaussians)
	if beside != nil {
		p.logs = graphs.Add(p.logs, beside)
	}
	p.all = p.logs
	if t.warped != nil {
		b, share := t.warped.Beside()
		p.all = graphs.ConcatCols(graphs.Shift(p.logs, math.Log1p(-share)),
			graphs.Shift(componentsBuilder(b.Parameters())(x), math.Log(share)))
	}
	return p
}

// Correction builds λ f of the rows of x, (n, 1): E + log b, exactly.
func (t *Tilted) Correction(x *G.Node, theta G.Nodes) (*G.Node, error) {
	return graphs.Try(func() *G.Node { return t.correction(t.placed(x), theta) })
}

func (t *Tilted) correction(p placed, theta G.Nodes) *G.Node {
	x, n, d, k := p.row, p.row.Shape()[0], t.base.Dim(), t.base.Components()
	centred := graphs.Sub(x, graphs.ExpandRows(constant(x, t.mean, d), n))
	in := G.Nodes{graphs.MatMul(centred, constant(x, t.whiten, d, d), false, true)} // (n, d)
	if !t.plain && t.count > 1 {
		r := graphs.RowSoftmax(p.logs) // (n, K)
		u := t.near(p.z, r)
		if t.count < k {
			r = graphs.MatMul(r, constant(x, t.groups, k, t.count), false, false) // (n, groups)
		}
		in = append(in, r, u)
	}
	if !t.plain {
		in = append(in, t.far(p.all))
	}
	f := graphs.Must(t.inner.Build(graphs.ConcatCols(in...), theta))
	if t.share == 1 {
		return f
	}
	return graphs.Scale(f, t.share)
}

// near builds u (n, d).
func (t *Tilted) near(z, r *G.Node) *G.Node {
	n, k, d := z.Shape()[0], t.base.Components(), t.base.Dim()
	weighed := graphs.Mul(graphs.Reshape(z, n*k, d), graphs.ExpandCols(graphs.Reshape(r, n*k, 1), d))
	sum := mat.NewDense(k*d, d, nil)
	for i := range k * d {
		sum.Set(i, i%d, 1)
	}
	return graphs.MatMul(graphs.Reshape(weighed, n, k*d), constant(z, sum.RawMatrix().Data, k*d, d), false, false)
}

// far builds l (n, 1).
func (t *Tilted) far(logs *G.Node) *G.Node {
	v := graphs.Scale(graphs.Shift(graphs.Neg(graphs.RowLogSumExp(logs)), -t.entropy),
		1/math.Sqrt(float64(t.base.Dim())))
	return graphs.Log(graphs.Shift(graphs.Softplus(v), 1))
}

// Alone returns λ f as an energy of x.
func (t *Tilted) Alone() Energy { return correction{t} }

type correction struct{ *Tilted }

// Build builds λ f.
func (c correction) Build(x *G.Node, theta G.Nodes) (*G.Node, error) {
	if err := checkBuild("Tilted", c, x, theta); err != nil {
		return nil, err
	}
	return c.Correction(x, theta)
}
