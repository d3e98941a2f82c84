package datasets

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"codeberg.org/sbinet/npyio/npy"
	"gonum.org/v1/gonum/mat"
)

// Load reads points, one per row, from a .csv, .npy or .npz file.
//
// A .csv file holds numbers separated by commas, semicolons, tabs or blanks, equally many in every line, decimals with a point. Empty lines and
// lines that begin with # are skipped, as is a first line in which nothing is a number: a header, see LoadNamed. A .npy file holds an
// array of shape (n, d), or (n,) for points on a line, of real numbers of any size and byte order. An .npz file holds one
// such array, or several, one of which is called x, X, points, samples, data or arr_0.
//
// Every value must be finite. An error names the file and the line and column, or the row and column, where it is.
func Load(path string) (*mat.Dense, error) {
	x, _, err := LoadNamed(path)
	return x, err
}

// LoadNamed reads points like Load, and the names of their columns where the header of a .csv file has one for each, else nil. A name
// that is missing is x1, x2, …, by its column.
func LoadNamed(path string) (x *mat.Dense, names []string, err error) {
	t, err := load(path)
	return t.x, t.names, err
}

// table is what a file holds.
type table struct {
	x     *mat.Dense
	names []string
	note  string // what it was perhaps meant to hold
}

// isFolder reports whether there is a folder of that name.
func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func load(path string) (t table, err error) {
	if isFolder(path) {
		return t, fmt.Errorf("datasets: %s is a folder, want a .csv, .npy or .npz file", path)
	}
	unnamed := func(read func(*os.File) (*mat.Dense, error)) func(*os.File) (table, error) {
		return func(f *os.File) (table, error) {
			x, err := read(f)
			return table{x: x}, err
		}
	}
	var read func(*os.File) (table, error)
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".csv":
		read = func(f *os.File) (table, error) { return readCSV(f) }
	case ".npy":
		read = unnamed(readNPY)
	case ".npz":
		read = unnamed(readNPZ)
	default:
		return t, fmt.Errorf("datasets: %s: unknown kind of file %q, want .csv, .npy or .npz", path, ext)
	}
	f, err := os.Open(path)
	if err != nil {
		return t, fmt.Errorf("datasets: %w", err)
	}
	defer f.Close()
	if t, err = read(f); err != nil {
		return table{}, fmt.Errorf("datasets: %s: %w", path, err)
	}
	return t, nil
}

var errEmpty = errors.New("holds no points")

// readCSV reads lines of numbers, and the names of a header.
func readCSV(r io.Reader) (table, error) {
	var (
		names  []string
		commas decimals
		data   []float64
		cols   int
		first  int // line of the first point
		header string
		lines  = bufio.NewScanner(r)
	)
	lines.Buffer(nil, 1<<26)
	for line := 1; lines.Scan(); line++ {
		text := lines.Text()
		if line == 1 {
			for _, o := range otherKinds {
				if strings.HasPrefix(text, o.begin) {
					return table{}, errors.New(o.says)
				}
			}
			text = strings.TrimPrefix(text, "\ufeff")
		}
		text = strings.TrimSpace(text)
		if text == "" || text[0] == '#' {
			continue
		}
		fields := split(text)
		if cols == 0 && header == "" && isHeader(fields) {
			header = text
			continue
		}
		if cols == 0 {
			cols, first = len(fields), line
			names = parseHeader(header, separator(text), cols)
			commas.off = cols != 2 || separator(text) != ',' || names != nil || separator(header) != ' '
		}
		if len(fields) != cols {
			return table{}, fmt.Errorf("line %d has %d values, line %d has %d", line, len(fields), first, cols)
		}
		commas.row(text, fields)
		for j, field := range fields {
			v, err := strconv.ParseFloat(field, 64)
			switch {
			case errors.Is(err, strconv.ErrRange):
				return table{}, fmt.Errorf("line %d, column %d: %s is too large", line, j+1, field)
			case field == "":
				return table{}, fmt.Errorf("line %d, column %d: the value is missing; remove the line or fill the value in", line, j+1)
			case slices.Contains(missing, strings.ToLower(field)):
				return table{}, fmt.Errorf("line %d, column %d: the value is missing: %q; remove the line or fill the value in", line, j+1, field)
			case err != nil && line == first && header == "":
				return table{}, fmt.Errorf("line %d, column %d: %q is not a number, nor is the line a header, in which nothing is one; leave out columns of text, and write decimals with a point", line, j+1, field)
			case err != nil:
				return table{}, fmt.Errorf("line %d, column %d: %q is not a number; leave out columns of text, and write decimals with a point", line, j+1, field)
			case math.IsNaN(v) || math.IsInf(v, 0):
				return table{}, fmt.Errorf("line %d, column %d: %s is not finite; remove the line or fill the value in", line, j+1, field)
			}
			data = append(data, v)
		}
	}
	if err := lines.Err(); err != nil {
		return table{}, err
	}
	if len(data) == 0 {
		return table{}, errEmpty
	}
	return table{mat.NewDense(len(data)/cols, cols, data), names, commas.note(header)}, nil
}

