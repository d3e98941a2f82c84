package table

import (
	"fmt"
	"strings"

	"github.com/stheno-ebm/stheno/datasets/files"
)

// decimals watches for rows like 1,5 that are one number with a comma and are read as two whole ones. A header of one name tells, or
// digits after the comma: a whole number is written 05 where all have two digits, not beside 5.
type decimals struct {
	off           bool   // something else was seen
	first, padded string // rows: the first, and that with most digits after the comma of which one is a leading zero
	most, least   int    // digits of padded, and of the row with fewest
}

// row looks at the fields of a row, between which there is nothing but the comma if it is tight.
func (c *decimals) row(fields []string, tight bool) {
	if c.off {
		return
	}
	digits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	whole, part := strings.TrimPrefix(fields[0], "-"), fields[1]
	if !digits(whole) || !digits(part) || len(whole) > 1 && whole[0] == '0' || !tight {
		c.off = true
		return
	}
	text := fields[0] + "," + part
	if c.first == "" {
		c.first, c.least = text, len(part)
	}
	c.least = min(c.least, len(part))
	if len(part) > max(1, c.most) && part[0] == '0' {
		c.padded, c.most = text, len(part)
	}
}

// note is what to say of the rows below the header, which is empty where there is none.
func (c *decimals) note(header string) string {
	switch {
	case c.off:
	case header != "":
		return fmt.Sprintf("the header has one name, %s, and the rows have two values: if %s is meant as one number, write it with a point", files.Quote(header), c.first)
	case c.most > c.least:
		return fmt.Sprintf("the two columns look like one of numbers with a decimal comma, such as %s: if they are, write them with a point", c.padded)
	}
	return ""
}
