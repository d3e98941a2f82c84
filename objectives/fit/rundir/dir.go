// Package rundir handles run directories: what a training run writes, and what it is continued from.
//
//	config.json            every setting; repeats the run
//	model.safetensors      the averaged weights, under PyTorch's names
//	data.safetensors       the blurred data, from which chains start
//	checkpoint/state       all that is needed to continue bit for bit; until the run ends, the two before it are
//	                       checkpoint/state.1 and .2
//	checkpoint/frames      the weights at the frames of the animation
//	checkpoint/sums.json   checksums of the files of a finished run
//	metrics.jsonl          one object per record
//	eval.json              how good the fit is
//	samples.npy            draws from the model
//	panel.png              the picture
//	pairs.png              columns and pairs of them, of data and samples, in more than two dimensions
//	animation.gif          the course of training
//	events.out.tfevents…   the records for TensorBoard, if requested
//
// Every file except the two that grow (metrics.jsonl, checkpoint/frames) is replaced as a whole or not at all. The
// package handles names, locks and checksums; the meaning of the files is up to package fit.
package rundir

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/stheno-ebm/stheno/datasets/files"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// The names of the files.
const (
	Config    = "config.json"
	Model     = "model.safetensors"
	Data      = "data.safetensors"
	State     = "checkpoint/state"
	Frames    = "checkpoint/frames"
	Metrics   = "metrics.jsonl"
	Eval      = "eval.json"
	Samples   = "samples.npy"
	Panel     = "panel.png"
	Pairs     = "pairs.png"
	Animation = "animation.gif"
)

// lockFile is locked on systems where a folder cannot be.
const lockFile = ".lock"

// ErrExists is the error of [Create] if there is already a run.
var ErrExists = errors.New("a run is there already; choose another folder, or resume it")

// Dir is a run directory. Once it is locked, everything is written relative to the locked folder, even if that is
// moved.
type Dir struct {
	Path string

	root    *os.Root // the open folder; nil unless it is locked
	lock    io.Closer
	reserve reserve
	damaged int // number of checkpoints newer than the one from which the run was continued
}

// File returns the path of one of its files.
func (d *Dir) File(name string) string { return filepath.Join(d.Path, filepath.FromSlash(name)) }

// Create creates a new run directory and locks it. An existing folder is rejected unless it is empty. With an empty
// path it takes the first free runs/<dataset>-<objective>-<n>.
func Create(path, dataset, objective string) (*Dir, error) {
	if path == "" {
		var err error
		if path, err = next(dataset, objective); err != nil {
			return nil, asFileError("runs", err)
		}
	} else {
		entries, err := os.ReadDir(path)
		switch {
		case err == nil && slices.ContainsFunc(entries,
			func(e fs.DirEntry) bool { return !leftover(e.Name()) && e.Name() != lockFile }):
			if slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == Config }) {
				return nil, asFileError(path, ErrExists)
			}
			return nil, fileErrorf(path, "the folder holds other things than a run; choose another one")
		case errors.Is(err, syscall.ENOTDIR):
			return nil, fileErrorf(path, "a file is in the way; choose another folder")
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return nil, asFileError(path, err)
		}
	}
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, asFileError(path, err)
	}
	d := &Dir{Path: path}
	err := d.Lock()
	if errors.Is(err, errNoLocks) {
		_ = os.Remove(path) // if it is empty
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

// next creates the first free folder with the default name.
func next(dataset, objective string) (string, error) {
	base := filepath.Base(dataset)
	base = base[:len(base)-len(filepath.Ext(base))]
	if dataset == "-" {
		base = "stdin"
	}
	if err := os.MkdirAll("runs", 0o755); err != nil {
		return "", err
	}
	for n := 1; ; n++ {
		path := filepath.Join("runs", fmt.Sprintf("%s-%s-%d", base, objective, n))
		err := os.Mkdir(path, 0o755)
		if err == nil {
			return path, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", err
		}
	}
}

// Open finds a run directory by its config.json. It changes nothing.
func Open(path string) (*Dir, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fileErrorf(path, "run directory %s does not exist; training makes it", path)
	case err != nil:
		return nil, fileErrorf(path, "run directory %s: %w", path, err)
	case !info.IsDir():
		return nil, fileErrorf(path, "%s is a file, want a run directory", path)
	}
	d := &Dir{Path: path}
	if _, err := d.Read(Config); err != nil {
		return nil, err
	}
	return d, d.Check(Config)
}

// errNoLocks is the error of a file system without locks, such as a network file system without their service. A run
// does not go on unguarded there: two processes would write over each other's checkpoints, without a word.
var errNoLocks = errors.New("its file system has no locks")

