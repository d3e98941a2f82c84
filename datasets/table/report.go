package table

import (
	"fmt"
	"strings"
)

// Report is what was read, and what was left out.
type Report struct {
	Rows, Columns int
	Skipped       int      // lines that hold no row of the table: empty ones, comments, titles, rows dropped because a value is missing
	FirstSkipped  int      // line of the first of them, from 1
	Empty         int      // of the skipped: lines without any value
	Dropped       int      // of the skipped: rows in which a value is missing
	Filled        int      // missing values in place of which stands the mean of their column
	Separator     string   // of a text file: comma, semicolon, tab, bar, blanks or another character
	Array         string   // of an .npz file: the one that was taken; several names if these are the columns
	Notes         []Remark // what is to be known about the reading
}

// Remark is a note about the reading, of a kind that programs may tell.
type Remark struct {
	Kind Kind
	Text string
}

func (r *Report) note(kind Kind, format string, args ...any) {
	r.Notes = append(r.Notes, Remark{kind, fmt.Sprintf(format, args...)})
}

// skip counts a line that was left out.
func (r *Report) skip(line int) { r.skipMany(1, line) }

func (r *Report) skipMany(n, first int) {
	if n > 0 && (r.FirstSkipped == 0 || first < r.FirstSkipped) {
		r.FirstSkipped = first
	}
	r.Skipped += n
}

// String is what was read in one line: "1000 rows × 2 columns, 3 lines skipped (first: line 17)".
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

// count is a number with its noun, in the plural where that is due, and what follows.
func count(n int, noun string, rest ...string) string {
	if n != 1 {
		noun += "s"
	}
	return strings.Join(append([]string{fmt.Sprint(n), noun}, rest...), " ")
}
