package fit

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/stheno-ebm/stheno/datasets"
)

// constant refuses training points that lie in a plane x_j = c, in which no density has them.
func (d *data) constant() error {
	_, dim := d.train.Dims()
	var flat []string
	for j := range dim {
		if _, ok := datasets.Constant(d.train, j); ok {
			flat = append(flat, d.column(j))
		}
	}
	switch len(flat) {
	case 0:
		return nil
	case dim:
		return errors.New("all training points are equal: there is no density to learn; give points that differ")
	case 1:
		return fmt.Errorf("column %s is the same in all training points: no density has it; leave the column out", flat[0])
	}
	return fmt.Errorf("columns %s are the same in all training points: no density has them; leave the columns out", strings.Join(flat, ", "))
}

// column is the number of a column, from 1, and its name.
func (d *data) column(j int) string {
	if d.Names == nil {
		return fmt.Sprint(j + 1)
	}
	return fmt.Sprintf("%d (%s)", j+1, d.Names[j])
}

// odd says of the points of a file what a density on them will hardly be meant to learn: a column that counts the rows, a point far from
// all others, and columns of which one follows from the others.
func (d *data) odd(x *mat.Dense) (notes []string) {
	n, dim := x.Dims()
	if n < 10 {
		return nil
	}
	for j := range dim {
		counts := true
		for i := 1; i < n && counts; i++ {
			counts = x.At(i, j) == x.At(0, j)+float64(i)
		}
		if counts {
			notes = append(notes, fmt.Sprintf("column %s counts the rows; unless that belongs to the data, leave it out", d.column(j)))
		}
	}
	const most, least = 64, 1e-9 // dimensions; share of the variance off a plane, which the digits of a file leave where there should be none
	if dim > most || n < 2*dim {
		return notes
	}
	z, outlier := inliers(x)
	if outlier != "" {
		notes = append(notes, outlier)
	}
	if z == nil || dim < 2 {
		return notes
	}
	var corr mat.SymDense
	stat.CovarianceMatrix(&corr, z, nil)
	var eigen mat.EigenSym
	if !eigen.Factorize(&corr, true) || !(eigen.Values(nil)[0] < least) {
		return notes
	}
	var v mat.Dense
	eigen.VectorsTo(&v)
	var in []string
	for j := range dim {
		if math.Abs(v.At(j, 0)) > 1e-3 {
			in = append(in, d.column(j))
		}
	}
	return append(notes, fmt.Sprintf("of the columns %s one follows from the others: the points have no density of their own; leave one of them out", strings.Join(in, ", ")))
}

// inliers returns the rows of x without the hundredth part that is farthest out, which may outweigh all others, each column with mean 0
// and deviation 1, nil where that cannot be; and says if the farthest row is far from what the others are.
func inliers(x *mat.Dense) (z *mat.Dense, outlier string) {
	const far = 1000 // deviations of the others
	n, dim := x.Dims()
	s := datasets.NewStandardizer(x)
	if s.Validate(dim) != nil {
		return nil, ""
	}
	z = mat.DenseCopyOf(x)
	s.Apply(z, z)
	order, size := make([]int, n), make([]float64, n)
	for i := range order {
		order[i], size[i] = i, floats.Norm(z.RawRowView(i), math.Inf(1))
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(size[i], size[j]) })
	kept := mat.NewDense(n-(n+99)/100, dim, nil)
	for k := range kept.RawMatrix().Rows {
		kept.SetRow(k, x.RawRowView(order[k]))
	}
	if s = datasets.NewStandardizer(kept); s.Validate(dim) != nil {
		return nil, ""
	}
	last := order[n-1]
	row := mat.NewDense(1, dim, nil)
	s.Apply(row, x.Slice(last, last+1, 0, dim).(*mat.Dense))
	if size := floats.Norm(row.RawRowView(0), math.Inf(1)); size > far {
		outlier = fmt.Sprintf("point %d lies %.2g deviations of the others away and sets the scale for all; if it is a slip, remove it", last+1, size)
	}
	s.Apply(kept, kept)
	return kept, outlier
}
