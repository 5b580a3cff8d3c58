package csp_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/wire/csp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with testdata/name.
func golden(t *testing.T, name, got string) {
	t.Helper()
	g := gomega.NewWithT(t)
	path := filepath.Join("testdata", name)
	if *update {
		g.Expect(os.MkdirAll("testdata", 0o755)).To(gomega.Succeed())
		g.Expect(os.WriteFile(path, []byte(got+"\n"), 0o644)).To(gomega.Succeed())
	}
	want, err := os.ReadFile(path)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(got + "\n").To(gomega.Equal(string(want)))
}

func TestParse(t *testing.T) {
	for uri, want := range map[string]csp.Path{
		"./DevInfo/DevId": {Scope: csp.Device, Segments: []string{"DevInfo", "DevId"}},
		"./Vendor/MSFT/DMClient/Provider/MS%20DM%20Server": {Scope: csp.Device, Segments: []string{"Vendor", "MSFT", "DMClient", "Provider", "MS DM Server"}},
		"./Device/Vendor/MSFT/X/%7b1%7D":                   {Scope: csp.Device, Segments: []string{"Vendor", "MSFT", "X", "{1}"}},
		"./User/Vendor/MSFT/X/a%2Fb":                       {Scope: csp.User, Segments: []string{"Vendor", "MSFT", "X", "a/b"}},
		"./A/User":                                         {Scope: csp.Device, Segments: []string{"A", "User"}},
	} {
		g := gomega.NewWithT(t)
		got, err := csp.Parse(uri)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(got).To(gomega.Equal(want), uri)
	}
	for _, uri := range []string{
		"", ".", "./", "/A", "A/B", "./A//B", "./A/", "./A/../B", "./A/./B", "./A/%", "./A/%2", "./A/%zz", "./User", "./Device",
		"./" + strings.Repeat("a", csp.MaxURI),
	} {
		_, err := csp.Parse(uri)
		gomega.NewWithT(t).Expect(err).To(gomega.HaveOccurred(), uri)
	}
}

func TestCanonical(t *testing.T) {
	g := gomega.NewWithT(t)
	for _, uri := range []string{"./Vendor/MSFT/A/%7b1%7d", "./Device/Vendor/MSFT/A/%7B1%7D", "./Vendor/MSFT/A/{1}"} {
		got, err := csp.Canonical(uri)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(got).To(gomega.Equal("./Device/Vendor/MSFT/A/%7B1%7D"))
	}
	_, err := csp.Canonical("x")
	g.Expect(err).To(gomega.HaveOccurred())
}

func TestPathRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := csp.Path{
			Scope:    rapid.SampledFrom([]csp.Scope{csp.Device, csp.User}).Draw(t, "scope"),
			Segments: rapid.SliceOfN(rapid.StringN(1, 8, -1), 1, 5).Draw(t, "segments"),
		}
		got, err := csp.Parse(p.String())
		g := gomega.NewWithT(t)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(got).To(gomega.Equal(p))
	})
}

