package mcmc

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// FitMass returns the mass that suits draws x of a target with gradients g = ∇E there, one per row.
//
// It preconditions the target in the sense of Fisher's divergence: among all M⁻¹ = Σ it is the one for which the
// gradients of N(m, Σ) are closest to those seen, the solution of Σ G Σ = S, with S the covariance of the draws and G
// that of the gradients. For a Gaussian, with g = Σ⁻¹(x - m), it is exactly the covariance, from as many draws as there
// are dimensions, however correlated; the covariance of the draws alone needs many times as many.
//
// First every coordinate is scaled by D_j = (S_jj/G_jj)^¼, the diagonal solution. The remaining D⁻¹ΣD⁻¹ is computed
// with S and G shrunk towards 1 as if by one more draw; of the variances λ along its axes, the median is absorbed into
// D. Those that differ from 1 by less than n draws can resolve, |log λ| < 2√(d/n), are set to 1, and the rest decide
// the kind of mass: no axis → [Diagonal]; fewer than a quarter of d → [LowRank], which is then cheaper; else [Dense].
// With fewer than 4d draws, or in more than 500 dimensions, it is Diagonal.
//
// Seyboldt, Carlson and Carpenter, Preconditioning Hamiltonian Monte Carlo by minimizing Fisher divergence, 2024.
func FitMass(x, g *mat.Dense) (Mass, error) {
	if x == nil || g == nil {
		return nil, check(false, "mcmc: FitMass without draws or gradients")
	}
	n, d := x.Dims()
	if r, c := g.Dims(); r != n || c != d || n < 2 {
		return nil, check(false, "mcmc: FitMass of %d draws and %d gradients, want as many, and at least 2", n, r)
	}
	m, _ := fitMass(append([]float64(nil), x.RawMatrix().Data...), append([]float64(nil), g.RawMatrix().Data...), n, d)
	return m, nil
}

// Constants of the fit.
const (
	drawsPerDim = 4
	mostDims    = 500
	ridge       = 1. // number of draws by which S and G are shrunk towards 1
)

// fitMass is FitMass on n×d data, which it overwrites. It also returns the unevenness of the target: with the mass, S
// and G are the same matrix, whose eigenvalues are 1 for a Gaussian and larger along axes where the curvature varies
// (that their product is at least 1 is the Cramér–Rao bound). Unevenness is the largest, 0 if unknown.
func fitMass(x, g []float64, n, d int) (m Mass, uneven float64) {
	scale := make(Diagonal, d)
	for j := range scale {
		vx, vg := centre(x, d, j), centre(g, d, j)
		scale[j] = 1
		if s := math.Sqrt(math.Sqrt(vx / vg)); s > 0 && !math.IsInf(s, 1) {
			scale[j] = s
		}
	}
	if d == 1 || d > mostDims || n < drawsPerDim*d {
		return scale, 0
	}
	for i := range n {
		for j, s := range scale {
			x[i*d+j] /= s
			g[i*d+j] *= s
		}
	}
	curvature := scatter(g, n, d)
	b := geometric(scatter(x, n, d), curvature)
	var e mat.EigenSym
	if b == nil || !e.Factorize(b, true) {
		return scale, 0
	}
	lambda := e.Values(nil)
	if !(lambda[0] > 0) || math.IsInf(lambda[d-1], 1) {
		return scale, 0
	}
	if uneven = largest(b, curvature); uneven-uneven != 0 {
		uneven = 0
	}
	// What most axes share goes into the scales.
	usual := lambda[d/2]
	for j := range scale {
		scale[j] *= math.Sqrt(usual)
	}
	var u mat.Dense
	e.VectorsTo(&u)
	told := 2 * math.Sqrt(float64(d)/float64(n))
	var kept []int
	for k := range lambda {
		lambda[k] /= usual
		if math.Abs(math.Log(lambda[k])) < told {
			lambda[k] = 1
		} else {
			kept = append(kept, k)
		}
	}
	switch {
	case len(kept) == 0:
		return scale, uneven
	case len(kept) < d/4:
		return lowRankOf(scale, &u, lambda, kept), uneven
	}
	cov := mat.NewSymDense(d, nil)
	for i := range d {
		for j := range i + 1 {
			var sum float64
			for k, v := range lambda {
				sum += u.At(i, k) * v * u.At(j, k)
			}
			cov.SetSym(i, j, sum*scale[i]*scale[j])
		}
	}
	full, err := NewDense(cov)
	if err != nil {
		return scale, uneven
	}
	return full, uneven
}

// largest returns the largest eigenvalue of B^½ G B^½.
func largest(b, g *mat.SymDense) float64 {
	root, _ := roots(b)
	if root == nil {
		return 0
	}
	var c mat.Dense
	c.Product(root, g, root)
	var e mat.EigenSym
	if !e.Factorize(symmetric(&c), false) {
		return 0
	}
	return e.Values(nil)[g.SymmetricDim()-1]
}

