package datasets_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/datasets/datasettest"
)

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoadCSV(t *testing.T) {
	want := mat.NewDense(2, 3, []float64{1, -2.5, 3e-2, 4, 5, 6})
	for name, text := range map[string]string{
		"commas":     "1,-2.5,3e-2\n4,5,6\n",
		"semicolons": "1;-2.5;0.03\r\n4;5;6\r\n",
		"tabs":       "1\t-2.5\t.03\n4\t5\t6",
		"blanks":     "  1 -2.5   3e-2\n4 5 6\n\n",
		"header":     "x,y,z\n1,-2.5,3e-2\n4,5,6\n",
		"comments":   "# made by hand\n\n# more\n1, -2.5, 3e-2\n\n4, 5, 6\n",
		"BOM":        "\ufeff1,-2.5,3e-2\n4,5,6\n",
		"quotes":     "\"x\",\"y\",\"z\"\n\"1\",\"-2.5\",\"3e-2\"\n4,5,6\n",
	} {
		t.Run(name, func(t *testing.T) {
			got, err := datasets.Load(write(t, "points.csv", text))
			if err != nil {
				t.Fatal(err)
			}
			if !mat.Equal(got, want) {
				t.Errorf("got %v, want %v", mat.Formatted(got), mat.Formatted(want))
			}
		})
	}
}

// The names of a header, if it is one for the columns below it.
func TestColumnNames(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"height,weight\n1,2\n", []string{"height", "weight"}},
		{"\ufeffheight;weight\r\n1;2\r\n", []string{"height", "weight"}},
		{"# by hand\n\nheight weight\n1 2\n", []string{"height", "weight"}},
		{"body height\tbody weight\n1\t2\n", []string{"body height", "body weight"}},
		{"\"height, cm\", \"weight\"\n1, 2\n", []string{"height, cm", "weight"}},
		{"body height\n1\n2\n", []string{"body height"}},
		{",y\n1,2\n", []string{"x1", "y"}},
		{"gr\xf6\xdfe,y\x1b[m\n1,2\n", []string{"gr\uFFFDe", "y [m"}},
		{"1,2\n", nil},
		{"A title\n1,2\n", nil},
		{"a,b,c\n1,2\n", nil},
		{"a,b\n1\n", nil},
	} {
		path := write(t, "points.csv", c.text)
		x, err := datasets.Load(path)
		if err != nil || x.At(0, 0) != 1 {
			t.Errorf("%q: %v", c.text, err)
		}
		source, err := datasets.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := source.(*datasets.Points).Names(); !slices.Equal(got, c.want) {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
	source, err := datasets.Open(write(t, "x.npy",
		npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1)}", 1.0)))
	if err != nil || source.(*datasets.Points).Names() != nil {
		t.Errorf(".npy: names, or %v", err)
	}
}

// Decimal commas in one column are read as two columns: this is reported where the text shows it, and nowhere else.
func TestDecimalCommas(t *testing.T) {
	for text, want := range map[string]string{
		"size\n1,5\n-2,25\n":       `the header has one name, "size", and the rows have two values: if 1,5 is meant as one number, write it with a point`,
		"body size\n1,50\n12,05\n": `"body size"`,
		"1,5\n2,25\n0,05\n-3,1\n": "the two columns look like one of numbers with a decimal comma, such as 0,05: " +
			"if they are, write them with a point",
		"1,005\n1,05\n":                "such as 1,005",
		"1,05\n1,0\n":                  "such as 1,05",
		"1,5\n2,25\n":                  "", // could be whole numbers
		"1,05\n2,25\n":                 "", // minutes, say
		"1,005\n2,250\n":               "", // codes of three digits
		"1,0\n2,5\n":                   "",
		"01,05\n02,5\n":                "",
		"1,-05\n2,5\n":                 "",
		"1, 05\n2, 5\n":                "", // a space separates
		"1,05\n2,5\n3.5,4\n":           "",
		"1;05\n2;5\n":                  "",
		"1,05,1\n2,5,1\n":              "",
		"day,hour\n1,05\n2,5\n":        "",
		"a,b,c\n1,05\n2,5\n":           "",
		"My points\n1.5,2\n3,4\n":      "",
		"My points\n1, 2\n3, 4\n":      "",
		"minutes\n1\n05\n5\n":          "",
		"1,000000000000000000000\n2,5": "such as 1,000",
	} {
		s, err := datasets.Open(write(t, "points.csv", text))
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		var got string
		for _, n := range s.(*datasets.Points).Report().Notes {
			got += n.Text + "\n"
		}
		if !strings.Contains(got, want) || (want == "") != (got == "") {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestLoadCSVErrors(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "holds no points"},
		{"x,y\n", "holds no points"},
		{"# nothing\n\n", "holds no points"},
		{"1,2\n3,NaN\n", `line 2, column 2: the value is missing: "NaN"`},
		{"1,2\n-inf,4\n", "line 2, column 1: -inf is not finite"},
		{"1,2\n3\n", "line 2: 1 value, line 1 has 2"},
		{"1,2\n\n3,4,5\n", "line 3: 3 values, line 1 has 2"},
		{"1,2\n3,four\n", `line 2, column 2: "four" is not a number`},
		{"a,b\n1,2\nc,d\n", `line 3, column 1: "c" is not a number`},
		{"1,x\n3,4\n", `line 1, column 2: "x" is not a number`},
		{"a,2020\n1,2\n", `line 1, column 1: "a" is not a number, nor is the line a header`},
		{"a,b\n1,NA\n", `line 2, column 2: the value is missing: "NA"`},
		{"1,2\n?,3\n", `line 2, column 1: the value is missing: "?"`},
		{"1,2\n3,\n", "line 2, column 2: the value is missing"},
		{"1,1e999\n", "line 1, column 2: 1e999 is too large"},
		{"1,5;2.5\n", `line 1, column 1: "1,5" may be a number with decimals or a whole one with thousands`},
		{"1,2\n# 3,4\n", `line 2, column 1: "# 3" is not a number`},
		{"1,2\n# three\n", `line 2: "# three" is not a number; a comment may stand above the first row only`},
		{"\xff\xfea\x00,\x00b\x00\n\x001\x00,\x002\x00\n\x00", "text in UTF-16; store it in UTF-8"},
		{"\xfe\xff\x001\x00,\x002\x00\n", "text in UTF-16; store it in UTF-8"},
		{"\x1f\x8b\x08\x00abc\n\n", "is compressed by gzip"},
		{"PK\x03\x04\x14\x00abc", "is a zip archive, as workbooks"},
	} {
		path := write(t, "points.csv", c.text)
		_, err := datasets.Load(path)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) ||
			strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: got error %v, want one line with the path and %q", c.text, err, c.want)
		}
	}
	for _, path := range []string{"points.txt", filepath.Join(t.TempDir(), "none.csv"), t.TempDir()} {
		if _, err := datasets.Load(path); err == nil {
			t.Errorf("%s: no error", path)
		}
	}
}

