package rundir

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"

	"github.com/stheno-ebm/stheno/datasets/files"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// FrameLog holds the weights at the frames of a run, as float32, from which the animation is drawn after training. It
// is one file of equal-sized records,
//
//	step uint64 | n float32… | CRC-32 of the record so far
//
// little endian. As part of a checkpoint its state is its length.
type FrameLog struct {
	f   *os.File
	n   int    // weights in a frame
	off int64  // end of the last frame
	sum uint32 // CRC-32 of the file so far
	buf []byte
}

var _ train.Stateful = (*FrameLog)(nil)

func frameSize(n int) int64 { return 8 + 4*int64(n) + 4 }

// OpenFrames opens or creates the log of weights of length n.
func (d *Dir) OpenFrames(n int) (*FrameLog, error) {
	f, err := d.openGrowing(Frames)
	if err != nil {
		return nil, err
	}
	return &FrameLog{f: f, n: n, buf: make([]byte, 0, frameSize(n))}, nil
}

// Append adds the weights of a step.
func (l *FrameLog) Append(step int, theta []float64) error {
	b := binary.LittleEndian.AppendUint64(l.buf[:0], uint64(step))
	for _, v := range theta {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(v)))
	}
	b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	if _, err := l.f.WriteAt(b, l.off); err != nil {
		return err
	}
	l.off += int64(len(b))
	l.sum = crc32.Update(l.sum, crc32.IEEETable, b)
	return nil
}

// Close closes the file.
func (l *FrameLog) Close() error { return l.f.Close() }

// MarshalState syncs the file and returns its length and checksum.
func (l *FrameLog) MarshalState() ([]byte, error) {
	if err := l.f.Sync(); err != nil {
		return nil, err
	}
	return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint64(nil, uint64(l.off)), l.sum), nil
}

// UnmarshalState truncates the file to the length it had, after checking that the content is unchanged.
func (l *FrameLog) UnmarshalState(b []byte) error {
	if len(b) != 12 {
		return fmt.Errorf("state of the frames: wrong length")
	}
	off, sum := int64(binary.LittleEndian.Uint64(b)), binary.LittleEndian.Uint32(b[8:])
	h := crc32.NewIEEE()
	n, err := io.Copy(h, io.NewSectionReader(l.f, 0, off))
	if err != nil {
		return err
	}
	if n != off {
		return fileErrorf(l.f.Name(), "%s has %d bytes, the checkpoint knows of %d: it was truncated", l.f.Name(), n,
			off)
	}
	if h.Sum32() != sum {
		return fileErrorf(l.f.Name(), "%s is damaged: its checksum does not match", l.f.Name())
	}
	if err := l.f.Truncate(off); err != nil {
		return err
	}
	l.off, l.sum = off, sum
	return nil
}

// Reset empties the log.
func (l *FrameLog) Reset() error {
	l.off, l.sum = 0, 0
	return l.f.Truncate(0)
}

// Frame is the weights after a step.
type Frame struct {
	Step  int
	Theta []float64
}

// Len returns the number of frames.
func (l *FrameLog) Len() int { return int(l.off / frameSize(l.n)) }

// decodeFrame reads a record, checking its checksum.
func decodeFrame(b []byte) (Frame, bool) {
	body, sum := b[:len(b)-4], binary.LittleEndian.Uint32(b[len(b)-4:])
	if crc32.ChecksumIEEE(body) != sum {
		return Frame{}, false
	}
	f := Frame{Step: int(binary.LittleEndian.Uint64(body)), Theta: make([]float64, (len(body)-8)/4)}
	for i := range f.Theta {
		f.Theta[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(body[8+4*i:])))
	}
	return f, true
}

// ReadFrame reads frame k of the log of weights of length n, even while the log is being written.
func (d *Dir) ReadFrame(n, k int) (Frame, error) {
	path := d.File(Frames)
	f, _, err := files.Open(path)
	if err != nil {
		return Frame{}, asFileError(path, err)
	}
	defer f.Close()
	b := make([]byte, frameSize(n))
	if _, err := f.ReadAt(b, int64(k)*frameSize(n)); err != nil {
		return Frame{}, fileErrorf(path, "%s: frame %d: %w", path, k+1, err)
	}
	fr, ok := decodeFrame(b)
	if !ok {
		return Frame{}, fileErrorf(path, "%s: frame %d: its checksum does not match", path, k+1)
	}
	return fr, nil
}

// ReadFrames reads the log of weights of length n. An incomplete last record, as left by a killed run, is ignored; any
// other damage is an error.
func (d *Dir) ReadFrames(n int) ([]Frame, error) {
	path := d.File(Frames)
	f, _, err := files.Open(path)
	if err != nil {
		return nil, fileErrorf(path, "no frames to draw: %w", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, fileErrorf(path, "%s is no regular file", path)
	}
	b := make([]byte, frameSize(n))
	var frames []Frame
	for k := 1; ; k++ {
		if _, err := io.ReadFull(f, b); err == io.EOF || err == io.ErrUnexpectedEOF {
			return frames, nil
		} else if err != nil {
			return nil, asFileError(path, err)
		}
		fr, ok := decodeFrame(b)
		if !ok {
			return nil, fileErrorf(path, "%s: frame %d: its checksum does not match", path, k)
		}
		frames = append(frames, fr)
	}
}
