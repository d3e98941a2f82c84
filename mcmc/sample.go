package mcmc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"gonum.org/v1/gonum/mat"
)

// SampleConfig holds the settings of Sample.
type SampleConfig struct {
	Draws   int    // draws kept per chain; required
	Warmup  Warmup // adaptation before everything else; none by default
	BurnIn  int    // transitions dropped after warm-up, with fixed settings
	Thin    int    // transitions per kept draw; 0 means 1
	Block   int    // chains per block; 0 means a quarter of them, within 32 … 256. Draws depend on it
	Workers int    // goroutines; 0 means GOMAXPROCS. Draws do not depend on it
	// chains of a block evaluated together, so that idle workers can take the others; 0 means to divide blocks only if
	// the target is Apart
	Rows         int
	Trajectories int            // chains, from the first, of which every position is kept, warm-up included
	Names        []string       // of the coordinates; nil means x1, x2, …
	KeepWarmup   bool           // also keep the transitions of warm-up and burn-in, as Draws.Warm
	Memory       int64          // limit for what is kept, in bytes; 0 means 8 GiB
	Progress     func(Progress) // called from time to time, never concurrently; nil means never
}

// Progress reports how far Sample has got.
type Progress struct {
	Done, Total int     // transitions, summed over the blocks
	Warmup      bool    // the reporting block is adapting
	AcceptProb  float64 // of that block's last transition
	Divergent   int     // divergences after warm-up, all chains
}

// Validate reports settings out of range.
func (c SampleConfig) Validate() error {
	return errors.Join(
		check(c.Draws > 0, "mcmc: SampleConfig.Draws = %d, want > 0", c.Draws),
		check(c.BurnIn >= 0, "mcmc: SampleConfig.BurnIn = %d, want >= 0", c.BurnIn),
		check(c.Thin >= 0, "mcmc: SampleConfig.Thin = %d, want >= 0", c.Thin),
		check(c.Block >= 0, "mcmc: SampleConfig.Block = %d, want >= 0", c.Block),
		check(c.Rows >= 0, "mcmc: SampleConfig.Rows = %d, want >= 0", c.Rows),
		check(c.Workers >= 0, "mcmc: SampleConfig.Workers = %d, want >= 0", c.Workers),
		check(c.Memory >= 0, "mcmc: SampleConfig.Memory = %d, want >= 0", c.Memory),
		check(c.Trajectories >= 0, "mcmc: SampleConfig.Trajectories = %d, want >= 0", c.Trajectories),
		c.Warmup.Validate(),
	)
}

// checkSize reports more draws than can be kept.
func (c SampleConfig) checkSize(n, d int) error {
	most := float64(cmp.Or(c.Memory, 8<<30))
	before := float64(c.Warmup.Steps) + float64(c.BurnIn)
	rows := float64(c.Draws) * float64(n)
	if c.KeepWarmup {
		rows += before * float64(n)
	}
	bytes := rows * float64(8*(d+1)+bytesOfRecord)
	bytes += float64(min(c.Trajectories, n)) * (before + float64(c.Draws)*float64(max(1, c.Thin)) + 1) * float64(8*d)
	if bytes > most {
		const gib = 1 << 30
		return fmt.Errorf(
			"mcmc: %d draws of %d chains and %d numbers take %.3g GiB, want at most %.3g: keep fewer (Draws, or Thin for "+
				"as long a run), or raise SampleConfig.Memory", c.Draws, n, d, bytes/gib, most/gib)
	}
	return nil
}

// Targets returns a target for each worker that no other worker uses. For an energy.Evaluator that is its Clone.
type Targets func() (Target, error)

// Shared gives one target to all workers. It must be safe for concurrent use, like a stateless function. Use Cloned for
// targets that are not.
func Shared(t Target) Targets { return func() (Target, error) { return t, nil } }

// Cloned gives every worker a clone of t, as an energy.Evaluator requires.
func Cloned[T interface {
	Target
	Clone() T
}](t T) Targets {
	return func() (Target, error) { return t.Clone(), nil }
}

