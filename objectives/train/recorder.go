package train

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/stheno-ebm/stheno/datasets/files"
)

// Record is one line of metrics.jsonl. Loss and GradNorm are means over the steps since the previous record; Seconds is
// the time of the run so far, over all sessions. Values holds other measurements. A record with an Event marks an
// event, such as a rollback, and has no numbers except Step and Seconds.
type Record struct {
	Step         int
	Loss         float64
	GradNorm     float64
	LearningRate float64
	Seconds      float64
	Values       map[string]float64
	Event        string
}

// AppendJSON appends the record as one JSON object with a fixed order of keys: step, loss, grad_norm, learning_rate,
// the values by name, event, seconds. Numbers are written in full precision; non-finite ones become null.
func (r Record) AppendJSON(b []byte) []byte {
	num := func(key string, v float64) {
		b = append(b, ',')
		b = appendString(b, key)
		b = append(b, ':')
		if math.IsNaN(v) || math.IsInf(v, 0) {
			b = append(b, "null"...)
			return
		}
		b = strconv.AppendFloat(b, v, 'g', -1, 64)
	}
	b = append(b, `{"step":`...)
	b = strconv.AppendInt(b, int64(r.Step), 10)
	if r.Event == "" {
		num("loss", r.Loss)
		num("grad_norm", r.GradNorm)
		num("learning_rate", r.LearningRate)
		for _, name := range slices.Sorted(maps.Keys(r.Values)) {
			num(name, r.Values[name])
		}
	} else {
		b = append(b, `,"event":`...)
		b = appendString(b, r.Event)
	}
	num("seconds", math.Round(r.Seconds*1e4)/1e4)
	return append(b, '}')
}

// appendString appends a JSON string. Plain ones do not allocate.
func appendString(b []byte, s string) []byte {
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			text, _ := json.Marshal(s)
			return append(b, text...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// UnmarshalJSON reads what AppendJSON wrote. null becomes NaN.
func (r *Record) UnmarshalJSON(b []byte) error {
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	*r = Record{}
	step, ok := m["step"].(float64)
	if !ok || step < 0 || step != math.Trunc(step) || step > 1<<53 {
		return errors.New(`no whole number under "step"`)
	}
	r.Step = int(step)
	delete(m, "step")
	for key, v := range m {
		x := math.NaN()
		switch v := v.(type) {
		case float64:
			x = v
		case string:
			if key != "event" {
				return fmt.Errorf("%q is text, want a number", key)
			}
			r.Event = v
			continue
		case nil:
		default:
			return fmt.Errorf("%q is no number", key)
		}
		switch key {
		case "loss":
			r.Loss = x
		case "grad_norm":
			r.GradNorm = x
		case "learning_rate":
			r.LearningRate = x
		case "seconds":
			r.Seconds = x
		default:
			if r.Values == nil {
				r.Values = make(map[string]float64)
			}
			r.Values[key] = x
		}
	}
	return nil
}

// Recorder appends records to a file of JSON lines. A nil *Recorder drops them.
type Recorder struct {
	Log
	buf []byte
}

// NewRecorder opens or creates the file at path for appending.
func NewRecorder(path string) (*Recorder, error) {
	f, err := files.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return RecordTo(f)
}

// RecordTo returns a Recorder that appends to an open file, and closes it in the end, or if there is an error.
func RecordTo(f *os.File) (*Recorder, error) {
	log, err := OpenLog(f)
	if err != nil {
		return nil, err
	}
	return &Recorder{Log: log}, nil
}

// ownKeys are the fields of a record that are not measured values.
var ownKeys = []string{"step", "event", "loss", "grad_norm", "learning_rate", "seconds"}

// Record appends one record and flushes it, so that readers following the file see it.
func (r *Recorder) Record(rec Record) error {
	if r == nil {
		return nil
	}
	for name := range rec.Values {
		if slices.Contains(ownKeys, name) {
			return fmt.Errorf("train: a measured value is called %q, as a field of records is; give it another name",
				name)
		}
	}
	r.buf = append(rec.AppendJSON(r.buf[:0]), '\n')
	return r.Append(r.buf)
}

// Limits of what ReadRecords reads, in bytes.
const (
	maxRecords = 1 << 28 // of a file
	maxRecord  = 1 << 20 // of a line
)

// ReadRecords reads a file of records. An unterminated last line, as left by a running or killed process, is ignored;
// any other damage is an error that names the line.
func ReadRecords(path string) ([]Record, error) {
	f, _, err := files.Open(path)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	defer f.Close()
	return readRecords(f)
}

func readRecords(f *os.File) ([]Record, error) {
	path := f.Name()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	if size := info.Size(); size > maxRecords {
		return nil, fmt.Errorf("train: %s: %w: %d bytes, want at most %d", path, ErrCorrupt, size, maxRecords)
	}
	var records []Record
	in := bufio.NewReaderSize(f, maxRecord)
	for line := 1; ; line++ {
		b, err := in.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF):
			return records, nil
		case errors.Is(err, bufio.ErrBufferFull):
			return nil, fmt.Errorf("train: %s, line %d: %w: a record of more than %d bytes", path, line, ErrCorrupt,
				maxRecord)
		case err != nil:
			return nil, fmt.Errorf("train: %w", err)
		}
		if len(bytes.TrimSpace(b)) == 0 {
			continue
		}
		var r Record
		if err := json.Unmarshal(b, &r); err != nil {
			return nil, fmt.Errorf("train: %s, line %d: %w", path, line, err)
		}
		records = append(records, r)
	}
}

// stopwatch adds the time of this session to that of earlier ones.
type stopwatch struct {
	now    func() time.Time
	before time.Duration
	start  time.Time
}

func (s stopwatch) seconds() float64 { return (s.before + s.now().Sub(s.start)).Seconds() }
