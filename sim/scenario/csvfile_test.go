package scenario_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/scenario"
)

// TestHashFileEdit: what is left of a file that people had in their hands.
func TestHashFileEdit(t *testing.T) {
	const header, one, two = "Device Serial Number,Windows Product ID,Hardware Hash", "S-1,,AAAA", "S-2,,BBBB"
	file := header + "\r\n" + one + "\r\n" + two + "\r\n"
	for name, c := range map[string]struct {
		edit scenario.HashFile
		file string
		want string
	}{
		"as exported":            {scenario.HashFile{}, file, file},
		"line ends of Unix":      {scenario.HashFile{}, header + "\n" + one + "\n", header + "\r\n" + one + "\r\n"},
		"no line end":            {scenario.HashFile{}, header + "\r\n" + one, header + "\r\n" + one + "\r\n"},
		"nothing but the header": {scenario.HashFile{Times: 3, Lost: 1}, header, header + "\r\n"},
		"ansi":                   {scenario.HashFile{Encoding: "ansi", Times: 1}, file, file},
		"a byte order mark":      {scenario.HashFile{Encoding: "utf8bom"}, file, "\xef\xbb\xbf" + file},
		"two bytes a character": {scenario.HashFile{Encoding: "utf16", Replace: []scenario.TextReplaced{{Text: header, By: "é"}, {Text: one, By: "\U0001F4BB"}, {Text: "\r\n" + two}}}, file,
			"\xff\xfe\xe9\x00\r\x00\n\x00\x3d\xd8\xbb\xdc\r\x00\n\x00"},
		"quotes":             {scenario.HashFile{Quotes: true}, header + "\r\n" + one, `"Device Serial Number","Windows Product ID","Hardware Hash"` + "\r\n" + `"S-1","","AAAA"` + "\r\n"},
		"appended again":     {scenario.HashFile{Times: 2}, file, header + "\r\n" + one + "\r\n" + two + "\r\n" + one + "\r\n" + two + "\r\n"},
		"a hash cut short":   {scenario.HashFile{Lost: 3}, file, header + "\r\nS-1,,A\r\nS-2,,B\r\n"},
		"more than it has":   {scenario.HashFile{Lost: 4000}, file, header + "\r\nS-1,,\r\nS-2,,\r\n"},
		"columns after it":   {scenario.HashFile{Lost: 1}, header + ",Group Tag\r\n" + one + ",lab", header + ",Group Tag\r\nS-1,,AAA,lab\r\n"},
		"a row with no hash": {scenario.HashFile{Lost: 1}, header + "\r\nS-1", header + "\r\nS-1\r\n"},
		"corrected":          {scenario.HashFile{Replace: []scenario.TextReplaced{{Text: "S-1", By: "S-9"}, {Text: "S-9", By: "S-8"}, {Text: "Windows "}}}, file, "Device Serial Number,Product ID,Hardware Hash\r\nS-8,,AAAA\r\n" + two + "\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(string(c.edit.Edit([]byte(c.file)))).To(Equal(c.want))
		})
	}
}

// TestOtherTenants: an organization beside the run's own keeps its id, and its
// accounts are found by their names.
func TestOtherTenants(t *testing.T) {
	g := NewWithT(t)
	s := load(t, "testdata/good/everything.yaml")
	o := s.Others[0]
	g.Expect(o.Tenant().ID).To(Equal(scenario.Other{Domain: "FABRIKAM.com"}.Tenant().ID))
	g.Expect(o.Tenant().ID).NotTo(Equal(s.Tenant.ID))
	g.Expect(scenario.Other{Domain: "adatum.com"}.Tenant().DisplayName).To(Equal("adatum.com"))
	g.Expect(o.Has("PC-0001", "x")).To(BeTrue())
	g.Expect(o.Has("x", "PC-7")).To(BeTrue(), "a serial number")
	g.Expect(o.Has("x", "y")).To(BeFalse())
	g.Expect(scenario.Other{}.Has("PC-0001", "x")).To(BeFalse())
	kim, ok := s.Account("Kim@fabrikam.com")
	g.Expect(ok).To(BeTrue())
	g.Expect(kim.Password).To(Equal("secret 1"))
	_, ok = s.Account("megan@contoso.onmicrosoft.com")
	g.Expect(ok).To(BeTrue())
	_, ok = s.Account("kim@contoso.com")
	g.Expect(ok).To(BeFalse())
}
