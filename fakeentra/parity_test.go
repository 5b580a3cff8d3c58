package fakeentra_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/goccy/go-yaml"
	. "github.com/onsi/gomega"
)

// TestParityTablesNameTheirWitnesses keeps the tables true: each row that is
// not absent names a test that exists.
func TestParityTablesNameTheirWitnesses(t *testing.T) {
	g := NewWithT(t)
	tests := map[string]bool{}
	files, err := filepath.Glob("*_test.go")
	g.Expect(err).NotTo(HaveOccurred())
	more, err := filepath.Glob("*/*_test.go")
	g.Expect(err).NotTo(HaveOccurred())
	for _, f := range append(files, more...) {
		src, err := os.ReadFile(f)
		g.Expect(err).NotTo(HaveOccurred())
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllSubmatch(src, -1) {
			tests[string(m[1])] = true
		}
	}
	tables, err := filepath.Glob("*/parity.yaml")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(tables).To(HaveLen(7))
	for _, table := range tables {
		raw, err := os.ReadFile(table)
		g.Expect(err).NotTo(HaveOccurred())
		var rows []struct{ Operation, Parity, Note, Witness string }
		g.Expect(yaml.UnmarshalWithOptions(raw, &rows, yaml.Strict())).To(Succeed(), table)
		for _, row := range rows {
			g.Expect(slices.Contains([]string{"faithful", "subset", "model", "absent"}, row.Parity)).To(BeTrue(), row.Operation)
			g.Expect(row.Parity == "absent" || tests[row.Witness]).To(BeTrue(), "%s: %s has no witness", table, row.Operation)
		}
	}
}
