package energy

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/graphs"
)

// irregular is a mixture of k components.
func irregular(kind density.Covariance, k, d int) *density.Mixture {
	rng := rand.New(rand.NewPCG(uint64(k), uint64(d)))
	p := density.Parameters{Dim: d, Covariance: kind}
	factors := map[density.Covariance]int{density.Full: k * d * d, density.Tied: d * d, density.Diagonal: k * d,
		density.Spherical: k}
	for range k {
		p.Weights = append(p.Weights, 0.5+rng.Float64())
		for range d {
			p.Means = append(p.Means, 2*rng.NormFloat64())
		}
	}
	for i := range factors[kind] {
		v := 0.4 + rng.Float64()
		if kind == density.Full || kind == density.Tied {
			switch row, col := i/d%d, i%d; {
			case col > row:
				v = 0
			case col < row:
				v = (v - 0.9) / math.Sqrt(float64(d))
			}
		}
		p.Factors = append(p.Factors, v)
	}
	return must(density.NewMixture(p))
}

// quartic is a user-defined density, p ∝ exp(-x⁴), with its graph.
type quartic struct{}

func (quartic) Dim() int { return 1 }
func (quartic) LogProb(dst []float64, x *mat.Dense) {
	for i := range dst {
		dst[i] = -math.Pow(x.At(i, 0), 4) - math.Log(2*math.Gamma(1.25))
	}
}
func (quartic) Sample(dst *mat.Dense, rng *rand.Rand) {
	for i := range dst.RawMatrix().Rows {
		x, u := 4*rng.Float64()-2, rng.Float64()
		for u > math.Exp(-math.Pow(x, 4)) {
			x, u = 4*rng.Float64()-2, rng.Float64()
		}
		dst.Set(i, 0, x)
	}
}
func (quartic) BuildLogProb(x *G.Node) (*G.Node, error) {
	return graphs.Try(func() *G.Node {
		return graphs.Shift(graphs.Neg(graphs.Square(graphs.Square(x))), -math.Log(2*math.Gamma(1.25)))
	})
}

func densities() map[string]density.Density {
	q := map[string]density.Density{
		"gaussian":     must(density.NewGaussian([]float64{1, -1}, mat.NewSymDense(2, []float64{2, 0.7, 0.7, 0.5}))),
		"many kernels": irregular(density.Spherical, 400, 3),
		"many full":    irregular(density.Full, 800, 2),
		"one's own":    quartic{},
		"own in blends": must(density.NewBlend([]density.Density{quartic{},
			must(density.NewIsotropic([]float64{1}, 2))}, []float64{1, 2})),
	}
	for kind := range density.Covariance(4) {
		for _, d := range []int{1, 2, 7, 30} {
			q[fmt.Sprintf("%v-%d", kind, d)] = irregular(kind, 4, d)
		}
	}
	q["blend"] = must(density.NewBlend([]density.Density{q["full-2"], q["gaussian"]}, []float64{3, 1}))
	return q
}

