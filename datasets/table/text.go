package table

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"strings"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/files"
)

const (
	headBytes = 1 << 20 // of a text file, from which its dialect is inferred
	maxText   = 100     // lines of text above the rows
)

// readText reads rows of numbers from size bytes, or an unknown number of bytes if size is negative. sep is the
// separator of the fields, 0 if it is to be detected.
func readText(ctx context.Context, r io.Reader, size int64, sep rune, o Options) (*Table, error) {
	longest := int(min(maxRecord, max(minRecord, o.memory()/64)))
	m := &meter{r: files.Context(ctx, r), left: longest, most: longest}
	look := headBytes
	if size >= 0 {
		look = int(min(size+1, headBytes))
	}
	in := bufio.NewReaderSize(&newlines{r: m}, max(look, 1<<12))
	head, err := in.Peek(look)
	if err != nil && err != io.EOF {
		return nil, m.textError(err, 1)
	}
	if says := files.Sniff(head); says != "" {
		return nil, errorf("is %s", says)
	}
	if bytes.IndexByte(head, 0) >= 0 {
		return nil, errorf("is no text: it holds zero bytes")
	}
	b := &builder{ctx: ctx, o: o, size: size, meter: m}
	line, named, err := start(in, &b.report)
	if err != nil {
		return nil, m.textError(err, line)
	}
	if named != 0 {
		sep = named
	}
	head, err = in.Peek(look)
	if b.dialect = detect(head, err == io.EOF, sep); sep != 0 && named == 0 && b.dialect.width < 2 {
		b.dialect = detect(head, err == io.EOF, 0) // .tsv with other separators
	}
	b.in = newRecords(in, b.dialect.sep, line, false)
	b.last = line - 1
	b.report.Separator = separatorName(b.dialect.sep)
	if err := b.read(); err != nil {
		return nil, m.textError(err, b.last+1)
	}
	return b.table()
}

// textError says what is wrong at or after a line.
func (m *meter) textError(err error, line int) error {
	if errors.Is(err, errLongRecord) {
		return &Error{Line: line, Text: fmt.Sprintf("goes on for more than %.3g MB; is a quotation mark not closed?",
			float64(m.most)/(1<<20))}
	}
	return err
}

func separatorName(sep rune) string {
	switch sep {
	case ',':
		return "comma"
	case ';':
		return "semicolon"
	case '\t':
		return "tab"
	case '|':
		return "bar"
	case ' ':
		return "blanks"
	}
	return string(sep)
}

// collected is the number of rows, each of which leaves some garbage, after which that is collected where the table is
// large.
const collected = 1 << 21

// row is a row of fields and its position.
type row struct {
	fields    []string
	line, end int
}

// column is what the reader knows about a column of the file.
type column struct {
	index    int // in the file, from 0
	name     string
	absent   int // number of missing values
	missing  int // line of the first of them
	word     string
	texts    int // number of text values
	at       int // line of the first text
	sample   string
	infinite bool // the value at is not text but infinite
	overflow bool
	unclear  bool
}

// builder builds a table row by row.
type builder struct {
	ctx     context.Context
	o       Options
	size    int64
	in      records
	meter   *meter
	dialect dialect
	report  Report

	ahead    *row // read ahead, not yet used
	last     int  // line at which the last row ended
	texts    []row
	header   []string // one for each column of the file, or nil
	headLine int
	title    string // the text above the rows that is not a header
	columns  []column
	first    int // line of the first row
	rows     int
	data     []float64
	commas   decimals
	trailing int // rows that end with separators after the last column
}

// next returns the next row that has a field, and counts the lines that have none.
func (b *builder) next() (row, error) {
	if r := b.ahead; r != nil {
		b.ahead = nil
		return *r, nil
	}
	for {
		b.meter.left = b.meter.most // every row may read as much
		fields, line, end, err := b.in.next()
		if err != nil {
			return row{}, err
		}
		if gap := line - b.last - 1; gap > 0 { // empty lines
			b.report.Empty += gap
			b.report.skipMany(gap, b.last+1)
		}
		b.last = end
		if filled(fields) > 0 {
			return row{fields, line, end}, nil
		}
		b.report.Empty++
		b.report.skip(line)
	}
}

