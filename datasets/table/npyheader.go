package table

import (
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/stheno-ebm/stheno/datasets/files"
)

const (
	npyMagic  = "\x93NUMPY"
	maxHeader = 1 << 20 // bytes of the header of an array
)

// array is the header of a .npy file.
type array struct {
	descr   string   // the type, as in "<f8"
	fields  []string // names of the fields of a structured type
	nested  bool     // the type is a list: structured
	fortran bool
	shape   []int64
	start   int64 // byte at which the values begin
}

// readHeader reads the header of an array from a stream that begins with it. size is the number of bytes of the stream,
// or negative.
//
//	6 bytes       \x93NUMPY
//	2 bytes       the version: 1.0, 2.0, 3.0
//	2 or 4 bytes  the length of the header, little endian; 4 from version 2 on
//	the header    a Python dictionary of descr, fortran_order and shape, in any order; latin1, UTF-8 in version 3
//
// Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html.
func readHeader(r io.Reader, size int64) (array, error) {
	var head [12]byte
	n, err := io.ReadFull(r, head[:8])
	if n == 0 && (err == io.EOF || size == 0) {
		return array{}, errEmpty
	}
	if n < 8 || string(head[:6]) != npyMagic {
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return array{}, err
		}
		rest, _ := io.ReadAll(io.LimitReader(r, files.SniffLen))
		if says := files.Sniff(append(head[:n], rest...)); says != "" {
			return array{}, errorf("is %s", says)
		}
		return array{}, errorf("is not a .npy file: it does not begin with \\x93NUMPY")
	}
	wide := 4
	switch head[6] {
	case 1:
		wide = 2
	case 2, 3:
	default:
		return array{}, errorf(".npy version %d is not known, want 1, 2 or 3", head[6])
	}
	if _, err := io.ReadFull(r, head[8:8+wide]); err != nil {
		return array{}, short(err)
	}
	length := int64(binary.LittleEndian.Uint16(head[8:]))
	if wide == 4 {
		length = int64(binary.LittleEndian.Uint32(head[8:]))
	}
	start := int64(8 + wide)
	if size >= 0 && start+length > size || length > maxHeader {
		return array{}, errorf("bad header: %d bytes long, at most %d in a file of %d", length, maxHeader, max(size, 0))
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(r, text); err != nil {
		return array{}, short(err)
	}
	a, err := parseHeader(string(text))
	a.start = start + length
	return a, err
}

// short converts an unexpected end of file to an error of the format.
func short(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return errorf("file is cut short")
	}
	return err
}

// parseHeader reads the dictionary.
func parseHeader(text string) (a array, err error) {
	p := &literal{text: text}
	v, err := p.value(0)
	if err == nil {
		err = p.end()
	}
	if err != nil {
		return a, errorf("bad header: %v", err)
	}
	d, ok := v.(map[string]any)
	if !ok || len(d) != 3 {
		return a, errorf("bad header: it is not a dictionary of descr, fortran_order and shape")
	}
	order, ok := d["fortran_order"].(bool)
	if !ok {
		return a, errorf("bad header: fortran_order is neither True nor False")
	}
	a.fortran = order
	shape, ok := d["shape"].(tuple)
	if !ok {
		return a, errorf("bad header: shape is not a tuple of whole numbers")
	}
	for _, s := range shape {
		n, ok := s.(int64)
		if !ok || n < 0 {
			return a, errorf("bad header: shape is not a tuple of whole numbers")
		}
		a.shape = append(a.shape, n)
	}
	switch descr := d["descr"].(type) {
	case string:
		a.descr = descr
	case list:
		a.nested = true
		for _, f := range descr {
			if f, ok := f.(tuple); ok && len(f) > 0 {
				if name, ok := f[0].(string); ok {
					a.fields = append(a.fields, files.Quote(name))
				}
			}
		}
	default:
		return a, errorf("bad header: descr is not a type")
	}
	return a, nil
}

type (
	tuple []any
	list  []any
)

// literal parses Python literals: dictionaries with string keys, tuples, lists, strings, integers, True, False, None.
type literal struct {
	text string
	at   int
}

func (p *literal) blanks() {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n\f", p.text[p.at]) >= 0 {
		p.at++
	}
}

