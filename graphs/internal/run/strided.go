package run

import (
	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/plan"
	"github.com/stheno-ebm/stheno/graphs/internal/strided"
	"github.com/stheno-ebm/stheno/graphs/internal/team"
)

// strided runs an instruction on whole arrays of any rank.
func (w *worker[T]) strided(st *plan.Step) kernel {
	x, dst := w.arg(st, 0), w.dst(st)
	switch o := st.Op.(type) {
	case ir.Gather:
		return w.gather(o.View, x, dst)
	case ir.Put:
		return func(int, int, bool) { strided.Put(o.View, dst.all(), x.all(), T(o.Fill)) }
	case ir.Scatter:
		return func(int, int, bool) { strided.Sum(o.View, dst.all(), x.all()) }
	case ir.ArgMax:
		return func(int, int, bool) { strided.ArgMax(o.Groups, dst.all(), x.all()) }
	}
	y := w.arg(st, 1)
	if o, ok := st.Op.(ir.Pick); ok {
		return func(int, int, bool) { strided.Pick(o.Groups, dst.all(), x.all(), y.all()) }
	}
	groups := st.Op.(ir.Place).Groups
	return func(int, int, bool) { strided.Place(groups, dst.all(), x.all(), y.all()) }
}

// gather divides a large view along its first axis.
func (w *worker[T]) gather(v strided.View, x, dst operand[T]) kernel {
	parts := 1
	if len(v.Dims) > 2 { // the last two axes are copied together
		parts = min(team.Parts(v.Len(), w.p.opt.Threads), v.Dims[0])
	}
	if parts == 1 {
		return func(int, int, bool) { strided.Gather(v, dst.all(), x.all()) }
	}
	row := v.Len() / v.Dims[0]
	cut := func(i int) int { return v.Dims[0] * i / parts }
	views := make([]strided.View, parts)
	for i := range views {
		views[i] = v.Rows(cut(i), cut(i+1))
	}
	return w.share(parts, func(i int) {
		strided.Gather(views[i], dst.all()[cut(i)*row:cut(i+1)*row], x.all())
	})
}
