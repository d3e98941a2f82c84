package table

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/files"
)

// decoder decodes one type of numbers in a file.
type decoder struct {
	size  int
	value func(b []byte, order binary.ByteOrder) float64
}

// decoders holds the supported types, by numpy's names without the byte order.
var decoders = map[string]decoder{
	"f8": {8, func(b []byte, o binary.ByteOrder) float64 { return math.Float64frombits(o.Uint64(b)) }},
	"f4": {4, func(b []byte, o binary.ByteOrder) float64 { return float64(math.Float32frombits(o.Uint32(b))) }},
	"f2": {2, func(b []byte, o binary.ByteOrder) float64 { return files.Half(o.Uint16(b)) }},
	"i8": {8, func(b []byte, o binary.ByteOrder) float64 { return float64(int64(o.Uint64(b))) }},
	"i4": {4, func(b []byte, o binary.ByteOrder) float64 { return float64(int32(o.Uint32(b))) }},
	"i2": {2, func(b []byte, o binary.ByteOrder) float64 { return float64(int16(o.Uint16(b))) }},
	"i1": {1, func(b []byte, _ binary.ByteOrder) float64 { return float64(int8(b[0])) }},
	"u8": {8, func(b []byte, o binary.ByteOrder) float64 { return float64(o.Uint64(b)) }},
	"u4": {4, func(b []byte, o binary.ByteOrder) float64 { return float64(o.Uint32(b)) }},
	"u2": {2, func(b []byte, o binary.ByteOrder) float64 { return float64(o.Uint16(b)) }},
	"u1": {1, func(b []byte, _ binary.ByteOrder) float64 { return float64(b[0]) }},
	"b1": {1, func(b []byte, _ binary.ByteOrder) float64 {
		if b[0] != 0 {
			return 1
		}
		return 0
	}},
}

// decoder finds the type of the values, or reports an unsupported one.
func (a array) decoder() (decoder, binary.ByteOrder, error) {
	if a.nested {
		fields := "fields"
		if len(a.fields) > 0 {
			fields = "the fields " + enumerate(a.fields)
		}
		return decoder{}, nil, errorf(
			"is a structured array with %s; store them as the columns of a plain one: "+
				"numpy.lib.recfunctions.structured_to_unstructured", fields)
	}
	kind := strings.TrimLeft(a.descr, "<>|=")
	if d, ok := decoders[kind]; ok {
		if strings.HasPrefix(a.descr, ">") {
			return d, binary.BigEndian, nil
		}
		return d, binary.LittleEndian, nil
	}
	is := "array of type " + files.Quote(a.descr)
	if kind != "" {
		switch kind[0] {
		case 'c':
			is = "complex numbers, " + files.Quote(a.descr)
		case 'O':
			is = "Python objects"
		case 'U', 'S', 'a':
			is = "text, " + files.Quote(a.descr)
		case 'M', 'm':
			is = "times, " + files.Quote(a.descr)
		}
	}
	return decoder{}, nil, errorf("holds %s, want real numbers: f2, f4, f8, i1 … i8, u1 … u8, b1", is)
}

// plane returns the numbers of rows and columns of an array: (n,) is one-dimensional points, and axes of length 1 after
// the first are dropped until two are left.
func (a array) plane() (rows, cols int64, err error) {
	shape := append([]int64(nil), a.shape...)
	for k := len(shape) - 2; k >= 1 && len(shape) > 2; k-- {
		if shape[k] == 1 {
			shape = append(shape[:k], shape[k+1:]...)
		}
	}
	if n := len(shape); n > 2 && shape[n-1] == 1 {
		shape = shape[:n-1]
	}
	switch len(shape) {
	case 0:
		return 0, 0, errorf("holds a single number, an array of 0 dimensions; want (points, coordinates)")
	case 1:
		return shape[0], 1, nil
	case 2:
		return shape[0], shape[1], nil
	}
	return 0, 0, errorf("array has %d dimensions, %s; want (points, coordinates): x.reshape(len(x), -1)", len(shape),
		a.dims())
}

