package graphs_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/graphs/graphtest"
	G "gorgonia.org/gorgonia"
)

// windows are shapes that each have something special.
var windows = map[string]graphs.Window{
	"plain":    {H: 4, W: 5, C: 2, KH: 3, KW: 3, OC: 3, Pad: [2]int{1, 1}},
	"odd":      {H: 5, W: 3, C: 3, KH: 2, KW: 3, OC: 2, Stride: [2]int{2, 1}, Pad: [2]int{1, 0}},
	"stride3":  {H: 7, W: 5, C: 1, KH: 3, KW: 2, OC: 2, Stride: [2]int{3, 2}, Pad: [2]int{1, 1}},
	"apart":    {H: 5, W: 6, C: 1, KH: 2, KW: 1, OC: 2, Stride: [2]int{3, 3}}, // pixels outside every window
	"whole":    {H: 3, W: 4, C: 2, KH: 3, KW: 4, OC: 2},
	"dilated":  {H: 6, W: 5, C: 2, KH: 2, KW: 3, OC: 2, Pad: [2]int{1, 2}, Dilation: [2]int{3, 2}, Stride: [2]int{1, 2}},
	"coprime":  {H: 7, W: 7, C: 1, KH: 3, KW: 3, OC: 1, Pad: [2]int{2, 2}, Dilation: [2]int{2, 2}, Stride: [2]int{3, 3}},
	"groups":   {H: 3, W: 3, C: 4, KH: 2, KW: 2, OC: 6, Groups: 2, Pad: [2]int{1, 1}, Stride: [2]int{2, 2}},
	"depth":    {H: 3, W: 3, C: 3, KH: 3, KW: 3, OC: 3, Groups: 3, Pad: [2]int{1, 1}},
	"far":      {H: 2, W: 2, C: 1, KH: 2, KW: 2, OC: 2, Pad: [2]int{3, 2}}, // windows that cover nothing but padding
	"channels": {H: 1, W: 2, C: 33, KH: 1, KW: 1, OC: 2},
	"line":     {H: 1, W: 6, C: 2, KH: 1, KW: 3, OC: 2, Pad: [2]int{0, 1}},
}

// direct is Σ x·f·y by definition, with the padding written out around the pictures.
func direct(w graphs.Window, n int, f func(x, filter, y int)) {
	one := func(v int) int { return max(v, 1) }
	oh, ow, oc := w.OutShape()
	g := one(w.Groups)
	cg := w.C / g
	for i := range n {
		for oy := range oh {
			for ox := range ow {
				for o := range oc {
					for k := range w.KH * w.KW * cg {
						ky, kx, c := k/cg/w.KW, k/cg%w.KW, k%cg+o/(oc/g)*cg
						y, x := oy*one(w.Stride[0])+ky*one(w.Dilation[0])-w.Pad[0], ox*one(w.Stride[1])+kx*one(w.Dilation[1])-w.Pad[1]
						if y >= 0 && x >= 0 && y < w.H && x < w.W {
							f(((i*w.H+y)*w.W+x)*w.C+c, k*oc+o, ((i*oh+oy)*ow+ox)*oc+o)
						}
					}
				}
			}
		}
	}
}

// The three roles for every window, by the kit.
func TestConvolutions(t *testing.T) {
	for name, w := range windows {
		oh, ow, oc := w.OutShape()
		const n = 2
		x, y := []int{n, w.H * w.W * w.C}, []int{n, oh * ow * oc}
		f := []int{w.KH * w.KW * w.C / max(w.Groups, 1), oc}
		size := func(s []int) int { return s[0] * s[1] }
		u := func(seed uint64, s []int) graphtest.Input { return graphtest.Uniform(seed, -0.7, 0.7, s...) }
		t.Run(name+"/out", func(t *testing.T) {
			t.Parallel()
			graphtest.CheckOp(t, func(a ...*G.Node) *G.Node {
				return graphs.Convolve(a[0], a[1], w)
			}, func(a ...[]float64) []float64 {
				d := make([]float64, size(y))
				direct(w, n, func(x, f, y int) { d[y] += a[0][x] * a[1][f] })
				return d
			}, u(1, x), u(2, f))
		})
		t.Run(name+"/in", func(t *testing.T) {
			t.Parallel()
			graphtest.CheckOp(t, func(a ...*G.Node) *G.Node {
				return graphs.ConvolveTransposed(a[0], a[1], w)
			}, func(a ...[]float64) []float64 {
				d := make([]float64, size(x))
				direct(w, n, func(x, f, y int) { d[x] += a[0][y] * a[1][f] })
				return d
			}, u(3, y), u(4, f))
		})
		t.Run(name+"/filter", func(t *testing.T) {
			t.Parallel()
			graphtest.CheckOp(t, func(a ...*G.Node) *G.Node {
				return graphs.ConvolveFilter(a[0], a[1], w)
			}, func(a ...[]float64) []float64 {
				d := make([]float64, size(f))
				direct(w, n, func(x, f, y int) { d[f] += a[0][x] * a[1][y] })
				return d
			}, u(5, x), u(6, y))
		})
	}
}

