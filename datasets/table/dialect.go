package table

import (
	"bufio"
	"bytes"
	"io"
	"strings"
)

// dialect is how a text file separates and writes its numbers.
type dialect struct {
	marks
	width    int     // columns of most rows, without trailing ones that are always empty
	rowBytes float64 // mean bytes per row
	numbers  float64 // share of cells that are numbers or missing, reduced for a single column
	decimals bool    // whether there are numbers with decimals
}

// separators are tried in this order; in case of a tie the first wins.
var separators = []rune{',', ';', '\t', '|', ' '}

// detect finds the dialect from the head of a file. Only sep is tried unless it is 0.
func detect(head []byte, whole bool, sep rune) dialect {
	if !whole { // the last line is incomplete
		if i := bytes.LastIndexByte(head, '\n'); i >= 0 {
			head = head[:i+1]
		}
	}
	try := separators
	if sep != 0 {
		try = []rune{sep}
	}
	var best dialect
	for i, s := range try {
		d := look(head, s)
		better := d.numbers > best.numbers+1e-9 || d.numbers > best.numbers-1e-9 && d.width > best.width
		if i == 0 || better {
			best = d
		}
	}
	return best
}

// look reads the head with one separator.
func look(head []byte, sep rune) dialect {
	const most = 500 // rows
	d := dialect{marks: marks{sep: sep}}
	r := newRecords(bufio.NewReader(bytes.NewReader(head)), sep, 1, true)
	var rows [][]string
	var seen evidence
	above := true
	for len(rows) < most {
		fields, _, _, err := r.next()
		if err != nil {
			break
		}
		if strings.HasPrefix(fields[0], "#") && !isMissing(fields[0]) && above {
			continue
		}
		numbers := false
		for _, f := range fields {
			var e evidence
			marked := e.see(f)
			if marked {
				seen.see(f)
			}
			if !numbers {
				_, c := plain(f)
				numbers = marked || c == number || c == infinite || c == overflow
			}
		}
		if above && !numbers {
			continue
		}
		above = false
		rows = append(rows, append([]string(nil), fields...))
	}
	if !seen.settle(&d.marks) { // every cell with marks is rejected where it is
		d.marks = marks{sep: sep, open: true}
	}
	d.decimals = seen.decimal[comma] || seen.decimal[point]
	d.rowBytes = float64(len(head)) / float64(max(1, len(rows)))
	if len(rows) == most {
		d.rowBytes = bytesOf(rows)
	}
	d.judge(rows)
	return d
}

// bytesOf returns the mean length of rows, including separators.
func bytesOf(rows [][]string) float64 {
	total := 0
	for _, row := range rows {
		for _, f := range row {
			total += len(f) + 1
		}
	}
	return float64(total) / float64(len(rows))
}

// judge finds the number of columns and the share of cells that are numbers.
func (d *dialect) judge(rows [][]string) {
	widths := map[int]int{}
	for _, row := range rows {
		widths[len(row)]++
	}
	usual := 0
	for _, row := range rows { // the first in case of a tie
		if widths[len(row)] > widths[usual] {
			usual = len(row)
		}
	}
	for _, row := range rows {
		if len(row) == usual {
			d.width = max(d.width, filled(row))
		}
	}
	cells, good := 0, 0
	for _, row := range rows {
		fits := filled(row) <= d.width && len(row) >= d.width
		for _, f := range row {
			m := d.marks
			_, c := m.parse(f)
			cells++
			if fits && (c == number || c == absent || c == infinite || c == overflow || c == ambiguous) {
				good++
			}
		}
	}
	if cells > 0 {
		d.numbers = float64(good) / float64(cells)
	}
	if d.width < 2 { // with decimal commas whole lines are numbers, too
		d.numbers *= 0.3
	}
}

// filled returns the number of fields up to the last non-empty one.
func filled(row []string) int {
	for n := len(row); n > 0; n-- {
		if row[n-1] != "" {
			return n
		}
	}
	return 0
}

// start reads what precedes the rows and is not part of them: a byte order mark, comments, a line sep=; that names the
// separator. It returns the line at which the rest begins, and the separator or 0.
func start(in *bufio.Reader, r *Report) (line int, sep rune, err error) {
	if head, _ := in.Peek(3); string(head) == "\ufeff" {
		in.Discard(3)
	}
	for line = 1; ; line++ {
		head, err := in.Peek(16)
		if err != nil && err != io.EOF && len(head) == 0 {
			return line, sep, err
		}
		at := strings.ToLower(string(head))
		named := strings.HasPrefix(at, "sep=") || strings.HasPrefix(at, "\"sep=")
		switch {
		case len(head) == 0:
			return line, sep, nil
		case head[0] == '\n':
			r.Empty++
			r.skip(line)
		case head[0] == '#' && !isSheetError(at), named:
			text, err := in.ReadString('\n')
			if err != nil && err != io.EOF {
				return line, sep, err
			}
			if named && sep == 0 {
				text = strings.TrimPrefix(strings.Trim(strings.Trim(text, "\n"), "\""), "\"")
				if rest := []rune(text[4:]); len(rest) > 0 && !strings.ContainsRune("\"\r\n\ufffd", rest[0]) {
					sep = rest[0]
				}
				continue
			}
			r.skip(line)
			continue
		default:
			return line, sep, nil
		}
		in.Discard(1)
	}
}
