package table

import (
	"errors"
	"fmt"
	"strings"

	"github.com/stheno-ebm/stheno/datasets/files"
)

// Error is about the content of a file.
type Error struct {
	Path   string // of the file
	Line   int    // of a text file, from 1; 0 where it is about no line
	Row    int    // of an array, from 1; 0 where it is about no row
	Column int    // from 1; 0 where it is about no column
	Text   string // what is wrong, on one line, and what helps
	Option string // name of the field of Options that helps, or ""
	Value  string // of that field, where one is sure to help
	Err    error  // what it wraps, or nil
}

// Error is the path, the place, the text, and the option that helps.
func (e *Error) Error() string {
	text := "datasets: " + e.Message()
	switch {
	case e.Option != "" && e.Value != "":
		text += fmt.Sprintf(" (Options.%s: %s)", e.Option, e.Value)
	case e.Option != "":
		text += fmt.Sprintf(" (see Options.%s)", e.Option)
	}
	return text
}

// Message is the path, the place and the text, without the option: for programs in which that is called otherwise.
func (e *Error) Message() string {
	var b strings.Builder
	if e.Path != "" {
		b.WriteString(files.Line(e.Path) + ": ")
	}
	switch {
	case e.Line > 0:
		fmt.Fprintf(&b, "line %d", e.Line)
	case e.Row > 0:
		fmt.Fprintf(&b, "row %d", e.Row)
	}
	if e.Column > 0 {
		if e.Line > 0 || e.Row > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "column %d", e.Column)
	}
	if e.Line > 0 || e.Row > 0 || e.Column > 0 {
		b.WriteString(": ")
	}
	b.WriteString(e.Text)
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

func errorf(format string, args ...any) error { return &Error{Text: fmt.Sprintf(format, args...)} }

// located puts the path into an error.
func located(err error, path string) error {
	var e *Error
	if errors.As(err, &e) {
		with := *e
		with.Path = path
		return &with
	}
	return fmt.Errorf("datasets: %s: %w", files.Line(path), err)
}
