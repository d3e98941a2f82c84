package rundir

import "fmt"

// FileError is trouble with a file or folder: it is missing, damaged, in use, or no file of its kind. The text of Err names
// the path and the remedy.
type FileError struct {
	Path string
	Err  error
}

func (e *FileError) Error() string { return e.Err.Error() }
func (e *FileError) Unwrap() error { return e.Err }

// fileErrorf is a FileError about path, which the text is to name.
func fileErrorf(path, format string, args ...any) error {
	return &FileError{Path: path, Err: fmt.Errorf(format, args...)}
}

// asFileError makes err, whose text names the path, a FileError; nil stays nil.
func asFileError(path string, err error) error {
	if err == nil {
		return nil
	}
	return &FileError{Path: path, Err: err}
}
