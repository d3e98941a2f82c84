package datasets

import (
	"cmp"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// Means, covariances and deviations of neighbourhoods equal those of a brute-force search, with duplicates among the
// points, and so does the noise made from them.
func TestNeighbourhoods(t *testing.T) {
	const n, d = 60, 3
	ks := []int{2, 4, 9}
	rng := rand.New(rand.NewPCG(5, 6))
	x := mat.NewDense(n, d, nil)
	for i := range n {
		for j := range d {
			x.Set(i, j, rng.NormFloat64())
		}
	}
	for i := range ks[1] + 1 { // one point five times
		x.SetRow(i, []float64{0.1, 0.2, 0.3})
	}
	got := surveyed(x, ks)
	for at, k := range ks {
		sd, least := make([]float64, n), math.Inf(1)
		var covariances []*mat.SymDense
		for i := range n {
			type pair struct {
				sq float64
				j  int
			}
			var all []pair
			for j := range n {
				var sq float64
				for c := range d {
					sq += (x.At(i, c) - x.At(j, c)) * (x.At(i, c) - x.At(j, c))
				}
				all = append(all, pair{sq, j})
			}
			slices.SortFunc(all, func(a, b pair) int { return cmp.Compare(a.sq, b.sq) })
			if sd[i] = math.Sqrt(all[k].sq / (d + 2)); sd[i] > 0 {
				least = min(least, sd[i])
			}
			for c := range d {
				var mean float64
				for _, p := range all[:k+1] {
					mean += x.At(p.j, c) / float64(k+1)
				}
				if v := got[at].mean.At(i, c); math.Abs(v-mean) > 1e-12 {
					t.Errorf("k = %d, point %d, coordinate %d: mean %g, want %g", k, i, c, v, mean)
				}
			}
			rows := mat.NewDense(k+1, d, nil)
			for r, p := range all[:k+1] {
				rows.SetRow(r, x.RawRowView(p.j))
			}
			var cov mat.SymDense
			stat.CovarianceMatrix(&cov, rows, nil)
			covariances = append(covariances, &cov)
		}
		for i, want := range sd {
			if want == 0 {
				want = least
			}
			if math.Abs(got[at].sd[i]-want) > 1e-12 {
				t.Errorf("k = %d, point %d: deviation %g, want %g", k, i, got[at].sd[i], want)
			}
			const b = 0.4
			noise := got[at].smooth(x, b).factor(i)
			lambda := 3.0 * d / (float64(k) + 3*d)
			for r := range d {
				for c := range r + 1 {
					v := (1 - lambda) * covariances[i].At(r, c)
					if r == c {
						v += lambda * want * want
					}
					if made := floats.Dot(noise[triangle(r):][:c+1],
						noise[triangle(c):][:c+1]); math.Abs(made-b*b*v) > 1e-12 {
						t.Errorf("k = %d, point %d: covariance (%d, %d) of the noise %g, want %g", k, i, r, c, made,
							b*b*v)
					}
				}
			}
		}
	}
}

// Ties in distance go to the lowest index, whatever the tree: sums of integers are exact, so means and deviations equal
// those of a brute-force search to the last bit, every time.
func TestNeighboursAtTheSameDistance(t *testing.T) {
	const side = 20
	grid := mat.NewDense(side*side, 2, nil)
	for i := range side * side {
		grid.SetRow(i, []float64{float64(i * 7 % side), float64(i / side)})
	}
	rng := rand.New(rand.NewPCG(11, 12))
	cube := mat.NewDense(400, 3, nil)
	cube.Apply(func(_, _ int, _ float64) float64 { return float64(rng.IntN(6)) }, cube) // with duplicates
	for name, x := range map[string]*mat.Dense{"grid": grid, "cube": cube} {
		n, d := x.Dims()
		ks := []int{2, 10, 33}
		got := surveyed(x, ks)
		for at, k := range ks {
			wrong := 0
			for i := range n {
				order, sq := make([]int, n), make([]float64, n)
				for j := range n {
					order[j] = j
					for c := range d {
						sq[j] += (x.At(i, c) - x.At(j, c)) * (x.At(i, c) - x.At(j, c))
					}
				}
				slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(sq[a], sq[b]) })
				for c := range d {
					var sum float64
					for _, j := range order[:k+1] {
						sum += x.At(j, c)
					}
					if got[at].mean.At(i, c) != sum/float64(k+1) {
						wrong++
					}
				}
				if v := sq[order[k]]; v > 0 && got[at].sd[i] != math.Sqrt(v/float64(d+2)) {
					wrong++
				}
			}
			if wrong > 0 {
				t.Errorf("%s, k = %d: %d means and deviations of %d points are not those of the first by index", name,
					k, wrong, n)
			}
		}
		points, err := NewPoints(x)
		if err != nil {
			t.Fatal(err)
		}
		first := NewSmoothed(points, 0.5)
		for range 3 {
			if s := NewSmoothed(points, 0.5); s.k != first.k || !mat.Equal(s.centre, first.centre) ||
				!slices.Equal(s.noise, first.noise) {
				t.Errorf("%s: smoothed again, it is another", name)
			}
		}
	}
}

