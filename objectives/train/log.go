package train

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
)

// Log is a file that grows by whole records. As part of a checkpoint its state is its length and the CRC-32 of its
// content: restoring a state truncates the file, and fails if what is left was changed.
type Log struct {
	f   *os.File
	off int64  // bytes of whole records
	sum uint32 // their CRC-32
}

var _ Stateful = (*Log)(nil)

// OpenLog returns a log that appends to an open file, and closes it in the end, or if there is an error.
func OpenLog(f *os.File) (l Log, err error) {
	if f == nil {
		return l, errors.New("train: no file to append to")
	}
	l.f = f
	if l.off, l.sum, err = l.checksum(math.MaxInt64); err != nil {
		f.Close()
	}
	return l, err
}

// checksum reads at most n bytes.
func (l *Log) checksum(n int64) (read int64, sum uint32, err error) {
	h := crc32.NewIEEE()
	if read, err = io.Copy(h, io.NewSectionReader(l.f, 0, n)); err != nil {
		err = fmt.Errorf("train: %w", err)
	}
	return read, h.Sum32(), err
}

// Append writes a record, so that readers following the file see it.
func (l *Log) Append(record []byte) error {
	if _, err := l.f.WriteAt(record, l.off); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	l.off += int64(len(record))
	l.sum = crc32.Update(l.sum, crc32.IEEETable, record)
	return nil
}

// Size returns the bytes of the records.
func (l *Log) Size() int64 { return l.off }

// Reset empties the file.
func (l *Log) Reset() error { return l.cut(0, 0) }

func (l *Log) cut(off int64, sum uint32) error {
	if err := l.f.Truncate(off); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	l.off, l.sum = off, sum
	return nil
}

// Close syncs and closes the file.
func (l *Log) Close() error { return errors.Join(l.f.Sync(), l.f.Close()) }

// MarshalState syncs the file and returns its length and checksum.
func (l *Log) MarshalState() ([]byte, error) {
	if err := l.f.Sync(); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint64(nil, uint64(l.off)), l.sum), nil
}

// UnmarshalState truncates the file to the length it had, after checking that what is left is unchanged.
func (l *Log) UnmarshalState(b []byte) error {
	if len(b) != 12 {
		return errors.New("train: state of a log: wrong length")
	}
	off, sum := int64(binary.LittleEndian.Uint64(b)), binary.LittleEndian.Uint32(b[8:])
	n, got, err := l.checksum(max(off, 0))
	switch {
	case err != nil:
		return err
	case n != off:
		return fmt.Errorf("train: %s has %d bytes, the checkpoint knows of %d: it was truncated: %w", l.f.Name(), n,
			off, ErrCorrupt)
	case got != sum:
		return fmt.Errorf("train: %s was changed since the checkpoint, its checksum differs: %w", l.f.Name(),
			ErrCorrupt)
	}
	return l.cut(off, sum)
}
