package density

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// apart is a mixture of four Gaussians that hardly overlap.
func apart(kind Covariance, d int) *Mixture {
	p := parameters(kind, 4, d)
	floats.Scale(0.5, p.Factors)
	for k := range 4 {
		p.Weights[k] = float64(1 + k)
		for j := range d {
			p.Means[k*d+j] += 8 * float64((k>>(j%2))&1)
		}
	}
	return must(NewMixture(p))
}

// Every pass increases the penalised likelihood, for every kind.
func TestClimbs(t *testing.T) {
	x := draw(must(NewMixture(parameters(Full, 3, 4))), 700, 1)
	z, _, err := standardise(x)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []Covariance{Full, Tied, Diagonal} {
		f := newEM(kind, MixtureConfig{Shrink: 0.7}, z, priorOf(z))
		m := f.divided(cluster(z, 5, newRNG(1)), 5)
		last := math.Inf(-1)
		for i := range 60 {
			_, _, height := f.climb(m, 0, 1)
			if height < last-1e-5 { // shares below 1e-9 are left out
				t.Errorf("%v: pass %d falls from %.9g to %.9g", kind, i, last, height)
			}
			last = height
			m, _, _ = f.climb(m, 0, 2)
		}
	}
}

// A known mixture in eight dimensions is recovered: its kind, its number of components, and every weight, mean and
// covariance to the accuracy that the number of points allows.
func TestRecovers(t *testing.T) {
	const n, d = 10_000, 8
	for _, kind := range []Covariance{Full, Tied, Diagonal} {
		truth := apart(kind, d)
		x := draw(truth, n, 6)
		got := must(FitMixture(x, MixtureConfig{Components: []int{1, 2, 3, 4, 5, 6}}, newRNG(2)))
		if got.Components() != 4 || got.p.Covariance != kind {
			t.Errorf("%v-4: found %v-%d", kind, got.p.Covariance, got.Components())
			continue
		}
		w, v := truth.Weights(), got.Weights()
		for k := range 4 {
			c := nearest(got, truth.Means().RawRowView(k))
			points := w[k] * n
			check := func(what string, got, want, sd float64) {
				if z := (got - want) / sd; math.Abs(z) > 5 { // the largest of a few hundred numbers
					t.Errorf("%v: component %d: %s %g, want %g ± %g", kind, k, what, got, want, sd)
				}
			}
			check("weight", v[c], w[k], math.Sqrt(w[k]*(1-w[k])/n))
			cov, want := got.CovarianceOf(c), truth.CovarianceOf(k)
			if kind == Tied {
				points = n
			}
			for a := range d {
				check("mean", got.Means().At(c, a), truth.Means().At(k, a), math.Sqrt(want.At(a, a)/(w[k]*n)))
				for b := range a + 1 {
					sd := math.Sqrt((want.At(a, a)*want.At(b, b) + want.At(a, b)*want.At(a, b)) / points)
					check("covariance", cov.At(a, b), want.At(a, b), sd)
				}
			}
		}
	}
}

func nearest(m *Mixture, x []float64) (best int) {
	least := math.Inf(1)
	for k := range m.Components() {
		if sq := squaredDistance(m.Means().RawRowView(k), x, 1); sq < least {
			best, least = k, sq
		}
	}
	return best
}

// On overlapping mixtures of few and of many dimensions, the fit is as likely as the truth on new points, up to half
// the penalty for its parameters, by either criterion.
func TestFitsOverlapping(t *testing.T) {
	for _, d := range []int{2, 21} {
		truth := must(NewMixture(parameters(Full, 3, d)))
		x, y := draw(truth, 3000, 1), draw(truth, 3000, 2)
		for _, criterion := range []Criterion{BIC, HeldOut} {
			if d > 2 && criterion == HeldOut {
				continue // slow
			}
			got := must(FitMixture(x, MixtureConfig{Components: []int{2, 3, 4},
				Covariances: []Covariance{Full, Diagonal}, Criterion: criterion}, newRNG(1)))
			diff := logProb(truth, y)
			floats.Sub(diff, logProb(got, y))
			mean, sd := stat.MeanStdDev(diff, nil)
			se := sd / math.Sqrt(3000)
			most := float64(truth.free())/(2*3000) + 5*se // with n points, a fit of k parameters loses k/2n
			if mean > most || mean < -5*se {
				t.Errorf("d = %d, criterion %d: %v-%d loses %.4f nats, want at most %.4f", d, criterion,
					got.p.Covariance, got.Components(), mean, most)
			}
		}
	}
}

// The same bits for any number of threads, and for units that are powers of two.
func TestFitIsReproducible(t *testing.T) {
	x := draw(must(NewMixture(parameters(Full, 3, 3))), 6000, 9)
	fit := func(x *mat.Dense) *Mixture {
		return must(FitMixture(x, MixtureConfig{Components: []int{2, 3, 4}}, newRNG(3)))
	}
	want := fit(x)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(5))
	if got := fit(x); !slices.Equal(got.p.Means, want.p.Means) || !slices.Equal(got.p.Factors, want.p.Factors) {
		t.Error("another number of threads makes another mixture")
	}
	for _, e := range []int{-490, 490} { // 1e±148
		y := mat.DenseCopyOf(x)
		y.Scale(math.Ldexp(1, e), y)
		got := fit(y).Parameters()
		floats.Scale(math.Ldexp(1, -e), got.Factors)
		if !floats.EqualApprox(got.Factors, want.p.Factors, 1e-9) {
			t.Errorf("in units of 2^%d: factors %v, want %v", e, got.Factors, want.p.Factors)
		}
	}
}

