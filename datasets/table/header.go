package table

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/stheno-ebm/stheno/datasets/files"
)

// above reads everything above the rows and returns the first row, whose fields the caller owns.
func (b *builder) above() (row, error) {
	for {
		r, err := b.own()
		switch {
		case err == errEmpty && len(b.texts) > 1:
			return r, b.allText()
		case err != nil:
			return r, err
		case strings.HasPrefix(r.fields[0], "#") && !isMissing(r.fields[0]):
			b.report.skip(r.line)
		case b.o.Header == HeaderNo:
			return r, nil
		case b.o.Header == HeaderYes:
			b.texts = append(b.texts, r)
			return b.own()
		case b.isText(r):
			if len(b.texts) == maxText {
				return row{}, &Error{Line: r.line, Text: fmt.Sprintf("no row of numbers in %d lines", maxText)}
			}
			if other := b.otherwise(r); other != 0 {
				return row{}, &Error{Line: r.line,
					Text: fmt.Sprintf(
						"a row of %s divided by %s, in a file divided by %s: one separator divides the whole file",
						count(b.dialect.width, "number"), separatorName(other), separatorName(b.dialect.sep))}
			}
			b.texts = append(b.texts, r)
		case len(b.texts) == 0 && b.isNumbered(r):
			below, err := b.own()
			switch {
			case err == errEmpty: // nothing follows: it is a point
				return r, nil
			case err != nil:
				return r, err
			case slices.Equal(below.fields, r.fields), !b.fits(below): // a header does not appear twice
				b.ahead = &below
				return r, nil
			}
			b.texts = append(b.texts, r)
			b.report.note(HeaderOfNumbers, "line %d, %s, is taken for a header that numbers the columns", r.line,
				files.Quote(strings.Join(r.fields, ",")))
			return below, nil
		default:
			return r, nil
		}
	}
}

// allText reports the text found in place of numbers in a file that has none.
func (b *builder) allText() error {
	last := b.texts[len(b.texts)-1]
	for j, f := range last.fields {
		if _, c := plain(f); c == text {
			return &Error{Line: last.line, Column: j + 1,
				Text: files.Quote(f) + " is not a number, and there is no row of numbers"}
		}
	}
	return errEmpty
}

// otherwise returns a separator with which a line of text in this file becomes a row of as many numbers as most rows
// have; 0 if there is none.
func (b *builder) otherwise(r row) rune {
	line := strings.Join(r.fields[:filled(r.fields)], string(b.dialect.sep))
	for _, sep := range separators {
		cells := strings.Split(line, string(sep))
		if sep == ' ' {
			cells = strings.Fields(line)
		}
		if sep == b.dialect.sep || len(cells) < 2 || len(cells) != b.dialect.width {
			continue
		}
		if !slices.ContainsFunc(cells, func(cell string) bool {
			_, c := plain(strings.Replace(strings.TrimSpace(cell), ",", ".", 1))
			return c != number
		}) {
			return sep
		}
	}
	return 0
}

// own returns the next row, with copied fields; there must be one.
func (b *builder) own() (row, error) {
	r, err := b.next()
	if err == io.EOF {
		return r, errEmpty
	}
	r.fields = slices.Clone(r.fields)
	return r, err
}

// isText reports whether a row above all others is text: nothing in it is a number, or it has some text, a different
// number of fields, and there has been no header yet.
func (b *builder) isText(r row) bool {
	numbers, texts := 0, 0
	for _, f := range r.fields {
		m := b.dialect.marks
		switch _, c := m.parse(f); c {
		case number, infinite, overflow, ambiguous:
			numbers++
		case text:
			texts++
		}
	}
	return numbers == 0 || texts > 0 && filled(r.fields) != b.dialect.width && !slices.ContainsFunc(b.texts, b.fits)
}

// fits reports whether text above the rows has as many fields as they have.
func (b *builder) fits(text row) bool { return filled(text.fields) == b.dialect.width }

