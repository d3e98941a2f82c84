package table

import (
	"errors"
	"fmt"
	"strings"

	"github.com/stheno-ebm/stheno/datasets/files"
)

// Error is an error about the content of a file.
type Error struct {
	Path   string // of the file
	Line   int    // line of a text file, from 1; 0 if not about a line
	Row    int    // row of an array, from 1; 0 if not about a row
	Column int    // from 1; 0 if not about a column
	Text   string // what is wrong, on one line, and what helps
	Option string // name of the field of Options that helps, or ""
	Value  string // value of that field, if one is certain to help
	Err    error  // the wrapped error, or nil
}

// Error returns the path, the position, the text, and the option that helps.
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

// Message returns the path, the position and the text, without the option: for programs that have another name for it.
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

// located adds the path to an error.
func located(err error, path string) error {
	var e *Error
	if errors.As(err, &e) {
		with := *e
		with.Path = path
		return &with
	}
	return fmt.Errorf("datasets: %s: %w", files.Line(path), err)
}