// Draws follow the formula: mean and second moment, worked out by hand for four points and their two nearest
// neighbours.
func TestSmoothedLaw(t *testing.T) {
	const n, b = 500000, 0.6 // √(1-b²) = 0.8
	x := []float64{-2, -1, 0.5, 4}
	means := []float64{-2.5 / 3, -2.5 / 3, -2.5 / 3, 3.5 / 3}
	squares := []float64{5.25 - 6.25/3, 5.25 - 6.25/3, 5.25 - 6.25/3, 17.25 - 12.25/3} // about them
	radii := []float64{2.5, 1.5, 2.5, 5}
	points, err := NewPoints(mat.NewDense(4, 1, x))
	if err != nil {
		t.Fatal(err)
	}
	s := NewSmoothed(points, b)
	if s.k != 2 {
		t.Fatalf("%d neighbours, want 2", s.k)
	}
	y := mat.NewDense(n, 1, nil)
	s.Sample(y, rand.New(rand.NewPCG(7, 8)))
	var mean, second, fourth float64
	for _, v := range y.RawMatrix().Data {
		mean, second, fourth = mean+v/n, second+v*v/n, fourth+v*v*v*v/n
	}
	law := func(shrink, lambda float64) (mean, second float64) {
		for i, v := range x {
			c := means[i] + shrink*(v-means[i])
			noise := (1-lambda)*squares[i]/2 + lambda*radii[i]*radii[i]/3
			mean += c / 4
			second += (c*c + b*b*noise) / 4
		}
		return mean, second
	}
	wantMean, wantSecond := law(0.8, 0.6)
	se := math.Sqrt((fourth - second*second) / n)
	if tol := 4 * math.Sqrt((second-mean*mean)/n); math.Abs(mean-wantMean) > tol {
		t.Errorf("mean %g, want %g ± %.2g", mean, wantMean, tol)
	}
	if math.Abs(second-wantSecond) > 4*se {
		t.Errorf("second moment %g, want %g ± %.2g", second, wantSecond, 4*se)
	}
	for name, twin := range map[string][2]float64{"noise alone": {1, 0.6}, "covariances alone": {0.8, 0},
		"balls": {0.8, 1}} {
		if _, v := law(twin[0], twin[1]); math.Abs(second-v) < 4*se {
			t.Errorf("second moment %g is that of %s, %g", second, name, v)
		}
	}
}

// Draws around one centre have the covariance LLᵀ of its factor, not LᵀL nor the diagonal's.
func TestSmoothedCovariance(t *testing.T) {
	const n = 100000
	s := &Smoothed{centre: mat.NewDense(1, 2, []float64{3, -1}), noise: []float64{2, -1, 0.5}}
	y := mat.NewDense(n, 2, nil)
	s.Sample(y, rand.New(rand.NewPCG(1, 2)))
	var cov mat.SymDense
	stat.CovarianceMatrix(&cov, y, nil)
	off := func(xx, xy, yy float64) float64 { // in standard errors of a covariance of normal numbers
		z := 0.0
		for _, e := range [][4]float64{{cov.At(0, 0), xx, xx, xx}, {cov.At(0, 1), xy, xx, yy},
			{cov.At(1, 1), yy, yy, yy}} {
			z = max(z, math.Abs(e[0]-e[1])/math.Sqrt((e[2]*e[3]+e[1]*e[1])/n))
		}
		return z
	}
	if z := off(4, -2, 1.25); z > 4.5 {
		t.Errorf("covariance\n%v\nwant 4, -2, 1.25: off by %.1f standard errors", mat.Formatted(&cov), z)
	}
	if off(5, -0.5, 0.25) < 4.5 || off(4, 0, 0.25) < 4.5 {
		t.Error("the test has no power")
	}
}

