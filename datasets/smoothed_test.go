package datasets

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// Means and deviations of neighbourhoods are those of a search through all pairs, copies among the points included.
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
	got := survey(x, ks)
	for at, k := range ks {
		sd, least := make([]float64, n), math.Inf(1)
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
		}
		for i, want := range sd {
			if want == 0 {
				want = least
			}
			if math.Abs(got[at].sd[i]-want) > 1e-12 {
				t.Errorf("k = %d, point %d: deviation %g, want %g", k, i, got[at].sd[i], want)
			}
		}
	}
}

// Where distances tie the neighbours are the first by index, whatever the tree: sums of integers are exact, so that means and
// deviations are those of a search through all pairs to the last bit, and the same every time.
func TestNeighboursAtTheSameDistance(t *testing.T) {
	const side = 20
	grid := mat.NewDense(side*side, 2, nil)
	for i := range side * side {
		grid.SetRow(i, []float64{float64(i * 7 % side), float64(i / side)})
	}
	rng := rand.New(rand.NewPCG(11, 12))
	cube := mat.NewDense(400, 3, nil)
	cube.Apply(func(_, _ int, _ float64) float64 { return float64(rng.IntN(6)) }, cube) // with copies
	for name, x := range map[string]*mat.Dense{"grid": grid, "cube": cube} {
		n, d := x.Dims()
		ks := []int{2, 10, 33}
		got := survey(x, ks)
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
				t.Errorf("%s, k = %d: %d means and deviations of %d points are not those of the first by index", name, k, wrong, n)
			}
		}
		points, err := NewPoints(x)
		if err != nil {
			t.Fatal(err)
		}
		first := NewSmoothed(points, 0.5)
		for range 3 {
			if s := NewSmoothed(points, 0.5); s.k != first.k || !mat.Equal(s.centre, first.centre) || !slices.Equal(s.sd, first.sd) {
				t.Errorf("%s: smoothed again, it is another", name)
			}
		}
	}
}

// Draws follow the formula: its mean and second moment, worked out by hand for four points and their two nearest neighbours.
func TestSmoothedLaw(t *testing.T) {
	const n, a = 200000, 0.012 // 50 times as much for 2 neighbours in place of 100: 0.6, and √(1-0.6²) = 0.8
	x := []float64{-2, -1, 0.5, 4}
	means := []float64{-2.5 / 3, -2.5 / 3, -2.5 / 3, 3.5 / 3}
	radii := []float64{2.5, 1.5, 2.5, 5}
	points, err := NewPoints(mat.NewDense(4, 1, x))
	if err != nil {
		t.Fatal(err)
	}
	s := NewSmoothed(points, a)
	if s.Neighbours() != 2 {
		t.Fatalf("%d neighbours, want 2", s.Neighbours())
	}
	y := mat.NewDense(n, 1, nil)
	s.Sample(y, rand.New(rand.NewPCG(7, 8)))
	var mean, second, fourth float64
	for _, v := range y.RawMatrix().Data {
		mean, second, fourth = mean+v/n, second+v*v/n, fourth+v*v*v*v/n
	}
	law := func(shrink float64) (mean, second float64) {
		for i, v := range x {
			c, sd := means[i]+shrink*(v-means[i]), 0.6*radii[i]/math.Sqrt(3)
			mean += c / 4
			second += (c*c + sd*sd) / 4
		}
		return mean, second
	}
	wantMean, wantSecond := law(0.8)
	se := math.Sqrt((fourth - second*second) / n)
	if tol := 4 * math.Sqrt((second-mean*mean)/n); math.Abs(mean-wantMean) > tol {
		t.Errorf("mean %g, want %g ± %.2g", mean, wantMean, tol)
	}
	if math.Abs(second-wantSecond) > 4*se {
		t.Errorf("second moment %g, want %g ± %.2g", second, wantSecond, 4*se)
	}
	if _, twin := law(1); math.Abs(second-twin) < 4*se {
		t.Errorf("second moment %g is that of noise alone, %g", second, twin)
	}
}

