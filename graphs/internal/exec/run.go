package exec

import (
	"fmt"
	"slices"
	"time"
	"unsafe"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
)

// Options of a program.
type Options struct {
	Threads  int     // workers; 0 and 1: the caller alone
	TileRows int     // rows per tile; 0: chosen from the shapes
	MinRows  int     // rows from which on a batch is cut into tiles; 0 means 64
	Share    float64 // nanoseconds, by estimate, from which on a segment is shared with helpers; 0 means 15000
}

// Program is a compiled graph with its memory. It is not for concurrent use; clones are independent.
type Program[T kernels.Float] struct {
	*plan
	opt     Options
	keep    []T
	whole   []T
	parts   []T
	packs   []kernels.Packed[T] // by slot
	workers []*worker[T]
	jobs    []job // two per segment of main: its stripes, and the sums over stripes
	stale   bool  // held inputs changed
}

// worker is what one thread needs to run tiles.
type worker[T kernels.Float] struct {
	p       *Program[T]
	buf     [][]T // by slot
	tiles   []T
	scratch []T
	base    [][]T // registers of the running group
	cur     [][]T
	prods   []kernels.Product[T] // by step
	work    []T
	rows    [][]T           // arguments of opaque steps
	times   []time.Duration // by step, when measuring: the shortest run so far
}

// New plans g and reserves its memory.
func New[T kernels.Float](g *ir.Graph, opt Options) *Program[T] {
	var z T
	size := 8
	if _, ok := any(z).(float32); ok {
		size = 4
	}
	set := settings{elemSize: size, alone: opt.Threads <= 1, minRows: 64, tileRows: opt.TileRows,
		packLen: func(k, n int) int { return (n + 15) / 16 * 16 * k }, workLen: kernels.Workspace[T]}
	if opt.MinRows > 0 {
		set.minRows = opt.MinRows
	}
	if opt.Share == 0 {
		opt.Share = 15000
	}
	return instantiate[T](newPlan(g, set), opt)
}

// aligned64 returns n zeros that begin on a cache line.
func aligned64[T kernels.Float](n int) []T {
	const line = 64
	s := make([]T, n+line)
	skip := int(-uintptr(unsafe.Pointer(&s[0]))%line) / int(unsafe.Sizeof(s[0]))
	return s[skip : skip+n : skip+n]
}

func instantiate[T kernels.Float](pl *plan, opt Options) *Program[T] {
	p := &Program[T]{plan: pl, opt: opt, stale: true}
	p.keep = aligned64[T](pl.keepLen)
	p.whole = aligned64[T](pl.fullLen)
	p.parts = aligned64[T](pl.partLen)
	p.packs = make([]kernels.Packed[T], len(pl.slots))
	for range max(opt.Threads, 1) {
		p.workers = append(p.workers, newWorker(p))
	}
	p.makeJobs()
	for i, id := range pl.consts {
		in, dst := &pl.code[id], p.workers[0].buf[pl.constAt[i]]
		if in.Op == ir.Const {
			kernels.Fill(dst, T(in.C))
			continue
		}
		for j, v := range in.Values {
			dst[j] = T(v)
		}
	}
	return p
}

func newWorker[T kernels.Float](p *Program[T]) *worker[T] {
	w := &worker[T]{p: p, buf: make([][]T, len(p.slots)), base: make([][]T, p.regs), cur: make([][]T, p.regs),
		prods: make([]kernels.Product[T], p.steps)}
	w.tiles = aligned64[T](p.tileLen)
	w.scratch = aligned64[T](p.scratch)
	w.work = aligned64[T](p.workLen)
	for i := range p.slots {
		s := &p.slots[i]
		switch s.kind {
		case persistent:
			w.buf[i] = p.keep[s.off : s.off+s.size : s.off+s.size]
		case full:
			w.buf[i] = p.whole[s.off : s.off+s.size : s.off+s.size]
		}
	}
	most := 0
	for _, segs := range [2][]segment{p.held, p.main} {
		for i := range segs {
			seg := &segs[i]
			for j := range seg.steps {
				st := &seg.steps[j]
				most = max(most, len(st.args))
				w.prepare(seg, st)
			}
		}
	}
	w.rows = make([][]T, most)
	return w
}

