package datasets

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stheno-ebm/stheno/datasets/files"
	"github.com/stheno-ebm/stheno/datasets/table"
)

// Stdin is the name under which Open reads standard input.
const Stdin = "-"

// OpenOptions says how OpenContext reads files. The zero value is the default.
type OpenOptions struct {
	Table table.Options // for points
	Image ImageConfig   // for pictures
	Stdin io.Reader     // what the name - stands for; nil: none
}

// Open returns a distribution by name, the points of a .csv, .tsv, .txt, .npy or .npz file, or a .png file as a
// density.
func Open(name string) (Source, error) {
	return OpenContext(context.Background(), name, OpenOptions{})
}

// OpenContext is Open with options; it stops when the context ends.
func OpenContext(ctx context.Context, name string, o OpenOptions) (Source, error) {
	if slices.Contains(Names(), name) {
		return New(name)
	}
	ext := strings.ToLower(filepath.Ext(name))
	points := slices.Contains(table.Extensions(), ext)
	switch {
	case name == Stdin:
		if o.Stdin == nil {
			return nil, errors.New("datasets: there is no standard input to read points from")
		}
		return pointsOf(table.Read(ctx, o.Stdin, o.Table))
	case isFolder(name):
		return nil, fmt.Errorf("datasets: %s is a folder, want a %s file", files.Line(name), kinds())
	case points:
		return pointsOf(table.Load(ctx, name, o.Table))
	case ext == ".png":
		o.Image.MaxMemory = cmp.Or(o.Image.MaxMemory, o.Table.MaxMemory)
		return loadImage(ctx, name, o.Image)
	}
	if _, err := os.Stat(name); err == nil || ext != "" && !strings.ContainsAny(name, `/\`) {
		return nil, fmt.Errorf(
			"datasets: %s: unknown kind of file %s, want %s; name text files of numbers separated by commas, semicolons, "+
				"tabs or spaces .csv", files.Line(name), files.Quote(ext), kinds())
	} else if strings.ContainsAny(name, `/\`) {
		return nil, fmt.Errorf("datasets: %w", err)
	}
	return nil, unknown(name)
}

// Extensions returns those of the files that Open reads: of tables of points, and last of pictures.
func Extensions() []string { return append(table.Extensions(), ".png") }

// kinds lists Extensions.
func kinds() string { return files.OneOf(Extensions()) }

// isFolder reports whether path is a folder.
func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// pointsOf turns a table into a source.
func pointsOf(t *table.Table, err error) (Source, error) {
	if err != nil {
		return nil, err
	}
	p, err := NewPoints(t.X)
	if err != nil {
		return nil, err
	}
	p.names, p.report = t.Names, t.Report
	return p, nil
}