// In many dimensions covariances would be too large to store: the noise is the same along all axes.
func TestSmoothedWithoutRoom(t *testing.T) {
	const n, d, a = 40, 1500, 0.5
	rng := rand.New(rand.NewPCG(1, 2))
	x := mat.NewDense(n, d, nil)
	for i := range n {
		for j := range d {
			x.Set(i, j, rng.NormFloat64())
		}
	}
	points, err := NewPoints(x)
	if err != nil {
		t.Fatal(err)
	}
	s := NewSmoothed(points, a)
	if len(s.noise) != n {
		t.Fatalf("%d numbers for the noise of %d points", len(s.noise), n)
	}
	const draws = 400
	y := mat.NewDense(draws, d, nil)
	s.Sample(y, rng)
	var got, want float64
	for i := range draws { // around the nearest centre, which in so many dimensions is the one drawn
		least := math.Inf(1)
		for j := range n {
			least = min(least, s.distance(make([]float64, d), j, y.RawRowView(i), math.Inf(1)))
		}
		got, want = got+least, want+d
	}
	if tol := 5 * math.Sqrt(2*want); math.Abs(got-want) > tol {
		t.Errorf("squares of the noise, in units of its own: %g, want %g ± %.2g", got, want, tol)
	}
	sd := surveyed(x, []int{s.k})[0].sd
	for i, v := range s.noise {
		if want := enough(a, s.k, d) / 2 * sd[i]; math.Abs(v-want) > 1e-12 {
			t.Errorf("point %d: deviation %g, want %g", i, v, want)
		}
	}
}

// Noise reaches a fraction b^d of the neighbours, and no more of them than 70 a².
func TestEnoughNoise(t *testing.T) {
	const a = 0.5
	for _, d := range []int{1, 2, 7} {
		for _, k := range []int{40, 80, 320} {
			reached, b := 70*a*a/float64(k), enough(a, k, d)
			if got := math.Pow(b, float64(d)); b != a && math.Abs(got-reached) > 1e-12 {
				t.Errorf("%d neighbours in %d dimensions: noise reaches %g of them, want %g", k, d, got, reached)
			}
			if most := math.Pow(a, float64(d)); (b == a) != (most <= reached) || b > a {
				t.Errorf("%d neighbours in %d dimensions: b = %g, want at most %g", k, d, b, a)
			}
		}
	}
	if got := enough(a, 70, 2); math.Abs(got-a) > 1e-15 {
		t.Errorf("70 neighbours in the plane: b = %g, want %g", got, a)
	}
	if got := enough(0, 10, 2); got != 0 {
		t.Errorf("got %g, want 0", got)
	}
}

// Points that all coincide stay as they are, whether one or many.
func TestSmoothedCoinciding(t *testing.T) {
	for _, n := range []int{1, 2, 50} {
		x := mat.NewDense(n, 2, nil)
		for i := range n {
			x.SetRow(i, []float64{3, -4})
		}
		points, err := NewPoints(x)
		if err != nil {
			t.Fatal(err)
		}
		y := mat.NewDense(5, 2, nil)
		NewSmoothed(points, 0.5).Sample(y, rand.New(rand.NewPCG(1, 2)))
		for i := range 5 {
			if row := y.RawRowView(i); row[0] != 3 || row[1] != -4 {
				t.Errorf("%d points: a draw at %v", n, row)
			}
		}
	}
}

// A NaN a is a programming error; without this, draws would be NaN.
func TestSmoothedShare(t *testing.T) {
	points, err := NewPoints(mat.NewDense(4, 1, []float64{1, 2, 3, 5}))
	if err != nil {
		t.Fatal(err)
	}
	panics := func(a float64) (p any) {
		defer func() { p = recover() }()
		NewSmoothed(points, a)
		return nil
	}
	for _, a := range []float64{-1, -1e-9, 1.001, math.NaN(), math.Inf(1)} {
		if p := panics(a); p != badShare {
			t.Errorf("a = %g: panic %v, want %q", a, p, badShare)
		}
	}
	for _, a := range []float64{0, 0.5, 1} {
		if p := panics(a); p != nil {
			t.Errorf("a = %g: panic %v", a, p)
		}
	}
}

