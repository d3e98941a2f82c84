package rundir

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stheno-ebm/stheno/datasets/files"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// sealFile holds the SHA-256 sums of the files of a finished run. model.safetensors is not included: it has its own
// sum, and may be replaced by weights from elsewhere.
const sealFile = "checkpoint/sums.json"

// sealed lists the files of a finished run; missing ones are skipped.
var sealed = []string{Config, Data, State, Frames, Metrics, Eval, Samples, Panel, Pairs, Animation}

// Seal marks the run as finished and records the sums of its files.
func (d *Dir) Seal() error {
	sums, sizes := make(map[string]string), make(map[string]int64)
	for _, name := range sealed {
		var sum string
		var size int64
		err := d.reserve.with(func() (err error) {
			sum, size, err = d.sum(name)
			return err
		})
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		sums[name], sizes[name] = sum, size
	}
	return errors.Join(d.writeSeal(seal{Files: sums, Sizes: sizes}), d.dropOlder())
}

// Redrawn updates the sum of a picture of the finished run that was drawn again. Other paths are ignored.
func (d *Dir) Redrawn(path string) error {
	for _, name := range []string{Panel, Pairs, Animation} {
		if filepath.Clean(path) != filepath.Clean(d.File(name)) || !d.Sealed() {
			continue
		}
		s, err := d.readSeal()
		if err != nil {
			return err
		}
		if s.Sizes == nil {
			s.Sizes = make(map[string]int64)
		}
		if s.Files[name], s.Sizes[name], err = d.sum(name); err != nil {
			return err
		}
		return d.writeSeal(s)
	}
	return nil
}

func (d *Dir) writeSeal(s seal) error {
	s.SHA256 = digest(s.Files)
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return d.Write(sealFile, append(b, '\n'))
}

// readSeal returns the sums, none for a run that is not finished.
func (d *Dir) readSeal() (sums seal, err error) {
	b, err := ReadText(d.File(sealFile))
	if errors.Is(err, fs.ErrNotExist) {
		return sums, nil
	}
	if errors.Is(err, files.ErrNotRegular) {
		return sums, asFileError(d.File(sealFile), err) // it names the file
	}
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		err = pe.Err // the file is named below
	}
	if err == nil {
		err = json.Unmarshal(b, &sums)
	}
	if err == nil && sums.SHA256 != digest(sums.Files) {
		err = errors.New("its checksum does not match")
	}
	if err != nil {
		return seal{}, fileErrorf(d.File(sealFile), "%s is damaged: %w", d.File(sealFile), err)
	}
	return sums, nil
}

// seal is the content of the file: the sums of the files, and of the sums. The sizes, which may be missing, spare the
// reading of files that have grown to gigabytes.
type seal struct {
	Files  map[string]string `json:"files"`
	Sizes  map[string]int64  `json:"sizes,omitempty"`
	SHA256 string            `json:"sha256"`
}

func digest(sums map[string]string) string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		fmt.Fprintf(h, "%s %s\n", name, sums[name])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Sealed reports whether the run is finished.
func (d *Dir) Sealed() bool { return d.Has(sealFile) }

// Check fails if the run is finished and a named file has changed since. Without names it checks all files.
func (d *Dir) Check(names ...string) error {
	sums, err := d.readSeal()
	if err != nil || sums.Files == nil {
		return err
	}
	if len(names) == 0 {
		names = sealed
	}
	for _, name := range names {
		want, ok := sums.Files[name]
		if !ok {
			continue
		}
		got := ""
		info, err := os.Stat(d.File(name))
		if size, ok := sums.Sizes[name]; err == nil && (!ok || !info.Mode().IsRegular() || info.Size() == size) {
			got, _, err = d.sum(name)
		}
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return fileErrorf(d.File(name), "%s is missing", d.File(name))
		case err != nil:
			return asFileError(d.File(name), err)
		case got != want:
			return fileErrorf(d.File(name), "%s is damaged: it is not what the run wrote (its checksum differs)",
				d.File(name))
		}
	}
	return nil
}

// sum returns the SHA-256 of a file, and how many bytes it has.
func (d *Dir) sum(name string) (sum string, size int64, err error) {
	path := d.File(name)
	info, err := os.Stat(path)
	if err != nil {
		return "", 0, err
	}
	if !info.Mode().IsRegular() {
		return "", 0, fileErrorf(path, "%s is no regular file", path)
	}
	f, _, err := files.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	if size, err = io.Copy(h, f); err != nil {
		return "", 0, err
	}
	return hex.EncodeToString(h.Sum(nil)), size, nil
}

// Clean removes files that a killed process may have left half-written.
func (d *Dir) Clean() {
	for _, dir := range []string{d.Path, d.File("checkpoint")} {
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			if leftover(e.Name()) {
				os.Remove(filepath.Join(dir, e.Name()))
			}
		}
	}
}

// leftover reports whether name is a temporary name of atomic writes.
func leftover(name string) bool {
	if !strings.HasPrefix(name, ".") {
		return false
	}
	for _, f := range append([]string{Model, sealFile}, sealed...) {
		if strings.HasPrefix(name, "."+filepath.Base(f)+".") {
			return true
		}
	}
	return strings.HasPrefix(name, "."+train.EventFilePrefix)
}
