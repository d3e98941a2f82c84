package viz

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"

	"gonum.org/v1/gonum/stat/distuv"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// RankPlot shows, for every quantity, the histogram of the ranks of each chain's draws among the draws of all chains:
// flat where the chains agree. A slope means that the chain lies too high or too low, a bowl that it is too wide, a
// hill that it is too narrow. For independent draws, 99 % of the bars end within the grey band.
//
// Vehtari, Gelman, Simpson, Carpenter and Bürkner, Rank-normalization, folding, and localization: an improved R̂,
// Bayesian Analysis 16 (2021) 667–718.
type RankPlot struct {
	Title  string
	Names  []string
	Values [][][]float64 // quantity, chain, draw
	Bins   int           // 0 means 20, fewer for few draws
	Show   int           // chains drawn, the least even first if there are more; 0 means 4
	Style  *Style
	Width  vg.Length // 0 means 640
}

// NewRankPlot returns the rank plot of the named quantities, of the first four if none are named.
func NewRankPlot(d Draws, names ...string) (*RankPlot, error) {
	if len(names) == 0 {
		names = d.Labels()
		names = names[:min(len(names), 4)]
	}
	at, err := find(d, names...)
	if err != nil {
		return nil, err
	}
	p := &RankPlot{Names: names}
	for _, j := range at {
		p.Values = append(p.Values, d.Values(j))
	}
	return p, p.Validate()
}

// Validate reports what could not be drawn.
func (p *RankPlot) Validate() error {
	if len(p.Values) == 0 || len(p.Names) != len(p.Values) {
		return fmt.Errorf("viz: a rank plot has %d quantities and %d names, want at least one, and a name for each",
			len(p.Values), len(p.Names))
	}
	for k, x := range p.Values {
		if len(slices.Concat(x...)) == 0 {
			return fmt.Errorf("viz: a rank plot needs draws of %s, and there are none", p.Names[k])
		}
	}
	return nil
}

// ranks returns the ranks of values among all, from 0 to 1; ties get their mean rank.
func ranks(x [][]float64) [][]float64 {
	type place struct {
		v    float64
		c, t int
	}
	var all []place
	out := make([][]float64, len(x))
	for c, chain := range x {
		out[c] = make([]float64, len(chain))
		for t, v := range chain {
			all = append(all, place{v, c, t})
		}
	}
	sort.SliceStable(all, func(a, b int) bool { return all[a].v < all[b].v })
	for a := 0; a < len(all); {
		b := a + 1
		for b < len(all) && all[b].v == all[a].v {
			b++
		}
		for _, q := range all[a:b] {
			out[q.c][q.t] = float64(a+b) / 2 / float64(len(all))
		}
		a = b
	}
	return out
}

// Figure returns the picture.
func (p *RankPlot) Figure() *Figure {
	st := styleOr(p.Style)
	f := &Figure{Title: p.Title, Style: st, Width: p.Width, Gap: 6}
	if p.Validate() != nil {
		return f
	}
	show := cmp.Or(p.Show, 4)
	for row, x := range p.Values {
		f.Heights = append(f.Heights, 62)
		r := ranks(x)
		order := worst(p.unevenness(r), func(v float64) float64 { return v })
		if len(order) <= show {
			sort.Ints(order)
		} else {
			order = order[:show]
		}
		for col, c := range order {
			f.Add(Cell{Row: row, Col: col, Plot: p.chain(st, row, col, c, r[c])})
		}
		if len(x) > show {
			f.Note = fmt.Sprintf("%d of %d chains, the least even", show, len(x))
		}
	}
	return f
}

func (p *RankPlot) bins(draws int) int {
	if p.Bins > 0 {
		return p.Bins
	}
	return max(2, min(20, draws/10))
}

// unevenness returns the χ² of every chain.
func (p *RankPlot) unevenness(r [][]float64) []float64 {
	out := make([]float64, len(r))
	for c, v := range r {
		n := p.bins(len(v))
		for _, h := range Histogram(v, 0, 1, n).Heights {
			out[c] += (h - 1) * (h - 1)
		}
		out[c] *= float64(len(v)) / float64(n)
	}
	return out
}

// chain draws the panel of one chain.
func (p *RankPlot) chain(st *Style, row, col, c int, r []float64) *plot.Plot {
	title, y := "", ""
	if row == 0 || len(p.Values[row]) > 4 {
		title = fmt.Sprintf("chain %d", c+1)
	}
	if col == 0 {
		y = clip(p.Names[row], 12)
	}
	pl := st.NewPlot(title, "", y)
	n := p.bins(len(r))
	h := Histogram(r, 0, 1, n)
	colour := st.Accent[c%len(st.Accent)]
	h.Line, h.Fill = draw.LineStyle{Color: colour, Width: 1}, fade(colour, 0.25)
	q := distuv.UnitNormal.Quantile(0.995) * math.Sqrt(float64(n-1)/math.Max(float64(len(r)), 1))
	band := &Steps{Edges: []float64{0, 1}, Heights: []float64{1 + q}, Fill: st.Rule}
	under := &Steps{Edges: []float64{0, 1}, Heights: []float64{math.Max(0, 1-q)}, Fill: st.Face}
	pl.Add(ground{st, false, false}, band, under, h, frame{st})
	pl.X.Min, pl.X.Max, pl.Y.Min = 0, 1, 0
	pl.Y.Max = math.Max(pl.Y.Max*1.05, 2)
	pl.X.Tick.Marker, pl.Y.Tick.Marker = plot.ConstantTicks(nil), plot.ConstantTicks(nil)
	if row == len(p.Values)-1 {
		pl.X.Label.Text = "rank"
	}
	return pl
}
