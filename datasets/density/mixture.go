package density

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Covariance is the form of the covariances of the components of a mixture.
type Covariance int

// The kinds of covariances. The zero value is Full.
const (
	Full      Covariance = iota // every component has its own
	Tied                        // all components have the same
	Diagonal                    // every component has its own standard deviations
	Spherical                   // every component has one standard deviation
)

var covarianceNames = [...]string{Full: "full", Tied: "tied", Diagonal: "diagonal", Spherical: "spherical"}

// String returns the name: full, tied, diagonal or spherical.
func (c Covariance) String() string {
	if c < 0 || int(c) >= len(covarianceNames) {
		return fmt.Sprintf("Covariance(%d)", int(c))
	}
	return covarianceNames[c]
}

// MarshalText writes the name.
func (c Covariance) MarshalText() ([]byte, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	return []byte(c.String()), nil
}

// UnmarshalText reads the name.
func (c *Covariance) UnmarshalText(b []byte) error {
	i := slices.Index(covarianceNames[:], string(b))
	if i < 0 {
		return fmt.Errorf("density: covariance %q, want one of %s", b, covarianceNames)
	}
	*c = Covariance(i)
	return nil
}

func (c Covariance) validate() error {
	if c < 0 || int(c) >= len(covarianceNames) {
		return fmt.Errorf("density: unknown %v", c)
	}
	return nil
}

// factors returns the length of Factors for k components in d dimensions.
func (c Covariance) factors(k, d int) int {
	return [...]int{Full: k * d * d, Tied: d * d, Diagonal: k * d, Spherical: k}[c]
}

// free returns the number of free parameters among them.
func (c Covariance) free(k, d int) int {
	return [...]int{Full: k * triangle(d), Tied: triangle(d), Diagonal: k * d, Spherical: k}[c]
}

// triangle returns the number of distinct elements of a symmetric matrix.
func triangle(d int) int { return d * (d + 1) / 2 }

// Parameters holds the parameters of a mixture of K components in d = Dim dimensions,
//
//	p(x) = Σ_k w_k N(x; μ_k, L_k L_kᵀ).
type Parameters struct {
	Dim        int        `json:"dim"`
	Covariance Covariance `json:"covariance"`
	Weights    []float64  `json:"weights"` // w > 0, scaled to sum to 1
	Means      []float64  `json:"means"`   // μ, (K, d) row-major
	// Factors holds the L: for full covariances lower triangles (K, d, d), row-major, with positive diagonals and zeros
	// above them; for a tied one the single triangle (d, d); standard deviations (K, d) for diagonal and (K) for
	// spherical ones.
	Factors []float64 `json:"factors"`
}

// Validate names every array of wrong length, and the first invalid number of each.
func (p Parameters) Validate() error {
	if err := p.Covariance.validate(); err != nil {
		return err
	}
	k, d := len(p.Weights), p.Dim
	if k == 0 || d < 1 {
		return fmt.Errorf("density: a mixture of %d components in %d dimensions, want at least one of each", k, d)
	}
	var errs []error
	length := func(name string, got, want int) {
		if got != want {
			errs = append(errs, fmt.Errorf("density: a %s mixture of %d components in %d dimensions has %d %s, want %d",
				p.Covariance, k, d, got, name, want))
		}
	}
	length("means", len(p.Means), k*d)
	length("factors", len(p.Factors), p.Covariance.factors(k, d))
	if errs != nil {
		return errors.Join(errs...)
	}
	var sum float64
	for i, w := range p.Weights {
		if !positive(w) {
			return fmt.Errorf("density: weight %d of a mixture is %g, want > 0", i+1, w)
		}
		sum += w
	}
	if math.IsInf(sum, 1) {
		return errors.New("density: the weights of a mixture add up to infinity")
	}
	for i, v := range p.Means {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("density: coordinate %d of mean %d of a mixture is %g, want a finite number",
				i%d+1, i/d+1, v)
		}
	}
	for i, v := range p.Factors {
		if p.Covariance == Full || p.Covariance == Tied {
			row, col := i/d%d, i%d
			if col > row && v != 0 || col < row && (math.IsNaN(v) || math.IsInf(v, 0)) {
				return fmt.Errorf("density: factor %d of a mixture is %g at row %d, column %d, want a lower triangle",
					i/(d*d)+1, v, row+1, col+1)
			}
			if col != row {
				continue
			}
		}
		if !positive(v) {
			return fmt.Errorf("density: a standard deviation of a %s mixture is %g, want > 0", p.Covariance, v)
		}
	}
	return nil
}

