package graphs

import (
	"fmt"
	"math"

	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/graphs/internal/conv"
)

// HVP returns ∇²cost(x)·v, of x's shape, for a cost of one element. It compares forward over reverse, reverse over
// reverse and reverse over forward mode by their cost (costOf) and takes the cheapest.
func HVP(cost, x, v *G.Node) (h *G.Node, err error) {
	err = try(func() {
		checkDirection("HVP", cost, x, v)
		if cost.Shape().TotalSize() != 1 {
			failf("HVP of a node of shape %v, want one element; add them up with Sum", cost.Shape())
		}
		h = cheapest(productForms, cost, x, G.Nodes{v})
		returned(h)
	})
	return h, err
}

// DirectionalCurvature returns v_iᵀ ∇²E(x_i) v_i for every row i, as (n,1). The energies (n,1) are a function of x
// (n,d) in which the rows do not mix: energy i depends on row i only. v is (n,d).
//
// Like HessianTrace it is built in one of several forms, chosen by counted cost.
func DirectionalCurvature(energy, x, v *G.Node) (c *G.Node, err error) {
	err = try(func() {
		checkEnergy("DirectionalCurvature", energy, x)
		checkDirection("DirectionalCurvature", energy, x, v)
		c = cheapest(curvatureForms, energy, x, G.Nodes{v})
		returned(c)
	})
	return c, err
}

// HessianTrace returns tr ∇²E(x_i) for every row i, exactly, as (n,1). The energies (n,1) are a function of x (n,d) in
// which the rows do not mix: energy i depends on row i only.
//
// It is the sum of the curvatures along the d axes, at d times the cost of one of them, and so is for low dimensions;
// in high ones estimate it by DirectionalCurvature along random v with E vvᵀ = I.
//
// There are four forms: the contraction of the adjoints with second derivatives of single operations, Taylor mode (the
// forward Laplacian), forward over reverse and reverse over reverse mode. They are built on a copy of the graph
// together with the gradient, in the parameters, of the score matching loss they usually serve, and the cheapest is
// taken.
func HessianTrace(energy, x *G.Node) (c *G.Node, err error) {
	err = try(func() {
		checkEnergy("HessianTrace", energy, x)
		var dirs G.Nodes
		for k := range x.Shape()[1] {
			dirs = append(dirs, unit(x, k))
		}
		c = cheapest(curvatureForms, energy, x, dirs)
		returned(c)
	})
	return c, err
}

func checkEnergy(who string, energy, x *G.Node) {
	if energy == nil || x == nil || energy.Graph() == nil || energy.Graph() != x.Graph() {
		failf("%s: energy and x must be nodes of one graph", who)
	}
	e, s := energy.Shape(), x.Shape()
	if len(e) != 2 || len(s) != 2 || e[1] != 1 || e[0] != s[0] {
		failf("%s: energies of shape %v and x of shape %v, want (n,1) and (n,d): %w", who, e, s, ErrShape)
	}
}

func checkDirection(who string, out, x, v *G.Node) {
	if out == nil || x == nil || v == nil || out.Graph() == nil || out.Graph() != x.Graph() || out.Graph() != v.Graph() {
		failf("%s: its arguments must be nodes of one graph", who)
	}
	if !sameShape(x, v) {
		failf("%s: x of shape %v and v of shape %v: %w", who, x.Shape(), v.Shape(), ErrShape)
	}
}

// form is one way to write a second derivative of out as a function of x along dirs. It panics with a buildError if it
// does not apply.
type form struct {
	name  string
	build func(out, x *G.Node, dirs G.Nodes) *G.Node
}

func (f form) apply(out, x *G.Node, dirs G.Nodes) (n *G.Node) {
	derive(G.Nodes{x}, func() { n = f.build(out, x, dirs) })
	return n
}

// Ties go to the first in the list.
var curvatureForms = []form{
	{"contracted", contracted},
	{"taylor", taylor},
	{"forward over reverse", func(out, x *G.Node, dirs G.Nodes) *G.Node {
		return curvatureBy(forwardOverReverse, out, x, dirs)
	}},
	{"reverse over reverse", func(out, x *G.Node, dirs G.Nodes) *G.Node {
		return curvatureBy(reverseOverReverse, out, x, dirs)
	}},
}

var productForms = []form{
	{"forward over reverse", forwardOverReverse},
	{"reverse over reverse", reverseOverReverse},
	{"reverse over forward", reverseOverForward},
}

