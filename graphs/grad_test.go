package graphs_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/graphs/graphtest"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Grad leaves no trace: called twice it gives the same nodes, and Gorgonia's own Grad still works on them.
func TestGradIsPure(t *testing.T) {
	w := mlp(tensor.Float64, graphs.Tanh, 3, 2, 4)
	cost := graphs.Must(G.Sum(w.e))
	first := grad(t, cost, w.theta...)
	nodes := len(w.x.Graph().AllNodes())
	second := grad(t, cost, w.theta...)
	if !slices.Equal(first, second) {
		t.Error("the second Grad differs from the first")
	}
	if n := len(w.x.Graph().AllNodes()); n != nodes {
		t.Errorf("the second Grad made %d nodes", n-nodes)
	}
	for _, n := range w.x.Graph().AllNodes() {
		if n.Deriv() != nil || len(n.DerivOf()) > 0 {
			t.Fatalf("%v carries a derivative", n)
		}
	}
	theirs, err := G.Grad(cost, w.theta...)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range w.eval(t, first...) {
		graphtest.Close(t, w.theta[i].Name(), w.eval(t, theirs[i])[0], want, 1e-13)
	}
}

// Where there is no path, the gradient is a structural zero with the node's shape; nothing is computed for it.
func TestNoPath(t *testing.T) {
	g := G.NewGraph()
	x := graphs.NewInput(g, tensor.Float64, "x", 3, 2)
	y := graphs.NewInput(g, tensor.Float64, "y", 4)
	s := graphs.NewInput(g, tensor.Float64, "s")
	gs := grad(t, graphs.Sum(graphs.Square(x)), x, y, s)
	if !gs[1].Shape().Eq(y.Shape()) || !gs[2].Shape().Eq(s.Shape()) {
		t.Errorf("got shapes %v and %v, want %v and %v", gs[1].Shape(), gs[2].Shape(), y.Shape(), s.Shape())
	}
	if c := graphs.Cost(gs[1], gs[2]); c.Nodes != 0 {
		t.Errorf("the zeros cost %v", c)
	}
	d := must(t)(graphs.JVP(graphs.Square(x), G.Nodes{y}, G.Nodes{y}))
	if !d.Shape().Eq(x.Shape()) || graphs.Cost(d).Nodes != 0 {
		t.Errorf("JVP without a path: got %v of shape %v", d, d.Shape())
	}
	if v, err := graphtest.Eval(G.Nodes{gs[1], gs[2], d}, map[*G.Node][]float64{x: make([]float64, 6),
		y: make([]float64, 4), s: {0}}); err != nil || slices.Max(slices.Concat(v...)) != 0 {
		t.Errorf("got %v, %v, want zeros", v, err)
	}
}

