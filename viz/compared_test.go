package viz

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot/vg"
)

// Data below the diagonal, samples above, every pair once each; the axes are those of the data, and samples beyond them
// are counted once.
func TestCompared(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const n, d = 400, 3
	data, samples := mat.NewDense(n, d, nil), mat.NewDense(n, d, nil)
	for _, x := range []*mat.Dense{data, samples} {
		x.Apply(func(int, int, float64) float64 { return rng.Float64() }, x)
	}
	samples.Set(7, 0, 99)
	samples.Set(7, 2, -99)
	samples.Set(8, 1, 99)
	p := Compared("table", data, samples, []string{"a", "b", "c"}, nil)
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	if p.Note != "2 of 400 samples beyond the axes" {
		t.Errorf("note %q", p.Note)
	}
	if _, hi := p.span(0); hi > 2 {
		t.Errorf("the axis reaches %g", hi)
	}
	if f := p.Figure(); len(f.cells) != d*d {
		t.Errorf("%d cells, want %d", len(f.cells), d*d)
	}
	save(t, "compared", p)
	alone := Compared("table", data, nil, nil, nil)
	if f := alone.Figure(); alone.Split || len(f.cells) != d*(d+1)/2 {
		t.Errorf("of data alone %d cells, split %v", len(f.cells), alone.Split)
	}
	p.Sets = append(p.Sets, p.Sets[0])
	if err := p.Validate(); err == nil || !strings.Contains(err.Error(), "want 2") {
		t.Errorf("three sets, split: %v", err)
	}
	if err := Compared("", nil, nil, nil, nil).Validate(); err == nil {
		t.Error("nothing to show, and no error")
	}
}

// A note that does not fit beside the title goes below it, and makes the page one line higher.
func TestCrowdedTitle(t *testing.T) {
	height := func(note string) vg.Length {
		f := &Figure{Title: "a table with a rather long name.csv", Note: note}
		f.Add(Cell{Plot: Light.NewPlot("", "x", "y")})
		_, h := f.Size()
		return h
	}
	short, long := height("step 3"), height(fmt.Sprint(strings.Repeat("words ", 20)))
	if long <= short {
		t.Errorf("height %g with a long note, %g with a short one", float64(long), float64(short))
	}
}
