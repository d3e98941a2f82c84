package table_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/table"
)

// normal is a table of independent standard normal numbers.
func normal(n, d int) *mat.Dense {
	x, rng := mat.NewDense(n, d, nil), rand.New(rand.NewPCG(uint64(n), uint64(d)))
	for i := range n {
		for j := range d {
			x.Set(i, j, rng.NormFloat64())
		}
	}
	return x
}

// set computes the values of a column from the row number.
func set(x *mat.Dense, j int, f func(i int) float64) {
	n, _ := x.Dims()
	for i := range n {
		x.Set(i, j, f(i))
	}
}

// Oddities of columns and rows are found, and none where there are none.
func TestInspect(t *testing.T) {
	names := []string{"a", "b", "c", "d"}
	for _, c := range []struct {
		name  string
		kind  table.Kind
		cols  []int
		count int
		says  string
		make  func(x *mat.Dense)
	}{
		{"nothing", "", nil, 0, "", func(x *mat.Dense) {}},
		{"far from zero", "", nil, 0, "",
			func(x *mat.Dense) { set(x, 1, func(i int) float64 { return 1e15 + 100*x.At(i, 1) }) }},
		{"few values", table.FewValues, []int{1}, 3, "column with few values (2 (b): 3 values)",
			func(x *mat.Dense) { set(x, 1, func(i int) float64 { return float64(i*7%3) / 2 }) }},
		{"whole numbers", table.WholeNumbers, []int{0, 2}, 61,
			"columns of whole numbers (1 (a): 61 values, 3 (c): 101 values)", func(x *mat.Dense) {
				set(x, 0, func(i int) float64 { return float64(i % 61) })
				set(x, 2, func(i int) float64 { return float64(i * 37 % 101) })
			}},
		{"rounded", table.Rounded, []int{3}, 0, "rounded numbers (4 (d): ",
			func(x *mat.Dense) { set(x, 3, func(i int) float64 { return math.Round(x.At(i, 3)*10) / 10 }) }},
		{"rounded far below the digits", "", nil, 0, "",
			func(x *mat.Dense) { set(x, 3, func(i int) float64 { return math.Round(x.At(i, 3)*1e5) / 1e5 }) }},
		{"constant", table.ConstantColumn, []int{2}, 1, "column 3 (c) is the same in all points",
			func(x *mat.Dense) { set(x, 2, func(int) float64 { return 0.1 }) }},
		{"constant but for rounding", table.ConstantColumn, []int{2}, 1, "column 3 (c) is the same",
			func(x *mat.Dense) { set(x, 2, func(i int) float64 { return 0.3 + 1e-14*float64(i%2) }) }},
		{"all equal", table.ConstantColumn, []int{0, 1, 2, 3}, 1, "all points are equal", func(x *mat.Dense) {
			for j := range 4 {
				set(x, j, func(int) float64 { return float64(j) })
			}
		}},
		{"an index", table.CountsRows, []int{0}, 1000, "column 1 (a) counts the rows",
			func(x *mat.Dense) { set(x, 0, func(i int) float64 { return float64(i + 17) }) }},
		{"a shuffled index", table.CountsRows, []int{0}, 1000, "column 1 (a) counts the rows",
			func(x *mat.Dense) { set(x, 0, func(i int) float64 { return float64(1 + i*7%1000) }) }},
		{"equal columns", table.EqualColumns, []int{1, 3}, 1000, "columns 2 (b) and 4 (d) are equal",
			func(x *mat.Dense) { set(x, 3, func(i int) float64 { return x.At(i, 1) }) }},
		{"a multiple", table.DependentColumn, []int{0, 2}, 1000,
			"of the columns 1 (a), 3 (c) one follows from the others",
			func(x *mat.Dense) { set(x, 2, func(i int) float64 { return 5 - 3*x.At(i, 0) }) }},
		{"a sum", table.DependentColumn, []int{0, 1, 3}, 1000, "of the columns 1 (a), 2 (b), 4 (d) one follows",
			func(x *mat.Dense) { set(x, 3, func(i int) float64 { return x.At(i, 0) + 2*x.At(i, 1) }) }},
		{"a sum with noise", "", nil, 0, "", func(x *mat.Dense) {
			set(x, 3, func(i int) float64 { return x.At(i, 0) + 2*x.At(i, 1) + 0.01*x.At(i, 3) })
		}},
		{"an outlier", table.OutlierRow, nil, 1, "point 78 lies", func(x *mat.Dense) { x.Set(77, 1, 1e6) }},
		{"half of the rows twice", table.RepeatedRows, nil, 500, "500 of 1000 rows repeat another", func(x *mat.Dense) {
			for i := 500; i < 1000; i++ {
				x.SetRow(i, x.RawRowView(i-500))
			}
		}},
		{"one row three hundred times", table.RepeatedRows, nil, 300, "row 4 301 times", func(x *mat.Dense) {
			for i := 600; i < 900; i++ {
				x.SetRow(i, x.RawRowView(3))
			}
		}},
		{"too large", table.TooLarge, []int{1}, 1, "column 2 (b) holds values beyond 1e300",
			func(x *mat.Dense) { set(x, 1, func(i int) float64 { return 1e308 * math.Tanh(x.At(i, 1)) }) }},
		{"too small", table.TooSmall, []int{1}, 1, "column 2 (b) holds values that differ by less than 1e-300",
			func(x *mat.Dense) { set(x, 1, func(i int) float64 { return 1e-310 * x.At(i, 1) }) }},
	} {
		x := normal(1000, 4)
		c.make(x)
		found, err := table.Inspect(t.Context(), x, names)
		if err != nil {
			t.Fatal(err)
		}
		if c.kind == "" {
			if len(found) > 0 {
				t.Errorf("%s: found %v", c.name, found)
			}
			continue
		}
		if len(found) != 1 {
			t.Errorf("%s: found %v, want one", c.name, found)
			continue
		}
		f := found[0]
		fatal := slices.Contains([]table.Kind{table.ConstantColumn, table.TooLarge, table.TooSmall}, c.kind)
		if f.Kind != c.kind || !slices.Equal(f.Columns, c.cols) || c.count > 0 && f.Count != c.count ||
			!strings.Contains(f.Text, c.says) || f.Fatal != fatal {
			t.Errorf("%s: found %+v, want %s of %v, %d, %q", c.name, f, c.kind, c.cols, c.count, c.says)
		}
	}
}

