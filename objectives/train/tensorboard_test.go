package train

import (
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
)

// A reader of event files that shares nothing with the writer: it computes checksums bit by bit, and reads protocol
// buffers by hand.

// crc32c is the remainder by the reflected polynomial 0x82f63b78.
func crc32c(b []byte) uint32 {
	c := ^uint32(0)
	for _, x := range b {
		c ^= uint32(x)
		for range 8 {
			c = c>>1 ^ 0x82f63b78*(c&1)
		}
	}
	return ^c
}

func unmask(m uint32) uint32 {
	c := m - 0xa282ead8
	return c<<15 | c>>17
}

// The vectors are those of RFC 3720, B.4, and the usual one.
func TestCRC32C(t *testing.T) {
	ascending := make([]byte, 32)
	for i := range ascending {
		ascending[i] = byte(i)
	}
	for want, b := range map[uint32][]byte{0x8a9136aa: make([]byte, 32), 0x46dd794e: ascending,
		0xe3069283: []byte("123456789")} {
		if got := crc32c(b); got != want {
			t.Errorf("reader: got %#x, want %#x", got, want)
		}
		if got := unmask(maskedCRC(b)); got != want {
			t.Errorf("writer: got %#x, want %#x", got, want)
		}
	}
}

// field is one field of a protocol buffer.
type field struct {
	number uint64
	value  uint64 // of numbers
	bytes  []byte
}

func fields(t *testing.T, b []byte) (list []field) {
	t.Helper()
	varint := func() (v uint64) {
		for shift := 0; ; shift += 7 {
			if len(b) == 0 || shift > 63 {
				t.Fatal("bad number")
			}
			x := b[0]
			b = b[1:]
			v |= uint64(x&0x7f) << shift
			if x < 0x80 {
				return v
			}
		}
	}
	for len(b) > 0 {
		tag := varint()
		f := field{number: tag >> 3}
		n := uint64(0)
		switch tag & 7 {
		case 0:
			f.value = varint()
		case 1:
			f.value, n = binary.LittleEndian.Uint64(b), 8
		case 2:
			n = varint()
			f.bytes = b[:n]
		case 5:
			f.value, n = uint64(binary.LittleEndian.Uint32(b)), 4
		default:
			t.Fatalf("field %d of kind %d", tag>>3, tag&7)
		}
		b = b[n:]
		list = append(list, f)
	}
	return list
}

// event is what a reader sees.
type event struct {
	wall    float64
	step    int
	scalars map[string]float32
	text    string
	version string
	start   bool
}

func readEvents(t *testing.T, path string) (events []event) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for len(b) > 0 {
		n := binary.LittleEndian.Uint64(b)
		if got := unmask(binary.LittleEndian.Uint32(b[8:])); got != crc32c(b[:8]) {
			t.Fatalf("checksum of a length: %#x, want %#x", got, crc32c(b[:8]))
		}
		data := b[12 : 12+n]
		if got := unmask(binary.LittleEndian.Uint32(b[12+n:])); got != crc32c(data) {
			t.Fatalf("checksum of an event: %#x, want %#x", got, crc32c(data))
		}
		b = b[16+n:]
		var e event
		for _, f := range fields(t, data) {
			switch f.number {
			case 1:
				e.wall = math.Float64frombits(f.value)
			case 2:
				e.step = int(f.value)
			case 3:
				e.version = string(f.bytes)
			case 5:
				e.summary(t, f.bytes)
			case 7:
				e.start = reflect.DeepEqual(fields(t, f.bytes), []field{{number: 1, value: 1}})
			}
		}
		events = append(events, e)
	}
	return events
}

func (e *event) summary(t *testing.T, b []byte) {
	t.Helper()
	e.scalars = map[string]float32{}
	for _, value := range fields(t, b) {
		var tag string
		for _, f := range fields(t, value.bytes) {
			switch f.number {
			case 1:
				tag = string(f.bytes)
			case 2:
				e.scalars[tag] = math.Float32frombits(uint32(f.value))
			case 8: // TensorProto
				for _, f := range fields(t, f.bytes) {
					if f.number == 8 {
						e.text = string(f.bytes)
					}
				}
			}
		}
	}
}

// sameEvents fails unless the one event file in dir says what the records say.
func sameEvents(t *testing.T, dir string, records []Record) {
	t.Helper()
	files := EventFiles(dir)
	if len(files) != 1 {
		t.Fatalf("event files %v, want one", files)
	}
	if !strings.Contains(filepath.Base(files[0]), "tfevents") {
		t.Errorf("TensorBoard does not look at %s", files[0])
	}
	events := readEvents(t, files[0])
	if len(events) != len(records)+2 || events[0].version != "brain.Event:2" || !events[1].start {
		t.Fatalf("%d events for %d records: %+v", len(events), len(records), events[:2])
	}
	now, last := float64(time.Now().UnixNano())/1e9, 0.0
	for i, e := range events[2:] {
		r := records[i]
		want := map[string]float32{}
		if r.Event == "" {
			want = map[string]float32{"loss": float32(r.Loss), "grad_norm": float32(r.GradNorm),
				"learning_rate": float32(r.LearningRate)}
			for k, v := range r.Values {
				want[k] = float32(v)
			}
		}
		if e.step != r.Step || e.text != r.Event || !reflect.DeepEqual(e.scalars, want) {
			t.Errorf("got %+v, want %+v", e, r)
		}
		if e.wall < last || e.wall > now+60 || e.wall < now-3600 {
			t.Errorf("event %d at %f, the one before at %f, now %f", i, e.wall, last, now)
		}
		last = e.wall
	}
}

