package viz_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/viz"
)

// The paths of two chains, and whether they mixed.
func ExampleDiagnostics() {
	rng := rand.New(rand.NewPCG(1, 2))
	var chains []*mat.Dense
	for range 2 {
		c := mat.NewDense(200, 2, nil)
		c.Apply(func(int, int, float64) float64 { return rng.NormFloat64() }, c)
		chains = append(chains, c)
	}
	dir, err := os.MkdirTemp("", "viz")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	fmt.Println(viz.Save(filepath.Join(dir, "chains.svg"),
		&viz.Diagnostics{Chains: chains, RHat: []float64{1, 1}, ESS: []float64{400, 380}}))
	// Output: <nil>
}

// A page of your own: a surface beside a heat map, in one figure.
func ExampleFigure() {
	g := viz.NewGrid([]float64{-2, -2}, []float64{2, 2}, 21)
	for i := range g.Z {
		x, y := g.X[i%21], g.Y[i/21]
		g.Z[i] = x*x - y*y
	}
	scale := viz.Scale{Lo: -4, Hi: 4, Map: viz.Vik}
	plane := viz.Light.Plane("from above", [2]float64{-2, -2}, [2]float64{2, 2})
	plane.Add(&viz.HeatMap{Grid: g, Scale: scale})
	surface := viz.Surface{Grid: g, Scale: scale}
	f := viz.Figure{Title: "a saddle"}
	f.Add(viz.Cell{Plot: plane, Aspect: 1, Bar: &scale})
	f.Add(viz.Cell{Col: 1, Draw: surface.Draw, Title: "from the side"})
	dir, err := os.MkdirTemp("", "viz")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	fmt.Println(viz.Save(filepath.Join(dir, "saddle.svg"), &f))
	// Output: <nil>
}

// Frames cost next to nothing until the animation is saved; then all of them get one scale and one palette.
func ExampleAnimation() {
	var a viz.Animation
	g := viz.NewGrid([]float64{-1, -1}, []float64{1, 1}, 21)
	for step := 1; step <= 3; step++ {
		bowl := func(e []float64, x *mat.Dense) error {
			for i := range e {
				e[i] = float64(step) * (x.At(i, 0)*x.At(i, 0) + x.At(i, 1)*x.At(i, 1))
			}
			return nil
		}
		if err := g.Eval(bowl); err != nil {
			panic(err)
		}
		if err := a.Add(&viz.Panel{Title: "a bowl that deepens", Energy: g, Step: step, Steps: 3}); err != nil {
			panic(err)
		}
	}
	var b bytes.Buffer // or a.Save("training.gif"), a.SaveFrames("frames")
	if err := a.Encode(&b); err != nil {
		panic(err)
	}
	fmt.Printf("%d frames, %s\n", a.Len(), b.Bytes()[:6])
	// Output: 3 frames, GIF89a
}
