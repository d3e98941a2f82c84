package train

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"syscall"
	"time"

	"github.com/stheno-ebm/stheno/datasets/files"
)

// A checkpoint file is
//
//	"STHENOCP" | version uint32 | number of sections uint32 | sections… | SHA-256 of everything before it
//
// with every section as name, bytes, each preceded by its length as uint64, little endian. Its size is that of the
// state; it is read as a whole.
const (
	checkpointMagic   = "STHENOCP"
	checkpointVersion = 1
	checkpointMax     = 2 << 30 // bytes; a larger file is not read
	checkpointLarge   = 1 << 24 // bytes; a larger file is checked before it is kept in memory
)

// ErrCorrupt is wrapped by the error about a damaged file, whose text names the file and the damage.
var ErrCorrupt = errors.New("damaged file")

// Snapshot is the complete state of a run between two steps: named sections of bytes.
type Snapshot map[string][]byte

// Encode returns the bytes of a checkpoint file. Equal snapshots give equal bytes.
func (s Snapshot) Encode() []byte {
	size := len(checkpointMagic) + 8 + sha256.Size
	for name, b := range s {
		size += 16 + len(name) + len(b)
	}
	e := encoder{b: make([]byte, 0, size)}
	e.b = append(e.b, checkpointMagic...)
	e.b = binary.LittleEndian.AppendUint32(e.b, checkpointVersion)
	e.b = binary.LittleEndian.AppendUint32(e.b, uint32(len(s)))
	for _, name := range slices.Sorted(maps.Keys(s)) {
		e.bytes([]byte(name))
		e.bytes(s[name])
	}
	sum := sha256.Sum256(e.b)
	return append(e.b, sum[:]...)
}

// decodeSnapshot reads the bytes of a checkpoint file. The sections alias b.
func decodeSnapshot(b []byte) (Snapshot, error) {
	const head = len(checkpointMagic) + 8
	if len(b) < len(checkpointMagic) || string(b[:len(checkpointMagic)]) != checkpointMagic[:] {
		if len(b) == 0 {
			return nil, fmt.Errorf("%w: the file is empty", ErrCorrupt)
		}
		return nil, fmt.Errorf("%w: it does not begin with %q", ErrCorrupt, checkpointMagic)
	}
	if len(b) < head+sha256.Size {
		return nil, fmt.Errorf("%w: cut short at %d bytes", ErrCorrupt, len(b))
	}
	if v := binary.LittleEndian.Uint32(b[8:]); v != checkpointVersion {
		return nil, fmt.Errorf("checkpoint format version %d, this program reads version %d: use the program that "+
			"wrote it, or a newer one", v, checkpointVersion)
	}
	body, sum := b[:len(b)-sha256.Size], b[len(b)-sha256.Size:]
	if got := sha256.Sum256(body); !bytes.Equal(got[:], sum) {
		return nil, fmt.Errorf("%w: its checksum does not match (truncated or changed)", ErrCorrupt)
	}
	n := binary.LittleEndian.Uint32(b[12:])
	d := decoder{b: body[head:]}
	s := make(Snapshot)
	for range n {
		name := string(d.bytes())
		data := d.bytes()
		if d.bad {
			break
		}
		s[name] = data
	}
	if err := d.finish("checkpoint"); err != nil || len(s) != int(n) {
		return nil, fmt.Errorf("%w: its sections do not fill it", ErrCorrupt)
	}
	return s, nil
}

// ReadSnapshot reads a checkpoint file. A large one is read into memory only after checking its sections and its
// checksum.
func ReadSnapshot(path string) (Snapshot, error) {
	f, size, err := files.Open(path)
	if err != nil {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("train: %s: %w", path, fs.ErrNotExist)
		case errors.Is(err, files.ErrNotRegular):
			return nil, fmt.Errorf("train: %w: %w", ErrCorrupt, err)
		}
		return nil, fmt.Errorf("train: %w", err)
	}
	defer f.Close()
	if size > checkpointMax {
		return nil, fmt.Errorf("train: %s: %w: %d bytes, want at most %d", path, ErrCorrupt, size, int64(checkpointMax))
	}
	if size > checkpointLarge {
		if err := checkSnapshot(f, size); err != nil {
			return nil, fmt.Errorf("train: %s: %w", path, err)
		}
	}
	b := make([]byte, size)
	if _, err := io.ReadFull(io.NewSectionReader(f, 0, size), b); err != nil {
		return nil, fmt.Errorf("train: %s: %w", path, err)
	}
	s, err := decodeSnapshot(b)
	if err != nil {
		return nil, fmt.Errorf("train: %s: %w", path, err)
	}
	return s, nil
}

