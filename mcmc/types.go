package mcmc

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// Target is an unnormalised density exp(-E(x)).
type Target interface {
	// EnergyGrad stores E(x_i) in e and ∇E(x_i) in grad for every row x_i of x. It must not modify x, nor keep any of
	// its arguments. Rows are independent: a row's result must not depend on the others. The number of rows may differ
	// from call to call. An error ends the run; energies that are NaN or infinite do not.
	EnergyGrad(e []float64, grad, x *mat.Dense) error
}

// TargetFunc turns a plain function into a Target.
type TargetFunc func(e []float64, grad, x *mat.Dense) error

// EnergyGrad calls f.
func (f TargetFunc) EnergyGrad(e []float64, grad, x *mat.Dense) error { return f(e, grad, x) }

// RowFunc turns a function of one point into a Target: it stores ∇E(x) in grad and returns E(x).
type RowFunc func(grad, x []float64) float64

// EnergyGrad calls f for every row.
func (f RowFunc) EnergyGrad(e []float64, grad, x *mat.Dense) error {
	for i := range e {
		e[i] = f(grad.RawRowView(i), x.RawRowView(i))
	}
	return nil
}

// Info describes one transition. It is for diagnostics only: the next step does not need it.
type Info struct {
	AcceptProb  float64 // mean acceptance probability over the chains; 1 for kernels that always accept
	Divergent   int     // chains whose transition diverged
	Evaluations int     // rows at which energy and gradient were computed
	// one per chain, owned by the State and overwritten by its next step; nil if the kernel does not provide it
	Chains []ChainInfo
	Swaps  []SwapInfo // tempering only: one per pair of neighbouring levels; owned likewise
	Where  *mat.Dense // a row per chain: where it diverged, if Chains says so; nil if not provided; owned likewise
}

// ChainInfo is one chain's part of Info.
type ChainInfo struct {
	AcceptProb  float64 // acceptance probability; for NUTS its mean over the trajectory
	LogRatio    float64 // log of the Metropolis ratio before the minimum with 1 (HMC: -ΔH); NaN if there is none
	Hamiltonian float64 // E + kinetic energy of the new state, for E-BFMI; NaN without momentum
	StepSize    float64 // of this transition, including jitter; NaN if there is none
	Leapfrog    int32   // leapfrog steps taken
	Depth       int16   // tree depth (NUTS)
	Accepted    bool
	Divergent   bool
}

// chain returns the ChainInfo of chain i, or the mean if the kernel provides none.
func (in *Info) chain(i int) ChainInfo {
	if in.Chains == nil {
		return ChainInfo{AcceptProb: in.AcceptProb, LogRatio: math.NaN(), Hamiltonian: math.NaN(), StepSize: math.NaN()}
	}
	return in.Chains[i]
}

// SwapInfo counts the swaps between tempering levels k and k+1 in one step.
type SwapInfo struct {
	Tried      int
	AcceptProb float64 // mean over the attempts
}

// State is a set of chains: their positions, with energy and gradient cached.
type State struct {
	X      *mat.Dense // n×d, stride d; after writing to it call Invalidate
	Energy []float64  // E of each row; valid after Refresh or a step of a kernel that computes it
	Grad   *mat.Dense // ∇E of each row

	Momentum *mat.Dense // n×d, BAOAB only; nil until the first step, then drawn
	Replicas *State     // Tempering only: K·n rows, level k of chain i in row k·n+i; nil until the first step

	valid bool       // Energy and Grad belong to X
	back  bool       // prev holds the positions before an unevaluated move (Langevin)
	prev  *points    // to go back to from a non-finite position
	fell  []bool     // rows that went back at the last Refresh
	scale []float64  // length scale of each row's step, set by warm-up and outer kernels; nil means 1
	asked bool       // a kernel asked for it
	work  *workspace // scratch space, not part of the state
}

// NewState returns a state of chains at the rows of x. It uses and modifies x, without copying it.
func NewState(x *mat.Dense) *State {
	n, d := x.Dims()
	if x.RawMatrix().Stride != d {
		panic("mcmc: the stride of the batch must equal its width")
	}
	return &State{X: x, Energy: make([]float64, n), Grad: mat.NewDense(n, d, nil)}
}

// Invalidate drops the cached energy and gradient. Call it after writing to X or changing the target.
func (s *State) Invalidate() {
	s.valid, s.back = false, false
	if s.Replicas != nil {
		s.Replicas.Invalidate()
	}
}

// Refresh updates Energy and Grad for X, by one call of t if they are out of date. Rows with a non-finite energy or
// gradient go back to where they were before an unadjusted step; if there was none, they get energy +Inf and gradient
// zero.
func (s *State) Refresh(t Target) error {
	if s.valid {
		return nil
	}
	if _, err := evaluate(t, s.Energy, s.Grad, s.X); err != nil {
		return err
	}
	if s.back {
		for i, e := range s.Energy {
			if s.fell[i] = math.IsInf(e, 1); s.fell[i] {
				s.take(i, s.prev)
			}
		}
	}
	s.valid, s.back = true, false
	return nil
}

// leave saves the current positions before an unadjusted step.
func (s *State) leave() {
	if s.prev == nil {
		n, d := s.X.Dims()
		s.prev = newPoints(n, d)
		s.fell = make([]bool, n)
	}
	clear(s.fell)
	s.prev.copyFrom(s)
	s.valid, s.back = false, true
}

// refresh is Refresh, and returns the number of rows computed.
func (s *State) refresh(t Target) (rows int, err error) {
	if s.valid {
		return 0, nil
	}
	return len(s.Energy), s.Refresh(t)
}