// npyFile returns a version 1 file with this header and body.
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

func TestLoadNPY(t *testing.T) {
	want := mat.NewDense(2, 3, []float64{1, 2, 3, 4, 5, 6})
	rows, columns := []float64{1, 2, 3, 4, 5, 6}, []float64{1, 4, 2, 5, 3, 6}
	var big strings.Builder
	big.WriteString(npyFile("{'descr': '>f8', 'fortran_order': False, 'shape': (2, 3), }"))
	binary.Write(&big, binary.BigEndian, rows)
	for name, text := range map[string]string{
		"f8": npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }", rows),
		"f4": npyFile("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }",
			[]float32{1, 2, 3, 4, 5, 6}),
		"i2":         npyFile("{'descr': '<i2', 'fortran_order': False, 'shape': (2, 3), }", []int16{1, 2, 3, 4, 5, 6}),
		"u1":         npyFile("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }", []uint8{1, 2, 3, 4, 5, 6}),
		"fortran":    npyFile("{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }", columns),
		"big endian": big.String(),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := datasets.Load(write(t, "points.npy", text))
			if err != nil {
				t.Fatal(err)
			}
			if !mat.Equal(got, want) {
				t.Errorf("got %v, want %v", mat.Formatted(got), mat.Formatted(want))
			}
		})
	}
	got, err := datasets.Load(write(t, "line.npy",
		npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (6,), }", rows)))
	if err != nil {
		t.Fatal(err)
	}
	if n, d := got.Dims(); n != 6 || d != 1 {
		t.Errorf("points on a line: got %d×%d, want 6×1", n, d)
	}
}

