package serve_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onsi/gomega"

	"windtunnel.test/sim"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/serve"
)

// hybrid is the scenario of a company with a domain.
func hybrid(t testing.TB) func(*serve.Options) {
	t.Helper()
	text, err := os.ReadFile("../../scenarios/hybrid/hybrid.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s, problems := scenario.Load("hybrid.yaml", text, sim.LoadOptions(false))
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	s, problems = s.Resolve(scenario.Flags{Devices: 1})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return func(o *serve.Options) { o.Scenario = s }
}

// TestDirectory has MIT's kinit and OpenLDAP's clients in the domain that is
// served.
func TestDirectory(t *testing.T) {
	s := start(t, hybrid(t))
	d := s.ready.Directory
	s.Expect(d).NotTo(gomega.BeNil())
	s.Expect(s.ready.Environment).To(gomega.HaveKeyWithValue("KRB5_CONFIG", d.Krb5))
	cache := filepath.Join(t.TempDir(), "cache")
	run := func(input, name string, args ...string) (string, error) {
		c := exec.Command(name, args...)
		c.Env = append(os.Environ(), "KRB5_CONFIG="+d.Krb5, "KRB5CCNAME=FILE:"+cache, "LDAPSASL_NOCANON=on", "LDAPRC=/dev/null")
		c.Stdin = strings.NewReader(input)
		out, err := c.CombinedOutput()
		return string(out), err
	}
	out, err := run("correct horse 1\n", "kinit", "megan")
	s.Expect(err).NotTo(gomega.HaveOccurred(), out)
	out, err = run("wrong\n", "kinit", "megan")
	s.Expect(err).To(gomega.HaveOccurred(), out)
	address := "ldap://" + d.Controllers[0].Ports["ldap"]
	search := func() string {
		out, err := run("", "ldapsearch", "-LLL", "-x", "-H", address, "-D", d.Administrator, "-w", d.Password, "-b", "DC=corp,DC=contoso,DC=com", "(sAMAccountName=megan)", "userPrincipalName")
		s.Expect(err).NotTo(gomega.HaveOccurred(), out)
		return out
	}
	s.Expect(search()).To(gomega.ContainSubstring("userPrincipalName: megan@contoso.com"))

	// A reset brings a new forest behind the same ports.
	req, err := http.NewRequest(http.MethodPost, s.ready.Management+"/v1/reset", nil)
	s.Expect(err).NotTo(gomega.HaveOccurred())
	resp, err := http.DefaultClient.Do(req)
	s.Expect(err).NotTo(gomega.HaveOccurred())
	resp.Body.Close()
	s.Expect(resp.StatusCode / 100).To(gomega.Equal(2))
	s.Expect(search()).To(gomega.ContainSubstring("userPrincipalName: megan@contoso.com"))

	var text strings.Builder
	s.Expect(s.ready.WriteText(&text)).To(gomega.Succeed())
	s.Expect(text.String()).To(gomega.ContainSubstring("Controller   dc1.corp.contoso.com: DNS 127.0.0.1:"))
	s.Expect(s.server.Close()).To(gomega.Succeed())
	s.Expect(d.Krb5).NotTo(gomega.BeAnExistingFile())
}

// TestDirectoryIsKept changes an account, and finds it changed at the next start.
func TestDirectoryIsKept(t *testing.T) {
	dir := t.TempDir()
	keep := func(o *serve.Options) { o.StateDir, o.CAFile = dir, "" }
	s := start(t, hybrid(t), keep)
	modify := func(d *serve.Directory, ldif string) {
		c := exec.Command("ldapmodify", "-x", "-H", "ldap://"+d.Controllers[0].Ports["ldap"], "-D", d.Administrator, "-w", d.Password)
		c.Stdin = strings.NewReader(ldif)
		out, err := c.CombinedOutput()
		s.Expect(err).NotTo(gomega.HaveOccurred(), string(out))
	}
	modify(s.ready.Directory, "dn: CN=megan,CN=Users,DC=corp,DC=contoso,DC=com\nchangetype: modify\nreplace: description\ndescription: moved to Oslo\n")
	s.Expect(s.server.Close()).To(gomega.Succeed())

	s = start(t, hybrid(t), keep)
	d := s.ready.Directory
	out, err := exec.Command("ldapsearch", "-LLL", "-x", "-H", "ldap://"+d.Controllers[0].Ports["ldap"], "-D", d.Administrator, "-w", d.Password,
		"-b", "CN=megan,CN=Users,DC=corp,DC=contoso,DC=com", "-s", "base", "description").CombinedOutput()
	s.Expect(err).NotTo(gomega.HaveOccurred(), string(out))
	s.Expect(string(out)).To(gomega.ContainSubstring("description: moved to Oslo"))
}

func TestDirectoryOptions(t *testing.T) {
	for address, want := range map[string]string{
		"0.0.0.0:0":     "is not on loopback",
		"127.0.0.1:389": "has a port, and a domain has many",
		"dc1":           "is not on loopback",
	} {
		o := options(t)
		o.Directory = address
		_, err := serve.New(o)
		gomega.NewWithT(t).Expect(err).To(gomega.MatchError(gomega.And(gomega.HavePrefix("--directory: "), gomega.ContainSubstring(want))))
	}
}