// Lock keeps every other process out until Unlock, or the end of this one.
func (d *Dir) Lock() (err error) {
	if d.root, err = os.OpenRoot(d.Path); err == nil {
		var held bool
		if d.lock, held, err = lock(d.root); err == nil && !held {
			d.Unlock()
			return fileErrorf(d.Path, "run directory %s is in use by another process; wait for it or stop it", d.Path)
		}
	}
	switch {
	case errors.Is(err, errNoLocks):
		d.Unlock()
		return fileErrorf(d.Path, "run directory %s: %w, so that nothing would keep a second process out; "+
			"choose a folder on a local disk (a copy of a run can be continued there)", d.Path, err)
	case err != nil:
		d.Unlock()
		return fileErrorf(d.Path, "run directory %s: lock: %w", d.Path, err)
	}
	d.reserve.hold()
	return nil
}

// ErrMoved is the error of a run whose directory was renamed, deleted or replaced while it went on.
var ErrMoved = errors.New("the folder was renamed or replaced while the run went on")

// Own fails if the path no longer leads to the locked folder: there may be another run by now.
func (d *Dir) Own() error {
	if d.root == nil {
		return nil
	}
	locked, err := d.root.Stat(".")
	if err != nil {
		return asFileError(d.Path, err)
	}
	if now, err := os.Stat(d.Path); err != nil || !os.SameFile(locked, now) {
		return fileErrorf(d.Path, "run directory %s: %w: nothing was written under that name since; "+
			"continue it with --resume where it is now", d.Path, ErrMoved)
	}
	return nil
}

// Unlock releases the lock.
func (d *Dir) Unlock() {
	if d.lock != nil {
		d.lock.Close()
	}
	if d.root != nil {
		d.root.Close()
	}
	d.lock, d.root = nil, nil
	d.reserve.end()
}

// Find fails if the directory does not have the file, or if it is empty or not a regular file.
func (d *Dir) Find(name string) error {
	path := d.File(name)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fileErrorf(path, "%s is missing: %s is not a run directory, or the run did not get that far", path, d.Path)
	case err != nil:
		return asFileError(path, err)
	case !info.Mode().IsRegular():
		return fileErrorf(path, "%s is no regular file", path)
	case info.Size() == 0:
		return fileErrorf(path, "%s is empty", path)
	}
	return nil
}

// Read reads a file of settings or results; errors name the file.
func (d *Dir) Read(name string) ([]byte, error) {
	if err := d.Find(name); err != nil {
		return nil, err
	}
	b, err := ReadText(d.File(name))
	return b, asFileError(d.File(name), err)
}

// maxText bounds the files that are read as a whole.
const maxText = 1 << 24

// ReadText reads a file of settings or results, which are small; of a larger file it reads only enough to see that.
func ReadText(path string) ([]byte, error) {
	b, err := files.ReadAll(path, maxText)
	if errors.Is(err, files.ErrTooLarge) {
		err = fmt.Errorf("%w; it is no file of this kind", err)
	}
	return b, err
}

// Write replaces a file of the directory atomically. In a locked directory this works even if the process has run out
// of descriptors.
func (d *Dir) Write(name string, data []byte) error {
	return d.within(func(root *os.Root) error { return files.WriteIn(root, name, data) })
}

// OpenRecorder opens or creates the file of records.
func (d *Dir) OpenRecorder() (*train.Recorder, error) {
	f, err := d.openGrowing(Metrics)
	if err != nil {
		return nil, err
	}
	return train.RecordTo(f)
}

// OpenEvents returns a writer of event files for TensorBoard.
func (d *Dir) OpenEvents() (b *train.TensorBoard, err error) {
	err = d.within(func(root *os.Root) error {
		own, err := root.OpenRoot(".")
		if err == nil {
			b = train.NewTensorBoard(own, Metrics, time.Now)
		}
		return err
	})
	return b, err
}

// openGrowing opens or creates a file that grows, and its folder.
func (d *Dir) openGrowing(name string) (f *os.File, err error) {
	err = d.within(func(root *os.Root) error {
		if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
			return err
		}
		f, err = files.OpenIn(root, name, os.O_RDWR|os.O_CREATE, 0o644)
		return err
	})
	var pe *fs.PathError
	if errors.As(err, &pe) { // its path is relative to the folder
		err = fmt.Errorf("%s: %w", d.File(name), pe.Err)
	}
	return f, err
}

// within runs do in the folder, the locked one if there is one.
func (d *Dir) within(do func(root *os.Root) error) error {
	if err := d.Own(); err != nil {
		return err
	}
	if d.root != nil {
		return d.reserve.with(func() error { return do(d.root) })
	}
	root, err := os.OpenRoot(d.Path)
	if err != nil {
		return asFileError(d.Path, err)
	}
	defer root.Close()
	return do(root)
}

// Has reports whether the directory has the file.
func (d *Dir) Has(name string) bool {
	info, err := os.Stat(d.File(name))
	return err == nil && info.Mode().IsRegular()
}