func TestLoadNPYErrors(t *testing.T) {
	six := []float64{1, 2, 3, 4, 5, 6}
	for _, c := range []struct{ text, want string }{
		{"", "holds no points"},
		{"1,2\n3,4\n5,6\n", "is not a .npy file"},
		{"\x93NUMPY\x01\x00\xff\xff{", "bad header"},
		{"\x93NUMPY\x02\x00\xff\xff\xff\x7f{'descr'", "bad header"},
		{"\x93NUMPY\x09\x00\x10\x00{'descr'", "version 9"},
		{npyFile("{}"), "bad header"},
		{npyFile("no dictionary at all"), "bad header"},
		{npyFile("{'descr': '<f8', 'fortran_order': Maybe, 'shape': (2, 3), }", six), "bad header"},
		{npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (2, x), }", six), "bad header"},
		{npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (-2, -3), }", six), "bad header"},
		{npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (0, 2), }"), "holds no points"},
		{npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (), }", six), "0 dimensions"},
		{npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2, 3), }", six), "3 dimensions"},
		{npyFile("{'descr': '<c16', 'fortran_order': False, 'shape': (1, 3), }", six), `"<c16", want real numbers`},
		{npyFile("{'descr': '|O', 'fortran_order': False, 'shape': (1, 3), }", six), "want real numbers"},
		{npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (4, 3), }", six), "cut short"},
		{npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904, 4), }", six), "cut short"},
		{npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), }", []float64{1, 2, math.NaN(), 4}),
			"row 2, column 1: NaN is not finite"},
	} {
		path := write(t, "points.npy", c.text)
		_, err := datasets.Load(path)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: got error %v, want one line with %q", c.text, err, c.want)
		}
	}
}

// npzFile packs files in order of their names.
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

func TestLoadNPZ(t *testing.T) {
	one := npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2), }", []float64{1, 2})
	two := npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2), }", []float64{3, 4})
	whole := npzFile(map[string]string{"a.npy": one})
	for _, c := range []struct {
		name, text string
		want       []float64
		says       string
	}{
		{"alone", whole, []float64{1, 2}, ""},
		{"by name", npzFile(map[string]string{"labels.npy": one, "x.npy": two, "readme.txt": "hello"}), []float64{3, 4},
			""},
		{"no name", npzFile(map[string]string{"a.npy": one, "b.npy": two}), nil, "holds 2 arrays"},
		{"no array", npzFile(map[string]string{"a.txt": one}), nil, "holds no array"},
		{"empty", "", nil, "holds no points"},
		{"not zip", "hello", nil, "is not an .npz file"},
		{"cut", whole[:len(whole)-10], nil, "is not an .npz file"},
		{"flipped", whole[:80] + string(whole[80]^1) + whole[81:], nil, "array \"a\""},
		{"not npy", npzFile(map[string]string{"a.npy": "hello"}), nil, "array \"a\": is not a .npy file"},
		{"huge", npzFile(
			map[string]string{"a.npy": npyFile(
				"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000, 1000000000), }", []float64{1})}), nil,
			"cut short"},
	} {
		x, err := datasets.Load(write(t, "x.npz", c.text))
		switch {
		case c.want != nil && (err != nil || !slices.Equal(x.RawMatrix().Data, c.want)):
			t.Errorf("%s: got %v, %v, want %v", c.name, x, err, c.want)
		case c.want == nil && (err == nil || !strings.Contains(err.Error(), c.says) ||
			strings.Contains(err.Error(), "\n")):
			t.Errorf("%s: got error %v, want one line with %q", c.name, err, c.says)
		}
	}
}

// NumPy reads what we write, and we read what NumPy writes.
func TestNumPy(t *testing.T) {
	const python = "/usr/bin/python3"
	if exec.Command(python, "-c", "import numpy").Run() != nil {
		t.Skip("no NumPy at " + python)
	}
	dir := t.TempDir()
	x := mat.NewDense(3, 2, []float64{1, -2, 0.5, math.Pi, 1e300, -0})
	for _, name := range []string{"x.npy", "x.npz"} {
		if err := datasets.Save(filepath.Join(dir, name), x); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(python, "-c", `
import numpy as np
x = np.load("x.npy")
assert (np.load("x.npz")["x"] == x).all() and x.dtype == np.float64 and x.shape == (3, 2)
np.savez("plain.npz", x, )
np.savez_compressed("packed.npz", points=x, labels=np.arange(3))
np.save("fortran.npy", np.asfortranarray(x))
np.save("big.npy", x.astype(">f8"))
`)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"plain.npz", "packed.npz", "fortran.npy", "big.npy"} {
		got, err := datasets.Load(filepath.Join(dir, name))
		if err != nil || !mat.Equal(got, x) {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
}

// FuzzLoad looks for input that makes the readers panic.
func FuzzLoad(f *testing.F) {
	f.Add("1,2\n3,4\n", ".csv")
	f.Add(npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2), }", []float64{1, 2}), ".npy")
	f.Add(npzFile(map[string]string{"x.npy": npyFile("{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }",
		[]float64{1})}), ".npz")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text, ext string) {
		if ext != ".csv" && ext != ".npy" && ext != ".npz" {
			return
		}
		path := filepath.Join(dir, "x"+ext)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		x, err := datasets.Load(path)
		if (x == nil) == (err == nil) {
			t.Errorf("points %v and error %v", x, err)
		}
	})
}

