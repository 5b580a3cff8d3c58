package starter

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/onsi/gomega"
)

// root is the repository's.
func root(t *testing.T) string {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return Checkout(here)
}

// TestTheWrittenModuleRuns runs what a new user runs, with no module but those of
// the cache: go.mod and go.sum need no change.
func TestTheWrittenModuleRuns(t *testing.T) {
	g := gomega.NewWithT(t)
	dir := filepath.Join(t.TempDir(), "My first specs")
	g.Expect(Write(dir, root(t))).To(gomega.Succeed())
	used(t) // which brings those modules into an empty cache
	before, err := os.ReadFile(filepath.Join(dir, "go.sum"))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	for _, args := range [][]string{
		{"test", "./..."},
		{"tool", "ginkgo", "-p", "--no-color", "."},
		{"doc", modulePath + "/sim/spec.World"},
	} {
		cmd := exec.Command("go", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOFLAGS=-mod=readonly", "GOWORK=off")
		if args[0] != "doc" { // which looks at go.mod of modules that nothing is built of
			cmd.Env = append(cmd.Env, "GOPROXY=off")
		}
		out, err := cmd.CombinedOutput()
		g.Expect(err).NotTo(gomega.HaveOccurred(), "go %v\n%s", args, out)
	}
	after, err := os.ReadFile(filepath.Join(dir, "go.sum"))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(string(after)).To(gomega.Equal(string(before)))
}

// TestNeededModulesAreThose keeps files/modules.txt true.
func TestNeededModulesAreThose(t *testing.T) {
	gomega.NewWithT(t).Expect(needed()).To(gomega.Equal(used(t)), "files/modules.txt")
}

// used are the modules that specs, and the tool that runs them, are made of.
func used(t *testing.T) (paths []string) {
	t.Helper()
	g := gomega.NewWithT(t)
	found := map[string]bool{}
	for _, args := range [][]string{{"-test", modulePath + "/scenarios/first"}, {"github.com/onsi/ginkgo/v2/ginkgo"}} {
		out, err := exec.Command("go", append([]string{"list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}"}, args...)...).Output()
		g.Expect(err).NotTo(gomega.HaveOccurred())
		for _, path := range strings.Fields(string(out)) {
			found[path] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// TestTheSpecIsTheOneThatIsShown keeps the three copies of it alike.
func TestTheSpecIsTheOneThatIsShown(t *testing.T) {
	g := gomega.NewWithT(t)
	written, err := files.ReadFile("files/first_test.go.txt")
	g.Expect(err).NotTo(gomega.HaveOccurred())
	ours, err := os.ReadFile(filepath.Join(root(t), "scenarios", "first", "first_test.go"))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(string(ours)).To(gomega.Equal(string(written)))
	readme, err := os.ReadFile(filepath.Join(root(t), "README.md"))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(string(readme)).To(gomega.ContainSubstring("```go\n" + string(written) + "```\n"))
}

func TestAFolderWithContentIsLeftAlone(t *testing.T) {
	g := gomega.NewWithT(t)
	dir := t.TempDir()
	g.Expect(os.WriteFile(filepath.Join(dir, "mine"), nil, 0o644)).To(gomega.Succeed())
	g.Expect(Write(dir, root(t))).To(gomega.MatchError(ErrNotEmpty))
	g.Expect(Write(filepath.Join(dir, "new"), dir)).To(gomega.MatchError(gomega.ContainSubstring("is no checkout")))
	g.Expect(filepath.Join(dir, "new")).NotTo(gomega.BeADirectory())
}

func TestNames(t *testing.T) {
	g := gomega.NewWithT(t)
	for folder, want := range map[string]string{"mine": "example.com/mine", "My first specs": "example.com/my-first-specs", "...": "example.com/specs", "Ä": "example.com/specs"} {
		g.Expect(nameFor(folder)).To(gomega.Equal(want), folder)
	}
	g.Expect(quote("/a b")).To(gomega.Equal(`"/a b"`))
}