// With many points, k is chosen on a spread-out subset; all are smoothed.
func TestSmoothedManyPoints(t *testing.T) {
	const n, some, a = 900, 300, 0.4
	truth, err := New("moons")
	if err != nil {
		t.Fatal(err)
	}
	x, every := mat.NewDense(n, 2, nil), mat.NewDense(some, 2, nil)
	truth.Sample(x, rand.New(rand.NewPCG(3, 4)))
	for i := range some {
		every.SetRow(i, x.RawRowView(n/some*i))
	}
	s := smoothedOf(x, a, some)
	if want := smoothedOf(every, a, some).k; s.k != want {
		t.Errorf("%d neighbours, want %d", s.k, want)
	}
	want := surveyed(x, []int{s.k})[0].smooth(x, enough(a, s.k, 2))
	if !mat.Equal(s.centre, want.centre) || !slices.Equal(s.noise, want.noise) {
		t.Error("the smoothing is not that of all points")
	}
}

// The density of the bootstrap is normalised: over a fine grid it adds up to 1.
func TestSmoothedIsNormalised(t *testing.T) {
	x := mat.NewDense(50, 2, nil)
	rng := rand.New(rand.NewPCG(3, 4))
	for i := range 50 {
		u := rng.NormFloat64()
		x.SetRow(i, []float64{u, 0.9*u + 0.2*rng.NormFloat64()})
	}
	s := smoothedOf(x, 0.6, compared)
	const step, cells = 0.05, 240
	grid := mat.NewDense(cells*cells, 2, nil)
	for i := range cells * cells {
		grid.SetRow(i, []float64{step * float64(i%cells-cells/2), step * float64(i/cells-cells/2)})
	}
	logp := make([]float64, cells*cells)
	s.LogProb(logp, grid)
	var sum float64
	for _, l := range logp {
		sum += math.Exp(l) * step * step
	}
	if math.Abs(sum-1) > 1e-3 {
		t.Errorf("total %g, want 1", sum)
	}
}

// logProbs returns the log-densities of s at the rows of x, and their mean.
func (s *Smoothed) logProbs(x *mat.Dense) (logp []float64, mean float64) {
	n, _ := x.Dims()
	logp = make([]float64, n)
	s.LogProb(logp, x)
	return logp, stat.Mean(logp, nil)
}

// likelier returns how much more likely points are under a than under b, in standard errors for this many of them.
func likelier(a, b []float64, points float64) float64 {
	diff := make([]float64, len(a))
	floats.SubTo(diff, a, b)
	mean, variance := stat.MeanVariance(diff, nil)
	if mean == 0 {
		return 0
	}
	return mean / math.Sqrt(variance/points)
}

// drawn returns n draws of a distribution to smooth and m to judge by.
func drawn(t *testing.T, name string, n, m int) (x, y *mat.Dense) {
	t.Helper()
	truth, err := New(name)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(9, 10))
	x, y = mat.NewDense(n, 2, nil), mat.NewDense(m, 2, nil)
	truth.Sample(x, rng)
	truth.Sample(y, rng)
	return x, y
}

// Fresh draws are as likely under the chosen number of neighbours as under the best, up to the scatter of the points it
// was chosen on. No single number is right: the twins, which always take the first or the last, fail.
func TestSmoothedChoosesNeighbours(t *testing.T) {
	failed := make(map[string]bool)
	for _, name := range []string{"2spirals", "8gaussians"} {
		x, y := drawn(t, name, 1200, 1000)
		logp, mean := make([][]float64, len(neighbours)), make([]float64, len(neighbours))
		best := 0
		for j, h := range surveyed(x, neighbours) {
			if logp[j], mean[j] = h.smooth(x, comparedAt).logProbs(y); mean[j] > mean[best] {
				best = j
			}
		}
		short := func(j int) float64 { return likelier(logp[best], logp[j], comparedOn) } // as the choice was made on
		chosen := smoothedOf(x, 0.3, compared).k
		t.Logf("%s: %d neighbours chosen, %d best; mean log density %.3f", name, chosen, neighbours[best], mean)
		if z := short(slices.Index(neighbours, chosen)); z > 4 {
			t.Errorf("%s: %d neighbours, %.1f standard errors less likely than %d", name, chosen, z, neighbours[best])
		}
		for twin, j := range map[string]int{"first": 0, "last": len(neighbours) - 1} {
			failed[twin] = failed[twin] || short(j) > 4
		}
	}
	for _, twin := range []string{"first", "last"} {
		if !failed[twin] {
			t.Errorf("always the %s number of neighbours is as good: the test has no power", twin)
		}
	}
}

