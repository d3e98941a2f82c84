package graphs_test

import (
	"testing"

	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/graphs/graphtest"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Our operations run on Gorgonia's own machines, including gorgonia.Grad and the automatic differentiation of the
// lisp machine.
func TestGorgoniaMachines(t *testing.T) {
	for _, dt := range []tensor.Dtype{tensor.Float64, tensor.Float32} {
		tol := 1e-12
		if dt == tensor.Float32 {
			tol = 1e-5
		}
		build := func() (*network, *G.Node) {
			w := mlp(dt, func(x *G.Node) *G.Node {
				return graphs.Mul(graphs.ConcatCols(graphs.SiLU(graphs.SliceCols(x, 0, 2)), graphs.SliceCols(x, 2, 4)),
					graphs.RowSoftmax(x))
			}, 3, 2, 4, 4)
			for n, v := range w.feeds {
				if err := G.Let(n, tensor.New(tensor.WithShape(n.Shape()...), tensor.WithBacking(backing(dt, v)))); err != nil {
					t.Fatal(err)
				}
			}
			return w, graphs.Must(G.Sum(w.e))
		}
		w, cost := build()
		want := w.eval(t, append(grad(t, cost, w.theta...), cost)...)

		tape, cost := build()
		if _, err := G.Grad(cost, tape.theta...); err != nil {
			t.Fatal(err)
		}
		var values []G.Value
		for range tape.theta {
			values = append(values, nil)
		}
		for i, p := range tape.theta {
			G.Read(p.Deriv(), &values[i])
		}
		m := G.NewTapeMachine(cost.Graph())
		if err := m.RunAll(); err != nil {
			t.Fatal(err)
		}
		for i := range values {
			graphtest.Close(t, "tape machine: "+tape.theta[i].Name(), graphtest.Floats(values[i]), want[i], tol)
		}
		m.Close()

		lisp, cost := build()
		l := G.NewLispMachine(cost.Graph())
		if err := l.RunAll(); err != nil {
			t.Fatal(err)
		}
		for i, p := range lisp.theta {
			v, err := p.Grad()
			if err != nil {
				t.Fatal(err)
			}
			graphtest.Close(t, "lisp machine: "+p.Name(), graphtest.Floats(v), want[i], tol)
		}
		l.Close()
	}
}

func backing(dt tensor.Dtype, v []float64) any {
	if dt == tensor.Float64 {
		return append([]float64(nil), v...)
	}
	r := make([]float32, len(v))
	for i, x := range v {
		r[i] = float32(x)
	}
	return r
}
