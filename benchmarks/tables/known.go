package main

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/stheno-ebm/stheno/datasets/density"
)

var (
	_ density.Density = (*chain)(nil)
	_ density.Density = (*students)(nil)
	_ density.Density = (*logNormal)(nil)
	_ gridded         = (*classes)(nil)
)

// gridded is a density of columns some of which are discrete: in place of log p it has
//
//	log P(cell)/volume of the cell,
//
// with cells as wide as the grids of the rounded columns. Cells of columns of few values count as 1 wide, those of
// others are points.
type gridded interface {
	density.Density
	Cells() []cellsOf // by column
}

// logNormalAt returns log N(x; mean, sd²).
func logNormalAt(x, mean, sd float64) float64 {
	z := (x - mean) / sd
	return -z*z/2 - math.Log(sd*math.Sqrt(2*math.Pi))
}

// chain is a density of columns that follow from those before them,
//
//	x_j | x_1 … x_{j-1} ~ N(m_j(x), s_j²).
type chain struct {
	sd   []float64                             // s
	mean func(j int, before []float64) float64 // m_j
}

func (c *chain) Dim() int { return len(c.sd) }

func (c *chain) LogProb(dst []float64, x *mat.Dense) {
	for i := range dst {
		row := x.RawRowView(i)
		dst[i] = 0
		for j, s := range c.sd {
			dst[i] += logNormalAt(row[j], c.mean(j, row[:j]), s)
		}
	}
}

func (c *chain) Sample(dst *mat.Dense, rng *rand.Rand) {
	n, _ := dst.Dims()
	for i := range n {
		row := dst.RawRowView(i)
		for j, s := range c.sd {
			row[j] = c.mean(j, row[:j]) + s*rng.NormFloat64()
		}
	}
}

// students is a mixture, with equal weights, of multivariate Student densities of the same scale matrix Σ and ν degrees
// of freedom,
//
//	x = μ_k + √(ν/χ²_ν) Lz,   LLᵀ = Σ,   p(x) = Σ_k C (1 + |L⁻¹(x - μ_k)|²/ν)^(-(ν+d)/2)/K.
type students struct {
	means *mat.Dense    // μ
	root  *mat.TriDense // L
	nu    float64       // ν
}

func (s *students) Dim() int { d, _ := s.root.Triangle(); return d }

// logConstant is log C = log Γ((ν+d)/2) - log Γ(ν/2) - d/2 log νπ - log det L.
func (s *students) logConstant() float64 {
	d := float64(s.Dim())
	hi, _ := math.Lgamma((s.nu + d) / 2)
	lo, _ := math.Lgamma(s.nu / 2)
	logDet, _ := mat.LogDet(s.root)
	return hi - lo - d/2*math.Log(s.nu*math.Pi) - logDet
}

func (s *students) LogProb(dst []float64, x *mat.Dense) {
	k, d := s.means.Dims()
	logs, z, c := make([]float64, k), mat.NewVecDense(d, nil), s.logConstant()
	for i := range dst {
		for m := range logs {
			z.SubVec(x.RowView(i), s.means.RowView(m))
			if err := z.SolveVec(s.root, z); err != nil {
				panic(err)
			}
			logs[m] = c - (s.nu+float64(d))/2*math.Log1p(mat.Dot(z, z)/s.nu)
		}
		dst[i] = floats.LogSumExp(logs) - math.Log(float64(k))
	}
}

func (s *students) Sample(dst *mat.Dense, rng *rand.Rand) {
	k, d := s.means.Dims()
	z, chi2 := mat.NewVecDense(d, nil), distuv.ChiSquared{K: s.nu, Src: rng}
	n, _ := dst.Dims()
	for i := range n {
		for j := range d {
			z.SetVec(j, rng.NormFloat64())
		}
		z.MulVec(s.root, z)
		row := dst.RawRowView(i)
		copy(row, s.means.RawRowView(rng.IntN(k)))
		floats.AddScaled(row, math.Sqrt(s.nu/chi2.Rand()), z.RawVector().Data)
	}
}

