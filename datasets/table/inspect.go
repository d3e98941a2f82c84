package table

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"
)

// Finding is an oddity of points to which a density is to be fitted.
type Finding struct {
	Kind    Kind
	Columns []int  // from 0; nil if it is about rows
	Row     int    // a representative row, from 0; -1 if it is about columns
	Count   int    // distinct values of a column, or rows concerned
	Fatal   bool   // there is no density to learn, or it overflows float64
	Text    string // one line, with the remedy
}

// Kinds of findings in columns and rows.
const (
	ConstantColumn  Kind = "constant column"  // one value
	FewValues       Kind = "few values"       // at most 20, in ten times as many rows
	WholeNumbers    Kind = "whole numbers"    // and more values than that
	Rounded         Kind = "rounded"          // to decimals, so that most values come more than once
	EqualColumns    Kind = "equal columns"    // two columns are the same
	DependentColumn Kind = "dependent column" // a column is determined by others
	CountsRows      Kind = "counts rows"      // an index
	OutlierRow      Kind = "outlier"          // a row far from all others
	RepeatedRows    Kind = "repeated rows"    // rows that occur more than once
	FewRows         Kind = "few rows"         // fewer than there are columns
	TooLarge        Kind = "too large"        // values beyond 1e300
	TooSmall        Kind = "too small"        // values that differ by less than 1e-300
)

const (
	few       = 20      // maximum distinct values that count as few
	maxValues = 1 << 16 // maximum distinct values that are counted
	huge      = 1e300
	tiny      = 1e-300
)

// Inspect says what is odd about the points in the rows of x, before a density is fitted to them: columns with few
// values, columns determined by others, repeated rows, a point far from all others. names are the names of the columns,
// or nil. Statistics that need no more use a subset of the rows; it stops when the context ends.
func Inspect(ctx context.Context, x *mat.Dense, names []string) ([]Finding, error) {
	n, d := x.Dims()
	in := &inspection{ctx: ctx, x: x, n: n, d: d, names: names, values: make([]int, d)}
	for _, look := range []func() error{in.shape, in.magnitudes, in.columns, in.equalColumns, in.rows, in.dependent} {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := look(); err != nil {
			return nil, err
		}
	}
	return in.found, nil
}

// inspection is the work of Inspect.
type inspection struct {
	ctx    context.Context
	x      *mat.Dense
	n, d   int
	names  []string
	values []int // distinct values of every column; maxValues+1 if there are more
	found  []Finding
}

func (in *inspection) column(kind Kind, values int, fatal bool, format string, args ...any) {
	in.found = append(in.found, Finding{Kind: kind, Row: -1, Count: values, Fatal: fatal,
		Text: fmt.Sprintf(format, args...)})
}

func (in *inspection) of(columns ...int) { in.found[len(in.found)-1].Columns = columns }

// title returns the number of a column, from 1, and its name.
func (in *inspection) title(j int) string {
	if in.names == nil || in.names[j] == "" {
		return fmt.Sprint(j + 1)
	}
	return fmt.Sprintf("%d (%s)", j+1, in.names[j])
}

func (in *inspection) titles(columns []int) string {
	var s []string
	for _, j := range columns {
		s = append(s, in.title(j))
	}
	return enumerate(s)
}

// list returns titles without an "and", for a set of dependent columns.
func (in *inspection) list(columns []int) string {
	const most = 8
	var s []string
	for _, j := range columns[:min(len(columns), most)] {
		s = append(s, in.title(j))
	}
	if len(columns) > most {
		s = append(s, fmt.Sprintf("%d more", len(columns)-most))
	}
	return strings.Join(s, ", ")
}

// at returns the value of row i in column j.
func (in *inspection) at(i, j int) float64 {
	m := in.x.RawMatrix()
	return m.Data[i*m.Stride+j]
}

// shape checks the number of rows and columns.
func (in *inspection) shape() error {
	switch {
	case turned(in.n, in.d):
		in.column(Transposed, in.n, false, "%s of %s: transposed?", count(in.n, "point"), count(in.d, "coordinate"))
	case in.n < in.d:
		in.column(FewRows, in.n, false,
			"there are %d points of %d coordinates, fewer than one for each: much of what is learnt will be guesses",
			in.n, in.d)
	}
	return nil
}

// magnitudes rejects values that overflow or underflow in float64.
func (in *inspection) magnitudes() error {
	var large, small []int
	for j := range in.d {
		lo, hi, most := math.Inf(1), math.Inf(-1), 0.0
		for i := range in.n {
			v := in.at(i, j)
			lo, hi, most = min(lo, v), max(hi, v), max(most, math.Abs(v))
		}
		switch {
		case most > huge:
			large = append(large, j)
		case hi > lo && hi-lo < tiny:
			small = append(small, j)
		}
	}
	if large != nil {
		in.column(TooLarge, len(large), true, "%s values beyond 1e300, too large for numbers; take a larger unit",
			in.which(large))
		in.of(large...)
	}
	if small != nil {
		in.column(TooSmall, len(small), true,
			"%s values that differ by less than 1e-300, too little for numbers; take a smaller unit", in.which(small))
		in.of(small...)
	}
	return nil
}

// which returns the beginning of a sentence about columns: "column 3 holds".
func (in *inspection) which(columns []int) string {
	if len(columns) == 1 {
		return "column " + in.titles(columns) + " holds"
	}
	return "columns " + in.titles(columns) + " hold"
}

