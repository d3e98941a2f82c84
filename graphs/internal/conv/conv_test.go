package conv

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
)

var shapes = []Window{
	{H: 7, W: 6, C: 32, KH: 3, KW: 3, OC: 64, Stride: [2]int{2, 2}, Pad: [2]int{1, 1}},
	{H: 6, W: 7, C: 32, KH: 3, KW: 3, OC: 40, Pad: [2]int{1, 1}},
	{H: 9, W: 8, C: 1, KH: 3, KW: 3, OC: 32, Stride: [2]int{2, 2}, Pad: [2]int{1, 1}},
	{H: 9, W: 8, C: 1, KH: 3, KW: 3, OC: 32, Pad: [2]int{1, 1}},
	{H: 30, W: 7, C: 1, KH: 4, KW: 5, OC: 9, Pad: [2]int{2, 2}},
	{H: 3, W: 90, C: 1, KH: 5, KW: 3, OC: 8, Pad: [2]int{4, 2}, Dilation: [2]int{2, 2}},
	{H: 4, W: 3, C: 1, KH: 3, KW: 9, OC: 8, Pad: [2]int{1, 4}},
	{H: 5, W: 12, C: 3, KH: 3, KW: 5, OC: 33, Pad: [2]int{1, 2}},
	{H: 7, W: 10, C: 33, KH: 3, KW: 2, OC: 17, Stride: [2]int{3, 3}, Pad: [2]int{1, 0}},
	{H: 5, W: 5, C: 16, KH: 2, KW: 2, OC: 16, Stride: [2]int{3, 3}},
	{H: 4, W: 5, C: 9, KH: 4, KW: 5, OC: 12},
	{H: 8, W: 9, C: 8, KH: 3, KW: 3, OC: 9, Pad: [2]int{2, 4}, Dilation: [2]int{2, 3}},
	{H: 8, W: 9, C: 10, KH: 3, KW: 3, OC: 8, Pad: [2]int{2, 2}, Dilation: [2]int{2, 4}, Stride: [2]int{3, 2}},
	{H: 6, W: 6, C: 32, KH: 3, KW: 3, OC: 16, Groups: 2, Pad: [2]int{1, 1}},
	{H: 6, W: 5, C: 6, KH: 3, KW: 3, OC: 12, Groups: 3, Pad: [2]int{1, 1}, Stride: [2]int{2, 1}},
	{H: 5, W: 5, C: 7, KH: 3, KW: 3, OC: 7, Groups: 7, Pad: [2]int{1, 1}},
	{H: 2, W: 3, C: 8, KH: 2, KW: 2, OC: 8, Pad: [2]int{3, 4}},
	{H: 6, W: 6, C: 24, KH: 3, KW: 3, OC: 1, Pad: [2]int{1, 1}},
	{H: 6, W: 6, C: 20, KH: 3, KW: 3, OC: 3, Stride: [2]int{2, 2}, Pad: [2]int{1, 1}},
	{H: 6, W: 8, C: 16, KH: 2, KW: 2, OC: 8, Stride: [2]int{2, 2}},
	{H: 6, W: 10, C: 9, KH: 3, KW: 2, OC: 33, Stride: [2]int{3, 2}},
	{H: 7, W: 6, C: 11, KH: 2, KW: 2, OC: 10, Stride: [2]int{2, 2}},
	{H: 3, W: 90, C: 8, KH: 1, KW: 3, OC: 12, Stride: [2]int{1, 3}},
	{H: 5, W: 30, C: 9, KH: 1, KW: 1, OC: 10},
	{H: 13, W: 15, C: 9, KH: 3, KW: 3, OC: 32, Stride: [2]int{2, 2}, Pad: [2]int{1, 1}},
	{H: 12, W: 14, C: 16, KH: 5, KW: 4, OC: 64, Stride: [2]int{1, 2}, Pad: [2]int{2, 1}, Groups: 2},
	{H: 6, W: 7, C: 8, KH: 3, KW: 3, OC: 32, Pad: [2]int{1, 8}, Dilation: [2]int{1, 8}},
	{H: 1, W: 200, C: 2, KH: 1, KW: 7, OC: 5, Pad: [2]int{0, 3}, Stride: [2]int{1, 2}},
}

func complete(w Window) Window {
	for i := range 2 {
		w.Stride[i], w.Dilation[i] = max(w.Stride[i], 1), max(w.Dilation[i], 1)
	}
	w.Groups = max(w.Groups, 1)
	return w
}

func random[T kernels.Float](rng *rand.Rand, n int) []T {
	x := make([]T, n)
	for i := range x {
		x[i] = T(rng.NormFloat64())
	}
	return x
}

