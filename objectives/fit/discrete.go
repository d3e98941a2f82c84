package fit

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/datasets/table"
	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// # Discrete values
//
// A density rises without bound on values that repeat, as whole and rounded numbers do. What a file of them has is a
// probability of every cell, the box of numbers that are rounded to the same row, and a model of it is a density p
// whose integral over the cell is that:
//
//	P(cell of v) = ∫_cell p(x) dx,   NLL = -mean log(P(cell of v)/volume of the cell),
//
// in the units of the file, and for narrow cells what it would be without them. So
//
//   - the model learns v + w (U - ½), with w the width of the cell and U uniform on [0, 1), drawn again with every
//     draw of v (uniform dequantisation): its NLL is at least that of the cells, by Jensen's inequality, and its
//     minimum over all p has the right P;
//   - energies of points of the file, E(v) = -log (1/w ∫_cell exp(-E(x)) dx), and with them log densities, ranks, the
//     NLL and that of the base are of cells; the integral is a mean over cellNodes fixed points of the cell, see
//     overCells;
//   - draws are rounded;
//   - log Z is that of p, since cells fill the space.
//
// The density p, which chains, gradients and pictures are of, and which is exported, is not touched by any of this.
//
// Theis, van den Oord and Bethge, A note on the evaluation of generative models, ICLR 2016, section 3.1; Ho et al.,
// Flow++, ICML 2019, section 3.1, for the bound and its tightening by several draws, which here are a rule of
// quadrature.

// The values of Config.Discrete.
const (
	discreteAuto = "auto"
	discreteOn   = "on"
	discreteOff  = "off"
)

func discreteNames() []string { return []string{discreteAuto, discreteOn, discreteOff} }

// coarse is the width of a cell, in standard deviations of its column, above which it matters whether the column
// repeats its values or not: the variance that rounding adds is a twelfth of its square.
const coarse = 0.1

// cell is how a column is discrete: on a grid, or of few values.
type cell struct {
	Column int        `json:"column"`           // from 0
	Grid   table.Grid `json:"grid"`             // zero: few values on no grid
	Values []float64  `json:"values,omitempty"` // in increasing order; nil: any on the grid
}

// levels are the values with their cells, where there are few.
func (c cell) levels() density.Levels { return density.Levels{Column: c.Column, Values: c.Values} }

func (c cell) few() bool { return c.Values != nil }

// volume is what the probability of a value is divided by: the width of the grid, so that the NLL is in the same unit
// whether a column is a factor or not; 1 on no grid.
func (c cell) volume() float64 {
	if c.Grid.Step == 0 {
		return 1
	}
	return c.Grid.Width()
}

// cells are the columns that are discrete, in order.
type cells []cell

// cellsOf finds the columns that are discrete. By itself a column is if it lies on a grid and most of its rows share
// their value with others, or its cells are coarse: a decimal that was written with more digits than tell points apart
// is left as it is.
//
// If the model can have them, columns of few values are factors: two of them, or all so frequent that no other is to
// be expected, or on no grid, which leaves nothing else. Where values are categories that is what counts: of 1000 rows
// with a column of two and one of five values, KL was 0.13, with cells on a grid 0.42. Where they are rounded numbers,
// of four columns of 9 to 23 whole values, both are as good (0.014 and 0.013 of 4000 rows), or factors are worse (0.08
// and 0.06 of 300 rows with two columns of 5 to 7), and under a factor a value that was never seen has no probability.
func cellsOf(x *mat.Dense, how string, factors bool) (found cells) {
	_, d := x.Dims()
	if how == discreteOff {
		return nil
	}
	for j := range d {
		g, ok := table.GridOf(x, j)
		values, counts := table.Values(x, j)
		switch {
		case factors && len(values) > 1 && (len(values) == 2 || slices.Min(counts) >= frequent || !ok):
			found = append(found, cell{Column: j, Grid: g, Values: values})
		case !ok:
		case how == discreteOn || matters(g, mat.Col(nil, j, x)):
			found = append(found, cell{Column: j, Grid: g})
		}
	}
	return found
}

