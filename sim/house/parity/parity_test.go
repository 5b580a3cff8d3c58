package parity

import (
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"
)

// house writes a module with one table and gives its folder.
func house(g Gomega, t *testing.T, table, test, spec string) string {
	root := t.TempDir()
	for name, text := range map[string]string{
		"fakething/part/" + File:             table,
		"fakething/part_test.go":             test,
		"scenarios/peers/somebodies_test.go": spec,
	} {
		path := filepath.Join(root, name)
		g.Expect(os.MkdirAll(filepath.Dir(path), 0o755)).To(Succeed())
		g.Expect(os.WriteFile(path, []byte(text), 0o644)).To(Succeed())
	}
	return root
}

const (
	aTest = "package fakething\n\nfunc TestToken(t *testing.T) {}\n"
	aSpec = "package peers\n\nvar _ = Describe(\"x\", func() { It(\"gets a token\", nil); PIt(\"later\", nil) })\n"
)

func TestRowThatLosesItsWitness(t *testing.T) {
	for name, c := range map[string]struct{ row, test, spec, problem string }{
		"test":                {`{operation: token, parity: faithful, witness: TestToken}`, aTest, aSpec, ""},
		"spec":                {`{operation: token, parity: faithful, peer: gets a token}`, "package fakething\n", aSpec, ""},
		"absent":              {`{operation: token, parity: absent}`, "package fakething\n", aSpec, ""},
		"no witness":          {`{operation: token, parity: faithful}`, aTest, aSpec, "token: has no witness"},
		"test is gone":        {`{operation: token, parity: subset, witness: TestToken}`, "package fakething\n", aSpec, `token: there is no test "TestToken"`},
		"spec is gone":        {`{operation: token, parity: model, peer: gets a token}`, aTest, "package peers\n", `token: there is no spec "gets a token"`},
		"one of two is gone":  {`{operation: token, parity: model, witness: TestToken, peer: gets two}`, aTest, aSpec, `token: there is no spec "gets two"`},
		"spec is pending":     {`{operation: token, parity: model, peer: later}`, aTest, aSpec, `token: there is no spec "later"`},
		"absent, with a name": {`{operation: token, parity: absent, witness: TestGone}`, aTest, aSpec, `token: there is no test "TestGone"`},
		"level":               {`{operation: token, parity: mostly, witness: TestToken}`, aTest, aSpec, `token: parity is "mostly", not one of faithful, subset, model, absent`},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			tables, problems, err := Check(house(g, t, "- "+c.row+"\n", c.test, c.spec))
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(tables).To(Equal(1))
			if c.problem == "" {
				g.Expect(problems).To(BeEmpty())
			} else {
				g.Expect(problems).To(ConsistOf(filepath.Join("fakething/part", File) + ": " + c.problem))
			}
		})
	}
}

func TestTableThatCannotBeRead(t *testing.T) {
	g := NewWithT(t)
	for _, table := range []string{"", "- {operation: token, likeness: faithful}\n", "- {operation: token, parity: absent}\n- {operation: token, parity: absent}\n"} {
		_, problems, err := Check(house(g, t, table, aTest, aSpec))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(problems).To(HaveLen(1), table)
	}
}
