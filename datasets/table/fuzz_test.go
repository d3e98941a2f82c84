package table_test

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stheno-ebm/stheno/datasets/table"
)

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

var fuzzSeeds = []struct{ ext, text string }{
	{".csv", "1,2\n3,4\n"}, {".csv", "income,spend\n\"1,234\",\"5,678\"\n"}, {".csv", "a;b\n1,5;2,5\n"},
	{".csv", "sep=;\na;b\n1;2\n"},
	{".csv", ",0,1\n0,1.5,2.5\n1,3.5,4.5\n"}, {".csv", "a,b\r1,2\r"},
	{".csv", "# c\ntitle\n\"x\ny\",b,\n1,NA,\n,,\n#DIV/0!,0,\n"},
	{".txt", "\"x\" \"y\"\n\"1\" 0.5 2\n"}, {".tsv", "1\t2\n"},
	{".npy", npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2), }", []float64{1, 2})},
	{".npy", npyFile("{\"shape\":(2,1),'descr':'<f2','fortran_order':True}", []uint16{1, 2})},
	{".npy", npyWide(3, "{'descr': [('x', '<f8')], 'fortran_order': False, 'shape': (1,)}", []float64{1})},
	{".npz", npzFile(map[string]string{"x.npy": npyFile("{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }",
		[]float64{1})})},
	{".npz", npzFile(map[string]string{"x.npy": npyFile("{'descr': '|b1', 'fortran_order': True, 'shape': (1,), }",
		[]uint8{1}), "y.npy": npyFile("{'descr': '|i1', 'fortran_order': True, 'shape': (1,), }", []uint8{1})})},
}

// FuzzText, FuzzNPY and FuzzNPZ look for files that make a reader panic, use more memory than allowed, return values
// that are not finite, read differently the second time, or cause messages that cannot be printed on a line.
func FuzzText(f *testing.F) { fuzz(f, ".csv", ".tsv", ".txt") }

func FuzzNPY(f *testing.F) { fuzz(f, ".npy") }

// FuzzNPZ mutates the bytes of an archive, and FuzzArrays the contents of one whose checksums are right.
func FuzzNPZ(f *testing.F) { fuzz(f, ".npz") }

func FuzzArrays(f *testing.F) {
	f.Add("x", npyFile("{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }", []float64{1}), "y",
		npyFile("{'descr': '|i1', 'fortran_order': True, 'shape': (1,), }", []uint8{1}), uint8(0))
	f.Add("x", npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), }", []float64{1, 2, 3, 4}), "shape",
		npyFile("{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }", []int64{1, 2}), uint8(9))
	f.Add("data", npyWide(3, "{'descr': [('x', '<f8')], 'fortran_order': False, 'shape': (1,)}", []float64{1}),
		"format", "text", uint8(250))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, name, file, other, second string, way uint8) {
		arrays := map[string]string{name + ".npy": file}
		if other != "" {
			arrays[other+".npy"] = second
		}
		loadOneWay(t, dir, npzFile(arrays), ".npz", way)
	})
}

// fuzz reads bytes as files of these kinds, in every way.
func fuzz(f *testing.F, exts ...string) {
	for i, s := range fuzzSeeds {
		if k := slices.Index(exts, s.ext); k >= 0 {
			f.Add(s.text, uint8(k+len(exts)*i))
		}
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string, way uint8) {
		n := uint8(len(exts))
		loadOneWay(t, dir, text, exts[way%n], way/n*n)
	})
}

// loadOneWay reads a file in one of 36 ways, some of them as a stream.
func loadOneWay(t *testing.T, dir, text, ext string, way uint8) {
	t.Helper()
	o := table.Options{
		Header:    []table.Header{"", table.HeaderYes, table.HeaderNo}[way/3%3],
		Missing:   []table.Missing{"", table.MissingDrop, table.MissingMean}[way/9%3],
		Transpose: way/27%2 == 1,
		MaxMemory: 1 << 20,
	}
	if way/54%2 == 1 {
		o.Columns = []string{"2", "1"}
	}
	path := filepath.Join(dir, "x"+ext)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	before := allocated()
	got, err := table.Load(context.Background(), path, o)
	if took := allocated() - before; took > 64<<20 {
		t.Errorf("%d bytes took %d MB", len(text), took>>20)
	}
	check(t, got, err)
	if again, err2 := table.Load(context.Background(), path, o); err == nil &&
		(err2 != nil || values(again.X) != values(got.X)) {
		t.Errorf("got %v, then %v", got, again)
	}
	if way < 216 { // a stream needs buffers of a megabyte
		return
	}
	got, err = table.Read(context.Background(), strings.NewReader(text), o)
	check(t, got, err)
}

func check(t *testing.T, got *table.Table, err error) {
	t.Helper()
	if err != nil {
		if strings.ContainsFunc(err.Error(), func(r rune) bool { return !unicode.IsPrint(r) }) ||
			len(err.Error()) > 3000 {
			t.Errorf("error %q", err)
		}
		return
	}
	n, d := got.X.Dims()
	if n == 0 || d == 0 || len(got.Names) != 0 && len(got.Names) != d || n != got.Report.Rows ||
		d != got.Report.Columns || 8*n*d > 1<<20 {
		t.Errorf("%d×%d with names %q, %v", n, d, got.Names, got.Report)
	}
	for i := range n {
		for _, v := range got.X.RawRowView(i) {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Errorf("value %g", v)
			}
		}
	}
	said := got.Report.String() + strings.Join(got.Names, " ")
	for _, note := range got.Report.Notes {
		said += note.Text
	}
	if strings.ContainsFunc(said, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Errorf("said %q", said)
	}
}
