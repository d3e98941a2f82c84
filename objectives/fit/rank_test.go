package fit

import (
	"testing"

	"gonum.org/v1/gonum/mat"
)

// The rank of a training point is its position among them, of which it is one; a point far from all has rank 0.
func TestRank(t *testing.T) {
	path := tableOf(t, 100)
	c := quick(1)
	c.Dataset, c.Samples = path, -1
	m, err := Train(t.Context(), opened(t, path), c)
	if err != nil {
		t.Fatal(err)
	}
	n, d := m.data.train.Dims()
	e, rank := make([]float64, n), make([]float64, n)
	if err := m.Energy(e, m.data.train); err != nil {
		t.Fatal(err)
	}
	if err := m.Rank(rank, m.data.train); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		less := 0
		for _, v := range e {
			if v >= e[i] {
				less++
			}
		}
		if want := float64(less) / float64(n); rank[i] != want {
			t.Errorf("row %d: rank %g, want %g", i, rank[i], want)
		}
	}
	far := mat.NewDense(1, d, []float64{1e4, 50, 1e7})
	if err := m.Rank(rank[:1], far); err != nil || rank[0] != 0 {
		t.Errorf("far out: rank %g, %v", rank[0], err)
	}
	plain, err := Prepare(opened(t, "moons"), quick(1))
	if err != nil {
		t.Fatal(err)
	}
	if err := plain.Model.Rank(rank[:1], mat.NewDense(1, 2, nil)); err == nil {
		t.Error("a distribution: no error")
	}
}
