package fit

import (
	"errors"
	"fmt"
	"strings"

	"github.com/stheno-ebm/stheno/datasets"
)

// constant rejects training points that lie in a plane x_j = c, where there is no density.
func (d *data) constant() error {
	n, dim := d.train.Dims()
	if n == 1 {
		return errors.New(
			"there are too few points: one is set aside to test on, and one alone is left to learn from; give more")
	}
	var flat []string
	for j := range dim {
		if _, ok := datasets.Constant(d.train, j); ok {
			flat = append(flat, d.column(j))
		}
	}
	switch len(flat) {
	case 0:
		return nil
	case dim:
		return errors.New("all training points are equal: there is no density to learn; give points that differ")
	case 1:
		return fmt.Errorf("column %s is the same in all training points: no density has it; leave the column out",
			flat[0])
	}
	return fmt.Errorf("columns %s are the same in all training points: no density has them; leave the columns out",
		strings.Join(flat, ", "))
}

// column returns the number of a column, from 1, and its name.
func (d *data) column(j int) string {
	if d.Names == nil {
		return fmt.Sprint(j + 1)
	}
	return fmt.Sprintf("%d (%s)", j+1, d.Names[j])
}
