package onnxtest

import (
	"fmt"
	"maps"
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
	values := maps.Clone(m.Weights)
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
		if _, dup := values[n.Out[0]]; dup || len(n.Out) != 1 && n.Op != "TopK" {
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
	"Sin": math.Sin, "Cos": math.Cos, "Tanh": math.Tanh, "Erf": math.Erf, "Ceil": math.Ceil, "Floor": math.Floor,
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

// Div is that of floats: whole numbers are divided without rest in the models.
var binaries = map[string]func(a, b float64) float64{
	"Add": func(a, b float64) float64 { return a + b }, "Sub": func(a, b float64) float64 { return a - b },
	"Mul": func(a, b float64) float64 { return a * b }, "Div": func(a, b float64) float64 { return a / b },
	"Pow": math.Pow, "Max": math.Max, "Min": math.Min,
	"Less":           func(a, b float64) float64 { return truth(a < b) },
	"LessOrEqual":    func(a, b float64) float64 { return truth(a <= b) },
	"Greater":        func(a, b float64) float64 { return truth(a > b) },
	"GreaterOrEqual": func(a, b float64) float64 { return truth(a >= b) },
	"Equal":          func(a, b float64) float64 { return truth(a == b) },
	"And":            func(a, b float64) float64 { return a * b },
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

// made fills a new array.
func made(dims []int, f func(at []int) float64) Tensor {
	t := Tensor{Dims: slices.Clone(dims), Data: make([]float64, size(dims))}
	at := make([]int, len(dims))
	for i := range t.Data {
		t.Data[i] = f(at)
		for j := len(at) - 1; j >= 0; j-- {
			if at[j]++; at[j] < dims[j] {
				break
			}
			at[j] = 0
		}
	}
	return t
}

// at is an element; dimensions of 1 are repeated, and those that are missing in front.
func (t Tensor) at(at []int) float64 { return t.Data[t.index(at)] }

func (t Tensor) index(at []int) int {
	k := 0
	at = at[len(at)-len(t.Dims):]
	for i, d := range t.Dims {
		k *= d
		if d > 1 {
			if at[i] >= d {
				panic(fmt.Sprintf("element %v of %v", at, t.Dims))
			}
			k += at[i]
		}
	}
	return k
}

// together are the dimensions of two that are broadcast.
func together(a, b []int) []int {
	if len(a) < len(b) {
		a, b = b, a
	}
	out := slices.Clone(a)
	for i, d := range b {
		k := i + len(a) - len(b)
		if out[k] != d && out[k] != 1 && d != 1 {
			panic(fmt.Sprintf("%v and %v do not broadcast", a, b))
		}
		out[k] = max(out[k], d)
	}
	return out
}

// with is a position whose coordinate along an axis is another.
func with(at []int, axis, k int) []int {
	at = slices.Clone(at)
	at[axis] = k
	return at
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
		return made(together(a.Dims, b.Dims), func(at []int) float64 { return f(a.at(at), b.at(at)) })
	}
	x := in[0]
	axis := n.attr("axis", 0)
	switch n.Op {
	case "Gemm":
		return n.gemm(in)
	case "MatMul":
		return product(in[0], in[1])
	case "ReduceSum":
		return reduce(x, in[1].ints(), n.attr("keepdims", 1), 0, func(s, x float64) float64 { return s + x })
	case "ReduceMax":
		return reduce(x, n.Ints["axes"], 1, math.Inf(-1), math.Max)
	case "Softmax":
		top := reduce(x, []int{axis}, 1, math.Inf(-1), math.Max)
		e := made(x.Dims, func(at []int) float64 { return math.Exp(x.at(at) - top.at(at)) })
		sum := reduce(e, []int{axis}, 1, 0, func(s, x float64) float64 { return s + x })
		return made(x.Dims, func(at []int) float64 { return e.at(at) / sum.at(at) })
	case "TopK": // of all, in descending order
		return made(x.Dims, func(at []int) float64 {
			var line []float64
			for k := range x.Dims[axis] {
				line = append(line, x.at(with(at, axis, k)))
			}
			slices.Sort(line)
			return line[len(line)-1-at[axis]]
		})
	case "CumSum":
		axis = in[1].ints()[0]
		return made(x.Dims, func(at []int) float64 {
			s := 0.0
			for k := range at[axis] + 1 {
				s += x.at(with(at, axis, k))
			}
			return s
		})
	case "ArgMax":
		dims := with(x.Dims, axis, 1)
		return made(dims, func(at []int) float64 {
			best := 0
			for k := range x.Dims[axis] {
				if x.at(with(at, axis, k)) > x.at(with(at, axis, best)) {
					best = k
				}
			}
			return float64(best)
		})
	case "Conv", "ConvTranspose", "MaxPool", "AveragePool":
		return n.windows(in)
	case "Where":
		dims := together(together(x.Dims, in[1].Dims), in[2].Dims)
		return made(dims, func(at []int) float64 {
			if x.at(at) != 0 {
				return in[1].at(at)
			}
			return in[2].at(at)
		})
	}
	return n.moved(in, axis)
}

// moved evaluates what moves numbers.
func (n *Node) moved(in []Tensor, axis int) Tensor {
	x := in[0]
	switch n.Op {
	case "Slice":
		return n.slice(in)
	case "Pad":
		p := in[1].ints()
		r, fill := len(x.Dims), 0.0
		if len(in) > 2 {
			fill = in[2].Data[0]
		}
		dims := make([]int, r)
		for i, d := range x.Dims {
			dims[i] = p[i] + d + p[r+i]
		}
		return made(dims, func(at []int) float64 {
			from := make([]int, r)
			for i := range from {
				if from[i] = at[i] - p[i]; from[i] < 0 || from[i] >= x.Dims[i] {
					return fill
				}
			}
			return x.at(from)
		})
	case "Concat":
		return concat(in, axis)
	case "Transpose":
		perm := n.Ints["perm"]
		dims := make([]int, len(perm))
		for i, p := range perm {
			dims[i] = x.Dims[p]
		}
		return made(dims, func(at []int) float64 {
			from := make([]int, len(perm))
			for i, p := range perm {
				from[p] = at[i]
			}
			return x.at(from)
		})
	case "Reshape":
		return reshape(x, in[1].ints())
	case "Expand":
		return made(together(x.Dims, in[1].ints()), x.at)
	case "Shape":
		dims := x.Dims[n.attr("start", 0):n.attr("end", len(x.Dims))]
		out := Tensor{Dims: []int{len(dims)}}
		for _, d := range dims {
			out.Data = append(out.Data, float64(d))
		}
		return out
	case "Gather":
		dims := slices.Concat(x.Dims[:axis], in[1].Dims, x.Dims[axis+1:])
		return made(dims, func(at []int) float64 {
			r := len(in[1].Dims)
			k := int(in[1].at(at[axis : axis+r]))
			if k < 0 || k >= x.Dims[axis] {
				panic("index outside")
			}
			return x.at(slices.Concat(at[:axis], []int{k}, at[axis+r:]))
		})
	case "GatherElements":
		return made(in[1].Dims, func(at []int) float64 { return x.at(with(at, axis, int(in[1].at(at)))) })
	case "ScatterND": // whose indices are along the first axis, and which adds
		if n.Texts["reduction"] != "add" || in[1].Dims[1] != 1 {
			panic("this ScatterND is not known")
		}
		out := Tensor{Dims: x.Dims, Data: slices.Clone(x.Data)}
		part := size(x.Dims[1:])
		for i, k := range in[1].ints() {
			for j := range part {
				out.Data[k*part+j] += in[2].Data[i*part+j]
			}
		}
		return out
	}
	panic("operation " + n.Op + " is not known")
}

func (n *Node) slice(in []Tensor) Tensor {
	x, lo, hi, axes := in[0], in[1].ints(), in[2].ints(), in[3].ints()
	dims, from, step := slices.Clone(x.Dims), make([]int, len(x.Dims)), slices.Repeat([]int{1}, len(x.Dims))
	for i, a := range axes {
		if hi[i] > x.Dims[a] {
			panic("slice outside")
		}
		if from[a] = lo[i]; len(in) > 4 {
			step[a] = in[4].ints()[i]
		}
		dims[a] = (hi[i] - lo[i] + step[a] - 1) / step[a]
	}
	return made(dims, func(at []int) float64 {
		to := make([]int, len(at))
		for i := range at {
			to[i] = from[i] + at[i]*step[i]
		}
		return x.at(to)
	})
}

func reshape(x Tensor, dims []int) Tensor {
	known := 1
	for _, d := range dims {
		if d >= 0 {
			known *= d
		}
	}
	dims = slices.Clone(dims)
	for i, d := range dims {
		if d < 0 {
			dims[i] = len(x.Data) / known
		}
	}
	if size(dims) != len(x.Data) {
		panic(fmt.Sprintf("reshape of %v to %v", x.Dims, dims))
	}
	return Tensor{Dims: dims, Data: x.Data}
}

// product multiplies matrices on the last two axes; those before are the same in both.
func product(a, b Tensor) Tensor {
	r := len(a.Dims)
	k := a.Dims[r-1]
	if len(b.Dims) != r || !slices.Equal(a.Dims[:r-2], b.Dims[:r-2]) || b.Dims[r-2] != k {
		panic(fmt.Sprintf("product of %v and %v", a.Dims, b.Dims))
	}
	return made(with(a.Dims, r-1, b.Dims[r-1]), func(at []int) float64 {
		s := 0.0
		for l := range k {
			s += a.at(with(at, r-1, l)) * b.at(with(at, r-2, l))
		}
		return s
	})
}

func (n *Node) gemm(in []Tensor) Tensor {
	a, b := in[0], in[1]
	at := func(t Tensor, trans, i, j int) float64 {
		if trans != 0 {
			i, j = j, i
		}
		return t.Data[i*t.Dims[1]+j]
	}
	ta, tb := n.attr("transA", 0), n.attr("transB", 0)
	k := a.Dims[1-ta]
	if k != b.Dims[tb] {
		panic(fmt.Sprintf("product of %v and %v", a.Dims, b.Dims))
	}
	return made([]int{a.Dims[ta], b.Dims[1-tb]}, func(p []int) float64 {
		s := 0.0
		for l := range k {
			s += at(a, ta, p[0], l) * at(b, tb, l, p[1])
		}
		if len(in) > 2 {
			s += in[2].at(p)
		}
		return s
	})
}

// reduce reduces along axes.
func reduce(x Tensor, axes []int, keep int, start float64, f func(s, x float64) float64) Tensor {
	dims := slices.Clone(x.Dims)
	for _, a := range axes {
		dims[a] = 1
	}
	out := made(dims, func([]int) float64 { return start })
	made(x.Dims, func(at []int) float64 {
		k := out.index(at)
		out.Data[k] = f(out.Data[k], x.at(at))
		return 0
	})
	if keep == 0 {
		out.Dims = nil
		for i, d := range dims {
			if !slices.Contains(axes, i) {
				out.Dims = append(out.Dims, d)
			}
		}
	}
	return out
}

func concat(in []Tensor, axis int) Tensor {
	dims := slices.Clone(in[0].Dims)
	for _, t := range in[1:] {
		if !slices.Equal(with(t.Dims, axis, 0), with(dims, axis, 0)) {
			panic("concat of different sizes")
		}
		dims[axis] += t.Dims[axis]
	}
	return made(dims, func(at []int) float64 {
		k := at[axis]
		for _, t := range in {
			if k < t.Dims[axis] {
				return t.at(with(at, axis, k))
			}
			k -= t.Dims[axis]
		}
		panic("unreachable")
	})
}
