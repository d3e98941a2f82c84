package density

import (
	"sync"

	"gonum.org/v1/gonum/mat"
)

// scratch is scratch space for one call.
type scratch struct {
	v   []float64
	row mat.Dense
}

// scratches keeps as many as were ever in use at once; sync.Pool would drop them at a garbage collection, and a hot
// loop would allocate.
var scratches struct {
	sync.Mutex
	free []*scratch
}

func borrow() *scratch {
	scratches.Lock()
	defer scratches.Unlock()
	last := len(scratches.free) - 1
	if last < 0 {
		return new(scratch)
	}
	s := scratches.free[last]
	scratches.free = scratches.free[:last]
	return s
}

func (s *scratch) giveBack() {
	scratches.Lock()
	scratches.free = append(scratches.free, s)
	scratches.Unlock()
}

// numbers returns room for n numbers.
func (s *scratch) numbers(n int) []float64 {
	if len(s.v) < n {
		s.v = make([]float64, n)
	}
	return s.v[:n]
}

// matrix returns one row as a matrix.
func (s *scratch) matrix(row []float64) *mat.Dense {
	raw := s.row.RawMatrix()
	raw.Rows, raw.Cols, raw.Stride, raw.Data = 1, len(row), len(row), row
	s.row.SetRawMatrix(raw)
	return &s.row
}
