// Package safetensors reads and writes named arrays in the safetensors format, to exchange weights between Stheno and
// PyTorch.
//
// A file is
//
//	8 bytes   n, the length of the header, unsigned little endian
//	n bytes   the header, JSON: {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [lo, hi]}, …,
//	          "__metadata__": {"key": "value", …}}
//	the rest  the data: row-major little-endian arrays without gaps; offsets count from here
//
// The reader does not trust its input. It rejects headers above maxHeader bytes, more than maxTensors tensors,
// duplicate names, unknown fields and types, shapes whose size overflows or disagrees with the offsets, and offsets
// that overlap, leave gaps or lie outside the file. Nothing is allocated on the file's claims alone: time and memory
// are bounded by a constant plus a multiple of the bytes actually present, and by maxMemory. Tensors of integers and
// the like, which other programs store beside the weights, are listed but not read.
//
// Format: https://github.com/huggingface/safetensors.
//
// There is an example of [File].
package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/stheno-ebm/stheno/datasets/files"
)

// Limits of the reader.
const (
	maxHeader  = 1 << 20 // bytes of JSON
	maxTensors = 1 << 14 // arrays in a file
	maxRank    = 16      // dimensions of an array
	maxMemory  = 1 << 30 // bytes for all numbers, as float64
)

// ErrFormat is wrapped by every error about the content of a file.
var ErrFormat = errors.New("safetensors: not a valid file")

// DType is the type of the numbers in the file.
type DType string

// The types that can be read. F32 and F64 can be written.
const (
	F64  DType = "F64"
	F32  DType = "F32"
	F16  DType = "F16"
	BF16 DType = "BF16"
)

// sizes holds the bytes per number of every type of the format.
var sizes = map[DType]int64{
	F64: 8, F32: 4, F16: 2, BF16: 2,
	"I64": 8, "U64": 8, "C64": 8, "I32": 4, "U32": 4, "I16": 2, "U16": 2, "I8": 1, "U8": 1, "BOOL": 1,
	"F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1, "F8_E4M3FNUZ": 1, "F8_E5M2FNUZ": 1,
}

func (t DType) size() int64 { return sizes[t] }

// readable reports whether numbers of this type can be read.
func (t DType) readable() bool { return t == F64 || t == F32 || t == F16 || t == BF16 }

// Tensor is one named array.
type Tensor struct {
	Name  string
	DType DType // on disk; empty means F64 when writing
	Shape []int
	Data  []float64 // row-major
}

// File is the content of a file.
type File struct {
	Tensors  []Tensor
	Others   []Other // not read, in the order of the header
	Metadata map[string]string
}

// Other is an array not of floating-point numbers, such as the counter of a normalisation. It is neither read nor
// written.
type Other struct {
	Name  string
	DType DType
	Shape []int
}

// Tensor returns the tensor with this name, or nil.
func (f *File) Tensor(name string) *Tensor {
	for i := range f.Tensors {
		if f.Tensors[i].Name == name {
			return &f.Tensors[i]
		}
	}
	return nil
}

