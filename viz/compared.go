package viz

import (
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot/vg"
)

// Compared returns the pair plot of data and samples: the data below the diagonal, the samples above it, and on it the
// histograms of both. The data set the axes, and how many samples lie beyond them is noted. Either may be missing. At
// most 1500 points of each are drawn in a scatter plot: of eight columns there are 56.
func Compared(title string, data, samples mat.Matrix, names []string, st *Style) *Pairs {
	const points, roomy, width = 1500, 5, vg.Length(110)
	p := &Pairs{Title: title, Names: names, Points: points, Style: st}
	s := styleOr(st)
	if present(data) {
		p.Sets = append(p.Sets, PointSet{Name: "data", X: data, Color: s.Data})
	}
	if present(samples) {
		p.Sets = append(p.Sets, PointSet{Name: "samples", X: samples, Color: s.Model})
	}
	if d := dim(data, samples); d > roomy {
		p.Width = width * vg.Length(d)
	}
	if p.Split = len(p.Sets) == 2; p.Split && p.Validate() == nil {
		p.Note = p.beyond()
	}
	return p
}

// beyond says how many rows of the second set lie beyond the axes; "" for none.
func (p *Pairs) beyond() string {
	x := p.Sets[1].X
	n, d := x.Dims()
	out := make([]bool, n)
	count := 0
	for k := range d {
		lo, hi := p.span(k)
		for i := range n {
			if v := x.At(i, k); !(lo <= v && v <= hi) && !out[i] {
				out[i] = true
				count++
			}
		}
	}
	if count == 0 {
		return ""
	}
	return thousands(count) + " of " + thousands(n) + " samples beyond the axes"
}
