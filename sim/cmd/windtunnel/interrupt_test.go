package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/onsi/gomega"

	"windtunnel.test/sim"
)

// What was done before Ctrl-C is kept, and the exit code says that it is not
// all.
func TestInterruptedRunKeepsItsFolder(t *testing.T) {
	g := gomega.NewWithT(t)
	dir := t.TempDir()
	file, out := filepath.Join(dir, "tiny.yaml"), filepath.Join(dir, "out")
	g.Expect(os.WriteFile(file, tinyScenario(t), 0o644)).To(gomega.Succeed())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var text, messages bytes.Buffer
	sh := &shell{ctx: ctx, verb: runVerb, args: []string{file, "--out", out, "--tpm-cache", dir}, out: &text, err: &messages}
	exit, err := runVerb.run(sh)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(exit).To(gomega.Equal(exitInterrupted))
	g.Expect(text.String()).To(gomega.ContainSubstring("Interrupted: "))
	b, err := os.ReadFile(filepath.Join(out, "summary.json"))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	var s sim.Summary
	g.Expect(json.Unmarshal(b, &s)).To(gomega.Succeed())
	g.Expect(s.Interrupted).To(gomega.BeTrue())
	g.Expect(s.Outcomes).To(gomega.HaveKeyWithValue(sim.Unfinished, 2))
}
