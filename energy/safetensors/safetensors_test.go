package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
)

func file(header string, data []byte) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), data...)
}

func read(b []byte) (*File, error) { return Read(bytes.NewReader(b), int64(len(b))) }

func TestRoundTrip(t *testing.T) {
	f := &File{
		Metadata: map[string]string{"format": "pt", "é\"": "\n"},
		Tensors: []Tensor{
			{Name: "net.0.weight", DType: F32, Shape: []int{2, 3}, Data: []float64{1, -2, 3.5, 0, 0.25, 6}},
			{Name: "net.0.bias", DType: F64, Shape: []int{2}, Data: []float64{math.Pi, math.Inf(1)}},
			{Name: "empty", DType: F64, Shape: []int{0, 4}, Data: []float64{}},
			{Name: "scalar", DType: F64, Shape: []int{}, Data: []float64{7}},
		},
	}
	var buf bytes.Buffer
	if err := Write(&buf, f); err != nil {
		t.Fatal(err)
	}
	if n := binary.LittleEndian.Uint64(buf.Bytes()); n%8 != 0 {
		t.Errorf("header of %d bytes, want a multiple of 8", n)
	}
	got, err := read(buf.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, f) {
		t.Errorf("got %+v, want %+v", got, f)
	}
	if got.Tensor("scalar").Data[0] != 7 || got.Tensor("none") != nil {
		t.Error("Tensor does not find by name")
	}
}

// The bytes were written with torch 1.13.1: torch.tensor([1, -0.5, 65504, 6e-8, inf], dtype=torch.float16) and
// bfloat16.
func TestHalfPrecision(t *testing.T) {
	data := []byte{
		0x00, 0x3c, 0x00, 0xb8, 0xff, 0x7b, 0x01, 0x00, 0x00, 0x7c,
		0x80, 0x3f, 0x00, 0xbf, 0x80, 0x47, 0x81, 0x33, 0x80, 0x7f,
	}
	f, err := read(
		file(
			`{"h":{"dtype":"F16","shape":[5],"data_offsets":[0,10]},"b":{"dtype":"BF16","shape":[5],"data_offsets":[10,20]}}`, data))
	if err != nil {
		t.Fatal(err)
	}
	want := [][]float64{
		{1, -0.5, 65504, math.Ldexp(1, -24), math.Inf(1)},
		{1, -0.5, 65536, 6.007030606269836e-08, math.Inf(1)},
	}
	for i := range want {
		if !reflect.DeepEqual(f.Tensors[i].Data, want[i]) {
			t.Errorf("got %v, want %v", f.Tensors[i].Data, want[i])
		}
	}
}

// Arrays of other number types are named but not read, wherever they are.
func TestOthers(t *testing.T) {
	data := binary.LittleEndian.AppendUint64(nil, 7)
	data = binary.LittleEndian.AppendUint32(data, math.Float32bits(2.5))
	data = append(data, 1)
	f, err := read(
		file(
			`{"count":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"w":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},"on":{"dtype":"BOOL","shape":[1],"data_offsets":[12,13]}}`, data))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Tensors) != 1 || f.Tensor("w").Data[0] != 2.5 {
		t.Errorf("got %+v, want w alone", f.Tensors)
	}
	if want := []Other{{"count", "I64", []int{}}, {"on", "BOOL", []int{1}}}; !reflect.DeepEqual(f.Others, want) {
		t.Errorf("got %+v, want %+v", f.Others, want)
	}
}

// Files that would need more memory than allowed are refused before any is allocated: two bytes of a file become
// eight.
func TestTooLarge(t *testing.T) {
	path := filepath.Join(t.TempDir(), "large")
	n := maxMemory/8 + 1
	b := file(fmt.Sprintf(`{"a":{"dtype":"F16","shape":[%d],"data_offsets":[0,%d]}}`, n, 2*n), nil)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, int64(len(b)+2*n)); err != nil {
		t.Skip(err)
	}
	if _, err := ReadFile(path); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), "memory") {
		t.Errorf("got %v, want that it takes too much memory", err)
	}
}

var hostile = map[string][]byte{
	"empty":          {},
	"short":          {1, 2, 3},
	"huge header":    {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, '{', '}'},
	"large header":   append([]byte{0, 0, 0, 6, 0, 0, 0, 0}, "{}"...),
	"truncated head": file(`{"a":{"dtype":"F32"`, nil)[:12],
	"not JSON":       file("hello", nil),
	"array":          file("[]", nil),
	"unclosed":       file(`{"a":`, nil),
	"trailing":       file(`{} {}`, nil),
	"null entry":     file(`{"a":null}`, nil),
	"missing fields": file(`{"a":{"dtype":"F32"}}`, nil),
	"unknown field":  file(`{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0],"x":1}}`, nil),
	"unknown type":   file(`{"a":{"dtype":"I63","shape":[1],"data_offsets":[0,8]}}`, make([]byte, 8)),
	"whole numbers":  file(`{"a":{"dtype":"I64","shape":[1],"data_offsets":[0,4]}}`, make([]byte, 4)),
	"LFS pointer":    []byte("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"),
	"web page":       []byte("<!DOCTYPE html><html>"),
	"zip":            []byte("PK\x03\x04abcdefghijklmnop"),
	"escape":         file(`{"a\u001b[31m":{"dtype":"\u202e","shape":[1],"data_offsets":[0,4]}}`, make([]byte, 4)),
	"no name":        file(`{"":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, make([]byte, 4)),
	"twice": file(
		`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`,
		make([]byte, 8)),
	"negative shape": file(`{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}`, make([]byte, 4)),
	"two negatives":  file(`{"a":{"dtype":"F32","shape":[-1,-1],"data_offsets":[0,4]}}`, make([]byte, 4)),
	"overflow":       file(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, nil),
	"overflow 2": file(`{"a":{"dtype":"F32","shape":[2147483647,2147483647,2147483647],"data_offsets":[0,4]}}`,
		make([]byte, 4)),
	"fraction": file(`{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,6]}}`, make([]byte, 6)),
	"rank": file(`{"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}}`,
		make([]byte, 4)),
	"negative offset": file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}`, make([]byte, 4)),
	"three offsets":   file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}`, make([]byte, 4)),
	"outside":         file(`{"a":{"dtype":"F32","shape":[1000000],"data_offsets":[0,4000000]}}`, make([]byte, 4)),
	"wrong size":      file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, make([]byte, 4)),
	"gap":             file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, make([]byte, 8)),
	"overlap": file(
		`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`,
		make([]byte, 4)),
	"rest":           file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, make([]byte, 5)),
	"truncated data": file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, make([]byte, 7)),
	"metadata":       file(`{"__metadata__":{"a":1}}`, nil),
	"deep":           file(`{"a":`+strings.Repeat("[", 400_000)+strings.Repeat("]", 400_000)+`}`, nil),
	"deep metadata": file(`{"__metadata__":`+strings.Repeat(`{"a":`, 100_000)+`1`+strings.Repeat("}", 100_000)+`}`,
		nil),
	"many": file(`{"__metadata__":{`+strings.TrimSuffix(strings.Repeat(`"k":"v",`, 100_000), ",")+`},"a":0}`, nil),
}

