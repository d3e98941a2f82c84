package graphs_test

import (
	"encoding/binary"
	"flag"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
)

var update = flag.Bool("write", false, "write testdata/programs anew")

// scratch is the only figure of a program that depends on the processor.
var scratch = regexp.MustCompile(`tiles, .* scratch`)

// What the compiler makes of eleven graphs, and the bits that these compute, are written down in testdata/programs: a
// change of the compiler shows there as more or less work, or as another order of summation.
//
//	go test ./graphs -run Programs -write
func TestPrograms(t *testing.T) {
	for name, build := range examplePrograms {
		t.Run(name, func(t *testing.T) {
			text, bits := "", ""
			for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
				n := newExample(dt)
				outputs, err := n.outputs(build)
				if err != nil {
					t.Fatal(err)
				}
				inputs := append(append(G.Nodes{}, n.data...), n.weights...)
				f, err := graphs.Compile(inputs, outputs, graphs.Held(n.weights...))
				if err != nil {
					t.Fatal(err)
				}
				args, dst := normal(rand.New(rand.NewPCG(1, 1)), inputs), buffers(outputs)
				for i, a := range args {
					if s := n.scale[inputs[i]]; s != 0 {
						for j := range a {
							a[j] *= s
						}
					}
				}
				if err := f.Call(dst, args...); err != nil {
					t.Fatal(err)
				}
				shared, err := graphs.Compile(inputs, outputs, graphs.Held(n.weights...), graphs.Threads(3))
				if err != nil {
					t.Fatal(err)
				}
				same := buffers(outputs)
				if err := shared.Call(same, args...); err != nil {
					t.Fatal(err)
				}
				if hash(same) != hash(dst) {
					t.Errorf("%v: three threads have other bits than one", dt)
				}
				for i := range dst {
					if slices.ContainsFunc(dst[i], math.IsNaN) {
						t.Errorf("%v: output %d is not a number", dt, i)
					}
				}
				if dt == tensor.Float32 {
					text = scratch.ReplaceAllString(f.String(), "tiles")
				}
				bits += fmt.Sprintf("%v: %016x\n", dt, hash(dst))
			}
			golden(t, filepath.Join("testdata", "programs", name+".txt"), text)
			// On other platforms the Go compiler itself rounds differently, and the portable kernels sum in another
			// order.
			if runtime.GOARCH == "amd64" && kernels.Path() != "generic" {
				golden(t, filepath.Join("testdata", "programs", name+".bits"), bits)
			}
		})
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		write(t, file, got)
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", file, got, want)
	}
}

// hash is the FNV-1a hash of the bits of all numbers.
func hash(x [][]float64) uint64 {
	h := fnv.New64a()
	for _, v := range x {
		for _, f := range v {
			var b [8]byte
			binary.LittleEndian.PutUint64(b[:], math.Float64bits(f))
			h.Write(b[:])
		}
	}
	return h.Sum64()
}

// example is a graph under construction with its inputs.
type example struct {
	g             *G.ExprGraph
	dt            tensor.Dtype
	data, weights G.Nodes
	scale         map[*G.Node]float64 // for the weights, whose values are normal
}

func newExample(dt tensor.Dtype) *example {
	return &example{g: G.NewGraph(), dt: dt, scale: map[*G.Node]float64{}}
}

// outputs are those of build; it panics on error.
func (n *example) outputs(build func(n *example) G.Nodes) (out G.Nodes, err error) {
	_, err = graphs.Try(func() *G.Node { out = build(n); return nil })
	return out, err
}

func (n *example) in(shape ...int) *G.Node {
	x := graphs.NewInput(n.g, n.dt, fmt.Sprint("x", len(n.data)), shape...)
	n.data = append(n.data, x)
	return x
}

func (n *example) w(scale float64, shape ...int) *G.Node {
	x := graphs.NewInput(n.g, n.dt, fmt.Sprint("w", len(n.weights)), shape...)
	n.weights = append(n.weights, x)
	n.scale[x] = scale
	return x
}

// gradients are loss and its gradients in the weights.
func (n *example) gradients(loss *G.Node) G.Nodes {
	gs, err := graphs.Grad(loss, n.weights...)
	if err != nil {
		panic(err)
	}
	return append(G.Nodes{loss}, gs...)
}

// crossEntropy is the cross entropy of logits and random targets.
func (n *example) crossEntropy(logits *G.Node) *G.Node {
	y := G.Must(G.SoftMax(n.in(logits.Shape()...)))
	return G.Must(G.Neg(G.Must(G.Mean(G.Must(G.HadamardProd(y, G.Must(G.LogSoftMax(logits))))))))
}

