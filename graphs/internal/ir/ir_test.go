package ir_test

import (
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
	"github.com/stheno-ebm/stheno/graphs/internal/reference"
	"github.com/stheno-ebm/stheno/graphs/internal/strided"
)

// runner is an opaque operation that does nothing.
type runner struct{}

func (runner) Label() string                      { return "runner" }
func (runner) Run32([]float32, [][]float32) error { return nil }
func (runner) Run64([]float64, [][]float64) error { return nil }

// Every instruction has a name of its own, a class, and a text.
func TestInstructions(t *testing.T) {
	seen := map[string]bool{}
	for _, op := range ir.All {
		name := op.Name()
		if name == "" || seen[name] {
			t.Errorf("%T has no name of its own: %q", op, name)
		}
		seen[name] = true
		if op.Class().String() == "" {
			t.Errorf("%s has no class", name)
		}
		if op.Reduces() && op.Class() != ir.Reduction && op.Class() != ir.ByRow {
			t.Errorf("%s sums over rows but is of class %v", name, op.Class())
		}
		if o, ok := op.(ir.Opaque); ok {
			o.Run = runner{}
			op = o
		}
		if op.Text([]string{"a", "b", "c", "d"}) == "" {
			t.Errorf("%s has no text", name)
		}
		op.Aligned(0)
	}
}

// Random programs contain every instruction but those that only rules produce and opaque ones.
func TestRandomProgramsHaveAll(t *testing.T) {
	seen := map[reflect.Type]bool{}
	for seed := range uint64(60) {
		g, _ := reference.Random(rand.New(rand.NewPCG(seed, 1)), 16, 60)
		for i := range g.Code {
			seen[reflect.TypeOf(g.Code[i].Op)] = true
		}
	}
	for _, op := range ir.All {
		switch op.(type) {
		case ir.Opaque, ir.Pack, ir.ConvPack:
			continue
		}
		if !seen[reflect.TypeOf(op)] {
			t.Errorf("no %s", op.Name())
		}
	}
}

// Instructions that differ in any parameter stay apart; equal ones are merged where that is asked for.
func TestMerge(t *testing.T) {
	never := func(*ir.Graph, *ir.Instr) (ir.ID, bool) { return 0, false }
	view := strided.New(6, 0, []int{3}, []int{2})
	other := strided.New(6, 1, []int{3}, []int{2})
	groups := strided.NewGroups(6, 0, []int{2, 3}, []int{3, 1}, 1)
	for name, build := range map[string]func(g *ir.Graph, x ir.ID, v bool) ir.ID{
		"const": func(g *ir.Graph, _ ir.ID, v bool) ir.ID {
			return g.Const(2, 3, map[bool]float64{v: 0, !v: math.Copysign(0, -1)}[true])
		},
		"unary": func(g *ir.Graph, x ir.ID, v bool) ir.ID { return g.Unary(kernels.Tanh, map[bool]int{true: 1}[v], x) },
		"pow":   func(g *ir.Graph, x ir.ID, v bool) ir.ID { return g.Pow(2, map[bool]int{true: 1}[v], x) },
		"func": func(g *ir.Graph, x ir.ID, v bool) ir.ID {
			return g.Func(map[bool]string{true: "a", false: "b"}[v], math.Floor, x)
		},
		"scale": func(g *ir.Graph, x ir.ID, v bool) ir.ID { return g.Scale(x, map[bool]float64{true: 1}[v]) },
		"shift": func(g *ir.Graph, x ir.ID, v bool) ir.ID { return g.Shift(x, map[bool]float64{true: 1}[v]) },
		"gather": func(g *ir.Graph, x ir.ID, v bool) ir.ID {
			return g.Gather(x, map[bool]strided.View{true: view, false: other}[v], 1, 3)
		},
		"put": func(g *ir.Graph, x ir.ID, v bool) ir.ID {
			return g.Put(g.SliceRows(x, 0, 1), view, map[bool]float64{true: 1}[v], 2, 3)
		},
		"scatter": func(g *ir.Graph, x ir.ID, v bool) ir.ID {
			return g.Scatter(g.SliceRows(x, 0, 1), map[bool]strided.View{true: view, false: other}[v], 2, 3)
		},
		"pick": func(g *ir.Graph, x ir.ID, v bool) ir.ID {
			return g.Pick(x, map[bool]ir.ID{true: x, false: g.Scale(x, 3)}[v], groups, 2, 1)
		},
		"place": func(g *ir.Graph, x ir.ID, v bool) ir.ID {
			rows, cols := map[bool]int{true: 2, false: 1}[v], map[bool]int{true: 3, false: 6}[v]
			return g.Place(x, g.SliceCols(x, 0, 1), groups, rows, cols)
		},
		"opaque": func(g *ir.Graph, x ir.ID, v bool) ir.ID {
			return g.Opaque(runner{}, map[bool]string{true: "a", false: "b"}[v], false, 1, 1, x)
		},
		"three": func(g *ir.Graph, x ir.ID, v bool) ir.ID {
			return g.ConcatCols(x, x, map[bool]ir.ID{true: x, false: g.Scale(x, 3)}[v])
		},
		"volatile": func(g *ir.Graph, x ir.ID, v bool) ir.ID {
			return g.Opaque(runner{}, map[bool]string{true: "a"}[v], false, 1, 1, x)
		},
	} {
		g := ir.Rewriting(never)
		x := g.Arg(2, 3, "x", false)
		a, b, c := build(g, x, true), build(g, x, false), build(g, x, true)
		if a == b {
			t.Errorf("%s: two became one", name)
		}
		if a != c {
			t.Errorf("%s: one became two", name)
		}
		raw := ir.New()
		x = raw.Arg(2, 3, "x", false)
		if first, second := build(raw, x, true), build(raw, x, true); first == second {
			t.Errorf("%s: merged where nobody asked for it", name)
		}
	}
	g := ir.Rewriting(never)
	twice := func(make func() ir.ID) bool { first, second := make(), make(); return first == second }
	if twice(func() ir.ID { return g.Data(1, 2, []float64{1, 2}) }) ||
		twice(func() ir.ID { return g.Opaque(runner{}, "", false, 1, 1) }) {
		t.Error("data, or operations without a label, became one")
	}
	x := g.Arg(1, 1, "", false)
	if g.Has(ir.Scale{C: 2}, 1, 1, x) || g.Scale(x, 2) < 0 || !g.Has(ir.Scale{C: 2}, 1, 1, x) {
		t.Error("Has does not know")
	}
}

