package files

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// ErrNotRegular is wrapped by errors about folders, pipes, sockets and devices.
var ErrNotRegular = errors.New("not a regular file")

// ErrTooLarge is wrapped by errors about files that are larger than the caller allows.
var ErrTooLarge = errors.New("too large")

// Open opens a regular file for reading and returns its size. It never blocks, not even on a named pipe without a
// writer.
func Open(path string) (f *os.File, size int64, err error) {
	f, err = OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		if info, statErr := os.Stat(path); statErr == nil && !info.Mode().IsRegular() { // a socket cannot be opened
			return nil, 0, irregular(path, info.Mode())
		}
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// OpenFile is os.OpenFile for regular files, which it may create.
func OpenFile(path string, flag int, perm fs.FileMode) (*os.File, error) {
	return regular(os.OpenFile(path, flag|nonblock, perm))
}

// OpenIn is OpenFile for a name in an open folder, even if that is moved.
func OpenIn(root *os.Root, name string, flag int, perm fs.FileMode) (*os.File, error) {
	return regular(root.OpenFile(name, flag|nonblock, perm))
}

// regular closes what was opened if it is no regular file.
func regular(f *os.File, err error) (*os.File, error) {
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = irregular(f.Name(), info.Mode())
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// irregular says what path is instead of a regular file.
func irregular(path string, mode fs.FileMode) error {
	kind := "something else"
	switch {
	case mode.IsDir():
		kind = "a folder"
	case mode&fs.ModeNamedPipe != 0:
		kind = "a named pipe"
	case mode&fs.ModeSocket != 0:
		kind = "a socket"
	case mode&fs.ModeDevice != 0:
		kind = "a device"
	}
	return fmt.Errorf("%s is %s, %w", Printable(path, maxPath), kind, ErrNotRegular)
}

// ReadAll reads a regular file of at most limit bytes.
func ReadAll(path string, limit int64) ([]byte, error) {
	f, size, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if size > limit {
		return nil, fmt.Errorf("%s: %d bytes are %w, want at most %d", Printable(path, maxPath), size, ErrTooLarge,
			limit)
	}
	b := make([]byte, 0, size+1) // one more, to detect the end without growing
	for {
		n, err := f.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		switch {
		case err == io.EOF:
			return b, nil
		case err != nil:
			return nil, err
		case int64(len(b)) > limit: // it has grown in the meantime
			return nil, fmt.Errorf("%s: more than %d bytes are %w", Printable(path, maxPath), limit, ErrTooLarge)
		case len(b) == cap(b):
			b = append(b, 0)[:len(b)]
		}
	}
}