// pools are windows of pools.
var pools = map[string]graphs.Window{
	"2x2":     {H: 4, W: 4, C: 3, KH: 2, KW: 2, Stride: [2]int{2, 2}},
	"vectors": {H: 3, W: 5, C: 8, KH: 2, KW: 2, Stride: [2]int{2, 2}},
	"row":     {H: 3, W: 4, C: 8, KH: 1, KW: 2, Stride: [2]int{1, 2}}, // every pixel in one window
	"slides":  {H: 2, W: 4, C: 8, KH: 2, KW: 2},
	"rest":    {H: 5, W: 5, C: 2, KH: 2, KW: 2, Stride: [2]int{2, 2}},
	"overlap": {H: 5, W: 4, C: 2, KH: 3, KW: 3, Stride: [2]int{2, 1}, Pad: [2]int{1, 1}},
	"gaps":    {H: 7, W: 4, C: 1, KH: 2, KW: 2, Stride: [2]int{3, 3}, Pad: [2]int{1, 0}},
	"dilated": {H: 6, W: 6, C: 2, KH: 2, KW: 3, Dilation: [2]int{2, 2}, Pad: [2]int{1, 1}},
	"whole":   {H: 3, W: 4, C: 33, KH: 3, KW: 4},
}

func TestWindowPools(t *testing.T) {
	for name, w := range pools {
		oh, ow, _ := w.OutShape()
		const n = 2
		full, less := []int{n, w.H * w.W * w.C}, []int{n, oh * ow * w.C}
		depth := w // of a convolution that covers the same
		depth.Groups = w.C
		channel := func(y int) int { return y % w.C }
		pairs := func(f func(x, y int)) {
			direct(depth, n, func(x, k, y int) {
				if k%w.C == channel(y) {
					f(x, y)
				}
			})
		}
		t.Run(name+"/max", func(t *testing.T) {
			graphtest.CheckOp(t, func(a ...*G.Node) *G.Node { return graphs.MaxPool(a[0], w) }, func(a ...[]float64) []float64 {
				d := make([]float64, less[0]*less[1])
				for i := range d {
					d[i] = -1e9
				}
				pairs(func(x, y int) { d[y] = max(d[y], a[0][x]) })
				return d
			}, graphtest.Uniform(1, -2, 2, full...))
		})
		t.Run(name+"/sum", func(t *testing.T) {
			graphtest.CheckOp(t, func(a ...*G.Node) *G.Node { return graphs.SumPool(a[0], w) }, func(a ...[]float64) []float64 {
				d := make([]float64, less[0]*less[1])
				pairs(func(x, y int) { d[y] += a[0][x] })
				return d
			}, graphtest.Uniform(2, -0.5, 0.5, full...))
		})
		t.Run(name+"/spread", func(t *testing.T) {
			graphtest.CheckOp(t, func(a ...*G.Node) *G.Node { return graphs.Spread(a[0], w) }, func(a ...[]float64) []float64 {
				d := make([]float64, full[0]*full[1])
				pairs(func(x, y int) { d[x] += a[0][y] })
				return d
			}, graphtest.Uniform(3, -0.5, 0.5, less...))
		})
	}
}

