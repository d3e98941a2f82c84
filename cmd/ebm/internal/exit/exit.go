// Package exit defines how the program ends: errors with the exit codes of the command line.
package exit

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/stheno-ebm/stheno/datasets/files"
	"github.com/stheno-ebm/stheno/datasets/table"
	"github.com/stheno-ebm/stheno/objectives/fit"
	"github.com/stheno-ebm/stheno/objectives/fit/rundir"
)

// The exit codes.
const (
	OK          = 0
	Failed      = 1   // the work failed: diverged, verification failed, disk full
	Usage       = 2   // invalid command line or file
	Interrupted = 130 // stopped by a signal, after a checkpoint
	Pipe        = 141 // the reader of stdout went away: the shell's code for a program ended by SIGPIPE
)

// Error carries the exit code of the program.
type Error struct {
	Code int
	Err  error
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// Usagef returns an error about the command line or a file named there. Its text should name the flag or file, the
// value and what would be valid.
func Usagef(format string, args ...any) error {
	return &Error{Code: Usage, Err: fmt.Errorf(format, args...)}
}

// AsUsage turns err into an error about the command line or a file; nil stays nil.
func AsUsage(err error) error {
	if err == nil {
		return nil
	}
	return &Error{Code: Usage, Err: err}
}

// Code returns the exit code for err.
func Code(err error) int {
	var e *Error
	switch {
	case err == nil:
		return OK
	case errors.Is(err, context.Canceled): // whatever failed because of it
		return Interrupted
	case errors.As(err, &e):
		return e.Code
	case input(err):
		return Usage
	}
	return Failed
}

// input reports whether an error is about input (a setting, a file or data) rather than about the work.
func input(err error) bool {
	var (
		field   *fit.FieldError
		unknown *fit.UnknownError
		refused *fit.RefusedError
		data    *fit.DataError
		format  *fit.FormatError
		file    *rundir.FileError
	)
	return errors.As(err, &field) || errors.As(err, &unknown) || errors.As(err, &refused) || errors.As(err, &data) ||
		errors.As(err, &format) || errors.As(err, &file)
}

// tableKeys maps fields of table.Options to settings.
var tableKeys = map[string]string{
	"Header": "header", "Missing": "missing", "Columns": "columns", "Array": "array", "Transpose": "transpose",
	"MaxMemory": "max-memory",
}

// Say puts a text of package fit in terms of the command line, on one printable line.
func Say(text string) string { return files.Line(flagged.in(text)) }

// flagNames tells what a setting is called on the command line.
type flagNames func(key string) string

// flagged are the names of commands that have a flag for every setting.
var flagged flagNames = func(key string) string { return "--" + key }

// named is an error about settings that have other names than flagged.
type named struct {
	error
	flag flagNames
}

func (n *named) Unwrap() error { return n.error }

// Named makes err call settings by the names that the command has for them; nil stays nil.
func Named(err error, flag func(key string) string) error {
	if err == nil {
		return nil
	}
	return &named{err, flag}
}

// in replaces keys of settings by their names.
func (name flagNames) in(text string) string {
	return keys.ReplaceAllStringFunc(text, func(key string) string {
		if _, ok := fit.Lookup(strings.Trim(key, "`")); ok {
			return name(strings.Trim(key, "`"))
		}
		return key
	})
}

// keys matches names of settings in texts of package fit.
var keys = regexp.MustCompile("`[a-z0-9-]+`")

// text puts an error of package fit in terms of the command line: settings become flags.
func (name flagNames) text(err error) string {
	switch e := err.(type) {
	case *named:
		return e.flag.text(e.error)
	case *fit.FieldError:
		if e.Key == "dataset" { // as errors of reading it
			return name.in(e.Text(name(e.Key) + ":"))
		}
		return name.in(e.Text(name(e.Key)))
	case *table.Error:
		key := tableKeys[e.Option]
		switch {
		case key == "":
			return e.Message()
		case key == "missing":
			return fmt.Sprintf("%s (%s drop or %s mean)", e.Message(), name(key), name(key))
		case e.Value != "":
			return fmt.Sprintf("%s (%s %s)", e.Message(), name(key), Quote(e.Value))
		}
		return fmt.Sprintf("%s (see %s)", e.Message(), name(key))
	case *fit.UnknownError:
		what := "key"
		if e.Key != "" {
			what = name(e.Key)
		}
		if e.File != "" {
			what = e.File + ": " + what
		}
		return Unknown(what, e.Name, e.Known).Error()
	case *fit.RefusedError:
		return fmt.Sprintf("%s %s: %v", name("objective"), e.Objective, e.Err)
	case *fit.FormatError:
		text := e.Error()
		if e.Version < fit.Format {
			text += fmt.Sprintf(" (ebm train --config %s)", Quote(e.Path))
		}
		return text
	case interface{ Unwrap() []error }:
		text := err.Error()
		for _, one := range e.Unwrap() {
			if inner := one.Error(); strings.Count(text, inner) == 1 {
				text = strings.Replace(text, inner, name.text(one), 1)
			}
		}
		return text
	case interface{ Unwrap() error }:
		inner := e.Unwrap()
		if inner == nil {
			break
		}
		if outer, text := err.Error(), inner.Error(); strings.Count(outer, text) == 1 {
			return strings.Replace(outer, text, name.text(inner), 1)
		}
	}
	return err.Error()
}

// prefixes matches package names in front of an error's text, which mean nothing to a user.
var prefixes = regexp.MustCompile(
	`(^|: |\()(train|datasets|energy|objectives|mcmc|metrics|viz|live|graphs|safetensors|fit|rundir): `)

// Line returns the error's text on one printable line, without package names.
func Line(err error) string {
	var parts []string
	for line := range strings.SplitSeq(flagged.text(err), "\n") {
		line = strings.TrimSpace(line)
		for {
			shorter := prefixes.ReplaceAllString(line, "$1")
			if shorter == line {
				break
			}
			line = shorter
		}
		if line != "" {
			parts = append(parts, line)
		}
	}
	return files.Line(strings.Join(parts, "; "))
}

// Unknown returns the error for an unknown name: it suggests the nearest known one and lists all.
func Unknown(what, name string, known []string) error {
	if near := files.Nearest(name, known); near != "" {
		return Usagef("%s %q is unknown; did you mean %q? Known: %s", what, name, near, strings.Join(known, ", "))
	}
	return Usagef("%s %q is unknown; known: %s", what, name, strings.Join(known, ", "))
}

// Quote quotes a path for a shell.
func Quote(path string) string {
	if path != "" && strings.Trim(path,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:@%,") == "" {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
