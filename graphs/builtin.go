package graphs

import (
	"fmt"
	"math"
	"reflect"
	"strings"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Gorgonia's own operations are differentiated in one of two ways. Most are translated: an expression of our operations
// with the same value stands in for them, and our rules give derivatives of every order in both modes. The few of
// symDiffAllowed are asked for their SymDiff, which was found right to third order. All others are refused by name,
// because Gorgonia's rules for them are wrong, missing, or panic at some order.
//
// Operations are identified by type name and unexported fields of Gorgonia v0.9.18; TestBuiltinFields pins them.

// symDiffAllowed holds the built-in operations whose own rules are used.
var symDiffAllowed = map[string]bool{
	"maxOp":      true,
	"minBetween": true,
	"maxBetween": true,
}

// builtinName returns the type name of one of Gorgonia's own operations, false for operations of third parties.
func builtinName(o G.Op) (string, bool) {
	t := reflect.TypeOf(o)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Name(), t.PkgPath() == "gorgonia.org/gorgonia" || strings.HasPrefix(t.PkgPath(), "gorgonia.org/gorgonia/")
}

// builtinDifferentiable says which operands of n have a derivative. Gorgonia's DiffWRT is believed where it is right. What
// has no rule counts as differentiable, so that it is asked for one and refused, not passed over as a constant.
func builtinDifferentiable(n *G.Node, operands int) []bool {
	d := make([]bool, operands)
	switch name, _ := builtinName(n.Op()); name {
	case "sizeOp", "readOp", "randomOp":
		return d
	case "sliceIncrOp": // (like, x): the first only lends its shape
		d[1] = true
		return d
	case "atOp": // DiffWRT says no
		d[0] = true
		return d
	}
	if o, ok := n.Op().(G.SDOp); ok {
		if w := o.DiffWRT(operands); len(w) == operands {
			return w
		}
	}
	for i := range d {
		d[i] = true
	}
	return d
}

func builtinReverse(n *G.Node, in G.Nodes, g *G.Node, want []bool) G.Nodes {
	gs := make(G.Nodes, len(in))
	if e := translate(n, in); e != nil {
		var wrt G.Nodes
		for i, w := range want {
			if w {
				wrt = append(wrt, in[i])
			}
		}
		adj := adjoints(in, e, g, wrt)
		for i, w := range want {
			if w {
				gs[i] = adj[in[i]]
				delete(adj, in[i]) // an operand that appears twice has its whole adjoint once
			}
		}
		return gs
	}
	o := symDiffer(n)
	ds, err := o.SymDiff(in, n, g)
	if err != nil {
		failf("differentiate %v: %w", n.Op(), err)
	}
	for i, w := range want {
		if !w {
			continue
		}
		if i >= len(ds) || ds[i] == nil {
			failf("%v (%T) returned no derivative for operand %d", n.Op(), n.Op(), i)
		}
		if ds[i].Shape().TotalSize() != in[i].Shape().TotalSize() {
			failf("%v (%T) returned a derivative of shape %v for an operand of shape %v", n.Op(), n.Op(), ds[i].Shape(), in[i].Shape())
		}
		gs[i] = Reshape(ds[i], in[i].Shape()...)
	}
	return gs
}

// symDiffer returns the operation of n if its own derivative may be used.
func symDiffer(n *G.Node) G.SDOp {
	name, builtin := builtinName(n.Op())
	if builtin && (!symDiffAllowed[name] || n.IsScalar()) {
		failf("no derivative rule for Gorgonia's %v (%T): its own is not right to every order; write it with the operations of this package, "+
			"or take first derivatives by gorgonia.Grad, which a Machine runs", n.Op(), n.Op())
	}
	o, ok := n.Op().(G.SDOp)
	if !ok {
		failf("no derivative rule for %v (%T): it is not a gorgonia.SDOp", n.Op(), n.Op())
	}
	return o
}

// builtinForward is the forward rule. An operation that only knows its reverse rule u ↦ Jᵀu has it differentiated in u,
// in which it is linear: J t = ∂⟨Jᵀu, t⟩/∂u, whatever u.
func builtinForward(n *G.Node, in G.Nodes, t G.Nodes) *G.Node {
	if e := translate(n, in); e != nil {
		start := map[*G.Node]*G.Node{}
		for i, c := range in {
			if t[i] != nil {
				start[c] = t[i]
			}
		}
		return tangents(in, e, start)[e]
	}
	u := apply(probeOp{n.Shape()}, n)
	want := make([]bool, len(in))
	for i := range in {
		want[i] = t[i] != nil
	}
	var inner *G.Node
	for i, d := range builtinReverse(n, in, u, want) {
		if d != nil {
			inner = plus(inner, Sum(Mul(d, t[i])))
		}
	}
	if inner == nil {
		return nil
	}
	return adjoints(nil, inner, OnesLike(inner), G.Nodes{u})[u]
}

// builtinCurve returns Σ_k n″[t_k, t_k].
func builtinCurve(n *G.Node, in G.Nodes, dirs []G.Nodes) *G.Node {
	e := translate(n, in)
	if e == nil {
		failf("no second derivative rule for %v (%T)", n.Op(), n.Op())
	}
	var tans []map[*G.Node]*G.Node
	for _, t := range dirs {
		start := map[*G.Node]*G.Node{}
		for i, c := range in {
			if t[i] != nil {
				start[c] = t[i]
			}
		}
		tans = append(tans, tangents(in, e, start))
	}
	return secondCoefficient(in, e, tans)
}

func builtinRowwise(n *G.Node, in G.Nodes, act map[*G.Node]bool) bool {
	e := translate(n, in)
	if e == nil {
		return false
	}
	order, args := topologicalFrom(in, e)
	var wrt G.Nodes
	for _, c := range in {
		if act[c] {
			wrt = append(wrt, c)
		}
	}
	local := active(order, args, wrt)
	for _, m := range order {
		if local[m] && len(args[m]) > 0 && !rowwise(m, args[m], local) {
			return false
		}
	}
	return true
}

// probeOp is a node of ones that is not recognised as constant: the variable in which a reverse rule is differentiated.
type probeOp struct{ s tensor.Shape }

func (o probeOp) String() string                             { return fmt.Sprint("probe", []int(o.s)) }
func (o probeOp) arity() int                                 { return 1 }
func (o probeOp) shape([]tensor.Shape) (tensor.Shape, error) { return o.s.Clone(), nil }
func (probeOp) constant()                                    {}

func (o probeOp) eval(dst []float64, _ [][]float64, _ []tensor.Shape) {
	for i := range dst {
		dst[i] = 1
	}
}

func (probeOp) vjp(G.Nodes, *G.Node, *G.Node, []bool) G.Nodes { return G.Nodes{nil} }
func (probeOp) jvp(G.Nodes, *G.Node, G.Nodes) *G.Node         { return nil }
func (probeOp) curve(G.Nodes, *G.Node, []G.Nodes) *G.Node     { return nil }

// translate writes the built-in operation n with our operations. It returns nil if it does not know how. The operations
// are applied as they are, without the simplifications of the builders, so that the result depends on in and on nothing
// below.
func translate(n *G.Node, in G.Nodes) *G.Node {
	name, builtin := builtinName(n.Op())
	if !builtin {
		return nil
	}
	for _, c := range append(G.Nodes{n}, in...) {
		if dt := c.Dtype(); dt != tensor.Float32 && dt != tensor.Float64 {
			return nil
		}
	}
	switch name {
	case "elemBinOp":
		return translateBinary(n, in)
	case "elemUnaryOp":
		return translateUnary(n, in[0])
	case "linAlgBinOp":
		return translateProduct(n, in)
	case "tensordotOp":
		return translateTensordot(n, in)
	case "sumOp":
		return translateSum(n, in[0])
	case "repeatOp":
		return translateRepeat(n, in[0])
	case "reshapeOp":
		return shaped(in[0], n.Shape())
	case "transposeOp":
		pattern := intsField(n.Op(), "pattern")
		if len(pattern) == 2 && pattern[0] == 1 {
			return apply(transposeOp{}, in[0])
		}
		return apply(gatherOp{r: permutation(in[0].Shape(), pattern)}, in[0])
	case "sliceOp":
		r, ok := sliceOf(n.Op(), in[0].Shape())
		if !ok {
			return nil
		}
		return shaped(apply(gatherOp{r: r}, in[0]), n.Shape())
	case "sliceIncrOp": // zeros with the second operand in the slice of the first's shape
		r, ok := sliceOf(n.Op(), in[0].Shape())
		if !ok {
			return nil
		}
		return apply(scatterOp{r: r}, expandTo(in[1], r.to))
	case "atOp":
		return translateAt(n, in[0])
	case "concatOp":
		return translateConcat(n, in)
	case "softmaxOp":
		return translateSoftmax(n, in[0])
	case "im2colOp":
		return apply(gatherOp{r: patchesOf(n.Op(), in[0].Shape())}, in[0])
	case "col2imOp":
		return apply(scatterOp{r: patchesOf(n.Op(), n.Shape())}, in[0])
	}
	return nil
}

func field(o G.Op, name string) reflect.Value {
	f := reflect.Indirect(reflect.ValueOf(o)).FieldByName(name)
	if !f.IsValid() {
		failf("%T has no field %q; is this Gorgonia v0.9.18?", o, name)
	}
	return f
}

func intsField(o G.Op, name string) []int {
	f := field(o, name)
	x := make([]int, f.Len())
	for i := range x {
		x[i] = int(f.Index(i).Int())
	}
	return x
}

// shaped is reshape to s, x itself if it has that shape.
func shaped(x *G.Node, s tensor.Shape) *G.Node {
	if len(x.Shape()) == len(s) && x.Shape().Eq(s) {
		return x
	}
	return apply(reshapeOp{s: s.Clone()}, x)
}

// expandTo gives x the shape s: by reshaping, or by repeating its only element.
func expandTo(x *G.Node, s tensor.Shape) *G.Node {
	if x.Shape().TotalSize() == 1 && s.TotalSize() != 1 {
		return apply(fillOp{s: s.Clone()}, x)
	}
	return shaped(x, s)
}

// scalarConstant returns the value of a node that is one number, known now.
func scalarConstant(n *G.Node) (float64, bool) {
	if c, ok := constantOf(n); ok {
		return c, true
	}
	if n.Op() == nil || n.Shape().TotalSize() != 1 {
		return 0, false
	}
	switch name, _ := builtinName(n.Op()); name {
	case "constantScalar":
		x, err := readValue(n.Value())
		if err != nil {
			return 0, false
		}
		return x[0], true
	case "sizeOp":
		s, axis := operands(n)[0].Shape(), int(field(n.Op(), "axis").Int())
		if axis < len(s) {
			return float64(s[axis]), true
		}
		return 1, len(s) == 0
	}
	return 0, false
}

func translateBinary(n *G.Node, in G.Nodes) *G.Node {
	s := n.Shape()
	op, _, _ := strings.Cut(n.Op().String(), " ")
	if c, ok := scalarConstant(in[1]); ok {
		a := expandTo(in[0], s)
		switch op {
		case "+":
			return apply(shiftOp{c}, a)
		case "-":
			return apply(shiftOp{-c}, a)
		case "⊙":
			return apply(scaleOp{c}, a)
		case "÷":
			return apply(scaleOp{1 / c}, a)
		case "^":
			switch c {
			case 0, 1:
				return apply(shiftOp{1 - c}, apply(scaleOp{c}, a))
			case 2:
				return apply(unaryOp{fn: fnSquare}, a)
			}
			return apply(unaryOp{fn: fnPow, p: c}, a)
		}
		return nil
	}
	if c, ok := scalarConstant(in[0]); ok && op != "^" {
		b := expandTo(in[1], s)
		switch op {
		case "+":
			return apply(shiftOp{c}, b)
		case "-":
			return apply(shiftOp{c}, apply(scaleOp{-1}, b))
		case "⊙":
			return apply(scaleOp{c}, b)
		case "÷":
			return apply(scaleOp{c}, apply(unaryOp{fn: fnReciprocal}, b))
		}
		return nil
	}
	a, b := expandTo(in[0], s), expandTo(in[1], s)
	switch op {
	case "+":
		return apply(binaryOp{add}, a, b)
	case "-":
		return apply(binaryOp{sub}, a, b)
	case "⊙":
		return apply(binaryOp{mul}, a, b)
	case "÷":
		return apply(binaryOp{div}, a, b)
	case "^": // for positive a
		return apply(unaryOp{fn: fnExp}, apply(binaryOp{mul}, b, apply(unaryOp{fn: fnLog}, a)))
	}
	return nil
}

func translateUnary(n, x *G.Node) *G.Node {
	u := func(f fn, x *G.Node) *G.Node { return apply(unaryOp{fn: f}, x) }
	switch n.Op().String() {
	case "abs":
		return u(fnAbs, x)
	case "sign":
		return u(fnSign, x)
	case "sin":
		return u(fnSin, x)
	case "cos":
		return u(fnCos, x)
	case "exp":
		return u(fnExp, x)
	case "ln":
		return u(fnLog, x)
	case "log2":
		return apply(scaleOp{1 / math.Ln2}, u(fnLog, x))
	case "neg":
		return apply(scaleOp{-1}, x)
	case "square":
		return u(fnSquare, x)
	case "sqrt":
		return u(fnSqrt, x)
	case "inv":
		return u(fnReciprocal, x)
	case "invSqrt":
		return u(fnReciprocal, u(fnSqrt, x))
	case "cube":
		return apply(unaryOp{fn: fnPow, p: 3}, x)
	case "tanh":
		return u(fnTanh, x)
	case "sigmoid":
		return u(fnSigmoid, x)
	case "log1p":
		return u(fnLog, apply(shiftOp{1}, x))
	case "expm1":
		return apply(shiftOp{-1}, u(fnExp, x))
	case "softplus":
		return u(fnSoftplus, x)
	}
	return nil
}

func translateProduct(n *G.Node, in G.Nodes) *G.Node {
	a, b, s := in[0], in[1], n.Shape()
	size := func(x *G.Node) int { return x.Shape().TotalSize() }
	o := matmulOp{field(n.Op(), "transA").Bool(), field(n.Op(), "transB").Bool()}
	switch field(n.Op(), "āBinaryOperator").Uint() {
	case 0: // matrix · matrix
		return apply(o, a, b)
	case 1: // matrix · vector
		return shaped(apply(matmulOp{ta: o.ta}, a, shaped(b, tensor.Shape{size(b), 1})), s)
	case 2: // vector · vector
		k := tensor.Shape{size(a)}
		return shaped(apply(sumOp{scalar: true}, apply(binaryOp{mul}, shaped(a, k), shaped(b, k))), s)
	case 3: // outer product
		return shaped(apply(matmulOp{}, shaped(a, tensor.Shape{size(a), 1}), shaped(b, tensor.Shape{1, size(b)})), s)
	case 4: // batches of matrices: one product each
		sa, sb := a.Shape(), b.Shape()
		da, db := len(sa)-2, len(sb)-2
		batch := sa[:da].TotalSize()
		ra, ca, rb, cb := sa[da], sa[da+1], sb[db], sb[db+1]
		a = shaped(a, tensor.Shape{batch * ra, ca})
		b = shaped(b, tensor.Shape{batch * rb, cb})
		var parts G.Nodes
		for i := range batch {
			parts = append(parts, apply(o, apply(sliceOp{axis: 0, lo: i * ra, hi: (i + 1) * ra}, a), apply(sliceOp{axis: 0, lo: i * rb, hi: (i + 1) * rb}, b)))
		}
		if batch == 1 {
			return shaped(parts[0], s)
		}
		return shaped(apply(concatOp{0, batch}, parts...), s)
	}
	return nil
}

// translateTensordot brings the contracted axes of a last, those of b first, and multiplies matrices.
func translateTensordot(n *G.Node, in G.Nodes) *G.Node {
	flat := func(x *G.Node, axes []int, last bool) (*G.Node, int) {
		s := x.Shape()
		var free []int
		k := 1
		for i := range s {
			free = append(free, i)
		}
		for _, a := range axes {
			k *= s[a]
			for i, f := range free {
				if f == a {
					free = append(free[:i], free[i+1:]...)
					break
				}
			}
		}
		m := s.TotalSize() / k
		if last {
			return shaped(apply(gatherOp{r: permutation(s, append(free, axes...))}, x), tensor.Shape{m, k}), m
		}
		return shaped(apply(gatherOp{r: permutation(s, append(append([]int(nil), axes...), free...))}, x), tensor.Shape{k, m}), m
	}
	a, _ := flat(in[0], intsField(n.Op(), "aAxes"), true)
	b, _ := flat(in[1], intsField(n.Op(), "bAxes"), false)
	return shaped(apply(matmulOp{}, a, b), n.Shape())
}

func translateSum(n, x *G.Node) *G.Node {
	along := intsField(n.Op(), "along")
	s := x.Shape()
	reduced := map[int]bool{}
	for _, a := range along {
		reduced[a] = true
	}
	if len(reduced) == len(s) {
		return shaped(apply(sumOp{scalar: true}, x), n.Shape())
	}
	var perm []int
	k := 1
	for i := range s {
		if !reduced[i] {
			perm = append(perm, i)
		}
	}
	for i := range s {
		if reduced[i] {
			perm = append(perm, i)
			k *= s[i]
		}
	}
	if len(s) == 2 && along[0] == 0 {
		return shaped(apply(colSumOp{}, x), n.Shape())
	}
	if len(s) != 2 {
		x = apply(gatherOp{r: permutation(s, perm)}, x)
	}
	return shaped(apply(rowSumOp{}, shaped(x, tensor.Shape{s.TotalSize() / k, k})), n.Shape())
}

// translateRepeat repeats every element along an axis: (before, axis, after) → (before, axis·times, after).
func translateRepeat(n, x *G.Node) *G.Node {
	s, to := x.Shape(), n.Shape()
	if s.TotalSize() == 1 {
		return expandTo(x, to)
	}
	axis := int(field(n.Op(), "along").Int())
	length := 1 // of the axis in x, which may lack it
	if axis < len(s) {
		length = s[axis]
	}
	times := to[axis] / length
	before, after := to[:axis].TotalSize(), to[axis+1:].TotalSize()
	r := &rearrangement{name: fmt.Sprintf("repeat(%d,%d)", axis, times), from: s.Clone(), to: to.Clone()}
	for i := range before * length {
		for range times {
			for j := range after {
				r.index = append(r.index, i*after+j)
			}
		}
	}
	switch {
	case len(to) == 2 && length == 1 && axis == 1:
		return apply(expandColsOp{m: times}, shaped(x, tensor.Shape{before, 1}))
	case len(to) == 2 && length == 1 && axis == 0:
		return apply(expandRowsOp{n: times}, shaped(x, tensor.Shape{after}))
	}
	return apply(gatherOp{r: r}, x)
}

// sliceOf returns the rearrangement of a sliceOp or sliceIncrOp on a tensor of shape s.
func sliceOf(o G.Op, s tensor.Shape) (*rearrangement, bool) {
	axis := int(field(o, "along").Int())
	lo, hi, step := 0, s[axis], 1
	if !field(o, "Slice").IsNil() {
		sl, ok := o.(tensor.Slice)
		if !ok {
			return nil, false
		}
		if sl.End() > sl.Start() {
			lo, hi, step = sl.Start(), sl.End(), max(1, sl.Step())
		}
	}
	if lo < 0 || hi > s[axis] {
		return nil, false
	}
	return strided(s, axis, lo, hi, step), true
}

func translateAt(n, x *G.Node) *G.Node {
	s, k := x.Shape(), 0
	at := intsField(n.Op(), "coordinates")
	for i, c := range at {
		k = k*s[i] + c
	}
	r := &rearrangement{name: fmt.Sprint("at", at), from: s.Clone(), to: tensor.Shape{1}, index: []int{k}}
	return shaped(apply(gatherOp{r: r}, x), n.Shape())
}

func translateConcat(n *G.Node, in G.Nodes) *G.Node {
	axis := int(field(n.Op(), "axis").Int())
	parts := make(G.Nodes, len(in))
	for i, x := range in {
		s := x.Shape()
		before := s[:axis].TotalSize()
		parts[i] = shaped(x, tensor.Shape{before, s.TotalSize() / before})
	}
	if len(parts) == 1 {
		return shaped(parts[0], n.Shape())
	}
	return shaped(apply(concatOp{1, len(in)}, parts...), n.Shape())
}

func translateSoftmax(n, x *G.Node) *G.Node {
	s := x.Shape()
	axis, log := int(field(n.Op(), "axis").Int()), field(n.Op(), "isLog").Bool()
	if axis < 0 {
		axis += len(s)
	}
	if len(s) == 0 || len(s) > 2 || axis < 0 || axis >= len(s) {
		return nil
	}
	flip := len(s) == 2 && axis == 0
	switch {
	case flip:
		x = apply(transposeOp{}, x)
	case len(s) == 1:
		x = shaped(x, tensor.Shape{1, s[0]})
	}
	y := apply(rowSoftmaxOp{}, x)
	if log {
		y = apply(binaryOp{sub}, x, apply(expandColsOp{m: x.Shape()[1]}, apply(rowLogSumExpOp{}, x)))
	}
	if flip {
		return apply(transposeOp{}, y)
	}
	return shaped(y, s)
}

func patchesOf(o G.Op, image tensor.Shape) *rearrangement {
	f := func(a, b string) [2]int { return [2]int{int(field(o, a).Int()), int(field(o, b).Int())} }
	return patches(image, f("h", "w"), f("padH", "padW"), f("strideH", "strideW"), f("dilationH", "dilationW"))
}