// FuzzImage looks for files that make the picture reader panic. Chunk checksums are corrected, so that mutated chunks
// are read.
func FuzzImage(f *testing.F) {
	var b bytes.Buffer
	img := image.NewGray(image.Rect(0, 0, 3, 2))
	img.Pix[1] = 255
	if err := png.Encode(&b, img); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add(b.Bytes()[:b.Len()-20])
	f.Add([]byte("\x89PNG\r\n\x1a\n"))
	b.Reset()
	if err := png.Encode(&b, image.NewPaletted(image.Rect(0, 0, 5, 5),
		color.Palette{color.Black, color.White, color.Transparent})); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	path := filepath.Join(f.TempDir(), "x.png")
	f.Fuzz(func(t *testing.T, b []byte) {
		b = sumChunks(b)
		if head, err := png.DecodeConfig(bytes.NewReader(b)); err == nil {
			// A larger picture has more pixels and nothing else, and takes its time; one with an impossible claim is
			// refused.
			if n := head.Width * head.Height; n > 1<<12 && n/8 <= 1032*len(b) {
				return
			}
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		d, err := datasets.OpenContext(t.Context(), path, datasets.OpenOptions{Image: datasets.ImageConfig{MaxSide: 8}})
		if err == nil {
			checkDraw(t, d.(datasets.Distribution))
		}
	})
}

// sumChunks returns a .png file with corrected chunk checksums.
func sumChunks(b []byte) []byte {
	b = bytes.Clone(b)
	for at := 8; at+12 <= len(b); {
		n := int(binary.BigEndian.Uint32(b[at:]))
		if n > len(b)-at-12 {
			break
		}
		binary.BigEndian.PutUint32(b[at+8+n:], crc32.ChecksumIEEE(b[at+4:at+8+n]))
		at += 12 + n
	}
	return b
}

// FuzzPixels looks for pictures and settings that give a density without mass, or one that is not finite at its own
// samples.
func FuzzPixels(f *testing.F) {
	f.Add([]byte{0, 255, 255, 255}, uint8(2), uint16(256), 3.0, 1.0, 0.001, false)
	f.Add([]byte{255, 255, 255, 0, 0, 255, 9}, uint8(3), uint16(2), 1e-6, 8.0, 0.999, true)
	f.Add([]byte{0}, uint8(1), uint16(1), 1e6, 0.1, 1e-300, false)
	f.Add([]byte{0}, uint8(1), uint16(1), 1e-300, 1.0, 0.5, false)
	f.Fuzz(func(t *testing.T, pix []byte, width uint8, side uint16, half, blur, background float64, invert bool) {
		w := int(width)
		if w == 0 || len(pix) < w || len(pix) > 1<<12 {
			return
		}
		img := &image.Gray{Pix: pix, Stride: w, Rect: image.Rect(0, 0, w, len(pix)/w)}
		d, err := datasets.NewImage(img,
			datasets.ImageConfig{Invert: invert, HalfWidth: half, Blur: blur, MaxSide: int(side),
				Background: background})
		if err == nil {
			checkDraw(t, d)
		}
	})
}

// checkDraw checks that the density is finite where a sample falls.
func checkDraw(t *testing.T, d datasets.Distribution) {
	t.Helper()
	x, logp, score := mat.NewDense(1, 2, nil), make([]float64, 1), mat.NewDense(1, 2, nil)
	d.Sample(x, rand.New(rand.NewPCG(1, 1)))
	if d.LogProb(logp, x); math.IsNaN(logp[0]) || math.IsInf(logp[0], 0) {
		t.Errorf("log density %g at a sample", logp[0])
	}
	d.Score(score, x)
	if s := mat.Norm(score, 1); math.IsNaN(s) || math.IsInf(s, 0) {
		t.Errorf("score %v at a sample", mat.Formatted(score))
	}
	lo, hi := d.Bounds()
	for j := range lo {
		if !(lo[j] < hi[j]) || math.IsInf(hi[j]-lo[j], 0) {
			t.Errorf("bounds %v, %v", lo, hi)
		}
	}
}

func TestSaveLoad(t *testing.T) {
	x := mat.NewDense(50, 3, nil)
	rng := rand.New(rand.NewPCG(1, 1))
	x.Apply(func(_, _ int, _ float64) float64 { return rng.NormFloat64() * math.Exp(20*rng.NormFloat64()) }, x)
	folder := t.TempDir()
	for _, name := range []string{"x.csv", "x.npy", "x.npz"} {
		path := filepath.Join(folder, name)
		if err := datasets.Save(path, x); err != nil {
			t.Fatal(err)
		}
		got, err := datasets.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if !mat.Equal(got, x) {
			t.Errorf("%s: points differ after a round trip", name)
		}
	}
	if err := datasets.Save(filepath.Join(folder, "x.xlsx"), x); err == nil {
		t.Error("saved a .xlsx file")
	}
	if err := datasets.Save(filepath.Join(folder, "none", "x.csv"), x); err == nil {
		t.Error("saved in a folder that does not exist")
	}
	if files, _ := os.ReadDir(folder); len(files) != 3 {
		t.Errorf("%d files left, want 3", len(files))
	}
}

// The deviation of columns whose squares overflow or underflow.
func TestStandardizerOfExtremes(t *testing.T) {
	for _, unit := range []float64{1e-200, 1, 1e200} {
		s := datasets.NewStandardizer(mat.NewDense(4, 1, []float64{1 * unit, 3 * unit, 1 * unit, 3 * unit}))
		if math.Abs(s.Mean[0]/unit-2) > 1e-12 || math.Abs(s.Scale[0]/unit-1) > 1e-12 {
			t.Errorf("unit %g: mean %g, scale %g, want 2 and 1 of it", unit, s.Mean[0], s.Scale[0])
		}
	}
	if datasets.NewStandardizer(mat.NewDense(2, 1, []float64{1.5e308, 1.6e308})).Validate(1) == nil {
		t.Error("a mean that overflows is valid")
	}
	if datasets.NewStandardizer(mat.NewDense(3, 1, []float64{1e-310, 2e-310, 4e-310})).Validate(1) == nil {
		t.Error("a deviation without an inverse is valid")
	}
}

// Points far from zero keep their precision: at 1e15 neighbouring numbers are an eighth apart, which shows in the
// deviation.
func TestStandardizerFarOut(t *testing.T) {
	const n = 10000
	x, rng := mat.NewDense(n, 1, nil), rand.New(rand.NewPCG(1, 2))
	for i := range n {
		x.Set(i, 0, 1e15+rng.NormFloat64())
	}
	s := datasets.NewStandardizer(x)
	if want := math.Sqrt(1 + 1./64/12); math.Abs(s.Scale[0]-want) > 4*want/math.Sqrt(2*n) ||
		math.Abs(s.Mean[0]-1e15) > 4/math.Sqrt(n)+1./16 {
		t.Errorf("mean %g, scale %g, want 1e15 and %g", s.Mean[0], s.Scale[0], want)
	}
	if _, ok := datasets.Constant(x, 0); ok {
		t.Error("points at 1e15 are a constant")
	}
}

// A column with a single value is constant for any number of rows, however their sum is rounded.
func TestStandardizerOfConstants(t *testing.T) {
	const n = 100000
	x := mat.NewDense(n, 3, nil)
	for i := range n {
		x.SetRow(i, []float64{0.1, -1e300, 0.3 + 1e-14*float64(i%2)})
	}
	s := datasets.NewStandardizer(x)
	for j, want := range []float64{0.1, -1e300, 0.3} {
		if math.Abs(s.Mean[j]/want-1) > 1e-13 || s.Scale[j] != 1 {
			t.Errorf("column %d: mean %g, scale %g, want %g and 1", j, s.Mean[j], s.Scale[j], want)
		}
	}
	if s.Mean[0] != 0.1 {
		t.Errorf("mean %.17g of a constant, want 0.1", s.Mean[0])
	}
	for i := range n { // narrow, not constant
		x.Set(i, 0, 1+1e-9*float64(i%2))
	}
	if got := datasets.NewStandardizer(x).Scale[0]; math.Abs(got/5e-10-1) > 1e-3 {
		t.Errorf("scale %g, want 5e-10", got)
	}
}

// Both parts keep the names of the columns.
func TestSplitKeepsNames(t *testing.T) {
	s, err := datasets.Open(write(t, "x.csv", "left,right\n1,2\n3,4\n5,6\n"))
	if err != nil {
		t.Fatal(err)
	}
	train, test, err := s.(*datasets.Points).Split(0.3, rand.New(rand.NewPCG(1, 1)))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []*datasets.Points{train, test} {
		if want := []string{"left", "right"}; !slices.Equal(p.Names(), want) {
			t.Errorf("names %q, want %q", p.Names(), want)
		}
	}
}

func TestStandardizer(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	x := mat.NewDense(1000, 3, nil)
	for i := range 1000 {
		x.SetRow(i, []float64{5 + 2*rng.NormFloat64(), -1e6 + 300*rng.NormFloat64(), 7})
	}
	s := datasets.NewStandardizer(x)
	raw, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	s = new(datasets.Standardizer)
	if err := json.Unmarshal(raw, s); err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(3); err != nil {
		t.Fatal(err)
	}
	if s.Validate(2) == nil || (&datasets.Standardizer{Mean: []float64{0}, Scale: []float64{0}}).Validate(1) == nil {
		t.Error("a bad standardizer is valid")
	}
	z, back := mat.NewDense(1000, 3, nil), mat.NewDense(1000, 3, nil)
	s.Apply(z, x)
	for j := range 3 {
		col := mat.Col(nil, j, z)
		var mean, square float64
		for _, v := range col {
			mean += v / 1000
			square += v * v / 1000
		}
		want := 1.0
		if j == 2 {
			want = 0 // constant: shifted, not scaled
		}
		if math.Abs(mean) > 1e-9 || math.Abs(square-want) > 1e-9 {
			t.Errorf("column %d: mean %g, mean square %g, want 0 and %g", j, mean, square, want)
		}
	}
	s.Invert(back, z)
	if !mat.EqualApprox(back, x, 1e-9) {
		t.Error("Invert does not undo Apply")
	}
	if got, want := s.LogDet(), math.Log(s.Scale[0])+math.Log(s.Scale[1]); math.Abs(got-want) > 1e-12 {
		t.Errorf("LogDet: got %g, want %g", got, want)
	}
}

func TestPoints(t *testing.T) {
	x := mat.NewDense(10, 1, []float64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	p, err := datasets.NewPoints(x)
	if err != nil {
		t.Fatal(err)
	}
	lo, hi := p.Bounds()
	if math.Abs(lo[0]+1.35) > 1e-12 || math.Abs(hi[0]-10.35) > 1e-12 {
		t.Errorf("bounds %g and %g, want -1.35 and 10.35", lo[0], hi[0])
	}
	rng := rand.New(rand.NewPCG(1, 1))
	train, test, err := p.Split(0.3, rng)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[float64]int{}
	for _, q := range []*datasets.Points{train, test} {
		for i := range q.Len() {
			seen[q.Matrix().At(i, 0)]++
		}
	}
	if train.Len() != 7 || test.Len() != 3 || len(seen) != 10 {
		t.Errorf("split in %d and %d points, %d different ones", train.Len(), test.Len(), len(seen))
	}
	draws := mat.NewDense(10000, 1, nil)
	p.Sample(draws, rng)
	var mean float64
	for i := range 10000 {
		mean += draws.At(i, 0) / 10000
	}
	if math.Abs(mean-4.5) > 4*math.Sqrt(8.25/10000) {
		t.Errorf("mean of draws %g, want 4.5", mean)
	}
	if _, _, err := p.Split(1, rng); err == nil {
		t.Error("split with a share of 1")
	}
}

func TestOpen(t *testing.T) {
	for _, name := range []string{"rings", write(t, "a.csv", "1,2\n3,4\n")} {
		s, err := datasets.Open(name)
		if err != nil || s.Dim() != 2 {
			t.Errorf("%s: %v, error %v", name, s, err)
		}
	}
	folder := filepath.Join(t.TempDir(), "a.csv")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".", "..", t.TempDir(), t.TempDir() + "/", folder} {
		_, open := datasets.Open(name)
		_, load := datasets.Load(name)
		for _, err := range []error{open, load} {
			if err == nil || !strings.Contains(err.Error(), name+" is a folder") {
				t.Errorf("%s: got error %v, want that it is a folder", name, err)
			}
		}
	}
	for name, want := range map[string]string{
		"4square":    `unknown dataset "4square"; did you mean "4squares"?`,
		"swiss":      `did you mean "swissroll"?`,
		"2Moons":     `did you mean "moons"?`,
		"8gausians":  `did you mean "8gaussians"?`,
		"qqqqqqqqqq": "known: 8gaussians, 2spirals, 4squares, checkerboard, rings",
		"none.csv":   "no such file",
		"none.png":   "no such file",
	} {
		_, err := datasets.Open(name)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got error %v, want %q", name, err, want)
		}
	}
	for _, name := range datasets.Names() {
		if datasets.Describe(name) == "" {
			t.Errorf("%s has no description", name)
		}
	}
}

