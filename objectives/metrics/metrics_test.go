package metrics_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/stheno-ebm/stheno/objectives/metrics"
)

// normal is N(m, v I), with everything about it known.
type normal struct {
	m []float64
	v float64
}

func (p normal) Dim() int { return len(p.m) }

func (p normal) Bounds() (lo, hi []float64) {
	for _, m := range p.m {
		lo, hi = append(lo, m-7*math.Sqrt(p.v)), append(hi, m+7*math.Sqrt(p.v))
	}
	return lo, hi
}

func (p normal) Sample(dst *mat.Dense, rng *rand.Rand) {
	n, d := dst.Dims()
	for i := range n {
		for j := range d {
			dst.Set(i, j, p.m[j]+math.Sqrt(p.v)*rng.NormFloat64())
		}
	}
}

func (p normal) r2(x []float64) (s float64) {
	for j, m := range p.m {
		s += (x[j] - m) * (x[j] - m)
	}
	return s
}

func (p normal) LogProb(dst []float64, x *mat.Dense) {
	for i := range dst {
		dst[i] = -p.r2(x.RawRowView(i))/(2*p.v) - float64(len(p.m))/2*math.Log(2*math.Pi*p.v)
	}
}

func (p normal) Score(dst, x *mat.Dense) {
	n, _ := x.Dims()
	for i := range n {
		for j, m := range p.m {
			dst.Set(i, j, (m-x.At(i, j))/p.v)
		}
	}
}

func (p normal) Entropy() float64 { return float64(len(p.m)) / 2 * math.Log(2*math.Pi*math.E*p.v) }

// energy is |x−m|²/2v + shift, so that log Z = (d/2) log 2πv − shift.
func (p normal) energy(shift float64) metrics.Energy {
	return func(dst []float64, x *mat.Dense) error {
		for i := range dst {
			dst[i] = p.r2(x.RawRowView(i))/(2*p.v) + shift
		}
		return nil
	}
}

func (p normal) gradient(e []float64, grad, x *mat.Dense) error {
	p.Score(grad, x)
	grad.Scale(-1, grad)
	return p.energy(0)(e, x)
}

func (p normal) draws(n int, seed uint64) *mat.Dense {
	x := mat.NewDense(n, len(p.m), nil)
	p.Sample(x, rand.New(rand.NewPCG(seed, 1)))
	return x
}

func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s: got %.10g, want %.10g ± %.2g", what, got, want, tol)
	}
}

func cdf(z float64) float64 { return math.Erfc(-z/math.Sqrt2) / 2 }

func TestIntegrate(t *testing.T) {
	ctx := context.Background()
	for _, p := range []normal{{[]float64{0.3}, 0.5}, {[]float64{0.1, -0.2}, 0.04}, {[]float64{0, 0}, 1}} {
		d := float64(len(p.m))
		lo, hi := p.Bounds()
		q, err := metrics.Integrate(ctx, p.energy(3), lo, hi, metrics.QuadratureConfig{})
		if err != nil {
			t.Fatal(err)
		}
		near(t, "log Z", q.LogZ, d/2*math.Log(2*math.Pi*p.v)-3, 1e-9)
		near(t, "leak", q.Leak, 0, 1e-9)
	}
	// A box that cuts the Gaussian at one standard deviation: the leak has a closed form.
	p := normal{[]float64{0, 0}, 1}
	q, err := metrics.Integrate(ctx, p.energy(0), []float64{-1, -1}, []float64{1, 1}, metrics.QuadratureConfig{})
	if err != nil {
		t.Fatal(err)
	}
	in := math.Pow(math.Erf(1/math.Sqrt2), 2)
	near(t, "cut log Z", q.LogZ, math.Log(2*math.Pi), 2e-5)
	near(t, "cut leak", q.Leak, 1-in, 2e-5)
	near(t, "cut log Z on the box", q.LogZBox, math.Log(2*math.Pi*in), 1e-4)

	// A model that does not decay has its mass outside, and is marked as not to be trusted.
	flat := func(dst []float64, _ *mat.Dense) error { clear(dst); return nil }
	q, err = metrics.Integrate(ctx, flat, []float64{-1, -1}, []float64{1, 1}, metrics.QuadratureConfig{})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "flat leak", q.Leak, 1-1/math.Pow(27, 2), 1e-9)
	if q.Err < 1 {
		t.Errorf("flat energy: error %g, want the share of the last frame, log 9", q.Err)
	}

	// Spikes narrower than the first grid are resolved by refining.
	spike := normal{[]float64{0.123, 0.456}, 1e-5}
	q, err = metrics.Integrate(ctx, spike.energy(0), []float64{-4, -4}, []float64{4, 4}, metrics.QuadratureConfig{})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "spike", q.LogZBox, math.Log(2*math.Pi*1e-5), 1e-4)
}