// contracted is
//
//	d²/dt² E(x+tv) = Σ_n ⟨a_n, n″[ṅ, ṅ]⟩,
//
// the sum over all operations n between x and E of the adjoint a_n = ∂E/∂n times the second derivative of the single
// operation along the tangents ṅ of its operands. (The Taylor coefficients obey n̈ = J n̈_in + n″[ṅ_in, ṅ_in]; the
// adjoints carry the n″ of each operation to E.) For z ↦ f(z) the term is a·f″(z)·ż². It needs one reverse sweep, which
// the score needs anyway, and one forward sweep per direction, where Taylor mode carries a second coefficient as well,
// and is therefore the cheapest form for score matching: differentiating it once more costs two products for each of
// its own. The rows must not mix on the way either.
func contracted(energy, x *G.Node, dirs G.Nodes) *G.Node {
	order, in := topological(energy)
	act := active(order, in, G.Nodes{x})
	for _, n := range order {
		if act[n] && n != x && !rowwise(n, in[n], act) {
			failf("%v mixes rows", n.Op())
		}
	}
	tans := make([]map[*G.Node]*G.Node, len(dirs))
	for k, v := range dirs {
		tans[k] = tangents(nil, energy, map[*G.Node]*G.Node{x: v})
	}
	adj := adjoints(nil, energy, OnesLike(energy), G.Nodes{x})
	var sum *G.Node
	for _, n := range order {
		if adj[n] == nil || n == x || !act[n] {
			continue
		}
		if c := curve(n, in[n], tans); c != nil {
			sum = plus(sum, RowSum(Mul(adj[n], c)))
		}
	}
	if sum == nil {
		return ZerosLike(energy)
	}
	return sum
}

// curve returns Σ_k n″[t_k, t_k], nil if it vanishes.
func curve(n *G.Node, in G.Nodes, tans []map[*G.Node]*G.Node) *G.Node {
	var ts []G.Nodes
	for _, tan := range tans {
		if t, any := tangentsOf(n, in, tan); any {
			ts = append(ts, t)
		}
	}
	if len(ts) == 0 {
		return nil
	}
	o, ok := ownOp(n)
	if !ok {
		return builtinCurve(n, in, ts)
	}
	c := o.curve(in, n, ts)
	if c == nil || isZero(c) {
		return nil
	}
	return c
}

// rowwise reports whether row i of n depends only on row i of its active operands.
func rowwise(n *G.Node, in G.Nodes, act map[*G.Node]bool) bool {
	o, ok := ownOp(n)
	if !ok {
		return builtinRowwise(n, in, act)
	}
	s := n.Shape()
	if len(s) != 2 {
		return false
	}
	for _, c := range in {
		if act[c] && (c.Dims() != 2 || c.Shape()[0] != s[0]) {
			return false
		}
	}
	switch o := o.(type) {
	case unaryOp, binaryOp, scaleOp, shiftOp, stopOp, rowSumOp, expandColsOp, rowLogSumExpOp, rowSoftmaxOp:
		return true
	case affineOp:
		return !act[in[1]] && !act[in[2]]
	case matmulOp:
		return !o.ta && !act[in[1]]
	case convOp:
		return o.role != conv.Filter && !act[in[1]]
	case poolPickOp, poolPlaceOp, poolSumOp:
		return true
	case sliceOp:
		return o.axis == 1
	case padOp:
		return o.axis == 1
	case concatOp:
		return o.axis == 1
	}
	return false
}

// taylor carries first and second Taylor coefficients forward, the second summed over the directions: n̈ = J n̈_in +
// Σ_k n″[ṅ_k, ṅ_k]. For the trace this is the forward Laplacian (Li et al., A computational framework for neural
// network- based variational Monte Carlo with forward Laplacian, Nature Machine Intelligence 6 (2024)).
func taylor(energy, x *G.Node, dirs G.Nodes) *G.Node {
	tans := make([]map[*G.Node]*G.Node, len(dirs))
	for k, v := range dirs {
		tans[k] = tangents(nil, energy, map[*G.Node]*G.Node{x: v})
	}
	if c := secondCoefficient(G.Nodes{x}, energy, tans); c != nil {
		return c
	}
	return ZerosLike(energy)
}

// secondCoefficient returns the second Taylor coefficient of out, nil for zero, if the nodes of from have the given
// first and no second ones.
func secondCoefficient(from G.Nodes, out *G.Node, tans []map[*G.Node]*G.Node) *G.Node {
	order, in := topologicalFrom(from, out)
	second := map[*G.Node]*G.Node{}
	for _, n := range order {
		if len(in[n]) == 0 {
			continue
		}
		var d *G.Node
		if ts, any := tangentsOf(n, in[n], second); any {
			d = forward(n, in[n], ts)
		}
		if d = plus(d, curve(n, in[n], tans)); d != nil && !isZero(d) {
			second[n] = d
		}
	}
	return second[out]
}

// curvatureBy is Σ_k v_kᵀ(H v_k), row by row, by products of the Hessian of the sum of the energies.
func curvatureBy(product func(out, x *G.Node, dirs G.Nodes) *G.Node, energy, x *G.Node, dirs G.Nodes) *G.Node {
	total := Sum(energy)
	var sum *G.Node
	for _, v := range dirs {
		sum = plus(sum, rowDot(product(total, x, G.Nodes{v}), v))
	}
	return sum
}

// rowDot is Σ_j a_ij b_ij, (n,1).
func rowDot(a, b *G.Node) *G.Node {
	if o, ok := ownOp(b); ok {
		if u, ok := o.(unitOp); ok {
			return SliceCols(a, u.k, u.k+1)
		}
	}
	return RowSum(Mul(a, b))
}