// matters reports whether a column on a grid repeats its values, or its cells are coarse. It changes the order of the
// column.
func matters(g table.Grid, column []float64) bool {
	n, sd := len(column), stat.StdDev(column, nil)
	slices.Sort(column)
	return table.Ties(len(slices.Compact(column)), n) || g.Width() > coarse*sd
}

// frequent is how often every value of a factor occurs at least: the share of rows with a value that none has so far
// is about that of the rows whose value no other has (Good, The population frequencies of species and the estimation
// of population parameters, Biometrika 40 (1953) 237–264).
const frequent = 5

// factors reports whether columns of few values are factors of the model: if it corrects a base, which has their
// probabilities, and its objective compares densities. One that compares slopes learns nothing from cells in which
// there are none.
func (c *Config) factors() bool {
	m, err := c.method(objectives.Facts{})
	return c.Base == On && err == nil && !m.Traits().Score && m.Traits().Levels == nil
}

// discreteOf finds the discrete columns of a source, of which only the points of a file have some.
func (c *Config) discreteOf(src Source) cells {
	if points, ok := src.(*datasets.Points); ok {
		return cellsOf(points.Matrix(), cmp.Or(c.Discrete, discreteAuto), c.factors())
	}
	return nil
}

// factors returns those columns of few values.
func (c cells) factors() (few cells) {
	for _, cell := range c {
		if cell.few() {
			few = append(few, cell)
		}
	}
	return few
}

// onGrids returns the others.
func (c cells) onGrids() (grids cells) {
	for _, cell := range c {
		if !cell.few() {
			grids = append(grids, cell)
		}
	}
	return grids
}

// validate rejects what cellsOf would not return for points of so many columns.
func (c cells) validate(dim int) error {
	last := -1
	for _, cell := range c {
		if cell.Column <= last || cell.Column >= dim {
			return fmt.Errorf("metadata %q: discrete column %d of %d", metadataKey, cell.Column, dim)
		}
		var err error
		if cell.few() {
			err = cell.levels().Validate(dim, 0)
		}
		if !cell.few() || cell.Grid != (table.Grid{}) {
			err = errors.Join(err, cell.Grid.Validate())
		}
		if err != nil {
			return fmt.Errorf("metadata %q: %w", metadataKey, err)
		}
		last = cell.Column
	}
	return nil
}

// spread moves every value to a point of its cell: uniformly on a grid, of few values as Levels do.
func (c cells) spread(x *mat.Dense, rng *rand.Rand) {
	n, _ := x.Dims()
	for i := range n {
		row := x.RawRowView(i)
		for _, cell := range c {
			if l := cell.levels(); cell.few() {
				row[l.Column] = l.Draw(l.Of(row[l.Column]), rng)
				continue
			}
			row[cell.Column] += cell.Grid.Width() * (rng.Float64() - 0.5)
		}
	}
}

// round moves every number to the value of its cell.
func (c cells) round(x *mat.Dense) {
	n, _ := x.Dims()
	for i := range n {
		row := x.RawRowView(i)
		for _, cell := range c {
			row[cell.Column] = cell.round(row[cell.Column])
		}
	}
}

// round returns the value of the cell of v.
func (c cell) round(v float64) float64 {
	if l := c.levels(); c.few() {
		return l.Values[l.Of(v)]
	}
	return c.Grid.Round(v)
}

// cellNodes is the number of points of a cell at which densities are evaluated, or four for every column on a grid if
// that is more. With 128 the NLL of 10 784 rows of seven rounded columns differs by 0.0008 from that with 1024, with
// 32 by 0.0025.
const cellNodes = 128

