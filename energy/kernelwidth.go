package energy

import (
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// KernelWidth is the width h at which a kernel density of the rows of data is most likely to have made them, each by the others,
//
//	argmax_h  Σ_i log 1/(n-1) Σ_{j≠i} N(x_i; x_j, h² I),
//
// to a tenth, between a hundredth of their largest standard deviation and twice that. The sum over i is over the first 512 rows. It
// falls with n and rises with the dimension: of 1024 points of a Gaussian of deviation 1 it is about 0.3 in two dimensions, and
// about 1 in twenty. Equal rows draw it to its least value. It is 0 where all rows are equal, or there are none.
//
// Duin, On the choice of smoothing parameters for Parzen estimators of probability density functions, IEEE Transactions on
// Computers C-25 (1976) 1175–1179.
func KernelWidth(data *mat.Dense) float64 {
	const judged, least, ratio, count = 512, 0.01, 1.1, 56 // up to 0.01 · 1.1⁵⁵ = 1.9
	n, d := data.Dims()
	spread := Spread(data)
	if spread == 0 {
		return 0
	}
	widths, logs := make([]float64, count), make([]float64, count)
	for k, h := 0, least*spread; k < count; k, h = k+1, h*ratio {
		widths[k] = h
	}
	r2 := make([]float64, n)
	for i := range min(n, judged) {
		nearest := othersFrom(r2, data, i)
		for k, h := range widths {
			var sum float64
			for _, r := range r2 {
				sum += math.Exp((nearest - r) / (2 * h * h))
			}
			logs[k] += math.Log(sum) - nearest/(2*h*h) - float64(d)*math.Log(h)
		}
	}
	return widths[floats.MaxIdx(logs)]
}

// othersFrom stores the squared distances of the rows of data from row i in dst, +Inf for row i itself, and returns the least.
func othersFrom(dst []float64, data *mat.Dense, i int) float64 {
	for j := range dst {
		dst[j] = squaredDistance(data.RawRowView(i), data.RawRowView(j))
	}
	dst[i] = math.Inf(1)
	return floats.Min(dst)
}

func squaredDistance(x, y []float64) (sum float64) {
	for j, v := range x {
		sum += (v - y[j]) * (v - y[j])
	}
	return sum
}