// otherKinds are files that are often called .csv, by their first bytes.
var otherKinds = []struct{ begin, says string }{
	{"\xff\xfe", "the text is UTF-16, want UTF-8"},
	{"\xfe\xff", "the text is UTF-16, want UTF-8"},
	{"\x1f\x8b", "is compressed by gzip; unpack it"},
	{"PK\x03\x04", "is a zip archive or a workbook, want text; unpack it, or export it as CSV"},
}

// missing are words for a value that is not there.
var missing = []string{"na", "n/a", "null", "none", "?", "-", "."}

// separator is what divides the fields of a line: comma, semicolon, tab, or blanks if it has none of these.
func separator(line string) rune {
	for _, sep := range ",;\t" {
		if strings.ContainsRune(line, sep) {
			return sep
		}
	}
	return ' '
}

// split cuts a line at its separator.
func split(line string) []string {
	sep := separator(line)
	if sep == ' ' {
		return strings.Fields(line)
	}
	fields := strings.Split(line, string(sep))
	for i, f := range fields {
		fields[i] = strings.Trim(f, " \t\"")
	}
	return fields
}

// parseHeader reads the names of n columns that a header has for points divided by sep; nil where it is none for them: a title, say.
func parseHeader(line string, sep rune, n int) []string {
	if line == "" || separator(line) != sep {
		return nil
	}
	names := strings.Fields(line)
	switch {
	case n == 1 && sep == ' ':
		names = []string{strings.Trim(line, "\"")}
	case sep != ' ':
		r := csv.NewReader(strings.NewReader(line))
		r.Comma, r.LazyQuotes, r.TrimLeadingSpace = sep, true, sep != '\t'
		names, _ = r.Read()
	}
	if len(names) != n {
		return nil
	}
	for j, name := range names {
		names[j] = strings.TrimSpace(strings.Map(func(r rune) rune {
			if !unicode.IsPrint(r) {
				return ' '
			}
			return r
		}, strings.ToValidUTF8(name, "�")))
		if names[j] == "" {
			names[j] = fmt.Sprintf("x%d", j+1)
		}
	}
	return names
}

// isHeader reports whether none of the fields is a number.
func isHeader(fields []string) bool {
	for _, f := range fields {
		if _, err := strconv.ParseFloat(f, 64); err == nil || errors.Is(err, strconv.ErrRange) {
			return false
		}
	}
	return true
}

// readNPY reads an array of one or two dimensions.
func readNPY(f *os.File) (*mat.Dense, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return readArray(f, info.Size())
}

// readArray reads the .npy format from size bytes.
func readArray(f io.ReadSeeker, size int64) (*mat.Dense, error) {
	if err := checkNPY(f, size); err != nil {
		return nil, err
	}
	r, err := openNPY(f)
	if err != nil {
		return nil, err
	}
	descr := r.Header.Descr
	rows, cols := 0, 1
	switch len(descr.Shape) {
	case 2:
		rows, cols = descr.Shape[0], descr.Shape[1]
	case 1:
		rows = descr.Shape[0]
	default:
		return nil, fmt.Errorf("array has %d dimensions, want (points, coordinates)", len(descr.Shape))
	}
	kind := strings.Trim(descr.Type, "'\"")
	var width int64
	switch strings.TrimLeft(kind, "<>|=") {
	case "f8", "i8", "u8":
		width = 8
	case "f4", "i4", "u4":
		width = 4
	case "i2", "u2":
		width = 2
	case "i1", "u1":
		width = 1
	default:
		return nil, fmt.Errorf("array of type %s, want real numbers: f4, f8, i1 … i8, u1 … u8", kind)
	}
	if rows < 0 || cols < 0 {
		return nil, fmt.Errorf("bad header: shape %v", descr.Shape)
	}
	if rows == 0 || cols == 0 {
		return nil, errEmpty
	}
	at, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, err
	}
	if have := (size - at) / width; int64(cols) > have || int64(rows) > have/int64(cols) {
		return nil, fmt.Errorf("file is cut short: the header says %d×%d values of %s, there are %d", rows, cols, kind, have)
	}
	data, err := readValues(r, kind)
	if err != nil {
		return nil, err
	}
	if len(data) != rows*cols {
		return nil, fmt.Errorf("file holds %d values, want %d×%d", len(data), rows, cols)
	}
	x := mat.NewDense(rows, cols, data)
	if descr.Fortran {
		x = mat.DenseCopyOf(mat.NewDense(cols, rows, data).T())
	}
	for i := range rows {
		for j, v := range x.RawRowView(i) {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, fmt.Errorf("row %d, column %d: %g is not finite; remove the row or fill the value in", i+1, j+1, v)
			}
		}
	}
	return x, nil
}

