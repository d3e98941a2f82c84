package objectives_test

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/objectives"
)

// constantBridge returns a bridge whose f is 0, which makes the data's density that of its background.
func constantBridge(share float64) (*energy.Mixture, *energy.Bridge, *energy.Params) {
	back := must(energy.Ladder(normal(50, 2, 1), []float64{0.5}, 20, 2, newRNG(1)))
	e := must(energy.NewBridge(mlp(2), energy.BridgeConfig{Background: back, Share: share}))
	p := energy.Init(e, newRNG(2))
	specs := e.Specs()
	clear(p.View(specs[len(specs)-2].Name))
	clear(p.View(specs[len(specs)-1].Name))
	return back, e, p
}

// The kernel Stein discrepancy over a bridge: where the data are draws of the background and f is the constant that
// says so, which is the truth, its gradient is zero up to chance. It detects data that are wider.
func TestKernelSteinOverBridge(t *testing.T) {
	const batch, reps, tolerance, share = 64, 200, 5.0, 0.3
	back, e, p := constantBridge(share)
	cfg := setup(2)
	cfg.Batch, cfg.Data = batch, mat.NewDense(500, 2, nil)
	back.Sample(cfg.Data, newRNG(5))
	worst := func(width float64) float64 {
		return worstMean(must(objectives.New(objectives.KernelStein{}, e, p, cfg)), p.Len(), back, width, batch, reps,
			1e-20)
	}
	vanishesAtTruth(t, worst, tolerance)
}

// Over a bridge K_ij is w_i w_j g_i g_j k_ij up to a factor, which ratios of its entries tell of g, with the known k
// taken out. It is 1/(q + λq̂ + c), λ = 0.3, where a constant f makes q the background's density, and the tilt is its
// logarithm's slope.
func TestKernelSteinWeights(t *testing.T) {
	const share, h, step, rounding = 0.3, 0.7, 1e-4, 1e-6 // of q̂ in float32

	back, e, p := constantBridge(share)
	cfg := setup(2)
	cfg.Data = normal(100, 2, 3)
	o := must(objectives.New(objectives.KernelStein{Bandwidth: h}, e, p, cfg))
	x := normal(6, 2, 4)
	x.Scale(1.5, x) // some of them far out
	must(o.Gradient(make([]float64, p.Len()), x, newRNG(5)))
	n := len(o.Draws()["dk"]) / 2
	// log g_i + constant, from the rows i, 1 and 2 of K.
	logG := func(i int) float64 {
		k := o.Draws()["k"]
		v := 0.0
		for j := 1; j < 3; j++ {
			v += math.Log(k[i*n+j]) + 2*math.Log1p(sqDistance(x.RawRowView(i), x.RawRowView(j))/(h*h))
		}
		return v / 2
	}
	gaussian := func(at, mean []float64, sd float64) float64 {
		return math.Exp(-sqDistance(at, mean)/(2*sd*sd)) / (2 * math.Pi * sd * sd)
	}
	mean, std := density.Moments(cfg.Data)
	spread := slices.Max(std)
	want := func(at []float64) float64 {
		logq := make([]float64, 1)
		back.LogProb(logq, mat.NewDense(1, 2, at))
		g := gaussian(at, mean, 1.25*spread) / 3
		for i := range 100 {
			g += (gaussian(at, cfg.Data.RawRowView(i), 0.05*spread) + gaussian(at, cfg.Data.RawRowView(i),
				0.2*spread)) / 300
		}
		return -math.Log(math.Exp(logq[0]) + 0.3*g + gaussian([]float64{math.Sqrt2 + 1, 0}, []float64{0, 0},
			1)/math.Pow(1.25*spread, 2))
	}
	for _, i := range []int{0, 4, 5} {
		got, w := logG(i)-logG(3), want(x.RawRowView(i))-want(x.RawRowView(3))
		if math.Abs(got-w) > rounding {
			t.Errorf("log g of %v less that of %v: got %g, want %g", x.RawRowView(i), x.RawRowView(3), got, w)
		}
		for j := range 2 {
			tilt, row := o.Draws()["tilt"][2*i+j], slices.Clone(x.RawRowView(i))
			row[j] += step
			up := want(row)
			row[j] -= 2 * step
			if slope := (up - want(row)) / (2 * step); math.Abs(slope-tilt) > 20*rounding {
				t.Errorf("∂log g/∂x_%d at %v: got %g, want %g", j, x.RawRowView(i), tilt, slope)
			}
		}
	}

	// Pairs of two data points, of one and a draw of the background, and of two draws are weighted as means over
	// pairs of different points.
	const batch = 6
	at := func(i int) []float64 {
		if i < batch {
			return x.RawRowView(i)
		}
		return o.Draws()["background"][2*(i-batch) : 2*(i-batch)+2]
	}
	pair := func(i, j int) float64 { // log w_i w_j + constant
		v := math.Log(o.Draws()["k"][i*n+j]) + 2*math.Log1p(sqDistance(at(i), at(j))/(h*h))
		return v - want(at(i)) - want(at(j))
	}
	m := float64(n - batch)
	data := (1 - share) * (1 - share) / (batch * (batch - 1))
	for _, c := range []struct {
		i, j int
		want float64
	}{{0, 2, 1}, {1, batch, share * (1 - share) / (batch * m) / data},
		{batch, n - 1, share * share / (m * (m - 1)) / data}} {
		if got := math.Exp(pair(c.i, c.j) - pair(0, 1)); math.Abs(got/c.want-1) > 10*rounding {
			t.Errorf("weight of pair %d, %d: got %g, want %g", c.i, c.j, got, c.want)
		}
	}
}

func sqDistance(a, b []float64) float64 { return math.Pow(floats.Distance(a, b, 2), 2) }

// A first batch with a point that is not a number does not spoil the bandwidth and the scale of later batches.
func TestKernelSteinForgetsNaN(t *testing.T) {
	e := mlp(2)
	p := energy.Init(e, newRNG(1))
	loss := func(first *mat.Dense) float64 {
		o := must(objectives.New(objectives.KernelStein{}, e, p, setup(2)))
		grad := make([]float64, p.Len())
		if first != nil {
			if s := must(o.Gradient(grad, first, newRNG(2))); !math.IsNaN(s.Loss) {
				t.Errorf("loss %g of a batch with NaN, want NaN", s.Loss)
			}
		}
		return must(o.Gradient(grad, normal(6, 2, 4), newRNG(3))).Loss
	}
	bad := normal(6, 2, 5)
	bad.Set(2, 1, math.NaN())
	if got, want := loss(bad), loss(nil); got != want {
		t.Errorf("got loss %g after a batch with NaN, want %g", got, want)
	}
}
