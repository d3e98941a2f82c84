package mcmc_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/mcmc/mcmctest"
)

// recursive is NUTS as in Stan's base_nuts.hpp, by recursion, for one chain: the reference for the iterative form. It
// consumes random numbers in the same order.
type recursive struct {
	energy   mcmc.RowFunc
	inv      []float64
	eps      float64
	maxDepth int
	rng      *rand.Rand

	h0, accept float64
	leaves     int
	divergent  bool
}

type phase struct{ x, p, g []float64 }

func (z phase) clone() phase {
	c := func(v []float64) []float64 { return append([]float64(nil), v...) }
	return phase{c(z.x), c(z.p), c(z.g)}
}

func (r *recursive) hamiltonian(z phase, e float64) float64 {
	for j, v := range z.p {
		e += v * v * r.inv[j] / 2
	}
	return e
}

func (r *recursive) ahead(p, q, rho []float64) bool {
	var a, b float64
	for j := range p {
		a += r.inv[j] * p[j] * rho[j]
		b += r.inv[j] * q[j] * rho[j]
	}
	return a > 0 && b > 0
}

func sum(a, b []float64) []float64 {
	c := make([]float64, len(a))
	for j := range a {
		c[j] = a[j] + b[j]
	}
	return c
}

func logSum(a, b float64) float64 {
	m := math.Max(a, b)
	return m + math.Log(math.Exp(a-m)+math.Exp(b-m))
}

// build extends z by 2^depth steps of eps, and returns the sum of momenta, the first and the last one, the leaf drawn
// and the log weight.
func (r *recursive) build(depth int, z *phase, eps float64) (rho, first, last []float64, leaf phase, logw float64,
	ok bool) {
	if depth == 0 {
		for j := range z.x {
			z.p[j] -= eps / 2 * z.g[j]
			z.x[j] += eps * r.inv[j] * z.p[j]
		}
		e := r.energy(z.g, z.x)
		for j := range z.x {
			z.p[j] -= eps / 2 * z.g[j]
		}
		h := r.hamiltonian(*z, e)
		r.leaves++
		if h-r.h0 > 1000 {
			r.divergent = true
			return nil, nil, nil, phase{}, 0, false
		}
		r.accept += math.Min(1, math.Exp(r.h0-h))
		c := z.clone()
		return c.p, c.p, c.p, c, -h, true
	}
	rhoA, firstA, lastA, leafA, logA, ok := r.build(depth-1, z, eps)
	if !ok {
		return
	}
	rhoB, firstB, lastB, leafB, logB, ok := r.build(depth-1, z, eps)
	if !ok {
		return
	}
	logw = logSum(logA, logB)
	leaf = leafA
	if r.rng.Float64() < math.Exp(logB-logw) {
		leaf = leafB
	}
	ok = r.ahead(firstA, lastB, sum(rhoA, rhoB)) && r.ahead(firstA, firstB, sum(rhoA, firstB)) &&
		r.ahead(lastA, lastB, sum(rhoB, lastA))
	return sum(rhoA, rhoB), firstA, lastB, leaf, logw, ok
}

// step moves x and returns the depth.
func (r *recursive) step(x []float64) int {
	z := phase{append([]float64(nil), x...), make([]float64, len(x)), make([]float64, len(x))}
	e := r.energy(z.g, z.x)
	for j := range z.p {
		z.p[j] = r.rng.NormFloat64() / math.Sqrt(r.inv[j])
	}
	r.h0, r.accept, r.leaves, r.divergent = r.hamiltonian(z, e), 0, 0, false
	ends := [2]phase{z.clone(), z.clone()}
	rho := append([]float64(nil), z.p...)
	logw := -r.h0
	depth := 0
	for depth < r.maxDepth {
		dir := int(r.rng.Uint64() >> 63)
		joint := append([]float64(nil), ends[dir].p...)
		rhoNew, first, last, leaf, logNew, ok := r.build(depth, &ends[dir], r.eps*float64(2*dir-1))
		if !ok {
			break
		}
		depth++
		if r.rng.Float64() < math.Exp(logNew-logw) {
			copy(x, leaf.x)
		}
		logw = logSum(logw, logNew)
		far := ends[1-dir].p
		ok = r.ahead(far, last, sum(rho, rhoNew)) && r.ahead(far, first, sum(rho, first)) &&
			r.ahead(joint, last, sum(rhoNew, joint))
		rho = sum(rho, rhoNew)
		if !ok {
			break
		}
	}
	return depth
}

// TestNUTSIsStans: the iterative trees are those of the recursion, step for step.
func TestNUTSIsStans(t *testing.T) {
	for _, c := range []struct {
		known mcmctest.Known
		eps   float64
		inv   []float64
	}{
		{mcmctest.Correlated(.95), .15, []float64{1, 1}},
		{mcmctest.Banana(.3), .12, []float64{1, 2}},
		{mcmctest.Scaled(.3, 1, 4), .3, []float64{.5, 1, 4}},
		{mcmctest.Funnel(4, 3), .5, []float64{1, 1, 1, 1}},
	} {
		const depth = 6
		x := make([]float64, c.known.Dim)
		c.known.Draw(x, source(1))
		s := mcmc.NewState(mat.NewDense(1, len(x), append([]float64(nil), x...)))
		ra, rb := source(2), source(2)
		want := &recursive{energy: c.known.Energy, inv: c.inv, eps: c.eps, maxDepth: depth, rng: rb}
		kernel := mcmc.NUTS{StepSize: c.eps, Mass: mcmc.Variances(c.inv...), MaxDepth: depth}
		deepest, divergent := 0, 0
		for step := range 300 {
			info, err := kernel.Step(s, c.known.Energy, ra)
			if err != nil {
				t.Fatal(err)
			}
			d := want.step(x)
			got := info.Chains[0]
			if int(got.Depth) != d || int(got.Leapfrog) != want.leaves || got.Divergent != want.divergent ||
				math.Abs(got.AcceptProb-want.accept/float64(want.leaves)) > 1e-9 {
				t.Fatalf("%s, step %d: got %+v, want depth %d, %d leaves, acceptance %g, divergent %t",
					c.known.Name, step, got, d, want.leaves, want.accept/float64(want.leaves), want.divergent)
			}
			for j, v := range s.X.RawRowView(0) {
				if math.Abs(v-x[j]) > 1e-9*(1+math.Abs(v)) {
					t.Fatalf("%s, step %d: got %v, want %v", c.known.Name, step, s.X.RawRowView(0), x)
				}
			}
			copy(x, s.X.RawRowView(0)) // rounding differs
			deepest = max(deepest, d)
			if want.divergent {
				divergent++
			}
		}
		if deepest < 3 || c.known.Name == "funnel" && divergent == 0 {
			t.Errorf("%s: depth %d, %d divergences: the comparison shows little", c.known.Name, deepest, divergent)
		}
	}
}