func TestIntegrateErrors(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	nan := func(dst []float64, _ *mat.Dense) error { dst[len(dst)/2] = math.NaN(); return nil }
	box := []float64{1, 1}
	if _, err := metrics.Integrate(ctx, nan, []float64{0, 0}, box, metrics.QuadratureConfig{}); !errors.Is(err,
		metrics.ErrNonFinite) {
		t.Errorf("NaN energy: got %v", err)
	}
	if _, err := metrics.Integrate(ctx, nan, box, box, metrics.QuadratureConfig{}); err == nil {
		t.Error("empty box: no error")
	}
	if _, err := metrics.Integrate(ctx, nan, make([]float64, 3), make([]float64, 3),
		metrics.QuadratureConfig{}); err == nil {
		t.Error("three dimensions: no error")
	}
	cancel()
	if _, err := metrics.Integrate(ctx, nan, []float64{0, 0}, box, metrics.QuadratureConfig{}); !errors.Is(err,
		context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
}

// TestDivergences uses two Gaussians, for which
//
//	KL(N(a,v)‖N(b,w)) = d/2 (v/w − 1 + log w/v) + |a−b|²/2w   and, if v = w, TV = 2Φ(|a−b|/2√v) − 1.
func TestDivergences(t *testing.T) {
	kl := func(p, q normal) float64 {
		return float64(len(p.m))/2*(p.v/q.v-1+math.Log(q.v/p.v)) + p.r2(q.m)/(2*q.v)
	}
	g := metrics.NewGrid([]float64{-8, -8}, []float64{8, 8}, 400)
	x := mat.NewDense(g.Len(), 2, nil)
	g.Fill(x, 0)
	p, q := normal{[]float64{0, 0.5}, 0.5}, normal{[]float64{1, 0}, 0.8}
	lp, lq := make([]float64, g.Len()), make([]float64, g.Len())
	p.LogProb(lp, x)
	q.LogProb(lq, x)
	d := metrics.Divergences(g, lp, lq)
	near(t, "KL", d.KL, kl(p, q), 1e-9)
	near(t, "reverse KL", d.ReverseKL, kl(q, p), 1e-9)
	q.v = p.v
	q.LogProb(lq, x)
	d = metrics.Divergences(g, lp, lq)
	near(t, "TV", d.TV, 2*cdf(math.Sqrt(p.r2(q.m)/p.v)/2)-1, 1e-4)

	// Mass of one density outside the box counts as mass where the other one has none: nothing of p lies beyond x₁ =
	// 1, and 1 - Φ(1) of q.
	box := metrics.NewGrid([]float64{-9, -8}, []float64{1, 8}, 400)
	in := mat.NewDense(box.Len(), 2, nil)
	box.Fill(in, 0)
	left, right := normal{[]float64{-4, 0}, 0.25}, normal{[]float64{0, 0}, 1}
	a, b := make([]float64, box.Len()), make([]float64, box.Len())
	left.LogProb(a, in)
	right.LogProb(b, in)
	whole := metrics.Divergences(g, densities(g, left), densities(g, right)).TV
	near(t, "TV with q outside", metrics.Divergences(box, a, b).TV, whole, 1e-3)
	near(t, "TV with p outside", metrics.Divergences(box, b, a).TV, whole, 1e-3)
	if d := metrics.Divergences(box, a, b); !math.IsNaN(d.ReverseKL) || math.IsNaN(d.KL) {
		t.Errorf("with q outside: got KL %g, want a number; reverse KL %g, want NaN", d.KL, d.ReverseKL)
	}
	if d := metrics.Divergences(box, b, a); !math.IsNaN(d.KL) || math.IsNaN(d.ReverseKL) {
		t.Errorf("with p outside: got KL %g, want NaN; reverse KL %g, want a number", d.KL, d.ReverseKL)
	}

	// The density of the reference is zero where the model has mass.
	kept := 0.0
	for i, l := range lp {
		if i < g.Len()/2 {
			lp[i] = math.Inf(-1)
		} else {
			kept += math.Exp(l) * 16 * 16 / float64(g.Len())
		}
	}
	floats.AddConst(-math.Log(kept), lp)
	if d = metrics.Divergences(g, lp, lq); !math.IsInf(d.ReverseKL, 1) || math.IsNaN(d.KL) {
		t.Errorf("disjoint support: got KL %g, reverse KL %g", d.KL, d.ReverseKL)
	}
}

func TestFisher(t *testing.T) {
	ctx := context.Background()
	p := normal{[]float64{0, 0, 0}, 2}
	x := p.draws(20000, 3)
	// Shifted by m: the scores differ by m/v everywhere.
	q := normal{[]float64{1, -0.5, 0}, 2}
	fit, err := metrics.Fisher(ctx, q.gradient, p, x)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "shifted Fisher", fit.Fisher, (1+0.25)/4, 1e-12)
	// At another temperature, s_q = βs, so that the slope is β and the relative divergence (1−β)², whatever the
	// draws.
	q = normal{p.m, p.v / 0.9}
	if fit, err = metrics.Fisher(ctx, q.gradient, p, x); err != nil {
		t.Fatal(err)
	}
	near(t, "slope", fit.Slope, 0.9, 1e-12)
	near(t, "relative", fit.Relative, 0.01, 1e-12)
	near(t, "hot Fisher", fit.Fisher, 0.01*3/p.v, 4*0.01*3/p.v*math.Sqrt(2./3/20000))
}

