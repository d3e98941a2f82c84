package density

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/internal/batch"
)

// nothing is the distance below the largest term, in nats, at which a term does not change a sum of a million in
// float64.
const nothing = 52

// locate stores x in coordinates in which the components of a tied mixture are spherical, L⁻¹(x - origin).
func (m *Mixture) locate(dst, x []float64) {
	at := 0
	for a := range dst {
		var v float64
		for b := range a + 1 {
			v += m.inv[at] * (x[b] - m.origin[b])
			at++
		}
		dst[a] = v
	}
}

// place returns a point in the coordinates that distance and pull expect: x itself, or, for a tied mixture, as stored
// in buf by locate.
func (m *Mixture) place(buf, x []float64) []float64 {
	if m.origin == nil {
		return x
	}
	m.locate(buf, x)
	return buf
}

// distance is |z|², z = L_k⁻¹(x - μ_k), of a placed point, and stores z in room, which has 2d numbers; if |z|² exceeds
// most, it returns some number above most and z is incomplete.
func (m *Mixture) distance(room, y []float64, k int, most float64) (sq float64) {
	d := len(y)
	mean, z := m.at[k*d:(k+1)*d], room[:d]
	switch m.p.Covariance {
	case Full:
		size := triangle(d)
		inv, r, at := m.inv[k*size:(k+1)*size], room[d:2*d], 0
		for a, v := range y {
			r[a] = v - mean[a]
			row := inv[at : at+a+1]
			at += a + 1
			first := r[:len(row)]
			var s float64
			for b, w := range row {
				s += w * first[b]
			}
			z[a] = s
			if sq += s * s; sq > most {
				break
			}
		}
	case Tied:
		for a, v := range y {
			s := v - mean[a]
			z[a] = s
			if sq += s * s; sq > most {
				break
			}
		}
	case Diagonal:
		inv := m.inv[k*d : (k+1)*d]
		for a, v := range y {
			s := (v - mean[a]) * inv[a]
			z[a] = s
			if sq += s * s; sq > most {
				break
			}
		}
	default:
		inv := m.inv[k]
		for a, v := range y {
			s := (v - mean[a]) * inv
			z[a] = s
			sq += s * s
		}
	}
	return sq
}

// pull adds c Σ_k⁻¹(x - μ_k) = c L_k⁻ᵀ z to dst; for a tied mixture c z, which unplace converts to that.
func (m *Mixture) pull(dst, z []float64, k int, c float64) {
	d := len(z)
	switch m.p.Covariance {
	case Full:
		size := triangle(d)
		addTransposed(dst, m.inv[k*size:(k+1)*size], z, c)
	case Tied:
		for a, v := range z {
			dst[a] += c * v
		}
	case Diagonal:
		for a, v := range m.inv[k*d : (k+1)*d] {
			dst[a] += c * v * z[a]
		}
	default:
		for a, v := range z {
			dst[a] += c * m.inv[k] * v
		}
	}
}

// addTransposed adds c Wᵀz to dst, W a packed lower triangle.
func addTransposed(dst, w, z []float64, c float64) {
	at := 0
	for a, v := range z {
		v *= c
		for b := range a + 1 {
			dst[b] += v * w[at]
			at++
		}
	}
}

// logProb returns log p(x), with scratch space for 3d numbers. Conversions to float64 keep products from being fused
// with sums, so that it agrees to the last bit with energyAt on every processor.
func (m *Mixture) logProb(room, x []float64) float64 {
	d := len(x)
	z, y := room[:2*d], m.place(room[2*d:3*d], x)
	most, sum := math.Inf(-1), 0.0
	for k, lw := range m.logw {
		switch v := lw - m.distance(z, y, k, 2*(lw-most+nothing))/2; {
		case v < most-nothing || math.IsInf(v, -1):
		case v <= most:
			sum += math.Exp(v - most)
		default: // NaN, too
			sum = float64(sum*math.Exp(most-v)) + 1
			most = v
		}
	}
	return most + math.Log(sum)
}

// logProbRound is logProb for spherical components, of which there may be thousands: a third faster without place.
func (m *Mixture) logProbRound(x []float64) float64 {
	most, sum, means := math.Inf(-1), 0.0, m.at
	for k, lw := range m.logw {
		mean, inv := means[:len(x)], m.inv[k]
		means = means[len(x):]
		var sq float64
		for j, v := range x {
			r := (v - mean[j]) * inv
			sq += r * r
		}
		switch v := lw - sq/2; {
		case v < most-nothing || v < -math.MaxFloat64:
		case v <= most:
			sum += math.Exp(v - most)
		default: // NaN, too
			if sum != 0 {
				sum = float64(sum * math.Exp(most-v))
			}
			sum++
			most = v
		}
	}
	if sum == 1 { // one component, or one alone that counts
		return most
	}
	return most + math.Log(sum)
}

