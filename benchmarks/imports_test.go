package benchmarks_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/stheno-ebm/stheno/"

// allowed is the architecture: which packages of this module each package may import. A trailing slash stands for
// everything below. Composition roots (cmd, benchmarks) may import anything.
var allowed = map[string][]string{
	"graphs":             {"graphs/internal/"},
	"graphs/internal":    {"graphs/internal/"},
	"graphs/graphtest":   {"graphs", "graphs/internal/"},
	"graphs/onnx":        {"graphs", "graphs/internal/"},
	"graphs/vector":      {"graphs/internal/"},
	"energy":             {"graphs", "graphs/onnx", "energy/", "datasets/density", "datasets/files"},
	"energy/safetensors": {"datasets/files"},
	"mcmc":               {},
	"mcmc/mcmctest":      {"mcmc"},

	"datasets":                {"datasets/density", "datasets/files", "datasets/table", "datasets/internal/"},
	"datasets/datasettest":    {"datasets"},
	"datasets/density":        {"datasets/internal/"},
	"datasets/internal/batch": {},
	"datasets/files":          {},
	"datasets/table":          {"datasets/files"},

	"objectives":               {"graphs", "graphs/vector", "energy", "energy/safetensors", "mcmc", "datasets/density"},
	"objectives/objectivetest": {"objectives", "energy", "graphs"},
	"objectives/verify":        {"objectives", "energy", "graphs", "graphs/vector", "mcmc"},
	"objectives/train":         {"objectives", "energy", "energy/safetensors", "graphs/vector", "datasets/files"},
	"objectives/metrics":       {},
	"objectives/fit": {"datasets/files", "datasets/table", "objectives", "objectives/train", "objectives/metrics",
		"objectives/fit/rundir", "objectives/verify", "graphs", "energy", "energy/safetensors",
		"mcmc", "datasets", "datasets/density", "datasets/files"},
	"objectives/fit/rundir": {"objectives/train", "datasets/files"},

	"viz":      {"datasets/files"},
	"viz/live": {"datasets/files"},

	"internal/onnxtest": {},
}

// gorgoniaSeers are the only packages whose code may name Gorgonia's nodes or tensors.
var gorgoniaSeers = []string{"graphs", "energy", "objectives", "cmd", "benchmarks"}

func TestImportTable(t *testing.T) {
	fset := token.NewFileSet()
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || d.Name() == "gen" ||
			strings.HasPrefix(d.Name(), ".") && d.Name() != "..") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(fset, path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		pkg := filepath.ToSlash(filepath.Dir(strings.TrimPrefix(path, "../")))
		for _, spec := range f.Imports {
			imp, _ := strconv.Unquote(spec.Path.Value)
			if !permitted(pkg, imp) {
				t.Errorf("%s imports %s: not in the table of imports", path, imp)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func permitted(pkg, imp string) bool {
	top, _, _ := strings.Cut(pkg, "/")
	if strings.HasPrefix(imp, "gorgonia.org/") {
		return slices.Contains(gorgoniaSeers, top)
	}
	ours, ok := strings.CutPrefix(imp, module)
	if !ok || top == "cmd" || top == "benchmarks" || pkg == ours {
		return true
	}
	key := pkg
	if strings.HasPrefix(pkg, "graphs/internal") {
		key = "graphs/internal"
	}
	rules, ok := allowed[key]
	if !ok {
		return false // a package missing from the table
	}
	return slices.ContainsFunc(rules, func(r string) bool {
		return ours == r || strings.HasSuffix(r, "/") && strings.HasPrefix(ours, r)
	})
}
