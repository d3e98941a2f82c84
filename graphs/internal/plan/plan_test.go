package plan

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/reference"
	"github.com/stheno-ebm/stheno/graphs/internal/rules"
)

// settings has small tiles, so that there are several tiles and several stripes.
func settings(rng *rand.Rand) Settings {
	return Settings{ElemSize: 4, Alone: rng.IntN(2) == 0, MinRows: 8, TileRows: 8 * (1 + rng.IntN(3)),
		PackLen: func(k, n int) int { return k * n }, WorkLen: func(m, n, k int) int { return k },
		ConvLen: func(ir.Conv) int { return 0 }}
}

// Every pass preserves what the next one relies on, on random programs.
func TestVerify(t *testing.T) {
	rounds := 400
	if testing.Short() {
		rounds = 100
	}
	for seed := range uint64(rounds) {
		rng := rand.New(rand.NewPCG(seed, 7))
		g, _ := reference.Random(rng, []int{16, 70, 200}[rng.IntN(3)], 10+rng.IntN(60))
		if err := verify(rules.Apply(g), settings(rng)); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
}

// verify must notice what is wrong.
func TestVerifySeesFaults(t *testing.T) {
	g := ir.New()
	x, w := g.Arg(200, 3, "x", false), g.Arg(3, 3, "w", false)
	h := g.MatMul(x, w, false, false)
	g.Outputs = []ir.ID{g.Add(g.MatMul(h, x, true, false), g.MatMul(x, h, true, false)),
		g.RowSoftmax(g.MatMul(h, w, false, false))}
	g = rules.Apply(g)
	set := Settings{ElemSize: 4, MinRows: 8, TileRows: 8, PackLen: func(k, n int) int { return k * n },
		WorkLen: func(m, n, k int) int { return k },
		ConvLen: func(ir.Conv) int { return 0 }}
	tiled := func(p *Plan) *Segment {
		return &p.Main[slices.IndexFunc(p.Main, func(s Segment) bool { return s.Rows > 0 })]
	}
	for name, damage := range map[string]func(p *Plan){
		"steps in another order": func(p *Plan) { slices.Reverse(tiled(p).Steps) },
		"a sum begun twice": func(p *Plan) {
			for i := range tiled(p).Steps {
				tiled(p).Steps[i].Add = false
			}
		},
		"a sum never begun": func(p *Plan) {
			for i := range tiled(p).Steps {
				tiled(p).Steps[i].Add = true
			}
		},
		"one place for all": func(p *Plan) {
			for i := range p.Slots {
				p.Slots[i].Off = 0
			}
		},
		"a sum of stripes that is not added up": func(p *Plan) { tiled(p).Sums = nil },
	} {
		p := New(g, set)
		if err := verifyPlan(p); err != nil {
			t.Fatal(err)
		}
		damage(p)
		if err := verifyPlan(p); err == nil {
			t.Errorf("%s: not seen", name)
		}
	}
	s := order(fuse(cut(merge(sink(assign(analyse(g), 8))))))
	for i := range s.parts {
		slices.Reverse(s.parts[i].units)
	}
	if s.verifyParts() == nil {
		t.Error("units in another order: not seen")
	}
}

// A dump has a line for every step, of whatever kind.
func TestDump(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 8))
		g, _ := reference.Random(rng, 70, 60)
		p := New(rules.Apply(g), settings(rng))
		text := p.Dump(nil)
		for i := range p.Main {
			for j := range p.Main[i].Steps {
				st := &p.Main[i].Steps[j]
				if st.Group == nil && !strings.Contains(text, fmt.Sprint("%", st.ID, " ")) {
					t.Errorf("seed %d: no line for %%%d = %s in\n%s", seed, st.ID, st.Op.Name(), text)
				}
			}
		}
	}
}
