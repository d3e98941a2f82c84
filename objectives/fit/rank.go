package fit

import (
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Rank stores in dst, for every row of x, the share of the training points that are as likely as it under the model, or
// less: near 0 it is an anomaly. It needs the points that the model was trained on.
func (m *Model) Rank(dst []float64, x *mat.Dense) error {
	known := m.data.train
	if known == nil {
		if m.data.gone != nil {
			return m.data.gone
		}
		return fieldErrorf("dataset", m.Config.Dataset, "there are no training points to rank among")
	}
	n, _ := known.Dims()
	own := make([]float64, n)
	if err := m.Energy(own, known); err != nil {
		return err
	}
	if err := m.Energy(dst, x); err != nil {
		return err
	}
	slices.Sort(own)
	for i, e := range dst {
		at, _ := slices.BinarySearch(own, e) // the first that is as likely
		dst[i] = float64(n-at) / float64(n)
	}
	return nil
}
