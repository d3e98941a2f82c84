package graphs_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/graphs/graphtest"
)

// whole is an integer input with a value.
func whole(g *G.ExprGraph, name string, shape []int, v ...int) *G.Node {
	return G.NewTensor(g, tensor.Int, len(shape), G.WithShape(shape...), G.WithName(name),
		G.WithValue(tensor.New(tensor.WithShape(shape...), tensor.WithBacking(v))))
}

// runs returns the values of outs from a Machine and from a compiled function, whose inputs have the values of their
// nodes.
func runs(t *testing.T, inputs, outs G.Nodes) (machine, compiled [][]float64) {
	t.Helper()
	m, err := graphs.NewMachine(outs[0].Graph())
	if err != nil {
		t.Fatal(err)
	}
	if err := m.RunAll(); err != nil {
		t.Fatal(err)
	}
	f, err := graphs.Compile(inputs, outs)
	if err != nil {
		t.Fatal(err)
	}
	var args [][]float64
	for _, n := range inputs {
		args = append(args, wide(n.Value()))
	}
	for _, n := range outs {
		machine = append(machine, wide(n.Value()))
		compiled = append(compiled, make([]float64, len(machine[len(machine)-1])))
	}
	if err := f.Call(compiled, args...); err != nil {
		t.Fatal(err)
	}
	return machine, compiled
}

func wide(v G.Value) []float64 {
	switch d := v.Data().(type) {
	case int:
		return []float64{float64(d)}
	case []int:
		x := make([]float64, len(d))
		for i, e := range d {
			x[i] = float64(e)
		}
		return x
	}
	return numbers(v)
}

// CTCLoss against the sum over all paths that collapse to the target, and its gradient against differences of that
// sum. The targets have repeated labels and unequal lengths, in both layouts.
func TestCTCLoss(t *testing.T) {
	const steps, batch, labels = 4, 2, 3
	rng := rand.New(rand.NewPCG(3, 4))
	logProbs := make([]float64, steps*batch*labels)
	for i := range logProbs {
		logProbs[i] = rng.NormFloat64() // need not be normalised
	}
	targets, inLengths := [][]int{{1, 1}, {2}}, []int{4, 3}
	for _, mean := range []bool{false, true} {
		loss := func() float64 {
			total := 0.0
			for b, target := range targets {
				nll := -math.Log(allPaths(target, inLengths[b], labels, func(t, k int) float64 {
					return logProbs[(t*batch+b)*labels+k]
				}))
				if mean {
					nll /= float64(len(target) * batch)
				}
				total += nll
			}
			return total
		}
		for _, flat := range []bool{false, true} {
			g := G.NewGraph()
			lp := G.NewTensor(g, tensor.Float64, 3, G.WithShape(steps, batch, labels), G.WithName("lp"),
				G.WithValue(tensor.New(tensor.WithShape(steps, batch, labels),
					tensor.WithBacking(append([]float64(nil), logProbs...)))))
			ts := whole(g, "targets", []int{batch, 2}, 1, 1, 2, 0)
			if flat {
				ts = whole(g, "targets", []int{3}, 1, 1, 2)
			}
			il, tl := whole(g, "inputs", []int{batch}, inLengths...), whole(g, "lengths", []int{batch}, 2, 1)
			reduction := G.Reduction(G.ReductionSum)
			if mean {
				reduction = G.ReductionMean
			}
			y := must(t)(G.CTCLoss(lp, ts, il, tl, reduction))
			scaled := graphs.Scale(graphs.Reshape(y, 1), 3)
			d := grad(t, scaled, lp)[0]
			dir := make([]float64, len(logProbs))
			for i := range dir {
				dir[i] = rng.NormFloat64()
			}
			v := G.NewTensor(g, tensor.Float64, 3, G.WithShape(steps, batch, labels), G.WithName("v"),
				G.WithValue(tensor.New(tensor.WithShape(steps, batch, labels), tensor.WithBacking(dir))))
			jvp := must(t)(graphs.JVP(scaled, G.Nodes{lp}, G.Nodes{v}))

			want := make([]float64, len(logProbs))
			along := 0.0
			for i := range want {
				x, h := logProbs[i], 1e-5
				logProbs[i] = x + h
				up := loss()
				logProbs[i] = x - h
				want[i] = 3 * (up - loss()) / (2 * h)
				logProbs[i] = x
				along += want[i] * dir[i]
			}
			machine, compiled := runs(t, G.Nodes{lp, ts, il, tl, v}, G.Nodes{y, d, jvp})
			for how, got := range map[string][][]float64{"machine": machine, "compiled": compiled} {
				name := fmt.Sprintf("%s, mean %v, flat %v", how, mean, flat)
				graphtest.Close(t, name+": loss", got[0], []float64{loss()}, 1e-12)
				graphtest.Close(t, name+": gradient", got[1], want, 1e-8)
				graphtest.Close(t, name+": along a direction", got[2], []float64{along}, 1e-8)
			}
		}
	}
}