// prepare fixes what does not change from run to run.
func (w *worker[T]) prepare(seg *segment, st *step) {
	tileSlot := func(n int32) {
		if n < 0 {
			return
		}
		if s := &w.p.slots[n]; s.kind == tile {
			w.buf[n] = w.tiles[s.off : s.off+seg.tile*s.cols]
		}
	}
	if st.group != nil {
		for _, r := range st.group.regs {
			tileSlot(r.ref.slot)
		}
		return
	}
	tileSlot(st.dst.slot)
	in := st.in
	if st.op == ir.BatchMatMul {
		p := &w.prods[st.n]
		p.M, p.N, p.K, p.TransA, p.TransB = in.Rows/in.Batch, in.Cols, in.Lo, in.TA, in.TB
		p.LdA, p.LdB, p.LdC = w.p.code[in.Args[0]].Cols, w.p.code[in.Args[1]].Cols, in.Cols
	}
	if st.op != ir.MatMul {
		return
	}
	a := &w.p.code[in.Args[0]]
	p := &w.prods[st.n]
	p.N, p.K, p.TransA = in.Cols, in.Lo, in.TA
	p.LdA, p.LdC = a.Cols, in.Cols
	if b := &w.p.code[in.Args[1]]; b.Op == ir.Pack {
		p.Packed = &w.p.packs[st.args[1].slot]
	} else {
		p.TransB, p.LdB = in.TB, b.Cols
	}
	p.LdMul = in.Cols
}

// Input is where the i-th input is read from.
func (p *Program[T]) Input(i int) []T { return p.workers[0].buf[p.inputs[i]] }

// Bind makes x the memory of the i-th input, which must not be held. It reports whether x has the right length.
func (p *Program[T]) Bind(i int, x []T) bool {
	n := p.inputs[i]
	if len(x) != p.slots[n].size {
		return false
	}
	for _, w := range p.workers {
		w.buf[n] = x
	}
	return true
}

// Own makes the i-th input's own memory its memory again, and returns it.
func (p *Program[T]) Own(i int) []T {
	s := &p.slots[p.inputs[i]]
	p.Bind(i, p.keep[s.off:s.off+s.size])
	return p.Input(i)
}

// Exclusive reports whether nothing but the i-th output is in its memory: no constant, no input, no other output.
func (p *Program[T]) Exclusive(i int) bool {
	n := p.outputs[i]
	for j, m := range p.outputs {
		if m == n && j != i {
			return false
		}
	}
	return p.slots[n].kind == full
}

// Output is where the i-th output is found after Run.
func (p *Program[T]) Output(i int) []T { return p.workers[0].buf[p.outputs[i]] }

// Touch says that held inputs have changed.
func (p *Program[T]) Touch() { p.stale = true }

// Clone returns a program with memory of its own and the inputs of p.
func (p *Program[T]) Clone() *Program[T] {
	q := p.Blank()
	for i := range p.inputs {
		copy(q.Input(i), p.Input(i))
	}
	return q
}

// Blank returns a program with memory of its own. It reads of p what never changes.
func (p *Program[T]) Blank() *Program[T] { return instantiate[T](p.plan, p.opt) }

// Bytes is the memory of the program for numbers.
func (p *Program[T]) Bytes() int {
	n := p.keepLen + p.fullLen + p.partLen + p.packLen + max(p.opt.Threads, 1)*(p.tileLen+p.scratch+p.workLen)
	return n * p.elemSize
}