// The derivative in an intermediate node is that in an input put in its place: the builders never bypass a node they
// were given.
func TestIntermediates(t *testing.T) {
	makers := map[string]func(x *G.Node) *G.Node{
		"Scale": func(x *G.Node) *G.Node { return graphs.Scale(x, 2) }, "Neg": graphs.Neg, "Transpose": graphs.Transpose,
		"Shift":      func(x *G.Node) *G.Node { return graphs.Shift(x, 1) },
		"Reshape":    func(x *G.Node) *G.Node { return graphs.Reshape(graphs.SliceRows(graphs.Reshape(x, 9), 0, 9), 3, 3) },
		"ExpandRows": func(x *G.Node) *G.Node { return graphs.ExpandRows(graphs.ColSum(x), 3) },
		"ExpandCols": func(x *G.Node) *G.Node { return graphs.ExpandCols(graphs.RowSum(x), 3) },
		"Fill":       func(x *G.Node) *G.Node { return graphs.Fill(graphs.Mean(x), x) },
		"ConcatCols": func(x *G.Node) *G.Node {
			return graphs.ConcatCols(graphs.SliceCols(x, 0, 1), graphs.SliceCols(x, 1, 3))
		},
		"PadRows": func(x *G.Node) *G.Node { return graphs.PadRows(graphs.SliceRows(x, 0, 2), 1, 0) },
		"Exp":     graphs.Exp,
	}
	users := map[string]func(z, x *G.Node) *G.Node{
		"Scale":    func(z, _ *G.Node) *G.Node { return graphs.Scale(z, 3) },
		"Shift":    func(z, _ *G.Node) *G.Node { return graphs.Shift(z, 3) },
		"Sub":      func(z, x *G.Node) *G.Node { return graphs.Sub(x, z) },
		"Sin":      func(z, _ *G.Node) *G.Node { return graphs.Sin(z) },
		"Mul":      func(z, x *G.Node) *G.Node { return graphs.Mul(graphs.ExpandCols(graphs.RowSum(x), 3), z) },
		"MatMul":   func(z, x *G.Node) *G.Node { return graphs.MatMul(z, x, false, true) },
		"square":   func(z, x *G.Node) *G.Node { return graphs.MatMul(z, z, true, false) },
		"Slice":    func(z, _ *G.Node) *G.Node { return graphs.SliceCols(z, 0, 1) },
		"RowSum":   func(z, _ *G.Node) *G.Node { return graphs.RowSum(z) },
		"ColSum":   func(z, _ *G.Node) *G.Node { return graphs.ColSum(z) },
		"Gorgonia": func(z, x *G.Node) *G.Node { return graphs.Must(G.Add(z, graphs.Must(G.HadamardProd(z, x)))) },
	}
	for mn, mk := range makers {
		for un, use := range users {
			build := func(z, x *G.Node) G.Nodes {
				l := graphs.Sum(graphs.Exp(graphs.Scale(use(z, x), 0.3)))
				d := grad(t, l, z)[0]
				l2 := graphs.Add(graphs.Sum(graphs.Square(d)), graphs.Sum(graphs.Square(grad(t, l, x)[0])))
				return G.Nodes{d, grad(t, l2, z)[0], must(t)(graphs.HVP(l, z, graphs.OnesLike(z)))}
			}
			g := G.NewGraph()
			x := graphs.NewInput(g, tensor.Float64, "x", 3, 3)
			feeds := map[*G.Node][]float64{x: graphtest.Uniform(1, -1, 1, 3, 3).Data}
			z := mk(x)
			zv, err := graphtest.Eval(G.Nodes{z}, feeds)
			if err != nil {
				t.Fatal(err)
			}
			// Only through z: the x in the loss is another node, so that it does not matter whether z depends on x.
			other := graphs.NewInput(g, tensor.Float64, "other", 3, 3)
			feeds[other] = graphtest.Uniform(2, -1, 1, 3, 3).Data
			input := graphs.NewInput(g, tensor.Float64, "z", 3, 3)
			feeds[input] = zv[0]
			got, err := graphtest.Eval(build(z, other), feeds)
			if err != nil {
				t.Fatal(err)
			}
			want, err := graphtest.Eval(build(input, other), feeds)
			if err != nil {
				t.Fatal(err)
			}
			for k := range want {
				graphtest.Close(t, fmt.Sprintf("%s of %s, %d", un, mn, k), got[k], want[k], 1e-13)
			}
		}
	}
}

// Energies made of Gorgonia's own operations have the same second derivatives, at the same counted cost.
func TestGorgoniaEnergy(t *testing.T) {
	const n, d, width = 8, 2, 5
	ours := mlp(tensor.Float64, graphs.Tanh, n, d, width, width)
	theirs := &network{x: ours.x, theta: ours.theta, feeds: ours.feeds}
	h := ours.x
	for l := 0; l < len(ours.theta); l += 2 {
		wt := graphs.Must(G.Transpose(ours.theta[l]))
		b := graphs.Must(G.Reshape(ours.theta[l+1], tensor.Shape{1, ours.theta[l+1].Shape()[0]}))
		h = graphs.Must(G.BroadcastAdd(graphs.Must(G.Mul(h, wt)), b, nil, []byte{0}))
		if l+2 < len(ours.theta) {
			h = graphs.Must(G.Tanh(h))
		}
	}
	theirs.e = h
	losses := func(w *network) G.Nodes {
		g := grad(t, graphs.Must(G.Sum(w.e)), w.x)[0]
		tr := must(t)(graphs.HessianTrace(w.e, w.x))
		loss := graphs.Mean(graphs.Sub(graphs.Scale(graphs.RowSum(graphs.Square(g)), 0.5), tr))
		return append(G.Nodes{w.e, tr, loss}, grad(t, loss, w.theta...)...)
	}
	a, b := losses(ours), losses(theirs)
	va, vb := ours.eval(t, a...), ours.eval(t, b...)
	for i := range va {
		graphtest.Close(t, fmt.Sprint("output ", i), vb[i], va[i], 1e-12)
	}
	if ca, cb := graphs.Cost(a...).Count(n, width, width), graphs.Cost(b...).Count(n, width, width); ca != cb {
		t.Errorf("%d products with Gorgonia's operations, %d with ours", cb, ca)
	}
}

