package onnx_test

import (
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs"
)

// withGradient are f, the derivatives of Σf² in everything that it depends on, and those of |∂Σf²/∂x|².
func withGradient(f func(x, w, b, s *G.Node) *G.Node) func(x, w, b, s *G.Node) G.Nodes {
	return func(x, w, b, s *G.Node) G.Nodes {
		y := f(x, w, b, s)
		loss := graphs.Sum(graphs.Square(y))
		first := must(graphs.Grad(loss, x, w, b))
		out := append(G.Nodes{y}, first...)
		return append(out, must(graphs.Grad(graphs.Sum(graphs.Square(first[0])), x, w))...)
	}
}

func must(n G.Nodes, err error) G.Nodes {
	graphs.Must(nil, err)
	return n
}

func layer(name string, f func(x, w, b, s *G.Node) *G.Node, shape ...int) formula {
	return formula{name: name, shape: shape, build: withGradient(f)}
}

// filters turns the weights w (4,3) into filters (4,3,1,1), and so on.
func filters(w *G.Node, shape ...int) *G.Node { return graphs.Reshape(w, shape...) }

func conv(kernel tensor.Shape, pad, stride, dilation int, shape ...int) func(x, w, b, s *G.Node) *G.Node {
	return func(x, w, _, _ *G.Node) *G.Node {
		return graphs.Must(G.Conv2d(x, filters(w, shape...), kernel, []int{pad, pad}, []int{stride, stride},
			[]int{dilation, dilation}))
	}
}