// maxKept is the highest number searched for kept checkpoints.
const maxKept = 9

// ReadNewest reads the checkpoint file at path or, if that is damaged or missing, the newest intact one kept beside it
// by files.KeepIn as path.1, path.2 and so on: older is its number. The error is about the file at path, even if an
// older one replaces it; if there is none, the snapshot is nil.
func ReadNewest(path string) (s Snapshot, older int, err error) {
	s, err = ReadSnapshot(path)
	if !passable(err) {
		return s, 0, err
	}
	for k := 1; k <= maxKept; k++ {
		if s, e := ReadSnapshot(files.Kept(path, k)); e == nil {
			return s, k, err
		}
	}
	return nil, 0, err
}

// passable reports whether an older file can help: it distinguishes damage to a file, or the disk below it, from other
// errors.
func passable(err error) bool {
	return errors.Is(err, ErrCorrupt) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.EIO)
}

// Step returns the number of steps after which a snapshot was taken; 0 if unknown.
func (s Snapshot) Step() int {
	d := decoder{b: s["run"]}
	return int(d.uint64())
}

// checkSnapshot checks the section lengths of a checkpoint, then its checksum, without keeping anything in memory.
func checkSnapshot(f io.ReaderAt, size int64) error {
	const head = int64(len(checkpointMagic) + 8)
	first := make([]byte, head)
	if _, err := f.ReadAt(first, 0); err != nil {
		return err
	}
	if string(first[:len(checkpointMagic)]) != checkpointMagic ||
		binary.LittleEndian.Uint32(first[8:]) != checkpointVersion {
		_, err := decodeSnapshot(append(first, make([]byte, sha256.Size)...)) // says which of the two
		return err
	}
	at, end := head, size-sha256.Size
	var length [8]byte
	for range 2 * int64(binary.LittleEndian.Uint32(first[12:])) {
		if at+8 > end {
			return fmt.Errorf("%w: its sections do not fill it", ErrCorrupt)
		}
		if _, err := f.ReadAt(length[:], at); err != nil {
			return err
		}
		n := binary.LittleEndian.Uint64(length[:])
		if n > uint64(end-at-8) {
			return fmt.Errorf("%w: its sections do not fill it", ErrCorrupt)
		}
		at += 8 + int64(n)
	}
	if at != end {
		return fmt.Errorf("%w: its sections do not fill it", ErrCorrupt)
	}
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(f, 0, end)); err != nil {
		return err
	}
	sum := make([]byte, sha256.Size)
	if _, err := f.ReadAt(sum, end); err != nil {
		return err
	}
	if !bytes.Equal(h.Sum(nil), sum) {
		return fmt.Errorf("%w: its checksum does not match (truncated or changed)", ErrCorrupt)
	}
	return nil
}

// section returns the bytes of a section or an error that names it.
func (s Snapshot) section(name string) ([]byte, error) {
	b, ok := s[name]
	if !ok {
		return nil, fmt.Errorf("train: checkpoint has no section %q: it belongs to a run with other settings", name)
	}
	return b, nil
}

// parameters returns θ.
func (s Snapshot) parameters() ([]float64, error) {
	b, err := s.section("theta")
	if err != nil {
		return nil, err
	}
	d := decoder{b: b}
	theta := d.floats()
	return theta, d.finish("θ")
}

// snapshot collects the complete state.
func (r *runner) snapshot() (Snapshot, error) {
	var run, theta encoder
	run.uint64(uint64(r.step))
	run.uint64(r.attempt)
	run.float64(r.scale)
	run.float64(r.loss)
	run.float64(r.sumLoss)
	run.float64(r.sumNorm)
	run.uint64(r.window)
	run.float64(r.watch.seconds())
	theta.floats(r.cfg.Params.Data())
	s := Snapshot{"run": run.b, "theta": theta.b, "fingerprint": []byte(r.cfg.Fingerprint)}
	for _, part := range r.parts {
		b, err := part.MarshalState()
		if err != nil {
			return nil, fmt.Errorf("train: checkpoint of the %s: %w", part.name, err)
		}
		s[part.name] = b
	}
	return s, nil
}

