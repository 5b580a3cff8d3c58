package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A place where a rule does not hold needs a reason of its own here.
var (
	realTime = map[string]string{
		"sim/vclock":         "the clock itself, and its watchdog",
		"sim/cmd/windtunnel": "tells the person at the terminal how long a run took",
		"sim/house":          "no product code",

		"sim/vtpm/engine_child.go": "how long another process may be silent before it counts as stuck",
		"sim/load/target/child.go": "how long another process may take to begin and to end",
	}
	ownGoroutines = map[string]string{
		"sim/vclock":         "actors and workers",
		"sim/vnet":           "the tls home: net/http's server and handshakes run beside the parked actor",
		"sim/vtpm":           "builds images, and watches engine processes, beside the clock",
		"sim/cmd/windtunnel": "signals and the progress display",
		"sim":                "cells run side by side",
		"sim/load/target":    "waits for another process beside the clock",
		"sim/load/export":    "net/http's server and the exporter's queue, in wall time only",
	}
)

var (
	timeCalls = []string{"Now", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick", "Since", "Until"}
	randCalls = []string{"Int", "IntN", "Intn", "Int64", "Uint32", "Uint64", "Float64", "Perm", "Shuffle", "N", "Read"}
	clockWait = []string{"Sleep", "Offload", "Wait", "Acquire", "AwaitScreen", "AwaitOff"}
)

func TestNoRealTimeOutsideTheClock(t *testing.T) {
	eachFile(t, func(f sourceFile) {
		if realTime[f.dir] != "" || realTime[f.path()] != "" {
			return
		}
		f.calls("time", timeCalls, func(pos token.Position, name string) {
			t.Errorf("%s: time.%s reads real time; use the vclock.Clock", pos, name)
		})
	})
}

func TestNoGlobalRandomness(t *testing.T) {
	eachFile(t, func(f sourceFile) {
		if f.dir == "sim/vclock" {
			return
		}
		for _, path := range []string{"math/rand", "math/rand/v2"} {
			f.calls(path, randCalls, func(pos token.Position, name string) {
				t.Errorf("%s: %s.%s draws from the global source; use a vclock.Seed stream", pos, path, name)
			})
		}
	})
}

func TestGoroutinesAreTheSchedulers(t *testing.T) {
	eachFile(t, func(f sourceFile) {
		if _, ok := ownGoroutines[f.dir]; ok {
			return
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if g, ok := n.(*ast.GoStmt); ok {
				t.Errorf("%s: go statement; in virtual time only the clock starts actors", f.fset.Position(g.Pos()))
			}
			return true
		})
	})
}

// TestNoLockOverAClockCall finds the plain form of the mistake: x.Lock() and,
// before x.Unlock() or under a deferred one, a call that can wait in the
// clock, in one function. It would hang a process that the scheduler believes
// to be running.
func TestNoLockOverAClockCall(t *testing.T) {
	eachFile(t, func(f sourceFile) {
		if f.dir == "sim/vclock" {
			return
		}
		for _, d := range f.ast.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Body == nil {
				continue
			}
			lockedCalls(fn.Body, func(call *ast.CallExpr, name string) {
				t.Errorf("%s: %s under a lock in %s", f.fset.Position(call.Pos()), name, fn.Name.Name)
			})
		}
	})
}

// lockedCalls walks a function in source order with the count of locks held.
func lockedCalls(body *ast.BlockStmt, report func(*ast.CallExpr, string)) {
	held := 0
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			lockedCalls(n.Body, report)
			return false
		case *ast.DeferStmt:
			return false // a deferred Unlock keeps the lock to the end
		case *ast.CallExpr:
			sel, ok := n.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			switch name := sel.Sel.Name; {
			case (name == "Lock" || name == "RLock") && len(n.Args) == 0:
				held++
			case (name == "Unlock" || name == "RUnlock") && len(n.Args) == 0:
				held = max(0, held-1)
			case held > 0 && slices.Contains(clockWait, name) && len(n.Args) > 0:
				report(n, name)
			}
		}
		return true
	})
}

type sourceFile struct {
	fset *token.FileSet
	ast  *ast.File
	dir  string // relative to the module's root
	name string
}

func (f sourceFile) path() string { return f.dir + "/" + f.name }

// calls reports the uses of a package's functions.
func (f sourceFile) calls(path string, names []string, report func(token.Position, string)) {
	local := ""
	for _, imp := range f.ast.Imports {
		if strings.Trim(imp.Path.Value, `"`) != path {
			continue
		}
		local = strings.TrimSuffix(path, "/v2")
		local = local[strings.LastIndex(local, "/")+1:]
		if imp.Name != nil {
			local = imp.Name.Name
		}
	}
	if local == "" {
		return
	}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := sel.X.(*ast.Ident); ok && id.Name == local && id.Obj == nil && slices.Contains(names, sel.Sel.Name) {
				report(f.fset.Position(sel.Pos()), sel.Sel.Name)
			}
		}
		return true
	})
}

// eachFile calls f for every Go file that is no test.
func eachFile(t *testing.T, f func(sourceFile)) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") && path != root:
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		fset := token.NewFileSet()
		parsed, err := parser.ParseFile(fset, path, src, 0)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		f(sourceFile{fset: fset, ast: parsed, dir: filepath.ToSlash(rel), name: d.Name()})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
