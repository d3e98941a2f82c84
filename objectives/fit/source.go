package fit

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/datasets/table"
)

// ofTables and ofPictures are the keys of settings for reading files.
var (
	ofTables   = []string{"header", "missing", "columns", "array", "transpose"}
	ofPictures = []string{"invert", "threshold"}
)

// OpenData opens the data that c.Dataset names, reading files according to the settings of the group data; the name -
// means stdin, which may be nil. It stops when the context ends.
func (c *Config) OpenData(ctx context.Context, stdin io.Reader) (Source, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.stage("reading the data")
	if err := c.checkReading(); err != nil {
		return nil, err
	}
	columns := c.Columns
	if len(columns) == 0 {
		columns = nil
	}
	memory := int64(c.MaxMemory) << 20
	src, err := datasets.OpenContext(ctx, c.Dataset, datasets.OpenOptions{
		Table: table.Options{
			Header: table.Header(c.Header), Missing: table.Missing(c.Missing), Columns: columns, Array: c.Array,
			Transpose: c.Transpose, MaxMemory: memory,
		},
		Image: datasets.ImageConfig{Invert: c.Invert, Threshold: c.Threshold, MaxMemory: memory},
		Stdin: stdin,
	})
	if err != nil {
		return nil, err
	}
	return src, c.checkKind(src)
}

// checkReading validates the settings for reading files; those not given are valid.
func (c *Config) checkReading() error {
	with := *c
	with.fill(fallback())
	b := new(checks)
	with.checkData(b)
	if len(b.errs) > 0 {
		return b.errs[0]
	}
	return nil
}

// checkKind rejects settings for files of another kind than the data.
func (c *Config) checkKind(src Source) error {
	wrong, kind, is := slices.Concat(ofTables, ofPictures), "files", "a distribution"
	switch src.(type) {
	case *datasets.Points:
		wrong, kind, is = ofPictures, "pictures", "a file of points"
	case *datasets.Image:
		wrong, kind, is = ofTables, "files of points", "a picture"
	}
	if _, points := src.(*datasets.Points); c.Discrete == discreteOn && !points {
		return fieldErrorf("discrete", nil, "only for files of points; %s is %s", c.Dataset, is)
	}
	v, def := reflect.ValueOf(c).Elem(), reflect.ValueOf(fallback())
	t := v.Type()
	for i := range t.NumField() {
		key := t.Field(i).Tag.Get("json")
		if !slices.Contains(wrong, key) {
			continue
		}
		f := v.Field(i)
		if f.IsZero() || f.Kind() == reflect.Slice && f.Len() == 0 || f.Kind() != reflect.Slice &&
			f.Interface() == def.Field(i).Interface() {
			continue
		}
		return fieldErrorf(key, nil, "only for %s; %s is %s", kind, c.Dataset, is)
	}
	return nil
}

// look reports what was read from a file and oddities of it, before training; it rejects points without a density.
func (d *data) look(ctx context.Context, file *datasets.Points) error {
	report := file.Report()
	for _, note := range report.Notes {
		d.notes = append(d.notes, note.Text)
	}
	found, err := file.Inspect(ctx)
	if err != nil {
		return err
	}
	for _, f := range found {
		said := slices.ContainsFunc(report.Notes, func(n table.Remark) bool {
			return n.Kind == f.Kind || n.Kind == table.RowNames && f.Kind == table.CountsRows &&
				strings.Contains(n.Text, "counts")
		})
		switch {
		case f.Fatal:
			return fmt.Errorf("%s", f.Text)
		case f.Kind == table.Transposed && file.Len() <= fewPoints:
			return fmt.Errorf("%s `transpose` reads the columns as points, `columns` some of the coordinates", f.Text)
		case !said && !d.Cells.answer(f, d.Dim):
			d.notes = append(d.notes, f.Text)
		}
	}
	if text := d.describeCells(); text != "" {
		d.notes = append(d.notes, text+"; `discrete` off takes their values as they are")
	}
	return nil
}

// fewPoints is the number of points with many coordinates below which there is nothing to learn from.
const fewPoints = 10

// ReadOf says in one line what was read from a file and what was skipped, and then how it was read if that may not be
// what was meant; nothing for data that are not a file of points.
func (c *Config) ReadOf(src Source) (lines []string) {
	file, ok := src.(*datasets.Points)
	if !ok || file.Report().Rows == 0 {
		return nil
	}
	lines = []string{fmt.Sprintf("%s: %s", baseOf(c.Dataset), file.Report())}
	for _, n := range file.Report().Notes {
		lines = append(lines, n.Text)
	}
	return lines
}

// baseOf returns the last part of a path, or "standard input".
func baseOf(dataset string) string {
	if dataset == datasets.Stdin {
		return "standard input"
	}
	return filepath.Base(dataset)
}