// Run computes the outputs. The only errors are those of opaque steps.
func (p *Program[T]) Run() error {
	w := p.workers[0]
	if p.stale {
		for i := range p.held {
			if err := w.once(&p.held[i]); err != nil {
				return err
			}
		}
		p.stale = false
	}
	for i := range p.main {
		seg := &p.main[i]
		if seg.rows == 0 {
			if err := w.once(seg); err != nil {
				return err
			}
			continue
		}
		if p.alone {
			w.inTurn(seg)
			continue
		}
		workers.run(&p.jobs[2*i])
		workers.run(&p.jobs[2*i+1])
	}
	return nil
}

// stripes is the task of running a segment's stripes.
type stripes[T kernels.Float] struct {
	p   *Program[T]
	seg *segment
}

func (t *stripes[T]) part(w, i int) { t.p.workers[w].stripe(t.seg, i) }

// sums is the task of adding up a segment's partial sums, piece by piece.
type sums[T kernels.Float] struct {
	p      *Program[T]
	seg    *segment
	pieces int // of every sum
}

func (t *sums[T]) part(_, i int) {
	for k := range t.seg.sums {
		c := &t.seg.sums[k]
		n := (c.n + t.pieces - 1) / t.pieces
		if lo, hi := i*n, min((i+1)*n, c.n); lo < hi {
			t.p.combine(c, lo, hi)
		}
	}
}

// makeJobs prepares the work that may be shared.
func (p *Program[T]) makeJobs() {
	p.jobs = make([]job, 2*len(p.main))
	for i := range p.main {
		seg := &p.main[i]
		if seg.rows == 0 {
			continue
		}
		n := len(p.workers)
		if seg.cost < p.opt.Share {
			n = 1
		}
		p.jobs[2*i] = job{task: &stripes[T]{p, seg}, parts: uint32(seg.stripes()), workers: n}
		total := 0
		for _, c := range seg.sums {
			total += c.n * c.stripes
		}
		pieces := 1
		if n > 1 && total > 1<<16 {
			pieces = 2 * n
		}
		parts := pieces
		if len(seg.sums) == 0 {
			parts = 0
		}
		p.jobs[2*i+1] = job{task: &sums[T]{p, seg, pieces}, parts: uint32(parts), workers: n}
	}
}

// combine adds the elements lo … hi−1 of the partial sums, a block of the first cache at a time.
func (p *Program[T]) combine(c *combine, lo, hi int) {
	const block = 2048
	s := &p.slots[c.partial]
	for ; lo < hi; lo += block {
		end := min(lo+block, hi)
		dst := p.workers[0].buf[c.dst][lo:end]
		kernels.Add(dst, p.parts[s.off+lo:s.off+end], p.parts[s.off+s.stride+lo:s.off+s.stride+end])
		for k := 2; k < c.stripes; k++ {
			o := s.off + k*s.stride
			kernels.Add(dst, dst, p.parts[o+lo:o+end])
		}
	}
}

// stripe runs the tiles of one stripe of several workers'.
func (w *worker[T]) stripe(seg *segment, n int) {
	for i := range seg.sums {
		w.bindPart(&seg.sums[i], n)
	}
	w.runTiles(seg, n)
}

// bindPart makes the place of stripe n that of the partial sum.
func (w *worker[T]) bindPart(c *combine, n int) {
	s := &w.p.slots[c.partial]
	o := s.off + n*s.stride
	w.buf[c.partial] = w.p.parts[o : o+s.size]
}

// inTurn runs one stripe after the other, of a worker who is alone: the sums of the first in their place, those of the others beside
// it, to be added while the cache still has them. The additions are those of combine, in their order.
func (w *worker[T]) inTurn(seg *segment) {
	for i := range seg.sums {
		c := &seg.sums[i]
		w.buf[c.partial] = w.buf[c.dst]
	}
	w.runTiles(seg, 0)
	for n := 1; n < seg.stripes(); n++ {
		for i := range seg.sums {
			w.bindPart(&seg.sums[i], n)
		}
		w.runTiles(seg, n)
		for i := range seg.sums {
			c := &seg.sums[i]
			dst := w.buf[c.dst][:c.n]
			kernels.Add(dst, dst, w.buf[c.partial])
		}
	}
}

