package table_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stheno-ebm/stheno/datasets/table"
)

// npyFile returns a version 1 file with the given header and body.
func npyFile(header string, body ...any) string {
	var b strings.Builder
	header += "\n"
	b.WriteString("\x93NUMPY\x01\x00")
	binary.Write(&b, binary.LittleEndian, uint16(len(header)))
	b.WriteString(header)
	for _, v := range body {
		binary.Write(&b, binary.LittleEndian, v)
	}
	return b.String()
}

// npyWide returns a file of version 2 or 3.
func npyWide(version byte, header string, body any) string {
	var b strings.Builder
	b.WriteString("\x93NUMPY" + string(version) + "\x00")
	binary.Write(&b, binary.LittleEndian, uint32(len(header)))
	b.WriteString(header)
	binary.Write(&b, binary.LittleEndian, body)
	return b.String()
}

// npzFile packs files, by name, in the order of their names.
func npzFile(entries map[string]string) string {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write([]byte(entries[name]))
		}
		if err != nil {
			panic(err)
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

// Headers are read as NumPy reads them.
func TestArrayHeaders(t *testing.T) {
	six, byColumn := []float64{1, 2, 3, 4, 5, 6}, []float64{1, 3, 5, 2, 4, 6}
	for name, text := range map[string]string{
		"as numpy writes": npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }", six),
		"another order":   npyFile("{'shape': (3, 2), 'fortran_order': False, 'descr': '<f8'}", six),
		"no blanks":       npyFile("{'descr':'<f8','fortran_order':False,'shape':(3,2)}", six),
		"double quotes":   npyFile(`{"descr": "<f8", "fortran_order": False, "shape": (3, 2)}`, six),
		"blanks everywhere": npyFile("{ 'descr' :\t'<f8' , 'fortran_order' : False ,\n'shape' : ( 3 , 2 , ) , }",
			six),
		"Python 2":            npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (3L, 2L), }", six),
		"no final newline":    npyWide(2, "{'descr':'<f8','fortran_order':True,'shape':(3,2)}", byColumn),
		"version 3":           npyWide(3, "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }     \n", six),
		"middle axis":         npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (3, 1, 2), }", six),
		"last axis":           npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2, 1), }", six),
		"middle axis, turned": npyFile("{'descr': '<f8', 'fortran_order': True, 'shape': (3, 1, 2), }", byColumn),
		"native order":        npyFile("{'descr': '=f8', 'fortran_order': False, 'shape': (3, 2), }", six),
		"float16": npyFile("{'descr': '<f2', 'fortran_order': False, 'shape': (3, 2), }",
			[]uint16{0x3c00, 0x4000, 0x4200, 0x4400, 0x4500, 0x4600}),
		"int8":   npyFile("{'descr': '|i1', 'fortran_order': False, 'shape': (3, 2), }", []int8{1, 2, 3, 4, 5, 6}),
		"uint64": npyFile("{'descr': '<u8', 'fortran_order': False, 'shape': (3, 2), }", []uint64{1, 2, 3, 4, 5, 6}),
	} {
		got, err := load(t, "x.npy", text, table.Options{})
		if err != nil || values(got.X) != "1 2|3 4|5 6" {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
	for name, c := range map[string]struct {
		text, want string
		o          table.Options
	}{
		"truth": {npyFile("{'descr': '|b1', 'fortran_order': False, 'shape': (2, 2), }",
			[]uint8{1, 0, 0, 1}), "1 0|0 1", table.Options{}},
		"big float16": {npyFile("{'descr': '>f2', 'fortran_order': False, 'shape': (2,), }",
			[]uint8{0x3c, 0, 0xc0, 0}), "1|-2", table.Options{}},
		"one axis": {npyFile("{'descr': '<f8', 'fortran_order': True, 'shape': (3,), }", six[:3]), "1|2|3",
			table.Options{}},
		"all axes of one": {npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 1, 1), }", six[:2]),
			"1|2", table.Options{}},
		"transposed": {npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }", six),
			"1 4|2 5|3 6", table.Options{Transpose: true}},
		"columns": {npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }", six), "3 1|6 4",
			table.Options{Columns: []string{"3", "1"}}},
		"missing, dropped": {npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), }",
			[]float64{1, math.NaN(), 3, 4}), "3 4", table.Options{Missing: table.MissingDrop}},
		"missing, filled": {npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), }",
			[]float64{1, math.NaN(), 3, 4}), "1 4|3 4", table.Options{Missing: table.MissingMean}},
		"smallest float16": {npyFile("{'descr': '<f2', 'fortran_order': False, 'shape': (1,), }", []uint16{1}),
			"5.960464477539063e-08", table.Options{}},
		"missing, not chosen": {npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), }",
			[]float64{1, math.NaN(), 3, 4}), "1|3", table.Options{Columns: []string{"1"}}},
	} {
		if got, err := load(t, "x.npy", c.text, c.o); err != nil || values(got.X) != c.want {
			t.Errorf("%s: got %v, %v, want %s", name, got, err, c.want)
		}
	}
}

