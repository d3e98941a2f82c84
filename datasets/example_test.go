package datasets_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets"
)

// Your own points, split and standardised.
func ExampleLoad() {
	dir, err := os.MkdirTemp("", "points")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "points.csv")
	if err := os.WriteFile(path, []byte("length,weight\n1,10\n2,30\n3,20\n4,40\n"), 0o644); err != nil {
		panic(err)
	}
	x, err := datasets.Load(path)
	if err != nil {
		panic(err)
	}
	all, err := datasets.NewPoints(x)
	if err != nil {
		panic(err)
	}
	learn, test, err := all.Split(0.25, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		panic(err)
	}
	fmt.Println(all.Dim(), learn.Len(), test.Len())

	s := datasets.NewStandardizer(x)
	z := mat.DenseCopyOf(x)
	s.Apply(z, z)
	fmt.Printf("%.3f %.3f\n", s.Mean, z.RawRowView(0))
	s.Invert(z, z)
	fmt.Printf("%.3f\n", z.RawRowView(0))
	// Output:
	// 2 3 1
	// [2.500 25.000] [-1.342 -1.342]
	// [1.000 10.000]
}

// What is known about a named distribution: density, score, entropy, modes.
func ExampleDistribution() {
	d, err := datasets.New("8gaussians")
	if err != nil {
		panic(err)
	}
	centres, weights := d.(datasets.Modal).Modes()
	logp, score := make([]float64, 8), mat.NewDense(8, 2, nil)
	d.LogProb(logp, centres)
	d.Score(score, centres)
	fmt.Printf("entropy %.3f, weight %.3f, log p %.3f, largest slope %.1f\n",
		d.(datasets.Entropic).Entropy(), weights[0], logp[0], mat.Max(score))
	// Output: entropy -0.381, weight 0.125, log p 1.381, largest slope 0.0
}
