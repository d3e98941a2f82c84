package onnxtest

import (
	"fmt"
	"math"
	"slices"
)

// Run evaluates the model in float64, node by node, with plain loops.
func (m *Model) Run(inputs map[string]Tensor) (outputs map[string]Tensor, err error) {
	defer func() {
		if r := recover(); r != nil {
			outputs, err = nil, fmt.Errorf("onnxtest: %v", r)
		}
	}()
	values := map[string]Tensor{}
	for name, t := range m.Weights {
		values[name] = t
	}
	for _, name := range m.Inputs {
		t, ok := inputs[name]
		if !ok || !fits(t.Dims, m.Shapes[name]) || len(t.Data) != size(t.Dims) {
			panic(fmt.Sprintf("input %s of dimensions %v, want %v", name, t.Dims, m.Shapes[name]))
		}
		values[name] = t
	}
	for i, n := range m.Nodes {
		in := make([]Tensor, len(n.In))
		for j, name := range n.In {
			t, ok := values[name]
			if !ok {
				panic(fmt.Sprintf("node %d, %s: nothing is called %q", i, n.Op, name))
			}
			in[j] = t
		}
		if _, dup := values[n.Out[0]]; dup || len(n.Out) != 1 {
			panic(fmt.Sprintf("node %d, %s: outputs %v", i, n.Op, n.Out))
		}
		values[n.Out[0]] = n.eval(in)
	}
	outputs = map[string]Tensor{}
	for _, name := range m.Outputs {
		t, ok := values[name]
		if !ok || !fits(t.Dims, m.Shapes[name]) {
			panic(fmt.Sprintf("output %s of dimensions %v, want %v", name, t.Dims, m.Shapes[name]))
		}
		outputs[name] = t
	}
	return outputs, nil
}

func fits(dims, want []int) bool {
	return slices.EqualFunc(dims, want, func(d, w int) bool { return d == w || w == -1 })
}

var unaries = map[string]func(float64) float64{
	"Identity": func(x float64) float64 { return x }, "Cast": func(x float64) float64 { return x },
	"Neg": func(x float64) float64 { return -x }, "Abs": math.Abs, "Exp": math.Exp, "Log": math.Log, "Sqrt": math.Sqrt,
	"Sin": math.Sin, "Cos": math.Cos, "Tanh": math.Tanh, "Erf": math.Erf,
	"Reciprocal": func(x float64) float64 { return 1 / x },
	"Relu":       func(x float64) float64 { return math.Max(x, 0) },
	"Sigmoid":    func(x float64) float64 { return 1 / (1 + math.Exp(-x)) },
	"Softplus":   func(x float64) float64 { return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) },
	"Not":        func(x float64) float64 { return 1 - x },
	"Sign": func(x float64) float64 {
		switch {
		case x > 0:
			return 1
		case x < 0:
			return -1
		}
		return 0
	},
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

var binaries = map[string]func(a, b float64) float64{
	"Add": func(a, b float64) float64 { return a + b }, "Sub": func(a, b float64) float64 { return a - b },
	"Mul": func(a, b float64) float64 { return a * b }, "Div": func(a, b float64) float64 { return a / b },
	"Pow": math.Pow, "Max": math.Max, "Min": math.Min,
	"Less":           func(a, b float64) float64 { return truth(a < b) },
	"LessOrEqual":    func(a, b float64) float64 { return truth(a <= b) },
	"Greater":        func(a, b float64) float64 { return truth(a > b) },
	"GreaterOrEqual": func(a, b float64) float64 { return truth(a >= b) },
	"Equal":          func(a, b float64) float64 { return truth(a == b) },
}

func (n *Node) attr(name string, def int) int {
	if v := n.Ints[name]; len(v) > 0 {
		return v[0]
	}
	return def
}

func (t Tensor) ints() []int {
	v := make([]int, len(t.Data))
	for i, x := range t.Data {
		v[i] = int(x)
	}
	return v
}

// at is the element (i,j) of a matrix whose dimensions may be 1 where those asked for are larger.
func (t Tensor) at(i, j int) float64 {
	return t.Data[min(i, t.Dims[0]-1)*t.Dims[1]+min(j, t.Dims[1]-1)]
}

// matrix fills a new matrix.
func matrix(rows, cols int, f func(i, j int) float64) Tensor {
	t := Tensor{Dims: []int{rows, cols}, Data: make([]float64, rows*cols)}
	for i := range rows {
		for j := range cols {
			t.Data[i*cols+j] = f(i, j)
		}
	}
	return t
}

// together is the dimension of two that are broadcast.
func together(a, b int) int {
	if a != b && a != 1 && b != 1 {
		panic(fmt.Sprintf("%d and %d do not broadcast", a, b))
	}
	return max(a, b)
}

