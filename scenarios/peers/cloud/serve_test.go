package cloud_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("windtunnel serve", func() {
	It("answers curl through the proxy, by the names that clients have built in", func() {
		c := start()
		var configuration struct {
			Issuer string `json:"issuer"`
			Token  string `json:"token_endpoint"`
		}
		out := c.Run("curl", "-sS", "--fail", "https://login.microsoftonline.com/"+c.Ready.TenantID+"/v2.0/.well-known/openid-configuration")
		Expect(json.Unmarshal([]byte(out), &configuration)).To(Succeed())
		Expect(configuration.Token).To(HavePrefix("https://login.microsoftonline.com/" + c.Ready.TenantID))

		out = c.Run("curl", "-sS", "--fail", "-H", "Authorization: Bearer "+c.Token("https://graph.microsoft.com"), "https://graph.microsoft.com/v1.0/organization")
		Expect(out).To(ContainSubstring(c.Ready.Domain))
		requests := c.Journal("http.request")
		Expect(requests).To(HaveLen(3))
		Expect(requests[2].Fields).To(HaveKeyWithValue("host", "graph.microsoft.com"))
		Expect(requests[2].Fields).To(HaveKeyWithValue("status", BeEquivalentTo(200)))
	})

	It("refuses names that are not modelled", func() {
		c := start()
		_, said, err := c.Try("curl", "-sS", "https://www.example.com/")
		Expect(err).To(HaveOccurred())
		Expect(said).To(ContainSubstring("403"))
	})

	It("is trusted through its CA file alone, whose key nobody has", func() {
		c := start()
		pem, err := os.ReadFile(c.Ready.CA)
		Expect(err).NotTo(HaveOccurred())
		Expect(string(pem)).NotTo(ContainSubstring("PRIVATE"))
		info, err := os.Stat(c.Ready.CA)
		Expect(err).NotTo(HaveOccurred())
		Expect(info.Mode().Perm()).To(BeEquivalentTo(0o644))
		_, said, err := c.Try("curl", "-sS", "--cacert", start().Ready.CA, "https://graph.microsoft.com/v1.0/organization")
		Expect(err).To(HaveOccurred(), "another process has another authority")
		Expect(said).To(ContainSubstring("certificate"))
		// Straight to the TLS listener, as with a line in /etc/hosts.
		host, port, _ := strings.Cut(c.Ready.TLS, ":")
		c.Run("openssl", "s_client", "-connect", host+":"+port, "-servername", "graph.microsoft.com", "-verify_return_error", "-verify_hostname", "graph.microsoft.com", "-CAfile", c.Ready.CA)
	})

	It("does what fault rules say, and tells the mistakes of wrong ones", func() {
		c := start()
		status, body := c.manage(http.MethodPost, "/v1/faults", "application/json", []byte(`{"name":"busy","do":{"status":42}}`))
		Expect(status).To(Equal(http.StatusBadRequest))
		Expect(body).To(ContainSubstring("not an answer that stands for a fault"))
		c.AddFault(`{name: busy, when: {host: graph.microsoft.com, nth: 1}, do: {status: 429, retryAfter: 7s}}`)
		out := c.Run("curl", "-sS", "-i", "--suppress-connect-headers", "https://graph.microsoft.com/v1.0/organization")
		Expect(out).To(MatchRegexp(`(?i)^HTTP/\S+ 429`))
		Expect(out).To(MatchRegexp(`(?i)retry-after: 7`))
		Expect(c.Run("curl", "-sS", "-i", "--suppress-connect-headers", "https://graph.microsoft.com/v1.0/organization")).To(MatchRegexp(`^HTTP/\S+ 401`))
		Expect(c.Journal("fault.fired")).To(HaveLen(1))
	})

	It("moves business time, and TLS stays in real time", func() {
		c := start()
		token := c.Token("https://graph.microsoft.com")
		ask := func() string {
			return c.Run("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Authorization: Bearer "+token, "https://graph.microsoft.com/v1.0/organization")
		}
		Expect(ask()).To(Equal("200"))
		c.Jump(24 * time.Hour)
		Expect(c.Now()).To(BeTemporally("~", time.Now().Add(24*time.Hour), time.Minute))
		Expect(ask()).To(Equal("401"), "the token is of yesterday")
		c.Jump(400 * 24 * time.Hour)
		token = c.Token("https://graph.microsoft.com")
		Expect(ask()).To(Equal("200"), "the web certificate is of today all the same")
	})

	It("goes back to the scenario, and takes up an exported state", func() {
		c := start()
		groups := func() string {
			return c.Run("curl", "-sS", "--fail", "-H", "Authorization: Bearer "+c.Token("https://graph.microsoft.com"), "https://graph.microsoft.com/v1.0/groups")
		}
		c.createGroup("Kept")
		var state json.RawMessage
		c.Manage(http.MethodGet, "/v1/state", nil, &state)
		c.Reset()
		Expect(groups()).NotTo(ContainSubstring("Kept"))
		Expect(groups()).To(ContainSubstring("Staff"))
		c.Manage(http.MethodPut, "/v1/state", state, nil)
		Expect(groups()).To(ContainSubstring("Kept"))
	})

	It("keeps the tenant over restarts", func() {
		dir := filepath.Join(GinkgoT().TempDir(), "state")
		c := launch("--state", dir)
		c.createGroup("Kept")
		c.Jump(time.Hour)
		c.stop()
		Expect(c.Run("sqlite3", filepath.Join(dir, "tenant.db"), "SELECT value FROM row WHERE tbl = 'entra.groups'")).To(ContainSubstring(`"Kept"`))
		c = start("--state", dir)
		Expect(c.Now()).To(BeTemporally("~", time.Now().Add(time.Hour), time.Minute), "business time does not go back")
		Expect(c.Run("curl", "-sS", "--fail", "-H", "Authorization: Bearer "+c.Token("https://graph.microsoft.com"), "https://graph.microsoft.com/v1.0/groups")).To(ContainSubstring("Kept"))
	})

	It("has virtual PCs live beside real clients", func() {
		c := start("--fleet", "2", "--tpm-cache", GinkgoT().TempDir())
		desktops := func() int {
			c.Jump(20 * time.Second) // a person would wait for some minutes
			done := 0
			for _, e := range c.Journal("phase.end") {
				if e.Fields["phase"] == "user" {
					done++
				}
			}
			return done
		}
		Eventually(desktops, 2*patience, "100ms").Should(Equal(2))
		pcs := c.list("https://graph.microsoft.com/v1.0/deviceManagement/managedDevices", c.Token("https://graph.microsoft.com"))
		Expect(pcs).To(HaveLen(2))
		Expect(pcs[0]["serialNumber"]).NotTo(BeEmpty())
	})

	It("is not for pages in a browser", func() {
		c := start()
		for _, header := range []string{"Origin: https://evil.example", "Host: evil.example", "Sec-Fetch-Site: cross-site"} {
			out := c.Run("curl", "-sS", "--noproxy", "*", "-o", "/dev/null", "-w", "%{http_code}", "-H", header, c.Ready.Management+"/v1/ready")
			Expect(out).To(MatchRegexp("403|421"), header)
		}
	})
})

// createGroup makes a security group by Graph.
func (c *cloud) createGroup(name string) {
	GinkgoHelper()
	body := `{"displayName":"` + name + `","mailEnabled":false,"mailNickname":"` + strings.ToLower(name) + `","securityEnabled":true}`
	c.Run("curl", "-sS", "--fail", "-H", "Authorization: Bearer "+c.Token("https://graph.microsoft.com"), "-H", "Content-Type: application/json", "-d", body, "https://graph.microsoft.com/v1.0/groups")
}
