package rundir

import "fmt"

// FileError reports a file or folder that is missing, damaged, in use, or of the wrong kind. The text of Err names the
// path and the remedy.
type FileError struct {
	Path string
	Err  error
}

func (e *FileError) Error() string { return e.Err.Error() }
func (e *FileError) Unwrap() error { return e.Err }

// fileErrorf returns a FileError about path, which the text must name.
func fileErrorf(path, format string, args ...any) error {
	return &FileError{Path: path, Err: fmt.Errorf(format, args...)}
}

// asFileError turns err, whose text names the path, into a FileError; nil stays nil.
func asFileError(path string, err error) error {
	if err == nil {
		return nil
	}
	return &FileError{Path: path, Err: err}
}