// energy is a 2-h-h-1 network of x.
func (n *example) energy(h int) func(x *G.Node) *G.Node {
	var theta G.Nodes
	for in, widths := 2, []int{h, h, 1}; len(widths) > 0; in, widths = widths[0], widths[1:] {
		theta = append(theta, n.w(1/math.Sqrt(float64(in)), widths[0], in), n.w(0.1, widths[0]))
	}
	return func(x *G.Node) *G.Node {
		h := graphs.SiLU(graphs.Affine(x, theta[0], theta[1]))
		h = graphs.SiLU(graphs.Affine(h, theta[2], theta[3]))
		return graphs.Affine(h, theta[4], theta[5])
	}
}

func mean(x *G.Node) *G.Node { return graphs.Scale(graphs.Sum(x), 1/float64(x.Shape()[0])) }

func gradient(y, x *G.Node) *G.Node {
	gs, err := graphs.Grad(graphs.Sum(y), x)
	return graphs.Must(append(gs, nil)[0], err)
}

var examplePrograms = map[string]func(n *example) G.Nodes{
	"langevin": func(n *example) G.Nodes {
		x := n.in(128, 2)
		e := n.energy(64)(x)
		return G.Nodes{e, gradient(e, x)}
	},
	"ml": func(n *example) G.Nodes {
		e := n.energy(64)
		return n.gradients(graphs.Sub(mean(e(n.in(128, 2))), mean(e(n.in(128, 2)))))
	},
	"nce": func(n *example) G.Nodes { // softplus(E − log q) on the data, softplus(log q − E) on noise
		e := n.energy(64)
		data := mean(graphs.Softplus(graphs.Add(e(n.in(128, 2)), n.in(128, 1))))
		noise := mean(graphs.Softplus(graphs.Neg(graphs.Add(e(n.in(256, 2)), n.in(256, 1)))))
		return n.gradients(graphs.Add(data, graphs.Scale(noise, 2)))
	},
	"dsm": func(n *example) G.Nodes {
		x, noise := n.in(128, 2), n.in(128, 2)
		s := gradient(n.energy(64)(x), x)
		return n.gradients(graphs.Scale(mean(graphs.RowSum(graphs.Square(graphs.Sub(noise, s)))), 0.5))
	},
	"ssm": func(n *example) G.Nodes {
		x, v := n.in(128, 2), n.in(128, 2)
		e := n.energy(64)(x)
		c := graphs.Must(graphs.DirectionalCurvature(e, x, v))
		return n.gradients(mean(graphs.Sub(graphs.Scale(graphs.Square(graphs.RowSum(graphs.Mul(v, gradient(e, x)))),
			0.5), c)))
	},
	"sm": func(n *example) G.Nodes {
		x := n.in(128, 2)
		e := n.energy(64)(x)
		tr := graphs.Must(graphs.HessianTrace(e, x))
		return n.gradients(mean(graphs.Sub(graphs.Scale(graphs.RowSum(graphs.Square(gradient(e, x))), 0.5), tr)))
	},
	"mixture": func(n *example) G.Nodes { // −log Σ_k w_k N(x; m_k, s_k), of 5 components in 3 dimensions
		x, m, s, w := n.in(100, 3), n.w(1, 5, 3), n.w(0.1, 1, 5), n.w(1, 1, 5)
		square := graphs.RowSum(graphs.Square(x))
		d := graphs.Add(graphs.ExpandCols(square, 5),
			graphs.ExpandRows(graphs.Reshape(graphs.RowSum(graphs.Square(m)), 5), 100))
		d = graphs.Sub(d, graphs.Scale(graphs.MatMul(x, m, false, true), 2))
		row := func(v *G.Node) *G.Node { return graphs.ExpandRows(graphs.Reshape(v, 5), 100) }
		logits := graphs.Add(graphs.Mul(graphs.Scale(d, -0.5), graphs.Exp(row(s))), row(w))
		e := graphs.Neg(graphs.RowLogSumExp(logits))
		return append(n.gradients(mean(e)), gradient(e, x))
	},
	"classifier": func(n *example) G.Nodes { // made of Gorgonia's operations
		bias := func(h *G.Node, d int) *G.Node {
			return G.Must(G.BroadcastAdd(h, n.w(0.1, 1, d), nil, []byte{0}))
		}
		h := G.Must(G.Tanh(bias(G.Must(G.Mul(n.in(64, 100), n.w(0.1, 100, 128))), 128)))
		h = G.Must(G.Rectify(bias(G.Must(G.Mul(h, n.w(0.1, 128, 128))), 128)))
		return n.gradients(n.crossEntropy(G.Must(G.Mul(h, n.w(0.1, 128, 10)))))
	},
	"lstm":        lstmProgram,
	"transformer": transformerProgram,
	"convnet":     convnetProgram,
	"batchnorm": func(n *example) G.Nodes {
		h := graphs.BatchNorm(n.in(8, 3, 6, 6), n.w(1, 3), n.w(1, 3), 1e-5)
		h = graphs.AvgPool2D(graphs.SiLU(h), 2, 2, 0)
		h = graphs.GroupNorm(h, 1, n.w(1, 3), n.w(1, 3), 1e-5)
		return n.gradients(n.crossEntropy(G.Must(G.Mul(G.Must(G.Reshape(h, tensor.Shape{8, 27})), n.w(0.2, 27, 10)))))
	},
}

