package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/onsi/gomega"

	"windtunnel.test/sim"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vtpm"
)

// The built-in fleet is large where that keeps nobody waiting.
func TestSizeOfTheBuiltInFleet(t *testing.T) {
	g := gomega.NewWithT(t)
	dir := t.TempDir()
	var messages bytes.Buffer
	sh := &shell{ctx: t.Context(), verb: runVerb, err: &messages, json: true}
	f := runFlags{fleet: fleet{tpmCache: dir}}
	g.Expect(f.size(sh)).To(gomega.Succeed())
	g.Expect(f.devices).To(gomega.Equal(coldFleet))
	g.Expect(messages.String()).To(gomega.MatchRegexp("^200 PCs, because 1,000 TPM images of 1,000 PCs are not there yet: `make images` .*, in about .*\n$"))
	s, err := f.resolve()
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(f.again(s, map[string]string{"devices": strconv.Itoa(f.devices)})).To(gomega.Equal("windtunnel run --seed 1 --devices 200"))

	// Names are enough to decide.
	f = runFlags{devices: warmFleet}
	s, err = f.resolve()
	g.Expect(err).NotTo(gomega.HaveOccurred())
	for _, id := range sim.Chips(s) {
		path := imagePath(g, dir, id)
		g.Expect(os.MkdirAll(filepath.Dir(path), 0o755)).To(gomega.Succeed())
		g.Expect(os.WriteFile(path, nil, 0o644)).To(gomega.Succeed())
	}
	messages.Reset()
	f = runFlags{fleet: fleet{tpmCache: dir}}
	g.Expect(f.size(sh)).To(gomega.Succeed())
	g.Expect(f.devices).To(gomega.Equal(warmFleet))
	g.Expect(messages.String()).To(gomega.BeEmpty())
	g.Expect(s.Resolve(scenario.Flags{})).NotTo(gomega.BeNil())
}

func imagePath(g *gomega.WithT, dir string, id vtpm.ChipID) string {
	cache, err := vtpm.OpenCache(dir)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	path, err := cache.Path(id)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	return path
}

// A build that Ctrl-C has stopped says how to go on.
func TestInterruptedBuild(t *testing.T) {
	g := gomega.NewWithT(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var text, messages bytes.Buffer
	args := []string{"--model", "infineon-slb9670", "-n", "200", "--tpm-cache", t.TempDir()}
	exit, err := runTPMBuild(&shell{ctx: ctx, verb: tpmBuildVerb, args: args, out: &text, err: &messages})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(exit).To(gomega.Equal(exitInterrupted))
	g.Expect(text.String()).To(gomega.ContainSubstring("Interrupted: 200 missing. The same command goes on from here."))
}