// TestMMD2 checks unbiasedness: over repetitions the mean is within four standard errors of the closed form. With
// X, Y ~ N(a,v), N(b,w) the mean kernel is (h²/(h²+v+w))^(d/2) exp(−|a−b|²/2(h²+v+w)). The biased estimator must fail.
func TestMMD2(t *testing.T) {
	p, q := normal{[]float64{0, 0}, 1}, normal{[]float64{0.7, 0}, 1.5}
	kernel := func(p, q normal, h float64) float64 {
		s := h*h + p.v + q.v
		return h * h / s * math.Exp(-p.r2(q.m)/(2*s))
	}
	const n, reps, h = 40, 300, 1.3
	want := func(h float64) float64 { return kernel(p, p, h) + kernel(q, q, h) - 2*kernel(p, q, h) }
	var wide, narrow, biased []float64
	for k := range uint64(reps) {
		d, err := metrics.Compare(context.Background(), p.draws(n, 2*k), q.draws(n, 2*k+1), h)
		if err != nil {
			t.Fatal(err)
		}
		wide, narrow = append(wide, d.MMD2), append(narrow, d.MMD2Narrow)
		biased = append(biased, d.MMD2+(1-kernel(p, p, h))/n+(1-kernel(q, q, h))/n)
	}
	z := func(x []float64, want float64) float64 {
		mean, sd := stat.MeanStdDev(x, nil)
		return (mean - want) / (sd / math.Sqrt(reps))
	}
	if got := z(wide, want(h)); math.Abs(got) > 4 {
		t.Errorf("MMD²: %.1f standard errors from %g", got, want(h))
	}
	if got := z(narrow, want(h/10)); math.Abs(got) > 4 {
		t.Errorf("narrow MMD²: %.1f standard errors from %g", got, want(h/10))
	}
	if got := z(biased, want(h)); math.Abs(got) < 4 {
		t.Errorf("the biased estimator passes: z = %.1f", got)
	}
}

