package reference

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
	"github.com/stheno-ebm/stheno/graphs/internal/strided"
)

// Random returns a program of about size instructions of every kind on batches of rows rows, with some inputs held,
// and values for its inputs. All values stay of order one, so that float32 suffices.
func Random(rng *rand.Rand, rows, size int) (*ir.Graph, [][]float64) {
	r := &random{Graph: ir.New(), rng: rng, rows: rows}
	for _, s := range [][2]int{{rows, 3}, {rows, 5}, {rows, 1}, {5, 3}, {1, 3}, {1, 5}, {1, 1}, {3, 3}} {
		r.ids = append(r.ids, r.Arg(s[0], s[1], "", rng.IntN(3) == 0))
	}
	var in [][]float64
	for _, id := range r.ids {
		v := make([]float64, r.At(id).Len())
		for i := range v {
			v[i] = float64(float32(rng.NormFloat64()))
		}
		in = append(in, v)
	}
	for range size {
		r.add(choose(rng, r.kinds())())
	}
	for range 1 + rng.IntN(4) {
		r.Outputs = append(r.Outputs, r.any())
	}
	return r.Graph, in
}

func choose[E any](rng *rand.Rand, of []E) E { return of[rng.IntN(len(of))] }

// random is a program under construction.
type random struct {
	*ir.Graph
	rng  *rand.Rand
	rows int
	ids  []ir.ID
}

// any is a random value; later ones are more likely.
func (r *random) any() ir.ID {
	return r.ids[len(r.ids)-1-int(float64(len(r.ids))*r.rng.Float64()*r.rng.Float64())]
}

// where is a value that ok accepts: a random one if possible, else the first; -1 if there is none.
func (r *random) where(ok func(in *ir.Instr) bool) ir.ID {
	for range 100 {
		if id := r.any(); ok(r.At(id)) {
			return id
		}
	}
	for _, id := range r.ids {
		if ok(r.At(id)) {
			return id
		}
	}
	return ir.ID(-1)
}

// like is a value with the shape of id.
func (r *random) like(id ir.ID) ir.ID {
	rows, cols := r.At(id).Rows, r.At(id).Cols
	return r.where(func(in *ir.Instr) bool { return in.Rows == rows && in.Cols == cols })
}

// add keeps a value, scaled back to order one where it may be large.
func (r *random) add(id ir.ID) {
	if id < 0 || r.At(id).Len() > 40*r.rows {
		return
	}
	switch r.At(id).Op.(type) {
	case ir.Mul, ir.MatMul, ir.BatchMatMul, ir.Add, ir.Sub, ir.Scatter, ir.Place, ir.Conv, ir.PoolPlace, ir.PoolSum,
		ir.Spread, ir.Sum, ir.RowSum, ir.ColSum:
		if r.rng.IntN(3) > 0 {
			id = r.Scale(id, 1/math.Sqrt(float64(r.rows)))
		} else {
			id = r.Unary(kernels.Tanh, 0, id)
		}
	}
	r.ids = append(r.ids, id)
}

// kinds are functions that emit one instruction each.
func (r *random) kinds() []func() ir.ID {
	return slices.Concat(r.elementwise(), r.products(), r.structure(), r.windows())
}

func (r *random) elementwise() []func() ir.ID {
	binary := func(f func(a, b ir.ID) ir.ID) func() ir.ID {
		return func() ir.ID { a := r.any(); return f(a, r.like(a)) }
	}
	return []func() ir.ID{
		binary(r.Add), binary(r.Add), binary(r.Sub), binary(r.Mul), binary(r.Mul), binary(r.Max), binary(r.Min),
		binary(func(a, b ir.ID) ir.ID { return r.Compare(ir.Relation(r.rng.IntN(6)), a, b) }),
		binary(func(a, b ir.ID) ir.ID { return r.Div(a, r.Shift(r.Unary(kernels.Square, 0, b), 1)) }),
		binary(func(a, b ir.ID) ir.ID {
			return r.Power(r.Shift(r.Unary(kernels.Abs, 0, a), 0.5), r.Unary(kernels.Tanh, 0, b))
		}),
		func() ir.ID { return r.Scale(r.any(), r.rng.NormFloat64()) },
		func() ir.ID { return r.Shift(r.any(), r.rng.NormFloat64()) },
		func() ir.ID {
			return r.Unary(choose(r.rng, []kernels.Func{kernels.SiLU, kernels.Tanh, kernels.Softplus}), r.rng.IntN(3), r.any())
		},
		func() ir.ID {
			return r.Unary(choose(r.rng, []kernels.Func{kernels.ReLU, kernels.Abs, kernels.Sign, kernels.Sin,
				kernels.Neg}), 0, r.any())
		},
		func() ir.ID { return r.Pow(2, r.rng.IntN(2), r.any()) },
		func() ir.ID { return r.Func("half", func(x float64) float64 { return x / 2 }, r.any()) },
	}
}

