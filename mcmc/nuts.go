package mcmc

import (
	"cmp"
	"errors"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// NUTS is the no-U-turn sampler: Hamiltonian dynamics that doubles its trajectory, forwards or backwards at random,
// until it turns back on itself, and selects one of its points with probability proportional to exp(-H). Each chain
// grows its own tree; every batch computes the next gradient for all trees still growing.
//
// The draw is multinomial within a subtree and biased progressive between the old trajectory and the new one. A
// trajectory continues while (M⁻¹p₋)·ρ > 0 and (M⁻¹p₊)·ρ > 0, ρ = Σp; this generalised criterion is checked for every
// subtree, and also between each half and the next momentum of the other, as Stan does since 2.21. A leaf with H - H₀ >
// 1000 is a divergence.
//
// The sampler is exact for every step size, even with divergences, but a run of finite length does not enter regions of
// the target narrower than half its shortest step, and Monte Carlo errors do not reveal this: with a StepJitter of 0.5
// the variance along a ten-dimensional funnel comes out 5 % too small. A StepJitter near 1 includes some short steps.
//
// Hoffman and Gelman, The No-U-Turn Sampler, JMLR 15 (2014) 1593–1623; Betancourt, A conceptual introduction to
// Hamiltonian Monte Carlo, arXiv 1701.02434, appendix A; subtrees are merged like the digits of a binary counter.
type NUTS struct {
	StepSize   float64 // ε > 0; required, or adapted in warm-up
	MaxDepth   int     // at most 2^MaxDepth - 1 leapfrog steps; 0 means 10; at most 20
	Mass       Mass    // nil means unit mass, or adapted in warm-up
	StepJitter float64 // each chain's ε is drawn from ε·U(1-j, 1+j), 0 <= j < 1
}

var (
	_ Tunable = NUTS{}
	_ Massive = NUTS{}
	_ Traited = NUTS{}
)

// Validate reports settings out of range.
func (k NUTS) Validate() error {
	return errors.Join(
		check(k.StepSize > 0 && !math.IsInf(k.StepSize, 1), "mcmc: NUTS.StepSize = %g, want > 0", k.StepSize),
		check(k.MaxDepth >= 0 && k.MaxDepth <= 20, "mcmc: NUTS.MaxDepth = %d, want 0 … 20", k.MaxDepth),
		check(k.StepJitter >= 0 && k.StepJitter < 1, "mcmc: NUTS.StepJitter = %g, want 0 <= jitter < 1", k.StepJitter),
		checkMass("NUTS", k.Mass),
	)
}

func (k NUTS) maxDepth() int { return cmp.Or(k.MaxDepth, 10) }

// Tuning asks for an acceptance of 0.8.
func (k NUTS) Tuning() Tuning {
	return Tuning{StepSize: k.StepSize, Accept: .8, Trial: trial{StepSize: k.StepSize, Mass: k.Mass}}
}

// WithStep returns k with another step size.
func (k NUTS) WithStep(eps float64) Kernel { k.StepSize = eps; return k }
func (k NUTS) Inertia() Mass               { return k.Mass }
func (k NUTS) WithMass(m Mass) Kernel      { k.Mass = m; return k }

// Traits describes k.
func (k NUTS) Traits() Traits {
	return Traits{Name: "nuts", StepSize: k.StepSize, MaxDepth: k.maxDepth()}
}

// Step moves every chain. The amount of random numbers it takes from rng depends on the trees.
func (k NUTS) Step(s *State, t Target, rng *rand.Rand) (Info, error) {
	w := s.scratch()
	if k.Mass != nil && k.Mass.Dim() != w.d {
		panic("mcmc: the dimension of NUTS.Mass is not that of the chains")
	}
	rows, err := s.refresh(t)
	if err != nil {
		return Info{}, err
	}
	f := w.trees
	if f == nil || f.levels < k.maxDepth()+1 {
		f = newTrees(w.n, w.d, k.maxDepth()+1)
		w.trees = f
	}
	if w.where == nil {
		w.where = mat.NewDense(w.n, w.d, nil)
	}
	for i := range f.tree {
		f.tree[i].row = -1
	}
	whole, _ := t.(rowwise)
	next := 0
	for {
		m := 0
		for i := range f.tree {
			tr := &f.tree[i]
			if tr.row < 0 {
				if next == w.n {
					continue
				}
				k.plant(tr, s, next, rng)
				next++
			}
			x, p := tr.x[tr.dir], tr.p[tr.dir]
			if k.Mass == nil {
				kickDrift(x, p, tr.g[tr.dir], tr.eps/2, tr.eps)
			} else {
				kick(p, tr.g[tr.dir], tr.eps/2)
				k.Mass.Mul(f.vec, p)
				drift(x, f.vec, tr.eps)
			}
			copy(f.x[m*w.d:], x)
			f.slot[m] = i
			f.row[m] = tr.row
			m++
		}
		if m == 0 {
			break
		}
		rows += m
		if whole != nil {
			whole.setRows(f.row[:m])
		}
		_, err := evaluate(t, f.e[:m], view(&f.gv, f.g, m, w.d), view(&f.xv, f.x, m, w.d))
		if whole != nil {
			whole.setRows(nil)
		}
		if err != nil {
			return Info{}, err
		}
		for j, i := range f.slot[:m] {
			tr := &f.tree[i]
			g := row(f.g, w.d, j)
			k.turn(tr.g[tr.dir], g)
			if k.grow(tr, s, f.e[j], g, rng) {
				continue
			}
			if tr.divergent {
				w.where.SetRow(tr.row, tr.x[tr.dir])
			}
			w.info[tr.row] = tr.info()
			tr.row = -1
		}
	}
	return w.summary(rows, w.where), nil
}

// info describes the finished tree.
func (tr *tree) info() ChainInfo {
	return ChainInfo{
		AcceptProb: tr.accept / float64(max(1, tr.leaves)), LogRatio: math.NaN(), Hamiltonian: tr.h,
		Leapfrog: int32(tr.leaves), Depth: int16(tr.depth), Accepted: tr.moved, Divergent: tr.divergent,
		StepSize: math.Abs(tr.eps),
	}
}

// turn stores Lᵀg in dst.
func (k NUTS) turn(dst, g []float64) {
	if k.Mass == nil {
		copy(dst, g)
		return
	}
	k.Mass.MulT(dst, g)
}

// rowwise is a target that treats the rows of a state differently and must be told which of them are in a batch.
type rowwise interface{ setRows(rows []int) }

// trees holds the trajectories in progress. There may be fewer than chains: a chain that is done makes room for the
// next.
type trees struct {
	levels int
	tree   []tree
	e      []float64 // the batch: energies, positions, gradients, and the tree and chain of each row
	x, g   []float64
	slot   []int
	row    []int
	vec    []float64 // d
	xv, gv mat.Dense
}

// treeBudget is the maximum number of float64s in the trees of one state.
const treeBudget = 1 << 20

func newTrees(n, d, levels int) *trees {
	per := d * (9 + 5*levels)
	m := min(n, 1024, max(16, treeBudget/per))
	f := &trees{
		levels: levels, tree: make([]tree, m),
		e: make([]float64, m), x: make([]float64, m*d), g: make([]float64, m*d), slot: make([]int, m),
		row: make([]int, m), vec: make([]float64, d),
	}
	for i := range f.tree {
		data := make([]float64, per)
		cut := func() []float64 {
			v := data[:d:d]
			data = data[d:]
			return v
		}
		tr := &f.tree[i]
		for dir := range 2 {
			tr.x[dir], tr.p[dir], tr.g[dir] = cut(), cut(), cut()
		}
		tr.rho, tr.joint = cut(), cut()
		tr.stack = make([]subtree, levels)
		for l := range tr.stack {
			tr.stack[l] = subtree{first: cut(), last: cut(), rho: cut(), x: cut(), g: cut()}
		}
	}
	return f
}

// tree is one chain's trajectory.
type tree struct {
	row       int          // the chain; -1 when free
	x, p, g   [2][]float64 // position, momentum q and Lᵀ∇E at the backward and the forward end
	rho       []float64    // sum of the momenta
	logw      float64      // log Σ exp(-H)
	h0, h     float64      // H at the start, and of the selected point
	accept    float64      // Σ min(1, exp(H₀ - H)) over the leaves
	leaves    int          // leapfrog steps so far
	depth     int          // number of doublings
	dir       int          // where it grows: 0 backwards, 1 forwards
	eps       float64      // signed step
	left      int          // leaves still missing in the current doubling
	joint     []float64    // momentum at the end where the current doubling began
	stack     []subtree    // complete subtrees of the current doubling, largest first
	top       int          // number of subtrees on the stack
	moved     bool         // the selected point is not the start
	divergent bool
}

// subtree is a complete binary tree of 2^depth leaves and the leaf selected from it.
type subtree struct {
	depth            int
	first, last, rho []float64 // momenta in order of growth, and their sum
	logw             float64   // log Σ exp(-H)
	x, g             []float64 // the selected leaf
	e, h             float64
}

// plant begins the trajectory of a chain.
func (k NUTS) plant(tr *tree, s *State, row int, rng *rand.Rand) {
	tr.row = row
	for dir := range 2 {
		copy(tr.x[dir], s.X.RawRowView(row))
		k.turn(tr.g[dir], s.Grad.RawRowView(row))
	}
	normals(tr.p[0], rng)
	copy(tr.p[1], tr.p[0])
	copy(tr.rho, tr.p[0])
	tr.h0 = s.Energy[row] + kinetic(tr.p[0])
	tr.h = tr.h0
	tr.logw = -tr.h0
	tr.accept, tr.leaves, tr.depth = 0, 0, 0
	tr.moved, tr.divergent = false, false
	tr.eps = k.StepSize * s.StepScale(row)
	if k.StepJitter > 0 {
		tr.eps *= 1 + k.StepJitter*(2*rng.Float64()-1)
	}
	tr.double(rng)
}

// double begins the next doubling.
func (tr *tree) double(rng *rand.Rand) {
	tr.dir = int(rng.Uint64() >> 63)
	tr.eps = math.Abs(tr.eps)
	if tr.dir == 0 {
		tr.eps = -tr.eps
	}
	copy(tr.joint, tr.p[tr.dir])
	tr.left = 1 << tr.depth
	tr.top = 0
}

// grow completes the leapfrog step at the growing end, whose energy is e and gradient g, and adds the leaf. It reports
// whether the trajectory continues.
func (k NUTS) grow(tr *tree, s *State, e float64, g []float64, rng *rand.Rand) bool {
	x, p := tr.x[tr.dir], tr.p[tr.dir]
	kick(p, tr.g[tr.dir], tr.eps/2)
	h := e + kinetic(p)
	tr.leaves++
	tr.left--
	if math.IsNaN(h) || math.IsInf(h, 1) || h-tr.h0 > maxEnergyError || !finite(x) {
		tr.divergent = true
		return false
	}
	tr.accept += math.Exp(min(0, tr.h0-h))

	leaf := &tr.stack[tr.top]
	tr.top++
	leaf.depth, leaf.logw, leaf.e, leaf.h = 0, -h, e, h
	copy(leaf.first, p)
	copy(leaf.last, p)
	copy(leaf.rho, p)
	copy(leaf.x, x)
	copy(leaf.g, g)
	for tr.top > 1 && tr.stack[tr.top-1].depth == tr.stack[tr.top-2].depth {
		tr.top--
		if !merge(&tr.stack[tr.top-1], &tr.stack[tr.top], rng) {
			return false
		}
	}
	if tr.left > 0 {
		return true
	}

	// The doubling is complete.
	sub := &tr.stack[0]
	tr.depth++
	if rng.Float64() < math.Exp(sub.logw-tr.logw) {
		copy(s.X.RawRowView(tr.row), sub.x)
		copy(s.Grad.RawRowView(tr.row), sub.g)
		s.Energy[tr.row] = sub.e
		tr.h = sub.h
		tr.moved = true
	}
	tr.logw = logAddExp(tr.logw, sub.logw)
	// The old trajectory runs from far to joint, the new one from sub.first to p.
	far := tr.p[1-tr.dir]
	on := ahead(far, p, tr.rho, sub.rho) &&
		ahead(far, sub.first, tr.rho, sub.first) &&
		ahead(tr.joint, p, sub.rho, tr.joint)
	floats.Add(tr.rho, sub.rho)
	if !on || tr.depth == k.maxDepth() {
		return false
	}
	tr.double(rng)
	return true
}

// merge merges b, which grew after a, into a. It reports whether the union makes no U-turn.
func merge(a, b *subtree, rng *rand.Rand) bool {
	logw := logAddExp(a.logw, b.logw)
	if rng.Float64() < math.Exp(b.logw-logw) {
		a.x, b.x = b.x, a.x
		a.g, b.g = b.g, a.g
		a.e, a.h = b.e, b.h
	}
	on := ahead(a.first, b.last, a.rho, b.rho) &&
		ahead(a.first, b.first, a.rho, b.first) &&
		ahead(a.last, b.last, b.rho, a.last)
	floats.Add(a.rho, b.rho)
	a.last, b.last = b.last, a.last
	a.logw = logw
	a.depth++
	return on
}

// ahead reports whether p·ρ > 0 and q·ρ > 0 for ρ = u + v, that is M⁻¹p·ρ in the original momenta.
func ahead(p, q, u, v []float64) bool {
	var a, b float64
	for j := range p {
		r := u[j] + v[j]
		a += p[j] * r
		b += q[j] * r
	}
	return a > 0 && b > 0
}

// logAddExp returns log(eᵃ + eᵇ).
func logAddExp(a, b float64) float64 {
	if a < b {
		a, b = b, a
	}
	if math.IsInf(a, -1) {
		return a
	}
	return a + math.Log1p(math.Exp(b-a))
}
