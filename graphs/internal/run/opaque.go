package run

import (
	"fmt"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/plan"
)

func (w *worker[T]) opaque(st *plan.Step, o ir.Opaque) kernel {
	args := make([][]T, len(st.Refs))
	return func(int, int, bool) {
		for i, r := range st.Refs {
			args[i] = w.buf[r.Slot]
		}
		var err error
		switch dst := any(w.buf[st.Dst.Slot]).(type) {
		case []float32:
			err = o.Run.Run32(dst, any(args).([][]float32))
		case []float64:
			err = o.Run.Run64(dst, any(args).([][]float64))
		}
		if err != nil {
			w.err = fmt.Errorf("%s: %w", o.Run.Label(), err)
		}
	}
}
