package objectives

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/graphs"
)

// noiseOfFlow compiles the density that a contrast with k noise points per datum uses for its noise, and where it
// draws the noise.
type noiseOfFlow struct {
	form *flowForm
	own  [][]float64 // φ
}

// function compiles the outputs that build makes of an input (n, d).
func (q noiseOfFlow) function(t *testing.T, n int, build func(x *G.Node, own G.Nodes) G.Nodes) *graphs.Function {
	t.Helper()
	defer graphs.Building()()
	g := G.NewGraph()
	var own, outputs G.Nodes
	_, err := graphs.Try(func() *G.Node {
		for _, s := range q.form.flow.phi.Specs() {
			own = append(own, graphs.NewInput(g, energy.Float64.Dtype(), s.Name, s.Shape...))
		}
		x := graphs.NewInput(g, energy.Float64.Dtype(), "x", n, q.form.flow.d)
		outputs = build(x, own)
		own = append(own, x)
		return outputs[0]
	})
	if err != nil {
		t.Fatal(err)
	}
	constants, values, err := energy.Constants(g)
	if err != nil {
		t.Fatal(err)
	}
	if len(values) > 0 {
		t.Fatal("constants are not expected")
	}
	fn, err := graphs.Compile(append(own, constants...), outputs)
	if err != nil {
		t.Fatal(err)
	}
	return fn
}

func (q noiseOfFlow) call(t *testing.T, fn *graphs.Function, x []float64, dst ...[]float64) {
	t.Helper()
	if err := fn.Call(dst, append(q.own[:len(q.own):len(q.own)], x)...); err != nil {
		t.Fatal(err)
	}
}

// bent returns a flow in the plane that is far from the identity.
func bent(t *testing.T) noiseOfFlow {
	t.Helper()
	f, err := newFlow(correlated(400, 1), 4, 8, newRNG(2))
	if err != nil {
		t.Fatal(err)
	}
	rng := newRNG(3)
	for i := range f.phi.Data() {
		f.phi.Data()[i] += 0.1 * rng.NormFloat64()
	}
	return noiseOfFlow{&flowForm{flow: f, k: 4}, f.phi.Views(f.phi.Data())}
}

// The density of the noise of flow-nce has the integral 1 for every share of the broad part, by quadrature, in the
// plane and, without couplings, on the line.
func TestFlowNoiseIsNormalised(t *testing.T) {
	line := noiseOfFlow{form: &flowForm{flow: &flow{d: 1, mean: []float64{-2}, sd: []float64{0.7},
		phi: energy.NewParams(nil)}}}
	for _, c := range []struct {
		name  string
		q     noiseOfFlow
		cells int
	}{{"plane", bent(t), 500}, {"line", line, 2000}} {
		f := c.q.form.flow
		for _, share := range []float64{0, 0.25, 1 - 1e-9} {
			fn := c.q.function(t, c.cells, func(x *G.Node, own G.Nodes) G.Nodes {
				var logq *G.Node
				if f.layers == 0 {
					logq = f.logBase(graphs.Div(graphs.Sub(x, f.columns(f.mean, x)), f.columns(f.sd, x)))
				} else {
					logq = f.logProb(x, own)
				}
				return G.Nodes{c.q.form.logMix(x, logq, share)}
			})
			// x = mean + sd·sinh u: a flow has heavy tails.
			const wide = 8.0
			x, lp := make([]float64, c.cells*f.d), make([]float64, c.cells)
			u := func(i int) float64 { return wide * (2*(float64(i)+0.5)/float64(c.cells) - 1) }
			at := func(j, i int) float64 { return f.mean[j] + f.sd[j]*math.Sinh(u(i)) }
			width := func(j, i int) float64 { return 2 * wide / float64(c.cells) * f.sd[j] * math.Cosh(u(i)) }
			rows := 1
			if f.d == 2 {
				rows = c.cells
			}
			var mass float64
			for r := range rows {
				for i := range c.cells {
					x[i*f.d+f.d-1] = at(f.d-1, i)
					if f.d == 2 {
						x[i*2] = at(0, r)
					}
				}
				c.q.call(t, fn, x, lp)
				for i, v := range lp {
					w := width(f.d-1, i)
					if f.d == 2 {
						w *= width(0, r)
					}
					mass += math.Exp(v) * w
				}
			}
			if math.Abs(mass-1) > 1e-3 {
				t.Errorf("%s, share %g: the integral of the density is %g, want 1", c.name, share, mass)
			}
		}
	}
}