func TestURIs(t *testing.T) {
	g := gomega.NewWithT(t)
	tracking := csp.Tracking{Scope: csp.Device, Provider: csp.Sidecar}
	msi := csp.MSI{Scope: csp.User, ProductCode: "{12345678-0000-4000-8000-000000000001}"}
	policy := csp.Policy{Scope: csp.Device, Area: "DeviceLock", Name: "MinDevicePasswordLength"}
	golden(t, "uris.txt", strings.Join([]string{
		csp.DMClient(csp.Device, csp.EntDMID), csp.FirstSyncStatus(csp.User), csp.FirstSyncStatus(csp.Device, csp.IsSyncDone),
		tracking.InstallationState(), tracking.LastError(), tracking.Timeout(), tracking.TracksApps(), tracking.TrackingPoliciesCreated(),
		tracking.App(csp.Win32AppName("a1", 1)), tracking.App(csp.Win32AppName("a1", 1), csp.AppInstallationState), tracking.HasProvisioningCompleted(),
		msi.DownloadInstall(), msi.Status(), msi.LastError(), msi.LastErrorDesc(), msi.Version(), msi.Name(),
		csp.PFX{Scope: csp.User, ID: "p 1"}.Node(csp.PFXThumbprint), policy.Config(), policy.Result(), csp.NodeCacheVersion, csp.NodeCacheChangedNodes,
	}, "\n"))

	gotMSI, name, ok := csp.ParseMSI(msi.Status())
	g.Expect(ok).To(gomega.BeTrue())
	g.Expect(gotMSI).To(gomega.Equal(msi))
	g.Expect(name).To(gomega.Equal("Status"))
	gotPFX, name, ok := csp.ParsePFX("./Vendor/MSFT/ClientCertificateInstall/PFXCertInstall/p1")
	g.Expect(ok).To(gomega.BeTrue())
	g.Expect(gotPFX).To(gomega.Equal(csp.PFX{Scope: csp.Device, ID: "p1"}))
	g.Expect(name).To(gomega.BeEmpty())
	gotPolicy, config, ok := csp.ParsePolicy(policy.Result())
	g.Expect(ok).To(gomega.BeTrue())
	g.Expect(config).To(gomega.BeFalse())
	g.Expect(gotPolicy).To(gomega.Equal(policy))
	for _, uri := range []string{"x", "./DevInfo/DevId", "./Vendor/MSFT/Policy/Config/A", "./Vendor/MSFT/Policy/Other/A/B", "./Vendor/MSFT/EnterpriseDesktopAppManagement/MSI", "./Vendor/MSFT/EnterpriseDesktopAppManagement/MSI/a/b/c"} {
		_, _, isMSI := csp.ParseMSI(uri)
		_, _, isPFX := csp.ParsePFX(uri)
		_, _, isPolicy := csp.ParsePolicy(uri)
		g.Expect(isMSI || isPFX || isPolicy).To(gomega.BeFalse(), uri)
	}
}

func TestFirstSyncNodes(t *testing.T) {
	g := gomega.NewWithT(t)
	msi := csp.MSI{Scope: csp.Device, ProductCode: "{1}"}
	f := csp.FirstSync{
		Expected: csp.Expected{
			Policies: []string{"./a", "./b"}, MSIs: []csp.Counted{{URI: msi.Status(), Count: 1}, {URI: "./c;d", Count: 2}},
			PFXCerts: []string{"./p"}, SCEPCerts: []string{"./s"},
		},
		Timeout: 60, Block: csp.AllowReset | csp.AllowTryAgain, ErrorText: "call <us>", SkipUser: true,
	}
	var lines []string
	for _, scope := range []csp.Scope{csp.Device, csp.User} {
		for _, n := range f.Nodes(scope) {
			lines = append(lines, n.Format+" "+n.URI+" = "+n.Value)
		}
	}
	for _, n := range (csp.PFX{Scope: csp.Device, ID: "p1"}).Nodes(csp.KeyInSoftware, "AAAA", "secret", false) {
		lines = append(lines, n.Format+" "+n.URI+" = "+n.Value)
	}
	n := csp.B64("./b", []byte{1, 2})
	golden(t, "nodes.txt", strings.Join(append(lines, n.Format+" "+n.URI+" = "+n.Value), "\n"))

	back, err := csp.SplitCounted(csp.JoinCounted(f.Expected.MSIs))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(back).To(gomega.Equal(f.Expected.MSIs))
}

func TestLists(t *testing.T) {
	g := gomega.NewWithT(t)
	g.Expect(csp.SplitList("")).To(gomega.BeEmpty())
	g.Expect(csp.SplitList("./a\uF000\uF000./b")).To(gomega.Equal([]string{"./a", "./b"}))
	got, err := csp.SplitCounted("./a\uF000./b;3")
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(got).To(gomega.Equal([]csp.Counted{{URI: "./a", Count: 1}, {URI: "./b", Count: 3}}))
	for _, bad := range []string{"./a;", "./a;x", "./a;-1", "./a;99999999"} {
		_, err := csp.SplitCounted(bad)
		g.Expect(err).To(gomega.HaveOccurred(), bad)
	}
	rapid.Check(t, func(t *rapid.T) {
		item := rapid.StringMatching(`\./[a-zA-Z%0-9;/]{1,12}`)
		list := rapid.SliceOfN(item, 1, 5).Draw(t, "list")
		gomega.NewWithT(t).Expect(csp.SplitList(csp.JoinList(list))).To(gomega.Equal(list))
	})
}

