package run

import (
	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/plan"
	"github.com/stheno-ebm/stheno/graphs/internal/strided"
)

// strided runs an instruction on whole arrays of any rank.
func (w *worker[T]) strided(st *plan.Step) kernel {
	x, dst := w.arg(st, 0), w.dst(st)
	switch o := st.Op.(type) {
	case ir.Gather:
		return func(int, int, bool) { strided.Gather(o.View, dst.all(), x.all()) }
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