// logNormal is exp(z) for z of another density.
type logNormal struct{ z density.Density }

func (l *logNormal) Dim() int { return l.z.Dim() }

func (l *logNormal) LogProb(dst []float64, x *mat.Dense) {
	n, d := x.Dims()
	z := mat.NewDense(n, d, nil)
	z.Apply(func(_, _ int, v float64) float64 { return math.Log(math.Max(v, 0)) }, x)
	l.z.LogProb(dst, z)
	for i := range dst {
		if floats.Min(z.RawRowView(i)) == math.Inf(-1) {
			dst[i] = math.Inf(-1)
			continue
		}
		dst[i] -= floats.Sum(z.RawRowView(i))
	}
}

func (l *logNormal) Sample(dst *mat.Dense, rng *rand.Rand) {
	l.z.Sample(dst, rng)
	dst.Apply(func(_, _ int, v float64) float64 { return math.Exp(v) }, dst)
}

// classes is a density of columns that are independent given a class that is not among them:
//
//	P(x) = Σ_k w_k Π_j p_jk(x_j).
type classes struct {
	weights []float64 // w
	columns []column
}

// column is a column of a classes: normal, N(mean_k, sd_k²), or that rounded to a grid, or one of the values 0, 1, …
type column struct {
	mean, sd []float64   // by class; none: a column of few values
	grid     float64     // what it is rounded to multiples of; 0: it is not
	values   [][]float64 // by class, the probabilities of the values
}

// logProb is the log of the density of a value, or of its probability divided by the width of the grid.
func (c *column) logProb(k int, x float64) float64 {
	switch {
	case c.values != nil:
		if v := int(x); float64(v) == x && v >= 0 && v < len(c.values[k]) {
			return math.Log(c.values[k][v])
		}
		return math.Inf(-1)
	case c.grid == 0:
		return logNormalAt(x, c.mean[k], c.sd[k])
	}
	return logMass((x-c.grid/2-c.mean[k])/c.sd[k], (x+c.grid/2-c.mean[k])/c.sd[k]) - math.Log(c.grid)
}

func (c *column) draw(k int, rng *rand.Rand) float64 {
	if c.values != nil {
		u := rng.Float64()
		for v, p := range c.values[k] {
			if u -= p; u < 0 {
				return float64(v)
			}
		}
		return float64(len(c.values[k]) - 1)
	}
	x := c.mean[k] + c.sd[k]*rng.NormFloat64()
	if c.grid > 0 {
		x = math.Round(x/c.grid) * c.grid
	}
	return x
}

func (c *classes) Dim() int { return len(c.columns) }

func (c *classes) Cells() (cells []cellsOf) {
	for _, col := range c.columns {
		of := cellsOf{width: col.grid}
		for v := range col.levels() {
			of.width, of.values = 1, append(of.values, float64(v))
		}
		cells = append(cells, of)
	}
	return cells
}

// levels is the number of values of a column of few, 0 of others.
func (c *column) levels() int {
	if c.values == nil {
		return 0
	}
	return len(c.values[0])
}

func (c *classes) LogProb(dst []float64, x *mat.Dense) {
	logs := make([]float64, len(c.weights))
	for i := range dst {
		row := x.RawRowView(i)
		for k, w := range c.weights {
			logs[k] = math.Log(w)
			for j := range c.columns {
				logs[k] += c.columns[j].logProb(k, row[j])
			}
		}
		dst[i] = floats.LogSumExp(logs)
	}
}

func (c *classes) Sample(dst *mat.Dense, rng *rand.Rand) {
	n, _ := dst.Dims()
	class := column{values: [][]float64{c.weights}}
	for i := range n {
		k, row := int(class.draw(0, rng)), dst.RawRowView(i)
		for j := range row {
			row[j] = c.columns[j].draw(k, rng)
		}
	}
}
