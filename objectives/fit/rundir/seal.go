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

// sealFile holds the SHA-256 sums of the files of a finished run. model.safetensors is not among them: it carries its
// own sum, and may be replaced by weights from elsewhere.
const sealFile = "checkpoint/sums.json"

// sealed are the files of a finished run; those that it does not have are left out.
var sealed = []string{Config, Data, State, Frames, Metrics, Eval, Samples, Panel, Animation}

// Seal marks the run as finished and remembers what its files hold.
func (d *Dir) Seal() error {
	sums := make(map[string]string)
	for _, name := range sealed {
		var sum string
		err := d.reserve.with(func() (err error) {
			sum, err = d.sum(name)
			return err
		})
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		sums[name] = sum
	}
	return errors.Join(d.writeSeal(sums), d.dropOlder())
}

// Redrawn takes a picture that was drawn anew over the one of the finished run into the sums. Other paths are no matter.
func (d *Dir) Redrawn(path string) error {
	for _, name := range []string{Panel, Animation} {
		if filepath.Clean(path) != filepath.Clean(d.File(name)) || !d.Sealed() {
			continue
		}
		sums, err := d.readSeal()
		if err != nil {
			return err
		}
		if sums[name], err = d.sum(name); err != nil {
			return err
		}
		return d.writeSeal(sums)
	}
	return nil
}

func (d *Dir) writeSeal(sums map[string]string) error {
	b, err := json.MarshalIndent(seal{sums, digest(sums)}, "", "  ")
	if err != nil {
		return err
	}
	return d.Write(sealFile, append(b, '\n'))
}

// readSeal returns the sums, nil for a run that is not finished.
func (d *Dir) readSeal() (map[string]string, error) {
	b, err := ReadText(d.File(sealFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if errors.Is(err, files.ErrNotRegular) {
		return nil, asFileError(d.File(sealFile), err) // it names the file
	}
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		err = pe.Err // the file is named below
	}
	var sums seal
	if err == nil {
		err = json.Unmarshal(b, &sums)
	}
	if err == nil && sums.SHA256 != digest(sums.Files) {
		err = errors.New("its checksum does not match")
	}
	if err != nil {
		return nil, fileErrorf(d.File(sealFile), "%s is damaged: %w", d.File(sealFile), err)
	}
	return sums.Files, nil
}

// seal is the content of the file: the sums of the files, and of the sums.
type seal struct {
	Files  map[string]string `json:"files"`
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

// Check fails if the run is finished and a named file is not what it was then. Without names all are looked at.
func (d *Dir) Check(names ...string) error {
	sums, err := d.readSeal()
	if err != nil || sums == nil {
		return err
	}
	if len(names) == 0 {
		names = sealed
	}
	for _, name := range names {
		want, ok := sums[name]
		if !ok {
			continue
		}
		got, err := d.sum(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return fileErrorf(d.File(name), "%s is missing", d.File(name))
		case err != nil:
			return asFileError(d.File(name), err)
		case got != want:
			return fileErrorf(d.File(name), "%s is damaged: it is not what the run wrote (its checksum differs)", d.File(name))
		}
	}
	return nil
}

func (d *Dir) sum(name string) (string, error) {
	path := d.File(name)
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fileErrorf(path, "%s is no regular file", path)
	}
	f, _, err := files.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Clean removes what a killed process may have left half-written.
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

// leftover tells the temporary names of atomic writes.
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
