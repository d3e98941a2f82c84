package rules

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stheno-ebm/stheno/graphs/internal/conv"
	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
	"github.com/stheno-ebm/stheno/graphs/internal/reference"
	"github.com/stheno-ebm/stheno/graphs/internal/strided"
)

// example is a graph under construction and inputs for it.
type example struct {
	*ir.Graph
	x, y     ir.ID // (4,3)
	col, row ir.ID // (4,1), (1,3)
	one      ir.ID // (1,1)
	v        ir.ID // (3,5)
	positive ir.ID // (4,3)
}

func newExample() example {
	g := ir.New()
	arg := func(rows, cols int) ir.ID { return g.Arg(rows, cols, "", false) }
	return example{g, arg(4, 3), arg(4, 3), arg(4, 1), arg(1, 3), arg(1, 1), arg(3, 5), arg(4, 3)}
}

// inputs are random numbers; those of the last input are positive.
func (e example) inputs(rng *rand.Rand) [][]float64 {
	var in [][]float64
	for i := range e.Code {
		if !ir.Is[ir.Input](&e.Code[i]) {
			break
		}
		v := make([]float64, e.Code[i].Len())
		for j := range v {
			v[j] = rng.NormFloat64()
		}
		in = append(in, v)
	}
	for j, v := range in[len(in)-1] {
		in[len(in)-1][j] = math.Abs(v) + 0.5
	}
	return in
}

// c is a constant (4,3).
func (e example) c(c float64) ir.ID { return e.Const(4, 3, c) }

func (e example) cols() ir.ID { return e.ExpandCols(e.col, 3) }
func (e example) rows() ir.ID { return e.ExpandRows(e.row, 4) }
func (e example) all() ir.ID  { return e.Fill(e.one, 4, 3) }

func view(size int, dims, strides []int) strided.View { return strided.New(size, 0, dims, strides) }

// thirds are the groups of an array (4,3) along its second axis.
var thirds = strided.NewGroups(12, 0, []int{4, 3}, []int{3, 1}, 1)

// points are convolutions of (4,3) with a 1×1 filter, and wide is a pool over a row of three.
var (
	points = conv.Window{H: 1, W: 3, C: 1, KH: 1, KW: 1, OC: 1, Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}, Groups: 1}
	wide   = conv.Window{H: 1, W: 3, C: 1, KH: 1, KW: 3, OC: 1, Stride: [2]int{1, 3}, Dilation: [2]int{1, 1}, Groups: 1}
)

// Three windows of three over a row of three, and one window over a row of three pixels with two channels.
var (
	three = conv.Window{H: 1, W: 3, C: 1, KH: 1, KW: 3, OC: 1, Stride: [2]int{1, 1}, Pad: [2]int{0, 1},
		Dilation: [2]int{1, 1}, Groups: 1}
	two = conv.Window{H: 1, W: 3, C: 2, KH: 1, KW: 3, OC: 1, Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}, Groups: 1}
)

// patches are those of the former, (12,3), and channels those of the latter in Gorgonia's order, (4,6).
func (e example) patches() ir.ID { return e.Patches(three, e.x) }
func (e example) channels() ir.ID {
	return e.Swap(e.Patches(two, e.ConcatCols(e.x, e.y)), 4, 3, 2, 4, 6)
}

// turn exchanges the inner axes of (2,3,2).
func (e example) turn(x ir.ID) ir.ID { return e.Swap(x, 2, 3, 2, 1, 12) }

