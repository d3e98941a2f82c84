package conv

import (
	"math/rand/v2"
	"testing"

	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
)

// Patches of planes equal those of the same pictures in rows, with the columns in another order, to the bit.
func TestPlanePatches(t *testing.T) {
	for _, w := range append(shapes,
		Window{H: 9, W: 9, C: 2, KH: 3, KW: 3, OC: 1, Pad: [2]int{1, 1}, Stride: [2]int{2, 2}},
		Window{H: 4, W: 4, C: 9, KH: 3, KW: 3, OC: 1, Pad: [2]int{4, 4}},
		Window{H: 3, W: 3, C: 1, KH: 3, KW: 3, OC: 1, Pad: [2]int{2, 2}},
		Window{H: 1, W: 2, C: 10, KH: 1, KW: 3, OC: 1, Pad: [2]int{0, 1}},
	) {
		if w = complete(w); w.Groups == 1 {
			t.Run(w.String(), func(t *testing.T) {
				checkPlanes[float32](t, w)
				checkPlanes[float64](t, w)
			})
		}
	}
}

func checkPlanes[T kernels.Float](t *testing.T, w Window) {
	const n = 3
	x, pixels := random[T](rand.New(rand.NewPCG(1, 2)), n*w.In()), w.H*w.W
	rows := make([]T, len(x))
	for i := range n {
		kernels.Transpose(rows[i*w.In():][:w.In()], x[i*w.In():][:w.In()], w.C, pixels)
	}
	size := n * w.OH() * w.OW() * w.Taps()
	want, got := make([]T, size), random[T](rand.New(rand.NewPCG(3, 4)), size)
	NewRunner[T](New(w, Filter)).Patches(n, want, rows)
	PlanePatches(NewPlanes(w), n, got, x)
	for i, v := range got {
		row, column := i/w.Taps(), i%w.Taps()
		c, tap := column/(w.KH*w.KW), column%(w.KH*w.KW)
		if e := want[row*w.Taps()+tap*w.C+c]; v != e {
			t.Fatalf("patch %d, channel %d, tap %d: got %v, want %v", row, c, tap, v, e)
		}
	}
}