// A wrong shape is a programmer's error: it panics and names the shapes.
func TestShapes(t *testing.T) {
	for name, build := range map[string]func(g *ir.Graph, x, y ir.ID){
		"add of (2,3) and (3,2)":        func(g *ir.Graph, x, y ir.ID) { g.Add(x, y) },
		"product of (2,3) and (2,3)":    func(g *ir.Graph, x, _ ir.ID) { g.MatMul(x, x, false, false) },
		"2 products of (2,3) and (3,2)": func(g *ir.Graph, x, y ir.ID) { g.BatchMatMul(x, y, 2, false, false) },
		"expandcols of (2,3)":           func(g *ir.Graph, x, _ ir.ID) { g.ExpandCols(x, 2) },
		"expandrows of (2,3)":           func(g *ir.Graph, x, _ ir.ID) { g.ExpandRows(x, 2) },
		"fill of (2,3)":                 func(g *ir.Graph, x, _ ir.ID) { g.Fill(x, 2, 2) },
		"slicecols of (2,3)":            func(g *ir.Graph, x, _ ir.ID) { g.SliceCols(x, 1, 4) },
		"slicerows of (2,3)":            func(g *ir.Graph, x, _ ir.ID) { g.SliceRows(x, 2, 2) },
		"concatcols of (3,2)":           func(g *ir.Graph, x, y ir.ID) { g.ConcatCols(x, y) },
		"concatrows of (3,2)":           func(g *ir.Graph, x, y ir.ID) { g.ConcatRows(x, y) },
		"reshape of (2,3)":              func(g *ir.Graph, x, _ ir.ID) { g.Reshape(x, 2, 2) },
		"1 numbers for (1,2)":           func(g *ir.Graph, _, _ ir.ID) { g.Data(1, 2, []float64{1}) },
	} {
		func() {
			defer func() {
				if s, _ := recover().(string); !strings.Contains(s, name) {
					t.Errorf("got %q, want %q", s, name)
				}
			}()
			g := ir.New()
			build(g, g.Arg(2, 3, "", false), g.Arg(3, 2, "", false))
		}()
	}
}

// What depends on held inputs alone stands still.
func TestStandStill(t *testing.T) {
	g := ir.New()
	x, w := g.Arg(2, 2, "x", false), g.Arg(2, 2, "w", true)
	still := map[ir.ID]bool{w: true, g.Scale(w, 2): true, g.Const(1, 1, 2): true, x: false, g.Add(x, w): false,
		g.Opaque(runner{}, "", false, 1, 1, w): true, g.Opaque(runner{}, "", true, 1, 1, w): false}
	got := g.StandStill()
	for id, want := range still {
		if got[id] != want {
			t.Errorf("%v: got %v, want %v", g.At(id).Op, got[id], want)
		}
	}
	g.Outputs = []ir.ID{x}
	live := g.Live()
	if !live[x] || !live[w] || live[2] {
		t.Errorf("live: %v", live)
	}
	if u := g.Uses(live); u[x] != 2 || u[w] != 0 {
		t.Errorf("uses: %v", u)
	}
	if g.LoopRows(g.At(w)) != 0 || g.LoopRows(g.At(2)) != 2 || g.LoopRows(g.At(g.ColSum(x))) != 2 {
		t.Error("rows to walk over")
	}
}