// examples are expressions that the rules can simplify.
var examples = map[string][]func(e example) ir.ID{
	"patches x · f = x ⋆ f": {
		func(e example) ir.ID { return e.MatMul(e.patches(), e.Reshape(e.row, 3, 1), false, false) },
		func(e example) ir.ID { return e.MatMul(e.patches(), e.row, false, true) },
		func(e example) ir.ID { return e.MatMul(e.channels(), e.Reshape(e.x, 2, 6), false, true) },
	},
	"(patches x)ᵀ · y = filter(x, y)": {
		func(e example) ir.ID { return e.MatMul(e.patches(), e.Reshape(e.x, 12, 1), true, false) },
		func(e example) ir.ID { return e.MatMul(e.Reshape(e.x, 4, 3), e.channels(), true, false) },
		func(e example) ir.ID { return e.MatMul(e.channels(), e.Reshape(e.x, 4, 3), true, false) },
	},
	"fold 0 = 0": {func(e example) ir.ID { return e.Fold(three, e.Const(12, 3, 0)) }},
	"fold (y · fᵀ) = y ⋆ᵀ f": {
		func(e example) ir.ID { return e.Fold(three, e.MatMul(e.Reshape(e.x, 12, 1), e.row, false, false)) },
		func(e example) ir.ID {
			return e.Fold(three, e.MatMul(e.Reshape(e.x, 12, 1), e.Reshape(e.row, 3, 1), false, true))
		},
		func(e example) ir.ID { // (4,3)·(3,6)
			f := e.SliceRows(e.Reshape(e.ConcatRows(e.x, e.y), 4, 6), 0, 3)
			return e.Fold(two, e.Swap(e.MatMul(e.x, f, false, false), 4, 2, 3, 4, 6))
		},
	},
	"put that turns = gather that turns back": {func(e example) ir.ID {
		return e.Put(e.x, ir.Swapped(2, 3, 2), 0, 1, 12)
	}},
	"f (turn x, turn y) = turn f (x, y)": {
		func(e example) ir.ID { return e.Mul(e.turn(e.x), e.turn(e.y)) },
		func(e example) ir.ID { return e.Unary(kernels.SiLU, 1, e.turn(e.x)) },
		func(e example) ir.ID { return e.Compare(ir.Gt, e.turn(e.x), e.Fill(e.one, 1, 12)) },
		func(e example) ir.ID { // one number for each index of the second axis of (2,2,3)
			return e.Mul(e.turn(e.x), e.Gather(e.SliceCols(e.row, 0, 2), view(2, []int{2, 2, 3}, []int{0, 1, 0}), 1, 12))
		},
		func(e example) ir.ID {
			return e.Mul(e.turn(e.x), e.Reshape(e.MatMul(e.x, e.SliceCols(e.v, 0, 3), false, false), 1, 12))
		},
		func(e example) ir.ID {
			planes := e.Reshape(e.ExpandRows(e.SliceCols(e.row, 0, 2), 2), 4, 1)
			return e.Mul(e.turn(e.x), e.Reshape(e.ExpandCols(planes, 3), 1, 12))
		},
	},
	"channel sums of (turn x) = column sums of x": {
		func(e example) ir.ID { return e.ColSum(e.Reshape(e.RowSum(e.Reshape(e.turn(e.x), 4, 3)), 2, 2)) },
		func(e example) ir.ID { // sums over axes of (2,2,1,3), one after the other
			inner := e.Scatter(e.turn(e.x), view(4, []int{4, 3}, []int{1, 0}), 1, 4)
			return e.ColSum(e.Reshape(inner, 2, 2))
		},
	},
	"f (reshape x, reshape (expand y)) = reshape f (x, expand y)": {
		func(e example) ir.ID { return e.Mul(e.Reshape(e.x, 1, 12), e.Reshape(e.rows(), 1, 12)) },
		func(e example) ir.ID { return e.Max(e.Reshape(e.cols(), 1, 12), e.Reshape(e.x, 1, 12)) },
	},
	"reshape f (reshape x, y) = f (x, reshape y)": {
		func(e example) ir.ID { return e.Reshape(e.Mul(e.Reshape(e.x, 1, 12), e.Reshape(e.y, 1, 12)), 4, 3) },
	},
	"channel sums of pool place x = channel sums of x": {
		func(e example) ir.ID { return e.ColSum(e.Reshape(e.ColSum(e.PoolPlace(wide, e.x, e.col)), 3, 1)) },
		func(e example) ir.ID {
			return e.ColSum(e.Reshape(e.ColSum(e.Add(e.PoolPlace(wide, e.x, e.col), e.PoolPlace(wide, e.y, e.col))), 3, 1))
		},
	},
	"0 ⋆ y = 0": {
		func(e example) ir.ID { return e.Conv(points, conv.Out, e.c(0), e.one) },
		func(e example) ir.ID { return e.Conv(points, conv.Filter, e.x, e.c(0)) },
	},
	"x - filter(a, b) = x + filter(a, -b)": {func(e example) ir.ID {
		return e.Sub(e.one, e.Conv(points, conv.Filter, e.x, e.y))
	}},
	"c filter(a, b) = filter(a, c b)": {func(e example) ir.ID {
		return e.Scale(e.Conv(points, conv.Filter, e.x, e.y), 3)
	}},
	"pool 0 = 0": {
		func(e example) ir.ID { return e.PoolPlace(wide, e.x, e.Const(4, 1, 0)) },
		func(e example) ir.ID { return e.PoolSum(wide, e.c(0)) },
		func(e example) ir.ID { return e.Spread(wide, e.Const(4, 1, 0)) },
	},
	"pool pick c = c": {func(e example) ir.ID { return e.PoolPick(wide, e.x, e.c(2)) }},
	"pool pick (f x) = f (pool pick x)": {
		func(e example) ir.ID { return e.PoolPick(wide, e.x, e.Unary(kernels.SiLU, 1, e.y)) },
		func(e example) ir.ID { return e.PoolPick(wide, e.x, e.Scale(e.y, 3)) },
	},
	"pool pick (x ∘ y) = pool pick x ∘ pool pick y": {func(e example) ir.ID {
		return e.PoolPick(wide, e.x, e.Mul(e.x, e.y))
	}},
	"pool pick (pool place x) = x": {func(e example) ir.ID {
		return e.PoolPick(wide, e.x, e.PoolPlace(wide, e.x, e.col))
	}},
	"x ∘ pool place y = pool place (pool pick x ∘ y)": {
		func(e example) ir.ID { return e.Mul(e.y, e.PoolPlace(wide, e.x, e.col)) },
	},
	"pool place x + pool place y = pool place (x+y)": {
		func(e example) ir.ID {
			return e.Add(e.PoolPlace(wide, e.x, e.col), e.PoolPlace(wide, e.x, e.Unary(kernels.SiLU, 0, e.col)))
		},
	},
	"c (pool place x) = pool place (c x)": {func(e example) ir.ID { return e.Scale(e.PoolPlace(wide, e.x, e.col), 3) }},
	"equal numbers are a constant":        {func(e example) ir.ID { return e.Data(1, 3, []float64{2, 2, 2}) }},
	"-x is a scale": {
		func(e example) ir.ID { return e.Unary(kernels.Neg, 0, e.x) },
		func(e example) ir.ID { return e.Unary(kernels.Neg, 1, e.x) },
		func(e example) ir.ID { return e.Unary(kernels.Neg, 2, e.x) },
	},
	"x²′ = 2x": {
		func(e example) ir.ID { return e.Unary(kernels.Square, 1, e.x) },
		func(e example) ir.ID { return e.Unary(kernels.Square, 2, e.x) },
		func(e example) ir.ID { return e.Unary(kernels.Square, 3, e.x) },
	},
	"exp′ = exp":    {func(e example) ir.ID { return e.Unary(kernels.Exp, 3, e.x) }},
	"|x|′ = sign x": {func(e example) ir.ID { return e.Unary(kernels.Abs, 1, e.x) }},
	"what is straight has no curvature": {
		func(e example) ir.ID { return e.Unary(kernels.ReLU, 2, e.x) },
		func(e example) ir.ID { return e.Unary(kernels.Sign, 1, e.x) },
	},
	"sin and sin′ for all derivatives of sin and cos": {
		func(e example) ir.ID { return e.Unary(kernels.Cos, 0, e.x) },
		func(e example) ir.ID { return e.Unary(kernels.Cos, 1, e.x) },
		func(e example) ir.ID { return e.Unary(kernels.Cos, 2, e.x) },
		func(e example) ir.ID { return e.Unary(kernels.Cos, 3, e.x) },
		func(e example) ir.ID { return e.Unary(kernels.Sin, 2, e.x) },
		func(e example) ir.ID { return e.Unary(kernels.Sin, 3, e.x) },
	},
	"f(c)": {
		func(e example) ir.ID { return e.Unary(kernels.Tanh, 1, e.c(0.3)) },
		func(e example) ir.ID { return e.Pow(2.5, 1, e.c(0.3)) },
		func(e example) ir.ID { return e.Func("floor", math.Floor, e.c(2.3)) },
	},
	"f(expand x) = expand f(x)": {
		func(e example) ir.ID { return e.Unary(kernels.Tanh, 0, e.cols()) },
		func(e example) ir.ID { return e.Pow(3, 0, e.rows()) },
		func(e example) ir.ID { return e.Func("floor", math.Floor, e.all()) },
	},

	"c + d": {func(e example) ir.ID { return e.Add(e.c(1), e.c(2)) }},
	"c + x is a shift": {
		func(e example) ir.ID { return e.Add(e.c(1), e.x) },
		func(e example) ir.ID { return e.Add(e.x, e.c(1)) },
	},
	"x + x = 2x": {func(e example) ir.ID { return e.Add(e.x, e.x) }},
	"x + (-y) = x - y": {
		func(e example) ir.ID { return e.Add(e.x, e.Scale(e.y, -1)) },
		func(e example) ir.ID { return e.Add(e.Scale(e.y, -1), e.x) },
	},
	"expand x + expand y = expand (x+y)": {
		func(e example) ir.ID { return e.Add(e.cols(), e.ExpandCols(e.RowSum(e.x), 3)) },
		func(e example) ir.ID { return e.Add(e.rows(), e.ExpandRows(e.ColSum(e.x), 4)) },
		func(e example) ir.ID { return e.Add(e.all(), e.Fill(e.Sum(e.x), 4, 3)) },
	},
	"Σx + Σy = Σ(x+y)": {
		func(e example) ir.ID { return e.Add(e.RowSum(e.x), e.RowSum(e.y)) },
		func(e example) ir.ID { return e.Add(e.ColSum(e.x), e.ColSum(e.y)) },
		func(e example) ir.ID { return e.Add(e.Sum(e.x), e.Sum(e.y)) },
	},
	"y + x = x + y": {func(e example) ir.ID { return e.Add(e.y, e.x) }},

	"c - d":            {func(e example) ir.ID { return e.Sub(e.c(1), e.c(2)) }},
	"x - c is a shift": {func(e example) ir.ID { return e.Sub(e.x, e.c(2)) }},
	"c - x is a shift": {func(e example) ir.ID { return e.Sub(e.c(2), e.x) }},
	"x - x = 0":        {func(e example) ir.ID { return e.Sub(e.x, e.x) }},
	"x - (-y) = x + y": {func(e example) ir.ID { return e.Sub(e.x, e.Scale(e.y, -1)) }},
	"x - aᵀb = x + (-a)ᵀb": {
		func(e example) ir.ID { return e.Sub(e.MatMul(e.x, e.x, true, false), e.MatMul(e.x, e.y, true, false)) },
	},
	"expand x - expand y = expand (x-y)": {func(e example) ir.ID {
		return e.Sub(e.cols(), e.ExpandCols(e.RowSum(e.x), 3))
	}},

	"c ∘ x is a scale": {
		func(e example) ir.ID { return e.Mul(e.c(3), e.x) },
		func(e example) ir.ID { return e.Mul(e.x, e.c(3)) },
	},
	"(c x) ∘ y = c (x ∘ y)": {
		func(e example) ir.ID { return e.Mul(e.Scale(e.x, 3), e.y) },
		func(e example) ir.ID { return e.Mul(e.y, e.Scale(e.x, 3)) },
	},
	"(c x) ∘ expand y = x ∘ expand (c y)": {
		func(e example) ir.ID { return e.Mul(e.Scale(e.x, 3), e.cols()) },
		func(e example) ir.ID { return e.Mul(e.rows(), e.Scale(e.x, 3)) },
	},
	"x ∘ x = x²": {func(e example) ir.ID { return e.Mul(e.x, e.x) }},
	"expand x ∘ expand y = expand (x ∘ y)": {func(e example) ir.ID {
		return e.Mul(e.rows(), e.ExpandRows(e.ColSum(e.x), 4))
	}},
	"y ∘ x = x ∘ y": {func(e example) ir.ID { return e.Mul(e.y, e.x) }},

	"c / d":         {func(e example) ir.ID { return e.Div(e.c(3), e.c(5)) }},
	"x / 2 = 0.5 x": {func(e example) ir.ID { return e.Div(e.x, e.c(4)) }},
	"c / x = c x⁻¹": {func(e example) ir.ID { return e.Div(e.c(3), e.positive) }},
	"expand x / expand y = expand (x/y)": {func(e example) ir.ID {
		return e.Div(e.cols(), e.ExpandCols(e.RowSum(e.positive), 3))
	}},
	"x^c is a function of x": {
		func(e example) ir.ID { return e.Power(e.positive, e.c(2.5)) },
		func(e example) ir.ID { return e.Power(e.x, e.c(2)) },
	},

	"1 x = x":           {func(e example) ir.ID { return e.Scale(e.x, 1) }},
	"0 x = 0":           {func(e example) ir.ID { return e.Scale(e.x, 0) }},
	"c d":               {func(e example) ir.ID { return e.Scale(e.c(3), 2) }},
	"c (d x) = (c d) x": {func(e example) ir.ID { return e.Scale(e.Scale(e.x, 3), 2) }},
	"-(x - y) = y - x":  {func(e example) ir.ID { return e.Scale(e.Sub(e.x, e.y), -1) }},
	"c aᵀb = (c a)ᵀb": {
		func(e example) ir.ID { return e.Scale(e.MatMul(e.x, e.y, true, false), 3) },
		func(e example) ir.ID { return e.Scale(e.MatMul(e.x, e.col, true, false), 3) },
		func(e example) ir.ID {
			return e.Add(e.MatMul(e.Scale(e.y, 3), e.y, true, false), e.Scale(e.MatMul(e.x, e.y, true, false), 3))
		},
	},
	"c (x ∘ expand y) = x ∘ expand (c y)": {
		func(e example) ir.ID { return e.Scale(e.Mul(e.x, e.cols()), 3) },
		func(e example) ir.ID { return e.Scale(e.Mul(e.rows(), e.x), 3) },
		func(e example) ir.ID { return e.Scale(e.Mul(e.y, e.Mul(e.x, e.rows())), 3) },
	},
	"c expand x = expand (c x)": {func(e example) ir.ID { return e.Scale(e.cols(), 3) }},

	"x + 0 = x":                     {func(e example) ir.ID { return e.Shift(e.x, 0) }},
	"d + c":                         {func(e example) ir.ID { return e.Shift(e.c(3), 2) }},
	"(x + d) + c = x + (d+c)":       {func(e example) ir.ID { return e.Shift(e.Shift(e.x, 3), 2) }},
	"expand x + c = expand (x + c)": {func(e example) ir.ID { return e.Shift(e.rows(), 2) }},

	"transposed operands are read as they are": {
		func(e example) ir.ID { return e.MatMul(e.Transpose(e.x), e.y, false, false) },
		func(e example) ir.ID { return e.MatMul(e.x, e.Transpose(e.y), false, false) },
	},
	"x·0 = 0": {
		func(e example) ir.ID { return e.MatMul(e.x, e.Const(3, 2, 0), false, false) },
		func(e example) ir.ID { return e.MatMul(e.Const(2, 3, 0), e.v, false, false) },
	},
	"(c x)·y = c (x·y)": {func(e example) ir.ID { return e.MatMul(e.Scale(e.x, 3), e.Transpose(e.row), false, false) }},
	"c·y: every row is c times the column sums of y": {
		func(e example) ir.ID { return e.MatMul(e.Const(2, 3, 7), e.v, false, false) },
		func(e example) ir.ID { return e.MatMul(e.Const(2, 5, 7), e.v, false, true) },
	},
	"x·c: every column is c times the row sums of x": {
		func(e example) ir.ID { return e.MatMul(e.x, e.Const(3, 2, 7), false, false) },
		func(e example) ir.ID { return e.MatMul(e.x, e.Const(4, 2, 7), true, false) },
	},
	"expand x · y = expand (x·y)": {func(e example) ir.ID { return e.MatMul(e.rows(), e.v, false, false) }},
	"xᵀ·yᵀ = (y·x)ᵀ":              {func(e example) ir.ID { return e.MatMul(e.v, e.x, true, true) }},
	"a column · a row = expand ∘ expand": {
		func(e example) ir.ID { return e.MatMul(e.col, e.row, false, false) },
		func(e example) ir.ID { return e.MatMul(e.row, e.col, true, true) },
	},

	"one product of a batch": {func(e example) ir.ID { return e.BatchMatMul(e.x, e.v, 1, false, false) }},
	"batch x·0 = 0":          {func(e example) ir.ID { return e.BatchMatMul(e.x, e.Const(6, 5, 0), 2, false, false) }},
	"batch xᵀ·yᵀ = (y·x)ᵀ": {func(e example) ir.ID {
		return e.BatchMatMul(e.x, e.Reshape(e.y, 6, 2), 2, true, true)
	}},
	"batch of transposed columns": {func(e example) ir.ID { return e.BatchMatMul(e.col, e.x, 2, true, false) }},
	"batch by transposed rows": {func(e example) ir.ID {
		return e.BatchMatMul(e.x, e.Reshape(e.ColSum(e.Reshape(e.y, 2, 6)), 2, 3), 2, false, true)
	}},

	"the row sum of a column":   {func(e example) ir.ID { return e.RowSum(e.col) }},
	"the row sum of c":          {func(e example) ir.ID { return e.RowSum(e.c(2)) }},
	"rowsum (c x) = c rowsum x": {func(e example) ir.ID { return e.RowSum(e.Scale(e.x, 2)) }},
	"rowsum (expand x)": {
		func(e example) ir.ID { return e.RowSum(e.cols()) },
		func(e example) ir.ID { return e.RowSum(e.rows()) },
		func(e example) ir.ID { return e.RowSum(e.all()) },
	},
	"rowsum (padcols x) = rowsum x":        {func(e example) ir.ID { return e.RowSum(e.PadCols(e.x, 1, 2)) }},
	"rowsum (x ∘ expand s) = s ∘ rowsum x": {func(e example) ir.ID { return e.RowSum(e.Mul(e.x, e.cols())) }},
	"the column sum of a row":              {func(e example) ir.ID { return e.ColSum(e.row) }},
	"the column sum of c":                  {func(e example) ir.ID { return e.ColSum(e.c(2)) }},
	"colsum (c x) = c colsum x":            {func(e example) ir.ID { return e.ColSum(e.Scale(e.x, 2)) }},
	"colsum (expand x)": {
		func(e example) ir.ID { return e.ColSum(e.cols()) },
		func(e example) ir.ID { return e.ColSum(e.rows()) },
		func(e example) ir.ID { return e.ColSum(e.all()) },
	},
	"colsum (x ∘ expand r) = r ∘ colsum x, colsum (x ∘ expand s) = sᵀ·x": {
		func(e example) ir.ID { return e.ColSum(e.Mul(e.x, e.rows())) },
		func(e example) ir.ID { return e.ColSum(e.Mul(e.cols(), e.x)) },
	},
	"the sum of one": {func(e example) ir.ID { return e.Sum(e.one) }},
	"the sum of c":   {func(e example) ir.ID { return e.Sum(e.c(2)) }},
	"Σ c x = c Σ x":  {func(e example) ir.ID { return e.Sum(e.Scale(e.x, 2)) }},
	"Σ of sums, of reshaped, transposed, padded": {
		func(e example) ir.ID { return e.Sum(e.RowSum(e.x)) },
		func(e example) ir.ID { return e.Sum(e.ColSum(e.x)) },
		func(e example) ir.ID { return e.Sum(e.Transpose(e.x)) },
		func(e example) ir.ID { return e.Sum(e.Reshape(e.x, 2, 6)) },
		func(e example) ir.ID { return e.Sum(e.PadRows(e.PadCols(e.x, 1, 0), 0, 1)) },
	},
	"Σ expand x": {
		func(e example) ir.ID { return e.Sum(e.cols()) },
		func(e example) ir.ID { return e.Sum(e.rows()) },
		func(e example) ir.ID { return e.Sum(e.all()) },
	},
	"rows of one": {
		func(e example) ir.ID { return e.RowMax(e.col) },
		func(e example) ir.ID { return e.RowLSE(e.col) },
		func(e example) ir.ID { return e.RowSoftmax(e.col) },
	},

	"rowmax xᵀ = (colmax x)ᵀ": {func(e example) ir.ID { return e.RowMax(e.Transpose(e.x)) }},
	"expandcols x = x":        {func(e example) ir.ID { return e.ExpandCols(e.col, 1) }},
	"expandcols c": {
		func(e example) ir.ID { return e.ExpandCols(e.Const(4, 1, 2), 3) },
		func(e example) ir.ID { return e.ExpandCols(e.Fill(e.one, 4, 1), 3) },
	},
	"expandcols of one number is a fill": {
		func(e example) ir.ID { return e.ExpandCols(e.one, 3) },
		func(e example) ir.ID { return e.ExpandCols(e.ExpandRows(e.one, 4), 3) },
	},
	"expandrows x = x": {func(e example) ir.ID { return e.ExpandRows(e.row, 1) }},
	"expandrows c": {
		func(e example) ir.ID { return e.ExpandRows(e.Const(1, 3, 2), 4) },
		func(e example) ir.ID { return e.ExpandRows(e.Fill(e.one, 1, 3), 4) },
	},
	"expandrows of one number is a fill": {func(e example) ir.ID { return e.ExpandRows(e.one, 4) }},
	"fill x = x":                         {func(e example) ir.ID { return e.Fill(e.one, 1, 1) }},
	"fill c":                             {func(e example) ir.ID { return e.Fill(e.Const(1, 1, 2), 4, 3) }},

	"all columns": {func(e example) ir.ID { return e.SliceCols(e.x, 0, 3) }},
	"slicecols c": {
		func(e example) ir.ID { return e.SliceCols(e.c(2), 0, 2) },
		func(e example) ir.ID { return e.SliceCols(e.all(), 0, 2) },
	},
	"slicecols (expandcols x)": {func(e example) ir.ID { return e.SliceCols(e.cols(), 1, 3) }},
	"slicecols (slicecols x)":  {func(e example) ir.ID { return e.SliceCols(e.SliceCols(e.v, 1, 4), 1, 3) }},
	"slicecols (concatcols …)": {func(e example) ir.ID { return e.SliceCols(e.ConcatCols(e.x, e.col, e.y), 4, 6) }},
	"slicecols (padcols x)": {
		func(e example) ir.ID { return e.SliceCols(e.PadCols(e.x, 2, 1), 3, 5) },
		func(e example) ir.ID { return e.SliceCols(e.PadCols(e.x, 2, 1), 0, 2) },
		func(e example) ir.ID { return e.SliceCols(e.PadCols(e.x, 2, 1), 5, 6) },
	},
	"all rows": {func(e example) ir.ID { return e.SliceRows(e.x, 0, 4) }},
	"slicerows c": {
		func(e example) ir.ID { return e.SliceRows(e.c(2), 0, 2) },
		func(e example) ir.ID { return e.SliceRows(e.all(), 0, 2) },
	},
	"slicerows (expandrows x)": {func(e example) ir.ID { return e.SliceRows(e.rows(), 1, 3) }},
	"slicerows (slicerows x)":  {func(e example) ir.ID { return e.SliceRows(e.SliceRows(e.x, 1, 4), 1, 3) }},
	"slicerows (concatrows …)": {func(e example) ir.ID { return e.SliceRows(e.ConcatRows(e.x, e.row, e.y), 5, 7) }},
	"no padding": {
		func(e example) ir.ID { return e.PadCols(e.x, 0, 0) },
		func(e example) ir.ID { return e.PadRows(e.x, 0, 0) },
	},
	"padded 0 = 0": {
		func(e example) ir.ID { return e.PadCols(e.c(0), 1, 0) },
		func(e example) ir.ID { return e.PadRows(e.c(0), 0, 1) },
	},
	"one part alone": {
		func(e example) ir.ID { return e.ConcatCols(e.x) },
		func(e example) ir.ID { return e.ConcatRows(e.x) },
	},
	"a transposed row or column is the same numbers": {
		func(e example) ir.ID { return e.Transpose(e.row) },
		func(e example) ir.ID { return e.Transpose(e.col) },
	},
	"xᵀᵀ = x": {func(e example) ir.ID { return e.Transpose(e.Transpose(e.x)) }},
	"cᵀ": {
		func(e example) ir.ID { return e.Transpose(e.c(2)) },
		func(e example) ir.ID { return e.Transpose(e.all()) },
	},
	"(expand x)ᵀ = expand xᵀ": {
		func(e example) ir.ID { return e.Transpose(e.rows()) },
		func(e example) ir.ID { return e.Transpose(e.cols()) },
	},
	"(x·yᵀ)ᵀ = y·xᵀ": {
		func(e example) ir.ID { return e.Transpose(e.MatMul(e.x, e.y, false, true)) },
		func(e example) ir.ID { return e.Transpose(e.MatMul(e.x, e.y, true, false)) },
	},
	"reshape x = x": {func(e example) ir.ID { return e.Reshape(e.x, 4, 3) }},
	"reshape c": {
		func(e example) ir.ID { return e.Reshape(e.c(2), 2, 6) },
		func(e example) ir.ID { return e.Reshape(e.all(), 2, 6) },
	},
	"reshape (reshape x) = reshape x": {func(e example) ir.ID { return e.Reshape(e.Reshape(e.x, 2, 6), 3, 4) }},

	"gather all in order": {func(e example) ir.ID { return e.Gather(e.x, view(12, []int{12}, []int{1}), 3, 4) }},
	"gather c": {
		func(e example) ir.ID { return e.Gather(e.c(2), view(12, []int{6}, []int{2}), 2, 3) },
		func(e example) ir.ID { return e.Gather(e.all(), view(12, []int{6}, []int{2}), 2, 3) },
	},
	"gather (reshape x) = gather x": {func(e example) ir.ID {
		return e.Gather(e.Reshape(e.x, 2, 6), view(12, []int{6}, []int{2}), 2, 3)
	}},
	"gather (gather x) = gather x": {func(e example) ir.ID {
		return e.Gather(e.Gather(e.x, view(12, []int{6}, []int{2}), 1, 6), view(6, []int{3}, []int{2}), 1, 3)
	}},
	"gather of one is a fill": {func(e example) ir.ID { return e.Gather(e.one, view(1, []int{4, 3}, []int{0, 0}), 4, 3) }},
	"gather that expands or transposes": {
		func(e example) ir.ID { return e.Gather(e.col, view(4, []int{4, 3}, []int{1, 0}), 4, 3) },
		func(e example) ir.ID { return e.Gather(e.row, view(3, []int{4, 3}, []int{0, 1}), 4, 3) },
		func(e example) ir.ID { return e.Gather(e.x, view(12, []int{3, 4}, []int{1, 3}), 3, 4) },
	},
	"put all in order": {func(e example) ir.ID {
		return e.Put(e.x, view(12, []int{12}, []int{1}), 0, 3, 4)
	}},
	"put c among c": {func(e example) ir.ID {
		return e.Put(e.c(2), view(24, []int{12}, []int{2}), 2, 4, 6)
	}},
	"put (reshape x) = put x": {func(e example) ir.ID {
		return e.Put(e.Reshape(e.x, 2, 6), view(24, []int{12}, []int{2}), 5, 4, 6)
	}},
	"scatter to places of their own is a put": {func(e example) ir.ID {
		return e.Scatter(e.x, view(24, []int{12}, []int{2}), 4, 6)
	}},
	"scatter 0 = 0": {func(e example) ir.ID {
		return e.Scatter(e.c(0), view(4, []int{4, 3}, []int{1, 0}), 4, 1)
	}},
	"scatter that sums": {
		func(e example) ir.ID { return e.Scatter(e.x, view(1, []int{12}, []int{0}), 1, 1) },
		func(e example) ir.ID { return e.Scatter(e.x, view(4, []int{4, 3}, []int{1, 0}), 4, 1) },
		func(e example) ir.ID { return e.Scatter(e.x, view(3, []int{4, 3}, []int{0, 1}), 1, 3) },
	},
	"scatter (reshape x) = scatter x": {func(e example) ir.ID {
		return e.Scatter(e.Reshape(e.x, 2, 6), view(6, []int{2, 2, 3}, []int{3, 0, 1}), 2, 3)
	}},
	"scatter (scatter x) = scatter x": {func(e example) ir.ID {
		inner := e.Scatter(e.x, view(6, []int{2, 2, 3}, []int{3, 0, 1}), 2, 3)
		return e.Scatter(inner, view(2, []int{2, 3}, []int{1, 0}), 2, 1)
	}},
	"pick of c":   {func(e example) ir.ID { return e.Pick(e.x, e.c(2), thirds, 4, 1) }},
	"place 0 = 0": {func(e example) ir.ID { return e.Place(e.x, e.Const(4, 1, 0), thirds, 4, 3) }},
}

