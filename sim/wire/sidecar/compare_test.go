package sidecar_test

import (
	"fmt"
	"testing"

	"github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/wire/sidecar"
)

func TestCompare(t *testing.T) {
	for _, c := range []struct {
		as           sidecar.Comparison
		found, value string
		sign         int
		fails        bool
	}{
		{sidecar.CompareString, "Abc", "abc", 0, false},
		{sidecar.CompareString, "a", "b", -1, false},
		{sidecar.CompareInteger, "10", "9", 1, false},
		{sidecar.CompareInteger, "-1", "0", -1, false},
		{sidecar.CompareInteger, "x", "0", 0, true},
		{sidecar.CompareVersion, "1.10", "1.9.9", 1, false},
		{sidecar.CompareVersion, "2", "2.0.0.0", 0, false},
		{sidecar.CompareVersion, "1.2.3.4.5", "1", 0, true},
		{sidecar.CompareVersion, "", "1", 0, true},
		{sidecar.CompareFloat, "0.5", "0.25", 1, false},
		{sidecar.CompareFloat, "NaN", "1", 0, true},
		{sidecar.CompareDate, "2026-09-01", "2026-09-01T01:00:00Z", -1, false},
		{sidecar.CompareDate, "soon", "2026-09-01", 0, true},
		{sidecar.CompareBoolean, "True", "true", 0, false},
		{sidecar.Comparison(9), "", "", 0, true},
	} {
		t.Run(fmt.Sprint(c.as, " ", c.found, " ", c.value), func(t *testing.T) {
			g := gomega.NewWithT(t)
			sign, err := sidecar.Compare(c.as, c.found, c.value)
			g.Expect(err != nil).To(gomega.Equal(c.fails))
			g.Expect(sign).To(gomega.Equal(c.sign))
		})
	}
}

func TestOperators(t *testing.T) {
	g := gomega.NewWithT(t)
	for o, want := range map[sidecar.Operator][3]bool{ // for -1, 0, 1
		sidecar.OperatorNone: {false, true, false}, sidecar.OperatorEqual: {false, true, false}, sidecar.OperatorNotEqual: {true, false, true},
		sidecar.OperatorGreater: {false, false, true}, sidecar.OperatorGreaterOrEqual: {false, true, true},
		sidecar.OperatorLess: {true, false, false}, sidecar.OperatorLessOrEqual: {true, true, false},
	} {
		for i, w := range want {
			g.Expect(o.Holds(i - 1)).To(gomega.Equal(w))
		}
	}
	_, err := sidecar.Operator(3).Holds(0)
	g.Expect(err).To(gomega.HaveOccurred())
}

func TestVersionsAreOrdered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.IntRange(0, 3)
		draw := func(name string) (v [4]int, text string) {
			for i := range v {
				v[i] = part.Draw(t, name)
			}
			return v, fmt.Sprintf("%d.%d.%d.%d", v[0], v[1], v[2], v[3])
		}
		a, x := draw("a")
		b, y := draw("b")
		want := 0
		for i := 3; i >= 0; i-- {
			if a[i] < b[i] {
				want = -1
			} else if a[i] > b[i] {
				want = 1
			}
		}
		if sign, err := sidecar.Compare(sidecar.CompareVersion, x, y); err != nil || sign != want {
			t.Fatal(x, y, sign, err)
		}
	})
}

func TestReleaseBuild(t *testing.T) {
	g := gomega.NewWithT(t)
	for name, want := range map[string]int{"": 0, "1809": 17763, "Windows10_21H2": 19044, "Windows11_21H2": 22000, "Windows11_23H2": 22631, "v10_1607": 14393, "10.0.19041.1": 19041} {
		build, ok := sidecar.ReleaseBuild(name)
		g.Expect(ok).To(gomega.BeTrue(), name)
		g.Expect(build).To(gomega.Equal(want), name)
	}
	_, ok := sidecar.ReleaseBuild("95")
	g.Expect(ok).To(gomega.BeFalse())
}

func FuzzCompare(f *testing.F) {
	f.Add(2, "1.0", "2.0")
	f.Add(4, "2026-09-01", "1/2/2006")
	f.Fuzz(func(_ *testing.T, as int, a, b string) {
		_, _ = sidecar.Compare(sidecar.Comparison(as), a, b)
		_, _ = sidecar.ReleaseBuild(a)
	})
}

func TestPackage(t *testing.T) {
	g := gomega.NewWithT(t)
	p := sidecar.Package{Identifier: "9WZ", Versions: []sidecar.PackageVersion{{Version: "1", Installers: []sidecar.PackageInstaller{{URL: "https://a", SHA256: "00"}}}}}
	data, err := sidecar.EncodePackage(p)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(sidecar.DecodePackage(data)).To(gomega.Equal(p))
	one, ok := p.Newest()
	g.Expect(ok).To(gomega.BeTrue())
	g.Expect(one.URL).To(gomega.Equal("https://a"))
	_, ok = sidecar.Package{}.Newest()
	g.Expect(ok).To(gomega.BeFalse())
	g.Expect(sidecar.PackagePath("a/b")).To(gomega.HaveSuffix("/a%2Fb"))
	for _, bad := range []string{"", "{}", `{"Data":{}}`} {
		_, err := sidecar.DecodePackage([]byte(bad))
		g.Expect(err).To(gomega.HaveOccurred(), bad)
	}
}

func TestScriptStatus(t *testing.T) {
	g := gomega.NewWithT(t)
	in := []sidecar.ScriptStatus{{PolicyID: "s", State: sidecar.RunScriptError, ExitCode: 5, Output: "x", User: true}}
	payload, err := sidecar.EncodeScriptStatus(in)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(sidecar.DecodeScriptStatus(payload)).To(gomega.Equal(in))
	for _, bad := range []string{"", `[{"PolicyId":"s"}]`, `[{"RunState":"success"}]`, `[{"PolicyId":"s","RunState":"odd"}]`} {
		_, err := sidecar.DecodeScriptStatus(bad)
		g.Expect(err).To(gomega.HaveOccurred(), bad)
	}
}

func FuzzReports(f *testing.F) {
	f.Add(`[{"PolicyId":"s","RunState":"success"}]`)
	f.Add(`{"Data":{"PackageIdentifier":"a","Versions":[]}}`)
	f.Fuzz(func(_ *testing.T, text string) {
		_, _ = sidecar.DecodeScriptStatus(text)
		if p, err := sidecar.DecodePackage([]byte(text)); err == nil {
			p.Newest()
		}
	})
}
