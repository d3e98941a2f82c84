package viz

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"gonum.org/v1/gonum/stat"
)

// posterior are draws of a funnel from several chains, with divergences in its neck, and energies.
type posterior struct {
	labels   []string
	x        [][][]float64 // quantity, chain, draw
	diverged [][]bool
	h        [][]float64
}

func (p *posterior) Labels() []string          { return p.labels }
func (p *posterior) Values(j int) [][]float64  { return p.x[j] }
func (p *posterior) Diverged() [][]bool        { return p.diverged }
func (p *posterior) Hamiltonians() [][]float64 { return p.h }

// funnel has d quantities; the last chain lags behind in the last of them.
func funnel(d, chains, n int) *posterior {
	rng := rand.New(rand.NewPCG(5, 6))
	p := &posterior{x: make([][][]float64, d)}
	for j := range d {
		p.labels = append(p.labels, fmt.Sprintf("effect of the school [%d]", j+1))
	}
	p.labels[0] = "log tau"
	for c := range chains {
		rows, div, h := make([][]float64, d), make([]bool, n), make([]float64, n)
		v := 0.0
		for t := range n {
			v = 0.9*v + math.Sqrt(1-0.81)*1.5*rng.NormFloat64()
			for j := range d {
				x := v
				if j > 0 {
					x = math.Exp(v/2) * rng.NormFloat64()
				}
				if j == d-1 && c == chains-1 {
					x += 4
				}
				rows[j] = append(rows[j], x)
			}
			div[t] = v < -2 && rng.Float64() < 0.3
			h[t] = 10 + v*v/2 + rng.ExpFloat64()
		}
		for j := range d {
			p.x[j] = append(p.x[j], rows[j])
		}
		p.diverged, p.h = append(p.diverged, div), append(p.h, h)
	}
	return p
}

// between is √(1 + B/W), as good as R̂ for these tests.
func between(x [][]float64) float64 {
	var means, within []float64
	for _, c := range x {
		m, v := stat.MeanVariance(c, nil)
		means, within = append(means, m), append(within, v)
	}
	return math.Sqrt(1 + stat.Variance(means, nil)/stat.Mean(within, nil))
}

// save draws a picture into the folder named by VIZ_LOOK, for inspection, if there is one.
func save(t *testing.T, name string, p Picture) {
	t.Helper()
	dir := t.TempDir()
	if d := os.Getenv("VIZ_LOOK"); d != "" {
		dir = d
	}
	for _, ext := range []string{".png", ".svg"} {
		if err := Save(filepath.Join(dir, name+ext), p); err != nil {
			t.Fatal(err)
		}
	}
}

// The picture of draws shows what mixed worst: here the last of twelve quantities, as traces, plane and bars.
func TestNewDiagnostics(t *testing.T) {
	p := funnel(12, 4, 500)
	d := NewDiagnostics(p, between, func(x [][]float64) float64 { return 2000 / between(x) })
	d.Title = "Twelve quantities"
	if got := d.chosen(12); got[0] != 11 {
		t.Errorf("drawn are %v, want the last first", got)
	}
	if got := worst([]float64{1, 3, math.NaN(), 2},
		func(v float64) float64 { return v }); fmt.Sprint(got) != "[2 1 3 0]" {
		t.Errorf("order %v, want [2 1 3 0]", got)
	}
	save(t, "diagnostics-worst", d)
	w, _ := d.Figure().Size()
	o := d.Figure().layout()
	for k := range o.x0 {
		if o.x1[k]-o.x0[k] < 60 || o.x1[k] > w {
			t.Errorf("column %d from %g to %g on a page of %g", k, o.x0[k], o.x1[k], w)
		}
	}
	at, err := find(p, "log tau", "effect of the school [3]")
	if err != nil {
		t.Fatal(err)
	}
	d.Choose = at
	if got := d.chosen(12); got[0] != 0 || got[1] != 2 {
		t.Errorf("drawn are %v, want 0 and 2", got)
	}
	if _, err := find(p, "tau"); err == nil {
		t.Error("a name that is none is found")
	}
	if got := clip("effect of the school [11]", 16); got != "effect o…ol [11]" {
		t.Errorf("name cut to %q", got)
	}
	constant := &posterior{labels: []string{"c"}, x: [][][]float64{{{1, 1, 1, 1}, {1, 1, 1, 1}}}}
	save(t, "diagnostics-constant", NewDiagnostics(constant, between, func([][]float64) float64 { return math.NaN() }))
	holes := funnel(3, 2, 50)
	for j := range holes.x {
		for _, at := range []int{0, 20, 21, 49} {
			holes.x[j][0][at] = math.NaN()
		}
		holes.x[j][1][30] = math.Inf(1 - 2*(j%2))
	}
	save(t, "diagnostics-holes", NewDiagnostics(holes, between, between))
	pairs, err := NewPairs(holes)
	if err != nil {
		t.Fatal(err)
	}
	save(t, "pairs-holes", pairs)
	save(t, "diagnostics-none", NewDiagnostics(&posterior{labels: []string{"a", "b"}, x: make([][][]float64, 2)}, nil,
		nil))
}