// TestPairsByHand recomputes all sums over pairs from their definition.
func TestPairsByHand(t *testing.T) {
	p := normal{[]float64{0, 1, 2}, 1}
	x, y := p.draws(37, 1), p.draws(51, 2)
	const h = 0.8
	mean := func(a, b *mat.Dense, skip bool, f func(r float64) float64) float64 {
		var sum, n float64
		for i := range a.RawMatrix().Rows {
			for j := range b.RawMatrix().Rows {
				if skip && i == j {
					continue
				}
				var diff mat.VecDense
				diff.SubVec(a.RowView(i), b.RowView(j))
				sum += f(mat.Norm(&diff, 2))
				n++
			}
		}
		return sum / n
	}
	k := func(r float64) float64 { return math.Exp(-r * r / (2 * h * h)) }
	id := func(r float64) float64 { return r }
	d, err := metrics.Compare(context.Background(), x, y, h)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "MMD²", d.MMD2, mean(x, x, true, k)+mean(y, y, true, k)-2*mean(x, y, false, k), 1e-12)
	e := 2*mean(x, y, false, id) - mean(x, x, false, id) - mean(y, y, false, id)
	near(t, "energy distance", d.Energy, math.Sqrt(e), 1e-12)
	wide, err := metrics.Compare(context.Background(), x, y, 10*h)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "MMD² at a tenth of the bandwidth", wide.MMD2Narrow, d.MMD2, 1e-12)

	old := runtime.GOMAXPROCS(1)
	one, _ := metrics.Compare(context.Background(), x, y, h)
	runtime.GOMAXPROCS(old)
	if one != d {
		t.Errorf("result depends on the number of cores: %v and %v", one, d)
	}
}

func distance(x, y *mat.Dense) (float64, error) {
	d, err := metrics.Compare(context.Background(), x, y, 1)
	return d.Energy, err
}

// TestEnergyDistance compares with 1-D Gaussians: E|X−Y| is the mean of a folded normal of mean m and variance v+w,
// √(2s/π) exp(−m²/2s) + m(1−2Φ(−m/√s)).
func TestEnergyDistance(t *testing.T) {
	folded := func(m, s float64) float64 {
		return math.Sqrt(2*s/math.Pi)*math.Exp(-m*m/(2*s)) + m*(1-2*cdf(-m/math.Sqrt(s)))
	}
	p, q := normal{[]float64{0}, 1}, normal{[]float64{1}, 2}
	const n, reps = 200, 100
	want := 2*folded(1, 3) - folded(0, 2)*(n-1.)/n - folded(0, 4)*(n-1.)/n
	floor := 2 * folded(0, 2) / n
	var got, null []float64
	for k := range uint64(reps) {
		d, err := distance(p.draws(n, 2*k), q.draws(n, 2*k+1))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, d*d)
		if d, err = distance(p.draws(n, 2*k), p.draws(n, 1000+k)); err != nil {
			t.Fatal(err)
		}
		null = append(null, d*d)
	}
	mean, sd := stat.MeanStdDev(got, nil)
	near(t, "squared energy distance", mean, want, 4*sd/math.Sqrt(reps))
	mean, sd = stat.MeanStdDev(null, nil)
	near(t, "squared floor", mean, floor, 4*sd/math.Sqrt(reps))
}

