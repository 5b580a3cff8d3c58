package parity

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
)

// testsIn names the tests of the packages in some folders.
func testsIn(dirs ...string) (map[string]bool, error) {
	names := map[string]bool{}
	for _, dir := range dirs {
		files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
		if err != nil {
			return nil, err
		}
		for _, path := range files {
			if err := inspect(path, names, false); err != nil {
				return nil, err
			}
		}
	}
	return names, nil
}

// specsBelow names the tests in a folder and all below it, and the texts of its
// Ginkgo specs. A module without scenarios has none.
func specsBelow(dir string) (map[string]bool, error) {
	names := map[string]bool{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path == dir {
			return fs.SkipAll
		}
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		return inspect(path, names, true)
	})
	return names, err
}

// inspect collects a file's tests and, where wanted, the texts of its specs. A
// spec that is pending or focused is none: it may not run.
func inspect(path string, names map[string]bool, specs bool) error {
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Test") {
			names[fn.Name.Name] = true
		}
	}
	if !specs {
		return nil
	}
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		text, isText := call.Args[0].(*ast.BasicLit)
		if node, isName := call.Fun.(*ast.Ident); !isName || !isText || text.Kind != token.STRING || !specNode[node.Name] {
			return true
		}
		if s, err := strconv.Unquote(text.Value); err == nil {
			names[s] = true
		}
		return true
	})
	return nil
}

// specNode are the Ginkgo nodes that are specs, or tables of them.
var specNode = map[string]bool{"It": true, "Specify": true, "Entry": true, "DescribeTable": true}