// A run, a second session that cuts back what came after the checkpoint, and a rollback: the event file says the same
// as metrics.jsonl.
func TestTensorBoard(t *testing.T) {
	dir := t.TempDir()
	metrics := filepath.Join(dir, "metrics.jsonl")
	rec, err := NewRecorder(metrics)
	if err != nil {
		t.Fatal(err)
	}
	write := func(tb *TensorBoard, r Record) {
		t.Helper()
		if err := rec.Record(r); err != nil {
			t.Fatal(err)
		}
		tb.Record(r)
		if err := tb.Err(); err != nil {
			t.Fatal(err)
		}
	}
	a := Record{Step: 10, Loss: 1.5, GradNorm: 2, LearningRate: 1e-3, Seconds: 0.5,
		Values: map[string]float64{"kl": 0.25}}
	b := Record{Step: 20, Loss: -1, GradNorm: 3, LearningRate: 1e-3, Seconds: 1}
	c := Record{Step: 30, Loss: 4, GradNorm: 5, LearningRate: 1e-4, Seconds: 1.5}
	d := Record{Step: 20, Seconds: 2, Event: "rollback 1 from step 33 to step 20"}

	tb := newTensorBoard(t, dir)
	if EventFiles(dir) != nil {
		t.Error("a file before the first record")
	}
	write(tb, a)
	write(tb, b)
	sameEvents(t, dir, []Record{a, b})
	checkpoint, err := rec.MarshalState()
	if err != nil {
		t.Fatal(err)
	}
	write(tb, c)
	sameEvents(t, dir, []Record{a, b, c})
	first := EventFiles(dir)[0]

	// Killed in the middle of an event, then resumed from the checkpoint.
	if f, err := os.OpenFile(first, os.O_WRONLY|os.O_APPEND, 0); err != nil {
		t.Fatal(err)
	} else if _, err := f.Write([]byte{1, 2, 3}); err != nil {
		t.Fatal(err)
	} else if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := rec.UnmarshalState(checkpoint); err != nil {
		t.Fatal(err)
	}
	if err := tb.Close(); err != nil {
		t.Fatal(err)
	}
	tb = newTensorBoard(t, dir)
	c.Step = 31
	write(tb, c)
	sameEvents(t, dir, []Record{a, b, c})
	if second := EventFiles(dir)[0]; second <= first {
		t.Errorf("%s does not come after %s", second, first)
	}

	// A rollback.
	if err := rec.UnmarshalState(checkpoint); err != nil {
		t.Fatal(err)
	}
	write(tb, d)
	c.Seconds = 2.5
	write(tb, c)
	sameEvents(t, dir, []Record{a, b, d, c})
	if err := tb.Close(); err != nil {
		t.Fatal(err)
	}
}

func newTensorBoard(t *testing.T, dir string) *TensorBoard {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	return NewTensorBoard(root, "metrics.jsonl", time.Now)
}

// If the folder is moved, the events stay with their records, and nothing is written under the old name.
func TestTensorBoardMoved(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a folder that is open cannot be renamed there")
	}
	dir := filepath.Join(t.TempDir(), "run")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	rec, err := NewRecorder(filepath.Join(dir, "metrics.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	tb := newTensorBoard(t, dir)
	if err := errors.Join(os.Rename(dir, dir+".old"), os.Mkdir(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	want := []Record{{Step: 1, Loss: 2}, {Step: 1, Event: "rollback 1 from step 3 to step 1"}, {Step: 2, Loss: 3}}
	for _, r := range want {
		if err := rec.Record(r); err != nil {
			t.Fatal(err)
		}
		tb.Record(r)
	}
	if err := errors.Join(tb.Err(), tb.Close(), rec.Close()); err != nil {
		t.Fatal(err)
	}
	sameEvents(t, dir+".old", want)
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("under the old name: %v, %v", entries, err)
	}
}

func TestTensorBoardError(t *testing.T) {
	dir := t.TempDir()
	tb := newTensorBoard(t, dir)
	tb.Record(Record{Step: 1})
	if err := tb.Err(); err == nil || !strings.Contains(err.Error(), "metrics.jsonl") {
		t.Errorf("got %v, want an error that names the file", err)
	}
	tb.Record(Record{Step: 2})
	if err := tb.Close(); err != nil || EventFiles(dir) != nil {
		t.Errorf("after an error: %v, files %v", err, EventFiles(dir))
	}
}
