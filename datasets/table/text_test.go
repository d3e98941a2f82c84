package table_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/table"
)

func write(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func load(t testing.TB, name, content string, o table.Options) (*table.Table, error) {
	t.Helper()
	return table.Load(context.Background(), write(t, name, content), o)
}

// values are rows of a table as text: 1 2|3 4.
func values(x *mat.Dense) string {
	var rows []string
	n, _ := x.Dims()
	for i := range n {
		rows = append(rows, strings.Trim(fmt.Sprint(x.RawRowView(i)), "[]"))
	}
	return strings.Join(rows, "|")
}

// Text is read as its owner meant it: one separator per file, quotation marks, decimal and thousands separators, line
// ends, titles, headers.
func TestText(t *testing.T) {
	drop := table.Options{Missing: table.MissingDrop}
	for _, c := range []struct {
		name, text, want, names string
		o                       table.Options
	}{
		{"thousands between quotes", "income,spend\n\"1,234\",\"5,678\"\n\"2,345\",\"6,789\"\n", "1234 5678|2345 6789",
			"income spend", table.Options{}},
		{"millions", "a,b\n\"1,234,567\",1\n\"12,345\",2\n", "1.234567e+06 1|12345 2", "a b", table.Options{}},
		{"thousands and decimals", "a;b\n1,234.5;2\n3;4\n", "1234.5 2|3 4", "a b", table.Options{}},
		{"decimals and thousands by points", "a;b\n1.234,5;2\n1.000;4\n", "1234.5 2|1000 4", "a b", table.Options{}},
		{"thousands beside decimals", "a\tb\n1,234\t2.5\n3\t4\n", "1234 2.5|3 4", "a b", table.Options{}},
		{"decimal commas between quotes", "\"1,5\",\"2,25\"\n\"3,5\",\"4,0\"\n", "1.5 2.25|3.5 4", "", table.Options{}},
		{"decimal commas, three digits", "1,234;5,678\n2,345;6,789\n", "1.234 5.678|2.345 6.789", "", table.Options{}},
		{"decimal commas, semicolons", "a;b\n1,5;2,5\n3,5;4,5\n", "1.5 2.5|3.5 4.5", "a b", table.Options{}},
		{"decimal commas, tabs", "1,5\t2,5\n3,5\t4,5\n", "1.5 2.5|3.5 4.5", "", table.Options{}},
		{"decimal commas, blanks", "1,5 2,5\n3,5 4,5\n", "1.5 2.5|3.5 4.5", "", table.Options{}},
		{"decimal commas, powers", "1,5e-1;2\n3;4E1\n", "0.15 2|3 40", "", table.Options{}},
		{"a late decimal comma", "1;2\n" + strings.Repeat("3;4\n", 600) + "5,5;6\n",
			"1 2|" + strings.Repeat("3 4|", 600) + "5.5 6", "", table.Options{Header: table.HeaderNo}},
		{"apostrophes, narrow blanks, minus", "a;b\n1'234;−5\n2 345;6\n", "1234 -5|2345 6", "a b", table.Options{}},
		{"sep=", "sep=;\na;b\n1;2\n3;4\n", "1 2|3 4", "a b", table.Options{}},
		{"sep= with CR LF and BOM", "\ufeffsep=|\r\na|b\r\n5|2\r\n3|4\r\n", "5 2|3 4", "a b", table.Options{}},
		{"bars", "a|b\n5|2\n3|4\n", "5 2|3 4", "a b", table.Options{}},
		{"CR", "a,b\r5,2\r3,4\r", "5 2|3 4", "a b", table.Options{}},
		{"CR between quotes", "\"a\rx\",b\r5,2\r", "5 2", "a x b", table.Options{}},
		{"trailing separators", "a,b,\n5,2,\n3,4,\n", "5 2|3 4", "a b", table.Options{}},
		{"trailing separators without header", "5,2,,\n3,4,,\n", "5 2|3 4", "", table.Options{}},
		{"trailing separators in the header only", "a,b,\n5,2\n3,4\n", "5 2|3 4", "a b", table.Options{}},
		{"trailing separators in the rows only", "a;b\n5;2;\n3;4\n", "5 2|3 4", "a b", table.Options{}},
		{"an empty column inside", "5,,2\n3,,4\n", "5 2|3 4", "", table.Options{}},
		{"empty rows", "x,y\n5,2\n3,4\n,\n,\n", "5 2|3 4", "x y", table.Options{}},
		{"blanks in empty rows", "x,y\n5,2\n , \n\n3,4\n", "5 2|3 4", "x y", table.Options{}},
		{"a title", "Sizes of things\n\nx,y\n5,2\n3,4\n", "5 2|3 4", "x y", table.Options{}},
		{"a title with a number", "Sizes, measured in 2020, twice\nx;y\n5;2\n3;4\n", "5 2|3 4", "x y", table.Options{}},
		{"units below the header", "x,y\nmm,kg\n5,2\n3,4\n", "5 2|3 4", "x y", table.Options{}},
		{"comments, a title, comments", "# one\nTitle\n# two\nx,y\n# three\n5,2\n3,4\n", "5 2|3 4", "x y",
			table.Options{}},
		{"line breaks between quotes", "\"income\n(USD)\",spend\n5,2\n\"3\",4\n", "5 2|3 4", "income (USD) spend",
			table.Options{}},
		{"doubled quotes", "\"a \"\"b\"\"\",c\n5,2\n", "5 2", "a \"b\" c", table.Options{}},
		{"a header of numbers from 0", "0,1\n1.5,2.5\n3.5,4.5\n", "1.5 2.5|3.5 4.5", "0 1", table.Options{}},
		{"a header of numbers from 1", "1;2;3\n1.5;2.5;3\n3.5;4.5;6\n", "1.5 2.5 3|3.5 4.5 6", "1 2 3",
			table.Options{}},
		{"a header of one number", "0\n1.5\n3.5\n", "1.5|3.5", "0", table.Options{}},
		{"one whole number above others", "0\n1\n3\n", "0|1|3", "", table.Options{}},
		{"a row of 0 and 1 that comes twice", "0,1\n0,1\n1,0\n", "0 1|0 1|1 0", "", table.Options{}},
		{"no header of numbers", "0,1\n1.5,2.5\n", "0 1|1.5 2.5", "", table.Options{Header: table.HeaderNo}},
		{"a header of years", "2019,2020\n5,2\n", "5 2", "2019 2020", table.Options{Header: table.HeaderYes}},
		{"a single row of 0 and 1", "0,1\n", "0 1", "", table.Options{}},
		{"an index", ",0,1\n0,1.5,2.5\n1,3.5,4.5\n", "0 1.5 2.5|1 3.5 4.5", "x1 0 1", table.Options{}},
		{"row names of R", "\"x\" \"y\"\n\"1\" 0.5 2\n\"2\" 3 4\n", "1 0.5 2|2 3 4", "x1 x y", table.Options{}},
		{"columns by name", "a,b,c\n5,x,2\n3,y,4\n", "2 5|4 3", "c a", table.Options{Columns: []string{"c", "a"}}},
		{"columns by number", "5,x,2\n3,y,4\n", "5 2|3 4", "", table.Options{Columns: []string{"1", "3"}}},
		{"names before numbers", "2,1\n5,6\n", "6", "1",
			table.Options{Columns: []string{"1"}, Header: table.HeaderYes}},
		{"missing, dropped", "a,b\n5,2\nNA,1\n3,\n7,8\n", "5 2|7 8", "a b", drop},
		{"spreadsheet errors, dropped", "ratio,count\n0.5,1\n#DIV/0!,0\n0.7,2\n", "0.5 1|0.7 2", "ratio count", drop},
		{"a spreadsheet error of another language", "ratio,count\n#WERT!,0\n0.7,2\n#NV,1\n", "0.7 2", "ratio count",
			drop},
		{"comments that begin with capitals", "#N/A is written for gaps\n#NVIDIA\nratio,count\n0.7,2\n", "0.7 2",
			"ratio count", drop},
		{"a spreadsheet error in the first row", "ratio,count\n#N/A,0\n0.7,2\n", "0.7 2", "ratio count", drop},
		{"missing, filled", "a,b\n5,2\nnan,1\n3,\n7,9\n", "5 2|5 1|3 4|7 9", "a b",
			table.Options{Missing: table.MissingMean}},
		{"transposed", "5,6,7\n2,3,4\n", "5 2|6 3|7 4", "", table.Options{Transpose: true}},
		{"missing beside an empty column, filled", ",a,b\n,1,2\n,,4\n,5,6\n", "1 2|3 4|5 6", "a b",
			table.Options{Missing: table.MissingMean}},
		{"missing beside an empty column, dropped", ",a,b\n,1,2\n,,4\n,5,6\n", "1 2|5 6", "a b", drop},
		{"two spellings of nothing and trailing separators", "a,b,\n5,2,\n?,3,\n", "5 2", "a b", drop},
	} {
		got, err := load(t, "x.csv", c.text, c.o)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if values(got.X) != c.want || strings.Join(got.Names, " ") != c.names {
			t.Errorf("%s: got %s of %q, want %s of %q", c.name, values(got.X), got.Names, c.want, c.names)
		}
	}
}

// The reader says what it skipped, and how it took the rest.
func TestReport(t *testing.T) {
	for _, c := range []struct {
		text, want, note string
		o                table.Options
	}{
		{"5,2\n3,4\n", "2 rows × 2 columns", "", table.Options{}},
		{"x,y\n5,2\n", "1 row × 2 columns", "", table.Options{}},
		{"x,y\n5,2\n3,4\n,\n,\n", "2 rows × 2 columns, 2 lines skipped (first: line 4)", "", table.Options{}},
		{"# a\n\nTitle\nx,y\n\n\n5,2\n", "1 row × 2 columns, 5 lines skipped (first: line 1)", "", table.Options{}},
		{"\"a\n\nb\",y\n5,2\n\n3,4\n", "2 rows × 2 columns, 1 line skipped (first: line 5)", "", table.Options{}},
		{"a,b\n5,2\n3,\nNA,6\n", "1 row × 2 columns, 2 lines skipped (first: line 3; 2 for a missing value)", "",
			table.Options{Missing: table.MissingDrop}},
		{"a,b\n5,2\n3,\n", "2 rows × 2 columns, 1 missing value filled with the mean of the column", "",
			table.Options{Missing: table.MissingMean}},
		{"age,b\n5,2\n,4\n6,8\n", "3 rows × 2 columns, 1 missing value filled with the mean of the column",
			"column 1 (age): 1 missing value filled with 6, which the column may have, next to the mean 5.5",
			table.Options{Missing: table.MissingMean}},
		{"5,2,\n3,4,\n", "2 rows × 2 columns", "2 rows ending with separators that carry no value", table.Options{}},
		{"5,,4\n3,,5\n", "2 rows × 2 columns", "column 2 has neither name nor value", table.Options{}},
		{"0,1\n1.5,2.5\n", "1 row × 2 columns", "line 1, \"0,1\", is taken for a header", table.Options{}},
		{",a\n0,1.5\n1,2.5\n", "2 rows × 2 columns", "column 1 (x1) counts the rows: it is an index", table.Options{}},
		{"Unnamed: 0,a\n0,1.5\n1,2.5\n", "2 rows × 2 columns", "column 1 (Unnamed: 0) counts the rows: it is an index",
			table.Options{}},
		{"index,a\n5,1.5\n1,2.5\n", "2 rows × 2 columns", "", table.Options{}},
		{",a\n7,1.5\n1,2.5\n", "2 rows × 2 columns", "column 1 has no name; if it names", table.Options{}},
		{"1,5;2,5\n", "1 row × 2 columns", "commas are read as decimal points", table.Options{}},
		{"\"1,234\",2\n", "1 row × 2 columns", "commas group thousands", table.Options{}},
		{"1,2,3,4,5,6,7,8,9\n", "1 row × 9 columns", "1 point of 9 coordinates: transposed?", table.Options{}},
	} {
		got, err := load(t, "x.csv", c.text, c.o)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		var notes []string
		for _, n := range got.Report.Notes {
			notes = append(notes, n.Text)
		}
		all := strings.Join(notes, "; ")
		if got.Report.String() != c.want || !strings.Contains(all, c.note) || (c.note == "") != (all == "") {
			t.Errorf("%q: got %q and %q, want %q and %q", c.text, got.Report, all, c.want, c.note)
		}
	}
}

func TestTextErrors(t *testing.T) {
	for _, c := range []struct {
		text, want, option string
		o                  table.Options
	}{
		{"a,b\n0.1,-0.5\n0.2,0.5\n1;2\n3;4\n5;6\n7;8\n",
			"line 2: a row of 2 numbers divided by comma, in a file divided by semicolon", "", table.Options{}},
		{"a;b\n1,5;2,5\n3 4\n5 6\n7 8\n9 1\n",
			"line 2: a row of 2 numbers divided by semicolon, in a file divided by blanks", "", table.Options{}},
		{"a,b\n$12.5,4.5%\n$11.5,4%\n", `line 3, column 1: "$11.5" is not a number, and there is no row of numbers`, "",
			table.Options{}},
		{"ratio,count\n0.5,1\n#DIV/0!,0\n", `line 3, column 1: the value is missing: "#DIV/0!"`, "Missing",
			table.Options{}},
		{"a,b\n5,2\n3,4\n#7,8\n", `line 4, column 1: "#7" is not a number`, "", table.Options{}},
		{"a,b\n5,2\n3,4\n# more\n", `line 4: "# more" is not a number; a comment may stand above the first row only`,
			"", table.Options{}},
		{"name,height\nAnna,170\nBob,180\n",
			`line 2, column 1: "Anna" is not a number; column 1 (name) holds text in 2 of 2 rows: leave it out`,
			"Columns", table.Options{}},
		{"name,height,city\nAnna,170,Rome\nBob,180,Oslo\n", `columns 1 (name) and 3 (city) hold text: leave them out`,
			"Columns", table.Options{}},
		{"2019,2020,a\n5,2,1\n3,4,1\n", `line 1, column 3: "a" is not a number, nor is the line a header`, "Header",
			table.Options{}},
		{"x,y\n5,2\n", `line 1, column 1: "x" is not a number`, "Header", table.Options{Header: table.HeaderNo}},
		{"x,y,z\n5,2\n", `line 1: the header has 3 names, line 2 has 2 values`, "",
			table.Options{Header: table.HeaderYes}},
		{"1,234\t2,345\n3,456\t4,567\n", `"1,234" may be a number with decimals or a whole one with thousands`, "",
			table.Options{}},
		{"a,b\n\"5,2\n3,4\n", "line 2: a quotation mark is not closed", "", table.Options{}},
		{"a,b\n5\",2\n3,4\n", "line 2: a quotation mark at character", "", table.Options{}},
		{"age,b\n5,2\n3,4\n", `did you mean "age"?`, "Columns", table.Options{Columns: []string{"Age"}}},
		{"a,b\n5,2\n3,4\n", `there is no column "c" among the 2 columns: a, b`, "Columns",
			table.Options{Columns: []string{"c"}}},
		{"5,2\n3,4\n", `there is no column "3" among the 2 columns, which have no names`, "Columns",
			table.Options{Columns: []string{"3"}}},
		{"a,a\n5,2\n", `columns 1 and 2 are both called "a"`, "Columns", table.Options{Columns: []string{"a"}}},
		{"a,b\n5,2\n", `column "1" is named twice`, "Columns", table.Options{Columns: []string{"a", "1"}}},
		{"a,b\n5,\n3,NA\n", "column 2: there is no value in any row", "Columns",
			table.Options{Missing: table.MissingMean}},
		{"a,b\n5,\n,4\n", "a value is missing in every row", "Missing", table.Options{Missing: table.MissingDrop}},
		{"a,b\n5,inf\n", `line 2, column 2: inf is not finite`, "", table.Options{Missing: table.MissingDrop}},
		{"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
			"is a Git LFS pointer, not the file", "", table.Options{}},
		{"<!DOCTYPE html>\n<html>", "is a web page", "", table.Options{}},
		{"[[1, 2], [3, 4]]", "is JSON", "", table.Options{}},
		{"1,2\n\x00\x00\n", "holds zero bytes", "", table.Options{}},
		{"a\x1b[31m\u202e,b\n1,2\n3,x\x07\n", `"x\a" is not a number`, "", table.Options{}},
		{"a,b\n5,2\n3," + strings.Repeat("y", 3<<20) + "\n",
			`"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"… is not a number`, "", table.Options{}},
		{"a,b\n5,\"" + strings.Repeat("y", 1<<25),
			"line 2: goes on for more than 16 MB; is a quotation mark not closed?", "", table.Options{}},
		{strings.Repeat("one\n", 200) + "1\n", "no row of numbers in 100 lines", "", table.Options{}},
	} {
		_, err := load(t, "x.csv", c.text, c.o)
		var e *table.Error
		if !errors.As(err, &e) {
			t.Errorf("%.60q: got error %v, want an *Error with %q", c.text, err, c.want)
			continue
		}
		if !strings.Contains(err.Error(), c.want) || e.Option != c.option ||
			strings.ContainsAny(err.Error(), "\n\x1b\x07\u202e") || len(err.Error()) > 600 {
			t.Errorf("%.60q: got error %v (%s), want one line with %q (%s)", c.text, err, e.Option, c.want, c.option)
		}
	}
	if err := (table.Options{Header: "maybe", Missing: "guess", Columns: []string{""},
		MaxMemory: -1}).Validate(); err == nil || strings.Count(err.Error(), "\n") != 3 {
		t.Errorf("got %v, want four lines", err)
	}
}

// The kind of a stream is recognised by its first bytes, and reading ends with its context even if nobody writes.
func TestRead(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	npy := npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2), }", []float64{5, 2})
	for name, text := range map[string]string{"text": "a,b\n5,2\n", "npy": npy,
		"npz": npzFile(map[string]string{"a.npy": npy})} {
		got, err := table.Read(ctx, strings.NewReader(text), table.Options{})
		if err != nil || values(got.X) != "5 2" {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	cancel()
	if _, err := table.Read(ctx, r, table.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a pipe: got %v", err)
	}
	if _, err := table.Load(ctx, write(t, "x.csv", "1,2\n"), table.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a file: got %v", err)
	}
}

// Memory is requested before it is used: from the size of the file where that tells, otherwise whenever the buffer is
// full.
func TestMemory(t *testing.T) {
	text := strings.Repeat("1.25,2.5\n", 100000)
	for name, o := range map[string]table.Options{"early": {MaxMemory: 100000}, "late": {MaxMemory: 1300000}} {
		if _, err := load(t, "x.csv", text, o); !errors.Is(err, table.ErrMemory) {
			t.Errorf("%s: got %v, want ErrMemory", name, err)
		}
	}
	for _, o := range []table.Options{{}, {MaxMemory: 1700000}} {
		if got, err := load(t, "x.csv", text, o); err != nil || got.X.RawMatrix().Rows != 100000 {
			t.Errorf("%d bytes: %v", o.MaxMemory, err)
		}
	}
	wide := strings.Repeat("1,", table.MaxColumns) + "1\n"
	if _, err := load(t, "x.csv", wide, table.Options{}); err == nil ||
		!strings.Contains(err.Error(), "16385 columns are too many") {
		t.Errorf("a wide table: got %v", err)
	}
	if got, err := load(t, "x.csv", wide, table.Options{Columns: []string{"2"}}); err != nil || values(got.X) != "1" {
		t.Errorf("a column of a wide table: %v", err)
	}
}

// .tsv and .txt are text like .csv.
func TestExtensions(t *testing.T) {
	for name, text := range map[string]string{
		"a.tsv": "a b\tc\n5\t2\n", "b.tsv": "5,2\n", "c.txt": "# x y\n5 2\n", "D.TXT": "5;2\n", "e.csv": "5 2",
	} {
		if got, err := load(t, name, text, table.Options{}); err != nil || values(got.X) != "5 2" {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
	if _, err := load(t, "a.xlsx", "5 2", table.Options{}); err == nil ||
		!strings.Contains(err.Error(), `unknown kind of file ".xlsx"`) {
		t.Errorf("a workbook: got %v", err)
	}
	if !slices.Contains(table.Extensions(), ".npz") {
		t.Error("no .npz among the extensions")
	}
}