// A small convolutional energy: forward and reverse mode, their compositions, and everything at once.
func TestConvolutionalEnergy(t *testing.T) {
	for _, pooled := range []bool{false, true} {
		t.Run(fmt.Sprint("pooled=", pooled), func(t *testing.T) {
			graphtest.CheckOp(t, func(a ...*G.Node) *G.Node {
				w := graphs.Window{H: 4, W: 4, C: 1, KH: 3, KW: 3, OC: 2, Pad: [2]int{1, 1}}
				if !pooled {
					w.Stride = [2]int{2, 2}
				}
				h := graphs.SiLU(graphs.AddChannels(graphs.Convolve(a[0], a[1], w), a[2]))
				if pooled {
					h = graphs.MaxPool(h, graphs.Window{H: 4, W: 4, C: 2, KH: 2, KW: 2, Stride: [2]int{2, 2}})
				}
				return graphs.MatMul(h, a[3], false, false)
			}, nil, graphtest.Uniform(1, -1, 1, 2, 16), graphtest.Uniform(2, -1, 1, 9, 2),
				graphtest.Uniform(3, -1, 1, 2), graphtest.Uniform(4, -1, 1, 8, 1))
		})
	}
}

// The layers in PyTorch's layout, against loops over (n,c,h,w).
func TestConvolutionLayers(t *testing.T) {
	u := func(seed uint64, s ...int) graphtest.Input { return graphtest.Uniform(seed, -0.7, 0.7, s...) }
	const n, c, h, w, oc, k, stride, pad = 2, 2, 3, 4, 3, 3, 2, 1
	const oh, ow = (h+2*pad-k)/stride + 1, (w+2*pad-k)/stride + 1
	each := func(f func(x, k, y, o int)) { // of a convolution from c to oc channels
		for i := range n * oc * c * oh * ow * k * k {
			kx, ky, ox, oy, ch, o, b := i%k, i/k%k, i/k/k%ow, i/k/k/ow%oh, i/k/k/ow/oh%c, i/k/k/ow/oh/c%oc, i/k/k/ow/oh/c/oc
			if y, x := oy*stride+ky-pad, ox*stride+kx-pad; y >= 0 && y < h && x >= 0 && x < w {
				f(((b*c+ch)*h+y)*w+x, ((o*c+ch)*k+ky)*k+kx, ((b*oc+o)*oh+oy)*ow+ox, o)
			}
		}
	}
	t.Run("Conv2D", func(t *testing.T) {
		graphtest.CheckOp(t, func(a ...*G.Node) *G.Node {
			return graphs.Conv2D(a[0], a[1], a[2], stride, pad, 1, 1)
		}, func(a ...[]float64) []float64 {
			d := make([]float64, n*oc*oh*ow)
			for i := range d {
				d[i] = a[2][i/(oh*ow)%oc]
			}
			each(func(x, k, y, _ int) { d[y] += a[0][x] * a[1][k] })
			return d
		}, u(1, n, c, h, w), u(2, oc, c, k, k), u(3, oc))
	})
	t.Run("ConvTranspose2D", func(t *testing.T) { // 3×4 of 2×2: no output padding along the height, 1 along the width
		graphtest.CheckOp(t, func(a ...*G.Node) *G.Node {
			y := graphs.ConvTranspose2D(a[0], a[1], nil, stride, pad, 1, 1, 1)
			return graphs.Reshape(y, n, c*4*4)
		}, func(a ...[]float64) []float64 {
			d := make([]float64, n*c*4*4)
			for i := range n * oc * c * oh * ow * k * k {
				kx, ky, ox, oy, ch, o, b := i%k, i/k%k, i/k/k%ow, i/k/k/ow%oh, i/k/k/ow/oh%c, i/k/k/ow/oh/c%oc, i/k/k/ow/oh/c/oc
				if y, x := oy*stride+ky-pad, ox*stride+kx-pad; y >= 0 && y < 4 && x >= 0 && x < 4 {
					d[((b*c+ch)*4+y)*4+x] += a[0][((b*oc+o)*oh+oy)*ow+ox] * a[1][((o*c+ch)*k+ky)*k+kx]
				}
			}
			return d
		}, u(4, n, oc, oh, ow), u(5, oc, c, k, k))
	})
	t.Run("Conv1D", func(t *testing.T) {
		graphtest.CheckOp(t, func(a ...*G.Node) *G.Node {
			return graphs.Conv1D(a[0], a[1], a[2], 2, 2, 2, 1)
		}, func(a ...[]float64) []float64 {
			d := make([]float64, 2*2*3)
			for b := range 2 {
				for o := range 2 {
					for p := range 3 {
						s := a[2][o]
						for ch := range 3 {
							for q := range 3 {
								if x := 2*p + 2*q - 2; x >= 0 && x < 5 {
									s += a[0][(b*3+ch)*5+x] * a[1][(o*3+ch)*3+q]
								}
							}
						}
						d[(b*2+o)*3+p] = s
					}
				}
			}
			return d
		}, u(6, 2, 3, 5), u(7, 2, 3, 3), u(8, 2))
	})
	t.Run("Upsample2D", func(t *testing.T) {
		graphtest.CheckOp(t, func(a ...*G.Node) *G.Node {
			return graphs.Upsample2D(a[0], 2)
		}, func(a ...[]float64) []float64 {
			d := make([]float64, 2*3*4*6)
			for i := range d {
				d[i] = a[0][i/24*6+i%24/12*3+i%6/2]
			}
			return d
		}, u(9, 2, 3, 2, 3))
	})
	t.Run("ChannelNorm", func(t *testing.T) {
		graphtest.CheckOp(t, func(a ...*G.Node) *G.Node {
			return graphs.ChannelNorm(a[0], a[1], a[2], 1e-2)
		}, func(a ...[]float64) []float64 {
			d := make([]float64, 3*4)
			for ch := range 2 {
				m, v := 0.0, 0.0
				for i := ch; i < len(d); i += 2 {
					m += a[0][i] / 6
				}
				for i := ch; i < len(d); i += 2 {
					v += (a[0][i] - m) * (a[0][i] - m) / 6
				}
				for i := ch; i < len(d); i += 2 {
					d[i] = (a[0][i]-m)/math.Sqrt(v+1e-2)*a[1][ch] + a[2][ch]
				}
			}
			return d
		}, u(10, 3, 4), u(11, 2), u(12, 2))
	})
}