// peek returns the next non-space byte, 0 at the end.
func (p *literal) peek() byte {
	if p.blanks(); p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

// end fails unless only spaces and zeros follow.
func (p *literal) end() error {
	if rest := strings.Trim(p.text[p.at:], " \t\r\n\f\x00"); rest != "" {
		return fmt.Errorf("%s follows the dictionary", files.Quote(rest))
	}
	return nil
}

func (p *literal) value(depth int) (any, error) {
	if depth > 16 {
		return nil, fmt.Errorf("it is nested too deeply")
	}
	switch c := p.peek(); {
	case c == '{':
		return p.dictionary(depth)
	case c == '(':
		items, comma, err := p.items(')', depth)
		if len(items) == 1 && !comma { // a parenthesised value
			return items[0], err
		}
		return tuple(items), err
	case c == '[':
		items, _, err := p.items(']', depth)
		return list(items), err
	case c == '\'' || c == '"':
		return p.quoted(c)
	case c == '-' || '0' <= c && c <= '9':
		from := p.at
		p.at++
		for p.at < len(p.text) && '0' <= p.text[p.at] && p.text[p.at] <= '9' {
			p.at++
		}
		n, err := strconv.ParseInt(p.text[from:p.at], 10, 64)
		if p.at < len(p.text) && p.text[p.at] == 'L' { // a long of Python 2
			p.at++
		}
		if err != nil {
			return nil, fmt.Errorf("%s is no whole number", files.Quote(p.text[from:p.at]))
		}
		return n, nil
	}
	for word, v := range map[string]any{"True": true, "False": false, "None": nil} {
		if strings.HasPrefix(p.text[p.at:], word) {
			p.at += len(word)
			return v, nil
		}
	}
	if p.at == len(p.text) {
		return nil, fmt.Errorf("it ends too early")
	}
	return nil, fmt.Errorf("%s is not the value of a dictionary of descr, fortran_order and shape",
		files.Quote(p.text[p.at:]))
}

// items parses the items between brackets; comma reports whether one follows the last.
func (p *literal) items(end byte, depth int) (items []any, comma bool, err error) {
	p.at++
	for comma = true; ; {
		if p.peek() == end {
			p.at++
			return items, comma && len(items) > 0, nil
		}
		if !comma {
			return nil, false, fmt.Errorf("a comma is missing before %s", files.Quote(p.text[p.at:]))
		}
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, false, err
		}
		items = append(items, v)
		if comma = p.peek() == ','; comma {
			p.at++
		}
	}
}

func (p *literal) dictionary(depth int) (any, error) {
	d := map[string]any{}
	p.at++
	for {
		c := p.peek()
		if c == '}' {
			p.at++
			return d, nil
		}
		if c != '\'' && c != '"' {
			return nil, fmt.Errorf("%s is not a key", files.Quote(p.text[p.at:]))
		}
		key, err := p.quoted(c)
		if err != nil {
			return nil, err
		}
		if _, twice := d[key]; twice {
			return nil, fmt.Errorf("key %s occurs twice", files.Quote(key))
		}
		if p.peek() != ':' {
			return nil, fmt.Errorf("no value for the key %s", files.Quote(key))
		}
		p.at++
		if d[key], err = p.value(depth + 1); err != nil {
			return nil, err
		}
		switch p.peek() {
		case ',':
			p.at++
		case '}':
		default:
			return nil, fmt.Errorf("the dictionary does not end")
		}
	}
}

// quoted parses a string with the given quotation mark.
func (p *literal) quoted(mark byte) (string, error) {
	var b strings.Builder
	for p.at++; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; c {
		case mark:
			p.at++
			if s := b.String(); utf8.ValidString(s) {
				return s, nil
			}
			return latin1(b.String()), nil
		case '\\':
			if p.at++; p.at < len(p.text) {
				b.WriteByte(p.text[p.at])
			}
		default:
			b.WriteByte(c)
		}
	}
	return "", fmt.Errorf("a quotation mark is not closed")
}

// latin1 decodes the text of versions 1 and 2.
func latin1(s string) string {
	r := make([]rune, len(s))
	for i := range len(s) {
		r[i] = rune(s[i])
	}
	return string(r)
}
