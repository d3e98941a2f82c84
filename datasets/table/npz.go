package table

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/files"
)

const (
	maxArrays  = 1000 // of an .npz file
	maxDeflate = 1032 // maximum bytes per byte of a deflated stream
	endOfZip   = "PK\x05\x06"
	maxNPZ     = 1<<32 - 1 // bytes; larger archives have a different directory format
)

// arrayNames are the names taken for the points if there are several arrays, in order of preference.
var arrayNames = []string{"x", "X", "points", "samples", "data", "arr_0"}

// sparseNames are the arrays that scipy.sparse stores besides format and shape.
var sparseNames = []string{"indices", "indptr", "row", "col", "offsets", "data"}

// entry is an array of an .npz file.
type entry struct {
	name string
	file *zip.File
	head array
}

// readNPZ reads an array of a zip archive of .npy files, or several that are columns.
func readNPZ(ctx context.Context, r io.ReaderAt, size int64, o Options) (*Table, error) {
	z, err := openZip(r, size)
	if err != nil {
		return nil, err
	}
	var entries []entry
	for _, f := range z.File {
		name, ok := strings.CutSuffix(f.Name, ".npy")
		if ok && !slices.ContainsFunc(entries, func(e entry) bool { return e.name == name }) {
			entries = append(entries, entry{name: name, file: f})
		}
	}
	if err := sparse(entries); err != nil {
		return nil, err
	}
	switch {
	case len(entries) == 0:
		return nil, errorf("holds no array")
	case len(entries) > maxArrays:
		return nil, errorf("holds %d arrays, want at most %d", len(entries), maxArrays)
	}
	if o.Array != "" {
		k := slices.IndexFunc(entries, func(e entry) bool { return e.name == o.Array })
		if k < 0 {
			return nil, &Error{Text: fmt.Sprintf("holds no array %s; it holds %s", files.Quote(o.Array),
				entryNames(entries)), Option: "Array"}
		}
		return readEntry(ctx, entries[k], o)
	}
	if len(entries) == 1 {
		return readEntry(ctx, entries[0], o)
	}
	for i := range entries {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err := entries[i].open(ctx,
			func(r io.Reader, h array) error { entries[i].head = h; return nil }); err != nil {
			return nil, err
		}
	}
	if columns(entries) {
		return readColumns(ctx, entries, o)
	}
	k, err := points(entries)
	if err != nil {
		return nil, err
	}
	t, err := readEntry(ctx, entries[k], o)
	if err == nil {
		t.Report.note(ArrayTaken, "the array %s is taken for the points, of %s", files.Quote(entries[k].name),
			entryNames(entries))
	}
	return t, err
}

// openZip reads the directory of an archive, after checking its size.
func openZip(r io.ReaderAt, size int64) (*zip.Reader, error) {
	if size == 0 {
		return nil, errEmpty
	}
	head := make([]byte, min(size, files.SniffLen))
	if _, err := r.ReadAt(head, 0); err != nil && err != io.EOF {
		return nil, err
	}
	if !bytes.HasPrefix(head, []byte("PK")) {
		if says := files.Sniff(head); says != "" {
			return nil, errorf("is %s", says)
		}
		return nil, errorf("is not an .npz file: it is no zip archive")
	}
	if size > maxNPZ {
		return nil, errorf("an .npz file of %d MB is too large, want at most 4096; store the array as .npy", size>>20)
	}
	tail := make([]byte, min(size, 22+1<<16))
	if _, err := r.ReadAt(tail, size-int64(len(tail))); err != nil && err != io.EOF {
		return nil, err
	}
	if i := bytes.LastIndex(tail, []byte(endOfZip)); i >= 0 && len(tail)-i >= 12 {
		if n := binary.LittleEndian.Uint16(tail[i+10:]); n > maxArrays {
			return nil, errorf("holds %d files, want at most %d", n, maxArrays)
		}
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, errorf("is not an .npz file: %v", err)
	}
	return z, nil
}

// sparse rejects files written by scipy.sparse.save_npz.
func sparse(entries []entry) error {
	has := func(name string) bool {
		return slices.ContainsFunc(entries, func(e entry) bool { return e.name == name })
	}
	if has("format") && has("shape") && slices.ContainsFunc(sparseNames, has) {
		return errorf("is a scipy.sparse matrix; store it as an array: numpy.save(path, m.toarray())")
	}
	return nil
}