func TestArrayErrors(t *testing.T) {
	six := []float64{1, 2, 3, 4, 5, 6}
	for _, c := range []struct{ text, want string }{
		{npyFile("{'descr': [('x', '<f8'), ('y', '<f8')], 'fortran_order': False, 'shape': (2,), }", six),
			`structured array with the fields "x" and "y"`},
		{npyFile("{'descr': [], 'fortran_order': False, 'shape': (2,), }", six), "structured array"},
		{npyFile("{'descr': [('a\x1b', '<f8', (2,))], 'fortran_order': False, 'shape': (2,), }", six),
			`the fields "a\x1b"`},
		{npyFile("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }", six), "Python objects"},
		{npyFile("{'descr': '<U10', 'fortran_order': False, 'shape': (2,), }", six), "text"},
		{npyFile("{'descr': '<M8[ns]', 'fortran_order': False, 'shape': (2,), }", six), "times"},
		{npyFile("{'descr': '<c8', 'fortran_order': False, 'shape': (2,), }", six), "complex"},
		{npyFile("{'descr': '<f16', 'fortran_order': False, 'shape': (2,), }", six), `"<f16", want real numbers`},
		{npyFile("{'descr': '', 'fortran_order': False, 'shape': (2,), }", six), "want real numbers"},
		{npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3, 4), }", six), "3 dimensions, (2, 3, 4)"},
		{npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3)} junk", six), "follows the dictionary"},
		{npyFile("{'descr': '<f8', 'descr': '<f8', 'shape': (2, 3)}", six), "occurs twice"},
		{npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (2 3)}", six), "a comma is missing"},
		{npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), 'x': 1}", six), "bad header"},
		{npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,)}", six), "no whole number"},
		{npyFile(strings.Repeat("[", 1000), six), "nested too deeply"},
		{npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (6)}", six), "shape is not a tuple"},
		{npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}", []float64{1, math.Inf(-1)}),
			"row 2, column 1: -Inf is not finite"},
		{npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}", []float64{1, math.NaN()}),
			"row 2, column 1: NaN is not finite"},
		{"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"},
		{"<html>", "web page"},
		{"{\"a\": 1}", "JSON"},
		{"PK\x03\x04abcdefgh", "zip archive"},
		{"\x93NUM", "not a .npy file"},
		{"\x93NUMPY\x02\x00\x01", "cut short"},
	} {
		_, err := load(t, "x.npy", c.text, table.Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.ContainsAny(err.Error(), "\n\x1b") {
			t.Errorf("%.80q: got error %v, want one line with %q", c.text, err, c.want)
		}
	}
}

