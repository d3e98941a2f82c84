package table

import (
	"fmt"
	"strings"

	"github.com/stheno-ebm/stheno/datasets/files"
)

// decimals detects rows like 1,5 that are one number with a decimal comma but are read as two whole numbers. A header
// with one name gives it away, or the digits after the comma: whole numbers are written as 05 only if all have two
// digits, not beside 5.
type decimals struct {
	off           bool   // ruled out by other rows
	first, padded string // rows: the first, and the one with most digits after the comma that start with a zero
	most, least   int    // digits in padded, and in the row with fewest
}

// row examines the fields of a row; tight means that nothing but the comma is between them.
func (c *decimals) row(fields []string, tight bool) {
	if c.off {
		return
	}
	whole, part := strings.TrimPrefix(fields[0], "-"), fields[1]
	if !digits(whole) || !digits(part) || len(whole) > 1 && whole[0] == '0' || !tight {
		c.off = true
		return
	}
	if c.first == "" {
		c.first, c.least = fields[0]+","+part, len(part)
	}
	c.least = min(c.least, len(part))
	if len(part) > max(1, c.most) && part[0] == '0' {
		c.padded, c.most = fields[0]+","+part, len(part)
	}
}

// digits reports whether s consists of digits alone, of which it has some.
func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// note returns the remark on rows below the header, which is empty if there is none.
func (c *decimals) note(header string) string {
	switch {
	case c.off:
	case header != "":
		return fmt.Sprintf(
			"the header has one name, %s, and the rows have two values: if %s is meant as one number, "+
				"write it with a point", files.Quote(header), c.first)
	case c.most > c.least:
		return fmt.Sprintf(
			"the two columns look like one of numbers with a decimal comma, such as %s: if they are, write them with a "+
				"point", c.padded)
	}
	return ""
}