// runTiles runs the tiles of stripe n.
func (w *worker[T]) runTiles(seg *segment, n int) {
	lo := n * seg.stripe
	hi := min(lo+seg.stripe, seg.rows)
	for r := lo; r < hi; r += seg.tile {
		rows := min(seg.tile, hi-r)
		if w.times != nil {
			w.measure(seg, r, rows, r == lo)
			continue
		}
		for i := range seg.steps {
			w.exec(&seg.steps[i], r, rows, r == lo)
		}
	}
}

// measure runs a tile and notes how long each step takes.
func (w *worker[T]) measure(seg *segment, row, rows int, first bool) {
	for i := range seg.steps {
		st := &seg.steps[i]
		start := time.Now()
		w.exec(st, row, rows, first)
		if t := time.Since(start); rows == seg.tile && (w.times[st.n] == 0 || t < w.times[st.n]) {
			w.times[st.n] = t
		}
	}
}

// Measure runs the program n times on one thread, and returns what Dump returns with the shortest time of each step.
func (p *Program[T]) Measure(n int) (string, error) {
	w := p.workers[0]
	w.times = make([]time.Duration, p.steps)
	defer func() { w.times = nil }()
	jobs := p.jobs
	p.jobs = slices.Clone(jobs)
	for i := range p.jobs {
		p.jobs[i].workers = 1
	}
	defer func() { p.jobs = jobs }()
	for range n {
		if err := p.Run(); err != nil {
			return "", err
		}
	}
	d := dumper{plan: p.plan, times: w.times}
	d.program()
	return d.String(), nil
}

// once runs a segment that is not cut into tiles.
func (w *worker[T]) once(seg *segment) error {
	for i := range seg.steps {
		st := &seg.steps[i]
		if st.op == ir.Opaque {
			start := time.Now()
			if err := w.opaque(st); err != nil {
				return err
			}
			if w.times != nil {
				if t := time.Since(start); w.times[st.n] == 0 || t < w.times[st.n] {
					w.times[st.n] = t
				}
			}
			continue
		}
		if w.times != nil {
			w.measure(&segment{steps: seg.steps[i : i+1]}, 0, 0, true)
			continue
		}
		w.exec(st, 0, 0, true)
	}
	return nil
}

func (w *worker[T]) opaque(st *step) error {
	args := w.rows[:len(st.args)]
	for i, a := range st.args {
		args[i] = w.buf[a.slot]
	}
	var err error
	switch dst := any(w.buf[st.dst.slot]).(type) {
	case []float32:
		err = st.in.Run.Run32(dst, any(args).([][]float32))
	case []float64:
		err = st.in.Run.Run64(dst, any(args).([][]float64))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", st.in.Run.Label(), err)
	}
	return nil
}

// at is the use r of a slot at a row of the batch.
func (w *worker[T]) at(r ref, row int) []T {
	return w.buf[r.slot][row*int(r.step):]
}

