package table

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// class is the kind of content of a cell in a text file.
type class int

const (
	number class = iota
	absent       // empty, or a word for a missing value
	text
	infinite
	overflow  // a number too large for float64
	ambiguous // 1,234: decimals or thousands
)

// missingWords denote a missing value, as do spreadsheet errors, which begin with #.
var missingWords = map[string]bool{
	"na": true, "n/a": true, "nan": true, "null": true, "none": true, "nil": true, "missing": true, "?": true,
	"-": true, ".": true, "--": true,
	"<na>": true, "nat": true, "-nan": true, "+nan": true,
}

// isMissing reports whether the cell denotes a missing value.
func isMissing(cell string) bool {
	if cell == "" {
		return true
	}
	if len(cell) > 16 {
		return false
	}
	low := strings.ToLower(cell)
	return missingWords[low] || low[0] == '#' && isSheetError(low)
}

// isSheetError reports whether text in lower case begins with a spreadsheet error, in any language: #div/0!, #wert!,
// #name?, #n/a, #nv.
func isSheetError(low string) bool {
	word := strings.TrimLeft(low[1:], "abcdefghijklmnopqrstuvwxyz0123456789/_")
	name := low[1 : len(low)-len(word)]
	if name == "" {
		return false
	}
	if word != "" && (word[0] == '!' || word[0] == '?') {
		return true
	}
	return (name == "n/a" || name == "nv" || name == "getting_data") &&
		(word == "" || strings.ContainsRune(",;\t|\" \n", rune(word[0])))
}

// marks says how numbers are written: the decimal mark and the thousands separator.
type marks struct {
	decimal  byte // '.' or ','; 0 if not yet known
	grouping byte // ',' or '.', or 0
	sep      rune // separator of the file
	open     bool // the numbers are ambiguous
}

// parse reads a cell.
func (m *marks) parse(cell string) (float64, class) {
	if len(cell) <= 15 && digits(cell) { // exact, and faster than by the general way
		var v int64
		for i := range len(cell) {
			v = 10*v + int64(cell[i]-'0')
		}
		return float64(v), number
	}
	if m.decimal == '.' && m.grouping == 0 || !strings.ContainsAny(cell, ",.") {
		return plain(cell)
	}
	if isMissing(cell) {
		return 0, absent
	}
	if m.open {
		var e evidence
		if e.see(cell) && (e.maybe[comma] || e.maybe[point] || e.decimal[comma]) {
			return 0, ambiguous
		}
		return plain(cell)
	}
	if m.decimal == 0 {
		var e evidence
		if !e.see(cell) {
			return plain(cell)
		}
		if !e.settle(m) {
			return 0, ambiguous
		}
	}
	plainly, ok := m.plainly(cell)
	if !ok {
		return 0, text
	}
	return plain(plainly)
}

// plain reads a number with a decimal point. Spaces, apostrophes and narrow spaces between thousands are unambiguous.
func plain(cell string) (float64, class) {
	v, err := strconv.ParseFloat(cell, 64)
	switch {
	case err == nil && math.IsNaN(v):
		return 0, absent
	case err == nil && math.IsInf(v, 0):
		return 0, infinite
	case err == nil:
		return v, number
	case errors.Is(err, strconv.ErrRange):
		return 0, overflow
	case isMissing(cell):
		return 0, absent
	}
	if len(cell) > 64 {
		return 0, text
	}
	tidy := strings.ReplaceAll(cell, "\u2212", "-")
	for _, mark := range []string{"'", "\u2019", "\u00a0", "\u202f", " "} {
		if strings.Contains(tidy, mark) {
			whole, rest, _ := strings.Cut(tidy, ".")
			if !grouped(whole, mark) {
				return 0, text
			}
			tidy = strings.ReplaceAll(whole, mark, "")
			if rest != "" {
				tidy += "." + rest
			}
			break
		}
	}
	if tidy == cell {
		return 0, text
	}
	if v, err = strconv.ParseFloat(tidy, 64); err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, text
	}
	return v, number
}

