package density

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

func newRNG(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func draw(q Density, n int, seed uint64) *mat.Dense {
	x := mat.NewDense(n, q.Dim(), nil)
	q.Sample(x, newRNG(seed))
	return x
}

func logProb(q Density, x *mat.Dense) []float64 {
	n, _ := x.Dims()
	dst := make([]float64, n)
	q.LogProb(dst, x)
	return dst
}

// zLimit is the normal quantile of a two-sided test at 1e-6.
var zLimit = distuv.UnitNormal.Quantile(1 - 1e-6/2)

// agree tests that draws and log densities of q belong to the same normalised distribution by E_q g/q = 1, for a
// normalised density g that is nowhere much above q and vanishes where q does.
func agree(q, g Density, n int, seed uint64) error {
	x := draw(q, n, seed)
	ratio := logProb(g, x)
	floats.Sub(ratio, logProb(q, x))
	for i, v := range ratio {
		ratio[i] = math.Exp(v)
	}
	mean, sd := stat.MeanStdDev(ratio, nil)
	if z := (mean - 1) / (sd / math.Sqrt(float64(n))); !(math.Abs(z) < zLimit) {
		return fmt.Errorf("E g/q = %g over draws, want 1: z = %.1f", mean, z)
	}
	return nil
}

// parameters are those of an irregular mixture of k components.
func parameters(kind Covariance, k, d int) Parameters {
	rng := newRNG(uint64(100*k + d))
	p := Parameters{Dim: d, Covariance: kind, Factors: make([]float64, kind.factors(k, d))}
	for range k {
		p.Weights = append(p.Weights, 0.5+rng.Float64())
	}
	for range k * d {
		p.Means = append(p.Means, 2*rng.NormFloat64())
	}
	for i := range p.Factors {
		p.Factors[i] = 0.4 + rng.Float64()
		if kind == Full || kind == Tied {
			switch row, col := i/d%d, i%d; {
			case col > row:
				p.Factors[i] = 0
			case col < row:
				p.Factors[i] = 0.7 * rng.NormFloat64() / math.Sqrt(float64(d))
			}
		}
	}
	return p
}

// everyMixture calls f for a mixture of every kind in several dimensions.
func everyMixture(t *testing.T, f func(t *testing.T, m *Mixture)) {
	for kind := range Covariance(len(covarianceNames)) {
		for _, d := range []int{1, 2, 5, 12} {
			t.Run(fmt.Sprintf("%v/d=%d", kind, d),
				func(t *testing.T) { f(t, must(NewMixture(parameters(kind, 3, d)))) })
		}
	}
}

// others are densities that are not mixtures, with a density that agree can compare them with.
func others() map[string][2]Density {
	box := must(NewBox([]float64{-2, 0}, []float64{1, 3}))
	near := must(NewMixture(parameters(Full, 2, 2)))
	table := must(Tabulate(near, []float64{-8, -8}, []float64{8, 8}, 0.5))
	inside := must(NewBox([]float64{-1, 0.5}, []float64{1, 2.5}))
	return map[string][2]Density{
		"box":   {box, inside},
		"blend": {must(NewBlend([]Density{box, near, table}, []float64{1, 2, 3})), inside},
		"table": {table, must(Tabulate(must(NewIsotropic(near.Means().RawRowView(0), 0.3)), []float64{-8, -8},
			[]float64{8, 8}, 0.5))},
	}
}

// What every density must satisfy: wrong shapes panic, a coordinate that is not a number has density zero, and
// several goroutines may call at a time, without allocating.
func keeps(t *testing.T, q Density) {
	t.Helper()
	d := q.Dim()
	x := draw(q, 20, 3)
	logp := logProb(q, x)
	for i, v := range logp {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			t.Fatalf("log density %g at a draw, row %d", v, i)
		}
	}
	x.Set(4, d-1, math.NaN())
	x.Set(5, 0, 1e200)
	odd := logProb(q, x)
	if !math.IsNaN(odd[4]) || !math.IsInf(odd[5], -1) {
		t.Errorf("log density %g at NaN, %g at 1e200, want NaN and -Inf", odd[4], odd[5])
	}
	s, ok := ScorerOf(q)
	if !ok {
		t.Fatal("no score")
	}
	score := mat.NewDense(20, d, nil)
	s.Score(score, x)
	if row := score.RawRowView(5); floats.Norm(row, 1) != 0 {
		t.Errorf("score %v where there is no density, want zeros", row)
	}
	for name, f := range map[string]func(){
		"columns":      func() { q.LogProb(logp, mat.NewDense(20, d+1, nil)) },
		"rows":         func() { q.LogProb(logp[1:], x) },
		"draws":        func() { q.Sample(mat.NewDense(2, d+1, nil), newRNG(1)) },
		"score":        func() { s.Score(mat.NewDense(19, d, nil), x) },
		"score's axes": func() { s.Score(score, mat.NewDense(20, d+1, nil)) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("wrong %s: no panic", name)
				}
			}()
			f()
		}()
	}
	x.Set(4, d-1, 0)
	rng := newRNG(4)
	if n := testing.AllocsPerRun(20, func() { q.LogProb(odd, x); q.Sample(x, rng) }); n != 0 {
		t.Errorf("%g allocations", n)
	}
}

