package live

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
)

// header describes a run; it is the first line of a history file.
type header struct {
	Format  string         `json:"format"`
	Version int            `json:"version"`
	Title   string         `json:"title"`
	Meta    map[string]any `json:"meta,omitempty"`
	Steps   int            `json:"steps"`
	Lo      [2]float64     `json:"lo"`
	Hi      [2]float64     `json:"hi"`
	Names   []string       `json:"names,omitempty"` // of the axes
	Data    string         `json:"data,omitempty"`  // base64, see quantise
}

const formatName, formatVersion = "stheno-live", 1

// stored is an encoded frame, or one that is made when it is first asked for.
type stored struct {
	id, step int
	json     []byte                // nil: not yet made
	seconds  float64               // when it was promised
	make     func() (Frame, error) // nil: made
}

// history holds what the page can show, in bounded memory: when a list is full, every second of its older entries goes, so that what is left
// covers the whole run evenly. It is guarded by the server's lock.
type history struct {
	header    header
	rows      [][columns]float64
	frames    []stored
	end       string
	next      int // number of rows ever added
	nextFrame int // one more than the greatest id
	thinnings int // of frames
	maxRows   int
	maxFrames int
}

func (h *history) addRow(r [columns]float64) {
	h.rows = append(h.rows, r)
	h.next++
	if len(h.rows) > h.maxRows {
		h.rows = thin(h.rows)
	}
}

func (h *history) addFrame(s stored) {
	h.frames = append(h.frames, s)
	h.nextFrame = max(h.nextFrame, s.id+1)
	if len(h.frames) > h.maxFrames {
		h.frames = thin(h.frames)
		h.thinnings++
	}
}

// thin drops every second entry of all but the last quarter, and keeps the first.
func thin[T any](s []T) []T {
	old := len(s) * 3 / 4
	out := make([]T, 0, cap(s))
	for i := 0; i < old; i += 2 {
		out = append(out, s[i])
	}
	return append(out, s[old:]...)
}

// frame finds a frame by its id; nil if there is none.
func (h *history) frame(id int) *stored {
	for i := range h.frames {
		if h.frames[i].id == id {
			return &h.frames[i]
		}
	}
	return nil
}

// lastMade returns the last frame that is not only promised; nil if there is none.
func (h *history) lastMade() *stored {
	for i := len(h.frames) - 1; i >= 0; i-- {
		if h.frames[i].json != nil {
			return &h.frames[i]
		}
	}
	return nil
}

// lines writes the history, without what was only promised, in the format of the package comment.
func (h *history) lines(w io.Writer) error {
	b := bufio.NewWriter(w)
	enc := json.NewEncoder(b)
	if err := enc.Encode(h.header); err != nil {
		return err
	}
	var line []byte
	for i := range h.rows {
		line = append(appendRow(append(line[:0], `{"r":`...), &h.rows[i]), "}\n"...)
		b.Write(line)
	}
	for _, f := range h.frames {
		if f.json == nil {
			continue
		}
		b.WriteString(`{"f":`)
		b.Write(f.json)
		b.WriteString("}\n")
	}
	if h.end != "" {
		if err := enc.Encode(map[string]string{"end": h.end}); err != nil {
			return err
		}
	}
	return b.Flush()
}

// clone returns a copy for use without the lock.
func (h *history) clone() *history {
	c := *h
	c.rows = append([][columns]float64(nil), h.rows...)
	c.frames = append([]stored(nil), h.frames...)
	return &c
}

// write stores the history under path, by way of a temporary file.
func (h *history) write(path string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("live: %w", err)
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
			err = fmt.Errorf("live: %w", err)
		}
	}()
	err = errors.Join(h.lines(f), f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	return err
}

// maxLine bounds a line of a history file, and maxFile the file.
const (
	maxLine = 4 << 20
	maxFile = 1 << 30
)

// readHistory reads a history file.
func readHistory(path string) (*history, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("live: %w", err)
	}
	defer f.Close()
	if st, err := f.Stat(); err == nil && st.Size() > maxFile {
		return nil, fmt.Errorf("live: %s has %d bytes, want at most %d", path, st.Size(), maxFile)
	}
	h := &history{maxRows: defaultRows, maxFrames: defaultFrames}
	r := bufio.NewReaderSize(f, 64<<10)
	for n := 1; ; n++ {
		line, err := readLine(r)
		if err == io.EOF && n > 1 {
			return h, nil // what follows the last newline is torn
		}
		if err == io.EOF {
			return nil, fmt.Errorf("live: %s is empty, want a history of format %q", path, formatName)
		}
		if err == nil {
			err = h.readLine(n, line)
		}
		if err != nil {
			return nil, fmt.Errorf("live: %s, line %d: %w", path, n, err)
		}
	}
}

func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(line)+len(part) > maxLine {
			return nil, fmt.Errorf("longer than %d bytes", maxLine)
		}
		line = append(line, part...)
		if err != bufio.ErrBufferFull {
			return line, err
		}
	}
}

func (h *history) readLine(n int, line []byte) error {
	if n == 1 {
		if err := json.Unmarshal(line, &h.header); err != nil {
			return err
		}
		d := &h.header
		if d.Format != formatName || d.Version != formatVersion {
			return fmt.Errorf("format %q version %d, want %q version %d", d.Format, d.Version, formatName, formatVersion)
		}
		if !(d.Lo[0] < d.Hi[0]) || !(d.Lo[1] < d.Hi[1]) {
			return fmt.Errorf("box %v…%v is empty", d.Lo, d.Hi)
		}
		_, err := base64.StdEncoding.DecodeString(d.Data)
		return err
	}
	var v struct {
		R   []*float64      `json:"r"`
		F   json.RawMessage `json:"f"`
		End string          `json:"end"`
	}
	if err := json.Unmarshal(line, &v); err != nil {
		return err
	}
	switch {
	case v.R != nil:
		if len(v.R) != columns {
			return fmt.Errorf("record of %d values, want %d", len(v.R), columns)
		}
		var row [columns]float64
		for i, p := range v.R {
			if row[i] = math.NaN(); p != nil {
				row[i] = *p
			}
		}
		h.addRow(row)
	case v.F != nil:
		var f struct {
			ID   int    `json:"id"`
			Step int    `json:"step"`
			N    int    `json:"n"`
			E    string `json:"e"`
			S    string `json:"s"`
		}
		if err := json.Unmarshal(v.F, &f); err != nil {
			return err
		}
		e, err := base64.StdEncoding.DecodeString(f.E)
		if err == nil {
			_, err = base64.StdEncoding.DecodeString(f.S)
		}
		if err != nil {
			return err
		}
		if f.N < 0 || f.N > 4096 || len(e) != 2*f.N*f.N {
			return fmt.Errorf("frame of %d bytes for %d×%d energies", len(e), f.N, f.N)
		}
		var c bytes.Buffer
		if err := json.Compact(&c, v.F); err != nil {
			return err
		}
		h.addFrame(stored{id: f.ID, step: f.Step, json: c.Bytes()})
	default:
		h.end = v.End
	}
	return nil
}