// LogProb stores the log-density.
func (m *Mixture) LogProb(dst []float64, x *mat.Dense) {
	batch.LogProb(dst, x, m.p.Dim)
	s := borrow()
	defer s.giveBack()
	room := s.numbers(3 * m.p.Dim)
	for i := range dst {
		if m.p.Covariance == Spherical {
			dst[i] = m.logProbRound(x.RawRowView(i))
			continue
		}
		dst[i] = m.logProb(room, x.RawRowView(i))
	}
}

// Score stores ∇ log p.
func (m *Mixture) Score(dst, x *mat.Dense) {
	batch.Score(dst, x, m.p.Dim)
	s := borrow()
	defer s.giveBack()
	room := s.numbers(4 * m.p.Dim)
	for i := range x.RawMatrix().Rows {
		row := dst.RawRowView(i)
		if math.IsInf(m.energyAt(room, row, x.RawRowView(i)), 1) {
			clear(row)
			continue
		}
		for j := range row {
			row[j] = -row[j]
		}
	}
}

// EnergyAt returns -log p(x) and stores its gradient, Σ_k p_k Σ_k⁻¹(x - μ_k) with p_k the share of component k at x, in
// grad, unless that is nil. It implements mcmc.Reference. grad must not overlap x.
func (m *Mixture) EnergyAt(grad, x []float64) float64 {
	s := borrow()
	defer s.giveBack()
	return m.energyAt(s.numbers(4*m.p.Dim), grad, x)
}

// energyAt is EnergyAt with scratch space for 4d numbers.
func (m *Mixture) energyAt(room, grad, x []float64) float64 {
	d := m.p.Dim
	if grad == nil {
		return -m.logProb(room, x)
	}
	z, y, g := room[:2*d], m.place(room[2*d:3*d], x), grad
	if m.origin != nil {
		g = room[3*d : 4*d]
	}
	clear(g)
	most, sum := math.Inf(-1), 0.0
	for k, lw := range m.logw {
		v := lw - m.distance(z, y, k, 2*(lw-most+nothing))/2
		if v < most-nothing || math.IsInf(v, -1) {
			continue
		}
		if !(v <= most) { // or NaN: rescale the sum so far
			f := math.Exp(most - v)
			sum = float64(sum * f)
			for j := range g {
				g[j] *= f
			}
			most = v
		}
		p := math.Exp(v - most)
		sum += p
		m.pull(g, z[:d], k, p)
	}
	if sum == 0 { // far from all components
		clear(grad)
		return math.Inf(1)
	}
	for j := range g {
		g[j] /= sum
	}
	if m.origin != nil {
		clear(grad)
		addTransposed(grad, m.inv, g, 1)
	}
	return -most - math.Log(sum)
}

// Shares stores the probabilities of the components given every row of x: p(k | x_i) in dst.At(i, k). dst has K
// columns.
func (m *Mixture) Shares(dst, x *mat.Dense) {
	n, d := x.Dims()
	if rows, cols := dst.Dims(); d != m.p.Dim || rows != n || cols != len(m.logw) {
		panic(batch.BadShape)
	}
	s := borrow()
	defer s.giveBack()
	room := s.numbers(3 * d)
	for i := range n {
		row, y := dst.RawRowView(i), m.place(room[2*d:3*d], x.RawRowView(i))
		for k, lw := range m.logw {
			row[k] = lw - m.distance(room[:2*d], y, k, math.Inf(1))/2
		}
		normalise(row)
	}
}

// normalise replaces logarithms of weights by the weights, which add up to 1, and returns the logarithm of their sum
// before.
func normalise(logw []float64) float64 {
	most, sum := slices.Max(logw), 0.0
	for k, v := range logw {
		logw[k] = math.Exp(v - most)
		sum += logw[k]
	}
	for k := range logw {
		logw[k] /= sum
	}
	return most + math.Log(sum)
}

// Likeliest returns the component that x most likely belongs to, the first in case of a tie.
func (m *Mixture) Likeliest(x []float64) (best int) {
	d := m.p.Dim
	if len(x) != d {
		panic(batch.BadDim)
	}
	s := borrow()
	defer s.giveBack()
	room := s.numbers(3 * d)
	y, most := m.place(room[2*d:3*d], x), math.Inf(-1)
	for k, lw := range m.logw {
		if v := lw - m.distance(room[:2*d], y, k, 2*(lw-most))/2; v > most {
			best, most = k, v
		}
	}
	return best
}