// allRules are the rules of all families.
func allRules() map[string]bool {
	names := map[string]bool{}
	for _, op := range ir.All {
		for _, r := range family(op) {
			names[r.name] = true
		}
	}
	return names
}

// Every rule has an example to which it applies, both alone and together with all others, without changing its value.
func TestRulesAreEqualOnNumbers(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 22))
	for name := range allRules() {
		if len(examples[name]) == 0 {
			t.Errorf("rule %q has no example", name)
		}
	}
	for name, builds := range examples {
		if !allRules()[name] {
			t.Errorf("no rule is called %q", name)
		}
		for k, build := range builds {
			e := newExample()
			e.Outputs = []ir.ID{build(e)}
			none := simplify(e.Graph, func(rule) bool { return false })
			alone := simplify(e.Graph, func(r rule) bool { return r.name == name })
			if fmt.Sprint(outputOf(none)) == fmt.Sprint(outputOf(alone)) {
				t.Errorf("rule %q does not apply to its example %d", name, k)
			}
			for range 3 {
				in := e.inputs(rng)
				want := reference.Outputs(e.Graph, in)[0]
				same(t, fmt.Sprintf("%q alone, example %d", name, k), reference.Outputs(alone, in)[0], want)
				same(t, fmt.Sprintf("%q among all, example %d", name, k), reference.Outputs(Simplify(e.Graph), in)[0], want)
				same(t, fmt.Sprintf("%q, fused, example %d", name, k), reference.Outputs(Apply(e.Graph), in)[0], want)
			}
		}
	}
}