// column returns the length of an array of numbers that is (n,) or (n, 1); -1 if it is none.
func (e entry) column() int64 {
	rows, cols, err := e.head.plane()
	if _, _, kind := e.head.decoder(); err != nil || kind != nil || cols != 1 {
		return -1
	}
	return rows
}

// columns reports whether every array is a column, of the same length.
func columns(entries []entry) bool {
	n := entries[0].column()
	return n >= 0 && !slices.ContainsFunc(entries, func(e entry) bool { return e.column() != n })
}

// points finds the array taken for the points: by name, or because it is the only numeric one with rows and columns.
func points(entries []entry) (int, error) {
	for _, name := range arrayNames {
		k := slices.IndexFunc(entries, func(e entry) bool { return e.name == name })
		if k < 0 {
			continue
		}
		for i, e := range entries {
			if i != k && entries[k].column() >= 0 && e.column() > 1 { // possibly one of the coordinates
				return 0, &Error{Text: fmt.Sprintf(
					"holds the columns %s and %s, and not only columns of the same length: %s; store the points as one array",
					files.Quote(name), files.Quote(e.name), entryNames(entries)), Option: "Array"}
			}
		}
		return k, nil
	}
	found := -1
	for k, e := range entries {
		if _, _, err := e.head.decoder(); err != nil || len(e.head.shape) < 2 {
			continue
		}
		if found >= 0 {
			found = len(entries)
			break
		}
		found = k
	}
	if found < 0 || found == len(entries) {
		return 0, &Error{Text: fmt.Sprintf("holds %d arrays, %s; call the one with the points x, or store it alone",
			len(entries), entryNames(entries)), Option: "Array"}
	}
	return found, nil
}

// entryNames lists arrays and their shapes.
func entryNames(entries []entry) string {
	var names []string
	for _, e := range entries {
		name := files.Quote(e.name)
		if e.head.start > 0 {
			name += " " + e.head.dims()
		}
		names = append(names, name)
	}
	return enumerate(names)
}

// open reads the header of an entry and passes on the stream after it.
func (e entry) open(ctx context.Context, read func(r io.Reader, head array) error) error {
	r, err := e.file.Open()
	if err != nil {
		return errorf("array %s: is damaged: %v", files.Quote(e.name), err)
	}
	defer r.Close()
	in := files.Context(ctx, r)
	head, err := readHeader(in, -1)
	if err == nil {
		err = read(in, head)
	}
	if err == nil || ctx.Err() != nil {
		return err
	}
	if of, ok := err.(*Error); ok {
		with := *of
		with.Text = fmt.Sprintf("array %s: %s", files.Quote(e.name), of.Text)
		return &with
	}
	return errorf("array %s: is damaged: %v", files.Quote(e.name), err)
}

// read reads the values of an entry. It cannot claim more than its bytes can unpack to.
func (e entry) read(ctx context.Context, o Options) (t *Table, err error) {
	most := int64(min(e.file.UncompressedSize64, (e.file.CompressedSize64+16)*maxDeflate))
	err = e.open(ctx, func(r io.Reader, head array) error {
		if t, err = head.read(r, max(0, most-head.start), o); err != nil {
			return err
		}
		_, err := io.Copy(io.Discard, io.LimitReader(r, 1)) // reach the end, where the checksum is verified
		return err
	})
	return t, err
}

func readEntry(ctx context.Context, e entry, o Options) (*Table, error) {
	t, err := e.read(ctx, o)
	if err != nil {
		return nil, err
	}
	t.Report.Array = files.Name(e.name)
	return t, t.arrayColumns(nil, o)
}

// readColumns reads arrays as the columns of a table.
func readColumns(ctx context.Context, entries []entry, o Options) (*Table, error) {
	n, d := entries[0].head.shape[0], int64(len(entries))
	if n == 0 {
		return nil, errEmpty
	}
	if err := o.room(n, 2*d); err != nil { // a column besides the table
		return nil, err
	}
	t := &Table{X: mat.NewDense(int(n), int(d), nil)}
	names := make([]string, d)
	for j, e := range entries {
		c, err := e.read(ctx, o)
		if err != nil {
			return nil, err
		}
		if rows, _ := c.X.Dims(); rows != int(n) {
			return nil, errorf("array %s is damaged", files.Quote(e.name))
		}
		t.X.SetCol(j, c.X.RawMatrix().Data)
		names[j] = files.Name(e.name)
	}
	t.Report.Array = strings.Join(names, ", ")
	t.Report.note(ArrayTaken, "the arrays %s are taken for columns", entryNames(entries))
	return t, t.arrayColumns(names, o)
}