// Mixture is a mixture of Gaussians.
type Mixture struct {
	p      Parameters // as given, so that they are stored and read back to the bit
	inv    []float64  // L⁻¹: packed lower triangles, or reciprocals
	origin []float64  // tied: the mean of the means
	at     []float64  // means, (K, d); tied: L⁻¹(μ - origin)
	logw   []float64  // log w - log det L - d/2 log 2π
	cdf    []float64
	levels []Levels  // during the fit of a Mixed, with the probabilities
	tails  []float64 // during a fit with scales, their weights; see Tailed
}

var (
	_ Density = (*Mixture)(nil)
	_ Scorer  = (*Mixture)(nil)
)

// NewMixture returns the mixture with these parameters, which are copied.
func NewMixture(p Parameters) (*Mixture, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	p = p.clone()
	m := newMixture(p)
	for _, v := range m.inv {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, &SingularError{}
		}
	}
	return m, nil
}

// newMixture is NewMixture for valid parameters, which it keeps.
func newMixture(p Parameters) *Mixture {
	k, d := len(p.Weights), p.Dim
	m := &Mixture{p: p, at: p.Means, logw: make([]float64, k), cdf: make([]float64, k)}
	var sum, cum float64
	for _, w := range p.Weights {
		sum += w
	}
	logDet := make([]float64, k)
	switch p.Covariance {
	case Full, Tied:
		size := triangle(d)
		m.inv = make([]float64, len(p.Factors)/(d*d)*size)
		for i := range len(p.Factors) / (d * d) {
			logDet[i] = invertTriangle(m.inv[i*size:(i+1)*size], p.Factors[i*d*d:(i+1)*d*d], d)
		}
		if p.Covariance == Tied {
			for i := range logDet {
				logDet[i] = logDet[0]
			}
			m.whiten()
		}
	default:
		m.inv = make([]float64, len(p.Factors))
		repeat := d * k / len(p.Factors) // the number of axes that share a factor
		for i, s := range p.Factors {
			m.inv[i] = 1 / s
			logDet[i*k/len(p.Factors)] += float64(repeat) * math.Log(s)
		}
	}
	for i, w := range p.Weights {
		cum += w / sum
		m.cdf[i] = cum
		m.logw[i] = math.Log(w/sum) - logDet[i] - float64(d)/2*math.Log(2*math.Pi)
	}
	return m
}

// whiten maps the means of a tied mixture to coordinates in which the covariance is the identity.
func (m *Mixture) whiten() {
	k, d := len(m.logw), m.p.Dim
	m.origin, m.at = make([]float64, d), make([]float64, k*d)
	for i, v := range m.p.Means {
		m.origin[i%d] += v / float64(k)
	}
	for i := range k {
		m.locate(m.at[i*d:(i+1)*d], m.p.Means[i*d:(i+1)*d])
	}
}

// invertTriangle stores the packed inverse of the lower triangle l (d, d) and returns log det l.
func invertTriangle(dst, l []float64, d int) (logDet float64) {
	for j := range d { // column j of the inverse
		pivot := l[j*d+j]
		logDet += math.Log(pivot)
		dst[triangle(j)+j] = 1 / pivot
		for i := j + 1; i < d; i++ {
			var v float64
			for c := j; c < i; c++ {
				v -= l[i*d+c] * dst[triangle(c)+j]
			}
			dst[triangle(i)+j] = v / l[i*d+i]
		}
	}
	return logDet
}

