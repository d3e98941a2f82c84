package objectives

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/mcmc"
)

// well is E = -log(1-x²), which is not a number outside (-1, 1).
var well = mcmc.RowFunc(func(grad, x []float64) float64 {
	v := 1 - x[0]*x[0]
	grad[0] = 2 * x[0] / v
	return -math.Log(v)
})

// Langevin chains that leave the support of the model go back, also after the last move, and are counted.
func TestChainsGoBack(t *testing.T) {
	const n = 64
	data := mat.NewDense(n, 1, nil)
	for i := range n {
		data.Set(i, 0, -0.95+1.9*float64(i)/(n-1))
	}
	for _, steps := range []int{1, 3} {
		m := func() mover {
			return mover{target: well, kernel: mcmc.Langevin{StepSize: 0.02}, steps: steps, stale: func() {}}
		}
		for name, src := range map[string]negatives{
			"cd":  &fromData{m()},
			"pcd": &persistent{mover: m(), chains: mat.NewDense(n, 1, nil)},
			"ml":  newReplay(m(), 2*n, n, 1, boxOf(data), 0.05),
		} {
			dst, rng := mat.NewDense(n, 1, nil), newRNG(1)
			var outside, divergent int
			for range 100 {
				info, err := src.sample(dst, data, rng)
				if err != nil {
					t.Fatal(err)
				}
				divergent += info.Divergent
				for i := range n {
					if !(math.Abs(dst.At(i, 0)) < 1) {
						outside++
					}
				}
			}
			if outside > 0 || divergent == 0 {
				t.Errorf("%s, %d steps: %d chains outside, %d transitions divergent; want none and some", name, steps,
					outside, divergent)
			}
		}
	}
}

// counted counts the calls of a target.
type counted struct {
	mcmc.Target
	calls *int
}

func (c counted) EnergyGrad(e []float64, grad, x *mat.Dense) error {
	*c.calls++
	return c.Target.EnergyGrad(e, grad, x)
}

// A kernel with an accept step pays nothing for checking its last move.
func TestChainsCost(t *testing.T) {
	for _, c := range []struct {
		kernel mcmc.Kernel
		calls  int
	}{{mcmc.Langevin{StepSize: 0.01}, 6}, {mcmc.MALA{StepSize: 0.01}, 6}, {mcmc.HMC{StepSize: 0.01, Leapfrog: 3}, 16},
		{mcmc.BAOAB{StepSize: 0.01, Friction: 1}, 6}} {
		calls := 0
		m := mover{target: counted{well, &calls}, kernel: c.kernel, steps: 5, stale: func() {}}
		if _, err := m.run(mat.NewDense(3, 1, nil), newRNG(1)); err != nil {
			t.Fatal(err)
		}
		if calls != c.calls {
			t.Errorf("%T: %d calls of the target, want %d", c.kernel, calls, c.calls)
		}
	}
}

// The step of a tuned MALA moves to where its chains accept 0.574 of the proposals, from either side.
func TestTunedStep(t *testing.T) {
	const n, runs = 64, 500
	quadratic := mcmc.RowFunc(func(grad, x []float64) float64 {
		grad[0] = x[0]
		return x[0] * x[0] / 2
	})
	for _, step := range []float64{1e-3, 1e3} {
		mala := &mcmc.MALA{StepSize: step}
		m := mover{target: quadratic, kernel: mala, tuned: mala, steps: 2, stale: func() {}}
		x, rng, accept := mat.NewDense(n, 1, nil), newRNG(1), 0.0
		for k := range runs {
			info, err := m.run(x, rng)
			if err != nil {
				t.Fatal(err)
			}
			if k >= runs/2 {
				accept += info.AcceptProb / (runs / 2)
			}
		}
		if math.Abs(accept-0.574) > 0.02 {
			t.Errorf("from %g: acceptance %.3f, want 0.574", step, accept)
		}
	}
}

// boxOf is the bounding box of the rows of x.
func boxOf(x *mat.Dense) Noise {
	b, err := noise(density.BoxOf(x, 0))
	if err != nil {
		panic(err)
	}
	return b
}
