package benchmarks_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/objectives"
)

var update = flag.Bool("update", false, "write the generated parts of README.md and CONTRIBUTING.md")

// TestDocuments compares the generated parts of the documents with the program: the library example, which is itself
// a test, and the tables of objectives, distributions and imports.
func TestDocuments(t *testing.T) {
	for _, part := range []struct{ file, name, want string }{
		{"../README.md", "short", "```go\n" + exampleBody(t, "../objectives/fit/example_test.go") + "```\n"},
		{"../README.md", "example", "```go\n" + exampleBody(t, "../objectives/train/library_test.go") + "```\n"},
		{"../README.md", "objectives", objectiveTable(t)},
		{"../README.md", "datasets", datasetTable()},
		{"../CONTRIBUTING.md", "imports", importTable()},
	} {
		b, err := os.ReadFile(part.file)
		if err != nil {
			t.Fatal(err)
		}
		marked := regexp.MustCompile(`(?s)(<!-- ` + part.name + `: [^\n]*\n)(.*?)(<!-- end of ` + part.name + ` -->)`)
		m := marked.FindSubmatchIndex(b)
		switch {
		case m == nil:
			t.Errorf("%s has no marks for %q", part.file, part.name)
		case string(b[m[4]:m[5]]) == part.want:
		case !*update:
			t.Errorf("%s: %s is out of date: go test ./benchmarks -run Documents -update", part.file, part.name)
		default:
			text := string(b[:m[4]]) + part.want + string(b[m[5]:])
			if err := os.WriteFile(part.file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// exampleBody returns the statements of func Example, without indentation and the expected output.
func exampleBody(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, body, ok1 := strings.Cut(string(b), "func Example() {\n")
	body, _, ok2 := strings.Cut(body, "\t// Output:")
	if !ok1 || !ok2 {
		t.Fatalf("%s: no Example with an output", path)
	}
	body = strings.TrimPrefix(strings.ReplaceAll(body, "\n\t", "\n"), "\t")
	if n := strings.Count(body, "\n"); n > 32 {
		t.Errorf("the example has %d lines, too many for a README", n)
	}
	return body
}

func objectiveTable(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprint(&b, "| name | what it is | source | bias, or by-product |\n|---|---|---|---|\n")
	for _, name := range objectives.Names() {
		m, err := objectives.ByName(name)
		if err != nil {
			t.Fatal(err)
		}
		info := m.Suited(objectives.Facts{}).Traits()
		notes := info.Bias
		if info.LogZ {
			notes = "log Z"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", name, info.Summary, info.Source, notes)
	}
	return b.String()
}

func datasetTable() string {
	var b strings.Builder
	fmt.Fprint(&b, "| name | |\n|---|---|\n")
	for _, name := range datasets.Names() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", name, datasets.Describe(name))
	}
	return b.String()
}

// importTable is the table that TestImportTable checks.
func importTable() string {
	var b strings.Builder
	fmt.Fprint(&b, "| package | may import of ours |\n|---|---|\n")
	for _, pkg := range slices.Sorted(maps.Keys(allowed)) {
		what := "–"
		if len(allowed[pkg]) > 0 {
			what = "`" + strings.Join(allowed[pkg], "`, `") + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", pkg, strings.ReplaceAll(what, "/`", "/…`"))
	}
	return b.String()
}

// TestLinks follows every relative link of every Markdown file.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#]+)(#[^)]*)?\)`)
	pages, err := markdown("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		b, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(b), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), m[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", page, m[1])
			}
		}
	}
}

// markdown lists the Markdown files below dir.
func markdown(dir string) (pages []string, err error) {
	err = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "runs" || d.Name() == "testdata" ||
			strings.HasPrefix(d.Name(), ".") && d.Name() != "..") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".md") {
			pages = append(pages, path)
		}
		return nil
	})
	return pages, err
}