func (r *random) products() []func() ir.ID {
	matmul := func(ta, tb bool) func() ir.ID {
		return func() ir.ID {
			a := r.any()
			k := r.At(a).Cols
			if ta {
				k = r.At(a).Rows
			}
			b := r.where(func(in *ir.Instr) bool { return tb && in.Cols == k || !tb && in.Rows == k })
			if b < 0 {
				return b
			}
			return r.MatMul(a, b, ta, tb)
		}
	}
	affine := func() ir.ID { // with a bias and a factor
		x := r.where(func(in *ir.Instr) bool { return in.Rows == r.rows && in.Cols == 3 })
		y := r.Add(r.MatMul(x, r.where(func(in *ir.Instr) bool { return in.Rows == 5 && in.Cols == 3 }), false, true),
			r.ExpandRows(r.where(func(in *ir.Instr) bool { return in.Rows == 1 && in.Cols == 5 }), r.rows))
		return r.Mul(y, r.Unary(kernels.Tanh, 1, r.like(y)))
	}
	return []func() ir.ID{
		matmul(false, false), matmul(false, true), matmul(false, true), matmul(true, false), matmul(true, true),
		affine, affine,
		func() ir.ID { // sums of products over the batch, which accumulate in one place
			a, b := r.where(func(in *ir.Instr) bool { return in.Rows == r.rows }),
				r.where(func(in *ir.Instr) bool { return in.Rows == r.rows })
			return r.Add(r.MatMul(a, b, true, false), r.MatMul(r.like(a), r.like(b), true, false))
		},
		func() ir.ID {
			a := r.where(func(in *ir.Instr) bool { return in.Rows%2 == 0 && in.Rows > 2 })
			if a < 0 {
				return a
			}
			first := r.rng.IntN(2) == 0
			return r.BatchMatMul(a, r.like(a), 2, first, !first)
		},
	}
}

func (r *random) structure() []func() ir.ID {
	unary := func(f func(ir.ID) ir.ID) func() ir.ID { return func() ir.ID { return f(r.any()) } }
	one := func(f func(id ir.ID, in ir.Instr) ir.ID) func() ir.ID {
		return func() ir.ID { id := r.any(); return f(id, *r.At(id)) }
	}
	return []func() ir.ID{
		unary(r.RowSum), unary(r.ColSum),
		unary(r.Sum), unary(r.RowMax), unary(r.ColMax),
		unary(r.RowLSE), unary(r.RowSoftmax),
		func() ir.ID {
			return r.ExpandCols(r.where(func(in *ir.Instr) bool { return in.Cols == 1 }), choose(r.rng, []int{3, 5}))
		},
		func() ir.ID { return r.ExpandRows(r.where(func(in *ir.Instr) bool { return in.Rows == 1 }), r.rows) },
		func() ir.ID {
			return r.Fill(r.where(func(in *ir.Instr) bool { return in.Len() == 1 }), r.rows, choose(r.rng, []int{1, 3, 5}))
		},
		one(func(id ir.ID, in ir.Instr) ir.ID { return r.SliceCols(id, in.Cols/2, in.Cols) }),
		one(func(id ir.ID, in ir.Instr) ir.ID { return r.SliceRows(id, in.Rows/2, in.Rows) }),
		one(func(id ir.ID, _ ir.Instr) ir.ID { return r.PadCols(id, 1, 2) }),
		one(func(id ir.ID, _ ir.Instr) ir.ID { return r.PadRows(id, 2, 1) }),
		one(func(id ir.ID, in ir.Instr) ir.ID {
			return r.ConcatCols(id, r.where(func(x *ir.Instr) bool { return x.Rows == in.Rows }))
		}),
		one(func(id ir.ID, in ir.Instr) ir.ID {
			return r.ConcatRows(id, r.where(func(x *ir.Instr) bool { return x.Cols == in.Cols }))
		}),
		unary(r.Transpose),
		one(func(id ir.ID, in ir.Instr) ir.ID { return r.Reshape(id, in.Cols, in.Rows) }),
		one(func(id ir.ID, in ir.Instr) ir.ID { // every other element
			n := (in.Len() + 1) / 2
			return r.Gather(id, strided.New(in.Len(), 0, []int{n}, []int{2}), n, 1)
		}),
		one(func(id ir.ID, in ir.Instr) ir.ID {
			return r.Put(id, strided.New(2*in.Len(), 1, []int{in.Len()}, []int{2}), r.rng.NormFloat64(), in.Rows, 2*in.Cols)
		}),
		one(func(id ir.ID, in ir.Instr) ir.ID { // the last row stays zero
			return r.Scatter(id, strided.New(in.Len()+in.Cols, 0, []int{in.Rows, in.Cols}, []int{in.Cols, 1}),
				in.Rows+1, in.Cols)
		}),
		one(func(id ir.ID, in ir.Instr) ir.ID { // windows that overlap
			if in.Rows < 2 {
				return -1
			}
			return r.Scatter(id, strided.New(in.Len()+in.Cols, 0, []int{in.Rows, in.Cols}, []int{max(in.Cols-1, 1), 1}),
				in.Rows+1, in.Cols)
		}),
		one(func(id ir.ID, in ir.Instr) ir.ID {
			of := strided.NewGroups(in.Len(), 0, []int{in.Rows, in.Cols}, []int{in.Cols, 1}, 1)
			return r.Place(id, r.Pick(id, r.like(id), of, in.Rows, 1), of, in.Rows, in.Cols)
		}),
		func() ir.ID { return r.Const(r.rows, choose(r.rng, []int{1, 3, 5}), r.rng.NormFloat64()) },
		func() ir.ID { return r.Data(1, 3, []float64{r.rng.NormFloat64(), 1, r.rng.NormFloat64()}) },
	}
}
