package energy

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/density"
)

// Ladder returns a mixture of blurred data: for every width in sds a kernel density of at most centres rows of data,
// redrawn for each width, all widths with equal weight; and, if broad > 0, a Gaussian with the mean of the data and
// broad times their largest standard deviation, with the weight of one width. Centres are taken from the rows of data
// in the order of rng's permutation.
func Ladder(data *mat.Dense, sds []float64, centres int, broad float64, rng *rand.Rand) (*Mixture, error) {
	if data == nil || rng == nil {
		return nil, errors.New("energy: a ladder without data or random numbers")
	}
	rows := drawRows(data, len(sds), centres, rng)
	widths := make([][]float64, len(sds))
	for k, s := range sds {
		widths[k] = slices.Repeat([]float64{s}, len(rows[k]))
	}
	return ladder(data, rows, widths, broad)
}

// AdaptiveLadder returns a mixture like that of a [Ladder] with two widths. They are chosen for every centre from
// increasing sds, at least two, each about three times the one before: the smallest adjacent two whose geometric mean h
// is as wide as the structure of the data there, or else the last two. That is where a blur by h reduces the likelihood
// of the data around the centre,
//
//	-∂ E log p_h(x)/∂ log h = E[ d - E_w|x - y|²/h² ] ≥ 0.2 d,   w(y) ∝ exp(-|x - y|²/2h²) over the other rows y of data,
//
// with the outer mean over the centres x within about the wider of the two. For a Gaussian of deviation s it is d
// (h²/(h²+s²))², so that h is at least 0.9 s; where data are farther apart than h, so that a blur helps, it is
// negative.
//
// A [Bridge] measures heights by kernels wider than the structure under them. Narrower ones add up to the density of
// the data plus bumps, which carry no information and have to be learnt.
func AdaptiveLadder(data *mat.Dense, sds []float64, centres int, broad float64, rng *rand.Rand) (*Mixture, error) {
	if data == nil || rng == nil {
		return nil, errors.New("energy: an adaptive ladder without data or random numbers")
	}
	if len(sds) < 2 || !slices.IsSorted(sds) {
		return nil, fmt.Errorf("energy: adaptive ladder of widths %v, want at least two that rise", sds)
	}
	const pair = 2
	rows := drawRows(data, pair, centres, rng)
	at := rungs(data, slices.Concat(rows...), sds)
	widths := make([][]float64, pair)
	for k := range widths {
		for _, r := range at[k*len(rows[0]) : (k+1)*len(rows[0])] {
			widths[k] = append(widths[k], sds[r+k])
		}
	}
	return ladder(data, rows, widths, broad)
}

// rungs finds for each of the given rows of data the first r for which sds[r] and sds[r+1] are as wide as the data
// there, or the last.
func rungs(data *mat.Dense, rows []int, sds []float64) []int {
	n, d := data.Dims()
	enough := 0.2 * float64(d)
	at := make([]int, len(rows))
	loss, r2 := make([]float64, len(rows)), make([]float64, n)
	for r := range len(sds) - 2 {
		h := math.Sqrt(sds[r] * sds[r+1])
		for i, row := range rows {
			loss[i] = blurLoss(data, row, h, r2)
		}
		for i, x := range rows {
			if at[i] < r {
				continue // found
			}
			var sum, total float64
			for j, y := range rows {
				w := math.Exp(-0.5 * squaredDistance(data.RawRowView(x), data.RawRowView(y)) / (sds[r+1] * sds[r+1]))
				sum, total = sum+w*loss[j], total+w
			}
			if sum < enough*total {
				at[i]++
			}
		}
	}
	return at
}

// blurLoss returns -∂ log p_h/∂ log h at row i of data, with p_h the kernel density of the other rows; r2 is scratch
// space for one number per row.
func blurLoss(data *mat.Dense, i int, h float64, r2 []float64) float64 {
	_, d := data.Dims()
	nearest := othersFrom(r2, data, i)
	if math.IsInf(nearest, 1) {
		return 0 // no other row
	}
	var sum, moment float64 // in units of exp(-nearest/2h²)
	for _, r := range r2 {
		if w := math.Exp((nearest - r) / (2 * h * h)); w > 0 {
			sum += w
			moment += w * r
		}
	}
	return float64(d) - moment/(sum*h*h)
}

// drawRows draws at most centres rows of data for each of the widths.
func drawRows(data *mat.Dense, widths, centres int, rng *rand.Rand) [][]int {
	n, _ := data.Dims()
	rows := make([][]int, widths)
	for k := range rows {
		rows[k] = rng.Perm(n)[:max(0, min(centres, n))]
	}
	return rows
}

// ladder returns the mixture of kernels of the given widths at the given rows of data, all rungs with equal weight, and
// the broad Gaussian.
func ladder(data *mat.Dense, rows [][]int, widths [][]float64, broad float64) (*Mixture, error) {
	_, d := data.Dims()
	var centres, sd, w []float64
	for k, rung := range rows {
		if len(rung) == 0 {
			return nil, errors.New("energy: ladder without centres, want at least one")
		}
		for i, row := range rung {
			centres = append(centres, data.RawRowView(row)...)
			sd = append(sd, widths[k][i])
			w = append(w, 1/float64(len(rung)))
		}
	}
	if broad > 0 {
		mean, _ := density.Moments(data)
		centres = append(centres, mean...)
		sd = append(sd, broad*density.Spread(data))
		w = append(w, 1)
	}
	if len(sd) == 0 {
		return nil, errors.New("energy: ladder without widths: nothing to mix")
	}
	return NewMixture(mat.NewDense(len(sd), d, centres), sd, w)
}

// othersFrom stores the squared distances of the rows of data from row i in dst, +Inf for row i itself, and returns the
// smallest.
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