func init() {
	formulas = append(formulas,
		layer("permute", func(x, _, _, _ *G.Node) *G.Node { return graphs.Sin(graphs.Permute(x, 0, 2, 3, 1)) }, 2, 3, 4),
		layer("batch last", func(x, _, _, _ *G.Node) *G.Node {
			return graphs.Permute(graphs.Sin(graphs.Permute(x, 2, 1, 0)), 2, 0, 1)
		}, 3, 4),
		layer("batch in the middle", func(x, _, _, _ *G.Node) *G.Node {
			return graphs.SumAxes(graphs.Sin(graphs.Permute(x, 1, 0, 3, 2)), 0, 3)
		}, 2, 3, 4),
		layer("sums", func(x, _, _, _ *G.Node) *G.Node { return graphs.SumAxes(graphs.Square(x), 1, 3) }, 2, 3, 4),
		layer("sums over the batch", func(x, _, _, _ *G.Node) *G.Node {
			return graphs.SumAxes(graphs.Square(x), 0, 2)
		}, 2, 3, 4),
		layer("softmax", func(x, _, _, _ *G.Node) *G.Node { return graphs.Softmax(x, 1) }, 2, 3, 4),
		layer("log softmax", func(x, _, _, _ *G.Node) *G.Node { return graphs.LogSoftmax(x, -1) }, 2, 3, 4),
		layer("batched product", func(x, _, _, _ *G.Node) *G.Node {
			return graphs.BatchMatMul(x, graphs.Sin(x), false, true)
		}, 2, 3, 4),
		layer("batched product, transposed", func(x, _, _, _ *G.Node) *G.Node {
			return graphs.BatchMatMul(x, graphs.Sin(x), true, false)
		}, 2, 3, 4),
		layer("attention", func(x, w, _, _ *G.Node) *G.Node {
			n := x.Shape()[0]
			heads := func(y *G.Node) *G.Node { return graphs.Permute(graphs.Reshape(y, n, 5, 2, 2), 0, 2, 1, 3) } // (n,2,5,2)
			q := graphs.MatMul(graphs.Reshape(x, n*5, 3), w, false, true)
			y := graphs.Attention(heads(q), heads(graphs.Sin(q)), heads(graphs.Square(q)), nil)
			return graphs.Reshape(graphs.Permute(y, 0, 2, 1, 3), n, 5, 4)
		}, 5, 3),
		layer("layer norm", func(x, _, b, _ *G.Node) *G.Node { return graphs.LayerNorm(x, b, b, 1e-3) }, 2, 3, 4),
		layer("group norm", func(x, _, b, _ *G.Node) *G.Node { return graphs.GroupNorm(x, 2, b, b, 1e-3) }, 4, 2, 3),
		layer("batch norm", func(x, _, b, _ *G.Node) *G.Node { return graphs.BatchNorm(x, b, b, 1e-3) }, 4, 2, 3),
		layer("max pool", func(x, _, _, _ *G.Node) *G.Node { return graphs.MaxPool2D(x, 2, 2, 0) }, 2, 4, 6),
		layer("max pool, overlapping", func(x, _, _, _ *G.Node) *G.Node { return graphs.MaxPool2D(x, 3, 2, 1) }, 2, 5, 5),
		layer("average pool", func(x, _, _, _ *G.Node) *G.Node { return graphs.AvgPool2D(x, 2, 2, 0) }, 2, 4, 6),
		layer("average pool, overlapping", func(x, _, _, _ *G.Node) *G.Node { return graphs.AvgPool2D(x, 3, 2, 1) }, 2, 5, 5),
		layer("upsample", func(x, _, _, _ *G.Node) *G.Node { return graphs.Must(G.Upsample2D(x, 2)) }, 2, 2, 3),
		layer("convolution 1×1", conv(tensor.Shape{1, 1}, 0, 1, 1, 4, 3, 1, 1), 3, 4, 4),
		layer("convolution 2×2", conv(tensor.Shape{2, 2}, 1, 1, 1, 3, 1, 2, 2), 1, 4, 5),
		layer("convolution, stride 2", conv(tensor.Shape{2, 3}, 0, 2, 1, 1, 2, 2, 3), 2, 5, 5),
		layer("convolution, dilation 2", conv(tensor.Shape{2, 2}, 0, 1, 2, 3, 1, 2, 2), 1, 5, 5),
		layer("maximum", func(x, _, _, _ *G.Node) *G.Node { return graphs.Must(G.Max(x, 2)) }, 3, 4),
		layer("slices", func(x, _, _, _ *G.Node) *G.Node {
			return graphs.Must(G.Slice(x, nil, G.S(1), G.S(0, 3)))
		}, 2, 3, 4),
		layer("slices with steps", func(x, _, _, _ *G.Node) *G.Node {
			return graphs.Must(G.Slice(x, nil, nil, nil, G.S(0, 4, 2)))
		}, 2, 3, 5),
		layer("concatenation", func(x, _, _, _ *G.Node) *G.Node {
			return graphs.Must(G.Concat(2, x, graphs.Sin(x)))
		}, 2, 3, 4),
		layer("concatenation of batches", func(x, _, _, _ *G.Node) *G.Node {
			return graphs.Must(G.Concat(0, x, graphs.Sin(x)))
		}, 2, 3, 4),
		layer("broadcast", func(x, w, _, _ *G.Node) *G.Node {
			return graphs.Must(G.BroadcastHadamardProd(x, graphs.Reshape(w, 1, 3, 4), nil, []byte{0}))
		}, 3, 4),
		layer("embedding", func(x, w, _, _ *G.Node) *G.Node {
			i := G.NewTensor(x.Graph(), tensor.Int, 1, G.WithShape(len(indices)), G.WithName("i"))
			columns := graphs.Transpose(graphs.Embedding(graphs.Transpose(x), i)) // (n,5)
			return graphs.MatMul(columns, graphs.Embedding(w, i), false, false)
		}),
		layer("tensordot", func(x, w, _, _ *G.Node) *G.Node {
			return graphs.Must(G.Tensordot([]int{1}, []int{1}, x, w))
		}, 3, 4),
		layer("powers", func(x, _, _, _ *G.Node) *G.Node { return graphs.Must(G.Pow(positive(x), graphs.Sin(x))) }, 3, 4),
		layer("Conv2D", conv2D(1, 1, 1, 1, 4, 1, 3, 1), 1, 5, 4),
		layer("Conv2D, stride and dilation", conv2D(2, 1, 2, 1, 3, 1, 2, 2), 1, 7, 6),
		layer("Conv2D, groups", conv2D(1, 0, 1, 2, 2, 2, 3, 1), 4, 5, 3),
		layer("Conv2D, kernel of the picture", conv2D(1, 0, 1, 1, 2, 1, 2, 3), 1, 2, 3),
		layer("Conv1D", func(x, w, _, _ *G.Node) *G.Node {
			return graphs.Conv1D(x, graphs.Reshape(w, 2, 2, 3), nil, 2, 1, 1, 1)
		}, 2, 8),
		layer("ConvTranspose2D", func(x, w, _, _ *G.Node) *G.Node {
			return graphs.ConvTranspose2D(x, graphs.Reshape(w, 2, 1, 3, 2), nil, 2, 1, 1, 1, 1)
		}, 2, 3, 4),
		layer("Upsample2D", func(x, _, _, _ *G.Node) *G.Node { return graphs.Upsample2D(graphs.Sin(x), 2) }, 3, 2, 3),
		layer("MaxPool", func(x, _, _, _ *G.Node) *G.Node {
			return graphs.MaxPool(graphs.Sin(x), graphs.Window{H: 5, W: 5, C: 2, KH: 3, KW: 3, Stride: [2]int{2, 2},
				Pad: [2]int{1, 1}})
		}, 50),
		layer("AvgPool", func(x, _, _, _ *G.Node) *G.Node {
			return graphs.AvgPool(graphs.Sin(x), graphs.Window{H: 5, W: 6, C: 2, KH: 3, KW: 2, Stride: [2]int{2, 1},
				Pad: [2]int{1, 0}})
		}, 60),
		layer("sparsemax", func(x, _, _, _ *G.Node) *G.Node { return graphs.Must(G.Sparsemax(x)) }, 5),
		layer("dropout, not training", func(x, _, _, _ *G.Node) *G.Node {
			return evaluating(graphs.Must(G.Dropout(x, 0.5)), graphs.Must(G.Dropout(graphs.Sin(x), 0.25)))
		}, 5),
		layer("batch norm, not training", func(x, _, b, _ *G.Node) *G.Node {
			scale := graphs.Reshape(b, 1, 4, 1, 1)
			y, _, _, op, err := G.BatchNorm(x, scale, scale, 0.9, 1e-3)
			mean, variance := op.Stats()
			for i := range 4 {
				graphs.Must(y, err)
				set := func(v tensor.Tensor, x float64) {
					if d, ok := v.Data().([]float32); ok {
						d[i] = float32(x)
					} else {
						v.Data().([]float64)[i] = x
					}
				}
				set(mean, float64(i)/4)
				set(variance, float64(i+1)/2)
			}
			graphs.Must(y, op.SetTraining(false))
			return y
		}, 4, 2, 3),
		layer("channels", func(x, _, b, _ *G.Node) *G.Node {
			return graphs.ChannelNorm(graphs.AddChannels(x, b), b, b, 1e-3)
		}, 24),
	)
}

// conv2D is a convolution of pictures with the weights w (4,3) as filters.
func conv2D(stride, padding, dilation, groups int, filter ...int) func(x, w, b, s *G.Node) *G.Node {
	return func(x, w, _, _ *G.Node) *G.Node {
		return graphs.Conv2D(x, graphs.Reshape(w, filter...), nil, stride, padding, dilation, groups)
	}
}

// evaluating sums nodes that have a training mode, with that mode off.
func evaluating(n ...*G.Node) *G.Node {
	for _, y := range n {
		graphs.Must(y, y.Op().(G.TrainModeOp).SetTraining(false))
	}
	return graphs.Add(n[0], n[1])
}
