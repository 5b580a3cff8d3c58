package spec_test

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/explain"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/report"
)

// TestEachWorldOfASpecIsKept: neither takes the other's folder.
func TestEachWorldOfASpecIsKept(t *testing.T) {
	g := gomega.NewWithT(t)
	dir := t.TempDir()
	_, ok := run(t, []string{"WINDTUNNEL_OUT=" + dir}, binary(t, fails), "-ginkgo.no-color", "-ginkgo.focus=has two worlds")
	g.Expect(ok).To(gomega.BeFalse())
	for name, pcs := range map[string]int{"has-two-worlds": 1, "has-two-worlds-[world-2]": 2} {
		past, err := report.Open(filepath.Join(dir, name))
		g.Expect(err).NotTo(gomega.HaveOccurred())
		n := 0
		g.Expect(past.Events(func(e journal.Event) bool {
			if e.Kind == "device.made" {
				n++
			}
			return true
		})).To(gomega.Succeed())
		g.Expect(n).To(gomega.Equal(pcs), name)
	}
}

// TestAFailedSpecIsKeptForWhoeverExplains runs a spec that fails, and asks why.
func TestAFailedSpecIsKeptForWhoeverExplains(t *testing.T) {
	g := gomega.NewWithT(t)
	dir := t.TempDir()
	out, ok := run(t, []string{"WINDTUNNEL_OUT=" + dir}, binary(t, fails), "-ginkgo.no-color", "-ginkgo.focus=is told with all that is known")
	g.Expect(ok).To(gomega.BeFalse())
	folder := filepath.Join(dir, "is-told-with-all-that-is-known")
	g.Expect(out).To(gomega.ContainSubstring("Kept: windtunnel explain " + folder + " --device PC-1\n"))
	past, err := report.Open(folder)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(past.Header.Spec).To(gomega.HavePrefix("WINDTUNNEL_SEED="))
	a, err := explain.Of(past, "PC-1", nil, nil)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(explain.Suspect(past)).To(gomega.Equal(a.Serial))
	g.Expect(a.Outcome).To(gomega.Equal("failed"))
	g.Expect(a.Code).To(gomega.Equal("0x800705B4"))
	var text bytes.Buffer
	g.Expect(a.Write(&text)).To(gomega.Succeed())
	g.Expect(text.String()).To(gomega.MatchRegexp(`Fault +rule "busy": status 503 at aik.GetCACaps, \d+ times`))
	g.Expect(text.String()).To(gomega.ContainSubstring("Again  WINDTUNNEL_SEED="))
}
