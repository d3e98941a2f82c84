package graphs_test

import (
	"fmt"
	"math"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/graphs/graphtest"
)

// standardised normalises the elements of x that share a number in of, and scales and shifts them by channel.
func standardised(x, scale, bias []float64, epsilon float64, of, channel func(i int) int) []float64 {
	n, sum, square := map[int]float64{}, map[int]float64{}, map[int]float64{}
	for i, v := range x {
		n[of(i)]++
		sum[of(i)] += v
	}
	for i, v := range x {
		d := v - sum[of(i)]/n[of(i)]
		square[of(i)] += d * d
	}
	out := make([]float64, len(x))
	for i, v := range x {
		k, c := of(i), channel(i)
		out[i] = (v-sum[k]/n[k])/math.Sqrt(square[k]/n[k]+epsilon)*scale[c] + bias[c]
	}
	return out
}

func TestNormalisations(t *testing.T) {
	const eps = 0.1
	x := graphtest.Uniform(1, -1, 1, 2, 4, 3) // batch, channels, places
	four := []graphtest.Input{x, graphtest.Uniform(2, 0.5, 1.5, 4), graphtest.Uniform(3, -1, 1, 4)}
	three := []graphtest.Input{x, graphtest.Uniform(2, 0.5, 1.5, 3), graphtest.Uniform(3, -1, 1, 3)}
	channel := func(i int) int { return i / 3 % 4 }
	reference := func(of, channel func(int) int) graphtest.Reference {
		return func(v ...[]float64) []float64 { return standardised(v[0], v[1], v[2], eps, of, channel) }
	}
	t.Run("layer", func(t *testing.T) {
		graphtest.CheckOp(t, func(v ...*G.Node) *G.Node { return graphs.LayerNorm(v[0], v[1], v[2], eps) },
			reference(func(i int) int { return i / 3 }, func(i int) int { return i % 3 }), three...)
	})
	t.Run("group", func(t *testing.T) {
		graphtest.CheckOp(t, func(v ...*G.Node) *G.Node { return graphs.GroupNorm(v[0], 2, v[1], v[2], eps) },
			reference(func(i int) int { return i / 6 }, channel), four...)
	})
	t.Run("batch", func(t *testing.T) {
		graphtest.CheckOp(t, func(v ...*G.Node) *G.Node { return graphs.BatchNorm(v[0], v[1], v[2], eps) },
			reference(channel, channel), four...)
	})
}

// softmaxOver is the softmax of x among the elements that share a number in of.
func softmaxOver(x []float64, of func(i int) int, log bool) []float64 {
	sum := map[int]float64{}
	for i, v := range x {
		sum[of(i)] += math.Exp(v)
	}
	out := make([]float64, len(x))
	for i, v := range x {
		if out[i] = v - math.Log(sum[of(i)]); !log {
			out[i] = math.Exp(out[i])
		}
	}
	return out
}

func TestSoftmaxAxes(t *testing.T) {
	x := graphtest.Uniform(1, -1, 1, 2, 3, 2)
	for axis, of := range map[int]func(int) int{
		0: func(i int) int { return i % 6 }, 1: func(i int) int { return i/6*2 + i%2 }, -1: func(i int) int { return i / 2 },
	} {
		t.Run(fmt.Sprint(axis), func(t *testing.T) {
			graphtest.CheckOp(t, func(v ...*G.Node) *G.Node { return graphs.Softmax(v[0], axis) },
				func(v ...[]float64) []float64 { return softmaxOver(v[0], of, false) }, x)
			graphtest.CheckOp(t, func(v ...*G.Node) *G.Node { return graphs.LogSoftmax(v[0], axis) },
				func(v ...[]float64) []float64 { return softmaxOver(v[0], of, true) }, x)
			graphtest.CheckOp(t, func(v ...*G.Node) *G.Node { return graphs.SumAxes(v[0], axis) }, nil, x)
		})
	}
}

func TestAttention(t *testing.T) {
	const n, l, d, s, e = 2, 2, 3, 4, 2
	graphtest.CheckOp(t, func(v ...*G.Node) *G.Node { return graphs.Attention(v[0], v[1], v[2], v[3]) },
		func(v ...[]float64) []float64 {
			scores := make([]float64, n*l*s)
			for i := range scores {
				b, r, c := i/(l*s), i/s%l, i%s
				for j := range d {
					scores[i] += v[0][(b*l+r)*d+j] * v[1][(b*s+c)*d+j] / math.Sqrt(d)
				}
				scores[i] += v[3][r*s+c]
			}
			p := softmaxOver(scores, func(i int) int { return i / s }, false)
			out := make([]float64, n*l*e)
			for i := range out {
				b, r, c := i/(l*e), i/e%l, i%e
				for j := range s {
					out[i] += p[(b*l+r)*s+j] * v[2][(b*s+j)*e+c]
				}
			}
			return out
		}, graphtest.Uniform(1, -1, 1, n, l, d), graphtest.Uniform(2, -1, 1, n, s, d),
		graphtest.Uniform(3, -1, 1, n, s, e), graphtest.Uniform(4, -1, 1, l, s))
}