// Noise reaches as many points with few neighbours as with 100: a ball of a fraction (a^d k)/100 of them. It never takes over more
// than all of the scatter, and with more neighbours a is as it was given.
func TestEnoughNoise(t *testing.T) {
	for _, d := range []int{1, 2, 7} {
		for _, k := range []int{30, 50, 99} {
			a := 0.25
			if got := float64(k) * math.Pow(enough(a, k, d), float64(d)); math.Abs(got/(100*math.Pow(a, float64(d)))-1) > 1e-12 {
				t.Errorf("%d neighbours in %d dimensions: noise reaches %g, want %g", k, d, got, 100*math.Pow(a, float64(d)))
			}
		}
	}
	if got := enough(0.5, 10, 2); got != 1 {
		t.Errorf("got %g, want 1", got)
	}
	if got := enough(0.5, 160, 2); got != 0.5 {
		t.Errorf("got %g, want 0.5", got)
	}
	if got := enough(0, 10, 2); got != 0 {
		t.Errorf("got %g, want 0", got)
	}
}

// Points that all coincide stay as they are, be they one or many.
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

// An a that is none is the caller's mistake; without this draws would be NaN.
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

// Of many points some choose k, from all over the rows; all are smoothed.
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
	s := newSmoothed(x, a, some)
	if want := newSmoothed(every, a, some).k; s.k != want {
		t.Errorf("%d neighbours, want %d", s.k, want)
	}
	want := survey(x, []int{s.k})[0].smooth(x, enough(a, s.k, 2))
	if !mat.Equal(s.centre, want.centre) || !slices.Equal(s.sd, want.sd) {
		t.Error("the smoothing is not that of all points")
	}
}

// logProb is the log density of s at x.
func (s *Smoothed) logProb(x []float64) float64 {
	sum := newLogSum()
	for j, v := range s.sd {
		var sq float64
		for c, m := range s.centre.RawRowView(j) {
			sq += (x[c] - m) * (x[c] - m)
		}
		sum.add(-0.5*sq/(v*v)-float64(len(x))*math.Log(v*math.Sqrt(2*math.Pi)), 0, 0)
	}
	return sum.log() - math.Log(float64(len(s.sd)))
}

// Fresh draws are as likely under the chosen number of neighbours as under the best, within the scatter of the points that it
// was chosen on. No one number is right: the twins, which take the first or the last whatever the points, fail. And they are
// likelier than under noise alone, which widens what is narrower than it, of any number of neighbours.
func TestSmoothedChoosesNeighbours(t *testing.T) {
	const n, fresh = 1200, 1000
	failed := make(map[string]bool)
	for _, name := range []string{"2spirals", "8gaussians"} {
		truth, err := New(name)
		if err != nil {
			t.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(9, 10))
		x, y := mat.NewDense(n, 2, nil), mat.NewDense(fresh, 2, nil)
		truth.Sample(x, rng)
		truth.Sample(y, rng)
		points, err := NewPoints(x)
		if err != nil {
			t.Fatal(err)
		}
		around := survey(x, neighbours)
		measure := func(s *Smoothed) (logp []float64, mean float64) {
			for i := range fresh {
				logp = append(logp, s.logProb(y.RawRowView(i)))
				mean += logp[i] / fresh
			}
			return logp, mean
		}
		logp, mean := make([][]float64, len(neighbours)), make([]float64, len(neighbours))
		var noise []float64
		best, least := 0, math.Inf(-1)
		for j := range logp {
			s := around[j].smooth(x, comparedAt)
			if logp[j], mean[j] = measure(s); mean[j] > mean[best] {
				best = j
			}
			s.centre = x
			if plain, m := measure(s); m > least {
				noise, least = plain, m
			}
		}
		// how much likelier draws are under a than under b, in standard errors on so many points
		likelier := func(a, b []float64, points float64) float64 {
			var sum, ss float64
			for i := range a {
				v := a[i] - b[i]
				sum, ss = sum+v/fresh, ss+v*v/fresh
			}
			if sum == 0 {
				return 0
			}
			return sum / math.Sqrt((ss-sum*sum)/points)
		}
		short := func(j int) float64 { return likelier(logp[best], logp[j], comparedOn) } // as the choice was made on
		chosen := NewSmoothed(points, 0.3).Neighbours()
		at := slices.Index(neighbours, chosen)
		t.Logf("%s: %d neighbours chosen, %d best; mean log density %.3f, by noise alone %.3f", name, chosen, neighbours[best], mean, least)
		if z := likelier(logp[at], noise, fresh); z < 4 {
			t.Errorf("%s: mean log density %.4f, by noise alone %.4f: %.1f standard errors more", name, mean[at], least, z)
		}
		if z := short(at); z > 4 {
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
