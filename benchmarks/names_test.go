package benchmarks_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stheno-ebm/stheno/objectives"
)

// The names of samplers and energies; those of objectives are the registered ones.
var otherNames = []string{
	"langevin", "mala", "hmc", "nuts", "baoab", "annealed", "tempering", // samplers
	"mlp", "residual", "fourier", // energies
}

// declaring are the files that, besides those that call objectives.Register, name things.
var declaring = []string{"objectives/chains.go", "objectives/fit/network.go", "objectives/fit/sampler.go"}

// Knowledge has one owner: outside the file that declares it, nothing compares the name of an objective, a sampler or
// an energy, be it by ==, by the case of a switch or by the key of a map. What a thing is and what it needs, its
// value tells.
func TestNamesAreNotCompared(t *testing.T) {
	names := append(objectives.Names(), otherNames...)
	eachFile(t, func(path string, fset *token.FileSet, f *ast.File) {
		if slices.Contains(declaring, path) {
			return
		}
		for _, at := range comparisons(f, names) {
			t.Errorf("%s:%d compares with %s: ask the value (objectives.Traits, mcmc.Traits, fit's tables), or move "+
				"this to the file that declares the name", path, fset.Position(at.Pos()).Line, at.Value)
		}
	})
}

// longest is the number of lines that a function may have.
const longest = 80

// No function is so long that it would have to be read twice. Exempt are the generators of assembly, which follow the
// order of the registers, and what they generate.
func TestFunctionsAreShort(t *testing.T) {
	eachFile(t, func(path string, fset *token.FileSet, f *ast.File) {
		if ast.IsGenerated(f) || strings.Contains(path, "/gen/") {
			return
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			first, last := fset.Position(fn.Pos()).Line, fset.Position(fn.End()).Line
			if n := last - first + 1; n > longest {
				t.Errorf("%s:%d: %s has %d lines, want at most %d", path, first, fn.Name.Name, n, longest)
			}
		}
	})
}

// eachFile parses the Go files of the module except tests, and names them by their paths.
func eachFile(t *testing.T, do func(path string, fset *token.FileSet, f *ast.File)) {
	t.Helper()
	files := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && d.Name() != "..") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		files++
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution|parser.ParseComments)
		if err != nil {
			return err
		}
		do(filepath.ToSlash(strings.TrimPrefix(path, ".."+string(filepath.Separator))), fset, f)
		return nil
	})
	if err != nil || files < 100 {
		t.Errorf("%d files seen, error %v", files, err)
	}
}

// comparisons returns the literals in f that are compared with one of the names that f does not declare.
func comparisons(f *ast.File, names []string) (found []*ast.BasicLit) {
	own := registered(f)
	look := func(exprs ...ast.Expr) {
		for _, e := range exprs {
			lit, ok := ast.Unparen(e).(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				continue
			}
			name, err := strconv.Unquote(lit.Value)
			if err == nil && slices.Contains(names, name) && !slices.Contains(own, name) {
				found = append(found, lit)
			}
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			if n.Op == token.EQL || n.Op == token.NEQ {
				look(n.X, n.Y)
			}
		case *ast.CaseClause:
			look(n.List...)
		case *ast.KeyValueExpr: // the key of a struct or an array is not a string
			look(n.Key)
		case *ast.IndexExpr:
			look(n.Index)
		case *ast.CallExpr: // strings.EqualFold(name, "sm")
			if s, ok := n.Fun.(*ast.SelectorExpr); ok && (s.Sel.Name == "EqualFold" || s.Sel.Name == "Compare") {
				look(n.Args...)
			}
		}
		return true
	})
	return found
}

// registered returns the names that f passes to Register.
func registered(f *ast.File) (names []string) {
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		fun := call.Fun
		if s, ok := fun.(*ast.SelectorExpr); ok {
			fun = s.Sel
		}
		id, ok := fun.(*ast.Ident)
		lit, isLit := call.Args[0].(*ast.BasicLit)
		if ok && isLit && id.Name == "Register" {
			if name, err := strconv.Unquote(lit.Value); err == nil {
				names = append(names, name)
			}
		}
		return true
	})
	return names
}

// The search finds every kind of comparison, and nothing where a name is merely mentioned.
func TestComparisonsAreFound(t *testing.T) {
	const text = `package p
func init() { Register("cd", nil) }
var m = map[string]int{"sm": 1, "other": 2}
var s = []string{"sm", "dsm"}
func f(name string) {
	if name == "ssm" || "nce" != (name) || name == "cd" || name == "x" { m["mpf"]++ }
	switch name {
	case "ml", "pcd":
	}
	_ = strings.EqualFold(name, "ed")
	New("ksd", name+"lsd")
}`
	f, err := parser.ParseFile(token.NewFileSet(), "p.go", text, 0)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, lit := range comparisons(f, append(objectives.Names(), otherNames...)) {
		name, _ := strconv.Unquote(lit.Value)
		got = append(got, name)
	}
	if want := []string{"sm", "ssm", "nce", "mpf", "ml", "pcd", "ed"}; !slices.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
}
