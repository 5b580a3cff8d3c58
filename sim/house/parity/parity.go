// Package parity checks parity tables: each row of a room's parity.yaml says
// how faithfully an operation is modelled, and names what witnesses it. Only
// the rules of the house use it.
package parity

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// File is what a table is called, wherever it lies.
const File = "parity.yaml"

// Row is an operation.
type Row struct {
	Operation string `yaml:"operation"`
	Parity    string `yaml:"parity"` // faithful, subset, model, absent
	Note      string `yaml:"note"`
	// Witness is a test in the table's folder or the one above it.
	Witness string `yaml:"witness"`
	// Peer is a spec below scenarios, by its text or the test's name: a client or
	// server of somebody else that agrees.
	Peer string `yaml:"peer"`
}

// levels of likeness, from all to nothing.
var levels = []string{"faithful", "subset", "model", "absent"}

// Check reads every table below root, a module's top folder, and lists what is
// wrong: rows that are not whole, and rows whose witness does not exist. tables
// is how many there are. What is absent needs no witness.
func Check(root string) (tables int, problems []string, err error) {
	specs, err := specsBelow(filepath.Join(root, "scenarios"))
	if err != nil {
		return 0, nil, err
	}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != File {
			return err
		}
		tables++
		dir := filepath.Dir(path)
		tests, err := testsIn(dir, filepath.Dir(dir))
		if err != nil {
			return err
		}
		rows, err := read(path)
		if err != nil {
			problems = append(problems, err.Error())
			return nil
		}
		name, _ := filepath.Rel(root, path)
		for _, p := range check(rows, tests, specs) {
			problems = append(problems, name+": "+p)
		}
		return nil
	})
	return tables, problems, err
}

func read(path string) ([]Row, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var rows []Row
	if err := yaml.UnmarshalWithOptions(text, &rows, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%s is empty", path)
	}
	return rows, nil
}

func check(rows []Row, tests, specs map[string]bool) []string {
	var problems []string
	complain := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	seen := map[string]bool{}
	for _, r := range rows {
		switch {
		case strings.TrimSpace(r.Operation) == "":
			complain("a row has no operation")
		case seen[r.Operation]:
			complain("%s: stands twice", r.Operation)
		case !slices.Contains(levels, r.Parity):
			complain("%s: parity is %q, not one of %s", r.Operation, r.Parity, strings.Join(levels, ", "))
		case r.Witness == "" && r.Peer == "" && r.Parity != "absent":
			complain("%s: has no witness", r.Operation)
		}
		seen[r.Operation] = true
		if r.Witness != "" && !tests[r.Witness] {
			complain("%s: there is no test %q", r.Operation, r.Witness)
		}
		if r.Peer != "" && !specs[r.Peer] {
			complain("%s: there is no spec %q", r.Operation, r.Peer)
		}
	}
	return problems
}
