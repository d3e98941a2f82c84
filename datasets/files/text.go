package files

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxQuoted = 40   // runes of a quotation
	maxPath   = 400  // runes of a path
	maxLine   = 2000 // runes of a line for a terminal
)

// Quote returns text from a file between quotation marks, for use in an error or a note: control characters, marks that
// change the direction of writing and invalid UTF-8 are escaped, and only the first 40 characters are shown.
func Quote(s string) string {
	head, cut := cutRunes(s, maxQuoted)
	if cut {
		return strconv.Quote(head) + "…"
	}
	return strconv.Quote(head)
}

// Printable returns s on one line of at most most characters, with unprintable characters escaped as by Quote.
func Printable(s string, most int) string {
	head, cut := cutRunes(s, most)
	if strings.ContainsFunc(head, unprintable) || !utf8.ValidString(head) {
		var b strings.Builder
		for i := 0; i < len(head); {
			r, n := utf8.DecodeRuneInString(head[i:])
			if r == utf8.RuneError && n == 1 || unprintable(r) {
				quoted := strconv.Quote(head[i : i+n])
				b.WriteString(quoted[1 : len(quoted)-1])
			} else {
				b.WriteString(head[i : i+n])
			}
			i += n
		}
		head = b.String()
	}
	if cut {
		head += "…"
	}
	return head
}

// Line is Printable for a whole line on a terminal or a page.
func Line(s string) string { return Printable(s, maxLine) }

// Name returns a name from a file, such as that of a column: unprintable characters become spaces, surrounding space is
// removed, and it has at most 64 characters.
func Name(s string) string {
	s, cut := cutRunes(s, 4*64)
	s = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if unprintable(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))), " ")
	short, again := cutRunes(s, 64)
	if cut || again {
		short += "…"
	}
	return short
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// cutRunes returns the first most characters of s, and whether there are more.
func cutRunes(s string, most int) (string, bool) {
	for i := range s {
		if most == 0 {
			return s[:i], true
		}
		most--
	}
	return s, false
}

// OneOf joins alternatives: a, b or c.
func OneOf(list []string) string {
	last := len(list) - 1
	if last == 0 {
		return list[0]
	}
	return strings.Join(list[:last], ", ") + " or " + list[last]
}