func (p Parameters) clone() Parameters {
	p.Weights, p.Means, p.Factors = slices.Clone(p.Weights), slices.Clone(p.Means), slices.Clone(p.Factors)
	return p
}

// Parameters returns a copy of the parameters as they were given. NewMixture makes the same mixture from them, to the
// bit.
func (m *Mixture) Parameters() Parameters { return m.p.clone() }

// MarshalJSON writes the parameters.
func (m *Mixture) MarshalJSON() ([]byte, error) { return json.Marshal(m.p) }

// UnmarshalJSON reads what MarshalJSON wrote, and rejects what NewMixture rejects.
func (m *Mixture) UnmarshalJSON(b []byte) error {
	var p Parameters
	if err := json.Unmarshal(b, &p); err != nil {
		return fmt.Errorf("density: mixture: %w", err)
	}
	read, err := NewMixture(p)
	if err != nil {
		return err
	}
	*m = *read
	return nil
}

// Dim returns d.
func (m *Mixture) Dim() int { return m.p.Dim }

// Components returns K.
func (m *Mixture) Components() int { return len(m.logw) }

// Weights returns the weights, which add up to 1.
func (m *Mixture) Weights() []float64 {
	w := slices.Clone(m.cdf)
	for i := len(w) - 1; i > 0; i-- {
		w[i] -= w[i-1]
	}
	return w
}

// Means returns the means, one per row.
func (m *Mixture) Means() *mat.Dense {
	return mat.NewDense(len(m.logw), m.p.Dim, slices.Clone(m.p.Means))
}

// CovarianceOf returns the covariance of component k.
func (m *Mixture) CovarianceOf(k int) *mat.SymDense {
	d := m.p.Dim
	cov, l := mat.NewSymDense(d, nil), make([]float64, d)
	if m.p.Covariance != Full && m.p.Covariance != Tied {
		for j := range d {
			s := m.p.Factors[m.axis(k, j)]
			cov.SetSym(j, j, s*s)
		}
		return cov
	}
	f := m.triangleOf(k)
	for a := range d {
		copy(l, f[a*d:a*d+a+1])
		for b := range a + 1 {
			var v float64
			for c := range b + 1 {
				v += l[c] * f[b*d+c]
			}
			cov.SetSym(a, b, v)
		}
	}
	return cov
}

// axis returns the index of the standard deviation of component k along axis j.
func (m *Mixture) axis(k, j int) int {
	if m.p.Covariance == Spherical {
		return k
	}
	return k*m.p.Dim + j
}

// triangleOf returns L of component k, (d, d).
func (m *Mixture) triangleOf(k int) []float64 {
	if m.p.Covariance == Tied {
		return m.p.Factors
	}
	size := m.p.Dim * m.p.Dim
	return m.p.Factors[k*size : (k+1)*size]
}

// Blurred returns the distribution of X + σξ for X from m and ξ ~ N(0, I).
func (m *Mixture) Blurred(sigma float64) *Mixture {
	p, d := m.p.clone(), m.p.Dim
	if p.Covariance == Diagonal || p.Covariance == Spherical {
		for i, s := range p.Factors {
			p.Factors[i] = math.Hypot(s, sigma)
		}
		return newMixture(p)
	}
	for k := range len(p.Factors) / (d * d) {
		blurTriangle(p.Factors[k*d*d:(k+1)*d*d], d, sigma)
	}
	return newMixture(p)
}

// blurTriangle replaces L by the factor of LLᵀ + σ²I: the triangle of (L σI) after rotations of its columns, so that
// nothing is squared.
func blurTriangle(l []float64, d int, sigma float64) {
	e := make([]float64, d)
	for j := range d { // one column σ e_j at a time
		clear(e)
		e[j] = sigma
		for c := j; c < d; c++ {
			r := math.Hypot(l[c*d+c], e[c])
			cos, sin := l[c*d+c]/r, e[c]/r
			l[c*d+c] = r
			for i := c + 1; i < d; i++ {
				a, b := l[i*d+c], e[i]
				l[i*d+c], e[i] = cos*a+sin*b, cos*b-sin*a
			}
		}
	}
}
