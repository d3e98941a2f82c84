package table

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// newlines converts CR LF and CR to LF.
type newlines struct {
	r  io.Reader
	cr bool // the last byte was CR
}

func (n *newlines) Read(b []byte) (int, error) {
	for {
		k, err := n.r.Read(b)
		out := 0
		if in := b[:k]; n.cr || bytes.IndexByte(in, '\r') >= 0 {
			for _, c := range in {
				after := n.cr
				n.cr = c == '\r'
				switch {
				case c == '\n' && after:
					continue
				case n.cr:
					c = '\n'
				}
				in[out] = c
				out++
			}
		} else {
			out = k
		}
		if out > 0 || err != nil || len(b) == 0 {
			return out, err
		}
	}
}

// meter limits the length of a record: a quotation mark that is never closed would take in the rest of the file,
// whatever its size.
type meter struct {
	r    io.Reader
	left int // bytes of this record
	most int // of any
}

var errLongRecord = errors.New("record too long")

func (m *meter) Read(b []byte) (int, error) {
	if m.left <= 0 {
		return 0, errLongRecord
	}
	n, err := m.r.Read(b)
	m.left -= n
	return n, err
}

// records are the rows of a text file.
type records interface {
	// next returns the fields of the next row, valid until the next call, and its first and last lines; io.EOF at the
	// end.
	next() (fields []string, line, end int, err error)
	// tight reports whether the first two fields of the row are adjacent to the separator, with nothing else between.
	tight() bool
}

// newRecords reads rows from the given line on. If lax, it accepts misplaced quotation marks, for examining the head of
// a file.
func newRecords(r *bufio.Reader, sep rune, line int, lax bool) records {
	if sep == ' ' {
		return &blankRecords{r: r, line: line, lax: lax}
	}
	c := csv.NewReader(r)
	c.Comma, c.FieldsPerRecord, c.ReuseRecord, c.LazyQuotes, c.TrimLeadingSpace = sep, -1, true, lax,
		!unicode.IsSpace(sep)
	return &csvRecords{r: c, before: line - 1}
}

// csvRecords are separated by one character.
type csvRecords struct {
	r      *csv.Reader
	before int // lines before the first that r sees
	fields int // of the row
	first  int // bytes of its first field
}

func (c *csvRecords) next() ([]string, int, int, error) {
	fields, err := c.r.Read()
	var pe *csv.ParseError
	switch {
	case errors.As(err, &pe):
		says := fmt.Sprintf("a quotation mark at character %d is neither at the ends of the field nor doubled",
			pe.Column)
		if pe.Line != pe.StartLine || errors.Is(pe.Err, csv.ErrQuote) && pe.Column > 1<<10 {
			says = fmt.Sprintf("a quotation mark is not closed before line %d", pe.Line+c.before)
		}
		return nil, 0, 0, &Error{Line: pe.StartLine + c.before, Text: says}
	case err != nil:
		return nil, 0, 0, err
	}
	line, _ := c.r.FieldPos(0)
	end, _ := c.r.FieldPos(len(fields) - 1)
	end += strings.Count(fields[len(fields)-1], "\n")
	c.fields, c.first = len(fields), len(fields[0])
	for i, f := range fields {
		fields[i] = strings.TrimSpace(f)
	}
	return fields, line + c.before, end + c.before, nil
}

func (c *csvRecords) tight() bool {
	if c.fields < 2 {
		return false
	}
	_, first := c.r.FieldPos(0)
	_, second := c.r.FieldPos(1)
	return second == first+c.first+1
}

// blankRecords are separated by spaces and tabs; fields that contain spaces are quoted.
type blankRecords struct {
	r      *bufio.Reader
	line   int // of the next row
	lax    bool
	fields []string
}

func (b *blankRecords) next() ([]string, int, int, error) {
	for {
		text, err := b.r.ReadString('\n')
		if err != nil && (err != io.EOF || text == "") {
			return nil, 0, 0, err
		}
		line := b.line
		b.line++
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		if b.fields = b.fields[:0]; strings.IndexByte(text, '"') < 0 {
			b.fields = append(b.fields, strings.Fields(text)...)
			return b.fields, line, line, nil
		}
		for text != "" {
			var field string
			if closed := strings.IndexByte(text[1:], '"'); text[0] == '"' && closed >= 0 {
				field, text = text[1:1+closed], text[closed+2:]
			} else if text[0] == '"' && !b.lax {
				return nil, 0, 0, &Error{Line: line, Text: "a quotation mark is not closed"}
			} else if i := strings.IndexAny(text, " \t"); i >= 0 {
				field, text = text[:i], text[i:]
			} else {
				field, text = text, ""
			}
			b.fields = append(b.fields, strings.TrimSpace(field))
			text = strings.TrimLeft(text, " \t")
		}
		return b.fields, line, line, nil
	}
}

func (b *blankRecords) tight() bool { return false }