// Pairs, energies and ranks of draws: what is divergent is marked, what lags is uneven, what is low is said.
func TestPosteriorPictures(t *testing.T) {
	p := funnel(6, 4, 1000)
	pairs, err := NewPairs(p, "log tau", "effect of the school [2]", "effect of the school [3]",
		"effect of the school [6]")
	if err != nil {
		t.Fatal(err)
	}
	few := 0
	for _, chain := range p.diverged {
		for _, d := range chain {
			if d {
				few++
			}
		}
	}
	if n, _ := pairs.Sets[1].X.Dims(); n != few || few == 0 {
		t.Errorf("%d points are marked, want the %d divergent ones", n, few)
	}
	for i := range few {
		if v := pairs.Sets[1].X.At(i, 0); v >= -2 {
			t.Errorf("a marked point at %g, want below -2", v)
		}
	}
	save(t, "pairs", pairs)
	e, err := NewEnergyPlot(p)
	if err != nil {
		t.Fatal(err)
	}
	_, _, bfmi := e.split()
	var all, steps float64
	mean := stat.Mean(p.h[1], nil)
	for i, v := range p.h[1] {
		all += (v - mean) * (v - mean)
		if i > 0 {
			steps += math.Pow(v-p.h[1][i-1], 2)
		}
	}
	if math.Abs(bfmi[1]-steps/all) > 1e-12 {
		t.Errorf("E-BFMI %g, want %g", bfmi[1], steps/all)
	}
	save(t, "energy", e)
	r, err := NewRankPlot(p, "log tau", "effect of the school [6]")
	if err != nil {
		t.Fatal(err)
	}
	if u := r.unevenness(ranks(r.Values[1])); u[3] < 5*u[0] {
		t.Errorf("χ² %v: the last chain is not found", u)
	}
	save(t, "ranks", r)
	many := funnel(2, 9, 50)
	if r, err = NewRankPlot(many); err != nil {
		t.Fatal(err)
	}
	save(t, "ranks-many", r)
	one, err := NewPairs(many, "log tau")
	if err != nil {
		t.Fatal(err)
	}
	save(t, "pairs-one", one)
}

// Ranks run from 0 to 1, and equal values share theirs.
func TestRanks(t *testing.T) {
	if got := fmt.Sprint(ranks([][]float64{{3, 1}, {1, 2}})); got != "[[0.875 0.25] [0.25 0.625]]" {
		t.Errorf("ranks %v", got)
	}
}

// What is missing is not drawn, and the reason is given.
func TestPosteriorPicturesRefuse(t *testing.T) {
	none := &posterior{labels: []string{"a"}, x: make([][][]float64, 1)}
	still := struct{ Draws }{none}
	for name, f := range map[string]func() error{
		"pairs of nothing":   func() error { _, err := NewPairs(none); return err },
		"pairs of strangers": func() error { _, err := NewPairs(none, "b"); return err },
		"energies":           func() error { _, err := NewEnergyPlot(none); return err },
		"no energies":        func() error { _, err := NewEnergyPlot(still); return err },
		"ranks of nothing":   func() error { _, err := NewRankPlot(none); return err },
		"ranks of strangers": func() error { _, err := NewRankPlot(none, "b"); return err },
		"too many": func() error {
			p := funnel(9, 2, 10)
			_, err := NewPairs(p, p.labels...)
			return err
		},
	} {
		if f() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
