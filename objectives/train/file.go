package train

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
)

// WriteFile writes data to path so that after a crash at any moment path has either its old content or all of data: a
// temporary file in the same folder is written, synced and renamed to path, then the folder is synced. After an error
// path is unchanged and the temporary file is gone.
func WriteFile(path string, data []byte) error {
	return WriteFileContext(context.Background(), path, data)
}

// WriteFileContext is WriteFile with a context; if that ends, path is unchanged, too.
func WriteFileContext(ctx context.Context, path string, data []byte) error {
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return writing(path, err)
	}
	defer root.Close()
	return writing(path, put(ctx, root, filepath.Base(path), 0, data))
}

// WriteIn is WriteFile for a name in an open folder, even if that is moved. Names use slashes.
func WriteIn(root *os.Root, name string, data []byte) error { return KeepIn(root, name, 0, data) }

// KeepIn is WriteIn, but keeps the n previous contents as name.1, the newest, to name.n. After a crash at any moment
// the previous content is intact under at least one of these names.
func KeepIn(root *os.Root, name string, n int, data []byte) error {
	if root == nil {
		return fmt.Errorf("train: writing %s: no folder is open", name)
	}
	return writing(filepath.Join(root.Name(), filepath.FromSlash(name)), put(context.Background(), root, name, n, data))
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
	return fmt.Errorf("train: writing %s: %w", path, err)
}

func put(ctx context.Context, root *os.Root, name string, n int, data []byte) (err error) {
	const chunk = 1 << 22 // bytes between checks of the context
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
	for part := range slices.Chunk(data, chunk) {
		if err = ctx.Err(); err == nil {
			_, err = f.Write(part)
		}
		if err != nil {
			return err
		}
	}
	if err = f.Chmod(0o644); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = shift(root, name, n); err != nil {
		return err
	}
	if err = root.Rename(temp, name); err != nil {
		return err
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

// kept returns the name of the k-th previous content.
func kept(name string, k int) string {
	if k == 0 {
		return name
	}
	return fmt.Sprintf("%s.%d", name, k)
}

// shift makes room for new content under a name: the current content becomes the first kept one. Where hard links work,
// it also keeps its name until it is replaced.
func shift(root *os.Root, name string, n int) error {
	for k := n - 1; k >= 1; k-- {
		if err := root.Rename(kept(name, k), kept(name, k+1)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if n < 1 {
		return nil
	}
	if err := root.Remove(kept(name, 1)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err := root.Link(name, kept(name, 1))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		err = root.Rename(name, kept(name, 1))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