// outputOf is the output of g, written out with everything it is computed from.
func outputOf(g *ir.Graph) string {
	var text func(id ir.ID) string
	text = func(id ir.ID) string {
		in := g.At(id)
		s := fmt.Sprintf("%T %+v (%d,%d)", in.Op, in.Op, in.Rows, in.Cols)
		for _, a := range in.Args {
			s += " [" + text(a) + "]"
		}
		return s
	}
	return text(g.Outputs[0])
}

func same(t *testing.T, what string, got, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
	}
	for i := range got {
		if math.Abs(got[i]-want[i]) > 1e-12*(1+math.Abs(want[i])) {
			t.Errorf("%s: element %d is %v, want %v", what, i, got[i], want[i])
			return
		}
	}
}

// A rule with a wrong replacement must fail the test.
func TestWrongRuleFails(t *testing.T) {
	e := newExample()
	e.Outputs = []ir.ID{e.Scale(e.x, 2)}
	wrong := newExample()
	wrong.Outputs = []ir.ID{wrong.Scale(wrong.x, 2.0000001)}
	in := e.inputs(rand.New(rand.NewPCG(2, 2)))
	a, b := reference.Outputs(e.Graph, in)[0], reference.Outputs(wrong.Graph, in)[0]
	probe := &testing.T{}
	same(probe, "", a, b)
	if !probe.Failed() {
		t.Error("2 x and 2.0000001 x are taken for equal")
	}
}
