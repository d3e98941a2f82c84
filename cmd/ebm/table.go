package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"codeberg.org/sbinet/npyio"
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/datasets/files"
	"github.com/stheno-ebm/stheno/objectives/fit"
	"github.com/stheno-ebm/stheno/objectives/metrics"
)

// isFile reports whether a dataset is the path of a file.
func isFile(dataset string) bool {
	return slices.Contains(datasets.Extensions(), strings.ToLower(filepath.Ext(dataset))) ||
		strings.ContainsAny(dataset, `/\`)
}

// checkThreads rejects an invalid number of threads.
func checkThreads(flag string, n int) error {
	if n < 0 || n > fit.MaxThreads {
		return exit.Usagef("%s %d: want %s", flag, n, fit.ThreadsWant)
	}
	return nil
}

// checkTable rejects an invalid output path before any work is done: a wrong extension, a missing folder.
func checkTable(path string) error {
	if path == "" {
		return nil
	}
	return checkOut(path, ".npy", ".npz", ".csv")
}

// checkOut rejects a file for --out that cannot be written.
func checkOut(path string, extensions ...string) error {
	return checkFile("--out", path, extensions...)
}

// checkFile rejects an output path with a wrong extension, or in a folder that does not exist or is not writable.
func checkFile(flag, path string, extensions ...string) error {
	ext := strings.ToLower(filepath.Ext(path))
	if !slices.Contains(extensions, ext) {
		return exit.Usagef("%s %s: extension %q, want %s", flag, path, ext, files.OneOf(extensions))
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return exit.Usagef("%s %s is a folder, want a file", flag, path)
	}
	info, err := os.Stat(filepath.Dir(path))
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return exit.Usagef("%s %s: folder %s does not exist", flag, path, filepath.Dir(path))
	}
	return checkFolder(flag, path)
}

// checkFolder rejects an output path whose folder is not writable, by trying.
func checkFolder(flag, path string) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".ebm.*.tmp")
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return exit.Usagef("%s %s: folder %s cannot be written: %w", flag, path, filepath.Dir(path), err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// checkRows rejects an invalid number of samples, or one that may exceed memory.
func checkRows(flag string, n int) error {
	if n < 1 || n > fit.MaxRows {
		return exit.Usagef("%s %d: want 1 to %d", flag, n, fit.MaxRows)
	}
	return nil
}

// table is the object of --json with --out.
type table struct {
	Out     string `json:"out"`
	Rows    int    `json:"rows"`
	Columns int    `json:"columns"`
}

// writeTable writes the rows of x, a matrix, or a vector as a column, to path, by extension, or as CSV to stdout when
// path is empty. CSV begins with the names of the columns, if there are any. Arrays of vectors have one dimension.
func writeTable(e *env, path string, names []string, x any) error {
	if path == "" {
		return writeCSV(e.ctx, e.stdout, names, matrix(x))
	}
	var b bytes.Buffer
	var err error
	switch strings.ToLower(filepath.Ext(path)) {
	case ".csv":
		err = writeCSV(e.ctx, &b, names, matrix(x))
	case ".npz":
		err = datasets.EncodeNPZ(&b, x)
	default:
		err = npyio.Write(&b, x)
	}
	if err != nil {
		return err
	}
	return e.write(path, b.Bytes())
}

// matrix returns x, or the vector x as a column.
func matrix(x any) *mat.Dense {
	if v, ok := x.([]float64); ok {
		return mat.NewDense(len(v), 1, v)
	}
	return x.(*mat.Dense)
}

// giveTable is writeTable for a command with --json: JSON to stdout, or with a path what was written there.
func giveTable(e *env, path string, json bool, names []string, x any) error {
	if json && path == "" {
		if v, ok := x.([]float64); ok {
			return writeJSON(e.stdout, column(v))
		}
		return writeJSON(e.stdout, rows(matrix(x)))
	}
	if err := writeTable(e, path, names, x); err != nil || !json {
		return err
	}
	n, d := matrix(x).Dims()
	return writeJSON(e.stdout, table{path, n, d})
}

// write replaces a file as a whole, or leaves it unchanged if a signal arrives.
func (e *env) write(path string, data []byte) error {
	defer e.hold()()
	return files.WriteContext(e.ctx, path, data)
}

// column returns v for JSON, which has no infinities: they become null.
func column(v []float64) []metrics.Value {
	out := make([]metrics.Value, len(v))
	for i, x := range v {
		out[i] = metrics.Value(x)
	}
	return out
}

// rows returns the rows of x for JSON.
func rows(x *mat.Dense) [][]metrics.Value {
	n, _ := x.Dims()
	out := make([][]metrics.Value, n)
	for i := range out {
		out[i] = column(x.RawRowView(i))
	}
	return out
}

// writeCSV writes the names, if any, then one row per line in full precision, until the context ends.
func writeCSV(ctx context.Context, w io.Writer, names []string, x *mat.Dense) error {
	out := csv.NewWriter(w)
	if len(names) > 0 {
		if err := out.Write(names); err != nil {
			return err
		}
	}
	n, d := x.Dims()
	row := make([]string, d)
	for i := range n {
		if i%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		for j := range row {
			row[j] = strconv.FormatFloat(x.At(i, j), 'g', -1, 64)
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	return nil
}
