package vector

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// moments checks mean, variance, skewness, kurtosis, the correlation of neighbours at several distances and the tails
// of standard normal numbers, each to five standard errors, and returns the first that is off.
func moments(x []float64) string {
	n := float64(len(x))
	var m [5]float64
	tail := [4]float64{}
	for _, v := range x {
		p := 1.0
		for k := range m {
			m[k] += p / n
			p *= v
		}
		for k := range tail {
			if math.Abs(v) > float64(k+1) {
				tail[k] += 1 / n
			}
		}
	}
	// Var of xᵏ: E x²ᵏ − (E xᵏ)²
	for k, want := range []struct{ mean, variance float64 }{{1, 0}, {0, 1}, {1, 2}, {0, 15}, {3, 96}} {
		if k > 0 && math.Abs(m[k]-want.mean) > 5*math.Sqrt(want.variance/n) {
			return []string{"", "mean", "variance", "third moment", "fourth moment"}[k]
		}
	}
	for k, got := range tail {
		p := math.Erfc(float64(k+1) / math.Sqrt2)
		if math.Abs(got-p) > 5*math.Sqrt(p*(1-p)/n) {
			return "tail"
		}
	}
	for _, lag := range []int{1, 2, 3, 4, 5, 7, 8, 16} {
		c, c2 := 0.0, 0.0
		for i := lag; i < len(x); i++ {
			c += x[i] * x[i-lag]
			c2 += (x[i]*x[i] - 1) * (x[i-lag]*x[i-lag] - 1) / 2
		}
		if math.Abs(c) > 5*math.Sqrt(n) || math.Abs(c2) > 5*math.Sqrt(n) {
			return "correlation"
		}
	}
	return ""
}

// kolmogorov is √n times the largest distance between the empirical and the normal distribution function.
func kolmogorov(x []float64) float64 {
	x = slices.Clone(x)
	slices.Sort(x)
	n, d := float64(len(x)), 0.0
	for i, v := range x {
		p := 0.5 * math.Erfc(-v/math.Sqrt2)
		d = max(d, math.Abs(p-float64(i)/n), math.Abs(float64(i+1)/n-p))
	}
	return math.Sqrt(n) * d
}

func TestNormal(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	long := make([]float64, 1<<20)
	Normal(long, rng)
	short := make([]float64, 1<<20) // calls of 12 numbers: the seeding must not show
	for i := 0; i < len(short); i += 12 {
		Normal(short[i:min(i+12, len(short))], rng)
	}
	for name, x := range map[string][]float64{"one call": long, "many calls": short} {
		if bad := moments(x); bad != "" {
			t.Errorf("%s: wrong %s", name, bad)
		}
		if k := kolmogorov(x); k > 2.2 { // exceeded with probability 1.3e-4
			t.Errorf("%s: Kolmogorov's statistic %.2f, want ≤ 2.2", name, k)
		}
	}
	// Broken twins must be detected.
	for i := range short {
		short[i] *= 1.005
	}
	if moments(short) == "" {
		t.Error("a standard deviation of 1.005 passes")
	}
	for i := len(long) - 1; i > 0; i-- {
		long[i] = (long[i] + 0.01*long[i-1]) / math.Sqrt(1.0001)
	}
	if moments(long) == "" {
		t.Error("a correlation of 0.01 passes")
	}
}

func TestNormalDraws(t *testing.T) {
	a, b := rand.New(rand.NewPCG(1, 2)), rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 100} {
		Normal(make([]float64, n), a)
		b.Uint64()
		b.Uint64()
		if x, y := a.Uint64(), b.Uint64(); x != y {
			t.Fatalf("a fill of %d numbers did not take two draws", n)
		}
	}
}

// TestAdam compares several steps with the formulas of the paper.
func TestAdam(t *testing.T) {
	const n, rate, b1, b2, eps, decay, avgDecay = 7, 1e-2, 0.9, 0.999, 1e-8, 0.1, 0.8
	for _, wd := range []float64{0, decay} {
		var theta, m, v, grad, avg, wt, wm, wv, wa [n]float64
		rng := rand.New(rand.NewPCG(1, 2))
		for i := range theta {
			theta[i] = rng.NormFloat64()
			wt[i] = theta[i]
		}
		opt := Adam{LearningRate: rate, Beta1: b1, Beta2: b2, Eps: eps, WeightDecay: wd, GradScale: 0.5}
		for step := 1; step <= 20; step++ {
			for i := range grad {
				grad[i] = rng.NormFloat64()
				g := 0.5 * grad[i]
				wm[i] = b1*wm[i] + (1-b1)*g
				wv[i] = b2*wv[i] + (1-b2)*g*g
				mh, vh := wm[i]/(1-math.Pow(b1, float64(step))), wv[i]/(1-math.Pow(b2, float64(step)))
				wt[i] -= rate * wd * wt[i]
				wt[i] -= rate * mh / (math.Sqrt(vh) + eps)
				wa[i] = avgDecay*wa[i] + (1-avgDecay)*wt[i]
			}
			opt.StepEMA(theta[:], m[:], v[:], grad[:], avg[:], avgDecay, step)
		}
		for i := range theta {
			for _, c := range [][2]float64{{theta[i], wt[i]}, {m[i], wm[i]}, {v[i], wv[i]}, {avg[i], wa[i]}} {
				if math.Abs(c[0]-c[1]) > 1e-13*(1+math.Abs(c[1])) {
					t.Fatalf("weight decay %v, element %d: %v, want %v", wd, i, c[0], c[1])
				}
			}
		}
	}
}

// Threads share long vectors, with the same results to the bit.
func TestAdamThreads(t *testing.T) {
	const n = 100_001
	rng := rand.New(rand.NewPCG(5, 6))
	var start [5][]float64 // θ, m, v, gradient, average
	for k := range start {
		start[k] = make([]float64, n)
		for i := range n {
			start[k][i] = math.Abs(rng.NormFloat64())
		}
	}
	var want [5][]float64
	for _, threads := range []int{0, 2, 3} {
		opt := Adam{LearningRate: 0.1, Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, Threads: threads}
		got := start
		for k := range got {
			got[k] = slices.Clone(start[k])
		}
		opt.Step(got[0], got[1], got[2], got[3], 1)
		opt.StepEMA(got[0], got[1], got[2], got[3], got[4], 0.9, 2)
		if threads == 0 {
			want = got
		}
		for k := range got {
			if !slices.Equal(got[k], want[k]) {
				t.Errorf("%d threads: vector %d differs", threads, k)
			}
		}
	}
}

func TestNorm(t *testing.T) {
	if got := Norm([]float64{3, 4}); got != 5 {
		t.Errorf("Norm = %v, want 5", got)
	}
}

func BenchmarkNormal(b *testing.B) {
	x := make([]float64, 4096)
	rng := rand.New(rand.NewPCG(1, 2))
	for b.Loop() {
		Normal(x, rng)
	}
}
