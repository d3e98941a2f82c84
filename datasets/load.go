package datasets

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"codeberg.org/sbinet/npyio/npy"
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/files"
	"github.com/stheno-ebm/stheno/datasets/table"
)

// Load reads points, one per row, from a .csv, .tsv, .txt, .npy or .npz file, with the defaults of package table: every
// value is finite, and an error names the file and the line and column, or row and column.
func Load(path string) (*mat.Dense, error) {
	t, err := table.Load(context.Background(), path, table.Options{})
	if err != nil {
		return nil, err
	}
	return t.X, nil
}

// Save writes x to a .csv, .npy or .npz file (float64). The file appears whole or not at all: it is written under a
// temporary name and renamed.
func Save(path string, x *mat.Dense) error {
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
	err := files.WriteBy(path, func(f io.Writer) error {
		w := bufio.NewWriter(f)
		if err := write(w); err != nil {
			return err
		}
		return w.Flush()
	})
	if err != nil {
		return fmt.Errorf("datasets: %w", err)
	}
	return nil
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
