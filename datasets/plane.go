package datasets

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/internal/batch"
)

// planar is a density on the plane, evaluated one point at a time.
type planar interface {
	draw(rng *rand.Rand) (x, y float64)
	logProb(x, y float64) float64
	score(x, y float64) (sx, sy float64)
	// assign returns the index of the part to which the point most likely belongs.
	assign(x, y float64) int
}

// plane turns a planar density into a Distribution with entropy, bounds and modes.
type plane struct {
	planar
	lo, hi  [2]float64
	entropy float64
	centres []float64 // (len(weights), 2), row-major
	weights []float64
}

var (
	_ Distribution = (*plane)(nil)
	_ Entropic     = (*plane)(nil)
	_ Modal        = (*plane)(nil)
)

func (p *plane) Dim() int         { return 2 }
func (p *plane) Entropy() float64 { return p.entropy }

func (p *plane) Bounds() (lo, hi []float64) {
	return []float64{p.lo[0], p.lo[1]}, []float64{p.hi[0], p.hi[1]}
}

func (p *plane) Modes() (centres *mat.Dense, weights []float64) {
	c := append([]float64(nil), p.centres...)
	return mat.NewDense(len(p.weights), 2, c), append([]float64(nil), p.weights...)
}

func (p *plane) AssignMode(x []float64) int {
	if len(x) != 2 {
		panic(batch.BadDim)
	}
	return p.assign(x[0], x[1])
}

func (p *plane) Sample(dst *mat.Dense, rng *rand.Rand) {
	batch.Sample(dst, 2)
	m := dst.RawMatrix()
	for i := range m.Rows {
		m.Data[i*m.Stride], m.Data[i*m.Stride+1] = p.draw(rng)
	}
}

func (p *plane) LogProb(dst []float64, x *mat.Dense) {
	batch.LogProb(dst, x, 2)
	m := x.RawMatrix()
	for i := range dst {
		x, y := m.Data[i*m.Stride], m.Data[i*m.Stride+1]
		switch {
		case x != x || y != y: // which comparisons would let through
			dst[i] = math.NaN()
		case math.IsInf(x, 0) || math.IsInf(y, 0):
			dst[i] = math.Inf(-1)
		default:
			dst[i] = p.logProb(x, y)
		}
	}
}

func (p *plane) Score(dst, x *mat.Dense) {
	batch.Score(dst, x, 2)
	s, m := dst.RawMatrix(), x.RawMatrix()
	for i := range m.Rows {
		x, y := m.Data[i*m.Stride], m.Data[i*m.Stride+1]
		var sx, sy float64
		if !math.IsInf(x, 0) && !math.IsInf(y, 0) {
			sx, sy = p.score(x, y)
		}
		s.Data[i*s.Stride], s.Data[i*s.Stride+1] = sx, sy
	}
}

// square returns the corners of [−r, r]².
func square(r float64) (lo, hi [2]float64) {
	return [2]float64{-r, -r}, [2]float64{r, r}
}

// oneMode assigns every point to the only mode.
type oneMode struct{}

func (oneMode) assign(x, y float64) int { return 0 }