func TestKeeps(t *testing.T) {
	everyMixture(t, func(t *testing.T, m *Mixture) { keeps(t, m) })
	for name, q := range others() {
		t.Run(name, func(t *testing.T) { keeps(t, q[0]) })
	}
}

// Draws follow the density, for all kinds; those of a twin that is a tenth wider do not.
func TestDraws(t *testing.T) {
	const n = 200_000
	everyMixture(t, func(t *testing.T, m *Mixture) {
		p := m.Parameters()
		narrow := func(by float64) *Mixture { // a part of a mixture, so that the ratio is bounded
			q := p.clone()
			for i := range q.Factors {
				q.Factors[i] *= by
			}
			return must(NewMixture(q))
		}
		if err := agree(m, narrow(0.9), n, 1); err != nil {
			t.Error(err)
		}
		if agree(liar{m, narrow(1.1)}, narrow(0.8), n, 1) == nil {
			t.Error("draws of a wider mixture are not found out")
		}
	})
	for name, q := range others() {
		if err := agree(q[0], q[1], n, 2); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// liar draws from another density than the one it reports.
type liar struct {
	Density
	draws Density
}

func (l liar) Sample(dst *mat.Dense, rng *rand.Rand) { l.draws.Sample(dst, rng) }

// The score is the slope of the log density, by central differences.
func TestScore(t *testing.T) {
	check := func(t *testing.T, q Density) {
		const h = 1e-5
		d := q.Dim()
		x := draw(q, 50, 7)
		got := mat.NewDense(50, d, nil)
		s, _ := ScorerOf(q)
		s.Score(got, x)
		for j := range d {
			up, down := mat.DenseCopyOf(x), mat.DenseCopyOf(x)
			for i := range 50 {
				up.Set(i, j, x.At(i, j)+h)
				down.Set(i, j, x.At(i, j)-h)
			}
			hi, lo := logProb(q, up), logProb(q, down)
			for i := range 50 {
				want := (hi[i] - lo[i]) / (2 * h)
				if math.IsInf(want, 0) || math.IsNaN(want) {
					continue // across the border of a box
				}
				if math.Abs(got.At(i, j)-want) > 1e-5*(1+math.Abs(want)) {
					t.Errorf("row %d, axis %d: score %g, slope %g", i, j, got.At(i, j), want)
				}
			}
		}
	}
	everyMixture(t, func(t *testing.T, m *Mixture) { check(t, m) })
	for name, q := range others() {
		t.Run(name, func(t *testing.T) { check(t, q[0]) })
	}
}
