package energy

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// KernelWidth is the width h at which a kernel density of the rows of data is most likely to have made them, each by the others,
//
//	argmax_h  Σ_i log 1/(n-1) Σ_{j≠i} N(x_i; x_j, h² I),
//
// to a tenth, between a hundredth of their largest standard deviation and twice that. The sum over i is over the first 512 rows. It
// falls with n and rises with the dimension: of 1024 points of a Gaussian of deviation 1 it is about 0.3 in two dimensions, and
// about 1 in twenty. Equal rows draw it to its least value. It is 0 where all rows are equal.
//
// Duin, On the choice of smoothing parameters for Parzen estimators of probability density functions, IEEE Transactions on
// Computers C-25 (1976) 1175–1179.
func KernelWidth(data *mat.Dense) float64 {
	const judged, ratio, least, most = 512, 1.1, 0.01, 2
	n, d := data.Dims()
	var widths []float64
	for h := least * Spread(data); h > 0 && len(widths) < int(math.Log(most/least)/math.Log(ratio))+1; h *= ratio {
		widths = append(widths, h)
	}
	if len(widths) == 0 || n < 2 {
		return Spread(data)
	}
	logs, r2 := make([]float64, len(widths)), make([]float64, n)
	for i := range min(n, judged) {
		nearest := math.Inf(1)
		for j := range n {
			if r2[j] = squaredDistance(data.RawRowView(i), data.RawRowView(j)); j == i {
				r2[j] = math.Inf(1)
			}
			nearest = min(nearest, r2[j])
		}
		for k, h := range widths {
			var sum float64
			for _, r := range r2 {
				sum += math.Exp((nearest - r) / (2 * h * h))
			}
			logs[k] += math.Log(sum) - nearest/(2*h*h) - float64(d)*math.Log(h)
		}
	}
	best := 0
	for k, v := range logs {
		if v > logs[best] {
			best = k
		}
	}
	return widths[best]
}