// Draws is the result of Sample.
type Draws struct {
	Chains, Kept, Dim int
	X                 *mat.Dense // (Kept·Chains)×Dim; draw t of chain c is row t·Chains + c
	Energy            []float64  // E of each row of X
	Names             []string   // of the coordinates; nil means x1, x2, …; see Labels

	Record      Record       // the transitions behind the draws
	Divergences []Divergence // where trajectories diverged, by chain and draw; only the first if there are very many
	Warm        *Draws       // the transitions of warm-up and burn-in, if KeepWarmup
	Goal        float64      // target acceptance of the step size; 0 if not adapted
	LeftOut     []LeftOut    // chains not in order at the end of warm-up

	Kernels []Kernel     // per block, as adapted
	Stats   []ChainStats // per chain, after warm-up and burn-in
	Depths  []int        // NUTS: transitions by tree depth
	// Tempering: mean acceptance of swaps by level; of the first block if ladders differ in length
	Swaps        []float64
	Evaluations  int          // rows at which energy and gradient were computed, after warm-up and burn-in
	Preparation  int          // the same, during warm-up and burn-in
	Trajectories []*mat.Dense // each (transitions+1)×Dim, warm-up included
	Last         *mat.Dense   // Chains×Dim, the final positions

	derived []derived
}

// Chain returns draw t of chain c. It is a view.
func (d *Draws) Chain(c, t int) []float64 { return d.X.RawRowView(t*d.Chains + c) }

// Quantity returns f of every draw as chains[c][t].
func (d *Draws) Quantity(f func(x []float64, energy float64) float64) [][]float64 {
	out := make([][]float64, d.Chains)
	for c := range out {
		out[c] = make([]float64, d.Kept)
		for t := range out[c] {
			r := t*d.Chains + c
			out[c][t] = f(d.X.RawRowView(r), d.Energy[r])
		}
	}
	return out
}

