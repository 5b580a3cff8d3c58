package scenario_test

import (
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/wire/hwhash"
	"windtunnel.test/sim/wire/ztd"
)

func count(list []scenario.Device, is func(scenario.Device) bool) int {
	n := 0
	for _, d := range list {
		if is(d) {
			n++
		}
	}
	return n
}

func TestDevicesOfTheBuiltIn(t *testing.T) {
	g := NewWithT(t)
	s := builtIn(t)
	list := s.Devices()
	g.Expect(list).To(HaveLen(200))
	g.Expect(count(list, func(d scenario.Device) bool { return d.Wireless })).To(Equal(40))
	g.Expect(count(list, func(d scenario.Device) bool { return d.AssignedUser != "" })).To(Equal(50))
	g.Expect(count(list, func(d scenario.Device) bool { return d.TPM == "intel-ptt" })).To(Equal(80))
	g.Expect(count(list, func(d scenario.Device) bool { return d.TPM == "stm-st33htph" })).To(Equal(20))
	g.Expect(count(list, func(d scenario.Device) bool { return d.Make == "Aero 14 G3" })).To(Equal(120))
	g.Expect(count(list, func(d scenario.Device) bool { return d.Destination == "home" })).To(Equal(120))
	g.Expect(count(list, func(d scenario.Device) bool { return d.Cell == 0 })).To(Equal(100))
	users, chips, now := map[string]bool{}, map[string]bool{}, s.Start
	for _, d := range list {
		users[d.User] = true
		chips[d.TPM+string(rune(d.Chip))] = true
		wait := d.Unpacked(now).Sub(now)
		g.Expect(wait).To(And(BeNumerically(">=", 3*time.Hour), BeNumerically("<=", 21*24*time.Hour)))
		g.Expect(d.Arrives(now).Sub(now)).To(BeNumerically("<=", 6*time.Hour))
	}
	g.Expect(users).To(HaveLen(200))
	g.Expect(chips).To(HaveLen(200))
	g.Expect(list[0].Name).To(Equal("PC-0001"))

	again := s.Devices()
	g.Expect(again).To(Equal(list))
	other := vclock.Seed(2)
	r, _ := s.Resolve(scenario.Flags{Seed: &other})
	g.Expect(r.Devices()).NotTo(Equal(list))
	g.Expect(s.People.Technicians[0].InCell(0, 3, 0) + s.People.Technicians[0].InCell(1, 3, 0) + s.People.Technicians[0].InCell(2, 3, 0)).To(Equal(8))
	two := scenario.Technicians{Count: 2}
	g.Expect([]int{two.InCell(0, 3, 2), two.InCell(1, 3, 2), two.InCell(2, 3, 2)}).To(Equal([]int{1, 0, 1}), "the third cell comes first")
}

func TestOverridesOfSingleDevices(t *testing.T) {
	g := NewWithT(t)
	s := load(t, "testdata/good/everything.yaml")
	list := s.Devices()
	g.Expect(s.Tenant.Apps[0].Size).To(Equal(int64(3e6)))
	d := list[1]
	g.Expect(d.Serial).To(Equal("S-2"))
	g.Expect(d.Windows).To(Equal(scenario.Windows{Build: "26100.1742", Edition: scenario.EditionHome}))
	g.Expect(d.Flow).To(Equal(scenario.UserDriven))
	g.Expect(d.AssignedUser).To(BeEmpty())
	g.Expect([]scenario.TPMState{list[0].TPMState, d.TPMState, list[4].TPMState}).To(Equal([]scenario.TPMState{"cleared", "lockedOut", scenario.TPMReady}))
	g.Expect([]bool{list[0].SecureBoot, list[0].BitLocker, d.SecureBoot, d.BitLocker, list[4].SecureBoot, list[4].BitLocker}).To(Equal([]bool{true, true, false, true, false, false}))
	g.Expect(d.Destination).To(Equal("depot"))
	g.Expect(d.Clock.PerSecond()).To(BeNumerically("~", 20.0/86400, 1e-12))
	g.Expect(d.Unpacked(s.Start)).To(BeTemporally(">=", s.Start.AddDate(0, 6, 0)))
	g.Expect(list[0].AssignedUser).To(Equal("megan@contoso.onmicrosoft.com"))
	g.Expect(list[0].Bench).To(Equal("depot"))
}

