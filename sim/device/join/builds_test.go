package join

import (
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device"
)

func TestBuildDefects(t *testing.T) {
	g := NewWithT(t)
	for build, want := range map[string][]defect{
		"10240":       {readsNoChain, wantsKeyID, wantsEKAnyway, hangsOnTPM12, namesEnglish},
		"18362.328":   {readsNoChain, wantsKeyID, wantsEKAnyway, hangsOnTPM12},
		"18362.329":   {readsNoChain, wantsKeyID, hangsOnTPM12},
		"18362.266":   {readsNoChain, wantsKeyID, wantsEKAnyway, hangsOnTPM12, namesEnglish},
		"18362.267":   {readsNoChain, wantsKeyID, wantsEKAnyway, hangsOnTPM12},
		"18362.387":   {readsNoChain, hangsOnTPM12},
		"18362.836":   {readsNoChain},
		"18363.99999": {readsNoChain},
		"19041.1386":  {readsNoChain},
		"19044.1387":  nil,
		"19045.2130":  nil,
		"22631.6275":  {deafToJoin},
		"22631.6276":  nil,
		"26100.1456":  {deafToJoin},
		"26100.6583":  {deafToJoin, losesUpdates},
		"26100.6584":  {losesUpdates},
		"26200.6724":  {deafToJoin, losesUpdates},
		"26200.6725":  {losesUpdates},
		"26200.8037":  nil,
	} {
		w := &device.Windows{PC: &device.PC{Options: device.Options{Installation: device.Installation{Build: build}}}}
		var got []defect
		for _, d := range []defect{readsNoChain, wantsKeyID, wantsEKAnyway, hangsOnTPM12, deafToJoin, namesEnglish, losesUpdates} {
			if has(w, d) {
				got = append(got, d)
			}
		}
		g.Expect(got).To(Equal(want), build)
	}
	for _, row := range buildDefects {
		g.Expect(row.source).NotTo(BeEmpty())
	}
}
