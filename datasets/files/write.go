package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
)

// Write writes data to path so that after a crash at any moment path has either its old content or all of data: a
// temporary file in the same folder is written, synced and renamed to path, then the folder is synced. After an error
// path is unchanged and the temporary file is gone.
func Write(path string, data []byte) error { return WriteContext(context.Background(), path, data) }

// WriteContext is Write with a context; if that ends, path is unchanged, too.
func WriteContext(ctx context.Context, path string, data []byte) error {
	return WriteBy(path, parts(ctx, data))
}

// WriteBy is Write for what write writes.
func WriteBy(path string, write func(w io.Writer) error) error {
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return writing(path, err)
	}
	defer root.Close()
	return writing(path, put(root, filepath.Base(path), 0, write))
}

// parts writes data until the context ends.
func parts(ctx context.Context, data []byte) func(w io.Writer) error {
	const chunk = 1 << 22 // bytes between checks of the context
	return func(w io.Writer) error {
		for part := range slices.Chunk(data, chunk) {
			if err := ctx.Err(); err != nil {
				return err
			}
			if _, err := w.Write(part); err != nil {
				return err
			}
		}
		return nil
	}
}

// WriteIn is Write for a name in an open folder, even if that is moved. Names use slashes.
func WriteIn(root *os.Root, name string, data []byte) error { return KeepIn(root, name, 0, data) }

// KeepIn is WriteIn, but keeps the n previous contents as name.1, the newest, to name.n. After a crash at any moment
// the previous content is intact under at least one of these names.
func KeepIn(root *os.Root, name string, n int, data []byte) error {
	if root == nil {
		return fmt.Errorf("writing %s: no folder is open", name)
	}
	return writing(filepath.Join(root.Name(), filepath.FromSlash(name)),
		put(root, name, n, parts(context.Background(), data)))
}

// writing returns an error about writing the file at path, naming it once.
func writing(path string, err error) error {
	if err == nil {
		return nil
	}
	var pe *fs.PathError
	var le *os.LinkError
	switch {
	case errors.As(err, &pe): // its path is that of a temporary file
		err = pe.Err
	case errors.As(err, &le):
		err = le.Err
	}
	return fmt.Errorf("writing %s: %w", path, err)
}

func put(root *os.Root, name string, n int, write func(w io.Writer) error) (err error) {
	f, err := createTemp(root, name)
	if err != nil {
		return err
	}
	temp := path.Join(path.Dir(name), filepath.Base(f.Name()))
	defer func() {
		if err != nil {
			f.Close()
			_ = root.Remove(temp)
		}
	}()
	for _, step := range []func() error{
		func() error { return write(f) },
		func() error { return f.Chmod(0o644) },
		f.Sync,
		f.Close,
		func() error { return shift(root, name, n) },
		func() error { return root.Rename(temp, name) },
	} {
		if err = step(); err != nil {
			return err
		}
	}
	// make the rename durable; not every system can sync a folder
	if d, openErr := root.Open(path.Dir(name)); openErr == nil {
		_ = d.Sync()
		d.Close()
	}
	return nil
}

// createTemp creates a temporary file beside name.
func createTemp(root *os.Root, name string) (*os.File, error) {
	for {
		temp := path.Join(path.Dir(name), fmt.Sprintf(".%s.%d.tmp", path.Base(name), rand.Uint64()))
		f, err := root.OpenFile(temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
}

// Kept returns the name under which KeepIn keeps the k-th previous content.
func Kept(name string, k int) string {
	if k == 0 {
		return name
	}
	return fmt.Sprintf("%s.%d", name, k)
}

// shift makes room for new content under a name: the current content becomes the first kept one. Where hard links work,
// it also keeps its name until it is replaced.
func shift(root *os.Root, name string, n int) error {
	for k := n - 1; k >= 1; k-- {
		if err := root.Rename(Kept(name, k), Kept(name, k+1)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if n < 1 {
		return nil
	}
	if err := root.Remove(Kept(name, 1)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err := root.Link(name, Kept(name, 1))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		err = root.Rename(name, Kept(name, 1))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