func forwardOverReverse(cost, x *G.Node, v G.Nodes) *G.Node {
	g := vjp(cost, OnesLike(cost), G.Nodes{x})[0]
	if h := tangents(nil, g, map[*G.Node]*G.Node{x: v[0]})[g]; h != nil {
		return h
	}
	return ZerosLike(x)
}

func reverseOverReverse(cost, x *G.Node, v G.Nodes) *G.Node {
	g := vjp(cost, OnesLike(cost), G.Nodes{x})[0]
	return vjp(g, v[0], G.Nodes{x})[0]
}

func reverseOverForward(cost, x *G.Node, v G.Nodes) *G.Node {
	d := tangents(nil, cost, map[*G.Node]*G.Node{x: v[0]})[cost]
	if d == nil {
		return ZerosLike(x)
	}
	return vjp(d, OnesLike(d), G.Nodes{x})[0]
}

// cheapest builds out's second derivative in the cheapest form. The trials are built on a copy of the graph, so that
// they leave nothing behind.
func cheapest(forms []form, out, x *G.Node, dirs G.Nodes) *G.Node {
	best, err := choose(forms, out, x, dirs)
	if err != nil {
		panic(buildError{err})
	}
	return best.apply(out, x, dirs)
}

// trial is the cost of a form, or the reason why it does not apply.
type trial struct {
	form  form
	costs costs
	err   error
}

func choose(forms []form, out, x *G.Node, dirs G.Nodes) (form, error) {
	// Every direction costs the same, so two determine the cost of many.
	few := trials(forms, out, x, dirs[:min(len(dirs), 2)])
	one := few
	if len(dirs) > 2 {
		one = trials(forms, out, x, dirs[:1])
	}
	best, least := -1, math.Inf(1)
	for i, t := range few {
		if t.err != nil || one[i].err != nil {
			continue
		}
		total := t.costs.Total() + float64(max(0, len(dirs)-2))*(t.costs.Total()-one[i].costs.Total())
		if total < least {
			best, least = i, total
		}
	}
	if best < 0 {
		return form{}, few[len(few)-1].err
	}
	return forms[best], nil
}

// trials counts, for each form, value, gradient g in x and parameter gradient of Σ ½|g|² + Σ value, the loss of score
// matching. Parameters are all inputs but x.
func trials(forms []form, out, x *G.Node, dirs G.Nodes) []trial {
	ts := make([]trial, len(forms))
	c, err := newCopier(out, x)
	for i, f := range forms {
		ts[i].form = f
		if ts[i].err = err; err != nil {
			continue
		}
		ts[i].err = try(func() {
			var ds G.Nodes
			for k, v := range dirs {
				if o, ok := ownOp(v); ok && isConstant(o) {
					ds = append(ds, apply(o, c.x))
				} else {
					ds = append(ds, c.input(fmt.Sprint("direction ", k), v))
				}
			}
			value := f.apply(c.out, c.x, ds)
			g := vjp(c.out, OnesLike(c.out), G.Nodes{c.x})[0]
			loss := Add(Scale(Sum(Square(g)), 0.5), Sum(value))
			outs := append(G.Nodes{value, g, loss}, vjp(loss, OnesLike(loss), c.params)...)
			ts[i].costs = costOf(outs...)
		})
	}
	return ts
}

// copier copies what out is computed from to a separate graph, with x as an input.
type copier struct {
	g      *G.ExprGraph
	out, x *G.Node
	params G.Nodes
	inputs map[string]*G.Node
}

func newCopier(out, x *G.Node) (c *copier, err error) {
	c = &copier{g: G.NewGraph(), inputs: map[string]*G.Node{}}
	err = try(func() {
		twin := map[*G.Node]*G.Node{}
		c.x = c.input("x", x)
		twin[x] = c.x
		var visit func(n *G.Node) *G.Node
		visit = func(n *G.Node) *G.Node {
			if t := twin[n]; t != nil {
				return t
			}
			var args G.Nodes
			for _, m := range operands(n) {
				args = append(args, visit(m))
			}
			o, own := ownOp(n)
			switch {
			case len(args) == 0 && n.Op() != nil: // a constant of Gorgonia's
				twin[n] = c.g.Constant(n.Value())
			case len(args) == 0:
				twin[n] = c.input(fmt.Sprint("parameter ", n.ID()), n)
				c.params = append(c.params, twin[n])
			case own:
				twin[n] = apply(o, args...)
			default:
				twin[n] = Must(G.ApplyOp(n.Op(), args...))
			}
			return twin[n]
		}
		c.out = visit(out)
	})
	return c, err
}

// input returns the input of the copy that represents n.
func (c *copier) input(name string, n *G.Node) *G.Node {
	if c.inputs[name] == nil {
		c.inputs[name] = NewInput(c.g, n.Dtype(), name, n.Shape()...)
	}
	return c.inputs[name]
}