// Every role against the definition, in both types, with bias and factor, for batch sizes on either side of the
// thresholds between algorithms.
func TestRun(t *testing.T) {
	for _, w := range shapes {
		w = complete(w)
		t.Run(w.String(), func(t *testing.T) {
			if err := w.Validate(); err != nil {
				t.Fatal(err)
			}
			checkRun[float32](t, w, 2e-6)
			checkRun[float64](t, w, 1e-14)
		})
	}
}

func checkRun[T kernels.Float](t *testing.T, w Window, tolerance float64) {
	const most = 11
	rng := rand.New(rand.NewPCG(1, 2))
	x, y, f := random[T](rng, most*w.In()), random[T](rng, most*w.Out()), random[T](rng, w.Taps()*w.OC)
	for _, role := range []Role{Out, In} {
		p := New(w, role)
		src, rows, channels := x, w.Out(), w.OC
		if role == In {
			src, rows, channels = y, w.In(), w.C
		}
		bias, mul := random[T](rng, channels), random[T](rng, most*rows)
		want, size := make([]float64, most*rows), make([]float64, most*rows)
		for i := range want {
			want[i] = float64(bias[i%channels])
		}
		w.Terms(most, func(x, k, y int) {
			d, s := y, x
			if role == In {
				d, s = x, y
			}
			v := float64(src[s]) * float64(f[k])
			want[d] += v
			size[d] += math.Abs(v)
		})
		packed := NewPacked[T](p)
		packed.Pack(f)
		r := NewRunner[T](p)
		work := make([]T, Workspace[T](p))
		var first []T
		for _, n := range []int{most, 1, 3, 7, 8} {
			got := random[T](rng, n*rows)
			r.Run(n, got, src, packed, bias, mul, work)
			for i, v := range got {
				if e := math.Abs(float64(v) - want[i]*float64(mul[i])); !(e <=
					tolerance*(1+size[i])*(1+math.Abs(float64(mul[i])))) {
					t.Fatalf("%v of %d samples: element %d is %g, want %g", role, n, i, v, want[i]*float64(mul[i]))
				}
				if first != nil && v != first[i] {
					t.Fatalf("%v: element %d is %g for %d samples, %g for %d", role, i, v, n, first[i], most)
				}
			}
			if first == nil {
				first = slices.Clone(got)
			}
			r.Run(n, got, src, packed, nil, nil, work)
			for i, v := range got {
				if e := math.Abs(float64(v) - want[i] + float64(bias[i%channels])); !(e <= tolerance*(1+size[i])) {
					t.Fatalf("%v of %d samples, bare: element %d is %g, want %g", role, n, i, v, want[i]-float64(bias[i%channels]))
				}
			}
		}
	}
	p := New(w, Filter)
	r := NewRunner[T](p)
	work := make([]T, Workspace[T](p))
	want, size := make([]float64, len(f)), make([]float64, len(f))
	w.Terms(most, func(a, k, b int) {
		v := float64(x[a]) * float64(y[b])
		want[k] += v
		size[k] += math.Abs(v)
	})
	got, pieces := random[T](rng, len(f)), random[T](rng, len(f))
	r.Gradient(most, got, x, y, false, work)
	at := 0
	for i, n := range []int{3, 1, 5, 2} {
		r.Gradient(n, pieces, x[at*w.In():], y[at*w.Out():], i > 0, work)
		at += n
	}
	for i, v := range got {
		if e := math.Abs(float64(v) - want[i]); !(e <= tolerance*(1+size[i])) {
			t.Fatalf("filter: element %d is %g, want %g", i, v, want[i])
		}
		if v != pieces[i] {
			t.Fatalf("filter: element %d is %g at once, %g in pieces", i, v, pieces[i])
		}
	}
}

func TestAllocations(t *testing.T) {
	w := complete(shapes[0])
	rng := rand.New(rand.NewPCG(1, 2))
	const n = 8
	x, y, f := random[float32](rng, n*w.In()), random[float32](rng, n*w.Out()), random[float32](rng, w.Taps()*w.OC)
	for _, role := range []Role{Out, In, Filter} {
		p := New(w, role)
		r := NewRunner[float32](p)
		packed := NewPacked[float32](p)
		work := make([]float32, Workspace[float32](p))
		call := func() {
			switch role {
			case Filter:
				r.Gradient(n, f, x, y, false, work)
				return
			case Out:
				packed.Pack(f)
				r.Run(n, y, x, packed, nil, nil, work)
			case In:
				packed.Pack(f)
				r.Run(n, x, y, packed, nil, nil, work)
			}
		}
		call()
		if got := testing.AllocsPerRun(3, call); got != 0 {
			t.Errorf("%v allocates %g times a call", role, got)
		}
	}
}