// checkNPY refuses what the library would stumble over: other files, other versions, headers longer than the file.
func checkNPY(f io.ReadSeeker, size int64) error {
	if size == 0 {
		return errEmpty
	}
	var head [12]byte
	n, _ := io.ReadFull(f, head[:])
	if n < 10 || string(head[:6]) != "\x93NUMPY" {
		return errors.New("is not a .npy file: it does not begin with \\x93NUMPY")
	}
	var start, length int64
	switch head[6] {
	case 1:
		start, length = 10, int64(head[8])|int64(head[9])<<8
	case 2:
		start, length = 12, int64(head[8])|int64(head[9])<<8|int64(head[10])<<16|int64(head[11])<<24
	default:
		return fmt.Errorf(".npy version %d is not known, want 1 or 2", head[6])
	}
	if start+length > size || length > 1<<20 {
		return fmt.Errorf("bad header: %d bytes long in a file of %d", length, size)
	}
	_, err := f.Seek(0, io.SeekStart)
	return err
}

// openNPY reads the header. The library panics on some malformed ones.
func openNPY(f io.Reader) (r *npy.Reader, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("bad header: it is not a dictionary of descr, fortran_order and shape")
		}
	}()
	r, err = npy.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("bad header: %w", err)
	}
	return r, nil
}

// readValues reads all values, in the order of the file, as float64.
func readValues(r *npy.Reader, kind string) (data []float64, err error) {
	switch strings.TrimLeft(kind, "<>|=") {
	case "f8":
		err = r.Read(&data)
	case "f4":
		data, err = convert[float32](r)
	case "i8":
		data, err = convert[int64](r)
	case "i4":
		data, err = convert[int32](r)
	case "i2":
		data, err = convert[int16](r)
	case "i1":
		data, err = convert[int8](r)
	case "u8":
		data, err = convert[uint64](r)
	case "u4":
		data, err = convert[uint32](r)
	case "u2":
		data, err = convert[uint16](r)
	case "u1":
		data, err = convert[uint8](r)
	}
	return data, err
}

func convert[T float32 | int64 | int32 | int16 | int8 | uint64 | uint32 | uint16 | uint8](r *npy.Reader) ([]float64, error) {
	var v []T
	if err := r.Read(&v); err != nil {
		return nil, err
	}
	data := make([]float64, len(v))
	for i, u := range v {
		data[i] = float64(u)
	}
	return data, nil
}

// Save writes x to a .csv, .npy or .npz file (float64). The file appears whole or not at all: it is written beside its place
// and moved there.
func Save(path string, x *mat.Dense) (err error) {
	var write func(w *bufio.Writer) error
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".csv":
		write = func(w *bufio.Writer) error { return writeCSV(w, x) }
	case ".npy":
		write = func(w *bufio.Writer) error { return npy.Write(w, mat.DenseCopyOf(x)) }
	case ".npz":
		write = func(w *bufio.Writer) error { return EncodeNPZ(w, mat.DenseCopyOf(x)) }
	default:
		return fmt.Errorf("datasets: %s: unknown kind of file %q, want .csv, .npy or .npz", path, ext)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("datasets: %w", err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
			err = fmt.Errorf("datasets: %s: %w", path, err)
		}
	}()
	w := bufio.NewWriter(f)
	if err = write(w); err != nil {
		return err
	}
	if err = w.Flush(); err != nil {
		return err
	}
	if err = f.Chmod(0o644); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func writeCSV(w *bufio.Writer, x *mat.Dense) error {
	n, _ := x.Dims()
	var buf []byte
	for i := range n {
		buf = buf[:0]
		for j, v := range x.RawRowView(i) {
			if j > 0 {
				buf = append(buf, ',')
			}
			buf = strconv.AppendFloat(buf, v, 'g', -1, 64)
		}
		if _, err := w.Write(append(buf, '\n')); err != nil {
			return err
		}
	}
	return nil
}