func lowRankOf(scale Diagonal, u *mat.Dense, lambda []float64, kept []int) Mass {
	d := len(scale)
	dirs, values := mat.NewDense(d, len(kept), nil), make([]float64, len(kept))
	for c, k := range kept {
		dirs.SetCol(c, mat.Col(nil, k, u))
		values[c] = lambda[k]
	}
	m, err := NewLowRank(scale, dirs, values)
	if err != nil {
		return scale
	}
	return m
}

// centre subtracts the mean from column j and returns the variance.
func centre(x []float64, d, j int) float64 {
	n := float64(len(x) / d)
	var mean, sum float64
	for i := j; i < len(x); i += d {
		mean += x[i] / n
	}
	for i := j; i < len(x); i += d {
		x[i] -= mean
		sum += x[i] * x[i]
	}
	return sum / (n - 1)
}

// scatter returns (XᵀX + ρI)/n of centred rows.
func scatter(x []float64, n, d int) *mat.SymDense {
	s := mat.NewSymDense(d, nil)
	s.SymOuterK(1, mat.NewDense(n, d, x).T())
	for i := range d {
		for j := range i + 1 {
			v := s.At(i, j)
			if i == j {
				v += ridge
			}
			s.SetSym(i, j, v/float64(n))
		}
	}
	return s
}

// geometric returns the solution B of B G B = S,
//
//	B = G^(-½) (G^½ S G^½)^½ G^(-½),
//
// or nil if there is none.
func geometric(s, g *mat.SymDense) *mat.SymDense {
	root, inverse := roots(g)
	if root == nil {
		return nil
	}
	var c mat.Dense
	c.Product(root, s, root)
	middle, _ := roots(symmetric(&c))
	if middle == nil {
		return nil
	}
	c.Product(inverse, middle, inverse)
	return symmetric(&c)
}

// roots returns the square root of a positive definite matrix and its inverse.
func roots(a *mat.SymDense) (root, inverse *mat.Dense) {
	var e mat.EigenSym
	if !e.Factorize(a, true) {
		return nil, nil
	}
	d := a.SymmetricDim()
	values := e.Values(nil)
	if !(values[0] > 0) || math.IsInf(values[d-1], 1) {
		return nil, nil
	}
	var u, left mat.Dense
	e.VectorsTo(&u)
	power := func(p float64) *mat.Dense {
		left.Apply(func(_, k int, v float64) float64 { return v * math.Pow(values[k], p) }, &u)
		out := new(mat.Dense)
		out.Mul(&left, u.T())
		return out
	}
	return power(.5), power(-.5)
}

// symmetric returns the symmetric part.
func symmetric(a *mat.Dense) *mat.SymDense {
	d, _ := a.Dims()
	s := mat.NewSymDense(d, nil)
	for i := range d {
		for j := range i + 1 {
			s.SetSym(i, j, (a.At(i, j)+a.At(j, i))/2)
		}
	}
	return s
}

// history holds draws and gradients of a window, thinned evenly if there are too many.
type history struct {
	x, g   []float64
	d      int
	stride int // one row in stride is kept
	seen   int
}

// Capacity of a history in rows and in numbers.
const (
	historyRows    = 1 << 12
	historyNumbers = 1 << 22
)

// add records the positions of the chains in order.
func (h *history) add(s *State, chains []follower) {
	_, h.d = s.X.Dims()
	room := max(64, min(historyRows, historyNumbers/(2*h.d)))
	h.stride = max(1, h.stride)
	for i := range chains {
		if !chains[i].ordered {
			continue
		}
		if h.seen++; h.seen%h.stride != 0 {
			continue
		}
		h.x = append(h.x, s.X.RawRowView(i)...)
		h.g = append(h.g, s.Grad.RawRowView(i)...)
		if len(h.x) == room*h.d {
			h.x, h.g = h.halve(h.x), h.halve(h.g)
			h.stride *= 2
		}
	}
}

// halve drops every other row.
func (h *history) halve(v []float64) []float64 {
	at := 0
	for i := h.d; i < len(v); i += 2 * h.d {
		copy(v[at:at+h.d], v[i:i+h.d])
		at += h.d
	}
	return v[:at]
}

func (h *history) clear() { h.x, h.g, h.stride, h.seen = h.x[:0], h.g[:0], 1, 0 }

// fit returns the mass fitted to the history, nil if that is too short.
func (h *history) fit() (m Mass, uneven float64) {
	const least = 10
	if h.d == 0 || len(h.x)/h.d < least {
		return nil, 0
	}
	return fitMass(h.x, h.g, len(h.x)/h.d, h.d)
}