func job() csp.MsiInstallJob {
	return csp.MsiInstallJob{ID: "{12345678-0000-4000-8000-000000000001}", Product: csp.Product{
		Version: "1.83.107.0", ContentURLs: []string{"https://cdn.example/IntuneWindowsAgent.msi?a=1&b=2", "https://two.example/x.msi"}, FileHash: "00FF",
		CommandLine: `/quiet PROP="a<b"`, TimeOut: 10, RetryCount: 3, RetryInterval: 5,
	}}
}

func TestMsiInstallJob(t *testing.T) {
	g := gomega.NewWithT(t)
	text, err := job().Encode()
	g.Expect(err).NotTo(gomega.HaveOccurred())
	golden(t, "msiinstalljob.xml", text)
	if tool, err := exec.LookPath("xmllint"); err == nil {
		out, err := exec.Command(tool, "--noout", "--nonet", "testdata/msiinstalljob.xml").CombinedOutput()
		g.Expect(err).NotTo(gomega.HaveOccurred(), string(out))
	}
	got, err := csp.ParseMsiInstallJob(text)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(got).To(gomega.Equal(job()))
	for _, bad := range []string{
		"", "<x/>", "<MsiInstallJob/>", `<MsiInstallJob id="1"/>`, strings.Replace(text, "<TimeOut>10", "<TimeOut>x", 1),
		text + strings.Repeat(" ", 1<<17),
	} {
		_, err := csp.ParseMsiInstallJob(bad)
		g.Expect(err).To(gomega.HaveOccurred(), bad)
	}
}

func TestStates(t *testing.T) {
	g := gomega.NewWithT(t)
	g.Expect(csp.MSIEnforced.String()).To(gomega.Equal("EnforcementCompleted"))
	g.Expect(csp.MSIStatus(1).String()).To(gomega.Equal("1"))
	g.Expect(csp.MSIEnforceFailed.Settled()).To(gomega.BeTrue())
	g.Expect(csp.MSIDownloading.Settled()).To(gomega.BeFalse())
	g.Expect(csp.AppInProgress.String() + " " + csp.ProviderCompleted.String() + " " + csp.RebootHard.String()).To(gomega.Equal("InProgress Completed HardReboot"))
	g.Expect(csp.AppState(9).String()).To(gomega.Equal("9"))
	g.Expect(csp.AppError.Settled()).To(gomega.BeTrue())
	g.Expect(csp.AppInProgress.Settled()).To(gomega.BeFalse())
	g.Expect(csp.KeyInTPM.String()).To(gomega.Equal("TPM"))
}

func FuzzParse(f *testing.F) {
	f.Add("./Device/Vendor/MSFT/EnterpriseDesktopAppManagement/MSI/%7B1%7D/Status")
	f.Add("./User/Vendor/MSFT/Policy/Config/A/B")
	f.Fuzz(func(t *testing.T, uri string) {
		_, _, _ = csp.ParseMSI(uri)
		_, _, _ = csp.ParsePFX(uri)
		_, _, _ = csp.ParsePolicy(uri)
		p, err := csp.Parse(uri)
		if err != nil {
			return
		}
		if again, err := csp.Parse(p.String()); err != nil && len(p.String()) <= csp.MaxURI || err == nil && again.String() != p.String() {
			t.Fatalf("%q: %q does not parse to itself: %v", uri, p.String(), err)
		}
	})
}

func FuzzMsiInstallJob(f *testing.F) {
	text, err := job().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add("./a;1\uF000./b")
	f.Fuzz(func(_ *testing.T, text string) {
		_, _ = csp.ParseMsiInstallJob(text)
		_, _ = csp.SplitCounted(text)
	})
}