// read reads all rows.
func (b *builder) read() error {
	r, err := b.above()
	if err != nil {
		return err
	}
	if err := b.lay(r); err != nil {
		return err
	}
	for k := 1; ; k++ {
		if k%4096 == 0 && b.ctx.Err() != nil {
			return b.ctx.Err()
		}
		// or as much garbage as there is table would stand beside it
		if k%collected == 0 && cap(b.data) > 16*collected {
			runtime.GC()
		}
		if err := b.add(r); err != nil {
			return err
		}
		if r, err = b.next(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// add reads the values of a row.
func (b *builder) add(r row) error {
	n := filled(r.fields)
	width := len(b.header)
	if n > width || len(r.fields) < width {
		has := len(r.fields)
		if n > width {
			has = n
		}
		switch text := count(has, "value"); {
		case strings.HasPrefix(r.fields[0], "#") && !isMissing(r.fields[0]):
			return &Error{Line: r.line, Text: files.Quote(r.fields[0]) +
				" is not a number; a comment may stand above the first row only"}
		case r.line == b.first:
			return &Error{Line: r.line, Text: fmt.Sprintf("%s, most lines have %d", text, width)}
		default:
			return &Error{Line: r.line, Text: fmt.Sprintf("%s, line %d has %d", text, b.first, width)}
		}
	}
	if len(r.fields) > width {
		b.trailing++
	}
	if len(b.data)+len(b.columns) > cap(b.data) {
		if err := b.grow(); err != nil {
			return err
		}
	}
	if !b.commas.off {
		b.commas.row(r.fields, b.in.tight())
	}
	for j := range b.columns {
		c := &b.columns[j]
		v, class := b.dialect.parse(r.fields[c.index])
		if class != number {
			v = math.NaN()
			c.odd(class, r.line, r.fields[c.index])
		}
		b.data = append(b.data, v)
	}
	if b.rows++; b.rows > MaxRows {
		return errorf("more than %d rows are too many", MaxRows)
	}
	return nil
}

// odd records a value that is not a number.
func (c *column) odd(class class, line int, cell string) {
	if class == absent {
		if c.absent++; c.missing == 0 {
			c.missing, c.word = line, strings.Clone(cell)
		}
		return
	}
	if c.texts++; c.at == 0 {
		c.at, c.sample = line, strings.Clone(cell[:min(len(cell), 200)])
		c.infinite, c.overflow, c.unclear = class == infinite, class == overflow, class == ambiguous
	}
}

// grow makes room for more rows: for as many as expected from the size of the file, or twice as many as there are.
func (b *builder) grow() error {
	cols := int64(len(b.columns))
	most := b.o.memory() / 8
	have := int64(len(b.data))
	want := 2 * have
	if have == 0 {
		want = 1024 * cols
		if b.size > 0 && b.dialect.rowBytes > 0 {
			rows := int64(1.05*float64(b.size)/b.dialect.rowBytes) + 16
			if rows*cols > 2*most || rows > 2*MaxRows {
				return b.o.tooLarge(fmt.Sprintf("about %d rows × %d columns take", rows, cols), 8*rows*cols)
			}
			want = rows * cols
		}
	}
	want = min(want, most-have) // old and new exist side by side
	if want < have+cols {
		return b.o.tooLarge(fmt.Sprintf("more than %d rows × %d columns take more than", b.rows, cols), 8*have)
	}
	data := make([]float64, have, want)
	copy(data, b.data)
	b.data = data
	return nil
}

// table returns the table, after handling missing values.
func (b *builder) table() (*Table, error) {
	if b.rows == 0 {
		return nil, errEmpty
	}
	if err := b.emptyColumns(); err != nil {
		return nil, err
	}
	if err := b.noText(); err != nil {
		return nil, err
	}
	if err := b.fill(); err != nil {
		return nil, err
	}
	b.rowNames()
	cols := len(b.columns)
	t := &Table{X: mat.NewDense(b.rows, cols, b.data[:b.rows*cols:b.rows*cols])}
	if b.headLine > 0 {
		t.Names = make([]string, cols)
		for j, c := range b.columns {
			if t.Names[j] = c.name; c.name == "" {
				t.Names[j] = fmt.Sprintf("x%d", c.index+1)
			}
		}
	}
	b.remarks()
	t.Report = b.report
	return t, nil
}

// rowNames notes a first column without a name while the others have one, or with the name that pandas gives to such a
// column: it names the rows.
func (b *builder) rowNames() {
	c := b.columns[0]
	if b.headLine == 0 || c.index > 0 || c.name != "" && c.name != "Unnamed: 0" && c.name != "index" ||
		len(b.columns) < 2 {
		return
	}
	title := c.title()
	if c.name == "" {
		title = "1 (x1)"
	}
	counts := true
	for i, at := 1, len(b.columns); i < b.rows; i++ {
		counts = counts && b.data[i*at] == b.data[0]+float64(i)
	}
	switch {
	case counts:
		b.report.note(
			RowNames, "column %s counts the rows: it is an index; unless that belongs to the data, leave it out", title)
	case c.name == "":
		b.report.note(RowNames, "column 1 has no name; if it names the rows, leave it out")
	}
}

// remarks notes how the numbers were read.
func (b *builder) remarks() {
	d := b.dialect
	switch {
	case d.decimal == ',' && d.grouping != 0:
		b.report.note(Decimals, "commas are read as decimal points, points group thousands: 1.234,5 is 1234.5")
	case d.decimal == ',':
		b.report.note(Decimals, "commas are read as decimal points: 1,5 is one and a half")
	case d.grouping != 0:
		b.report.note(Decimals, "commas group thousands: 1,234 is 1234")
	}
	if b.trailing > 0 {
		b.report.note(EmptyColumns, "%s with separators that carry no value: these are skipped",
			count(b.trailing, "row", "ending"))
	}
	if note := b.commas.note(b.title); note != "" {
		b.report.note(TwoOrOne, "%s", note)
	}
}