// Mistakes are reported when the node is built.
func TestConvolutionErrors(t *testing.T) {
	defer graphs.Building()()
	g := G.NewGraph()
	x := graphs.NewInput(g, G.Float64, "x", 2, 12)
	f := graphs.NewInput(g, G.Float64, "f", 9, 2)
	for want, w := range map[string]graphs.Window{
		"a window is larger than the picture": {H: 3, W: 4, C: 1, KH: 5, KW: 3, OC: 2},
		"sizes and channels must be at least": {H: 3, W: 4, C: 1, KH: 0, KW: 3, OC: 2},
		"padding must not be negative":        {H: 3, W: 4, C: 1, KH: 3, KW: 3, OC: 2, Pad: [2]int{-1, 0}},
		"the groups must divide 1 and 2":      {H: 3, W: 4, C: 1, KH: 3, KW: 3, OC: 2, Groups: 2},
		"want (2, 12) and (4, 2)":             {H: 3, W: 4, C: 1, KH: 2, KW: 2, OC: 2},
		"strides, dilations and groups must":  {H: 3, W: 4, C: 1, KH: 3, KW: 3, OC: 2, Stride: [2]int{-1, 1}},
		"shape mismatch: want (2, 24) and (9": {H: 6, W: 4, C: 1, KH: 3, KW: 3, OC: 2},
	} {
		_, err := graphs.Try(func() *G.Node { return graphs.Convolve(x, f, w) })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want … %s …", w, err, want)
		}
	}
	_, err := graphs.Try(func() *G.Node {
		return graphs.MaxPool(x, graphs.Window{H: 3, W: 4, C: 1, KH: 2, KW: 2, Pad: [2]int{2, 0}})
	})
	if err == nil || !strings.Contains(err.Error(), "less padding than a window is wide") {
		t.Errorf("a pool of padding: got %v", err)
	}
}