func lstmProgram(n *example) G.Nodes {
	const batch, steps, in, width = 16, 4, 16, 48
	var w, u, v [4]*G.Node
	for i := range w {
		w[i], u[i], v[i] = n.w(0.2, in, width), n.w(0.15, width, width), n.w(0.1, 1, width)
	}
	h, cell, sequence := n.in(batch, width), n.in(batch, width), n.in(steps, batch, in)
	for t := range steps {
		x := G.Must(G.Slice(sequence, G.S(t)))
		gate := func(i int) *G.Node {
			z := G.Must(G.Add(G.Must(G.Mul(x, w[i])), G.Must(G.Mul(h, u[i]))))
			return G.Must(G.BroadcastAdd(z, v[i], nil, []byte{0}))
		}
		i, f, o, g := G.Must(G.Sigmoid(gate(0))), G.Must(G.Sigmoid(gate(1))), G.Must(G.Sigmoid(gate(2))),
			G.Must(G.Tanh(gate(3)))
		cell = G.Must(G.Add(G.Must(G.HadamardProd(f, cell)), G.Must(G.HadamardProd(i, g))))
		h = G.Must(G.HadamardProd(o, G.Must(G.Tanh(cell))))
	}
	return n.gradients(n.crossEntropy(G.Must(G.Mul(h, n.w(0.2, width, 10)))))
}

func transformerProgram(n *example) G.Nodes {
	const batch, length, width, heads = 4, 8, 32, 2
	x := n.in(batch*length, width)
	norm := func(x *G.Node) *G.Node { return graphs.LayerNorm(x, n.w(1, width), n.w(0.1, width), 1e-5) }
	h := norm(x)
	head := func() *G.Node {
		q := graphs.Reshape(graphs.MatMul(h, n.w(0.2, width, width), false, false), batch, length, heads, width/heads)
		return graphs.Reshape(graphs.Permute(q, 0, 2, 1, 3), batch*heads, length, width/heads)
	}
	o := graphs.Attention(head(), head(), head(), nil)
	o = graphs.Permute(graphs.Reshape(o, batch, heads, length, width/heads), 0, 2, 1, 3)
	x = graphs.Add(x, graphs.MatMul(graphs.Reshape(o, batch*length, width), n.w(0.2, width, width), false, false))
	h = graphs.GELU(graphs.MatMul(norm(x), n.w(0.2, width, 4*width), false, false))
	x = graphs.Add(x, graphs.MatMul(h, n.w(0.1, 4*width, width), false, false))
	return n.gradients(n.crossEntropy(graphs.MatMul(x, n.w(0.2, width, 20), false, false)))
}

func convnetProgram(n *example) G.Nodes {
	const batch = 8
	h := n.in(batch, 1, 8, 8)
	for in, out := 1, 4; out <= 8; in, out = out, 2*out {
		window := []int{1, 1}
		h = G.Must(G.Conv2d(h, n.w(0.3, out, in, 3, 3), tensor.Shape{3, 3}, window, window, window))
		h = G.Must(G.MaxPool2D(G.Must(G.Rectify(h)), tensor.Shape{2, 2}, []int{0, 0}, []int{2, 2}))
	}
	h = G.Must(G.Reshape(h, tensor.Shape{batch, 32}))
	return n.gradients(n.crossEntropy(G.Must(G.Mul(h, n.w(0.2, 32, 10)))))
}