// plainly rewrites a cell with a decimal point and nothing between thousands; ok reports whether the marks are where
// they may be.
func (m *marks) plainly(cell string) (s string, ok bool) {
	mantissa, exponent := cell, ""
	if i := strings.IndexAny(cell, "eE"); i >= 0 {
		mantissa, exponent = cell[:i], cell[i:]
	}
	if strings.ContainsAny(exponent, ",.") {
		return "", false
	}
	whole, part := mantissa, ""
	if i := strings.IndexByte(mantissa, m.decimal); i >= 0 {
		whole, part = mantissa[:i], mantissa[i:]
	}
	if strings.ContainsAny(part[min(1, len(part)):], ",.") {
		return "", false
	}
	if m.grouping != 0 && strings.IndexByte(whole, m.grouping) >= 0 {
		if !grouped(whole, string(m.grouping)) {
			return "", false
		}
		whole = strings.ReplaceAll(whole, string(m.grouping), "")
	}
	if strings.ContainsAny(whole, ",.") {
		return "", false
	}
	if part != "" {
		part = "." + part[1:]
	}
	return whole + part + exponent, true
}

// grouped reports whether s is a whole number with the mark between its thousands: one to three digits, the first not
// zero, then groups of three.
func grouped(s, mark string) bool {
	s = strings.TrimLeft(s, "+-")
	groups := strings.Split(s, mark)
	if len(groups) < 2 || len(groups[0]) > 3 || groups[0] == "" || groups[0][0] == '0' {
		return false
	}
	for i, g := range groups {
		if i > 0 && len(g) != 3 || g != "" && !digits(g) {
			return false
		}
	}
	return true
}

// evidence is what cells reveal about the marks of numbers.
type evidence struct {
	decimal [2]bool // by comma, by point
	groups  [2]bool // certainly between thousands: two of them, or beside a decimal mark
	maybe   [2]bool // 1,234: either
}

const comma, point = 0, 1

var markOf = [2]byte{',', '.'}

// see examines a cell and reports whether it may be a number with marks.
func (e *evidence) see(cell string) bool {
	mantissa := cell
	if i := strings.IndexAny(cell, "eE"); i >= 0 {
		mantissa = cell[:i]
	}
	mantissa = strings.TrimLeft(mantissa, "+-\u2212")
	if len(mantissa) > 64 || mantissa == "" || strings.Trim(mantissa, "0123456789.,'\u2019\u00a0\u202f ") != "" {
		return false
	}
	commas, points := strings.Count(mantissa, ","), strings.Count(mantissa, ".")
	switch {
	case commas == 0 && points == 0, commas > 1 && points > 1:
		return false
	case commas > 0 && points > 0:
		last := comma
		if strings.LastIndexByte(mantissa, '.') > strings.LastIndexByte(mantissa, ',') {
			last = point
		}
		whole, part, _ := strings.Cut(mantissa, string(markOf[last]))
		if !grouped(whole, string(markOf[1-last])) || strings.ContainsAny(part, ".,") {
			return false
		}
		e.decimal[last], e.groups[1-last] = true, true
		return true
	}
	which, many := comma, commas > 1
	if points > 0 {
		which, many = point, points > 1
	}
	switch g := grouped(mantissa, string(markOf[which])); {
	case g && many:
		e.groups[which] = true
	case g:
		e.maybe[which] = true
	case many, which == comma && (mantissa[0] == ',' || mantissa[len(mantissa)-1] == ','):
		return false
	default:
		e.decimal[which] = true
	}
	return true
}

// settle decides the marks, or reports that the evidence is inconclusive. A file separated by semicolons uses them
// because of decimal commas; in one separated by commas, a number with a comma is quoted because of its thousands.
func (e *evidence) settle(m *marks) bool {
	switch {
	case e.decimal[comma] && e.decimal[point], e.groups[comma] && e.groups[point],
		e.decimal[comma] && e.groups[comma], e.decimal[point] && e.groups[point]:
		return false // they contradict each other
	case e.decimal[comma], e.groups[point]:
		m.decimal, m.grouping = ',', 0
		if e.groups[point] {
			m.grouping = '.'
		}
	case e.decimal[point], e.groups[comma]:
		m.decimal, m.grouping = '.', 0
		if e.groups[comma] || e.maybe[comma] {
			m.grouping = ','
		}
	case e.maybe[comma] && e.maybe[point]:
		return false
	case e.maybe[point]:
		m.decimal = '.'
	case e.maybe[comma] && m.sep == ',':
		m.decimal, m.grouping = '.', ','
	case e.maybe[comma] && m.sep == ';':
		m.decimal = ','
	case e.maybe[comma]:
		return false
	}
	return true
}