// entry is one tensor as the header describes it.
type entry struct {
	DType   DType    `json:"dtype"`
	Shape   []int64  `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// header describes the tensors in their order; it is padded with spaces to a multiple of eight bytes.
func (f *File) header() ([]byte, error) {
	var head bytes.Buffer
	head.WriteByte('{')
	if len(f.Metadata) > 0 {
		m, err := json.Marshal(f.Metadata) // keys sorted
		if err != nil {
			return nil, fmt.Errorf("safetensors: metadata: %w", err)
		}
		head.WriteString(`"__metadata__":`)
		head.Write(m)
	}
	seen := make(map[string]bool, len(f.Tensors))
	var at int64
	for i, t := range f.Tensors {
		dt := cmp.Or(t.DType, F64)
		n := 1
		shape := make([]int64, len(t.Shape))
		for j, s := range t.Shape {
			n *= s
			shape[j] = int64(s)
		}
		switch {
		case t.Name == "" || t.Name == "__metadata__" || seen[t.Name]:
			return nil, fmt.Errorf("safetensors: tensor %d has the name %q, which is empty, reserved or used twice", i,
				t.Name)
		case dt != F32 && dt != F64:
			return nil, fmt.Errorf("safetensors: tensor %q: cannot write type %q, want F32 or F64", t.Name, dt)
		case n != len(t.Data):
			return nil, fmt.Errorf("safetensors: tensor %q has %d numbers for shape %v", t.Name, len(t.Data), t.Shape)
		}
		seen[t.Name] = true
		e := entry{DType: dt, Shape: shape, Offsets: [2]int64{at, at + int64(n)*dt.size()}}
		at = e.Offsets[1]
		name, err := json.Marshal(t.Name)
		if err != nil {
			return nil, fmt.Errorf("safetensors: tensor %q: %w", t.Name, err)
		}
		body, err := json.Marshal(e)
		if err != nil {
			return nil, fmt.Errorf("safetensors: tensor %q: %w", t.Name, err)
		}
		if head.Len() > 1 {
			head.WriteByte(',')
		}
		head.Write(name)
		head.WriteByte(':')
		head.Write(body)
	}
	head.WriteByte('}')
	for head.Len()%8 != 0 {
		head.WriteByte(' ')
	}
	if head.Len() > maxHeader {
		return nil, fmt.Errorf("safetensors: header of %d bytes, at most %d", head.Len(), maxHeader)
	}
	return head.Bytes(), nil
}

// Write writes f. Equal files have equal bytes.
func Write(w io.Writer, f *File) error {
	head, err := f.header()
	if err != nil {
		return err
	}
	if _, err := w.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(head)))); err != nil {
		return err
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	var buf []byte
	for _, t := range f.Tensors {
		buf = buf[:0]
		for _, v := range t.Data {
			if t.DType == F32 {
				buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(float32(v)))
			} else {
				buf = binary.LittleEndian.AppendUint64(buf, math.Float64bits(v))
			}
		}
		if _, err := w.Write(buf); err != nil {
			return err
		}
	}
	return nil
}

// Read reads a file of size bytes.
func Read(r io.ReaderAt, size int64) (*File, error) {
	var head [files.SniffLen]byte
	// The length of the header may look like the beginning of a file of another kind.
	if k, err := r.ReadAt(head[:min(size, files.SniffLen)], 0); err != nil && err != io.EOF {
		return nil, fmt.Errorf("safetensors: %w", err)
	} else if says := files.Sniff(head[:k]); says != "" && !(k > 8 && head[7] == 0 && head[8] == '{') {
		return nil, fmt.Errorf("%w: it is %s", ErrFormat, says)
	}
	if size < 8 {
		return nil, fmt.Errorf("%w: %d bytes, shorter than the length of its header", ErrFormat, size)
	}
	n := binary.LittleEndian.Uint64(head[:])
	if n > maxHeader {
		return nil, fmt.Errorf("%w: header of %d bytes, at most %d", ErrFormat, n, maxHeader)
	}
	if int64(n) > size-8 {
		return nil, fmt.Errorf("%w: truncated: header of %d bytes in a file of %d", ErrFormat, n, size)
	}
	text := make([]byte, n)
	if _, err := r.ReadAt(text, 8); err != nil && !(err == io.EOF && size == 8+int64(n)) {
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	f, entries, err := parseHeader(text)
	if err != nil {
		return nil, err
	}
	start := 8 + int64(n)
	if err := layout(f, entries, size-start); err != nil {
		return nil, err
	}
	if err := f.readAll(r, start, entries); err != nil {
		return nil, err
	}
	return f, nil
}

// readAll reads the arrays that can be read, and lists the others.
func (f *File) readAll(r io.ReaderAt, start int64, entries []entry) error {
	var total int64
	for _, e := range entries {
		if e.DType.readable() {
			total += (e.Offsets[1] - e.Offsets[0]) / e.DType.size() * 8
		}
	}
	if total > maxMemory {
		return fmt.Errorf("%w: the numbers take %d MB of memory, at most %d", ErrFormat, total>>20, maxMemory>>20)
	}
	all := f.Tensors
	f.Tensors = nil
	for i, t := range all {
		if !t.DType.readable() {
			f.Others = append(f.Others, Other{t.Name, t.DType, t.Shape})
			continue
		}
		if err := readData(r, start, &t, entries[i]); err != nil {
			return err
		}
		f.Tensors = append(f.Tensors, t)
	}
	return nil
}

// ReadFile reads the file at path.
func ReadFile(path string) (*File, error) {
	f, size, err := files.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	out, err := Read(f, size)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", files.Line(path), err)
	}
	return out, nil
}

// parseHeader reads the JSON token by token, so that duplicate names are noticed.
func parseHeader(text []byte) (*File, []entry, error) {
	bad := func(format string, a ...any) (*File, []entry, error) {
		return nil, nil, fmt.Errorf("%w: header: %s", ErrFormat, fmt.Sprintf(format, a...))
	}
	if len(text) == 0 || text[0] != '{' {
		return bad("does not begin with {")
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	if _, err := dec.Token(); err != nil {
		return bad("%s", files.Line(err.Error()))
	}
	f := &File{}
	var entries []entry
	seen := map[string]bool{}
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return bad("%s", files.Line(err.Error()))
		}
		name, _ := tok.(string)
		if seen[name] {
			return bad("the name %s occurs twice", files.Quote(name))
		}
		seen[name] = true
		if name == "__metadata__" {
			if err := dec.Decode(&f.Metadata); err != nil {
				return bad("__metadata__: want strings")
			}
			continue
		}
		if name == "" {
			return bad("a tensor has no name")
		}
		if len(entries) == maxTensors {
			return bad("more than %d tensors", maxTensors)
		}
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return bad("tensor %s: %s", files.Quote(name), files.Line(err.Error()))
		}
		e, err := parseEntry(raw)
		if err != nil {
			return bad("tensor %s: %s", files.Quote(name), files.Line(err.Error()))
		}
		shape := make([]int, len(e.Shape))
		for i, s := range e.Shape {
			shape[i] = int(s)
		}
		entries = append(entries, e)
		f.Tensors = append(f.Tensors, Tensor{Name: name, DType: e.DType, Shape: shape})
	}
	if _, err := dec.Token(); err != nil {
		return bad("%s", files.Line(err.Error()))
	}
	if rest := text[dec.InputOffset():]; len(bytes.Trim(rest, " \t\r\n\x00")) != 0 {
		return bad("text after the closing brace")
	}
	return f, entries, nil
}

// parseEntry reads and checks one tensor's description.
func parseEntry(raw json.RawMessage) (entry, error) {
	var fields struct {
		DType   *string  `json:"dtype"`
		Shape   *[]int64 `json:"shape"`
		Offsets *[]int64 `json:"data_offsets"`
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&fields); err != nil {
		return entry{}, errors.New("want dtype, shape and data_offsets of whole numbers")
	}
	if fields.DType == nil || fields.Shape == nil || fields.Offsets == nil || len(*fields.Offsets) != 2 {
		return entry{}, errors.New("want dtype, shape and two data_offsets")
	}
	e := entry{DType: DType(*fields.DType), Shape: *fields.Shape, Offsets: [2]int64(*fields.Offsets)}
	if e.DType.size() == 0 {
		return entry{}, fmt.Errorf("type %s, want F64, F32, F16 or BF16, or one of whole numbers",
			files.Quote(string(e.DType)))
	}
	if len(e.Shape) > maxRank {
		return entry{}, fmt.Errorf("%d dimensions, at most %d", len(e.Shape), maxRank)
	}
	elems := int64(1)
	for _, s := range e.Shape {
		if s < 0 || s > math.MaxInt32 || (s > 0 && elems > math.MaxInt64/16/s) {
			return entry{}, fmt.Errorf("shape %v is negative or too large", e.Shape)
		}
		elems *= s
	}
	lo, hi := e.Offsets[0], e.Offsets[1]
	if lo < 0 || hi < lo || hi-lo != elems*e.DType.size() {
		return entry{}, fmt.Errorf("offsets [%d, %d] do not fit shape %v of %s", lo, hi, e.Shape, e.DType)
	}
	return e, nil
}

// layout checks that the tensors cover the data section exactly once.
func layout(f *File, entries []entry, data int64) error {
	order := make([]int, len(entries))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := entries[a].Offsets, entries[b].Offsets
		if x[0] != y[0] {
			return int(min(max(x[0]-y[0], -1), 1))
		}
		return int(min(max(x[1]-y[1], -1), 1))
	})
	var at int64
	for _, i := range order {
		off := entries[i].Offsets
		if off[0] != at {
			return fmt.Errorf("%w: tensor %s begins at %d, want %d: gap or overlap", ErrFormat,
				files.Quote(f.Tensors[i].Name), off[0], at)
		}
		if off[1] > data {
			return fmt.Errorf("%w: truncated: tensor %s ends at %d, the data end at %d", ErrFormat,
				files.Quote(f.Tensors[i].Name), off[1], data)
		}
		at = off[1]
	}
	if at != data {
		return fmt.Errorf("%w: %d bytes after the last tensor", ErrFormat, data-at)
	}
	return nil
}

func readData(r io.ReaderAt, start int64, t *Tensor, e entry) error {
	lo, hi := e.Offsets[0], e.Offsets[1]
	size := e.DType.size()
	t.Data = make([]float64, (hi-lo)/size)
	if len(t.Data) == 0 {
		return nil
	}
	sec := io.NewSectionReader(r, start+lo, hi-lo)
	buf := make([]byte, min(hi-lo, 1<<16)) // a multiple of every size
	for k := 0; k < len(t.Data); {
		m := min(len(buf), (len(t.Data)-k)*int(size))
		if _, err := io.ReadFull(sec, buf[:m]); err != nil {
			return fmt.Errorf("%w: tensor %s: %v", ErrFormat, files.Quote(t.Name), err)
		}
		for b := buf[:m]; len(b) > 0; b = b[size:] {
			t.Data[k] = decode(e.DType, b)
			k++
		}
	}
	return nil
}

func decode(dt DType, b []byte) float64 {
	switch dt {
	case F64:
		return math.Float64frombits(binary.LittleEndian.Uint64(b))
	case F32:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
	case BF16:
		return float64(math.Float32frombits(uint32(binary.LittleEndian.Uint16(b)) << 16))
	}
	return files.Half(binary.LittleEndian.Uint16(b))
}