// The graph of a density and the density itself agree to 1e-12, in value and score; the trace of the second derivative
// is that of differences of the score.
func TestDensity(t *testing.T) {
	const n, h = 60, 1e-5
	for name, q := range densities() {
		t.Run(name, func(t *testing.T) {
			e, d := must(NewDensity(q)), q.Dim()
			x := mat.NewDense(n, d, nil)
			q.Sample(x, rand.New(rand.NewPCG(1, 2)))
			x.Scale(1.5, x)
			v := must(NewEvaluator(e, NewParams(nil), EvaluatorConfig{Batch: n, Precision: Float64}))
			got, grad, want := make([]float64, n), mat.NewDense(n, d, nil), make([]float64, n)
			if err := v.EnergyGrad(got, grad, x); err != nil {
				t.Fatal(err)
			}
			q.LogProb(want, x)
			for i := range n {
				if math.Abs(got[i]+want[i]) > 1e-12*(1+math.Abs(want[i])) {
					t.Errorf("row %d: graph %.16g, density %.16g", i, -got[i], want[i])
				}
			}
			s, ok := density.ScorerOf(q)
			if !ok {
				return
			}
			score := mat.NewDense(n, d, nil)
			s.Score(score, x)
			score.Add(score, grad)
			if worst := floats.Norm(score.RawMatrix().Data,
				math.Inf(1)); worst > 1e-12*(1+mat.Norm(grad, math.Inf(1))) {
				t.Errorf("scores differ by %g", worst)
			}
			trace := hessianTrace(t, e, x)
			for j := range d {
				up, down, moved := mat.NewDense(n, d, nil), mat.NewDense(n, d, nil), mat.DenseCopyOf(x)
				for i := range n {
					moved.Set(i, j, x.At(i, j)+h)
				}
				s.Score(up, moved)
				for i := range n {
					moved.Set(i, j, x.At(i, j)-h)
				}
				s.Score(down, moved)
				for i := range n {
					trace[i] += (up.At(i, j) - down.At(i, j)) / (2 * h)
				}
			}
			if worst := floats.Norm(trace, math.Inf(1)); worst > 1e-5 {
				t.Errorf("traces of the second derivative differ by %g", worst)
			}
		})
	}
}

func hessianTrace(t *testing.T, e Energy, x *mat.Dense) []float64 {
	t.Helper()
	defer graphs.Building()()
	n, d := x.Dims()
	g := G.NewGraph()
	in := graphs.NewInput(g, Float64.Dtype(), "x", n, d)
	u, err := e.Build(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	trace, err := graphs.HessianTrace(u, in)
	if err != nil {
		t.Fatal(err)
	}
	nodes, values, err := Constants(g)
	if err != nil {
		t.Fatal(err)
	}
	f, err := graphs.Compile(append(nodes, in), G.Nodes{trace})
	if err != nil {
		t.Fatal(err)
	}
	out := make([]float64, n)
	if err := f.Call([][]float64{out}, append(values, x.RawMatrix().Data)...); err != nil {
		t.Fatal(err)
	}
	return out
}

// Densities with jumps or kinks have no graph, nor do those that do not provide one.
func TestDensityRefuses(t *testing.T) {
	box := must(density.NewBox([]float64{0}, []float64{1}))
	g := must(density.NewIsotropic([]float64{0}, 1))
	for name, q := range map[string]density.Density{
		"nil": nil, "box": box, "table": must(density.Tabulate(g, []float64{-3}, []float64{3}, 0.1)),
		"blend":   must(density.NewBlend([]density.Density{g, box}, []float64{1, 1})),
		"wrapped": struct{ density.Density }{g},
	} {
		if _, err := NewDensity(q); err == nil {
			t.Errorf("%s: no error", name)
		}
		if _, err := CompileDensity(q, EvaluatorConfig{}); err == nil {
			t.Errorf("%s: compiled", name)
		}
	}
}

// A compiled density equals the density, for any number of rows and several concurrent callers.
func TestCompileDensity(t *testing.T) {
	q := irregular(density.Spherical, 300, 3)
	c := must(CompileDensity(q, EvaluatorConfig{Batch: 64, Precision: Float64}))
	var all sync.WaitGroup
	errs := make([]error, 4)
	for k := range errs {
		all.Go(func() {
			n := 50 + 31*k
			x := mat.NewDense(n, 3, nil)
			c.Sample(x, rand.New(rand.NewPCG(uint64(k), 1)))
			got, want := make([]float64, n), make([]float64, n)
			slope, score := mat.NewDense(n, 3, nil), mat.NewDense(n, 3, nil)
			for range 20 {
				c.LogProb(got, x)
				c.Score(slope, x)
			}
			q.LogProb(want, x)
			q.Score(score, x)
			if !floats.EqualApprox(got, want, 1e-11) || !mat.EqualApprox(slope, score, 1e-10) {
				errs[k] = errors.New("a compiled density differs from the density")
			}
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
}
