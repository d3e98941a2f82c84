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

// WriteFile writes data to path so that after a crash at any moment path holds either what it held before or all of
// data: a temporary file in the same folder is written, synced and renamed over path, then the folder is synced. On
// an error path is as it was and the temporary file is gone.
func WriteFile(path string, data []byte) error {
	return WriteFileContext(context.Background(), path, data)
}

// WriteFileContext is WriteFile until the context ends: then path is as it was, too.
func WriteFileContext(ctx context.Context, path string, data []byte) error {
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return writing(path, err)
	}
	defer root.Close()
	return writing(path, put(ctx, root, filepath.Base(path), 0, data))
}

// WriteIn is WriteFile for a name in an open folder, wherever that is moved. Names have slashes.
func WriteIn(root *os.Root, name string, data []byte) error { return KeepIn(root, name, 0, data) }

// KeepIn is WriteIn where the n contents before are kept as name.1, the newest of them, to name.n. A crash at any moment
// leaves the content before whole under one of these names at least.
func KeepIn(root *os.Root, name string, n int, data []byte) error {
	if root == nil {
		return fmt.Errorf("train: writing %s: no folder is open", name)
	}
	return writing(filepath.Join(root.Name(), filepath.FromSlash(name)), put(context.Background(), root, name, n, data))
}

// writing is an error of writing the file at path, which it names once.
func writing(path string, err error) error {
	if err == nil {
		return nil
	}
	var pe *fs.PathError
	var le *os.LinkError
	switch {
	case errors.As(err, &pe): // whose path is that of a temporary file
		err = pe.Err
	case errors.As(err, &le):
		err = le.Err
	}
	return fmt.Errorf("train: writing %s: %w", path, err)
}

func put(ctx context.Context, root *os.Root, name string, n int, data []byte) (err error) {
	const chunk = 1 << 22 // bytes between looks at the context
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
	if d, openErr := root.Open(path.Dir(name)); openErr == nil { // the rename itself; not every system can sync a folder
		_ = d.Sync()
		d.Close()
	}
	return nil
}

// createTemp makes a file beside name, under a name of its own.
func createTemp(root *os.Root, name string) (*os.File, error) {
	for {
		temp := path.Join(path.Dir(name), fmt.Sprintf(".%s.%d.tmp", path.Base(name), rand.Uint64()))
		f, err := root.OpenFile(temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
}

// kept is the name of the k-th content before the present one.
func kept(name string, k int) string {
	if k == 0 {
		return name
	}
	return fmt.Sprintf("%s.%d", name, k)
}

// shift makes room for a new content under a name: what stands there is the first of those kept. It keeps its name until it is
// replaced, where files may have two.
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
