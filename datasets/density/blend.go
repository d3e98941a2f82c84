package density

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/internal/batch"
)

// Blend is a mixture of densities of any kind.
type Blend struct {
	parts []Density
	cdf   []float64
	logw  []float64
}

var (
	_ Density = (*Blend)(nil)
	_ Scorer  = (*Blend)(nil)
)

// NewBlend mixes parts with the given weights > 0, scaled to sum to 1.
func NewBlend(parts []Density, weights []float64) (*Blend, error) {
	if len(parts) == 0 || len(parts) != len(weights) {
		return nil, fmt.Errorf("density: a blend of %d densities with %d weights", len(parts), len(weights))
	}
	var sum float64
	for i, w := range weights {
		if !positive(w) {
			return nil, fmt.Errorf("density: weight %d of a blend is %g, want > 0", i+1, w)
		}
		if parts[i] == nil {
			return nil, fmt.Errorf("density: part %d of a blend is nil", i+1)
		}
		if got, want := parts[i].Dim(), parts[0].Dim(); got != want {
			return nil, fmt.Errorf("density: part %d of a blend is of dimension %d, the first of %d", i+1, got, want)
		}
		sum += w
	}
	b := &Blend{parts: slices.Clone(parts)}
	var c float64
	for _, w := range weights {
		c += w / sum
		b.cdf = append(b.cdf, c)
		b.logw = append(b.logw, math.Log(w/sum))
	}
	return b, nil
}

// Dim returns the dimension of the parts.
func (b *Blend) Dim() int { return b.parts[0].Dim() }

// Parts returns the densities and the logarithms of their weights.
func (b *Blend) Parts() (parts []Density, logWeights []float64) {
	return slices.Clone(b.parts), slices.Clone(b.logw)
}

// Sample draws a part for every row.
func (b *Blend) Sample(dst *mat.Dense, rng *rand.Rand) {
	batch.Sample(dst, b.Dim())
	s := borrow()
	defer s.giveBack()
	for i := range dst.RawMatrix().Rows {
		u, k := rng.Float64(), 0
		for k < len(b.cdf)-1 && u >= b.cdf[k] {
			k++
		}
		b.parts[k].Sample(s.matrix(dst.RawRowView(i)), rng)
	}
}

// LogProb stores log Σ_k w_k q_k.
func (b *Blend) LogProb(dst []float64, x *mat.Dense) {
	batch.LogProb(dst, x, b.Dim())
	s := borrow()
	defer s.giveBack()
	room := s.numbers(2 * len(dst))
	b.logProb(dst, room[:len(dst)], room[len(dst):], x, nil)
}

// logProb is LogProb with scratch space for twice as many numbers. It calls each with every part and its terms.
func (b *Blend) logProb(dst, out, sum []float64, x *mat.Dense, each func(part int, logs []float64)) {
	for i := range dst {
		dst[i], sum[i] = math.Inf(-1), 0 // sum in units of exp(dst), the largest term so far
	}
	for k, p := range b.parts {
		p.LogProb(out, x)
		for i := range out {
			out[i] += b.logw[k]
			switch v := out[i]; {
			case math.IsInf(v, -1):
			case v <= dst[i]:
				sum[i] += math.Exp(v - dst[i])
			default: // NaN, too
				sum[i] = 1 + sum[i]*math.Exp(dst[i]-v)
				dst[i] = v
			}
		}
		if each != nil {
			each(k, out)
		}
	}
	for i, v := range sum {
		dst[i] += math.Log(v)
	}
}

// scored reports whether all parts are Scorers.
func (b *Blend) scored() bool {
	return !slices.ContainsFunc(b.parts, func(p Density) bool {
		_, ok := ScorerOf(p)
		return !ok
	})
}

// Score stores the mean of the scores of the parts, weighted by their shares of the density. It panics if a part is not
// a Scorer; see [ScorerOf].
func (b *Blend) Score(dst, x *mat.Dense) {
	n, d := x.Dims()
	batch.Score(dst, x, b.Dim())
	if !b.scored() {
		panic("density: score of a blend with a part that does not know its own; ask ScorerOf first")
	}
	room := make([]float64, (2+len(b.parts))*n)
	logp, terms := room[:n], mat.NewDense(len(b.parts), n, room[2*n:])
	b.logProb(logp, make([]float64, n), room[n:2*n], x, terms.SetRow)
	dst.Zero()
	one := mat.NewDense(n, d, nil)
	for k, p := range b.parts {
		s, _ := ScorerOf(p)
		s.Score(one, x)
		for i := range n {
			if math.IsInf(logp[i], -1) {
				continue
			}
			w, row := math.Exp(terms.At(k, i)-logp[i]), dst.RawRowView(i)
			if w == 0 {
				continue // its score may be infinite
			}
			for j, v := range one.RawRowView(i) {
				row[j] += w * v
			}
		}
	}
}