func TestHistogram(t *testing.T) {
	p := normal{[]float64{0, 0}, 1}
	g := metrics.NewGrid([]float64{-3, -2}, []float64{3, 4}, metrics.HistogramCells)
	mass, err := metrics.CellMasses(context.Background(), p, g)
	if err != nil {
		t.Fatal(err)
	}
	var sum float64
	for i, m := range mass {
		a, b := float64(i/25), float64(i%25)
		w := 6. / 25
		want := (cdf(-3+w*(a+1)) - cdf(-3+w*a)) * (cdf(-2+w*(b+1)) - cdf(-2+w*b))
		near(t, "cell", m, want, 1e-13)
		sum += m
	}
	// By hand: half of the points are in cell 0, half outside.
	x := mat.NewDense(2, 2, []float64{-2.9, -1.9, 99, 0})
	want := (math.Abs(0.5-mass[0]) + (sum - mass[0]) + math.Abs(0.5-(1-sum))) / 2
	near(t, "TV", metrics.HistogramTV(g, mass, x), want, 1e-12)
	// True draws: the mean of |count/n − m| is about √(2m(1−m)/πn).
	const n = 200000
	var floor float64
	for _, m := range append(mass, 1-sum) {
		floor += math.Sqrt(2*m*(1-m)/math.Pi/n) / 2
	}
	near(t, "floor", metrics.HistogramTV(g, mass, p.draws(n, 5)), floor, 0.2*floor)
}

func TestModeTV(t *testing.T) {
	tv, found := metrics.ModeTV([]float64{0.5, 0.49, 0.01}, []float64{0.25, 0.25, 0.5})
	near(t, "mode TV", tv, 0.49, 1e-12)
	if found != 2 {
		t.Errorf("modes found: got %d, want 2", found)
	}
}

// halfLines are two modes, the negative numbers and the others.
type halfLines struct{}

func (halfLines) Modes() (*mat.Dense, []float64) {
	return mat.NewDense(2, 1, []float64{-1, 1}), []float64{0.3, 0.7}
}
func (halfLines) AssignMode(x []float64) int { return int(1+math.Copysign(1, x[0])) / 2 }

// TestModeShares wants shares that are exact counts, free of the rounding of sums of 1/n.
func TestModeShares(t *testing.T) {
	x := mat.NewDense(10000, 1, nil)
	for i := range 10000 {
		x.Set(i, 0, float64(i-3000))
	}
	if got := metrics.ModeShares(halfLines{}, x); got[0] != 0.3 || got[1] != 0.7 {
		t.Errorf("got %v, want [0.3 0.7]", got)
	}
}

// TestKSD uses KSD² = E δ(X)·δ(Y) k(X,Y) with δ the difference of the scores: for draws of N(m,1) judged by the score
// of N(0,1) it is m² E(1+(X−Y)²)^(−1/2), where X−Y ~ N(0,2).
func TestKSD(t *testing.T) {
	ctx := context.Background()
	target := normal{[]float64{0}, 1}
	kernel := 0.0
	for z := -10.0; z < 10; z += 0.001 {
		kernel += 0.001 * math.Exp(-z*z/4) / math.Sqrt(4*math.Pi) / math.Sqrt(1+z*z)
	}
	for _, m := range []float64{0, 0.5, 1} {
		const n, reps = 400, 60
		var got []float64
		for k := range uint64(reps) {
			x := normal{[]float64{m}, 1}.draws(n, k)
			s := mat.NewDense(n, 1, nil)
			target.Score(s, x)
			ksd, floor, err := metrics.KSD(ctx, x, s)
			if err != nil {
				t.Fatal(err)
			}
			// Without the diagonal, whose mean is n floor², the estimate is unbiased.
			got = append(got, (ksd*ksd-floor*floor)*n/(n-1))
		}
		mean, sd := stat.MeanStdDev(got, nil)
		near(t, "KSD²", mean, m*m*kernel, 4*sd/math.Sqrt(reps))
	}
}

// TestIntegrateLooksTwice has a spike between the midpoints of two grids, which therefore agree: the third one sees
// it.
func TestIntegrateLooksTwice(t *testing.T) {
	const at, sd = 0.0125, 1e-3
	spike := func(e []float64, x *mat.Dense) error {
		for i := range e {
			z := (x.At(i, 0) - at) / sd
			e[i] = -math.Log(1e-9 + math.Exp(-z*z/2)/(sd*math.Sqrt(2*math.Pi)))
		}
		return nil
	}
	q, err := metrics.Integrate(context.Background(), spike, []float64{0}, []float64{1},
		metrics.QuadratureConfig{Start: 10, Frames: -1})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "log Z", q.LogZ, 0, 1e-6)
}

