package fit

import (
	"errors"
	"fmt"
	"strings"
)

// FieldError is an invalid setting. Key is its key in a config.json; programs with flags name the flag of that key,
// also where a text names another setting, in backquotes.
type FieldError struct {
	Key   string
	Value any    // the given value
	Want  string // a description of valid values; "" if Err says it
	Err   error  // why it is invalid
}

func (e *FieldError) Error() string { return "fit: " + e.Text(e.Key) }

// Text returns the message with another name for the key.
func (e *FieldError) Text(name string) string {
	text := name
	if e.Value != nil {
		text = strings.TrimSuffix(fmt.Sprintf("%s %v", name, e.Value), " ")
	}
	switch {
	case e.Err == nil:
		return fmt.Sprintf("%s: want %s", text, e.Want)
	case e.Want == "":
		return fmt.Sprintf("%s: %v", text, e.Err)
	}
	return fmt.Sprintf("%s: %v, want %s", text, e.Err, e.Want)
}

func (e *FieldError) Unwrap() error { return e.Err }

// fieldErrorf returns a FieldError with the reason in words.
func fieldErrorf(key string, value any, format string, args ...any) error {
	return &FieldError{Key: key, Value: value, Err: fmt.Errorf(format, args...)}
}

// UnknownError is an unknown name.
type UnknownError struct {
	Key   string // of the setting; "" for the name of a setting itself
	Name  string
	Known []string
	File  string // file in which it occurs; "" if none
}

func (e *UnknownError) Error() string {
	what := e.Key
	if what == "" {
		what = "key"
	}
	if e.File != "" {
		what = e.File + ": " + what
	}
	return fmt.Sprintf("fit: %s %q is unknown; known: %s", what, e.Name, strings.Join(e.Known, ", "))
}

// RefusedError reports an objective that cannot learn from the data under the settings; another one may.
type RefusedError struct {
	Objective string
	Err       error
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("fit: objective %s: %v", e.Objective, e.Err)
}
func (e *RefusedError) Unwrap() error { return e.Err }

// DataError reports trouble with the data of a stored run: the file is gone, cannot be read, or has changed. The text
// names it and the remedy.
type DataError struct {
	Dataset string
	Err     error
}

func (e *DataError) Error() string { return e.Err.Error() }
func (e *DataError) Unwrap() error { return e.Err }

// ErrNoTruth is wrapped by the error of evaluations that need the data of a run that are no longer there.
var ErrNoTruth = errors.New("the data of the run are not there")

var errNotBool = errors.New("want true or false")
