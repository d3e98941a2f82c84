package train

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
)

// A checkpoint file is
//
//	"STHENOCP" | version uint32 | number of sections uint32 | sections… | SHA-256 of all that stands before it
//
// with every section as name, bytes, each preceded by its length as uint64, little endian. Its size is that of the
// state; it is read as a whole.
const (
	checkpointMagic   = "STHENOCP"
	CheckpointVersion = 1
	checkpointMax     = 4 << 30 // bytes; a larger file is not read
)

// ErrCorrupt is what every damaged file is reported as; the error's text names the file and the damage.
var ErrCorrupt = errors.New("damaged file")

// Snapshot is the complete state of a run between two steps: named sections of bytes.
type Snapshot map[string][]byte

// Encode returns the bytes of a checkpoint file. Equal snapshots give equal bytes.
func (s Snapshot) Encode() []byte {
	var e encoder
	e.b = append(e.b, checkpointMagic...)
	e.b = binary.LittleEndian.AppendUint32(e.b, CheckpointVersion)
	e.b = binary.LittleEndian.AppendUint32(e.b, uint32(len(s)))
	names := make([]string, 0, len(s))
	for name := range s {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		e.bytes([]byte(name))
		e.bytes(s[name])
	}
	sum := sha256.Sum256(e.b)
	return append(e.b, sum[:]...)
}

// DecodeSnapshot reads the bytes of a checkpoint file. The sections alias b.
func DecodeSnapshot(b []byte) (Snapshot, error) {
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
	if v := binary.LittleEndian.Uint32(b[8:]); v != CheckpointVersion {
		return nil, fmt.Errorf("checkpoint format version %d, this program reads version %d: use the program that wrote it, or a newer one", v, CheckpointVersion)
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

// ReadSnapshot reads a checkpoint file.
func ReadSnapshot(path string) (Snapshot, error) {
	info, err := os.Stat(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("train: %s: %w", path, fs.ErrNotExist)
		}
		return nil, fmt.Errorf("train: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("train: %s: %w: not a regular file", path, ErrCorrupt)
	}
	if info.Size() > checkpointMax {
		return nil, fmt.Errorf("train: %s: %w: %d bytes, want at most %d", path, ErrCorrupt, info.Size(), int64(checkpointMax))
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	s, err := DecodeSnapshot(b)
	if err != nil {
		return nil, fmt.Errorf("train: %s: %w", path, err)
	}
	return s, nil
}

// section returns the bytes of a section or an error that names it.
func (s Snapshot) section(name string) ([]byte, error) {
	b, ok := s[name]
	if !ok {
		return nil, fmt.Errorf("train: checkpoint has no section %q: it belongs to a run with other settings", name)
	}
	return b, nil
}