// allPaths is the total weight of the sequences of labels that become target when repetitions and then blanks are
// dropped.
func allPaths(target []int, steps, labels int, logProb func(t, k int) float64) float64 {
	total := 0.0
	path := make([]int, steps)
	var extend func(t int, w float64)
	extend = func(t int, w float64) {
		if t < steps {
			for k := range labels {
				path[t] = k
				extend(t+1, w*math.Exp(logProb(t, k)))
			}
			return
		}
		var s []int
		for i, k := range path {
			if k != 0 && (i == 0 || path[i-1] != k) {
				s = append(s, k)
			}
		}
		if fmt.Sprint(s) == fmt.Sprint(target) {
			total += w
		}
	}
	extend(0, 1)
	return total
}

// A Dropout has one mask for its value and its derivatives of every order, scaled by 1/(1-p).
func TestDropoutGradient(t *testing.T) {
	for _, p := range []float64{0.2, 0.5, 0.9} {
		g := G.NewGraph()
		x := G.NewMatrix(g, tensor.Float64, G.WithShape(20, 31), G.WithName("x"), G.WithInit(G.Gaussian(1, 0.1)))
		y := must(t)(G.Dropout(x, p))
		d := grad(t, graphs.Scale(graphs.Sum(graphs.Mul(graphs.Square(y), y)), 1./3), x)[0] // y² m
		dd := grad(t, graphs.Sum(d), x)[0]                                                  // 2 y m²
		machine, compiled := runs(t, G.Nodes{x}, G.Nodes{y, d, dd})
		xs := numbers(x.Value())
		for how, got := range map[string][][]float64{"machine": machine, "compiled": compiled} {
			kept := 0
			for i, v := range xs {
				m := got[0][i] / v
				if m != 0 {
					kept++
				}
				if m != 0 && math.Abs(m-1/(1-p)) > 1e-12 {
					t.Fatalf("%s, p = %g: a factor of %g, want %g", how, p, m, 1/(1-p))
				}
				if want := got[0][i] * got[0][i] * m; math.Abs(got[1][i]-want) > 1e-9*math.Abs(want) {
					t.Fatalf("%s, p = %g: first derivative: got %g, want %g", how, p, got[1][i], want)
				}
				if want := 2 * got[0][i] * m * m; math.Abs(got[2][i]-want) > 1e-9*math.Abs(want) {
					t.Fatalf("%s, p = %g: second derivative: got %g, want %g", how, p, got[2][i], want)
				}
			}
			n := float64(len(xs))
			if sd := math.Sqrt(n * p * (1 - p)); math.Abs(float64(kept)-n*(1-p)) > 5*sd {
				t.Errorf("%s, p = %g: %d of %g kept", how, p, kept, n)
			}
		}
		// On the tape machine the operation draws, and the mask is read from its result.
		tape := G.NewTapeMachine(g)
		var ys, ds G.Value
		g2 := G.NewGraph()
		x2 := G.NewMatrix(g2, tensor.Float64, G.WithShape(20, 31), G.WithName("x"), G.WithValue(x.Value()))
		y2 := must(t)(G.Dropout(x2, p))
		d2 := grad(t, graphs.Sum(graphs.Scale(y2, 2)), x2)[0]
		G.Read(y2, &ys)
		G.Read(d2, &ds)
		tape.Close()
		tape = G.NewTapeMachine(g2)
		if err := tape.RunAll(); err != nil {
			t.Fatal(err)
		}
		for i, v := range numbers(ys) {
			if want := 2 * v / xs[i]; math.Abs(numbers(ds)[i]-want) > 1e-12 {
				t.Fatalf("tape, p = %g: got %g, want %g", p, numbers(ds)[i], want)
			}
		}
		tape.Close()
	}
}