// Having few points with many coordinates is questioned, and nothing else is found in them.
func TestInspectShapes(t *testing.T) {
	for _, c := range []struct {
		n, d int
		want table.Kind
	}{{5, 60, table.Transposed}, {2, 50, table.Transposed}, {30, 60, table.FewRows}, {600, 200, ""}, {4, 2, ""},
		{1, 2, table.FewRows}, {10, 3, ""}} {
		x := normal(c.n, c.d)
		found, err := table.Inspect(t.Context(), x, nil)
		if err != nil {
			t.Fatal(err)
		}
		found = slices.DeleteFunc(found, func(f table.Finding) bool { return f.Kind == table.ConstantColumn })
		if (c.want == "") != (len(found) == 0) || c.want != "" && found[0].Kind != c.want {
			t.Errorf("%d×%d: found %v, want %q", c.n, c.d, found, c.want)
		}
	}
}

// A million rows, and three hundred columns, are inspected in seconds, and Ctrl-C works meanwhile.
func TestInspectSize(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	for _, shape := range [][2]int{{1000000, 2}, {2000, 300}, {600, 1000}} {
		x := normal(shape[0], shape[1])
		begin := time.Now()
		if _, err := table.Inspect(t.Context(), x, nil); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("%v took %v", shape, took)
		} else {
			t.Logf("%v took %v", shape, took)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := table.Inspect(ctx, normal(100, 2), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was cancelled", err)
	}
}

// If the file names its columns, so do the messages about them.
func ExampleInspect() {
	x := mat.NewDense(12, 2, nil)
	for i := range 12 {
		x.SetRow(i, []float64{float64(i), math.Sin(float64(i))})
	}
	found, err := table.Inspect(context.Background(), x, []string{"id", "height"})
	if err != nil {
		panic(err)
	}
	for _, f := range found {
		fmt.Println(f.Text)
	}
	// Output: column 1 (id) counts the rows; unless that belongs to the data, leave it out
}