func (n *Node) eval(in []Tensor) Tensor {
	if f, ok := unaries[n.Op]; ok {
		out := Tensor{Dims: in[0].Dims, Data: make([]float64, len(in[0].Data))}
		for i, x := range in[0].Data {
			out.Data[i] = f(x)
		}
		return out
	}
	if f, ok := binaries[n.Op]; ok {
		a, b := in[0], in[1]
		return matrix(together(a.Dims[0], b.Dims[0]), together(a.Dims[1], b.Dims[1]), func(i, j int) float64 { return f(a.at(i, j), b.at(i, j)) })
	}
	switch n.Op {
	case "Gemm":
		return n.gemm(in)
	case "ReduceSum":
		return reduce(in[0], in[1].ints(), 0, func(s, x float64) float64 { return s + x })
	case "ReduceMax":
		return reduce(in[0], n.Ints["axes"], math.Inf(-1), math.Max)
	case "Softmax":
		x := in[0]
		top := reduce(x, []int{1}, math.Inf(-1), math.Max)
		e := matrix(x.Dims[0], x.Dims[1], func(i, j int) float64 { return math.Exp(x.at(i, j) - top.at(i, 0)) })
		sum := reduce(e, []int{1}, 0, func(s, x float64) float64 { return s + x })
		return matrix(x.Dims[0], x.Dims[1], func(i, j int) float64 { return e.at(i, j) / sum.at(i, 0) })
	case "Slice":
		lo, hi, axis := in[1].ints()[0], in[2].ints()[0], in[3].ints()[0]
		x := in[0]
		if hi > x.Dims[axis] {
			panic("slice outside")
		}
		if axis == 0 {
			return matrix(hi-lo, x.Dims[1], func(i, j int) float64 { return x.at(i+lo, j) })
		}
		return matrix(x.Dims[0], hi-lo, func(i, j int) float64 { return x.at(i, j+lo) })
	case "Pad":
		p, x := in[1].ints(), in[0]
		return matrix(p[0]+x.Dims[0]+p[2], p[1]+x.Dims[1]+p[3], func(i, j int) float64 {
			i, j = i-p[0], j-p[1]
			if i < 0 || j < 0 || i >= x.Dims[0] || j >= x.Dims[1] {
				return 0
			}
			return x.at(i, j)
		})
	case "Concat":
		return n.concat(in)
	case "Transpose":
		return matrix(in[0].Dims[1], in[0].Dims[0], func(i, j int) float64 { return in[0].at(j, i) })
	case "Reshape":
		dims := in[1].ints()
		known := 1
		for _, d := range dims {
			if d >= 0 {
				known *= d
			}
		}
		for i, d := range dims {
			if d < 0 {
				dims[i] = len(in[0].Data) / known
			}
		}
		if size(dims) != len(in[0].Data) {
			panic(fmt.Sprintf("reshape of %v to %v", in[0].Dims, dims))
		}
		return Tensor{Dims: dims, Data: in[0].Data}
	case "Expand":
		d := in[1].ints()
		return matrix(together(d[0], in[0].Dims[0]), together(d[1], in[0].Dims[1]), in[0].at)
	case "Shape":
		dims := in[0].Dims[n.attr("start", 0):n.attr("end", len(in[0].Dims))]
		out := Tensor{Dims: []int{len(dims)}}
		for _, d := range dims {
			out.Data = append(out.Data, float64(d))
		}
		return out
	}
	panic("operation " + n.Op + " is not known")
}

func (n *Node) gemm(in []Tensor) Tensor {
	a, b := in[0], in[1]
	at := func(t Tensor, trans, i, j int) float64 {
		if trans != 0 {
			i, j = j, i
		}
		return t.at(i, j)
	}
	ta, tb := n.attr("transA", 0), n.attr("transB", 0)
	k := a.Dims[1-ta]
	if k != b.Dims[tb] {
		panic(fmt.Sprintf("product of %v and %v", a.Dims, b.Dims))
	}
	return matrix(a.Dims[ta], b.Dims[1-tb], func(i, j int) float64 {
		s := 0.0
		for l := range k {
			s += at(a, ta, i, l) * at(b, tb, l, j)
		}
		if len(in) > 2 {
			s += in[2].at(i, j)
		}
		return s
	})
}

// reduce keeps the reduced dimensions as 1.
func reduce(x Tensor, axes []int, start float64, f func(s, x float64) float64) Tensor {
	dims := slices.Clone(x.Dims)
	for _, a := range axes {
		dims[a] = 1
	}
	return matrix(dims[0], dims[1], func(i, j int) float64 {
		s := start
		for k := range x.Dims[0] {
			for l := range x.Dims[1] {
				if (k == i || dims[0] < x.Dims[0]) && (l == j || dims[1] < x.Dims[1]) {
					s = f(s, x.at(k, l))
				}
			}
		}
		return s
	})
}

func (n *Node) concat(in []Tensor) Tensor {
	if len(in[0].Dims) == 1 {
		var out Tensor
		for _, t := range in {
			out.Data = append(out.Data, t.Data...)
		}
		out.Dims = []int{len(out.Data)}
		return out
	}
	axis := n.attr("axis", 0)
	dims := slices.Clone(in[0].Dims)
	for _, t := range in[1:] {
		if t.Dims[1-axis] != dims[1-axis] {
			panic("concat of different sizes")
		}
		dims[axis] += t.Dims[axis]
	}
	return matrix(dims[0], dims[1], func(i, j int) float64 {
		for _, t := range in {
			d := t.Dims[axis]
			switch {
			case axis == 0 && i >= d:
				i -= d
			case axis == 1 && j >= d:
				j -= d
			default:
				return t.at(i, j)
			}
		}
		panic("unreachable")
	})
}
