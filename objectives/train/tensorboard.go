package train

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/stheno-ebm/stheno/datasets/files"
)

// TensorBoard writes the records of a run as an event file, for TensorBoard: scalars loss, grad_norm, learning_rate and
// the measured values by name, at their steps; events as text. It mirrors a Recorder's file: after a rollback or in a
// new session a new file replaces the old one. It begins with a mark that makes a running TensorBoard drop what it has
// read before.
//
// A file is a sequence of
//
//	length uint64 | masked CRC-32C of the length | the event | masked CRC-32C of the event
//
// little endian, where a checksum c is masked as (c>>15 | c<<17) + 0xa282ead8, and events are protocol buffers.
// Sources: tensorflow/core/lib/io/record_writer.cc, tensorflow/core/util/event.proto, summary.proto.
type TensorBoard struct {
	root    *os.Root
	metrics string
	now     func() time.Time
	f       *os.File
	began   time.Time // when the run would have begun without interruptions
	err     error
	buf     []byte
}

// NewTensorBoard returns a writer of event files in an open folder, even if that is moved; Close closes it. metrics is
// the name of the Recorder's file in the folder; now is the clock for the times of events, such as time.Now. Nothing is
// written before the first record.
func NewTensorBoard(root *os.Root, metrics string, now func() time.Time) *TensorBoard {
	return &TensorBoard{root: root, metrics: metrics, now: now}
}

// EventFiles returns the event files that a TensorBoard wrote in dir, in order of creation.
func EventFiles(dir string) []string {
	entries, _ := os.ReadDir(dir) // none if there is no such folder
	names := eventNames(entries)
	for i, name := range names {
		names[i] = filepath.Join(dir, name)
	}
	return names
}

// eventNames returns the names of event files, in order of creation.
func eventNames(entries []os.DirEntry) []string {
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), EventFilePrefix) && strings.HasSuffix(e.Name(), eventFileSuffix) {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names
}

// EventFilePrefix is the prefix of the names of event files.
const EventFilePrefix = "events.out.tfevents."

const eventFileSuffix = ".stheno"

// Record writes a record that the Recorder has written. Use it as Hooks.Record; the first error is kept for Err, and
// later records are dropped.
func (t *TensorBoard) Record(r Record) {
	if t.err != nil {
		return
	}
	if t.f == nil || r.Event != "" {
		t.err = t.restart()
		return
	}
	t.buf = t.appendRecord(t.buf[:0], r)
	if _, err := t.f.Write(t.buf); err != nil {
		t.err = fmt.Errorf("train: %w", err)
	}
}

// Err returns the first error, nil if there was none.
func (t *TensorBoard) Err() error { return t.err }

// Close closes the file.
func (t *TensorBoard) Close() error {
	err := t.root.Close()
	if t.f != nil {
		err = errors.Join(t.f.Close(), err)
		t.f = nil
	}
	return err
}

// files returns the names of the event files in the folder.
func (t *TensorBoard) files() ([]string, error) {
	d, err := t.root.Open(".")
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	defer d.Close()
	entries, err := d.ReadDir(-1)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return eventNames(entries), nil
}

// records reads the Recorder's file.
func (t *TensorBoard) records() ([]Record, error) {
	f, err := files.OpenIn(t.root, t.metrics, os.O_RDONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	defer f.Close()
	return readRecords(f)
}

// restart writes all existing records to a new file and removes older ones.
func (t *TensorBoard) restart() error {
	records, err := t.records()
	if err != nil {
		return err
	}
	if t.f != nil {
		if err := t.f.Close(); err != nil {
			return fmt.Errorf("train: %w", err)
		}
		t.f = nil
	}
	now := t.now()
	t.began = now
	if n := len(records); n > 0 {
		t.began = now.Add(-seconds(records[n-1].Seconds))
	}
	b := appendFrame(nil, appendEvent(nil, t.began, 0, 3, []byte("brain.Event:2")))
	b = appendFrame(b, appendEvent(nil, t.began, 0, 7, []byte{1 << 3, 1})) // SessionLog: START, purges all from step 0
	for _, r := range records {
		b = t.appendRecord(b, r)
	}
	old, err := t.files()
	if err != nil {
		return err
	}
	var name string
	for n := now.Unix(); name == "" || slices.Contains(old, name) || len(old) > 0 && name < old[len(old)-1]; n++ {
		name = fmt.Sprintf("%s%010d%s", EventFilePrefix, n, eventFileSuffix)
	}
	if err := files.WriteIn(t.root, name, b); err != nil {
		return err
	}
	for _, name := range old {
		if err := t.root.Remove(name); err != nil {
			return fmt.Errorf("train: %w", err)
		}
	}
	if t.f, err = t.root.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// appendRecord appends the event of a record.
func (t *TensorBoard) appendRecord(b []byte, r Record) []byte {
	var summary []byte
	scalar := func(tag string, v float64) {
		value := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), tag)
		value = protowire.AppendFixed32(protowire.AppendTag(value, 2, protowire.Fixed32Type),
			math.Float32bits(float32(v)))
		summary = message(summary, 1, value)
	}
	if r.Event == "" {
		scalar("loss", r.Loss)
		scalar("grad_norm", r.GradNorm)
		scalar("learning_rate", r.LearningRate)
		for _, name := range slices.Sorted(maps.Keys(r.Values)) {
			scalar(name, r.Values[name])
		}
	} else {
		summary = message(summary, 1, textValue("event", r.Event))
	}
	return appendFrame(b, appendEvent(nil, t.began.Add(seconds(r.Seconds)), r.Step, 5, summary))
}

// textValue returns a Summary.Value for the text plugin: a vector of one string.
func textValue(tag, text string) []byte {
	varint := func(b []byte, field protowire.Number, v uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), v)
	}
	v := message(nil, 1, []byte(tag))
	tensor := varint(nil, 1, 7)                                     // DT_STRING
	tensor = message(tensor, 2, message(nil, 2, varint(nil, 1, 1))) // shape (1)
	v = message(v, 8, message(tensor, 8, []byte(text)))             // string_val
	plugin := message(nil, 1, message(nil, 1, []byte("text")))      // SummaryMetadata.PluginData
	return message(v, 9, varint(plugin, 4, 2))                      // DATA_CLASS_TENSOR
}

func message(b []byte, field protowire.Number, v []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), v)
}

// appendEvent appends an Event whose content is the field with this number.
func appendEvent(b []byte, wall time.Time, step int, field protowire.Number, content []byte) []byte {
	b = protowire.AppendFixed64(protowire.AppendTag(b, 1, protowire.Fixed64Type),
		math.Float64bits(float64(wall.UnixNano())/1e9))
	b = protowire.AppendVarint(protowire.AppendTag(b, 2, protowire.VarintType), uint64(step))
	return message(b, field, content)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func maskedCRC(b []byte) uint32 {
	c := crc32.Checksum(b, castagnoli)
	return (c>>15 | c<<17) + 0xa282ead8
}

// appendFrame appends a record of the file.
func appendFrame(b, data []byte) []byte {
	at := len(b)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(data)))
	b = binary.LittleEndian.AppendUint32(b, maskedCRC(b[at:]))
	b = append(b, data...)
	return binary.LittleEndian.AppendUint32(b, maskedCRC(data))
}
