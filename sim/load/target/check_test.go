package target

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/onsi/gomega"
	"go.uber.org/goleak"

	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var someRoot = func() *pki.CA {
	root, err := vnet.NewRealRoot()
	if err != nil {
		panic(err)
	}
	return root
}()

var somePEM = string(pki.PEM(someRoot.Cert))

// served is an HTTPS server with a certificate of some names and dates.
func served(t *testing.T, from, until time.Time, names []string, h http.HandlerFunc) (address string) {
	t.Helper()
	g := gomega.NewWithT(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	leaf, err := someRoot.Issue(from, &x509.Certificate{DNSNames: names, NotBefore: from, NotAfter: until, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, key.Public())
	g.Expect(err).NotTo(gomega.HaveOccurred())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	g.Expect(err).NotTo(gomega.HaveOccurred())
	server := &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0), TLSConfig: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Raw}, PrivateKey: key}}}}
	done := make(chan error, 1)
	go func() { done <- server.ServeTLS(l, "", "") }()
	t.Cleanup(func() { _ = server.Close(); <-done })
	return l.Addr().String()
}

func TestCheckSaysWhatIsWrong(t *testing.T) {
	now := vclock.RealNow()
	every := []string{"login.microsoftonline.com", "*.microsoftaik.azure.net", "graph.microsoft.com"}
	entra := func(w http.ResponseWriter, r *http.Request) {
		if r.Host == "graph.microsoft.com" {
			w.WriteHeader(http.StatusUnauthorized)
		}
		_, _ = io.WriteString(w, `{"token_endpoint":"https://login.microsoftonline.com/"}`)
	}
	hour := time.Hour
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	chatty := &http.Server{Handler: http.HandlerFunc(entra)}
	done := make(chan error, 1)
	go func() { done <- chatty.Serve(plain) }()
	t.Cleanup(func() { _ = chatty.Close(); <-done })
	for name, c := range map[string]struct {
		at, says string
		stranger bool
	}{
		"as it should be":        {at: served(t, now.Add(-hour), now.Add(hour), every, entra)},
		"expired":                {at: served(t, now.Add(-2*hour), now.Add(-hour), every, entra), says: "was good from"},
		"another authority":      {at: served(t, now.Add(-hour), now.Add(hour), every, entra), stranger: true, says: "--ca"},
		"another name":           {at: served(t, now.Add(-hour), now.Add(hour), []string{"www.contoso.com"}, entra), says: "does not serve login.microsoftonline.com"},
		"nobody":                 {at: "127.0.0.1:1", says: "connection refused"},
		"no TLS":                 {at: plain.Addr().String(), says: "does not speak TLS"},
		"another kind of server": {at: served(t, now.Add(-hour), now.Add(hour), every, func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }), says: "is not Entra ID's sign-in"},
	} {
		t.Run(name, func(t *testing.T) {
			g := gomega.NewWithT(t)
			target := &Target{hosts: []host{{"*", vnet.Forward{TLS: c.at}}}, ca: []*x509.Certificate{someRoot.Cert}}
			if c.stranger {
				other, err := vnet.NewRealRoot()
				g.Expect(err).NotTo(gomega.HaveOccurred())
				target.ca = []*x509.Certificate{other.Cert}
			}
			err := target.Check(t.Context())
			if c.says == "" {
				g.Expect(err).NotTo(gomega.HaveOccurred())
				return
			}
			g.Expect(err).To(gomega.MatchError(gomega.ContainSubstring(c.says)))
			g.Expect(err).To(gomega.MatchError(gomega.ContainSubstring(c.at)))
		})
	}
	gomega.NewWithT(t).Expect((*Target)(nil).Check(t.Context())).To(gomega.Succeed())
}