func TestChipsOfAnyModelHaveNumbersOfTheirOwn(t *testing.T) {
	g := NewWithT(t)
	s := load(t, "testdata/good/everything.yaml")
	list := s.Devices()
	named := map[string]int{}
	for _, d := range list {
		if d.TPM != "" {
			named[d.TPM] = max(named[d.TPM], d.Chip+1)
		}
	}
	for _, d := range list {
		for model, n := range named {
			g.Expect(d.Named).To(BeNumerically(">=", n), model)
		}
	}
}

func TestResolve(t *testing.T) {
	g := NewWithT(t)
	s := load(t, "testdata/good/everything.yaml")
	r, problems := s.Resolve(scenario.Flags{Devices: 1})
	g.Expect(problems).To(BeEmpty())
	g.Expect(r.Fleet.Groups).To(HaveLen(1))
	g.Expect(r.Fleet.Devices).To(BeEmpty())
	g.Expect(s.Fleet.Count()).To(Equal(5))

	r, problems = s.Resolve(scenario.Flags{Devices: 500})
	g.Expect(problems).To(BeEmpty())
	g.Expect(r.Fleet.Groups[0].Count).To(Equal(300))

	r, problems = builtIn(t).Resolve(scenario.Flags{Devices: 1})
	g.Expect(problems).To(BeEmpty())
	g.Expect(r.Cells).To(Equal(1))

	_, problems = s.Resolve(scenario.Flags{Devices: -1})
	g.Expect(problems.Error()).To(Equal("--devices: -1 is not between 1 and 100000"))
	_, problems = s.Resolve(scenario.Flags{Devices: 1, Import: make([]ztd.Row, 2)})
	g.Expect(problems.Error()).To(Equal("--devices: 1 is less than the 2 devices of --import"))
}

func TestResolveImport(t *testing.T) {
	g := NewWithT(t)
	var rows []ztd.Row
	for _, serial := range []string{"S1", "S2", "S3"} {
		hash, err := hwhash.EncodeBase64(hwhash.Hardware{SMBIOS: hwhash.SMBIOS{Serial: serial}})
		g.Expect(err).NotTo(HaveOccurred())
		rows = append(rows, ztd.Row{Serial: serial, Hash: hash, GroupTag: "sales"})
	}
	rows[1].AssignedUser, rows[2].AssignedUser = "Megan@contoso.com", "left@contoso.com"
	rows[2].Line, rows[2].UserColumn = 4, 4012
	_, problems := builtIn(t).Resolve(scenario.Flags{Import: rows, File: "hashes.csv"})
	g.Expect(problems.Error()).To(HavePrefix(`hashes.csv:4:4012: the tenant has no user "left@contoso.com"`))
	rows[2].AssignedUser = ""
	r, problems := builtIn(t).Resolve(scenario.Flags{Import: rows})
	g.Expect(problems).To(BeEmpty())
	r = again(t, r)
	list := r.Devices()
	g.Expect(list).To(HaveLen(len(rows)))
	for i, d := range list {
		g.Expect(d.Imported.Hash).To(Equal(rows[i].Hash))
		g.Expect(d.Serial).To(Equal(rows[i].Serial))
		g.Expect(d.GroupTag).To(Equal("sales"))
		g.Expect(d.User).NotTo(BeEmpty())
	}
	g.Expect(list[1].User).To(Equal("megan@contoso.com"))
	g.Expect(list[2].User).NotTo(Equal(list[2].AssignedUser))
	r, problems = r.Resolve(scenario.Flags{Devices: len(rows) + 3})
	g.Expect(problems).To(BeEmpty())
	g.Expect(count(r.Devices(), func(d scenario.Device) bool { return d.Imported != nil })).To(Equal(len(rows)))
}

func TestNote(t *testing.T) {
	text, err := scenario.Marshal(builtIn(t), "build abc\nwindtunnel replay .")
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	NewWithT(t).Expect(strings.HasPrefix(string(text), "# build abc\n# windtunnel replay .\n")).To(BeTrue())
}
