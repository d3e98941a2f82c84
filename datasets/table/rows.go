package table

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

const (
	someRows   = 20000   // rows used for outliers and correlations
	hashedRows = 1 << 20 // rows searched for repeats
	maxRelated = 512     // columns searched for dependent ones
)

// rows looks for repeated rows.
func (in *inspection) rows() error {
	n := min(in.n, hashedRows)
	if n < 10 {
		return nil
	}
	seen := make(map[hash]int32, n)
	times := make(map[hash]int32)
	for i := range n {
		if i%65536 == 0 && in.ctx.Err() != nil {
			return in.ctx.Err()
		}
		h := newHash()
		for j := range in.d {
			h.add(in.at(i, j))
		}
		if _, ok := seen[h]; ok {
			times[h]++
		} else {
			seen[h] = int32(i)
		}
	}
	repeats := n - len(seen)
	if 10*repeats < n || len(seen) == 1 || in.d == 1 && in.values[0] <= maxValues { // for one column its values tell
		return nil
	}
	first, most := hash(0), int32(0)
	for h, k := range times {
		if k > most || k == most && seen[h] < seen[first] {
			first, most = h, k
		}
	}
	in.column(RepeatedRows, repeats, false,
		"%d of %d rows repeat another, row %d %s most often: a density rises without bound on points that repeat; "+
			"remove what was copied",
		repeats, n, seen[first]+1, count(int(most)+1, "time"))
	in.found[len(in.found)-1].Row = int(seen[first])
	return nil
}

// dependent looks for a point far from all others, and for columns determined by others, on a subset of the rows,
// without the outermost hundredth, which may outweigh all others.
func (in *inspection) dependent() error {
	if in.n < 10 || slices.ContainsFunc(in.found,
		func(f Finding) bool { return f.Kind == TooLarge || f.Kind == TooSmall }) {
		return nil
	}
	z, err := in.inliers()
	if err != nil || z == nil || in.d < 2 || in.d > maxRelated {
		return err
	}
	n, _ := z.Dims()
	if n < 2*in.d {
		return nil
	}
	var corr mat.SymDense
	stat.CovarianceMatrix(&corr, z, nil)
	if err := in.ctx.Err(); err != nil {
		return err
	}
	in.follow(&corr)
	return nil
}

// follow finds the columns determined by those before them, by the pivots of a Cholesky decomposition of the
// correlations:
//
//	R = L Lᵀ,  L_jj² = the share of the variance of column j not explained by the columns before it
//
// A share below 1e-9 is due to the limited digits of a file. Equal columns have already been reported.
func (in *inspection) follow(corr *mat.SymDense) {
	const least, part = 1e-9, 1e-3
	copies := map[int]bool{}
	for _, f := range in.found {
		if f.Kind == EqualColumns {
			for _, j := range f.Columns[1:] {
				copies[j] = true
			}
		}
	}
	var kept []int
	l := mat.NewDense(in.d, in.d, nil) // row k is that of the k-th kept column
	y := make([]float64, in.d)
	for j := range in.d {
		if copies[j] || corr.At(j, j) < 0.5 { // constant
			continue
		}
		left := corr.At(j, j)
		for k, a := range kept {
			y[k] = corr.At(j, a)
			for m := range k {
				y[k] -= l.At(k, m) * y[m]
			}
			y[k] /= l.At(k, k)
			left -= y[k] * y[k]
		}
		if left > least {
			row := l.RawRowView(len(kept))
			copy(row, y[:len(kept)])
			row[len(kept)] = math.Sqrt(left)
			kept = append(kept, j)
			continue
		}
		// The weights w of the columns it follows from: Lᵀ w = y.
		w := make([]float64, len(kept))
		var from []int
		for k := len(kept) - 1; k >= 0; k-- {
			w[k] = y[k]
			for m := k + 1; m < len(kept); m++ {
				w[k] -= l.At(m, k) * w[m]
			}
			if w[k] /= l.At(k, k); math.Abs(w[k]) > part {
				from = append(from, kept[k])
			}
		}
		from = append(from, j)
		slices.Sort(from)
		in.column(DependentColumn, in.values[j], false,
			"of the columns %s one follows from the others: the points have no density of their own; "+
				"leave one of them out", in.list(from))
		in.of(from...)
	}
}

// inliers returns a subset of the rows without the outermost hundredth, each column standardised, and reports whether
// the outermost row is far from all others; nil if the columns cannot be standardised.
func (in *inspection) inliers() (*mat.Dense, error) {
	const far = 1000 // deviations of the others
	mean, scale := in.moments(nil)
	type place struct {
		row  int
		size float64
	}
	all := make([]place, in.n)
	for i := range in.n {
		if i%65536 == 0 && in.ctx.Err() != nil {
			return nil, in.ctx.Err()
		}
		var size float64
		for j := range in.d {
			size = max(size, math.Abs(in.at(i, j)-mean[j])/scale[j])
		}
		all[i] = place{i, size}
	}
	farthest := slices.MaxFunc(all, func(a, b place) int { return cmp.Compare(a.size, b.size) }).row
	if in.n > someRows { // the same rows every time
		rng := rand.New(rand.NewPCG(uint64(in.n), uint64(in.d)))
		for i := range someRows {
			k := i + rng.IntN(in.n-i)
			all[i], all[k] = all[k], all[i]
		}
		all = all[:someRows]
	}
	slices.SortFunc(all, func(a, b place) int { return cmp.Or(cmp.Compare(a.size, b.size), cmp.Compare(a.row, b.row)) })
	all = all[:len(all)-(len(all)+99)/100]
	kept := make([]int, len(all))
	for k, p := range all {
		kept[k] = p.row
	}
	mean, scale = in.moments(kept)
	var size float64
	for j := range in.d {
		size = max(size, math.Abs(in.at(farthest, j)-mean[j])/scale[j])
	}
	if size > far {
		in.column(OutlierRow, 1, false,
			"point %d lies %.2g deviations of the others away and sets the scale for all; if it is a slip, remove it",
			farthest+1, size)
		in.found[len(in.found)-1].Row = farthest
	}
	if in.d > maxRelated {
		return nil, nil
	}
	z := mat.NewDense(len(kept), in.d, nil)
	for k, i := range kept {
		row := z.RawRowView(k)
		for j := range row {
			row[j] = (in.at(i, j) - mean[j]) / scale[j]
		}
	}
	return z, nil
}

// moments returns the mean and deviation of every column over some rows, nil for all; the deviation of a constant
// column is 1.
func (in *inspection) moments(rows []int) (mean, scale []float64) {
	n := in.n
	if rows != nil {
		n = len(rows)
	}
	row := func(k int) int {
		if rows == nil {
			return k
		}
		return rows[k]
	}
	mean, scale = make([]float64, in.d), make([]float64, in.d)
	for j := range in.d {
		from := in.at(row(0), j) // sum differences from a value of the column, which may be far from zero
		var sum, ss, most float64
		for k := range n {
			v := in.at(row(k), j) - from
			sum += v
			most = max(most, math.Abs(v))
		}
		shift := sum / float64(n)
		if mean[j], scale[j] = from+shift, 1; most == 0 {
			continue
		}
		for k := range n {
			v := (in.at(row(k), j) - from - shift) / most // against overflow of the square
			ss += v * v
		}
		if s := most * math.Sqrt(ss/float64(n)); s > 0 {
			scale[j] = s
		}
	}
	return mean, scale
}