// drawing is a white picture with a dark disc, a grey bar and a transparent black corner.
func drawing() image.Image {
	img := image.NewNRGBA(image.Rect(10, 20, 110, 80))
	for y := range 60 {
		for x := range 100 {
			c := color.NRGBA{255, 255, 255, 255}
			if (x-25)*(x-25)+(y-30)*(y-30) < 200 {
				c = color.NRGBA{0, 0, 0, 255}
			}
			if x > 60 && x < 90 && y > 40 && y < 50 {
				c = color.NRGBA{128, 128, 128, 255}
			}
			if x > 90 && y < 10 {
				c = color.NRGBA{0, 0, 0, 0}
			}
			img.Set(10+x, 20+y, c)
		}
	}
	return img
}

func TestImage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "drawing.png")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(f, drawing()); err != nil {
		t.Fatal(err)
	}
	f.Close()
	s, err := datasets.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	d := s.(datasets.Distribution)
	datasettest.Check(t, d, datasettest.Options{})

	// The disc lies left of the centre, the bar to the right and below; the transparent corner is blank.
	x := mat.NewDense(4, 2, nil)
	const pixel = 6. / 100
	for i, at := range [][2]float64{{25, 30}, {75, 45}, {50, 10}, {96, 4}} {
		x.SetRow(i, []float64{(at[0] + 0.5 - 50) * pixel, (30 - at[1] - 0.5) * pixel})
	}
	l := make([]float64, 4)
	d.LogProb(l, x)
	if ratio := math.Exp(l[0] - l[1]); math.Abs(ratio-255./127) > 0.02 {
		t.Errorf("black is %.3f times as dense as grey, want %.3f", ratio, 255./127)
	}
	if l[2] > l[1]-4 || l[3] > l[1]-4 {
		t.Errorf("log p on blank paper %.2f and %.2f, on the bar %.2f", l[2], l[3], l[1])
	}
}

