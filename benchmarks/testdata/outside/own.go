package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/fit"
)

// Bounds makes the spiral a source for package fit.
func (s *spiral) Bounds() (lo, hi []float64) { return []float64{-4, -4}, []float64{4, 4} }

// disc is a density of one's own: uniform on a disc around zero.
type disc struct{ radius float64 }

func (disc) Dim() int { return 2 }

func (q disc) LogProb(dst []float64, x *mat.Dense) {
	for i := range dst {
		dst[i] = math.Inf(-1)
		if math.Hypot(x.At(i, 0), x.At(i, 1)) <= q.radius {
			dst[i] = -math.Log(math.Pi * q.radius * q.radius)
		}
	}
}

func (q disc) Sample(dst *mat.Dense, rng *rand.Rand) {
	n, _ := dst.Dims()
	for i := range n {
		r, a := q.radius*math.Sqrt(rng.Float64()), 2*math.Pi*rng.Float64()
		dst.SetRow(i, []float64{r * math.Cos(a), r * math.Sin(a)})
	}
}

// tides is a kernel of one's own with a memory: MALA whose step swings from call to call.
type tides struct {
	mcmc.MALA
	calls uint64
}

func (k *tides) Step(s *mcmc.State, t mcmc.Target, rng *rand.Rand) (mcmc.Info, error) {
	k.calls++
	m := k.MALA
	m.StepSize *= 1 + 0.5*math.Sin(float64(k.calls))
	return m.Step(s, t, rng)
}

func (k *tides) WithStep(step float64) mcmc.Kernel {
	c := *k
	c.StepSize = step
	return &c
}

// WithMass keeps the mass as a matrix, so that it can be written down.
func (k *tides) WithMass(m mcmc.Mass) mcmc.Kernel {
	c := *k
	if c.Mass = m; m != nil {
		var l matrix
		for i := range 2 {
			unit, column := []float64{0, 0}, []float64{0, 0}
			unit[i] = 1
			m.Mul(column, unit)
			l[i], l[2+i] = column[0], column[1]
		}
		c.Mass = l
	}
	return &c
}

// matrix is a mass of one's own, M⁻¹ = L Lᵀ with any L of two rows.
type matrix [4]float64

func (matrix) Dim() int                { return 2 }
func (matrix) Validate() error         { return nil }
func (l matrix) Mul(dst, z []float64)  { dst[0], dst[1] = l[0]*z[0]+l[1]*z[1], l[2]*z[0]+l[3]*z[1] }
func (l matrix) MulT(dst, g []float64) { dst[0], dst[1] = l[0]*g[0]+l[2]*g[1], l[1]*g[0]+l[3]*g[1] }
func (l matrix) Solve(dst, x []float64) {
	det := l[0]*l[3] - l[1]*l[2]
	dst[0], dst[1] = (l[3]*x[0]-l[1]*x[1])/det, (l[0]*x[1]-l[2]*x[0])/det
}

func (k *tides) MarshalState() ([]byte, error) {
	return binary.LittleEndian.AppendUint64(nil, k.calls), nil
}

func (k *tides) UnmarshalState(b []byte) error {
	if len(b) != 8 {
		return fmt.Errorf("tides: a state of %d bytes, want 8", len(b))
	}
	k.calls = binary.LittleEndian.Uint64(b)
	return nil
}

// Chains is maximum likelihood whose chains move by that kernel, with jumps from that density.
type Chains struct{ objectives.PersistentCD }

func init() {
	objectives.Register("tidal", Chains{})
	fit.RegisterNetwork("quartic", fit.Network{Build: func(fit.Shape) (energy.Energy, error) { return quartic(), nil }})
}

func (m Chains) Suited(data objectives.Facts) objectives.Method {
	return Chains{m.PersistentCD.Suited(data).(objectives.PersistentCD)}
}

func (m Chains) Form(s objectives.Setup) (objectives.Form, error) {
	m.Kernel, m.Density = &tides{MALA: mcmc.MALA{StepSize: m.StepSize}}, disc{4}
	return m.PersistentCD.Form(s)
}