// columns checks the values of every column: how many are distinct, whether they are whole or rounded, whether they
// count the rows.
func (in *inspection) columns() error {
	groups := map[Kind][]int{}
	var constant []int
	for j := range in.d {
		if err := in.ctx.Err(); err != nil {
			return err
		}
		k, among := in.count(j)
		in.values[j] = k
		whole, decimals := decimalsOf(in.x, j)
		switch {
		case k == 1:
			constant = append(constant, j)
		case in.n < 10:
		case whole && in.countsRows(j, k):
			in.column(CountsRows, k, false, "column %s counts the rows; unless that belongs to the data, leave it out",
				in.title(j))
			in.of(j)
		case fewOf(k, in.n):
			groups[FewValues] = append(groups[FewValues], j)
		case whole:
			groups[WholeNumbers] = append(groups[WholeNumbers], j)
		case decimals >= 0 && Ties(k, among):
			groups[Rounded] = append(groups[Rounded], j)
		}
	}
	if len(constant) == in.d {
		in.column(ConstantColumn, 1, true,
			"all points are equal: there is no density to learn; give points that differ")
		in.of(constant...)
	} else if len(constant) > 0 {
		what := "columns %s are the same in all points: no density has them; leave the columns out"
		if len(constant) == 1 {
			what = "column %s is the same in all points: no density has it; leave the column out"
		}
		in.column(ConstantColumn, 1, true, what, in.list(constant))
		in.of(constant...)
	}
	for _, g := range []struct {
		kind Kind
		says string
	}{
		{FewValues, "with few values"}, {WholeNumbers, "of whole numbers"}, {Rounded, "of rounded numbers"},
	} {
		if columns := groups[g.kind]; columns != nil {
			in.grouped(g.kind, g.says, columns)
		}
	}
	return nil
}

// grouped reports one finding for all columns of a kind, with the number of values of each, since tables may have many.
func (in *inspection) grouped(kind Kind, says string, columns []int) {
	var s []string
	for _, j := range columns {
		values := fmt.Sprint(in.values[j])
		if in.values[j] > maxValues {
			values = fmt.Sprintf("more than %d", maxValues)
		}
		s = append(s, fmt.Sprintf("%s: %s values", in.title(j), values))
	}
	noun := "column"
	if len(columns) > 1 {
		noun = "columns"
	}
	const most = 6
	if len(s) > most {
		s = append(s[:most], fmt.Sprintf("and %d more columns", len(columns)-most))
	}
	in.column(kind, in.values[columns[0]], false, "%s %s (%s): a density rises without bound on values that repeat",
		noun, says, strings.Join(s, ", "))
	in.of(columns...)
}

// count returns the number of distinct values of a column, at most maxValues+1, and the number of leading rows that
// contain them. Values that differ only by rounding count as one.
func (in *inspection) count(j int) (values, among int) {
	seen := make(map[float64]struct{}, 64)
	for ; among < in.n && len(seen) <= maxValues; among++ {
		seen[in.at(among, j)] = struct{}{}
	}
	if _, ok := Constant(in.x, j); ok && len(seen) > 1 {
		return 1, among
	}
	return len(seen), among
}

// Constant returns the value shared by all rows of column j of x up to rounding: a few values with a relative
// difference of at most 1e-12. Many such values are not rounding but points far from zero.
func Constant(x *mat.Dense, j int) (value float64, ok bool) {
	const most = 4
	n, _ := x.Dims()
	lo, hi := math.Inf(1), math.Inf(-1)
	var seen []float64
	for i := range n {
		v := x.At(i, j)
		lo, hi = min(lo, v), max(hi, v)
		if len(seen) <= most && !slices.Contains(seen, v) {
			seen = append(seen, v)
		}
	}
	return lo + (hi-lo)/2, len(seen) == 1 || len(seen) <= most && hi-lo <= 1e-12*max(math.Abs(lo), math.Abs(hi))
}

// countsRows reports whether a column of whole numbers numbers the rows, in any order.
func (in *inspection) countsRows(j, values int) bool {
	if values < in.n && values <= maxValues {
		return false
	}
	ordered, lo, hi := true, in.at(0, j), in.at(0, j)
	for i := 1; i < in.n; i++ {
		v := in.at(i, j)
		ordered = ordered && v == in.at(0, j)+float64(i)
		lo, hi = min(lo, v), max(hi, v)
	}
	return ordered || values == in.n && hi-lo == float64(in.n-1) && (lo == 0 || lo == 1)
}

// equalColumns finds identical columns.
func (in *inspection) equalColumns() error {
	byHash := map[uint64][]int{}
	for j := range in.d {
		if err := in.ctx.Err(); err != nil {
			return err
		}
		h := newHash()
		for i := range in.n {
			h.add(in.at(i, j))
		}
		byHash[uint64(h)] = append(byHash[uint64(h)], j)
	}
	var same [][]int
	for _, columns := range byHash {
		if len(columns) > 1 && in.values[columns[0]] > 1 && in.same(columns) {
			same = append(same, columns)
		}
	}
	slices.SortFunc(same, func(a, b []int) int { return cmp.Compare(a[0], b[0]) })
	for _, columns := range same {
		in.column(EqualColumns, in.values[columns[0]], false,
			"columns %s are equal: the points have no density of their own; leave all but one out", in.titles(columns))
		in.of(columns...)
	}
	return nil
}

// same reports whether columns with equal hashes are identical.
func (in *inspection) same(columns []int) bool {
	for i := range in.n {
		for _, j := range columns[1:] {
			if in.at(i, j) != in.at(i, columns[0]) {
				return false
			}
		}
	}
	return true
}

// hash is a hash of a sequence of numbers, by multiplication and shifts (splitmix64).
type hash uint64

func newHash() hash { return 0x9e3779b97f4a7c15 }

func (h *hash) add(v float64) {
	z := uint64(*h) ^ math.Float64bits(v+0) // −0 is 0
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	*h = hash(z ^ z>>31)
}
