package graphtest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stheno-ebm/stheno/graphs"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Input is the value of one input of the function under test.
type Input struct {
	Shape []int
	Data  []float64 // row-major
}

// Uniform returns an input of the given shape with elements drawn from Uniform(lo, hi), always the same for the same
// seed. The elements are float32 numbers, so that both types compute the same thing.
func Uniform(seed uint64, lo, hi float64, shape ...int) Input {
	rng := rand.New(rand.NewPCG(seed, 1))
	x := make([]float64, tensor.Shape(shape).TotalSize())
	for i := range x {
		x[i] = float64(float32(lo + (hi-lo)*rng.Float64()))
	}
	return Input{shape, x}
}

// Func builds the function under test inside graphs.Try.
type Func func(x ...*G.Node) *G.Node

// Reference is the value of the function, row-major, from plain Go.
type Reference func(x ...[]float64) []float64

// CheckOp checks everything this package knows about f at the given inputs. f must be smooth there, and reference may
// be nil for functions whose value is not being tested.
func CheckOp(t testing.TB, f Func, reference Reference, inputs ...Input) {
	t.Helper()
	exact := build(t, tensor.Float64, f, inputs)
	if reference != nil {
		var xs [][]float64
		for _, in := range inputs {
			xs = append(xs, in.Data)
		}
		Close(t, "float64 value", exact.eval(t, inputs, exact.y)[0], reference(xs...), 1e-12)
	}
	// Each order is compared with central differences of the one before, so errors cannot hide behind each other.
	for k, g := range exact.grads {
		Close(t, fmt.Sprintf("float64 derivative of order %d", k+1), join(exact.eval(t, inputs, g...)),
			exact.differences(t, inputs, exact.loss[k]), 2e-6)
	}
	exact.checkForward(t, inputs)
	exact.checkCompiled(t, inputs, 1e-11)

	rough := build(t, tensor.Float32, f, inputs)
	Close(t, "float32 value", rough.eval(t, inputs, rough.y)[0], exact.eval(t, inputs, exact.y)[0], 2e-5)
	for k, g := range rough.grads {
		Close(t, fmt.Sprintf("float32 derivative of order %d", k+1), join(rough.eval(t, inputs, g...)),
			join(exact.eval(t, inputs, exact.grads[k]...)), 2e-4)
	}
	rough.checkCompiled(t, inputs, 1e-4)
}

// program is y = f(x) with scalar losses of its derivatives:
//
//	loss[0] = Σ w (y + y²/2 + y³/6),   loss[k] = Σ w_k grads[k-1],   grads[k] = ∇ loss[k]
type program struct {
	x     G.Nodes
	y     *G.Node
	loss  G.Nodes
	grads []G.Nodes
	extra G.Nodes // inputs besides x
	w     map[*G.Node][]float64
}

