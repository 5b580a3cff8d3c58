package cloud_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("the README", func() {
	It("has a program of at most 40 lines that works as printed", func() {
		text, err := os.ReadFile(filepath.Join(root, "README.md"))
		Expect(err).NotTo(HaveOccurred())
		_, program, found := strings.Cut(string(text), "```go\npackage main\n")
		Expect(found).To(BeTrue())
		program, _, _ = strings.Cut("package main\n"+program, "```")
		Expect(strings.Count(program, "\n")).To(BeNumerically("<=", 40))

		dir := GinkgoT().TempDir()
		file, binary := filepath.Join(dir, "main.go"), filepath.Join(dir, "tenant")
		Expect(os.WriteFile(file, []byte(program), 0o600)).To(Succeed())
		out, err := exec.Command("go", "build", "-o", binary, file).CombinedOutput() // with this module's requirements
		Expect(err).NotTo(HaveOccurred(), string(out))

		c := start()
		said := c.Run(binary)
		Expect(said).To(HavePrefix("200 users, 0 Autopilot devices\n"))
		_, group, found := strings.Cut(strings.TrimSpace(said), "group ")
		Expect(found).To(BeTrue(), said)
		groups := c.list(groupsURL, c.Token("https://graph.microsoft.com"))
		Expect(groups).To(ContainElement(And(HaveKeyWithValue("id", group), HaveKeyWithValue("displayName", "Testers"))))
	})
})