// Draws of flow-nce follow the density that the loss takes for theirs: counts in cells of the plane, by the χ²
// statistic, and forward, which draws, and logProb agree on log q.
func TestFlowNoiseDraws(t *testing.T) {
	const n, cells, fine, wide = 5000, 10, 40, 2.5 // cells along an axis, points along a cell, deviations
	q := bent(t)
	f := q.form.flow
	in := Inputs{}
	for _, s := range q.form.Inputs(n, 2) {
		size := 1
		for _, k := range s.Shape {
			size *= k
		}
		in[s.Name] = make([]float64, size)
	}
	if err := q.form.Draw(in, nil, newRNG(4)); err != nil {
		t.Fatal(err)
	}
	m := len(in["base"]) / 2
	all := m + len(in["broad"])/2
	share := float64(all-m) / float64(all)
	if all != 4*n || share != 0.25 {
		t.Fatalf("%d draws, a share of %g from the broad part; want %d, a quarter", all, share, 4*n)
	}
	draw := q.function(t, m, func(z *G.Node, own G.Nodes) G.Nodes {
		y, logq := f.forward(z, own)
		return G.Nodes{y, logq, f.logProb(y, own)}
	})
	y, logq, again := make([]float64, 2*m), make([]float64, m), make([]float64, m)
	q.call(t, draw, in["base"], y, logq, again)
	if worst := floats.Distance(logq, again, math.Inf(1)); worst > 1e-9 {
		t.Errorf("forward and logProb differ by up to %g", worst)
	}
	cell := func(x []float64) int { // the last one is everything outside
		var at [2]int
		for j := range 2 {
			v := ((x[j]-f.mean[j])/(wide*f.sd[j]) + 1) / 2 * cells
			if !(v >= 0 && v < cells) {
				return cells * cells
			}
			at[j] = int(v)
		}
		return at[0]*cells + at[1]
	}
	got, want := make([]float64, cells*cells+1), make([]float64, cells*cells+1)
	for _, rows := range [][]float64{y, in["broad"]} {
		for i := 0; i < len(rows); i += 2 {
			got[cell(rows[i:i+2])]++
		}
	}
	const side = cells * fine
	density := q.function(t, side, func(x *G.Node, own G.Nodes) G.Nodes {
		return G.Nodes{q.form.logMix(x, f.logProb(x, own), share)}
	})
	x, lp := mat.NewDense(side, 2, nil), make([]float64, side)
	rest := 1.0
	for r := range side {
		for i := range side {
			x.SetRow(i, []float64{f.mean[0] + wide*f.sd[0]*(2*(float64(r)+0.5)/side-1),
				f.mean[1] + wide*f.sd[1]*(2*(float64(i)+0.5)/side-1)})
		}
		q.call(t, density, x.RawMatrix().Data, lp)
		for i, v := range lp {
			mass := math.Exp(v) * 4 * wide * wide * f.sd[0] * f.sd[1] / (side * side)
			want[cell(x.RawRowView(i))] += mass * float64(all)
			rest -= mass
		}
	}
	want[cells*cells] = rest * float64(all)
	var chi2, df float64
	for i, w := range want {
		if w >= 20 {
			chi2 += (got[i] - w) * (got[i] - w) / w
			df++
		}
	}
	if p := (distuv.ChiSquared{K: df}).Survival(chi2); p < 1e-5 || df < 40 {
		t.Errorf("χ² = %.0f in %.0f cells: probability %.1g", chi2, df, p)
	}
}
