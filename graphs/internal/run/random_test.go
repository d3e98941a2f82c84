package run

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
	"github.com/stheno-ebm/stheno/graphs/internal/reference"
	"github.com/stheno-ebm/stheno/graphs/internal/rules"
)

// Random programs compute what the reference computes, in tiles and in one piece, by one worker and by three, with
// the same bits for any number of workers.
func TestRandomPrograms(t *testing.T) {
	rounds := 300
	if testing.Short() {
		rounds = 80
	}
	for seed := range uint64(rounds) {
		rng := rand.New(rand.NewPCG(seed, 9))
		g, in := reference.Random(rng, []int{16, 70, 200}[rng.IntN(3)], 10+rng.IntN(60))
		want := reference.Outputs(g, in)
		opt := Options{MinRows: 8, TileRows: 8 * rng.IntN(4)}
		check[float64](t, fmt.Sprint("seed ", seed), g, in, want, opt, 1e-9)
		check[float32](t, fmt.Sprint("seed ", seed), g, in, want, opt, 2e-2)
		if t.Failed() {
			return
		}
	}
}

func check[T kernels.Float](t *testing.T, what string, g *ir.Graph, in, want [][]float64, opt Options, tol float64) {
	t.Helper()
	g = rules.Apply(g)
	var first [][]T
	for _, threads := range []int{1, 3} {
		opt.Threads = threads
		p := New[T](g, opt)
		for run := range 2 { // the second one finds all memory in use
			for i, v := range in {
				for j, x := range v {
					p.Input(i)[j] = T(x)
				}
			}
			p.Touch()
			if err := p.Run(); err != nil {
				t.Fatal(err)
			}
			for i := range want {
				got := p.Output(i)
				if threads == 1 && run == 0 {
					first = append(first, append([]T(nil), got...))
				}
				for j, w := range want[i] {
					if got[j] != first[i][j] && got[j] == got[j] {
						t.Fatalf("%s, %d threads, run %d: output %d[%d] is %v, before it was %v\n%s", what, threads,
							run, i, j, got[j], first[i][j], p.Dump())
					}
					if math.IsNaN(float64(got[j])) != math.IsNaN(w) || math.Abs(float64(got[j])-w) > tol*(1+math.Abs(w)) {
						t.Fatalf("%s: output %d[%d] is %v, want %v\n%s", what, i, j, got[j], w, p.Dump())
					}
				}
			}
		}
	}
}

// A clone has the inputs of the original, and memory of its own.
func TestClone(t *testing.T) {
	g := ir.New()
	x := g.Arg(1, 3, "x", false)
	g.Outputs = []ir.ID{g.Scale(x, 2), x, x}
	p := New[float64](rules.Apply(g), Options{})
	copy(p.Input(0), []float64{1, 2, 3})
	q := p.Clone()
	p.Input(0)[0] = 7
	if err := q.Run(); err != nil {
		t.Fatal(err)
	}
	if q.Output(0)[0] != 2 {
		t.Errorf("got %v, want 2", q.Output(0)[0])
	}
	first, alone := q.Place(0)
	second, shared := q.Place(1)
	if third, _ := q.Place(2); !alone || shared || first == second || second != third {
		t.Error("the first output alone has memory of its own")
	}
	own := []float64{4, 5, 6}
	if !q.Bind(0, own) || q.Bind(0, own[:2]) {
		t.Error("memory of three numbers, and of no others, may be bound")
	}
	if err := q.Run(); err != nil || q.Output(0)[2] != 12 {
		t.Errorf("got %v, %v, want 12", q.Output(0)[2], err)
	}
	if q.Own(0)[0] != 1 {
		t.Errorf("its own memory holds %v, want 1", q.Own(0)[0])
	}
	if q.Bytes() == 0 {
		t.Error("no memory")
	}
}

// failing is an opaque operation that fails or doubles its argument.
type failing struct{ err error }

func (f failing) Label() string { return "failing" }

func (f failing) Run32(dst []float32, args [][]float32) error {
	for i, v := range args[0] {
		dst[i] = 2 * v
	}
	return f.err
}

func (f failing) Run64(dst []float64, args [][]float64) error {
	for i, v := range args[0] {
		dst[i] = 2 * v
	}
	return f.err
}

func TestOpaque(t *testing.T) {
	for _, want := range []error{nil, fmt.Errorf("no")} {
		g := ir.New()
		x := g.Arg(2, 3, "x", false)
		held := g.Opaque(failing{}, "doubled", false, 2, 3, g.Arg(2, 3, "y", true))
		g.Outputs = []ir.ID{g.Add(g.Opaque(failing{want}, "", true, 2, 3, x), held)}
		p := New[float32](rules.Apply(g), Options{})
		p.Input(0)[1], p.Input(1)[1] = 3, 5
		err := p.Run()
		if (err != nil) != (want != nil) {
			t.Errorf("error %v, want %v", err, want)
		}
		if want == nil && p.Output(0)[1] != 16 {
			t.Errorf("got %v, want 16", p.Output(0)[1])
		}
		if _, err := p.Measure(2); (err != nil) != (want != nil) {
			t.Errorf("measured: error %v, want %v", err, want)
		}
	}
}

// Running does not allocate.
func TestNothingIsAllocated(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 10))
		g, _ := reference.Random(rng, 70, 50)
		p := New[float32](rules.Apply(g), Options{MinRows: 8, TileRows: 24})
		if n := testing.AllocsPerRun(5, func() {
			p.Touch()
			if err := p.Run(); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("seed %d: %v allocations\n%s", seed, n, p.Dump())
		}
	}
}
