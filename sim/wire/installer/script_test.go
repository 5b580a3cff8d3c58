package installer

import (
	"testing"
	"time"

	"github.com/onsi/gomega"
	"pgregory.net/rapid"
)

func TestParseScript(t *testing.T) {
	g := gomega.NewWithT(t)
	s, err := ParseScript("\ufeff# windtunnel: takes 40s\r\nWrite-Output 1\n  #windtunnel: exit 1 0\n# windtunnel: file \"C:\\a b.txt\"\n" +
		"# windtunnel: registry \"HKLM\\SOFTWARE\\A B\" \"The Value\"\n# windtunnel: registry HKLM\\X\n# windtunnel: output two words\n" +
		"# windtunnel: creates C:\\c d.txt\n# windtunnel: sets HKLM\\SOFTWARE\\A Name \"\"\n# windtunnel: hangs\n# windtunnel: restarts\n# other: x\n")
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(s).To(gomega.Equal(Script{Marked: true, Duration: 40 * time.Second, ExitCodes: []int{1, 0},
		Prints: []Print{{File: `C:\a b.txt`}, {Key: `HKLM\SOFTWARE\A B`, Name: "The Value"}, {Key: `HKLM\X`}, {Text: "two words"}},
		Files:  []string{`C:\c d.txt`}, Registry: []RegistryValue{{Key: `HKLM\SOFTWARE\A`, Name: "Name"}}, Hangs: true, Restarts: true}))
	g.Expect([]int{s.Exit(1), s.Exit(2), s.Exit(9), Script{}.Exit(1)}).To(gomega.Equal([]int{1, 0, 0, 0}))
	plain, err := ParseScript("Get-Item C:\\x # a comment\n")
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(plain.Marked).To(gomega.BeFalse())
	for _, bad := range []string{"takes long", "takes -5s", "exit", "exit x", "output", "registry", "registry a b c", "sets a b", "dances", "hangs now", ""} {
		_, err := ParseScript("# windtunnel: " + bad)
		g.Expect(err).To(gomega.MatchError(gomega.ContainSubstring("line 1")), bad)
	}
}

func TestDirectivesRoundTrip(t *testing.T) {
	word := rapid.StringMatching(`[A-Za-z\\]{1,9}( [a-z]{1,4})?`)
	rapid.Check(t, func(t *rapid.T) {
		s := Script{Marked: true, Duration: time.Duration(rapid.IntRange(1, 1e6).Draw(t, "takes")) * time.Millisecond,
			ExitCodes: rapid.SliceOfN(rapid.IntRange(-9, 9), 1, 3).Draw(t, "exit"), Files: rapid.SliceOfN(word, 1, 2).Draw(t, "files"),
			Prints:   []Print{{Text: word.Draw(t, "text")}, {File: word.Draw(t, "file")}, {Key: word.Draw(t, "key"), Name: word.Draw(t, "name")}},
			Registry: []RegistryValue{{Key: word.Draw(t, "key"), Name: rapid.SampledFrom([]string{"", "a b"}).Draw(t, "value"), Value: word.Draw(t, "data")}},
			Hangs:    rapid.Bool().Draw(t, "hangs"), Restarts: rapid.Bool().Draw(t, "restarts")}
		got, err := ParseScript("Some-Text\n" + s.Directives())
		if err != nil {
			t.Fatal(err)
		}
		gomega.NewWithT(t).Expect(got).To(gomega.Equal(s))
	})
}

func TestMark(t *testing.T) {
	g := gomega.NewWithT(t)
	g.Expect(Mark("a")).To(gomega.Equal(Mark("a")))
	g.Expect(Mark("a").Name).NotTo(gomega.Equal(Mark("b").Name))
}

func TestView32(t *testing.T) {
	g := gomega.NewWithT(t)
	for in, want := range map[string]string{
		`HKLM\SOFTWARE\A`: `HKLM\SOFTWARE\WOW6432Node\A`, `HKEY_LOCAL_MACHINE\Software\A`: `HKEY_LOCAL_MACHINE\Software\WOW6432Node\A`,
		`HKLM\SOFTWARE\WOW6432Node\A`: `HKLM\SOFTWARE\WOW6432Node\A`, `HKCU\SOFTWARE\A`: `HKCU\SOFTWARE\A`, `HKLM\SYSTEM\A`: `HKLM\SYSTEM\A`, "": "",
	} {
		g.Expect(View32(in)).To(gomega.Equal(want))
	}
}

func FuzzParseScript(f *testing.F) {
	f.Add("# windtunnel: takes 40s\n# windtunnel: sets \"a b\" c d")
	f.Fuzz(func(_ *testing.T, text string) {
		if s, err := ParseScript(text); err == nil {
			_ = s.Directives()
			s.Exit(3)
		}
		View32(text)
	})
}