// restore restores a snapshot; the elapsed time only if the run is resumed.
func (r *runner) restore(s Snapshot, resume bool) error {
	fp, err := s.section("fingerprint")
	if err != nil {
		return err
	}
	if string(fp) != r.cfg.Fingerprint {
		return ErrSettings
	}
	b, err := s.section("run")
	if err != nil {
		return err
	}
	d := decoder{b: b}
	step, attempt := d.uint64(), d.uint64()
	scale, loss, sumLoss, sumNorm := d.float64(), d.float64(), d.float64(), d.float64()
	window, seconds := d.uint64(), d.float64()
	if err := d.finish("run"); err != nil {
		return err
	}
	if step > 1<<53 || attempt > 1<<31 {
		return fmt.Errorf("train: state of the run: step %d after %d rollbacks", step, attempt)
	}
	theta, err := s.parameters()
	if err != nil {
		return err
	}
	if len(theta) != len(r.cfg.Params.Data()) {
		return fmt.Errorf("train: the checkpoint has %d parameters, the energy %d", len(theta),
			len(r.cfg.Params.Data()))
	}
	for _, part := range r.parts {
		if b, err = s.section(part.name); err != nil {
			return err
		}
		if err := part.UnmarshalState(b); err != nil {
			return err
		}
	}
	if n := len(r.average.Theta()); n != len(theta) {
		return fmt.Errorf("train: the checkpoint has %d parameters and averages of %d", len(theta), n)
	}
	copy(r.cfg.Params.Data(), theta)
	r.cfg.Params.Changed()
	r.step, r.attempt, r.scale, r.loss = int(step), attempt, scale, loss
	r.sumLoss, r.sumNorm, r.window = sumLoss, sumNorm, window
	if resume {
		r.watch.before = time.Duration(seconds * float64(time.Second))
	}
	return nil
}

// resume continues from a snapshot and the states to go back to that it holds.
func (r *runner) resume(s Snapshot) error {
	if err := r.restore(s, true); err != nil {
		return err
	}
	r.good = s
	for name, to := range map[string]*Snapshot{"rollback": &r.good, "start": &r.first, "kept": &r.kept} {
		if nested, ok := s[name]; ok {
			state, err := decodeSnapshot(nested)
			if err != nil {
				return fmt.Errorf("train: state to go back to (%s): %w", name, err)
			}
			*to = state
		}
	}
	return nil
}

// checkpoint makes the current state the one to go back to, unless the Contrast chooses that, and writes it.
func (r *runner) checkpoint() error {
	if r.judged() && r.good != nil {
		return r.stop()
	}
	s, err := r.snapshot()
	if err != nil {
		if r.cfg.Checkpoint == "" && errors.Is(err, ErrNoState) {
			r.good = nil
			return nil
		}
		return err
	}
	r.good = s
	return r.store(s)
}

// stop writes the current state together with the one to go back to, without making them the same: a run resumed from
// here rolls back to where an uninterrupted run would.
func (r *runner) stop() error {
	if r.cfg.Checkpoint == "" {
		return nil
	}
	s, err := r.snapshot()
	if err != nil {
		return err
	}
	if r.good != nil {
		s["rollback"] = r.good.Encode()
	}
	if r.first != nil && 4*r.step <= 3*r.cfg.Steps { // see stirred
		s["start"] = r.first.Encode()
	}
	if r.kept != nil {
		s["kept"] = r.kept.Encode()
	}
	return r.store(s)
}

func (r *runner) store(s Snapshot) error {
	if r.cfg.Checkpoint == "" {
		return nil
	}
	if hook := r.cfg.Hooks.Checkpoint; hook != nil {
		if err := hook(r.step); err != nil {
			return err
		}
	}
	if r.cfg.Store != nil {
		return r.cfg.Store(s.Encode())
	}
	return files.Write(r.cfg.Checkpoint, s.Encode())
}