// If there are several arrays, the reader says which one it took.
func TestArchive(t *testing.T) {
	array := func(shape string, v ...float64) string {
		return npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': "+shape+", }", v)
	}
	text := npyFile("{'descr': '<U1', 'fortran_order': False, 'shape': (1,), }", uint32('a'))
	for _, c := range []struct {
		name    string
		entries map[string]string
		want    string // or error
		note    string
		o       table.Options
	}{
		{"one", map[string]string{"a.npy": array("(1, 2)", 1, 2)}, "1 2", "", table.Options{}},
		{"x and y", map[string]string{"x.npy": array("(2,)", 1, 2), "y.npy": array("(2,)", 3, 4)}, "1 3|2 4",
			`the arrays "x" (2,) and "y" (2,) are taken for columns`, table.Options{}},
		{"three columns", map[string]string{"a.npy": array("(1,)", 1), "b.npy": array("(1,)", 2),
			"c.npy": array("(1,)", 3)}, "1 2 3", "columns", table.Options{}},
		{"x and y of one column", map[string]string{"x.npy": array("(2, 1)", 1, 2), "y.npy": array("(2, 1)", 3, 4)},
			"1 3|2 4", "taken for columns", table.Options{}},
		{"x and y beside another", map[string]string{"x.npy": array("(2,)", 1, 2), "y.npy": array("(2,)", 3, 4),
			"z.npy": array("(1,)", 3)}, `holds the columns "x" and "y", and not only columns of the same length`, "",
			table.Options{}},
		{"x and y of two lengths", map[string]string{"x.npy": array("(3,)", 1, 2, 3), "y.npy": array("(2,)", 3, 4)},
			`holds the columns "x" and "y", and not only`, "", table.Options{}},
		{"points and labels", map[string]string{"X.npy": array("(2, 2)", 1, 2, 5, 6), "y.npy": array("(2,)", 3, 4)},
			"1 2|5 6", `"X" is taken for the points, of "X" (2, 2) and "y" (2,)`, table.Options{}},
		{"the only one with rows and columns",
			map[string]string{"a.npy": array("(1, 2)", 1, 2), "b.npy": array("(2,)", 3, 4), "c.npy": text}, "1 2",
			`"a" is taken`, table.Options{}},
		{"by name", map[string]string{"a.npy": array("(1, 2)", 1, 2), "b.npy": array("(1, 2)", 3, 4)}, "3 4", "",
			table.Options{Array: "b"}},
		{"no such name", map[string]string{"a.npy": array("(1, 2)", 1, 2)}, `holds no array "c"; it holds "a"`, "",
			table.Options{Array: "c"}},
		{"nobody knows which", map[string]string{"a.npy": array("(1, 2)", 1, 2), "b.npy": array("(1, 2)", 3, 4)},
			`holds 2 arrays, "a" (1, 2) and "b" (1, 2)`, "", table.Options{}},
		{"columns of other lengths", map[string]string{"a.npy": array("(1,)", 1), "b.npy": array("(2,)", 3, 4)},
			"holds 2 arrays", "", table.Options{}},
		{"sparse rows", map[string]string{"indices.npy": array("(1,)", 1), "indptr.npy": array("(1,)", 1),
			"format.npy": text, "shape.npy": array("(2,)", 1, 2), "data.npy": array("(1,)", 1)},
			"is a scipy.sparse matrix", "", table.Options{}},
		{"sparse coordinates", map[string]string{"row.npy": array("(1,)", 1), "col.npy": array("(1,)", 1),
			"format.npy": text, "shape.npy": array("(2,)", 1, 2), "data.npy": array("(1,)", 1)},
			"is a scipy.sparse matrix", "", table.Options{}},
		{"strange name", map[string]string{"\x1b]0;\u202e.npy": "x"}, `array "\x1b]0;\u202e": is not a .npy file`, "",
			table.Options{}},
	} {
		got, err := load(t, "x.npz", npzFile(c.entries), c.o)
		if err != nil {
			if !strings.Contains(err.Error(), c.want) || strings.ContainsAny(err.Error(), "\n\x1b\u202e") {
				t.Errorf("%s: got error %v, want %q", c.name, err, c.want)
			}
			continue
		}
		note := fmt.Sprint(got.Report.Notes)
		if values(got.X) != c.want || !strings.Contains(note, c.note) || c.note == "" && len(got.Report.Notes) > 0 {
			t.Errorf("%s: got %s and %s, want %s and %s", c.name, values(got.X), note, c.want, c.note)
		}
	}
	for text, want := range map[string]string{"<html>": "web page", "version https://git-lfs.github.com/": "Git LFS",
		"\x93NUMPY\x01": "NumPy array; call it .npy", "PK\x05\x06": "not an .npz file"} {
		if _, err := load(t, "x.npz", text, table.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

// A file that claims more than it holds, or unpacks to more than fits, is refused before memory is allocated.
func TestHostileArrays(t *testing.T) {
	sparse := filepath.Join(t.TempDir(), "sparse.npy")
	for header, want := range map[string]string{
		"{'descr': '|u1', 'fortran_order': False, 'shape': (1000000000, 2), }": "too many",
		"{'descr': '|u1', 'fortran_order': False, 'shape': (20000000, 100), }": "take 15259 MB of memory",
		"{'descr': '<f8', 'fortran_order': True, 'shape': (25000000, 10), }":   "take 1908 MB of memory",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (10, 50000000), }":  "take 3815 MB of memory",
	} {
		if err := os.WriteFile(sparse, []byte(npyFile(header)), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(sparse, 2_000_000_200); err != nil {
			t.Skip(err)
		}
		before := allocated()
		_, err := table.Load(t.Context(), sparse, table.Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", header, err, want)
		}
		if mb := (allocated() - before) >> 20; mb > 16 {
			t.Errorf("%s: %d MB allocated", header, mb)
		}
	}
	bomb := filepath.Join(t.TempDir(), "bomb.npz")
	for header, want := range map[string]string{
		"{'descr': '<f8', 'fortran_order': False, 'shape': (40000, 200), }":  "take 62 MB of memory",
		"{'descr': '|b1', 'fortran_order': False, 'shape': (300000, 200), }": "take 458 MB of memory",
		"{'descr': '<f8', 'fortran_order': False, 'shape': (60000, 2000), }": "cut short",
	} {
		if err := os.WriteFile(bomb, []byte(packed(t, header, 64<<20)), 0o644); err != nil {
			t.Fatal(err)
		}
		before := allocated()
		_, err := table.Load(t.Context(), bomb, table.Options{MaxMemory: 32 << 20})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", header, err, want)
		}
		if mb := (allocated() - before) >> 20; mb > 16 {
			t.Errorf("%s: %d MB allocated", header, mb)
		}
	}
}

// packed is an .npz file of an array of zeros, compressed by a factor of a thousand.
func packed(t *testing.T, header string, zeros int64) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, 9) })
	w, err := z.Create("x.npy")
	if err == nil {
		_, err = io.WriteString(w, npyFile(header))
	}
	block := make([]byte, 1<<20)
	for ; zeros > 0 && err == nil; zeros -= int64(len(block)) {
		_, err = w.Write(block)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}
