package density

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// lloyd is the number of k-means iterations for a start.
const lloyd = 10

// cluster divides the rows of x into at most k clusters by k-means and returns the number of the cluster of every row.
//
// Arthur and Vassilvitskii, k-means++: the advantages of careful seeding, SODA (2007) 1027–1035, for the initial
// centres; Lloyd, Least squares quantization in PCM, IEEE Trans. Inf. Theory 28 (1982) 129–137, for the iterations.
func cluster(x *mat.Dense, k int, rng *rand.Rand) []int {
	n, d := x.Dims()
	centres := mat.NewDense(k, d, nil)
	label, far, cdf := make([]int, n), make([]float64, n), make([]float64, n)
	centres.SetRow(0, x.RawRowView(rng.IntN(n)))
	for c := 1; ; c++ {
		var sum float64
		for i := range n {
			if sq := squaredDistance(x.RawRowView(i), centres.RawRowView(c-1), 1); c == 1 || sq < far[i] {
				far[i], label[i] = sq, c-1
			}
			sum += far[i]
			cdf[i] = sum
		}
		if c == k || sum == 0 {
			break
		}
		centres.SetRow(c, x.RawRowView(Pick(cdf, rng)))
		k = max(k, c)
	}
	count := make([]float64, k)
	for range lloyd {
		centres.Zero()
		clear(count)
		for i, c := range label {
			count[c]++
			addTo(centres.RawRowView(c), x.RawRowView(i))
		}
		for c, v := range count {
			row := centres.RawRowView(c)
			for j := range row {
				row[j] /= max(v, 1)
			}
		}
		moved := false
		for i, was := range label {
			best, least := was, math.Inf(1)
			for c, v := range count {
				if v == 0 {
					continue
				}
				if sq := squaredDistance(x.RawRowView(i), centres.RawRowView(c), 1); sq < least {
					best, least = c, sq
				}
			}
			label[i] = best
			moved = moved || best != was
		}
		if !moved {
			break
		}
	}
	return label
}

// divided returns the mixture of the clusters with these labels, below k.
func (f *em) divided(label []int, k int) *Mixture {
	_, d := f.z.Dims()
	s, zero, diff := f.newStatistics(k), make([]float64, k*d), make([]float64, d)
	for i, c := range label {
		s.point(f.kind, c, 1, f.z.RawRowView(i), zero[:d], diff)
		if s.by != nil {
			s.by[int(f.mixed.of[i])*k+c]++
		}
	}
	return f.update(s, zero)
}

// halved returns a mixture with one component more than m: one of its components, drawn by weight or the heaviest, is
// split in two clusters in coordinates in which it is spherical. It is nil if there is nothing to split.
func (f *em) halved(m *Mixture, heaviest bool, rng *rand.Rand) *Mixture {
	n, d := f.z.Dims()
	k := len(m.logw)
	f.pass(m) // f.best
	count := make([]int, k)
	for _, c := range f.best {
		count[c]++
	}
	which := int(f.best[rng.IntN(n)])
	if heaviest {
		for c, v := range count {
			if v > count[which] {
				which = c
			}
		}
	}
	if count[which] < 2 {
		return nil
	}
	label, rows := make([]int, n), make([]int, 0, count[which])
	inside, room := mat.NewDense(count[which], d, nil), make([]float64, 3*d)
	for i, c := range f.best {
		label[i] = int(c)
		if int(c) == which {
			m.distance(room[:2*d], m.place(room[2*d:], f.z.RawRowView(i)), which, math.Inf(1))
			inside.SetRow(len(rows), room[:d])
			rows = append(rows, i)
		}
	}
	for i, c := range cluster(inside, 2, rng) {
		if c == 1 {
			label[rows[i]] = k
		}
	}
	return f.divided(label, k+1)
}