// dims returns the shape as numpy writes it.
func (a array) dims() string {
	var parts []string
	for _, s := range a.shape {
		parts = append(parts, fmt.Sprint(s))
	}
	if len(parts) == 1 {
		return "(" + parts[0] + ",)"
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// readNPY reads an array from a stream of size bytes, or of an unknown number if size is negative.
func readNPY(ctx context.Context, r io.Reader, size int64, o Options) (*Table, error) {
	r = files.Context(ctx, r)
	a, err := readHeader(r, size)
	if err != nil {
		return nil, err
	}
	left := int64(-1)
	if size >= 0 {
		left = size - a.start
	}
	t, err := a.read(r, left, o)
	if err != nil {
		return nil, err
	}
	return t, t.arrayColumns(nil, o)
}

// read reads the values, from at most the given number of bytes unless that is negative.
func (a array) read(r io.Reader, bytes int64, o Options) (*Table, error) {
	d, order, err := a.decoder()
	if err != nil {
		return nil, err
	}
	rows, cols, err := a.plane()
	if err != nil {
		return nil, err
	}
	if rows == 0 || cols == 0 {
		return nil, errEmpty
	}
	if have := bytes / int64(d.size); bytes >= 0 && (cols > have || rows > have/cols) {
		return nil, errorf("file is cut short: the header says %d×%d values of %s, there are %d", rows, cols,
			files.Quote(a.descr), have)
	}
	// then there may be as many as rows
	if o.Transpose || turned(int(min(rows, math.MaxInt32)), int(min(cols, math.MaxInt32))) {
		if rows > MaxColumns || cols > MaxRows || rows*cols > o.memory()/8 {
			return nil, o.room(cols, rows)
		}
	} else if err := o.room(rows, cols); err != nil {
		return nil, err
	}
	data, err := a.values(r, d, order, int(rows), int(cols))
	if err != nil {
		return nil, err
	}
	t := &Table{X: mat.NewDense(int(rows), int(cols), data)}
	if len(a.shape) > 2 {
		t.Report.note(Reshaped, "the array of shape %s is read as %d×%d", a.dims(), rows, cols)
	}
	return t, nil
}

// values reads all values into the rows of a matrix. If they are in row-major order, memory grows with the data
// actually present.
func (a array) values(r io.Reader, d decoder, order binary.ByteOrder, rows, cols int) ([]float64, error) {
	const chunk = 1 << 16
	n := rows * cols
	byColumn := a.fortran && rows > 1 && cols > 1
	data := make([]float64, 0, min(n, 1<<20))
	if byColumn {
		data = make([]float64, n)
	}
	buf := make([]byte, chunk)
	for k := 0; k < n; {
		some := buf[:min(chunk, (n-k)*d.size)]
		if got, err := io.ReadFull(r, some); err != nil {
			if err == io.EOF || err == io.ErrUnexpectedEOF {
				return nil, errorf("file is cut short: the header says %d×%d values of %s, there are %d", rows, cols,
					files.Quote(a.descr), k+got/d.size)
			}
			return nil, err
		}
		if !byColumn && len(data)+len(some)/d.size > cap(data) { // all at once, after the first million values
			data = append(make([]float64, 0, n), data...)
		}
		for ; len(some) > 0; some = some[d.size:] {
			if v := d.value(some, order); byColumn {
				data[k%rows*cols+k/rows] = v
			} else {
				data = append(data, v)
			}
			k++
		}
	}
	return data, nil
}

// arrayColumns selects the columns of an array, checks its values, and handles missing ones (NaN).
func (t *Table) arrayColumns(names []string, o Options) error {
	n, d := t.X.Dims()
	known := names
	if known == nil {
		known = make([]string, d)
	}
	chosen, err := choose(o.Columns, known)
	if err != nil {
		return err
	}
	data := t.X.RawMatrix().Data
	if o.Columns != nil {
		some := make([]float64, 0, n*len(chosen))
		for i := range n {
			for _, j := range chosen {
				some = append(some, data[i*d+j])
			}
		}
		data, d = some, len(chosen)
		if names != nil {
			kept := make([]string, d)
			for k, j := range chosen {
				kept[k] = names[j]
			}
			names = kept
		}
	}
	missing := -1
	for k, v := range data {
		if math.IsInf(v, 0) {
			return &Error{Row: k/d + 1, Column: chosen[k%d] + 1,
				Text: fmt.Sprintf("%g is not finite; remove the row or fill the value in", v)}
		}
		if missing < 0 && math.IsNaN(v) {
			missing = k
		}
	}
	switch {
	case missing < 0:
	case o.Missing == MissingDrop:
		t.Report.Dropped, err = dropRows(&data, d)
		t.Report.skipMany(t.Report.Dropped, missing/d+1)
	case o.Missing == MissingMean:
		var list []filling
		list, err = fillMeans(data, d)
		t.Report.filled(list, func(j int) string {
			c := column{index: chosen[j]}
			if names != nil {
				c.name = names[j]
			}
			return c.title()
		})
	default:
		err = &Error{Row: missing/d + 1, Column: chosen[missing%d] + 1, Option: "Missing",
			Text: "NaN is not finite: the value is missing; remove the row or fill the value in"}
	}
	if err != nil {
		return err
	}
	t.X, t.Names = mat.NewDense(len(data)/d, d, data), names
	return nil
}
