package table

import (
	"fmt"
	"strings"
)

// Report says what was read and what was left out.
type Report struct {
	Rows, Columns int
	// lines without a row of the table: empty lines, comments, titles, rows dropped for a missing value
	Skipped      int
	FirstSkipped int      // the first of them, from 1
	Empty        int      // skipped lines without any value
	Dropped      int      // skipped rows with a missing value
	Filled       int      // missing values replaced by the mean of their column
	Separator    string   // of a text file: comma, semicolon, tab, bar, blanks or another character
	Array        string   // of an .npz file: the array taken; several names if they are columns
	Notes        []Remark // remarks about how the file was read
}

// Remark is a note about how a file was read, of a kind that programs can distinguish.
type Remark struct {
	Kind Kind
	Text string
}

func (r *Report) note(kind Kind, format string, args ...any) {
	r.Notes = append(r.Notes, Remark{kind, fmt.Sprintf(format, args...)})
}

// filled counts missing values that were filled in, and notes where that was not with the mean itself.
func (r *Report) filled(list []filling, title func(column int) string) {
	for _, f := range list {
		r.Filled += f.count
		if f.value != f.mean {
			r.note(FilledNext, "column %s: %s filled with %g, which the column may have, next to the mean %.4g",
				title(f.column), count(f.count, "missing value"), f.value, f.mean)
		}
	}
}

// skip counts a skipped line.
func (r *Report) skip(line int) { r.skipMany(1, line) }

func (r *Report) skipMany(n, first int) {
	if n > 0 && (r.FirstSkipped == 0 || first < r.FirstSkipped) {
		r.FirstSkipped = first
	}
	r.Skipped += n
}

// String says what was read in one line: "1000 rows × 2 columns, 3 lines skipped (first: line 17)".
func (r Report) String() string {
	var b strings.Builder
	b.WriteString(count(r.Rows, "row", "× "+count(r.Columns, "column")))
	if r.Skipped > 0 {
		fmt.Fprintf(&b, ", %s (first: line %d", count(r.Skipped, "line", "skipped"), r.FirstSkipped)
		if r.Dropped > 0 {
			fmt.Fprintf(&b, "; %d for a missing value", r.Dropped)
		}
		b.WriteString(")")
	}
	if r.Filled > 0 {
		fmt.Fprintf(&b, ", %s filled with the mean of the column", count(r.Filled, "missing value"))
	}
	return b.String()
}

// count returns a number with its noun, pluralised if needed, and what follows.
func count(n int, noun string, rest ...string) string {
	if n != 1 {
		noun += "s"
	}
	return strings.Join(append([]string{fmt.Sprint(n), noun}, rest...), " ")
}