// Grey paper carries no mass, whatever its shade and spread; white paper, an intended grey and a uniform grey stay as
// they are.
func TestPaper(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		name  string
		paper func(x, y int) int
		cfg   datasets.ImageConfig
		ink   int     // grey of the square
		ratio float64 // of the paper's density to that of the square
		note  string
	}{
		{"white", func(x, y int) int { return 255 }, datasets.ImageConfig{}, 0, 0, ""},
		{"grey", func(x, y int) int { return 240 }, datasets.ImageConfig{}, 0, 0,
			"the paper is grey, 240 of 255 on 94 % of the picture"},
		{"almost white", func(x, y int) int { return 254 }, datasets.ImageConfig{}, 0, 0, "the paper is grey, 254"},
		{"scanned", func(x, y int) int { return 229 + rng.IntN(7) }, datasets.ImageConfig{}, 0, 0, "the paper is grey"},
		{"grey, inverted", func(x, y int) int { return 20 }, datasets.ImageConfig{Invert: true}, 255, 0,
			"the background is grey, 20 of 255"},
		{"dark", func(x, y int) int { return 10 }, datasets.ImageConfig{}, 255, 0,
			"94 % of the picture is dark and holds most of the mass; if that is the background, invert it"},
		{"light, inverted", func(x, y int) int { return 250 }, datasets.ImageConfig{Invert: true}, 0, 0,
			"do not invert it"},
		{"a grey that is meant", func(x, y int) int { return 255 - 100*min(1, x/8) }, datasets.ImageConfig{}, 0,
			100. / 255, ""},
		{"a threshold", func(x, y int) int { return 240 }, datasets.ImageConfig{Threshold: 0.5}, 0, 0, ""},
		{"none", func(x, y int) int { return 240 }, datasets.ImageConfig{Threshold: -1}, 0, 15. / 255, ""},
		{"one grey", func(x, y int) int { return 240 }, datasets.ImageConfig{}, 240, 1, ""},
	} {
		img := image.NewGray(image.Rect(0, 0, 64, 64))
		for y := range 64 {
			for x := range 64 {
				img.Pix[64*y+x] = uint8(c.paper(x, y))
				if x >= 24 && x < 40 && y >= 24 && y < 40 {
					img.Pix[64*y+x] = uint8(c.ink)
				}
			}
		}
		d, err := datasets.NewImage(img, c.cfg)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if !strings.Contains(d.Note(), c.note) || (c.note == "") != (d.Note() == "") {
			t.Errorf("%s: note %q, want %q", c.name, d.Note(), c.note)
		}
		if strings.Contains(d.Note(), "most of the mass") {
			continue
		}
		logp := make([]float64, 2)
		d.LogProb(logp, mat.NewDense(2, 2, []float64{0, 0, 2.5, 2.5}))
		background := math.Exp(-6.25/1.44) / (2 * math.Pi * 1.44) * 0.001
		if got := (math.Exp(logp[1]) - background) / math.Exp(logp[0]); math.Abs(got-c.ratio) > 0.01 {
			t.Errorf("%s: the paper is %.3f times as dense as the square, want %.3f", c.name, got, c.ratio)
		}
	}
}