func TestPools(t *testing.T) {
	const h, w, kernel, stride, pad = 5, 4, 3, 2, 1
	windows := func(f func(in []float64) float64) graphtest.Reference {
		return func(v ...[]float64) []float64 {
			var out []float64
			for c := range 2 {
				for y := -pad; y+kernel <= h+pad; y += stride {
					for x := -pad; x+kernel <= w+pad; x += stride {
						var in []float64
						for i := max(y, 0); i < min(y+kernel, h); i++ {
							for j := max(x, 0); j < min(x+kernel, w); j++ {
								in = append(in, v[0][(c*h+i)*w+j])
							}
						}
						out = append(out, f(in))
					}
				}
			}
			return out
		}
	}
	largest := func(in []float64) float64 {
		m := math.Inf(-1)
		for _, v := range in {
			m = max(m, v)
		}
		return m
	}
	mean := func(in []float64) float64 {
		s := 0.0
		for _, v := range in {
			s += v
		}
		return s / (kernel * kernel)
	}
	x := graphtest.Uniform(1, -2, -1, 1, 2, h, w) // all less than the zeros of a border
	graphtest.CheckOp(t, func(v ...*G.Node) *G.Node {
		return graphs.MaxPool2D(v[0], kernel, stride, pad)
	}, windows(largest), x)
	graphtest.CheckOp(t, func(v ...*G.Node) *G.Node {
		return graphs.AvgPool2D(v[0], kernel, stride, pad)
	}, windows(mean), x)
}

func TestEmbedding(t *testing.T) {
	g := G.NewGraph()
	w := G.NewMatrix(g, tensor.Float64, G.WithShape(3, 2), G.WithName("w"),
		G.WithValue(tensor.New(tensor.WithShape(3, 2), tensor.WithBacking([]float64{1, 2, 3, 4, 5, 6}))))
	index := G.NewTensor(g, tensor.Int, 2, G.WithShape(2, 2), G.WithName("i"),
		G.WithValue(tensor.New(tensor.WithShape(2, 2), tensor.WithBacking([]int{2, 0, 2, 1}))))
	y, err := graphs.Try(func() *G.Node { return graphs.Embedding(w, index) })
	if err != nil {
		t.Fatal(err)
	}
	d := grad(t, graphs.Sum(graphs.Square(y)), w)[0]
	m, err := graphs.NewMachine(g)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.RunAll(); err != nil {
		t.Fatal(err)
	}
	if err := same(numbers(y.Value()), []float64{5, 6, 1, 2, 5, 6, 3, 4}, 0); err != nil {
		t.Error(err)
	}
	// rows times how many times each is repeated
	if err := same(numbers(d.Value()), []float64{2, 4, 6, 8, 20, 24}, 0); err != nil {
		t.Error(err)
	}
}

func TestLayersRefuse(t *testing.T) {
	g := G.NewGraph()
	x, v := graphs.NewInput(g, tensor.Float64, "x", 2, 4, 3), graphs.NewInput(g, tensor.Float64, "v", 5)
	image := graphs.NewInput(g, tensor.Float64, "image", 1, 1, 3, 3)
	for name, f := range map[string]func() *G.Node{
		"axis":      func() *G.Node { return graphs.Softmax(x, 3) },
		"order":     func() *G.Node { return graphs.Permute(x, 0, 0, 1) },
		"groups":    func() *G.Node { return graphs.GroupNorm(x, 3, v, v, 0) },
		"channels":  func() *G.Node { return graphs.BatchNorm(x, v, v, 0) },
		"width":     func() *G.Node { return graphs.LayerNorm(x, v, v, 0) },
		"index":     func() *G.Node { return graphs.Embedding(v, v) },
		"mask":      func() *G.Node { return graphs.Attention(x, x, x, v) },
		"window":    func() *G.Node { return graphs.MaxPool2D(image, 4, 1, 0) },
		"padding":   func() *G.Node { return graphs.AvgPool2D(image, 2, 1, 2) },
		"no tensor": func() *G.Node { return graphs.Softmax(nil, 0) },
	} {
		if _, err := graphs.Try(f); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
