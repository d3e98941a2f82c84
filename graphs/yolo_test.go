package graphs

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// yoloTraining builds YOLOv3 in training for boxes xs and targets (class, x, y, w, h).
func yoloTraining(t *testing.T, xs []float32, targets []float32, masks []int, grid, classes int) (x, y *G.Node) {
	t.Helper()
	anchors := []float32{10, 13, 16, 30, 33, 23}
	channels := len(masks) * (5 + classes)
	g := G.NewGraph()
	cells := make([]float32, grid*grid)
	cells[0] = float32(len(targets))
	copy(cells[1:], targets)
	input := func(name string, v []float32, shape ...int) *G.Node {
		return G.NewTensor(g, tensor.Float32, 4, G.WithShape(shape...), G.WithName(name),
			G.WithValue(tensor.New(tensor.WithShape(shape...), tensor.WithBacking(append([]float32(nil), v...)))))
	}
	x = input("x", xs, 1, channels, grid, grid)
	return x, must(G.YOLOv3(x, anchors, masks, 64, classes, 0.3, input("targets", cells, 1, 1, grid, grid)))
}

func must(n *G.Node, err error) *G.Node {
	if err != nil {
		panic(err)
	}
	return n
}

// The targets lie where a box begins: Gorgonia takes the number of a box for that, and elsewhere takes logarithms of
// sizes.
//
// In training, YOLOv3 is written with other operations for the purpose of differentiation. These give its values, to
// rounding, and the derivative along a direction is the difference of its values, as far as float32 shows it.
func TestYOLOTraining(t *testing.T) {
	for _, c := range []struct {
		grid, classes int
		masks         []int
		targets       []float32
	}{
		{4, 2, []int{0, 1}, []float32{1, 0.8, 0.3, 0.16, 0.2, 0, 0.9, 0.1, 0.25, 0.47}},
		{5, 1, []int{0, 1, 2}, []float32{0, 0.5, 0.5, 0.16, 0.2, 0, 0.51, 0.1, 0.15, 0.2, 0, 0.52, 0.11, 0.16, 0.21}},
		{3, 3, []int{2}, []float32{2, 0.8, 0.9, 0.5, 0.36}},
		{3, 1, []int{0}, nil},
	} {
		rng := rand.New(rand.NewPCG(3, 4))
		size := len(c.masks) * (5 + c.classes) * c.grid * c.grid
		xs, v := make([]float32, size), make([]float64, size)
		for i := range xs {
			xs[i], v[i] = float32(rng.NormFloat64()), rng.NormFloat64()
		}
		x, y := yoloTraining(t, xs, c.targets, c.masks, c.grid, c.classes)
		e := translate(y, operands(y))
		d, err := Grad(Sum(Square(y)), x)
		if err != nil {
			t.Fatal(err)
		}
		second, err := Grad(Sum(Square(d[0])), x)
		if err != nil {
			t.Fatal(err)
		}
		m, err := NewMachine(x.Graph(), Values(e))
		if err != nil {
			t.Fatal(err)
		}
		if err := m.RunAll(); err != nil {
			t.Fatal(err)
		}
		tape := func(step float64) (values []float64, loss float64) {
			moved := make([]float32, size)
			for i := range moved {
				moved[i] = xs[i] + float32(step*v[i])
			}
			_, y := yoloTraining(t, moved, c.targets, c.masks, c.grid, c.classes)
			m := G.NewTapeMachine(y.Graph())
			defer m.Close()
			if err := m.RunAll(); err != nil {
				t.Fatal(err)
			}
			values, err := readValue(y.Value())
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range values {
				if math.IsNaN(f) {
					t.Fatal("the tape gives NaN")
				}
				loss += f * f
			}
			return values, loss
		}
		want, _ := tape(0)
		name := fmt.Sprint(c.grid, c.masks, len(c.targets)/5)
		compareNumbers(t, name+" value", y.Value(), want, 1e-6)
		compareNumbers(t, name+" in other words", e.Value(), want, 1e-5)
		const h = 1e-3
		_, up := tape(h)
		_, down := tape(-h)
		along := func(n *G.Node) (s float64) {
			g, err := readValue(n.Value())
			if err != nil {
				t.Fatal(err)
			}
			for i := range v {
				s += g[i] * v[i]
			}
			return s
		}
		if got, want := along(d[0]), (up-down)/(2*h); math.Abs(got-want) > 2e-3*math.Abs(want)+1e-2 {
			t.Errorf("%s: derivative %g, difference %g", name, got, want)
		}
		if got := along(second[0]); math.IsNaN(got) || got == 0 {
			t.Errorf("%s: second derivative %g", name, got)
		}
	}
}
