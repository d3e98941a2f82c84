package table

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/files"
)

// title returns the number of a column in the file and its name, for messages.
func (c *column) title() string {
	if c.name == "" {
		return fmt.Sprint(c.index + 1)
	}
	return fmt.Sprintf("%d (%s)", c.index+1, c.name)
}

// emptyColumns leaves out columns with neither name nor value, which arise from lines that end with a separator.
func (b *builder) emptyColumns() error {
	gone := func(c column) bool { return c.absent == b.rows && c.name == "" }
	if b.o.Columns != nil || !slices.ContainsFunc(b.columns, gone) {
		return nil
	}
	var kept []int
	var out []string
	for j, c := range b.columns {
		if gone(c) {
			out = append(out, fmt.Sprint(c.index+1))
		} else {
			kept = append(kept, j)
		}
	}
	if len(kept) == 0 {
		return errEmpty
	}
	old := len(b.columns)
	for i := range b.rows {
		for k, j := range kept {
			b.data[i*len(kept)+k] = b.data[i*old+j]
		}
	}
	b.data = b.data[:b.rows*len(kept)]
	b.columns = slices.DeleteFunc(b.columns, gone)
	if len(out) == 1 {
		b.report.note(EmptyColumns, "column %s has neither name nor value: it is left out", out[0])
	} else {
		b.report.note(EmptyColumns, "columns %s have neither name nor value: they are left out", enumerate(out))
	}
	return nil
}

// noText rejects columns that contain text, all of them at once.
func (b *builder) noText() error {
	var bad, good []string
	var first *column
	for j := range b.columns {
		c := &b.columns[j]
		if c.texts == 0 {
			if good = append(good, c.name); c.name == "" || strings.Contains(c.name, ",") {
				good[len(good)-1] = fmt.Sprint(c.index + 1)
			}
			continue
		}
		bad = append(bad, c.title())
		if first == nil || c.at < first.at {
			first = c
		}
	}
	if first == nil {
		return nil
	}
	e := &Error{Line: first.at, Column: first.index + 1}
	switch sample := files.Quote(first.sample); {
	case first.infinite:
		e.Text = fmt.Sprintf("%s is not finite; remove the line or fill the value in", files.Line(first.sample))
	case first.overflow:
		e.Text = fmt.Sprintf("%s is too large", strings.Trim(sample, `"`))
	case first.unclear:
		e.Text = fmt.Sprintf(
			"%s may be a number with decimals or a whole one with thousands: write decimals with a point, and nothing "+
				"between thousands", sample)
	case first.at == b.first && first.texts == 1 && len(b.texts) == 0:
		e.Text = fmt.Sprintf("%s is not a number, nor is the line a header, in which nothing is one", sample)
		e.Option, e.Value = "Header", string(HeaderYes)
	case len(bad) > 1:
		e.Text = fmt.Sprintf("%s is not a number; columns %s hold text: leave them out", sample, enumerate(bad))
		e.Option = "Columns"
	case first.texts > b.rows/2 && b.rows > 1:
		e.Text = fmt.Sprintf("%s is not a number; column %s holds text in %d of %s: leave it out", sample, bad[0],
			first.texts, count(b.rows, "row"))
		e.Option = "Columns"
	default:
		e.Text = fmt.Sprintf("%s is not a number; leave out columns of text, and write decimals with a point", sample)
	}
	if e.Option == "Columns" && len(good) > 0 && len(good) <= 12 {
		e.Value = strings.Join(good, ",")
	}
	return e
}

// fill handles missing values.
func (b *builder) fill() error {
	var first *column
	for j := range b.columns {
		switch c := &b.columns[j]; {
		case c.absent == b.rows && b.rows > 1:
			return &Error{Column: c.index + 1, Text: "there is no value in any row; leave the column out",
				Option: "Columns"}
		case c.absent > 0 && (first == nil || c.missing < first.missing):
			first = c
		}
	}
	if first == nil {
		return nil
	}
	switch b.o.Missing {
	case MissingDrop:
		n, err := dropRows(&b.data, len(b.columns))
		b.rows -= n
		b.report.Dropped = n
		b.report.skipMany(n, first.missing)
		return err
	case MissingMean:
		list, err := fillMeans(b.data, len(b.columns))
		b.report.filled(list, func(j int) string { return b.columns[j].title() })
		return err
	}
	word := ""
	if first.word != "" {
		word = ": " + files.Quote(first.word)
	}
	return &Error{Line: first.missing, Column: first.index + 1, Option: "Missing",
		Text: "the value is missing" + word + "; remove the line or fill the value in"}
}

// dropRows removes the rows of data in which a value is NaN, and returns their number.
func dropRows(data *[]float64, cols int) (dropped int, err error) {
	x, at := *data, 0
	for i := 0; i+cols <= len(x); i += cols {
		if slices.ContainsFunc(x[i:i+cols], math.IsNaN) {
			dropped++
			continue
		}
		at += copy(x[at:], x[i:i+cols])
	}
	if at == 0 {
		return dropped, &Error{Text: "a value is missing in every row: nothing is left when they are dropped",
			Option: "Missing"}
	}
	*data = x[:at]
	return dropped, nil
}

// filling is what missing values of a column were replaced by: the mean of the given ones, or a value next to it.
type filling struct {
	column, count int
	mean, value   float64
}

// fillMeans replaces every NaN by the mean of its column, rounded as the given values are, so that a column of whole
// numbers or of few values stays one.
func fillMeans(x []float64, cols int) (list []filling, err error) {
	for j := range cols {
		f := filling{column: j}
		var given []float64
		for i := j; i < len(x); i += cols {
			if v := x[i]; !math.IsNaN(v) {
				given = append(given, v)
				f.mean += (v - f.mean) / float64(len(given))
			} else {
				f.count++
			}
		}
		if len(given) == 0 {
			return list, &Error{Column: j + 1, Text: "there is no value in any row, and so no mean",
				Option: "Columns"}
		}
		if f.count == 0 {
			continue
		}
		f.value = nextTo(f.mean, given)
		for i := j; i < len(x); i += cols {
			if math.IsNaN(x[i]) {
				x[i] = f.value
			}
		}
		list = append(list, f)
	}
	return list, nil
}

// nextTo returns the number next to v among those that a column with the given values may have: where they are few one
// that occurs, otherwise one on their grid. Of fewer than ten values only the decimals count, as any two have a grid.
func nextTo(v float64, given []float64) float64 {
	x := mat.NewDense(len(given), 1, given)
	if values, _ := Values(x, 0); values != nil {
		return slices.MinFunc(values, func(a, b float64) int { return cmp.Compare(math.Abs(a-v), math.Abs(b-v)) })
	}
	g, ok := GridOf(x, 0)
	if !ok {
		return v
	}
	if len(given) < 10 {
		g.Step, g.Offset = 1, 0
	}
	return g.Round(v)
}

// enumerate joins at most eight.
func enumerate(items []string) string {
	const most = 8
	switch last := len(items) - 1; {
	case len(items) > most:
		return fmt.Sprintf("%s and %d more", strings.Join(items[:most], ", "), len(items)-most)
	case last > 0:
		return strings.Join(items[:last], ", ") + " and " + items[last]
	}
	return strings.Join(items, "")
}