// Points that allow no density give errors that name what is wrong; few points, equal rows and dependent columns are
// no errors.
func TestFitDegenerate(t *testing.T) {
	normal := func(n, d int) *mat.Dense { return draw(must(NewIsotropic(make([]float64, d), 1)), n, 5) }
	equal, same, line := mat.NewDense(9, 2, nil), normal(9, 3), normal(300, 3)
	for i := range 9 {
		equal.SetRow(i, []float64{0.1, 1e9 + 0.3})
		same.Set(i, 1, 7)
	}
	for i := range 300 {
		line.Set(i, 2, line.At(i, 0)-3*line.At(i, 1))
	}
	odd := normal(5, 2)
	odd.Set(3, 1, math.Inf(1))
	for _, c := range []struct {
		name string
		x    *mat.Dense
		cfg  MixtureConfig
		want string
	}{
		{"one point", normal(1, 2), MixtureConfig{}, "one point has no spread"},
		{"equal points", equal, MixtureConfig{}, "columns 1, 2 are the same in all 9 points"},
		{"constant column", same, MixtureConfig{}, "column 2 is the same in all 9 points"},
		{"too many components", normal(3, 2), MixtureConfig{Components: []int{4}}, "4 components for 3 points"},
		{"no points", nil, MixtureConfig{}, "no points"},
		{"not finite", odd, MixtureConfig{}, "row 4, column 2 of the points is +Inf"},
		{"no components", normal(9, 2), MixtureConfig{Components: []int{0}}, "Components has 0"},
		{"settings", normal(9, 2), MixtureConfig{Restarts: -1, Shrink: -1, Tolerance: math.NaN(), Criterion: 7},
			"Criterion = 7"},
	} {
		_, err := FitMixture(c.x, c.cfg, newRNG(1))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
		var e *SingularError
		if singular := c.name == "one point" || c.x == equal || c.x == same; singular != errors.As(err, &e) {
			t.Errorf("%s: error of type %T", c.name, err)
		}
	}
	twice := mat.NewDense(10, 2, nil) // two points, five times each
	for i := range 10 {
		twice.SetRow(i, []float64{float64(i % 2), -float64(i % 2)})
	}
	for name, x := range map[string]*mat.Dense{"two points": normal(2, 3), "on a line": line, "repeated": twice,
		"wide": normal(8, 20)} {
		for _, cfg := range []MixtureConfig{{}, {Criterion: HeldOut, Components: []int{1, 2}}, {Components: []int{2}}} {
			m, err := FitMixture(x, cfg, newRNG(1))
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			for _, v := range logProb(m, x) {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					t.Errorf("%s: log density %g at a point", name, v)
				}
			}
		}
	}
}

// Search returns all candidates, the best first; their scores are log densities minus the penalty for parameters.
func TestSearch(t *testing.T) {
	x := draw(apart(Diagonal, 2), 600, 3)
	tried := must(Search(x, MixtureConfig{Components: []int{1, 2, 4}}, newRNG(1)))
	if len(tried) != 9 {
		t.Fatalf("%d candidates, want 9", len(tried))
	}
	for _, c := range tried {
		want := stat.Mean(logProb(c.Mixture, x), nil)
		if math.Abs(c.LogProb-want) > 1e-6 {
			t.Errorf("log density %g, want %g", c.LogProb, want)
		}
		if bic := want - float64(c.Mixture.free())*math.Log(600)/1200; math.Abs(c.Score-bic) > 1e-6 {
			t.Errorf("score %g, want %g", c.Score, bic)
		}
		if c.Score > tried[0].Score+1./600 {
			t.Errorf("score %g is not first", c.Score)
		}
	}
}

// The second round of starts is for the best candidate of every kind, however far it is behind the others.
func TestBestOfKinds(t *testing.T) {
	var tried []Candidate
	for i, kind := range []Covariance{Full, Full, Full, Full, Tied, Diagonal, Diagonal} {
		tried = append(tried, Candidate{Mixture: must(NewMixture(parameters(kind, 2, 2))), Score: -float64(i * i % 5)})
	}
	if got, want := bestOfKinds(tried), []int{0, 5, 1, 4, 6, 2}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Well separated clusters of points are found; with fewer different points than clusters some stay empty.
func TestCluster(t *testing.T) {
	x := mat.NewDense(6, 1, []float64{0, 0, 5, 5, 9, 9})
	label := cluster(x, 3, newRNG(1))
	if label[0] != label[1] || label[2] != label[3] || label[4] != label[5] || label[0] == label[2] ||
		label[2] == label[4] {
		t.Errorf("clusters %v", label)
	}
	for _, c := range cluster(mat.NewDense(4, 1, []float64{1, 1, 1, 1}), 3, newRNG(1)) {
		if c != 0 {
			t.Errorf("equal points in cluster %d", c)
		}
	}
}

// The cost of a fit: one pass over the points, per point and component.
func BenchmarkPass(b *testing.B) {
	const n, d, k = 8192, 7, 12
	z, _, _ := standardise(draw(must(NewMixture(parameters(Full, k, d))), n, 1))
	for _, kind := range []Covariance{Full, Tied, Diagonal} {
		b.Run(fmt.Sprintf("covariance=%v", kind), func(b *testing.B) {
			f := newEM(kind, MixtureConfig{Shrink: 0.1}, z, priorOf(z))
			m, _, _ := f.climb(f.divided(cluster(z, k, newRNG(1)), k), 0, 30)
			for b.Loop() {
				f.pass(m)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n*k), "ns/component")
		})
	}
}