// sixteen is a picture of 16×16 pixels of several greys.
func sixteen() image.Image {
	img := image.NewGray(image.Rect(0, 0, 16, 16))
	for i := range img.Pix {
		img.Pix[i] = uint8(i * i * 37 % 256)
		if i%3 == 0 {
			img.Pix[i] = 255
		}
	}
	return img
}

// The entropy equals the mean of −log p over draws, however sharp the pixels are.
func TestImageEntropy(t *testing.T) {
	const n = 100000
	for _, c := range []datasets.ImageConfig{{Blur: 0.1}, {Blur: 0.2}, {Blur: 0.5}, {Blur: 3},
		{Blur: 0.1, Background: 0.5}, {Blur: 8, HalfWidth: 100, Background: 0.9}} {
		d, err := datasets.NewImage(sixteen(), c)
		if err != nil {
			t.Fatal(err)
		}
		x, logp := mat.NewDense(n, 2, nil), make([]float64, n)
		d.Sample(x, rand.New(rand.NewPCG(1, 2)))
		d.LogProb(logp, x)
		var mean, square float64
		for _, v := range logp {
			mean -= v / n
			square += v * v / n
		}
		if tol := 4 * math.Sqrt((square-mean*mean)/n); math.Abs(d.Entropy()-mean) > tol {
			t.Errorf("%+v: entropy %.4f, want %.4f ± %.4f", c, d.Entropy(), mean, tol)
		}
	}
}

