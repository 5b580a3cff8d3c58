package hybrid_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/catalog"
)

// The catalogue reproduces what goes wrong with hybrid join as any scenario
// file can; the specs here look closer, at what the connector, the directory
// and dsregcmd say.
var _ = It("has a spec for each known issue of hybrid join that is not out of reach", func() {
	files, err := filepath.Glob("*_test.go")
	Expect(err).NotTo(HaveOccurred())
	specs := map[string]bool{}
	for _, name := range files {
		text, err := os.ReadFile(name)
		Expect(err).NotTo(HaveOccurred())
		for _, m := range regexp.MustCompile(`(?:It|Entry|DescribeTable)\("([HS]\d\d):`).FindAllSubmatch(text, -1) {
			specs[string(m[1])] = true
		}
	}
	Expect(specs).To(HaveKey("S23"), "user rights that need a controller to be merged")
	all, err := catalog.Embedded()
	Expect(err).NotTo(HaveOccurred())
	seen := 0
	for _, e := range all.Entries {
		if !strings.HasPrefix(e.ID, "H") {
			continue
		}
		seen++
		switch {
		case specs[e.ID]:
		case e.State == catalog.Reproduced: // H40 is nothing but a row of a list
		default:
			Expect(e.Reason).NotTo(BeEmpty(), "%s: %s", e.ID, e.Title)
		}
	}
	Expect(seen).To(BeNumerically(">=", len(specs)-1))
})