// TestKSDByHand differentiates the kernel by central differences, in three dimensions.
func TestKSDByHand(t *testing.T) {
	const n, d, h = 7, 3, 1e-4
	x, s := normal{make([]float64, d), 1}.draws(n, 1), normal{make([]float64, d), 2}.draws(n, 2)
	k := func(a, b []float64, i, j int, da, db float64) float64 { // at a + da e_i, b + db e_j
		q := 1.0
		for c := range a {
			r := a[c] - b[c]
			if c == i {
				r += da
			}
			if c == j {
				r -= db
			}
			q += r * r
		}
		return 1 / math.Sqrt(q)
	}
	var all, diagonal float64
	for i := range n {
		for j := range n {
			a, b, sa, sb := x.RawRowView(i), x.RawRowView(j), s.RawRowView(i), s.RawRowView(j)
			var sum float64
			for c := range d {
				sum += sa[c]*sb[c]*k(a, b, c, c, 0, 0) +
					sb[c]*(k(a, b, c, c, h, 0)-k(a, b, c, c, -h, 0))/(2*h) +
					sa[c]*(k(a, b, c, c, 0, h)-k(a, b, c, c, 0, -h))/(2*h) +
					(k(a, b, c, c, h, h)-k(a, b, c, c, h, -h)-k(a, b, c, c, -h, h)+k(a, b, c, c, -h, -h))/(4*h*h)
			}
			all += sum
			if i == j {
				diagonal += sum
			}
		}
	}
	ksd, floor, err := metrics.KSD(context.Background(), x, s)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "KSD", ksd, math.Sqrt(all)/n, 1e-6)
	near(t, "floor", floor, math.Sqrt(diagonal)/n, 1e-6)
}

func TestEvaluateGaussians(t *testing.T) {
	p, q := normal{[]float64{0, 0}, 1}, normal{[]float64{0.2, 0}, 1}
	rng := rand.New(rand.NewPCG(1, 2))
	in := metrics.Input{
		Dataset: "normal", Truth: p, Energy: q.energy(5), Gradient: q.gradient,
		Samples: q.draws(4000, 9), Train: p.draws(1000, 4), TestPoints: 20000, RHat: 1.015, RHatLimit: 1.02, ESS: 900,
	}
	r, err := metrics.Evaluate(context.Background(), in, rng)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "log Z", float64(r.LogZ), math.Log(2*math.Pi)-5, 1e-6)
	near(t, "KL", float64(r.KL), 0.02, 1e-6)
	near(t, "reverse KL", float64(r.ReverseKL), 0.02, 1e-6)
	near(t, "NLL", float64(r.NLL), p.Entropy()+0.02, 4*0.2/math.Sqrt(20000))
	near(t, "NLL error", float64(r.NLLErr), 0.2/math.Sqrt(20000), 1e-4)
	near(t, "train NLL", float64(r.TrainNLL), p.Entropy()+0.02, 4/math.Sqrt(1000))
	near(t, "TV", float64(r.TV), 2*cdf(0.1)-1, 1e-4)
	near(t, "Fisher", float64(r.Fisher), 0.04, 1e-9)
	s := r.Samples
	near(t, "inside the region", float64(s.Floor.InHDR), 0.99, 4*math.Sqrt(0.0099/4000)+0.002)
	if s.EnergyDistance < s.Floor.EnergyDistance || s.HistTV < s.Floor.HistTV || s.KSDData < s.Floor.KSDData {
		t.Errorf("shifted samples are not above the floor: %+v", s)
	}
	near(t, "KSD of the model's own draws", float64(s.KSD), float64(s.Floor.KSD), float64(s.Floor.KSD))

	raw, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"dataset", "log_z", "nll", "entropy", "kl", "reverse_kl", "tv", "fisher", "leak"} {
		if m[key] == nil {
			t.Errorf("report has no %q", key)
		}
	}
	for _, key := range []string{"mmd2", "energy_distance", "hist_tv", "mode_tv", "modes", "rhat", "rhat_limit", "ess",
		"floor"} {
		if _, ok := m["samples"].(map[string]any)[key]; !ok {
			t.Errorf("report on samples has no %q", key)
		}
	}
	var back metrics.Report
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	if !back.Samples.Mixed() {
		t.Errorf("R̂ %g is within its limit %g, and called too large", back.Samples.RHat, back.Samples.RHatLimit)
	}
	if back.KL != r.KL || back.Samples.ModeTV.Known() {
		t.Errorf("report read back: KL %v, mode TV %v", back.KL, back.Samples.ModeTV)
	}
}