// Whatever the share of the background, at most 1e-6 of it is out of bounds: with u = |x|/s, P(u > a) = erfc(a/√2) on
// each axis.
func TestImageBounds(t *testing.T) {
	for _, share := range []float64{1e-6, 0.001, 0.01, 0.5, 0.999} {
		d, err := datasets.NewImage(sixteen(), datasets.ImageConfig{Blur: 0.1, Background: share})
		if err != nil {
			t.Fatal(err)
		}
		_, hi := d.Bounds()
		var out float64
		for _, v := range hi {
			out += share * math.Erfc(v/(0.4*3)/math.Sqrt2)
		}
		if out > 1e-6 {
			t.Errorf("background %g: %.2g of the mass out of bounds", share, out)
		}
	}
}

func TestImageErrors(t *testing.T) {
	white := image.NewGray(image.Rect(0, 0, 5, 5))
	for i := range white.Pix {
		white.Pix[i] = 255
	}
	if _, err := datasets.NewImage(white, datasets.ImageConfig{}); err == nil ||
		!strings.Contains(err.Error(), "white") {
		t.Errorf("white picture: %v", err)
	}
	if _, err := datasets.NewImage(white, datasets.ImageConfig{Invert: true}); err != nil {
		t.Errorf("white picture, inverted: %v", err)
	}
	if _, err := datasets.NewImage(new(image.Gray), datasets.ImageConfig{}); err == nil ||
		!strings.Contains(err.Error(), "no pixels") {
		t.Errorf("an empty picture: got %v", err)
	}
	if _, err := datasets.NewGaussianMixture(nil, new(mat.Dense), nil); err == nil {
		t.Error("a mixture without means: no error")
	}
	if _, err := datasets.NewImage(white, datasets.ImageConfig{Blur: 100}); err == nil {
		t.Error("blur of 100 pixels: no error")
	}
	if _, err := datasets.Open(write(t, "text.png", "this is text")); err == nil ||
		!strings.Contains(err.Error(), "not a .png picture") {
		t.Errorf("text as a picture: %v", err)
	}
}

func ExampleNew() {
	d, err := datasets.New("8gaussians")
	if err != nil {
		panic(err)
	}
	x := mat.NewDense(1000, d.Dim(), nil)
	d.Sample(x, rand.New(rand.NewPCG(1, 2)))

	// The mean of −log p over the draws estimates the entropy.
	logp := make([]float64, 1000)
	d.LogProb(logp, x)
	var mean float64
	for _, l := range logp {
		mean -= l / 1000
	}
	fmt.Printf("entropy %.3f, exact %.5f\n", mean, d.(datasets.Entropic).Entropy())
	// Output: entropy -0.389, exact -0.38100
}
