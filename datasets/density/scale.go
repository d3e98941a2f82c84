package density

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Moments returns the mean and standard deviation of the columns of x, for numbers of any size: nothing is squared
// before it is in units of the largest distance from the first row.
func Moments(x *mat.Dense) (mean, sd []float64) {
	n, d := x.Dims()
	mean, sd = make([]float64, d), make([]float64, d)
	for j := range d {
		first, most := x.At(0, j), 0.0
		for i := range n {
			most = max(most, math.Abs(x.At(i, j)-first))
		}
		if most == 0 {
			mean[j] = first
			continue
		}
		var m, ss float64
		for i := range n {
			m += (x.At(i, j) - first) / most
		}
		m /= float64(n)
		for i := range n {
			v := (x.At(i, j)-first)/most - m
			ss += v * v
		}
		mean[j], sd[j] = first+most*m, most*math.Sqrt(ss/float64(n))
	}
	return mean, sd
}

// Spread returns the largest standard deviation of the columns of x, the unit in which perturbations of data are
// measured. It is 0 for no points.
func Spread(x *mat.Dense) float64 {
	if x.IsEmpty() {
		return 0
	}
	_, sd := Moments(x)
	return slices.Max(sd)
}

// units holds the mean and standard deviation of every column.
type units struct{ mean, sd []float64 }

// standardise returns x in these units. Columns that are the same in all rows, up to rounding, are a SingularError.
func standardise(x *mat.Dense) (z *mat.Dense, u units, err error) {
	n, d := x.Dims()
	u.mean, u.sd = Moments(x)
	var same []int
	for j, s := range u.sd {
		if !(s > 1e-13*math.Abs(u.mean[j])) {
			same = append(same, j)
		}
	}
	if same != nil {
		return nil, u, &SingularError{Points: n, Columns: same}
	}
	z = mat.NewDense(n, d, nil)
	for i := range n {
		row := z.RawRowView(i)
		for j, v := range x.RawRowView(i) {
			row[j] = (v - u.mean[j]) / u.sd[j]
		}
	}
	return z, u, nil
}

// apply converts parameters to these units, in place.
func (u units) apply(p *Parameters) {
	inverse := units{make([]float64, p.Dim), make([]float64, p.Dim)}
	for j, s := range u.sd {
		inverse.mean[j], inverse.sd[j] = -u.mean[j]/s, 1/s
	}
	inverse.undo(p)
}

// undo converts parameters in these units to the units of the data, in place.
func (u units) undo(p *Parameters) {
	d := p.Dim
	for i := range p.Means {
		p.Means[i] = u.mean[i%d] + u.sd[i%d]*p.Means[i]
	}
	switch p.Covariance {
	case Full, Tied:
		for i := range p.Factors {
			p.Factors[i] *= u.sd[i/d%d]
		}
	default:
		for i := range p.Factors {
			p.Factors[i] *= u.sd[i%d]
		}
	}
}