// Sample runs chains from the rows of x and keeps draws. The chains are divided into blocks, each with its own random
// stream derived from rng and adapted on its own; the blocks are distributed over workers. The draws are the same for
// any number of workers and any GOMAXPROCS. x is copied.
//
// Starts that are not finite are an error unless there is a warm-up, which recovers such chains. It is an error if no
// draw has a finite energy.
//
// When ctx is cancelled or the target fails, Sample returns the draws so far, a whole number (possibly 0) from every
// chain, together with the error. If the target, the kernel or Progress panics, the workers stop and Sample panics with
// a *[Panic] in the calling goroutine.
func Sample(ctx context.Context, k Kernel, targets Targets, x *mat.Dense, cfg SampleConfig,
	rng *rand.Rand) (*Draws, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if k == nil {
		return nil, errors.New("mcmc: Sample without a kernel, want e.g. HMC{StepSize: 0.1}")
	}
	if x == nil || x.IsEmpty() {
		return nil, errors.New("mcmc: Sample without chains: the batch is empty")
	}
	if targets == nil || rng == nil {
		return nil, errors.New(
			"mcmc: Sample without targets or random numbers, want e.g. Shared(target) and a *rand.Rand")
	}
	k = plain(k)
	n, d := x.Dims()
	if cfg.Warmup.Steps == 0 { // which brings chains back from anywhere
		if err := checkStarts(x); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(checkDim(k, d), checkNames(cfg.Names, d), cfg.checkSize(n, d)); err != nil {
		return nil, err
	}
	r := &run{cfg: cfg, n: n, d: d, thin: max(1, cfg.Thin)}
	if err := r.makeBlocks(k, x, rng); err != nil {
		return nil, err
	}
	err := r.all(ctx, targets)
	draws := r.draws()
	if err == nil && !slices.ContainsFunc(draws.Energy, func(e float64) bool { return e-e == 0 }) {
		err = errors.New(
			"mcmc: no chain came to a point of finite energy: all stayed where they were; see Starts, and whether the " +
				"target is NaN everywhere")
	}
	return draws, err
}

// checkStarts reports a start that is not finite.
func checkStarts(x *mat.Dense) error {
	n, d := x.Dims()
	for i := range n {
		for j := range d {
			if v := x.At(i, j); v-v != 0 {
				return fmt.Errorf("mcmc: chain %d starts at %g in coordinate %d, want finite numbers", i+1, v, j+1)
			}
		}
	}
	return nil
}

// checkDim reports settings of k whose dimension is not that of the chains.
func checkDim(k Kernel, d int) error {
	if m, ok := k.(Massive); ok {
		if m := m.Inertia(); m != nil && m.Dim() != d {
			return fmt.Errorf("mcmc: the mass of %s is of dimension %d, the chains of %d", Name(k), m.Dim(), d)
		}
	}
	var err error
	if m, ok := k.(interface{ checkDim(d int) error }); ok {
		err = m.checkDim(d)
	}
	if o, ok := k.(Outer); ok && o.Inner() != nil {
		err = errors.Join(err, checkDim(o.Inner(), d))
	}
	return err
}

// run is a call of Sample.
type run struct {
	cfg        SampleConfig
	n, d, thin int
	blocks     []*block
	kept, warm ledger
	paths      [][]float64 // trajectories

	next     atomic.Int64 // tasks handed out
	mu       sync.Mutex   // guards what follows, and the progress function
	done     int
	diverged int
}

// before returns the number of transitions before the first that counts.
func (r *run) before() int { return r.cfg.Warmup.Steps + r.cfg.BurnIn }

// total returns the number of transitions of a chain.
func (r *run) total() int { return r.before() + r.cfg.Draws*r.thin }

// ledger holds draws of n chains.
type ledger struct {
	n, d      int
	x, energy []float64
	record    Record
}

func newLedger(draws, n, d int) ledger {
	return ledger{n, d, make([]float64, draws*n*d), make([]float64, draws*n), newRecord(draws * n)}
}

// put stores the positions of the chains of s, the first of which is number first, as draw t.
func (l *ledger) put(t, first int, s *State) {
	at := t*l.n + first
	copy(l.x[at*l.d:], s.X.RawMatrix().Data)
	copy(l.energy[at:], s.Energy)
}

// draws returns the first kept draws.
func (l *ledger) draws(kept int, names []string) *Draws {
	out := &Draws{Chains: l.n, Dim: l.d, Kept: kept, Names: names, Record: l.record}
	out.Record.first(kept * l.n)
	if kept > 0 {
		out.X = mat.NewDense(kept*l.n, l.d, l.x[:kept*l.n*l.d])
		out.Energy = l.energy[:kept*l.n]
	}
	return out
}

// block is a set of neighbouring chains.
type block struct {
	mu      sync.Mutex
	first   int // chain
	s       *State
	adapt   *Adapter
	rng     *rand.Rand
	t       int // transitions done
	kept    int
	stats   []chainSums
	depths  [maxTree + 1]int
	swaps   []float64
	swapN   float64
	rows    int // evaluations after preparation
	prepare int
	diverge []Divergence
	left    []LeftOut
	told    []ChainInfo // of a kernel that tells nothing of single chains
	was     []float64   // where the chains were before the last transition of such a kernel
}

const maxTree = 20

func (r *run) makeBlocks(k Kernel, x *mat.Dense, rng *rand.Rand) error {
	size := cmp.Or(r.cfg.Block, max(32, min(256, (r.n+3)/4)))
	for lo := 0; lo < r.n; lo += size {
		hi := min(lo+size, r.n)
		a, err := NewAdapter(k, r.cfg.Warmup)
		if err != nil {
			return err
		}
		start := mat.NewDense(hi-lo, r.d, nil)
		start.Copy(x.Slice(lo, hi, 0, r.d))
		r.blocks = append(r.blocks, &block{
			first: lo, s: NewState(start), adapt: a, rng: rand.New(rand.NewPCG(rng.Uint64(), rng.Uint64())),
			stats: make([]chainSums, hi-lo),
		})
	}
	r.kept = newLedger(r.cfg.Draws, r.n, r.d)
	if r.cfg.KeepWarmup {
		r.warm = newLedger(r.before(), r.n, r.d)
	}
	r.paths = make([][]float64, min(r.cfg.Trajectories, r.n))
	for c := range r.paths {
		r.paths[c] = append(make([]float64, 0, (r.total()+1)*r.d), x.RawRowView(c)...)
	}
	return nil
}

// all distributes the work. A task is a slice of one block's transitions; blocks advance in parallel, so that
// cancelling leaves them about equally far.
func (r *run) all(ctx context.Context, targets Targets) error {
	spare := cmp.Or(r.cfg.Workers, runtime.GOMAXPROCS(0))
	workers := min(spare, len(r.blocks))
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	slice := max(16, r.thin)
	tasks := int64(len(r.blocks)) * int64((r.total()+slice-1)/slice)
	var wg sync.WaitGroup
	var panicked atomic.Pointer[Panic]
	for i := range workers {
		t, err := r.target(targets, (spare+workers-1-i)/workers)
		if err != nil {
			stop(fmt.Errorf("mcmc: target for a worker: %w", err))
			break
		}
		wg.Go(func() {
			defer caught(&panicked, stop)
			var w workspace // scratch space of the running block
			for {
				i := r.next.Add(1) - 1
				if i >= tasks {
					return
				}
				if err := r.task(ctx, r.blocks[i%int64(len(r.blocks))], t, slice, &w); err != nil {
					stop(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if p := panicked.Load(); p != nil {
		panic(p)
	}
	return context.Cause(ctx)
}

// target returns the target of a worker that may use this many goroutines, at least one.
func (r *run) target(targets Targets, goroutines int) (Target, error) {
	var all []Target
	for len(all) < goroutines {
		t, err := targets()
		if err == nil && t == nil {
			err = errors.New("it is nil")
		}
		if err != nil {
			return nil, err
		}
		all = append(all, t)
		if a, ok := t.(Apart); r.cfg.Rows == 0 && !(ok && a.Apart()) {
			break
		}
	}
	return newCutter(all, r.cfg.Rows), nil
}

// task is advance by a worker with its own scratch space. A panic leaves the block to the workers waiting for it, which
// then stop.
func (r *run) task(ctx context.Context, b *block, t Target, steps int, w *workspace) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.s.work = w
	defer func() { b.s.work = nil }()
	return r.advance(ctx, b, t, steps)
}

// advance makes at most steps transitions of a block.
func (r *run) advance(ctx context.Context, b *block, t Target, steps int) error {
	var info Info
	warm := false
	made, divergent := 0, 0
	for range steps {
		if b.t == r.total() {
			break
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		warm = !b.adapt.Done()
		var err error
		if info, err = b.adapt.Step(b.s, t, b.rng); err != nil {
			return err
		}
		b.tell(&info)
		if warm && b.adapt.Done() {
			b.left = b.adapt.Left(b.s)
		}
		b.t++
		made++
		if b.keep(r, info) {
			divergent += info.Divergent
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done += made
	r.diverged += divergent
	if r.cfg.Progress != nil && made > 0 {
		r.cfg.Progress(Progress{
			Done: r.done, Total: r.total() * len(r.blocks), Warmup: warm, AcceptProb: info.AcceptProb,
			Divergent: r.diverged,
		})
	}
	return nil
}

// tell says of the chains of a kernel that does not itself whether they moved; in the first transition all did.
func (b *block) tell(info *Info) {
	if info.Chains != nil {
		return
	}
	x, d := b.s.X.RawMatrix().Data, b.s.X.RawMatrix().Cols
	first := b.was == nil
	if first {
		b.was, b.told = make([]float64, len(x)), make([]ChainInfo, len(b.s.Energy))
	}
	for i := range b.told {
		b.told[i] = info.chain(i)
		b.told[i].Accepted = first || !slices.Equal(row(x, d, i), row(b.was, d, i))
	}
	copy(b.was, x)
	info.Chains = b.told
}

// keep records a transition. It reports whether it came after the preparation.
func (b *block) keep(r *run, info Info) bool {
	for i := 0; i < len(b.s.Energy) && b.first+i < len(r.paths); i++ {
		c := b.first + i
		r.paths[c] = append(r.paths[c], b.s.X.RawRowView(i)...)
	}
	after := b.t - r.before()
	if after <= 0 {
		b.prepare += info.Evaluations
		if r.cfg.KeepWarmup {
			b.note(&r.warm, b.t-1, 0, info)
			r.warm.put(b.t-1, b.first, b.s)
		}
		return false
	}
	b.rows += info.Evaluations
	b.note(&r.kept, b.kept, (after-1)%r.thin, info)
	b.where(info)
	for i := range b.stats {
		c := info.chain(i)
		b.stats[i].add(&c)
		b.depths[min(int(c.Depth), maxTree)]++
	}
	if len(info.Swaps) > 0 {
		if len(b.swaps) != len(info.Swaps) {
			b.swaps, b.swapN = make([]float64, len(info.Swaps)), 0
		}
		for l, v := range info.Swaps {
			b.swaps[l] += v.AcceptProb
		}
		b.swapN++
	}
	if after%r.thin != 0 {
		return true
	}
	r.kept.put(b.kept, b.first, b.s)
	if b.kept == 0 {
		b.centre(r.d)
	}
	for i := range b.stats {
		b.stats[i].virial(b.s.X.RawRowView(i), b.s.Grad.RawRowView(i), b.stats[i].centre)
	}
	b.kept++
	return true
}

// note records transition number k behind draw t.
func (b *block) note(l *ledger, t, k int, info Info) {
	for i := range b.stats {
		c := info.chain(i)
		l.record.note(t*l.n+b.first+i, k, &c)
	}
}

// where records the positions of divergences.
func (b *block) where(info Info) {
	if info.Divergent == 0 || info.Where == nil || info.Chains == nil {
		return
	}
	for i := range info.Chains {
		if !info.Chains[i].Divergent || len(b.diverge) == mostDivergences {
			continue
		}
		x := info.Where.RawRowView(i)
		if !finite(x) { // so far out that it is not finite: use where the chain stayed
			x = b.s.X.RawRowView(i)
		}
		b.diverge = append(b.diverge, Divergence{b.first + i, b.kept, append([]float64(nil), x...)})
	}
}

// centre chooses the point about which virials are taken: the mean position of the block's chains at the first draw.
func (b *block) centre(d int) {
	var v variance
	v.init(d)
	for i := range b.stats {
		v.add(b.s.X.RawRowView(i))
	}
	for i := range b.stats {
		b.stats[i].centre = v.mean
	}
}

// draws collects the results.
func (r *run) draws() *Draws {
	kept, warm := r.cfg.Draws, r.before()
	for _, b := range r.blocks {
		kept, warm = min(kept, b.kept), min(warm, b.t)
	}
	out := r.kept.draws(kept, r.cfg.Names)
	if r.cfg.KeepWarmup {
		out.Warm = r.warm.draws(warm, r.cfg.Names)
	}
	out.Last, out.Depths = mat.NewDense(r.n, r.d, nil), make([]int, maxTree+1)
	out.Goal = r.blocks[0].adapt.Goal()
	for _, b := range r.blocks {
		for _, v := range b.diverge {
			if v.Draw < kept {
				out.Divergences = append(out.Divergences, v)
			}
		}
		for _, v := range b.left {
			v.Chain += b.first
			out.LeftOut = append(out.LeftOut, v)
		}
		out.Kernels = append(out.Kernels, b.adapt.Kernel())
		out.Evaluations += b.rows
		out.Preparation += b.prepare
		for i := range b.stats {
			out.Stats = append(out.Stats, b.stats[i].summary())
		}
		for l, v := range b.depths {
			out.Depths[l] += v
		}
		out.Last.Slice(b.first, b.first+len(b.stats), 0, r.d).(*mat.Dense).Copy(b.s.X)
	}
	for len(out.Depths) > 0 && out.Depths[len(out.Depths)-1] == 0 {
		out.Depths = out.Depths[:len(out.Depths)-1]
	}
	if len(out.Depths) == 1 {
		out.Depths = nil // no trees
	}
	out.Swaps = r.swaps()
	for _, p := range r.paths {
		out.Trajectories = append(out.Trajectories, mat.NewDense(len(p)/r.d, r.d, p))
	}
	return out
}

func (r *run) swaps() []float64 {
	sum := make([]float64, len(r.blocks[0].swaps))
	var n float64
	for _, b := range r.blocks {
		if len(b.swaps) != len(sum) {
			continue
		}
		for l, v := range b.swaps {
			sum[l] += v
		}
		n += b.swapN
	}
	if n == 0 {
		return nil
	}
	for l := range sum {
		sum[l] /= n
	}
	return sum
}

// ChainStats holds statistics of one chain besides its draws.
type ChainStats struct {
	Transitions int
	AcceptProb  float64 // mean
	Accepted    int
	Divergent   int
	Leapfrog    int     // total steps
	EBFMI       float64 // Σ(H_t - H_{t-1})²/Σ(H_t - H̄)²; NaN without momenta
	Virial      float64 // mean of (x - c)·∇E(x)/d over the draws kept, c a fixed point: 1 for draws from exp(-E)
}

// chainSums accumulates ChainStats.
type chainSums struct {
	n, accepted, divergent, leapfrog int
	accept                           float64
	hn, hMean, hM2, hPrev, hDiff     float64
	vn, vSum                         float64
	centre                           []float64
}

func (c *chainSums) add(i *ChainInfo) {
	c.n++
	c.accept += i.AcceptProb
	c.leapfrog += int(i.Leapfrog)
	if i.Accepted {
		c.accepted++
	}
	if i.Divergent {
		c.divergent++
	}
	if h := i.Hamiltonian; h-h == 0 {
		if c.hn > 0 {
			c.hDiff += (h - c.hPrev) * (h - c.hPrev)
		}
		c.hPrev = h
		c.hn++
		d := h - c.hMean
		c.hMean += d / c.hn
		c.hM2 += d * (h - c.hMean)
	}
}

func (c *chainSums) virial(x, grad, centre []float64) {
	var sum float64
	for j, g := range grad {
		sum += (x[j] - centre[j]) * g
	}
	c.vSum += sum / float64(len(x))
	c.vn++
}

func (c *chainSums) summary() ChainStats {
	return ChainStats{
		Transitions: c.n, AcceptProb: c.accept / float64(c.n), Accepted: c.accepted, Divergent: c.divergent,
		Leapfrog: c.leapfrog,
		EBFMI:    c.hDiff / c.hM2, Virial: c.vSum / c.vn,
	}
}