// TestMixed: R̂ is compared with the limit it came with, which is 1.01 in reports without one.
func TestMixed(t *testing.T) {
	nan := metrics.Value(math.NaN())
	for _, c := range []struct {
		rhat, limit metrics.Value
		mixed       bool
	}{
		{1.005, 0, true}, {1.015, 0, false}, {1.015, nan, false}, {nan, nan, true}, {0, 0, true},
		{1.015, 1.02, true}, {1.025, 1.02, false},
	} {
		s := metrics.SampleReport{RHat: c.rhat, RHatLimit: c.limit}
		if s.Mixed() != c.mixed {
			t.Errorf("R̂ %g, limit %g: mixed %v, want %v", c.rhat, c.limit, s.Mixed(), c.mixed)
		}
	}
}

// TestEvaluateTenDimensions brings log Z from outside, as annealed importance sampling would.
func TestEvaluateTenDimensions(t *testing.T) {
	m := make([]float64, 10)
	p := normal{m, 1}
	q := normal{append([]float64{0.3}, m[1:]...), 1}
	in := metrics.Input{Truth: p, Energy: q.energy(0),
		LogZ: &metrics.LogZ{Value: 5 * math.Log(2*math.Pi), StdErr: 0.01}, TestPoints: 10000, Samples: p.draws(500, 3)}
	r, err := metrics.Evaluate(context.Background(), in, rand.New(rand.NewPCG(3, 4)))
	if err != nil {
		t.Fatal(err)
	}
	near(t, "KL", float64(r.KL), 0.045, 4*0.3/100)
	near(t, "log Z error", float64(r.LogZErr), 0.01, 0)
	if r.TV.Known() || r.Samples.HistTV.Known() {
		t.Error("quantities of the grid are known in ten dimensions")
	}
	in.LogZ = nil
	if r, err = metrics.Evaluate(context.Background(), in, rand.New(rand.NewPCG(3, 4))); err != nil || r.NLL.Known() {
		t.Errorf("without log Z: NLL %v, error %v", r.NLL, err)
	}
}

func BenchmarkCompare(b *testing.B) {
	p := normal{[]float64{0, 0}, 1}
	x, y := p.draws(10000, 1), p.draws(10000, 2)
	for b.Loop() {
		if _, err := metrics.Compare(context.Background(), x, y, 1); err != nil {
			b.Fatal(err)
		}
	}
}

// densities are the log densities of p on a grid.
func densities(g metrics.Grid, p normal) []float64 {
	x := mat.NewDense(g.Len(), 2, nil)
	g.Fill(x, 0)
	l := make([]float64, g.Len())
	p.LogProb(l, x)
	return l
}

// Sets with many columns are cut to as many rows as take the time of many rows with few columns: later rows do not
// count.
func TestPairsOfManyColumns(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const d, used = 2000, 1000 // 2e9 = 1000² · 2000
	rng := rand.New(rand.NewPCG(1, 2))
	x := mat.NewDense(used+5, d, nil)
	for i := range used + 5 {
		for j := range d {
			x.Set(i, j, rng.NormFloat64())
		}
	}
	for i := used; i < used+5; i++ {
		x.Set(i, 0, math.NaN())
	}
	got, err := metrics.Compare(t.Context(), x, x, math.Sqrt(d))
	if err != nil || !(math.Abs(got.MMD2) < 0.1) || math.IsNaN(got.Energy) {
		t.Errorf("got %+v, %v, want numbers", got, err)
	}
}
