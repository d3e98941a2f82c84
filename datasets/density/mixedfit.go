package density

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// FitMixed fits a Mixed to the rows of x like FitMixture, by BIC. Levels say which columns are discrete and their
// values; their Probs are not used. In these columns x has the values themselves, or points of their cells.
//
// Let a be the discrete columns of a row, c_j the value of the j-th of them, and x here the other columns. A step of
// expectation–maximisation is that of a Mixture of all columns, (a, x), but for two things: the responsibility of
// component k for a row is proportional to w_k Π_j π_kj(c_j) N_k(a, x)/N_k(a), and the probabilities π_kj are the
// shares of the values among the rows, so weighted. The moments of (a, x) give the regression of x on a. A little is
// added to the variances of a, since those of a component that has one value only are zero.
func FitMixed(x *mat.Dense, levels []Levels, cfg MixtureConfig, rng *rand.Rand) (*Mixed, error) {
	n, d := x.Dims()
	if cfg.Criterion != BIC {
		return nil, errors.New("density: FitMixed chooses by BIC")
	}
	cfg.levels = nil
	exact := mat.DenseCopyOf(x)
	for _, l := range levels {
		l.Probs = nil
		if err := l.Validate(d, 0); err != nil {
			return nil, err
		}
		cfg.levels = append(cfg.levels, l)
		for i := range n {
			exact.Set(i, l.Column, l.Values[l.Of(x.At(i, l.Column))])
		}
	}
	m, err := FitMixture(exact, cfg, rng)
	if err != nil {
		return nil, err
	}
	own := slices.Clone(m.levels)
	for j := range own {
		own[j].Values = levels[j].Values // the exact values: scaling them and back has rounded them
	}
	return NewMixed(m, own)
}

// factors are the discrete columns of the points of a fit.
type factors struct {
	levels       []Levels
	of           []int32     // the combination of values of every point
	combinations [][]int     // values by factor
	share        [][]float64 // of the values of every factor among all points
}

// newFactors is nil without levels.
func newFactors(levels []Levels, z *mat.Dense) *factors {
	if levels == nil {
		return nil
	}
	n, _ := z.Dims()
	f := &factors{levels: levels, of: make([]int32, n)}
	for _, l := range levels {
		f.share = append(f.share, make([]float64, len(l.Values)))
	}
	known := map[string]int32{}
	key := make([]byte, 2*len(levels))
	for i := range n {
		row := z.RawRowView(i)
		at := make([]int, len(levels))
		for j, l := range levels {
			at[j] = l.Of(row[l.Column])
			f.share[j][at[j]]++
			key[2*j], key[2*j+1] = byte(at[j]), byte(at[j]>>8)
		}
		c, ok := known[string(key)]
		if !ok {
			c = int32(len(f.combinations))
			known[string(key)], f.combinations = c, append(f.combinations, at)
		}
		f.of[i] = c
	}
	for _, share := range f.share { // none is impossible
		for c := range share {
			share[c] = (share[c] + 0.5) / (float64(n) + 0.5*float64(len(share)))
		}
	}
	return f
}

// leastCode is what is added to the variances of discrete columns, in units of those of all points.
const leastCode = 0.01

func (f *factors) ridge(column int) float64 {
	if f == nil || !slices.ContainsFunc(f.levels, func(l Levels) bool { return l.Column == column }) {
		return 0
	}
	return leastCode
}

// beside is log w_k + Σ_j log π_kj(c_j) - log N_k(a(c)) - (log N_k(a, x) + ½|z|²) of every combination c and component.
func (f *factors) beside(m *Mixture) [][]float64 {
	if f == nil {
		return nil
	}
	var columns []int
	for _, l := range f.levels {
		columns = append(columns, l.Column)
	}
	codes, err := m.marginal(columns)
	if err != nil {
		panic(err) // a ridge was added
	}
	room, a := make([]float64, 3*len(columns)), make([]float64, len(columns))
	rows := make([][]float64, len(f.combinations))
	for i, at := range f.combinations {
		for j, c := range at {
			a[j] = f.levels[j].Values[c]
		}
		row := slices.Clone(m.logw)
		for k := range row {
			row[k] -= codes.logDensityOf(room, a, k)
			for j, c := range at {
				row[k] += math.Log(m.levels[j].Probs[k][c])
			}
		}
		rows[i] = row
	}
	return rows
}

// probabilities are those of the values, from the shares by combination and component and the sizes of components, of
// which some are kept. To every component one point is added that is as all points are.
func (f *factors) probabilities(by, size []float64, kept []int) []Levels {
	if f == nil {
		return nil
	}
	levels := slices.Clone(f.levels)
	for j := range levels {
		l := &levels[j]
		l.Probs = nil
		for _, k := range kept {
			row := slices.Clone(f.share[j])
			for i, at := range f.combinations {
				row[at[j]] += by[i*len(size)+k]
			}
			for c := range row {
				row[c] /= size[k] + 1
			}
			l.Probs = append(l.Probs, row)
		}
	}
	return levels
}

// levels are those of columns in these units.
func (u units) levels(levels []Levels) []Levels {
	levels = slices.Clone(levels)
	for j := range levels {
		l := &levels[j]
		l.Values = slices.Clone(l.Values)
		for c := range l.Values {
			l.Values[c] = (l.Values[c] - u.mean[l.Column]) / u.sd[l.Column]
		}
	}
	return levels
}

// Contaminated gives the continuous columns heavy tails where the rows of x have them, as Contaminate does.
func (m *Mixed) Contaminated(x *mat.Dense) (*Mixed, error) {
	if err := checkPoints(x); err != nil {
		return nil, err
	}
	twice := slices.Clone(m.levels)
	for j := range twice {
		twice[j].Probs = slices.Repeat(twice[j].Probs, 2)
	}
	share, width, err := tails(m, x, func(s float64) (LogProber, error) {
		g, err := NewMixture(m.gauss.widened(s))
		if err != nil {
			return nil, err
		}
		return NewMixed(g, m.levels)
	})
	if err != nil || share == 0 {
		return m, err
	}
	g, err := NewMixture(m.gauss.contaminated(share, width))
	if err != nil {
		return nil, err
	}
	return NewMixed(g, twice)
}