// StepScale returns the length factor of chain i's step, usually 1: kernels that anneal or temper move some chains
// further than others, as does warm-up while chains are on their way to the bulk of the density. A kernel that does not
// multiply its step size by it (by its square if the step size is the square of a length) moves all chains alike.
func (s *State) StepScale(i int) float64 {
	s.asked = true
	if s.scale == nil {
		return 1
	}
	return s.scale[i]
}

// evaluate calls the target and marks every row with a non-finite value by energy +Inf and gradient zero. It reports
// whether there was one.
func evaluate(t Target, e []float64, grad, x *mat.Dense) (bad bool, err error) {
	if err := t.EnergyGrad(e, grad, x); err != nil {
		return false, fmt.Errorf("mcmc: energy and gradient: %w", err)
	}
	g := grad.RawMatrix().Data
	if finite(e) && finite(g) {
		return false, nil
	}
	d := len(g) / len(e)
	for i, v := range e {
		if row := row(g, d, i); v-v != 0 || !finite(row) {
			e[i] = math.Inf(1)
			clear(row)
			bad = true
		}
	}
	return bad, nil
}

// row returns row i of n×d data.
func row(data []float64, d, i int) []float64 { return data[i*d : i*d+d : i*d+d] }

// finite reports whether all of v are finite.
func finite(v []float64) bool {
	var a, b, c, d float64 // sums of w − w: 0, or NaN if w is not finite; four of them, to break the dependency chain
	for len(v) >= 4 {
		a += v[0] - v[0]
		b += v[1] - v[1]
		c += v[2] - v[2]
		d += v[3] - v[3]
		v = v[4:]
	}
	for _, w := range v {
		a += w - w
	}
	return a+b+c+d == 0
}

// points holds positions with their energies and gradients.
type points struct {
	x, grad *mat.Dense
	energy  []float64
}

func newPoints(n, d int) *points {
	return &points{x: mat.NewDense(n, d, nil), grad: mat.NewDense(n, d, nil), energy: make([]float64, n)}
}

// copyFrom copies the points of s.
func (p *points) copyFrom(s *State) {
	copy(p.x.RawMatrix().Data, s.X.RawMatrix().Data)
	copy(p.grad.RawMatrix().Data, s.Grad.RawMatrix().Data)
	copy(p.energy, s.Energy)
}

// take moves row i of p to row i of s.
func (s *State) take(i int, p *points) {
	x, g := s.X.RawMatrix().Data, s.Grad.RawMatrix().Data
	d := len(x) / len(s.Energy)
	px, pg := p.x.RawMatrix().Data, p.grad.RawMatrix().Data
	for j := i * d; j < (i+1)*d; j++ {
		x[j], g[j] = px[j], pg[j]
	}
	s.Energy[i] = p.energy[i]
}

// workspace is scratch space that does not outlive a step.
type workspace struct {
	n, d     int
	info     []ChainInfo
	noise    *mat.Dense // n×d
	uniform  []float64  // n
	prop     *points    // proposals
	eps      []float64  // n, step of each row
	vec      []float64  // d
	where    *mat.Dense // n×d: where chains diverged (NUTS)
	moves    *mat.Dense // n×d: moves before L (MALA with a mass)
	h0       []float64  // n, Hamiltonian at the start
	trees    *trees     // NUTS
	bridge   bridge     // tempering, annealing
	lengths  []float64  // annealing: scale of each row's step
	swaps    []SwapInfo // tempering
	accept   []float64  // tempering: mean acceptance of each level in the last move
	logq     []float64  // 2n, independent proposals
	diverged []bool     // n, annealing: in a move of this pass
}

// scratch returns the workspace, allocated at the first call.
func (s *State) scratch() *workspace {
	n, d := s.X.Dims()
	if s.work == nil {
		s.work = &workspace{}
	}
	w := s.work
	if w.n != n || w.d != d {
		*w = workspace{n: n, d: d, info: make([]ChainInfo, n), noise: mat.NewDense(n, d, nil),
			uniform: make([]float64, n), diverged: make([]bool, n)}
	}
	return w
}

func (w *workspace) proposals() *points {
	if w.prop == nil {
		w.prop = newPoints(w.n, w.d)
		w.eps = make([]float64, w.n)
		w.vec = make([]float64, w.d)
		w.h0 = make([]float64, w.n)
	}
	return w.prop
}

// logProposals returns room for log q at the positions and at the proposals.
func (w *workspace) logProposals() (at, to []float64) {
	if w.logq == nil {
		w.logq = make([]float64, 2*w.n)
	}
	return w.logq[:w.n], w.logq[w.n:]
}

// summary reduces the chains' ChainInfo to one Info.
func (w *workspace) summary(evaluations int, where *mat.Dense) Info {
	var sum float64
	div := 0
	for i := range w.info {
		c := &w.info[i]
		sum += c.AcceptProb
		if c.Divergent {
			div++
		}
	}
	return Info{AcceptProb: sum / float64(w.n), Divergent: div, Evaluations: evaluations, Chains: w.info, Where: where}
}

// normals fills dst with standard normal numbers.
func normals(dst []float64, rng *rand.Rand) {
	for i := range dst {
		dst[i] = rng.NormFloat64()
	}
}

// uniforms fills dst with uniform numbers in [0, 1).
func uniforms(dst []float64, rng *rand.Rand) {
	for i := range dst {
		dst[i] = rng.Float64()
	}
}

// view makes v show n rows of width d in data, without allocation.
func view(v *mat.Dense, data []float64, n, d int) *mat.Dense {
	v.SetRawMatrix(blas64.General{Rows: n, Cols: d, Stride: d, Data: data[:n*d]})
	return v
}

func check(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, args...)
}