// isNumbered reports whether a row numbers the columns, from 0 or from 1. The first column may have no number: it holds
// row names, as written by pandas. For a single column only decimals below distinguish such a header from a point.
func (b *builder) isNumbered(r row) bool {
	fields := r.fields[:filled(r.fields)]
	if len(fields) != b.dialect.width || len(fields) == 1 && !b.dialect.decimals {
		return false
	}
	if len(fields) > 1 && fields[0] == "" {
		fields = fields[1:]
	}
	from, err := strconv.Atoi(fields[0])
	for j, f := range fields {
		if f != strconv.Itoa(from+j) {
			return false
		}
	}
	return err == nil && (from == 0 || from == 1)
}

// lay determines the columns from what is above the first row.
func (b *builder) lay(first row) error {
	b.first = first.line
	width := b.dialect.width
	names := make([]string, width)
	head := slices.IndexFunc(b.texts, func(t row) bool { return len(t.fields) == len(first.fields) || b.fits(t) })
	switch {
	case head >= 0:
		text := b.texts[head].fields
		if len(text) == len(first.fields) {
			width = max(width, filled(text))
		}
		names = make([]string, width)
		copy(names, text[:filled(text)])
		b.headLine = b.texts[head].line
	case b.o.Header == HeaderYes:
		return &Error{Line: b.texts[0].line, Text: fmt.Sprintf("the header has %s, line %d has %s",
			count(filled(b.texts[0].fields), "name"), first.line, count(filled(first.fields), "value"))}
	default: // R omits the name of the column of row names
		head = slices.IndexFunc(b.texts, func(t row) bool {
			return width > 2 && filled(t.fields) == width-1 && len(t.fields) == len(first.fields)-1
		})
		if _, c := plain(first.fields[0]); head >= 0 && (c == text || first.fields[0] == "1") {
			copy(names[1:], b.texts[head].fields)
			b.headLine = b.texts[head].line
		}
	}
	for i, t := range b.texts {
		if t.line == b.headLine {
			continue
		}
		b.report.skip(t.line)
		if i == len(b.texts)-1 && len(t.fields) == 1 {
			b.title = strings.Clone(t.fields[0])
		}
	}
	for j, name := range names {
		names[j] = files.Name(name)
	}
	b.header = names
	b.commas.off = width != 2 || b.dialect.sep != ',' || b.headLine > 0 || len(b.texts) > 0 && b.title == ""
	if width > MaxColumns && b.o.Columns == nil {
		return b.o.room(1, int64(width))
	}
	chosen, err := choose(b.o.Columns, names)
	for _, j := range chosen {
		b.columns = append(b.columns, column{index: j, name: names[j]})
	}
	return err
}

// choose finds columns by name or number; all of them if want is empty.
func choose(want, names []string) (chosen []int, err error) {
	if want == nil {
		for j := range names {
			chosen = append(chosen, j)
		}
		return chosen, nil
	}
	for _, w := range want {
		var found []int
		for j, name := range names {
			if name != "" && (name == w || name == files.Name(w)) {
				found = append(found, j)
			}
		}
		if k, err := strconv.Atoi(w); len(found) == 0 && err == nil && 1 <= k && k <= len(names) {
			found = []int{k - 1}
		}
		switch {
		case len(found) == 0:
			e := &Error{Text: fmt.Sprintf("there is no column %s among the %s", files.Quote(w), listed(names)),
				Option: "Columns"}
			if near := files.Nearest(w, names); near != "" {
				e.Text += fmt.Sprintf("; did you mean %s?", files.Quote(near))
			}
			return nil, e
		case len(found) > 1:
			return nil, &Error{Text: fmt.Sprintf("columns %d and %d are both called %s; name them by their numbers",
				found[0]+1, found[1]+1, files.Quote(w)), Option: "Columns"}
		case slices.Contains(chosen, found[0]):
			return nil, &Error{Text: fmt.Sprintf("column %s is named twice", files.Quote(w)), Option: "Columns"}
		}
		chosen = append(chosen, found[0])
	}
	return chosen, nil
}

// listed returns the number of columns and the names of the first ones.
func listed(names []string) string {
	const most = 12
	known := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == "" })
	text := count(len(names), "column")
	if len(known) == 0 {
		return text + ", which have no names; number them from 1"
	}
	if len(known) > most {
		known = append(known[:most:most], "…")
	}
	return text + ": " + strings.Join(known, ", ")
}