// Every hostile file is refused with a short error, in little time and memory.
func TestHostile(t *testing.T) {
	for name, b := range hostile {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		begin := time.Now()
		_, err := read(b)
		took := time.Since(begin)
		runtime.ReadMemStats(&after)
		if !errors.Is(err, ErrFormat) {
			t.Errorf("%s: got error %v, want ErrFormat", name, err)
			continue
		}
		if len(err.Error()) > 300 || strings.ContainsAny(err.Error(), "\n\x1b\u202e") {
			t.Errorf("%s: error of %d characters: %.300s", name, len(err.Error()), err)
		}
		if took > 5*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
		if m := after.TotalAlloc - before.TotalAlloc; m > 64<<20 {
			t.Errorf("%s: allocated %d MB", name, m>>20)
		}
	}
}

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	if _, err := ReadFile(dir); err == nil {
		t.Error("a folder was read")
	}
	if _, err := ReadFile(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want ErrNotExist", err)
	}
	path := filepath.Join(dir, "a.safetensors")
	if err := os.WriteFile(path, file(`{}`, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := ReadFile(path)
	if err != nil || len(f.Tensors) != 0 {
		t.Errorf("got %v, %v, want an empty file", f, err)
	}
}

func TestWriteRefuses(t *testing.T) {
	for name, f := range map[string]*File{
		"name": {Tensors: []Tensor{{Name: "", Shape: []int{1}, Data: []float64{1}}}},
		"twice": {Tensors: []Tensor{{Name: "a", Shape: []int{1}, Data: []float64{1}},
			{Name: "a", Shape: []int{1}, Data: []float64{1}}}},
		"shape": {Tensors: []Tensor{{Name: "a", Shape: []int{2}, Data: []float64{1}}}},
		"type":  {Tensors: []Tensor{{Name: "a", DType: F16, Shape: []int{1}, Data: []float64{1}}}},
	} {
		if err := Write(&bytes.Buffer{}, f); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// What can be read can be written, and reads back the same.
func FuzzRead(f *testing.F) {
	for _, b := range hostile {
		if len(b) < 1000 {
			f.Add(b)
		}
	}
	f.Add(file(`{"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"__metadata__":{"x":"y"}}`, make([]byte, 8)))
	f.Add(file(`{"a":{"dtype":"F16","shape":[],"data_offsets":[0,2]}}  `, make([]byte, 2)))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := read(b)
		if err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Fatalf("error %v is not ErrFormat", err)
			}
			return
		}
		var total int
		for i := range got.Tensors {
			total += len(got.Tensors[i].Data)
			got.Tensors[i].DType = F64
		}
		if total > len(b) {
			t.Fatalf("%d numbers from %d bytes", total, len(b))
		}
		var buf bytes.Buffer
		if err := Write(&buf, got); err != nil {
			t.Fatalf("cannot write what was read: %v", err)
		}
		again, err := read(buf.Bytes())
		if err != nil {
			t.Fatalf("cannot read what was written: %v", err)
		}
		if len(again.Tensors) != len(got.Tensors) {
			t.Fatalf("%d tensors, want %d", len(again.Tensors), len(got.Tensors))
		}
		for i, g := range again.Tensors {
			w := got.Tensors[i]
			if g.Name != w.Name || !reflect.DeepEqual(g.Shape, w.Shape) || len(g.Data) != len(w.Data) {
				t.Fatalf("got %+v, want %+v", g, w)
			}
			for j := range g.Data {
				if math.Float64bits(g.Data[j]) != math.Float64bits(w.Data[j]) {
					t.Fatalf("got %v, want %v", g.Data[j], w.Data[j])
				}
			}
		}
	})
}

// A header of any length is read, even if the length bytes look like a file of another kind: 0x480 and the three
// after it look like a pickle.
func TestLengths(t *testing.T) {
	for n := range 2000 {
		var b bytes.Buffer
		f := &File{Metadata: map[string]string{"x": strings.Repeat("y", n)},
			Tensors: []Tensor{{Name: "w", DType: F32, Shape: []int{1}, Data: []float64{1}}}}
		if err := Write(&b, f); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(bytes.NewReader(b.Bytes()), int64(b.Len())); err != nil {
			t.Fatalf("metadata of %d bytes: %v", n, err)
		}
	}
}
