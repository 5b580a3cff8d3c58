// Package parity checks parity tables: each row of a package's parity.yaml says
// how faithfully an operation is modelled, and names the test of the same
// package that witnesses it. Only tests import it.
package parity

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// Row is an operation.
type Row struct {
	Operation string `yaml:"operation"`
	Parity    string `yaml:"parity"` // faithful, subset, model, absent
	Note      string `yaml:"note"`
	Witness   string `yaml:"witness"`
}

// Check reads parity.yaml of the package under test, and reports rows that
// are not whole or whose witness does not exist.
func Check(t testing.TB) {
	t.Helper()
	text, err := os.ReadFile("parity.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var rows []Row
	if err := yaml.UnmarshalWithOptions(text, &rows, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	if len(rows) == 0 {
		t.Fatal("parity.yaml is empty")
	}
	tests, seen := witnesses(t), map[string]bool{}
	for _, r := range rows {
		switch r.Parity {
		case "faithful", "subset", "model", "absent":
		default:
			t.Errorf("%s: parity is %q", r.Operation, r.Parity)
		}
		if r.Operation == "" || seen[r.Operation] {
			t.Errorf("operation %q has no name or stands twice", r.Operation)
		}
		seen[r.Operation] = true
		if !tests[r.Witness] {
			t.Errorf("%s: there is no test %q", r.Operation, r.Witness)
		}
	}
}

func witnesses(t testing.TB) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Test") {
				names[fn.Name.Name] = true
			}
		}
	}
	return names
}