// exec runs one step for rows rows from row on, or on whole values if rows is 0. first says that a sum begins.
func (w *worker[T]) exec(st *step, row, rows int, first bool) {
	if st.group != nil {
		w.group(st.group, row, rows, first)
		return
	}
	in := st.in
	switch st.op {
	case ir.MatMul:
		p := &w.prods[st.n]
		p.A = w.at(st.args[0], row)
		if p.Packed == nil {
			p.B = w.at(st.args[1], row)
		}
		p.C = w.at(st.dst, row)
		p.M = in.Rows
		if in.TA {
			if rows > 0 {
				p.K = rows
			}
			p.Acc = !first || st.add
		} else {
			if rows > 0 {
				p.M = rows
			}
			if in.Bias > 0 {
				p.Bias = w.buf[st.args[in.Bias].slot]
			}
			if in.Factor > 0 {
				p.Mul = w.at(st.args[in.Factor], row)
			}
		}
		p.Run(w.work)
		return
	case ir.Pack:
		a := &w.p.code[in.Args[0]]
		w.p.packs[st.dst.slot].Pack(w.buf[st.args[0].slot], a.Cols, in.TB, in.Rows, in.Cols)
		return
	}
	if w.strided(st) {
		return
	}
	n := rows
	if n == 0 {
		n = in.Rows
	}
	dst := w.at(st.dst, row)[:n*in.Cols]
	x := w.at(st.args[0], row)
	a := &w.p.code[in.Args[0]]
	m := a.Cols
	switch st.op {
	case ir.RowMax:
		for i := range dst {
			dst[i] = kernels.Max(x[i*m : (i+1)*m])
		}
	case ir.RowLSE:
		for i := range dst { // row by row: the workspace is a row
			kernels.RowLogSumExp(dst[i:i+1], x[i*m:(i+1)*m], m, w.work)
		}
	case ir.RowSoftmax:
		kernels.RowSoftmax(dst, x[:n*m], m)
	case ir.SliceCols:
		k := in.Cols
		for i := range n {
			copy(dst[i*k:(i+1)*k], x[i*m+in.Lo:])
		}
	case ir.PadCols:
		k := in.Cols
		for i := range n {
			d := dst[i*k : (i+1)*k]
			clear(d[:in.Lo])
			copy(d[in.Lo:in.Hi], x[i*m:])
			clear(d[in.Hi:])
		}
	case ir.ConcatCols:
		k, at := in.Cols, 0
		for j, q := range in.Args {
			m := w.p.code[q].Cols
			x := w.at(st.args[j], row)
			for i := range n {
				copy(dst[i*k+at:i*k+at+m], x[i*m:])
			}
			at += m
		}
	case ir.SliceRows:
		copy(dst, x[in.Lo*m:])
	case ir.PadRows:
		clear(dst[:in.Lo*m])
		copy(dst[in.Lo*m:in.Hi*m], x)
		clear(dst[in.Hi*m:])
	case ir.ConcatRows:
		at := 0
		for _, r := range st.args {
			at += copy(dst[at:], w.buf[r.slot])
		}
	case ir.Transpose:
		kernels.Transpose(dst, x[:a.Rows*m], a.Rows, m)
	case ir.Reshape:
		if st.dst.slot != st.args[0].slot {
			copy(dst, x)
		}
	default:
		panic("exec: no such step: " + st.op.String())
	}
}

// group runs the micros of g block by block.
func (w *worker[T]) group(g *group, row, rows int, first bool) {
	if rows == 0 {
		rows = g.rows
	}
	rows *= g.unit
	cols := g.cols
	base, cur := w.base[:len(g.regs)], w.cur[:len(g.regs)]
	for i := range g.regs {
		r := &g.regs[i]
		if r.ref.slot == none {
			n := align(g.block*cols, w.p.elemSize)
			base[i] = w.scratch[int(r.ref.step)*n:][:n]
		} else {
			base[i] = w.at(r.ref, row)
		}
	}
	for lo := 0; lo < rows; lo += g.block {
		n := min(g.block, rows-lo)
		for i := range g.regs {
			r := &g.regs[i]
			switch r.kind {
			case mat:
				o := lo * cols
				if r.ref.slot == none {
					o = 0
				}
				cur[i] = base[i][o : o+n*cols]
			case col:
				cur[i] = base[i][lo : lo+n]
			case one:
				cur[i] = base[i][:1]
			default:
				cur[i] = base[i][:cols]
			}
		}
		if lo == 0 && len(g.first) > 0 {
			w.micros(g.first, cur, cols, true)
		}
		w.micros(g.code, cur, cols, first && lo == 0)
	}
}