// nodes are points of the unit cube of as many dimensions as there are cells, around its middle: for every k from 1
// the points
//
//	±T (frac(k a) - ½),   a_j = φ^-j, φ^(m+1) = φ + 1 in m dimensions,
//
// an additive recurrence of low discrepancy, with its mirror image, and stretched a little by T so that its covariance
// is that of the cube, I/12. So the mean over them is exact for polynomials up to the third degree.
//
// Roberts, The unreasonable effectiveness of quasirandom sequences (2018); Niederreiter, Random Number Generation and
// Quasi-Monte Carlo Methods (1992), chapter 3.
func (c cells) nodes() *mat.Dense {
	m := len(c)
	half := max(cellNodes, 4*m) / 2
	phi := 2.0
	for range 100 {
		phi = math.Pow(1+phi, 1/float64(m+1))
	}
	u, cov := mat.NewDense(half, m, nil), mat.NewSymDense(m, nil)
	for k := range half {
		for j := range m {
			_, f := math.Modf(float64(k+1) * math.Pow(phi, -float64(j+1)))
			u.Set(k, j, f-0.5)
		}
	}
	cov.SymOuterK(12/float64(half), u.T())
	var chol mat.Cholesky
	var l mat.TriDense
	if chol.Factorize(cov) {
		chol.LTo(&l)
		var inv mat.TriDense
		if inv.InverseTri(&l) == nil {
			u.Mul(u, inv.T())
		}
	}
	var mirror, all mat.Dense
	mirror.Scale(-1, u)
	all.Stack(u, &mirror)
	return &all
}

// overCells stores -log of the mean of exp(-E) over the cell of every row of x in dst, E by f. Rows are taken for the
// values of their cells. The mean is over nodes of the columns on grids; see TestOverCells for its error. Where there
// are few values it is exact, as there all points of a cell tell as much of its probability; that of a value that is
// not among them is 0, its energy +Inf.
func (c cells) overCells(dst []float64, x *mat.Dense, f func(dst []float64, x *mat.Dense) error) error {
	grids, k := c.onGrids(), 1
	u := new(mat.Dense)
	if len(grids) > 0 {
		u = grids.nodes()
		k, _ = u.Dims()
	}
	rows := max(1, 8192/k)
	n, d := x.Dims()
	for from := 0; from < n; from += rows {
		to := min(from+rows, n)
		at, e := mat.NewDense((to-from)*k, d, nil), make([]float64, (to-from)*k)
		for i := range at.RawMatrix().Rows {
			row := at.RawRowView(i)
			copy(row, x.RawRowView(from+i/k))
			for l, cell := range grids {
				row[cell.Column] = cell.Grid.Round(row[cell.Column]) + cell.Grid.Width()*u.At(i%k, l)
			}
		}
		if err := f(e, at); err != nil {
			return err
		}
		for i := from; i < to; i++ {
			dst[i] = meanEnergy(e[(i-from)*k:(i-from+1)*k]) + c.ofValues(x.RawRowView(i))
		}
	}
	return nil
}

// ofValues is what -log(P/volume) of the values of a row, where there are few, exceeds -log of the density at them by;
// +Inf for others.
func (c cells) ofValues(row []float64) (sum float64) {
	for _, cell := range c.factors() {
		at, ok := cell.find(row[cell.Column])
		if !ok {
			return math.Inf(1)
		}
		sum += cell.levels().LogRatio(at) + math.Log(cell.volume())
	}
	return sum
}

// find returns the index of a value among the few, but for rounding.
func (c cell) find(v float64) (at int, ok bool) {
	const rounding = 1e-9 // of the range
	at = c.levels().Of(v)
	return at, math.Abs(v-c.Values[at]) <= rounding*(c.Values[len(c.Values)-1]-c.Values[0])
}

// meanEnergy is -log of the mean of exp(-e).
func meanEnergy(e []float64) float64 {
	least := slices.Min(e)
	if math.IsInf(least, 0) {
		return least
	}
	sum := 0.0
	for _, v := range e {
		sum += math.Exp(least - v)
	}
	return least - math.Log(sum/float64(len(e)))
}

// spreading draws rows of points at points of their cells, in the units of the network.
type spreading struct {
	x *mat.Dense
	d *data
}