// For data with a narrow profile, fresh draws are more likely than under noise alone, which widens it, for any number
// of neighbours; for curves, more likely than under noise that is the same along all axes.
func TestSmoothedKeepsWhatIsNarrow(t *testing.T) {
	const n, fresh = 1200, 8000
	for _, c := range []struct {
		name            string
		profile, curves bool
	}{{"2spirals", true, true}, {"8gaussians", true, false}, {"banana", false, true}} {
		x, y := drawn(t, c.name, n, fresh)
		around := surveyed(x, neighbours)
		k := smoothedOf(x, comparedAt, compared).k
		logp, mean := around[slices.Index(neighbours, k)].smooth(x, comparedAt).logProbs(y)
		best := func(change func(h *neighbourhood, s *Smoothed)) (likeliest []float64) {
			var at *Smoothed
			few, top := y.Slice(0, 300, 0, 2).(*mat.Dense), math.Inf(-1)
			for _, h := range around {
				s := h.smooth(x, comparedAt)
				change(&h, s)
				if _, m := s.logProbs(few); m > top {
					at, top = s, m
				}
			}
			likeliest, _ = at.logProbs(y)
			return likeliest
		}
		noise := best(func(_ *neighbourhood, s *Smoothed) { s.centre = x })
		balls := best(func(h *neighbourhood, s *Smoothed) {
			h.covariance = nil
			*s = *h.smooth(x, comparedAt)
		})
		if z := likelier(logp, noise, fresh); c.profile && z < 4 {
			t.Errorf("%s: mean log density %.4f, %.1f standard errors more than by noise alone", c.name, mean, z)
		}
		if z := likelier(logp, balls, fresh); c.curves && z < 4 {
			t.Errorf("%s: mean log density %.4f, %.1f standard errors more than by noise along all axes", c.name, mean,
				z)
		}
	}
}

func surveyed(x *mat.Dense, ks []int) []neighbourhood {
	around, err := survey(context.Background(), x, x, ks)
	if err != nil {
		panic(err)
	}
	return around
}

func smoothedOf(x *mat.Dense, a float64, most int) *Smoothed {
	s, err := newSmoothed(context.Background(), x, a, most, large)
	if err != nil {
		panic(err)
	}
	return s
}

// With many points, neighbours come from a subset, each standing for several: a neighbourhood is as wide as that of as
// many neighbours among all, the overall covariance is preserved, and the work ends with the context.
func TestSmoothedOfMany(t *testing.T) {
	const n, each = 8000, 2
	x, rng := mat.NewDense(n, 2, nil), rand.New(rand.NewPCG(1, 2))
	for i := range n {
		x.SetRow(i, []float64{rng.NormFloat64(), 3*rng.NormFloat64() + 5})
	}
	s, err := newSmoothed(t.Context(), x, 0.6, 1000, n/2)
	if err != nil {
		t.Fatal(err)
	}
	all := surveyed(x, []int{s.k})[0]
	var ratio float64
	some, err := survey(t.Context(), x, part(x, n/each), []int{s.k / each})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		ratio += some[0].sd[i] / all.sd[i] / n
	}
	// The k-th of n/2 neighbours is the 2k-th of n, up to the scatter of both, 1/√k, and the point itself.
	if want := 1 / math.Sqrt(float64(s.k/each)); math.Abs(ratio-1) > want {
		t.Errorf("neighbourhoods among a part are %.3f times as wide as among all, want 1 ± %.3f", ratio, want)
	}
	draws := mat.NewDense(n, 2, nil)
	s.Sample(draws, rng)
	var got, want mat.SymDense
	stat.CovarianceMatrix(&got, draws, nil)
	stat.CovarianceMatrix(&want, x, nil)
	for j := range 2 {
		if r := got.At(j, j) / want.At(j, j); math.Abs(r-1) > 4*math.Sqrt(4./n) {
			t.Errorf("variance %d is %.3f of that of the data", j, r)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := newSmoothed(ctx, x, 0.6, 1000, 1000); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was cancelled", err)
	}
}