// micros runs the instructions code on one block of cols columns, whose registers are cur. begin says that sums begin.
func (w *worker[T]) micros(code []micro, cur [][]T, cols int, begin bool) {
	for i := range code {
		m := &code[i]
		switch m.op {
		case mAdd:
			kernels.Add(cur[m.d], cur[m.a], cur[m.b])
		case mSub:
			kernels.Sub(cur[m.d], cur[m.a], cur[m.b])
		case mMul:
			kernels.Mul(cur[m.d], cur[m.a], cur[m.b])
		case mDiv:
			kernels.Div(cur[m.d], cur[m.a], cur[m.b])
		case mAddCol:
			kernels.AddCol(cur[m.d], cur[m.a], cur[m.b])
		case mSubCol:
			kernels.SubCol(cur[m.d], cur[m.a], cur[m.b])
		case mMulCol:
			kernels.MulCol(cur[m.d], cur[m.a], cur[m.b])
		case mDivCol:
			kernels.DivCol(cur[m.d], cur[m.a], cur[m.b])
		case mAddOne:
			kernels.Shift(cur[m.d], cur[m.a], cur[m.b][0])
		case mSubOne:
			kernels.Shift(cur[m.d], cur[m.a], -cur[m.b][0])
		case mMulOne:
			kernels.Scale(cur[m.d], cur[m.b][0], cur[m.a])
		case mDivOne:
			kernels.Scale(cur[m.d], 1/cur[m.b][0], cur[m.a])
		case mScale:
			kernels.Scale(cur[m.d], T(m.k), cur[m.a])
		case mShift:
			kernels.Shift(cur[m.d], cur[m.a], T(m.k))
		case mMulAdd:
			kernels.MulAdd(cur[m.d], cur[m.a], cur[m.b], cur[m.c])
		case mMulSub:
			kernels.MulSub(cur[m.d], cur[m.a], cur[m.b], cur[m.c])
		case mNegMulAdd:
			kernels.NegMulAdd(cur[m.d], cur[m.a], cur[m.b], cur[m.c])
		case mMulMul:
			kernels.MulMul(cur[m.d], cur[m.a], cur[m.b], cur[m.c])
		case mMulMulAdd:
			kernels.MulMulAdd(cur[m.d], cur[m.a], cur[m.b], cur[m.c], cur[m.e])
		case mScaleAdd:
			kernels.ScaleAdd(cur[m.d], T(m.k), cur[m.a], cur[m.b])
		case mUnary:
			kernels.Unary(m.fn, int(m.order), cur[m.d], cur[m.a])
		case mMulti:
			var d [4][]T
			for k, o := range m.outs {
				if o != none {
					d[k] = cur[o]
				}
			}
			kernels.UnaryMulti(m.fn, d[0], d[1], d[2], d[3], cur[m.a])
		case mPow:
			kernels.Pow(m.k, int(m.order), cur[m.d], cur[m.a])
		case mScalar:
			d := cur[m.d]
			for i, v := range cur[m.a] {
				d[i] = T(m.in.Scalar(float64(v)))
			}
		case mMax:
			d, b := cur[m.d], cur[m.b]
			for i, v := range cur[m.a] {
				d[i] = max(v, b[i])
			}
		case mMin:
			d, b := cur[m.d], cur[m.b]
			for i, v := range cur[m.a] {
				d[i] = min(v, b[i])
			}
		case mCmp:
			compare(ir.Relation(m.in.Index), cur[m.d], cur[m.a], cur[m.b])
		case mExpandCol:
			kernels.ExpandCol(cur[m.d], cur[m.a])
		case mExpandRow:
			kernels.ExpandRow(cur[m.d], cur[m.a])
		case mFill:
			kernels.Fill(cur[m.d], cur[m.a][0])
		case mRowSum:
			kernels.RowSum(cur[m.d], cur[m.a], cols, false)
		case mRowDot:
			kernels.RowDot(cur[m.d], cur[m.a], cur[m.b], cols, false)
		case mColSum:
			kernels.ColSum(cur[m.d], cur[m.a], !begin)
		case mSum:
			s := kernels.Sum(cur[m.a])
			if !begin {
				s += cur[m.d][0]
			}
			cur[m.d][0] = s
		case mDot:
			s := kernels.Dot(cur[m.a], cur[m.b])
			if !begin {
				s += cur[m.d][0]
			}
			cur[m.d][0] = s
		}
	}
}
