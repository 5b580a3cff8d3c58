package target

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/scenario"
)

func TestTargetsThatAreRefused(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	for name, c := range map[string]struct {
		o    Options
		says string
	}{
		"another machine":                {Options{Flags: []string{"attest.contoso.com:443"}}, "--i-own-this-target"},
		"another machine by address":     {Options{Flags: []string{"login.microsoftonline.com=20.190.1.1:443"}}, "nobody's to test"},
		"another machine, in the file":   {Options{File: &scenario.LoadTarget{Hosts: scenario.LoadHosts{{Name: "*", Address: "10.0.0.1:443"}}}, Owned: true}, "name it with --target as well"},
		"no port":                        {Options{Flags: []string{"*=127.0.0.1"}}, "HOST:PORT"},
		"port of letters":                {Options{Flags: []string{"127.0.0.1:https"}}, `"https" is no port`},
		"port nothing":                   {Options{Flags: []string{"127.0.0.1:0"}}, `"0" is no port`},
		"no name":                        {Options{Flags: []string{"=127.0.0.1:443"}}, "is no host name"},
		"glob in the middle":             {Options{Flags: []string{"a.*.com=127.0.0.1:443"}}, "is no host name"},
		"word beside others":             {Options{Flags: []string{"direct", "127.0.0.1:443"}}, "stands alone"},
		"CA of nothing":                  {Options{CA: "ca.pem"}, "there is no --target"},
		"CA of direct":                   {Options{Flags: []string{"direct"}, CA: "ca.pem"}, "needs none"},
		"CA that is not there":           {Options{Flags: []string{"127.0.0.1:443"}, CA: filepath.Join(dir, "none.pem")}, "no such file"},
		"CA without a certificate":       {Options{Flags: []string{"127.0.0.1:443"}, CA: write("empty.pem", "nothing")}, "no certificate"},
		"document that is not there":     {Options{Flags: []string{filepath.Join(dir, "none.json")}}, "no such file"},
		"document that is none":          {Options{Flags: []string{write("bad.json", "ready")}}, "no ready document"},
		"document without addresses":     {Options{Flags: []string{write("other.json", "{}")}}, "no ready document"},
		"document without its CA":        {Options{Flags: []string{write("noca.json", `{"tls":"127.0.0.1:443","ca":"/none/ca.pem"}`)}}, "no such file"},
		"document of another machine":    {Options{Flags: []string{write("far.json", `{"tls":"10.0.0.1:443","ca":"`+write("ca.pem", somePEM)+`"}`)}}, "--i-own-this-target"},
		"document with trust that is no": {Options{Flags: []string{write("trust.json", `{"tls":"127.0.0.1:443","ca":"`+write("ca.pem", somePEM)+`","trust":"x"}`)}}, "trust"},
	} {
		t.Run(name, func(t *testing.T) {
			g := gomega.NewWithT(t)
			_, _, err := Parse(c.o)
			var wrong *InputError
			g.Expect(err).To(gomega.HaveOccurred())
			g.Expect(err).To(gomega.BeAssignableToTypeOf(wrong))
			g.Expect(err.Error()).To(gomega.ContainSubstring(c.says))
		})
	}
}

func TestTargetsThatAreTaken(t *testing.T) {
	g := gomega.NewWithT(t)
	none, own, err := Parse(Options{})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(none).To(gomega.BeNil())
	g.Expect(own).To(gomega.BeFalse())
	g.Expect(none.String()).To(gomega.ContainSubstring("direct"))
	_, own, err = Parse(Options{Flags: []string{"serve"}})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(own).To(gomega.BeTrue())

	some, _, err := Parse(Options{Flags: []string{"login.microsoftonline.com=127.0.0.1:8443", "*.contoso.com=localhost:9443", "[::1]:7443"}})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(some.find("login.microsoftonline.com").TLS).To(gomega.Equal("127.0.0.1:8443"))
	g.Expect(some.find("a.b.contoso.com").TLS).To(gomega.Equal("localhost:9443"))
	g.Expect(some.find("graph.microsoft.com").TLS).To(gomega.Equal("[::1]:7443"))

	far, _, err := Parse(Options{Flags: []string{"attest.contoso.com:443"}, Owned: true})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(far.String()).To(gomega.Equal("attest.contoso.com:443"))

	file, _, err := Parse(Options{File: &scenario.LoadTarget{Hosts: scenario.LoadHosts{{Name: "*.microsoftaik.azure.net", Address: "127.0.0.1:1443"}}, Application: "id", Secret: "secret", Registered: true}})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(file.Registered()).To(gomega.BeTrue())
	g.Expect(file.find("graph.microsoft.com")).To(gomega.BeNil())
	g.Expect(file.find("x.microsoftaik.azure.net").TLS).To(gomega.Equal("127.0.0.1:1443"))
}

func FuzzReadDocument(f *testing.F) {
	f.Add([]byte(`{"tls":"127.0.0.1:8443","http":"127.0.0.1:80","ca":"/none","trust":"x","applications":[{"secret":"s"}]}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if target, err := readDocument(text); err == nil && target == nil {
			t.Error("neither a target nor an error")
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("login.microsoftonline.com=127.0.0.1:8443")
	f.Add("*.a.b=[::1]:1")
	f.Fuzz(func(t *testing.T, flag string) {
		if strings.HasSuffix(flag, ".json") || !strings.ContainsAny(flag, "=:") {
			return // a file's name
		}
		target, own, err := Parse(Options{Flags: []string{flag}})
		if err == nil && (target == nil || own) {
			t.Errorf("%q is neither refused nor a target", flag)
		}
	})
}