func build(t testing.TB, dt tensor.Dtype, f Func, inputs []Input) *program {
	t.Helper()
	defer graphs.Building()()
	g := G.NewGraph()
	p := &program{w: map[*G.Node][]float64{}}
	weights := func(name string, like *G.Node) *G.Node {
		n := graphs.NewInput(g, dt, name, like.Shape()...)
		p.w[n] = Uniform(uint64(100+len(p.w)), 0.5, 1.5, like.Shape()...).Data
		p.extra = append(p.extra, n)
		return n
	}
	_, err := graphs.Try(func() *G.Node {
		for i, in := range inputs {
			p.x = append(p.x, graphs.NewInput(g, dt, fmt.Sprint("x", i), in.Shape...))
		}
		y := f(p.x...)
		p.y = y
		square := graphs.Mul(y, y)
		curved := graphs.Add(y, graphs.Add(graphs.Scale(square, 0.5), graphs.Scale(graphs.Mul(square, y), 1./6)))
		loss := graphs.Sum(graphs.Mul(weights("w", y), curved))
		for k := range 3 {
			p.loss = append(p.loss, loss)
			gs, err := graphs.Grad(loss, p.x...)
			if err != nil {
				return graphs.Must(nil, err)
			}
			p.grads = append(p.grads, gs)
			for i, d := range gs {
				if !d.Shape().Eq(p.x[i].Shape()) {
					t.Errorf("derivative of order %d has shape %v, want %v", k+1, d.Shape(), p.x[i].Shape())
				}
				term := graphs.Sum(graphs.Mul(weights(fmt.Sprint("w", k, ".", i), d), d))
				if i == 0 {
					loss = term
				} else {
					loss = graphs.Add(loss, term)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatalf("build: %v", err)
	}
	return p
}

func (p *program) eval(t testing.TB, inputs []Input, outs ...*G.Node) [][]float64 {
	t.Helper()
	feeds := map[*G.Node][]float64{}
	for n, w := range p.w {
		feeds[n] = w
	}
	for i, x := range p.x {
		feeds[x] = inputs[i].Data
	}
	v, err := Eval(outs, feeds)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// differences returns ∇loss by central differences with one Richardson step: error O(h⁴).
func (p *program) differences(t testing.TB, inputs []Input, loss *G.Node) []float64 {
	t.Helper()
	var d []float64
	for _, in := range inputs {
		for j := range in.Data {
			x := in.Data[j]
			h := 1e-3 * math.Max(1, math.Abs(x))
			at := func(s float64) float64 {
				in.Data[j] = x + s
				defer func() { in.Data[j] = x }()
				return p.eval(t, inputs, loss)[0][0]
			}
			coarse := (at(h) - at(-h)) / (2 * h)
			fine := (at(h/2) - at(-h/2)) / h
			d = append(d, (4*fine-coarse)/3)
		}
	}
	return d
}

// checkCompiled checks that the compiled value and derivatives are those of the interpreter.
func (p *program) checkCompiled(t testing.TB, inputs []Input, tol float64) {
	t.Helper()
	defer graphs.Building()()
	in := append(slices.Clone(p.x), p.extra...)
	var args [][]float64
	for i := range p.x {
		args = append(args, inputs[i].Data)
	}
	for _, n := range p.extra {
		args = append(args, p.w[n])
	}
	outs := G.Nodes{p.y}
	for _, g := range p.grads {
		outs = append(outs, g...)
	}
	want := p.eval(t, inputs, outs...)
	got := make([][]float64, len(want))
	for i := range want {
		got[i] = make([]float64, len(want[i]))
	}
	f, err := graphs.Compile(in, outs)
	if err != nil {
		t.Errorf("Compile: %v", err)
		return
	}
	for call := range 2 { // the second call finds used buffers
		if err := f.Call(got, args...); err != nil {
			t.Errorf("Call: %v", err)
			return
		}
		for i := range want {
			Close(t, fmt.Sprintf("compiled %v, call %d, output %d", p.y.Dtype(), call, i), got[i], want[i], tol)
		}
	}
}

// checkForward checks ⟨u, J v⟩ = ⟨Jᵀu, v⟩, for y and for its gradient: the latter says that the Hessian of the loss is
// the same by both modes.
func (p *program) checkForward(t testing.TB, inputs []Input) {
	t.Helper()
	defer graphs.Building()()
	g := p.y.Graph()
	var v G.Nodes
	for i, x := range p.x {
		n := graphs.NewInput(g, x.Dtype(), fmt.Sprint("v", i), x.Shape()...)
		p.w[n] = Uniform(uint64(200+i), -1, 1, x.Shape()...).Data
		v, p.extra = append(v, n), append(p.extra, n)
	}
	for i, out := range append(G.Nodes{p.y}, p.grads[0]...) {
		u := graphs.NewInput(g, out.Dtype(), fmt.Sprint("u", i), out.Shape()...)
		p.w[u] = Uniform(uint64(300+i), -1, 1, out.Shape()...).Data
		p.extra = append(p.extra, u)
		jv, err := graphs.JVP(out, p.x, v)
		if err != nil {
			t.Fatalf("JVP: %v", err)
		}
		if !jv.Shape().Eq(out.Shape()) {
			t.Errorf("JVP has shape %v, want %v", jv.Shape(), out.Shape())
		}
		ju, err := graphs.VJP(out, u, p.x...)
		if err != nil {
			t.Fatalf("VJP: %v", err)
		}
		left := dot(p.eval(t, inputs, jv)[0], p.w[u])
		right := 0.0
		for k, d := range p.eval(t, inputs, ju...) {
			right += dot(d, p.w[v[k]])
		}
		Close(t, fmt.Sprintf("⟨u, Jv⟩ against ⟨Jᵀu, v⟩ (output %d)", i), []float64{left}, []float64{right}, 1e-10)
	}
}

func dot(a, b []float64) float64 {
	s := 0.0
	for i := range a {
		s += a[i] * b[i]
	}
	return s
}

func join(x [][]float64) []float64 {
	var r []float64
	for _, v := range x {
		r = append(r, v...)
	}
	return r
}

// Close reports an error unless |got-want| ≤ tol·max(1, max|want|) for every element.
func Close(t testing.TB, what string, got, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: got %d elements, want %d", what, len(got), len(want))
		return
	}
	scale := 1.0
	for _, w := range want {
		scale = math.Max(scale, math.Abs(w))
	}
	for i := range got {
		if d := math.Abs(got[i] - want[i]); !(d <= tol*scale) {
			t.Errorf("%s: element %d: got %.17g, want %.17g (tolerance %.2g)", what, i, got[i], want[i], tol*scale)
			return
		}
	}
}
