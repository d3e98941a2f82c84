package rundir

import (
	"encoding/binary"
	"hash/crc32"
	"io"
	"math"

	"github.com/stheno-ebm/stheno/datasets/files"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// FrameLog holds the weights at the frames of a run, as float32, from which the animation is drawn after training. It
// is one file of equal-sized records,
//
//	step uint64 | n float32… | CRC-32 of the record so far
//
// little endian.
type FrameLog struct {
	train.Log
	path string
	n    int // weights in a frame
	buf  []byte
}

func frameSize(n int) int64 { return 8 + 4*int64(n) + 4 }

// OpenFrames opens or creates the log of weights of length n.
func (d *Dir) OpenFrames(n int) (*FrameLog, error) {
	f, err := d.openGrowing(Frames)
	if err != nil {
		return nil, err
	}
	log, err := train.OpenLog(f)
	if err != nil {
		return nil, err
	}
	return &FrameLog{Log: log, path: d.File(Frames), n: n, buf: make([]byte, 0, frameSize(n))}, nil
}

// Append adds the weights of a step.
func (l *FrameLog) Append(step int, theta []float64) error {
	b := binary.LittleEndian.AppendUint64(l.buf[:0], uint64(step))
	for _, v := range theta {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(v)))
	}
	return l.Log.Append(binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b)))
}

// UnmarshalState truncates the file to the length it had, after checking that what is left is unchanged.
func (l *FrameLog) UnmarshalState(b []byte) error {
	return asFileError(l.path, l.Log.UnmarshalState(b))
}

// Frame is the weights after a step.
type Frame struct {
	Step  int
	Theta []float64
}

// Len returns the number of frames.
func (l *FrameLog) Len() int { return int(l.Size() / frameSize(l.n)) }

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
