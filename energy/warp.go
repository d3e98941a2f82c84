package energy

import (
	"errors"
	"fmt"
	"slices"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/energy/safetensors"
	"github.com/stheno-ebm/stheno/graphs"
)

// buildWarp builds T(x) (n, d), see [density.Warp].
func buildWarp(x *G.Node, w *density.Warp) *G.Node {
	d := w.Dim()
	u := reached(x, w.Columns) // (n, d)
	type hinge struct {
		from        int
		knot, width float64
	}
	var list []hinge // every one once
	at := make([]int, len(w.Terms))
	var products []int
	for i, t := range w.Terms {
		if at[i] = t.From; t.Width > 0 {
			h := hinge{t.From, t.Knot, t.Width}
			if at[i] = d + slices.Index(list, h); at[i] < d {
				at[i], list = d+len(list), append(list, h)
			}
		}
		if t.Times >= 0 {
			products = append(products, i)
		}
	}
	values := u // u and the hinges, without their widths (n, d+H)
	if h := len(list); h > 0 {
		slopes, knots := mat.NewDense(h, d, nil), make([]float64, h)
		for i, f := range list {
			slopes.Set(i, f.from, 1/f.width)
			knots[i] = -f.knot / f.width
		}
		values = graphs.ConcatCols(u, graphs.Softplus(
			graphs.Affine(u, constant(x, slopes.RawMatrix().Data, h, d), constant(x, knots, h))))
	}
	width := func(t density.Bend) float64 {
		if t.Width > 0 {
			return t.Width
		}
		return 1
	}
	sum := func(of *G.Node, columns int, add func(c *mat.Dense)) *G.Node { // c (columns, d)
		c := mat.NewDense(columns, d, nil)
		add(c)
		return graphs.MatMul(of, constant(x, c.RawMatrix().Data, columns, d), false, false)
	}
	put := func(c *mat.Dense, row int, t density.Bend) {
		c.Set(row, t.Column, c.At(row, t.Column)-w.Columns[t.Column].Scale*t.Coefficient*width(t))
	}
	z := graphs.Add(x, sum(values, d+len(list), func(c *mat.Dense) {
		for i, t := range w.Terms {
			if t.Times < 0 {
				put(c, at[i], t)
			}
		}
	}))
	if len(products) == 0 {
		return z
	}
	left, right := mat.NewDense(d+len(list), len(products), nil), mat.NewDense(d, len(products), nil)
	for k, i := range products {
		left.Set(at[i], k, 1)
		right.Set(w.Terms[i].Times, k, 1)
	}
	both := graphs.Mul(
		graphs.MatMul(values, constant(x, left.RawMatrix().Data, d+len(list), len(products)), false, false),
		graphs.MatMul(u, constant(x, right.RawMatrix().Data, d, len(products)), false, false)) // (n, products)
	return graphs.Add(z, sum(both, len(products), func(c *mat.Dense) {
		for k, i := range products {
			put(c, k, w.Terms[i])
		}
	}))
}

// reached builds u (n, d).
func reached(x *G.Node, columns []density.Reach) *G.Node {
	d, n := len(columns), x.Shape()[0]
	scale, lo := mat.NewDense(d, d, nil), make([]float64, d)
	fromLo, fromHi := make([]float64, d), make([]float64, d)
	for j, c := range columns {
		scale.Set(j, j, 1/(c.Scale*density.Edge))
		lo[j] = c.Lo
		fromLo[j] = -(c.Mean/c.Scale + c.Lo) / density.Edge
		fromHi[j] = -(c.Mean/c.Scale + c.Hi) / density.Edge
	}
	beyond := func(edge []float64) *G.Node {
		return graphs.Softplus(graphs.Affine(x, constant(x, scale.RawMatrix().Data, d, d), constant(x, edge, d)))
	}
	return graphs.Add(graphs.Scale(graphs.Sub(beyond(fromLo), beyond(fromHi)), density.Edge),
		graphs.ExpandRows(constant(x, lo, d), n))
}

// reachFields and bendFields are the numbers of columns of the arrays of a warp.
const reachFields, bendFields = 4, 6

// WarpedTensors returns a warped density, but for the mixture b beside it, as arrays of float64: the mixture of the
// straightened columns as by [DensityTensors], name.share (1), which is ε, and of the warp name.columns (d, 4), rows of
// mean, scale, lo and hi of a [density.Reach], and name.terms (terms, 6), rows of column, from, times, knot, width and
// coefficient of a [density.Bend].
func WarpedTensors(name string, w *density.Warped) []safetensors.Tensor {
	warp := w.Warp()
	_, share := w.Beside()
	array := func(part string, data []float64, shape ...int) safetensors.Tensor {
		return safetensors.Tensor{Name: name + "." + part, DType: safetensors.F64, Shape: shape, Data: slices.Clone(data)}
	}
	var columns, terms []float64
	for _, c := range warp.Columns {
		columns = append(columns, c.Mean, c.Scale, c.Lo, c.Hi)
	}
	for _, t := range warp.Terms {
		terms = append(terms, float64(t.Column), float64(t.From), float64(t.Times), t.Knot, t.Width, t.Coefficient)
	}
	return append(DensityTensors(name, w.Straight()), array("share", []float64{share}, 1),
		array("columns", columns, warp.Dim(), reachFields),
		array("terms", terms, len(warp.Terms), bendFields))
}

// ReadWarped reads what WarpedTensors wrote, beside b. It is nil if there is no array of that name.
func ReadWarped(f *safetensors.File, name string, beside *density.Mixture) (*density.Warped, error) {
	if f.Tensor(name+".terms") == nil {
		return nil, nil
	}
	straight, err := ReadDensity(f, name)
	if err != nil {
		return nil, err
	}
	parts := make(map[string]*safetensors.Tensor)
	for _, part := range []string{"share", "columns", "terms"} {
		full := name + "." + part
		if parts[part] = f.Tensor(full); parts[part] == nil {
			return nil, fmt.Errorf("energy: warp: no array %s", full)
		}
	}
	share, reach, data := parts["share"].Data, parts["columns"].Data, parts["terms"].Data
	if len(share) != 1 || len(reach)%reachFields != 0 || len(data)%bendFields != 0 {
		return nil, errors.New("energy: warp: share, columns or terms of a wrong shape")
	}
	var columns []density.Reach
	for c := range slices.Chunk(reach, reachFields) {
		columns = append(columns, density.Reach{Mean: c[0], Scale: c[1], Lo: c[2], Hi: c[3]})
	}
	var terms []density.Bend
	for row := range slices.Chunk(data, bendFields) {
		for _, v := range row[:3] {
			if v != float64(int(v)) {
				return nil, fmt.Errorf("energy: warp: column %g of a term", v)
			}
		}
		terms = append(terms, density.Bend{Column: int(row[0]), From: int(row[1]), Times: int(row[2]), Knot: row[3],
			Width: row[4], Coefficient: row[5]})
	}
	warp, err := density.NewWarp(columns, terms)
	if err != nil {
		return nil, err
	}
	return density.NewWarped(warp, straight, beside, share[0])
}
