package vnet_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/vnet"
)

// TestGatewayAndCurl is a client in another process and another language, told as the README tells it: proxy and CA file.
func TestGatewayAndCurl(t *testing.T) {
	w := newOutside(t, vnet.GatewayOptions{})
	ca := filepath.Join(t.TempDir(), "ca.pem")
	w.Expect(os.WriteFile(ca, pki.PEM(w.root.Cert), 0o600)).To(Succeed())
	curl := func(args ...string) string {
		cmd := exec.Command("curl", append([]string{"--silent", "--show-error", "--max-time", "20", "--cacert", ca}, args...)...)
		cmd.Env = append(os.Environ(), "HTTPS_PROXY=http://"+w.g.ProxyAddr(), "http_proxy=http://"+w.g.ProxyAddr(), "no_proxy=")
		out, _ := cmd.CombinedOutput() // how it ended is in what it says
		return string(out)
	}
	w.Expect(curl("--data", "hello", "https://login.contoso.com/a?b")).To(Equal("POST /a?b hello"))
	w.Expect(curl("--http1.1", "https://a.b.mdm.contoso.com/")).To(Equal("GET / "))
	w.Expect(curl("http://login.contoso.com/plain")).To(Equal("GET /plain "))
	w.Expect(curl("https://www.example.com/")).To(ContainSubstring("403"))
	w.Expect(curl("--noproxy", "*", "--connect-to", "::"+w.g.TLSAddr(), "https://login.contoso.com/direct")).To(Equal("GET /direct "))
}

// TestGatewayAndOpenSSL looks at the chain as another TLS library does, through the proxy.
func TestGatewayAndOpenSSL(t *testing.T) {
	w := newOutside(t, vnet.GatewayOptions{})
	ca := filepath.Join(t.TempDir(), "ca.pem")
	w.Expect(os.WriteFile(ca, pki.PEM(w.root.Cert), 0o600)).To(Succeed())
	for _, version := range []string{"-tls1_2", "-tls1_3"} {
		out, err := exec.Command("openssl", "s_client", version, "-proxy", w.g.ProxyAddr(), "-connect", "login.contoso.com:443",
			"-servername", "login.contoso.com", "-verify_hostname", "login.contoso.com", "-verify_return_error", "-CAfile", ca).CombinedOutput()
		w.Expect(err).NotTo(HaveOccurred(), string(out))
		w.Expect(string(out)).To(ContainSubstring("Verify return code: 0 (ok)"))
	}
	out, err := exec.Command("openssl", "s_client", "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0", "-connect", w.g.TLSAddr(), "-servername", "login.contoso.com").CombinedOutput()
	w.Expect(err).To(HaveOccurred(), string(out))
}
