package defects_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device/defects"
)

func TestBothSidesOfEveryFix(t *testing.T) {
	g := NewWithT(t)
	all := []defects.Defect{
		defects.ReadsNoChain, defects.WantsKeyID, defects.WantsEKAnyway, defects.HangsOnTPM12,
		defects.DeafToJoin, defects.NamesEnglish, defects.LosesUpdates,
	}
	for build, want := range map[string][]defects.Defect{
		"10240":       {defects.ReadsNoChain, defects.WantsKeyID, defects.WantsEKAnyway, defects.HangsOnTPM12, defects.NamesEnglish},
		"18362.328":   {defects.ReadsNoChain, defects.WantsKeyID, defects.WantsEKAnyway, defects.HangsOnTPM12},
		"18362.329":   {defects.ReadsNoChain, defects.WantsKeyID, defects.HangsOnTPM12},
		"18362.266":   {defects.ReadsNoChain, defects.WantsKeyID, defects.WantsEKAnyway, defects.HangsOnTPM12, defects.NamesEnglish},
		"18362.267":   {defects.ReadsNoChain, defects.WantsKeyID, defects.WantsEKAnyway, defects.HangsOnTPM12},
		"18362.387":   {defects.ReadsNoChain, defects.HangsOnTPM12},
		"18362.836":   {defects.ReadsNoChain},
		"18363.99999": {defects.ReadsNoChain},
		"19041.1386":  {defects.ReadsNoChain},
		"19044.1387":  nil,
		"19045.2130":  nil,
		"22631.6275":  {defects.DeafToJoin},
		"22631.6276":  nil,
		"26100.1456":  {defects.DeafToJoin},
		"26100.6583":  {defects.DeafToJoin, defects.LosesUpdates},
		"26100.6584":  {defects.LosesUpdates},
		"26200.6724":  {defects.DeafToJoin, defects.LosesUpdates},
		"26200.6725":  {defects.LosesUpdates},
		"26200.8037":  nil,
		"no build":    nil,
	} {
		var got []defects.Defect
		for _, d := range all {
			if defects.Has(build, d) {
				got = append(got, d)
			}
		}
		g.Expect(got).To(Equal(want), build)
	}
}

func TestTheTableIsWhole(t *testing.T) {
	g := NewWithT(t)
	g.Expect(defects.Rows()).NotTo(BeEmpty())
	for _, row := range defects.Rows() {
		g.Expect(row.Does).NotTo(BeEmpty(), string(row.Name))
		g.Expect(row.Branches).NotTo(BeEmpty(), string(row.Name))
		g.Expect(row.Source).To(HavePrefix("learn.microsoft.com/"), string(row.Name))
		g.Expect(row.Issues).NotTo(BeEmpty(), string(row.Name))
	}
}