// Of equal elements in a maximum the first one gets the whole derivative; of two equal operands each gets half.
func TestTies(t *testing.T) {
	g := G.NewGraph()
	value := func(name string, shape []int, v ...float64) *G.Node {
		return G.NewTensor(g, tensor.Float64, len(shape), G.WithShape(shape...), G.WithName(name),
			G.WithValue(tensor.New(tensor.WithShape(shape...), tensor.WithBacking(v))))
	}
	x := value("x", []int{2, 3}, 1, 2, 2, 5, 5, 5)
	im := value("im", []int{1, 1, 2, 3}, 3, 3, 3, 3, 3, 3)
	a, b := value("a", []int{3}, 1, 2, 3), value("b", []int{3}, 2, 2, 2)
	pool := must(t)(G.MaxPool2D(im, tensor.Shape{2, 2}, []int{0, 0}, []int{1, 1}))
	between := graphs.Sum(must(t)(G.MaxBetween(a, b)))
	ds := G.Nodes{
		grad(t, graphs.Sum(must(t)(G.Max(x, 1))), x)[0], grad(t, graphs.Sum(must(t)(G.Max(x, 0))), x)[0],
		grad(t, must(t)(G.Max(x)), x)[0], grad(t, graphs.Sum(pool), im)[0], grad(t, between, a)[0],
		grad(t, between, b)[0],
		grad(t, graphs.Sum(must(t)(G.MinBetween(a, b))), a)[0],
	}
	want := [][]float64{{0, 1, 0, 1, 0, 0}, {0, 0, 0, 1, 1, 1}, {0, 0, 0, 1, 0, 0}, {1, 1, 0, 0, 0, 0}, {0, 0.5, 1},
		{1, 0.5, 0}, {1, 0.5, 0}}
	machine, compiled := runs(t, G.Nodes{x, im, a, b}, ds)
	for i := range ds {
		graphtest.Close(t, fmt.Sprint("machine ", i), machine[i], want[i], 0)
		graphtest.Close(t, fmt.Sprint("compiled ", i), compiled[i], want[i], 0)
	}
}

