package table

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/files"
)

// Limits of the reader.
const (
	MaxRows    = 50_000_000
	MaxColumns = 1 << 14
	// DefaultMemory is the default of Options.MaxMemory, in bytes.
	DefaultMemory = 1 << 30

	maxRecord = 1 << 24 // bytes of a row of text, of which each may take some fifty of memory
	minRecord = 1 << 20
)

// Extensions returns the extensions of the files that Load reads.
func Extensions() []string { return []string{".csv", ".tsv", ".txt", ".npy", ".npz"} }

// Header says whether the first line of a text file is a header.
type Header string

// The ways to find a header. Auto, the default, takes a line without numbers above the first row, or one that numbers
// the columns.
const (
	HeaderAuto Header = "auto"
	HeaderYes  Header = "yes"
	HeaderNo   Header = "no"
)

// Missing says what to do with rows in which a value is missing.
type Missing string

// What to do with rows in which a value is missing: report an error (the default), drop them, or fill in the mean of
// the column.
const (
	MissingError Missing = "error"
	MissingDrop  Missing = "drop"
	MissingMean  Missing = "mean"
)

// Options says how a file is read. The zero value is the default.
type Options struct {
	Header    Header   // of text files; "" means HeaderAuto
	Missing   Missing  // "" means MissingError
	Columns   []string // names or numbers (from 1) of the columns to read, in this order; nil means all
	Array     string   // of an .npz file; "" means the one called x, X, points, samples, data or arr_0, or the only one
	Transpose bool     // rows of the file are coordinates and columns are points
	MaxMemory int64    // limit on memory for reading, in bytes; 0 means DefaultMemory
}

// Validate names every field that is wrong.
func (o Options) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("table: Options."+format, args...))
		}
	}
	check(slices.Contains([]Header{"", HeaderAuto, HeaderYes, HeaderNo}, o.Header),
		"Header is %s, want auto, yes or no", files.Quote(string(o.Header)))
	check(slices.Contains([]Missing{"", MissingError, MissingDrop, MissingMean}, o.Missing),
		"Missing is %s, want error, drop or mean", files.Quote(string(o.Missing)))
	check(!slices.Contains(o.Columns, ""), "Columns has an empty name")
	check(o.MaxMemory >= 0, "MaxMemory is %d, want >= 0", o.MaxMemory)
	return errors.Join(errs...)
}

func (o Options) memory() int64 { return cmp.Or(o.MaxMemory, DefaultMemory) }

// room fails if rows × cols values of eight bytes exceed the memory limit.
func (o Options) room(rows, cols int64) error {
	switch {
	case cols > MaxColumns:
		return &Error{Text: fmt.Sprintf("%d columns are too many, want at most %d", cols, MaxColumns),
			Option: "Columns"}
	case rows > MaxRows:
		return &Error{Text: fmt.Sprintf("%d rows are too many, want at most %d", rows, MaxRows)}
	case rows*cols > o.memory()/8:
		return o.tooLarge(fmt.Sprintf("%d rows × %d columns take", rows, cols), 8*rows*cols)
	}
	return nil
}

func (o Options) tooLarge(what string, bytes int64) error {
	return &Error{
		Text: fmt.Sprintf("%s %d MB of memory, and reading may take %d MB", what, (bytes+1<<20-1)>>20,
			o.memory()>>20),
		Option: "MaxMemory", Err: ErrMemory,
	}
}

// ErrMemory is wrapped by the error about a file that does not fit in Options.MaxMemory.
var ErrMemory = errors.New("table: not enough memory allowed")

var errEmpty = &Error{Text: "holds no points"}

// Table is the content of a file.
type Table struct {
	X      *mat.Dense // one point per row
	Names  []string   // of the columns; nil if the file has none
	Report Report
}

// Load reads the points of a .csv, .tsv, .txt, .npy or .npz file. Every value of the table is finite.
func Load(ctx context.Context, path string, o Options) (*Table, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	ext := strings.ToLower(filepath.Ext(path))
	f, size, err := files.Open(path)
	if err != nil {
		return nil, fmt.Errorf("datasets: %w", err)
	}
	defer f.Close()
	var t *Table
	switch ext {
	case ".csv", ".txt":
		t, err = readText(ctx, f, size, 0, o)
	case ".tsv":
		t, err = readText(ctx, f, size, '\t', o)
	case ".npy":
		t, err = readNPY(ctx, f, size, o)
	case ".npz":
		t, err = readNPZ(ctx, f, size, o)
	default:
		err = fmt.Errorf("unknown kind of file %s, want %s", files.Quote(ext), strings.Join(Extensions(), ", "))
	}
	return finish(t, err, path, o)
}

// Read reads points from a stream and recognises a .npy file, an .npz file or text by the first bytes. It stops when
// the context ends, even while the stream blocks.
func Read(ctx context.Context, r io.Reader, o Options) (*Table, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	in := bufio.NewReaderSize(files.Interruptible(ctx, r), 1<<16)
	head, _ := in.Peek(6)
	var t *Table
	var err error
	switch {
	case string(head) == npyMagic:
		t, err = readNPY(ctx, in, -1, o)
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		var b []byte
		if b, err = io.ReadAll(io.LimitReader(in, o.memory()/2+1)); err == nil && int64(len(b)) > o.memory()/2 {
			err = o.tooLarge("the archive takes more than", o.memory()/2)
		}
		if err == nil {
			t, err = readNPZ(ctx, bytes.NewReader(b), int64(len(b)), o)
		}
	default:
		t, err = readText(ctx, in, -1, 0, o)
	}
	return finish(t, err, "standard input", o)
}

// finish transposes the table if requested, notes if it looks transposed, and adds the path to errors.
func finish(t *Table, err error, path string, o Options) (*Table, error) {
	if err == nil && o.Transpose {
		err = t.transpose(o)
	}
	if err != nil {
		return nil, located(err, path)
	}
	n, d := t.X.Dims()
	t.Report.Rows, t.Report.Columns = n, d
	if !o.Transpose && turned(n, d) {
		t.Report.note(Transposed, "%s: transposed?", count(n, "point", "of "+count(d, "coordinate")))
	}
	return t, nil
}

// turned reports whether a table of n rows and d columns looks as if its rows were the coordinates: few points with
// many coordinates.
func turned(n, d int) bool { return n < 20 && d >= 4*n && d > 8 }

// transpose turns columns into points.
func (t *Table) transpose(o Options) error {
	n, d := t.X.Dims()
	if err := o.room(int64(d), int64(n)); err != nil {
		return err
	}
	if err := o.room(int64(2*n), int64(d)); err != nil { // both copies at once
		return err
	}
	t.X, t.Names = mat.DenseCopyOf(t.X.T()), nil
	return nil
}