// Graphs may be built by many goroutines if they hold the lock (run with -race).
func TestBuilding(t *testing.T) {
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 3 {
				unlock := graphs.Building()
				w := mlp(tensor.Float32, graphs.SiLU, 3, 2, 4)
				tr, err := graphs.HessianTrace(w.e, w.x)
				if err == nil {
					_, err = graphs.Grad(graphs.Sum(tr), w.theta...)
				}
				unlock()
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// Two inputs with equal 32-bit hashes: Gorgonia returns one node for the sine of either.
func TestHashCollision(t *testing.T) {
	byHash := map[uint32]string{}
	var a, b string
	for i := 0; a == ""; i++ {
		name := fmt.Sprintf("%016x", uint64(i)*0x9e3779b97f4a7c15)
		h := fnv.New32a()
		fmt.Fprintf(h, "%v%v%s", G.TensorType{Dims: 2, Of: tensor.Float64}, tensor.Shape{2, 3}, name)
		binary.Write(h, binary.LittleEndian, byte(0))
		if other, ok := byHash[h.Sum32()]; ok {
			a, b = other, name
		}
		byHash[h.Sum32()] = name
	}
	g := G.NewGraph()
	x, y := graphs.NewInput(g, tensor.Float64, a, 2, 3), graphs.NewInput(g, tensor.Float64, b, 2, 3)
	if x.Hashcode() != y.Hashcode() {
		t.Fatalf("%q and %q do not collide: has Gorgonia's hash changed?", a, b)
	}
	if graphs.Must(G.Sin(x)) != graphs.Must(G.Sin(y)) {
		t.Error("Gorgonia tells the nodes apart: the guard in apply is not tested any more")
	}
	sx, sy := graphs.Sin(x), graphs.Sin(y)
	if sx == sy {
		t.Fatal("Sin(x) and Sin(y) are one node")
	}
	vx, vy := []float64{0, 1, 2, 3, 4, 5}, []float64{5, 4, 3, 2, 1, 0}
	v, err := graphtest.Eval(G.Nodes{graphs.Sub(sx, sy)}, map[*G.Node][]float64{x: vx, y: vy})
	if err != nil || v[0][0] == 0 {
		t.Errorf("sin 0 - sin 5: got %v, %v", v, err)
	}
}

func TestErrors(t *testing.T) {
	g, h := G.NewGraph(), G.NewGraph()
	x := graphs.NewInput(g, tensor.Float64, "x", 3, 2)
	y := graphs.NewInput(g, tensor.Float64, "y", 2, 2)
	f := graphs.NewInput(g, tensor.Float32, "f", 3, 2)
	e := graphs.NewInput(g, tensor.Float64, "e", 3, 1)
	other := graphs.NewInput(h, tensor.Float64, "x", 3, 2)
	for _, c := range []struct {
		want  string
		build func() (*G.Node, error)
	}{
		{"add of shapes [(3, 2) (2, 2)]: shape mismatch", func() (*G.Node, error) {
			return graphs.Try(func() *G.Node { return graphs.Add(x, y) })
		}},
		{"another graph", func() (*G.Node, error) { return graphs.Try(func() *G.Node { return graphs.Mul(x, other) }) }},
		{"operand 1 has type float32, want float64", func() (*G.Node, error) {
			return graphs.Try(func() *G.Node { return graphs.Mul(x, f) })
		}},
		{"inner dimensions 2 and 3", func() (*G.Node, error) {
			return graphs.Try(func() *G.Node { return graphs.MatMul(x, x, false, false) })
		}},
		{"no range 1:4", func() (*G.Node, error) { return graphs.Try(func() *G.Node { return graphs.SliceCols(x, 1, 4) }) }},
		{"cannot become (4)", func() (*G.Node, error) { return graphs.Try(func() *G.Node { return graphs.Reshape(x, 4) }) }},
		{"cannot become (-2, -3)", func() (*G.Node, error) {
			return graphs.Try(func() *G.Node { return graphs.Reshape(x, -2, -3) })
		}},
		{`input "x" exists already`, func() (*G.Node, error) {
			return graphs.Try(func() *G.Node { return graphs.NewInput(g, tensor.Float64, "x", 1) })
		}},
		{"needs a name", func() (*G.Node, error) {
			return graphs.Try(func() *G.Node { return graphs.NewInput(g, tensor.Float64, "", 1) })
		}},
		{"want float32 or float64", func() (*G.Node, error) {
			return graphs.Try(func() *G.Node { return graphs.NewInput(g, tensor.Int, "i", 1) })
		}},
		{"want one element; add them up with Sum", func() (*G.Node, error) { _, err := graphs.Grad(x, x); return nil, err }},
		{"missing or in another graph", func() (*G.Node, error) {
			_, err := graphs.Grad(graphs.Sum(x), other)
			return nil, err
		}},
		{"1 tangents for 2 nodes", func() (*G.Node, error) { return graphs.JVP(x, G.Nodes{x, y}, G.Nodes{x}) }},
		{"tangent 0 must be", func() (*G.Node, error) { return graphs.JVP(x, G.Nodes{x}, G.Nodes{y}) }},
		{"the seed must be", func() (*G.Node, error) { _, err := graphs.VJP(x, y, x); return nil, err }},
		{"want (n,1) and (n,d)", func() (*G.Node, error) { return graphs.HessianTrace(x, x) }},
		{"v of shape (2, 2)", func() (*G.Node, error) { return graphs.DirectionalCurvature(e, x, y) }},
	} {
		_, err := c.build()
		if err == nil || !strings.HasPrefix(err.Error(), "graphs: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got error %q, want one with %q", err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("error of more than one line: %q", err)
		}
	}
	if _, err := graphs.Try(func() *G.Node { return graphs.Add(x, y) }); !errors.Is(err, graphs.ErrShape) {
		t.Errorf("errors.Is(%v, ErrShape) is false", err)
	}
	defer func() {
		if r := recover(); r != "mine" {
			t.Errorf("Try swallowed the panic of its caller: %v", r)
		}
	}()
	graphs.Try(func() *G.Node { panic("mine") })
}

// A builder that panics outside Try says what is wrong in the first line of the crash.
func TestBuilderOutsideTry(t *testing.T) {
	defer func() {
		err, ok := recover().(error)
		if want := "graphs: add of shapes [(3, 2) (3, 1)]: shape mismatch"; !ok || err.Error() != want {
			t.Errorf("got %v, want the error %q", err, want)
		}
	}()
	x := graphs.NewInput(G.NewGraph(), tensor.Float64, "x", 3, 2)
	graphs.Add(x, graphs.RowSum(x))
}

// Equal expressions are counted once.
func TestCost(t *testing.T) {
	g := G.NewGraph()
	x, w := graphs.NewInput(g, tensor.Float32, "x", 256, 128), graphs.NewInput(g, tensor.Float32, "w", 128, 128)
	y := graphs.MatMul(graphs.Tanh(x), w, false, true)
	c := graphs.Cost(append(grad(t, graphs.Sum(graphs.Tanh(y)), x, w), y)...)
	if n := c.Count(256, 128, 128); n != 3 || c.MatMul != 3*2*256*128*128 {
		t.Errorf("got %d products, %d operations, want 3\n%v", n, c.MatMul, c)
	}
}
