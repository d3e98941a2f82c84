package datasets

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// tree finds the rows of a matrix nearest to a point. It is a k-d tree without nodes: the median of a range of rows
// splits it along one axis, and the next axis splits the halves. gonum's draws its splits from the global random
// stream, so that ties in distance are not resolved deterministically; it is also a fifth to a third slower.
type tree struct {
	d    int
	rows []treeRow
	x    []float64 // (len(rows), d), in the order of rows
}

type treeRow struct {
	sq    float64 // squared distance of a found row
	index int
}

func newTree(x *mat.Dense) *tree {
	n, d := x.Dims()
	t := &tree{d, make([]treeRow, n), make([]float64, n*d)}
	for i := range t.rows {
		t.rows[i].index = i
	}
	t.split(x, 0, n, 0)
	for i, r := range t.rows {
		copy(t.x[i*d:], x.RawRowView(r.index))
	}
	return t
}

func (t *tree) split(x *mat.Dense, lo, hi, axis int) {
	if hi-lo < 2 {
		return
	}
	m := x.RawMatrix()
	slices.SortFunc(t.rows[lo:hi], func(a, b treeRow) int {
		return cmp.Or(cmp.Compare(m.Data[a.index*m.Stride+axis], m.Data[b.index*m.Stride+axis]), a.index-b.index)
	})
	mid, next := (lo+hi)/2, (axis+1)%t.d
	t.split(x, lo, mid, next)
	t.split(x, mid+1, hi, next)
}

// farther orders rows by distance and, at the same distance, by index.
func farther(a, b treeRow) bool { return a.sq > b.sq || a.sq == b.sq && a.index > b.index }

// nearest returns the k rows nearest to q, nearest first, reusing the memory of found.
func (t *tree) nearest(found []treeRow, q []float64, k int) []treeRow {
	found = found[:0]
	for range k {
		found = append(found, treeRow{math.Inf(1), len(t.rows)}) // farther than any row
	}
	t.search(found, q, 0, len(t.rows), 0)
	slices.SortFunc(found, func(a, b treeRow) int {
		return cmp.Or(cmp.Compare(a.sq, b.sq), a.index-b.index)
	})
	return found
}

// search replaces found rows by nearer ones of a range. found is a heap with the farthest on top.
func (t *tree) search(found []treeRow, q []float64, lo, hi, axis int) {
	if lo >= hi {
		return
	}
	mid, next := (lo+hi)/2, (axis+1)%t.d
	row := t.x[mid*t.d:][:t.d]
	c := treeRow{index: t.rows[mid].index}
	for j, v := range row {
		c.sq += (q[j] - v) * (q[j] - v)
	}
	if farther(found[0], c) {
		sink(found, c)
	}
	gap := q[axis] - row[axis]
	near, far := [2]int{lo, mid}, [2]int{mid + 1, hi}
	if gap > 0 {
		near, far = far, near
	}
	t.search(found, q, near[0], near[1], next)
	if gap*gap <= found[0].sq { // there may be a smaller index at the same distance
		t.search(found, q, far[0], far[1], next)
	}
}

// sink replaces the top of the heap by c.
func sink(heap []treeRow, c treeRow) {
	i := 0
	for {
		child := 2*i + 1
		if child >= len(heap) {
			break
		}
		if child+1 < len(heap) && farther(heap[child+1], heap[child]) {
			child++
		}
		if !farther(heap[child], c) {
			break
		}
		heap[i] = heap[child]
		i = child
	}
	heap[i] = c
}