var _ train.Source = (*spreading)(nil)

func (s *spreading) Sample(dst *mat.Dense, rng *rand.Rand) {
	n, _ := s.x.Dims()
	for i := range dst.RawMatrix().Rows {
		copy(dst.RawRowView(i), s.x.RawRowView(rng.IntN(n)))
	}
	s.d.Cells.spread(dst, rng)
	if sc := s.d.Scaler; sc != nil {
		sc.Apply(dst, dst)
	}
}

// Discrete describes the columns that are not continuous, "" if all are.
func (m *Model) Discrete() string { return m.data.describeCells() }

// describeCells says which columns are discrete, and how.
func (d *data) describeCells() string {
	if len(d.Cells) == 0 {
		return ""
	}
	var grids, few []string
	for _, c := range d.Cells {
		if c.few() {
			few = append(few, fmt.Sprintf("%s: %d values", d.column(c.Column), len(c.Values)))
		} else {
			grids = append(grids, fmt.Sprintf("%s: to %.4g", d.column(c.Column), c.Grid.Width()))
		}
	}
	var says []string
	if grids != nil {
		says = append(says, "rounded columns ("+listed(grids)+") are learnt as probabilities of their cells")
	}
	if few != nil {
		says = append(says, "columns of few values ("+listed(few)+") as probabilities of these")
	}
	return strings.Join(says, "; ")
}

// listed joins what is said of columns, of many of the first ones.
func listed(parts []string) string {
	const most = 8
	if len(parts) > most {
		parts = append(parts[:most], fmt.Sprintf("%d more", len(parts)-most))
	}
	return strings.Join(parts, ", ")
}

// answer reports whether a finding is about values or rows that repeat, all in columns where that does no harm.
func (c cells) answer(f table.Finding, dim int) bool {
	if f.Kind == table.RepeatedRows {
		return len(c) == dim
	}
	if f.Kind != table.FewValues && f.Kind != table.WholeNumbers && f.Kind != table.Rounded {
		return false
	}
	return !slices.ContainsFunc(f.Columns, func(j int) bool {
		return !slices.ContainsFunc(c, func(cell cell) bool { return cell.Column == j })
	})
}

// Cell is a column of which log densities are those of cells.
type Cell struct {
	Column int       // from 0
	Width  float64   // of the cells, by which probabilities are divided; 1: they are not divided
	Values []float64 // of a column of few, in increasing order; nil: whole multiples of the width apart
}

// Cells returns the columns that are discrete, nil if there are none.
func (m *Model) Cells() (list []Cell) {
	for _, c := range m.data.Cells {
		list = append(list, Cell{Column: c.Column, Width: c.volume(), Values: slices.Clone(c.Values)})
	}
	return list
}

// exportCells says in the metadata of an exported density which columns are discrete, and what to do with them.
func (g *geometry) exportCells(meta map[string]string) error {
	if len(g.Cells) == 0 {
		return nil
	}
	type exported struct {
		Column   int       `json:"column"` // from 0
		Width    float64   `json:"width"`
		Values   []float64 `json:"values,omitempty"`
		LogRatio []float64 `json:"log_ratio,omitempty"`
	}
	var list []exported
	for _, c := range g.Cells {
		e := exported{Column: c.Column, Width: c.volume(), Values: c.Values}
		for i := range c.Values {
			e.LogRatio = append(e.LogRatio, c.levels().LogRatio(i))
		}
		list = append(list, e)
	}
	b, err := json.Marshal(list)
	if err != nil {
		return err
	}
	meta["discrete"] = string(b)
	meta["density"] = "continuous. Columns without values: the probability of a value over the width is the mean of " +
		"exp(-energy) over points of its cell, from half a width below to half a width above it; round draws. Columns " +
		"with values: take the energy at the value itself, add its log_ratio and the log of the width, and it is of a " +
		"probability over the width; round draws to the nearest value"
	return nil
}
