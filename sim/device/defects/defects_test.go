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

// What setup, the status page and device management ask about: the last build
// with a fault, and the first without.
func TestFaultsOfSetup(t *testing.T) {
	g := NewWithT(t)
	for _, c := range []struct {
		fault     defects.Defect
		has, lost string
	}{
		{defects.FailsUnseen, "18362.814", "18362.815"}, {defects.FailsUnseen, "18363.814", "18363.815"},
		{defects.KeepsDefaultTime, "19041.660", "19041.661"}, {defects.TimesByClock, "18362.751", "18362.752"},
		{defects.IdentifiesSlowly, "19041.487", "19041.488"}, {defects.InstallsNoPackages, "18362.266", "18362.267"},
		{defects.EncryptsByDefault, "18362.206", "18362.207"}, {defects.RestartsForKiosk, "18362.328", "18362.329"},
		{defects.CutsNames, "18362.328", "18362.329"}, {defects.RefusesFirmware, "26100.2453", "26100.2454"},
		{defects.TypesAmerican, "26200.7461", "26200.7462"}, {defects.WaitsForNobody, "19042.660", "19042.661"},
		{defects.UpdatesAnyway, "18363.814", "18363.815"}, {defects.ForgetsKiosk, "26100.4060", "26100.4061"},
	} {
		g.Expect(defects.Has(c.has, c.fault)).To(BeTrue(), "%s %s", c.fault, c.has)
		g.Expect(defects.Has(c.lost, c.fault)).To(BeFalse(), "%s %s", c.fault, c.lost)
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