// ByIndices with the indices as an input, along any axis (Gorgonia's own takes wrong elements along a middle axis).
func TestByIndices(t *testing.T) {
	for axis := range 3 {
		for _, dt := range []tensor.Dtype{tensor.Float64, tensor.Float32} {
			shape := []int{2, 3, 4}
			g := G.NewGraph()
			rng := rand.New(rand.NewPCG(5, 5))
			x := G.NewTensor(g, dt, 3, G.WithShape(shape...), G.WithName("x"), G.WithValue(dense(rng, dt, 1, shape...)))
			index := []int{1, 0, 1, 1}
			y := must(t)(G.ByIndices(x, whole(g, "i", []int{4}, index...), axis))
			w := G.NewTensor(g, dt, 3, G.WithShape(y.Shape()...), G.WithName("w"), G.WithValue(dense(rng, dt, 1, y.Shape()...)))
			d := grad(t, graphs.Sum(graphs.Mul(y, w)), x)[0]
			xs, ws := numbers(x.Value()), numbers(w.Value())
			want, wantD := make([]float64, len(ws)), make([]float64, len(xs))
			at := func(s []int, i, j, k int) int { return (i*s[1]+j)*s[2] + k }
			ys := y.Shape()
			for i := range ys[0] {
				for j := range ys[1] {
					for k := range ys[2] {
						from := []int{i, j, k}
						from[axis] = index[from[axis]]
						src := at(shape, from[0], from[1], from[2])
						want[at(ys, i, j, k)] = xs[src]
						wantD[src] += ws[at(ys, i, j, k)]
					}
				}
			}
			var i *G.Node
			for _, n := range g.AllNodes() {
				if n.Name() == "i" {
					i = n
				}
			}
			machine, compiled := runs(t, G.Nodes{x, i, w}, G.Nodes{y, d})
			for how, got := range map[string][][]float64{"machine": machine, "compiled": compiled} {
				graphtest.Close(t, fmt.Sprint(how, " axis ", axis, dt), got[0], want, 1e-6)
				graphtest.Close(t, fmt.Sprint(how, " axis ", axis, dt, " gradient"), got[1], wantD, 1e-6)
			}
		}
	}
}

// YOLOv3 outside training: its value at every run, which reshapes its operand, and its gradient against the values of
// the tape.
func TestYOLO(t *testing.T) {
	const grid, classes, size = 3, 2, 48
	anchors := []float32{10, 13, 16, 30}
	shape := []int{1, 2 * (5 + classes), grid, grid} // Gorgonia supports a single picture only
	rng := rand.New(rand.NewPCG(7, 7))
	xs := dense(rng, tensor.Float32, 0.5, shape...)
	build := func() (x, y *G.Node) {
		x = G.NewTensor(G.NewGraph(), tensor.Float32, 4, G.WithShape(shape...), G.WithName("x"),
			G.WithValue(xs.Clone().(*tensor.Dense)))
		return x, must(t)(G.YOLOv3(x, anchors, []int{0, 1}, size, classes, 0.5))
	}
	theirs, ty := build()
	tape := G.NewTapeMachine(theirs.Graph())
	defer tape.Close()
	if err := tape.RunAll(); err != nil {
		t.Fatal(err)
	}
	want := numbers(ty.Value())

	x, y := build()
	m, err := graphs.NewMachine(x.Graph())
	if err != nil {
		t.Fatal(err)
	}
	for run := range 3 {
		if err := m.RunAll(); err != nil {
			t.Fatalf("run %d: %v", run, err)
		}
		graphtest.Close(t, fmt.Sprint("run ", run), numbers(y.Value()), want, 1e-6)
	}
	// The gradient of Σ y²/2 along v, against the value: y(x + hv) from the translation itself would prove nothing,
	// so the formula is repeated here.
	d := grad(t, graphs.Scale(graphs.Sum(graphs.Square(y)), 0.5), x)[0]
	machine, compiled := runs(t, G.Nodes{x}, G.Nodes{d})
	in := numbers(xs)
	cells := grid * grid
	expect := make([]float64, len(in))
	for i := range in {
		b, c, cell := i/(shape[1]*cells), i/cells%shape[1], i%cells
		attr, a := c%(5+classes), c/(5+classes)
		out := want[((b*cells+cell)*2+a)*(5+classes)+attr]
		s := 1 / (1 + math.Exp(-in[i]))
		switch {
		case attr < 2:
			expect[i] = out * s * (1 - s) * size / grid
		case attr < 4:
			expect[i] = out * out
		default:
			expect[i] = out * s * (1 - s)
		}
	}
	graphtest.Close(t, "machine", machine[0], expect, 1e-5)
	graphtest.Close(t, "compiled", compiled[0], expect, 1e-5)
}
