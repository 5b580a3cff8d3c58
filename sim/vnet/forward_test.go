package vnet_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
)

// forwarded is a network whose names are served by another one's gateway.
type forwarded struct {
	*outside
	near *vnet.Network
	nic  *vnet.NIC
	mu   sync.Mutex
	seen []vnet.Exchange
}

func newForwarded(t *testing.T) *forwarded {
	t.Helper()
	f := &forwarded{outside: newOutside(t, vnet.GatewayOptions{ListenTLS: "127.0.0.1:0", ListenHTTP: "127.0.0.1:0", ListenProxy: "127.0.0.1:0"})}
	clock := vclock.NewWall()
	own, err := pki.NewRoot(clock.Now(), seed, "Web Root", pki.Options{})
	f.Expect(err).NotTo(HaveOccurred())
	f.near = vnet.New(clock, vnet.Options{Seed: seed, WebRoot: own, Exchanged: func(x vnet.Exchange) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.seen = append(f.seen, x)
	}})
	f.near.Serve("login.contoso.com", http.HandlerFunc(hello), vnet.Operation(func(*http.Request) string { return "sign in" }))
	f.near.Serve("certs.contoso.com", http.HandlerFunc(hello), vnet.ClientCert(vnet.RequestClientCert))
	f.near.Serve("stays.contoso.com", http.HandlerFunc(hello))
	roots := f.root.Pool()
	roots.AddCert(own.Cert)
	f.nic = f.near.Attach(vnet.NICOptions{Device: "PC-1", Roots: func() *x509.CertPool { return roots }})
	t.Cleanup(func() { f.near.Close(); clock.Stop() })
	for _, name := range []string{"login.contoso.com", "certs.contoso.com", "strict.contoso.com", "*.mdm.contoso.com"} {
		f.Expect(f.near.Forward(name, vnet.Forward{TLS: f.g.TLSAddr(), HTTP: f.g.HTTPAddr()})).To(Succeed())
	}
	return f
}

func TestForwardedNamesAreServedElsewhere(t *testing.T) {
	f := newForwarded(t)
	c := f.nic.Client(vnet.ClientOptions{Timeout: time.Minute})
	status, body, err := do(t.Context(), c, http.MethodPost, "https://login.contoso.com/a?b=c", "text")
	f.Expect(err).NotTo(HaveOccurred())
	f.Expect(status).To(Equal(http.StatusOK))
	f.Expect(body).To(Equal("POST /a?b=c text"))
	_, body, err = get(t.Context(), c, "http://login.contoso.com/plain")
	f.Expect(err).NotTo(HaveOccurred())
	f.Expect(body).To(Equal("GET /plain "))
	_, body, err = get(t.Context(), c, "https://x.mdm.contoso.com/below")
	f.Expect(err).NotTo(HaveOccurred())
	f.Expect(body).To(Equal("GET /below "))
	_, body, err = get(t.Context(), c, "https://stays.contoso.com/")
	f.Expect(err).NotTo(HaveOccurred())
	f.Expect(body).NotTo(HavePrefix("GET "), "it is served here")
	f.Expect(f.seen[0].Operation).To(Equal("sign in"))
	f.Expect(f.seen[0].Status).To(Equal(http.StatusOK))
	f.Expect(f.seen[0].Received).To(Equal(int64(len("POST /a?b=c text"))))
	big := strings.Repeat("x", 3<<20)
	_, body, err = do(t.Context(), c, http.MethodPost, "https://login.contoso.com/big", big)
	f.Expect(err).NotTo(HaveOccurred())
	f.Expect(body).To(HaveLen(len("POST /big ") + len(big)))
}

// clientCertificate is one of a key, by itself.
func clientCertificate(t *testing.T, key crypto.Signer) *vnet.ClientCertificate {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "PC-1"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	cert, err := x509.ParseCertificate(der)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return &vnet.ClientCertificate{Cert: cert, SignerFor: func(context.Context) crypto.Signer { return key }}
}

func TestForwardedClientCertificatesAreProvedByTheDevice(t *testing.T) {
	f := newForwarded(t)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	f.Expect(err).NotTo(HaveOccurred())
	for _, key := range []crypto.Signer{newECKey(t), rsaKey} {
		c := f.nic.Client(vnet.ClientOptions{Certificate: clientCertificate(t, key)})
		for _, host := range []string{"certs", "strict"} {
			_, body, err := get(t.Context(), c, "https://"+host+".contoso.com/")
			f.Expect(err).NotTo(HaveOccurred())
			f.Expect(body).To(Equal("PC-1"))
		}
	}
	status, _, err := get(t.Context(), f.nic.Client(vnet.ClientOptions{}), "https://certs.contoso.com/")
	f.Expect(err).NotTo(HaveOccurred())
	f.Expect(status).To(Equal(http.StatusForbidden))
	_, _, err = get(t.Context(), f.nic.Client(vnet.ClientOptions{}), "https://strict.contoso.com/")
	f.Expect(err).To(HaveOccurred())
	f.Expect(vnet.ErrorCode(err)).NotTo(Equal(hresult.OK))
}

func TestForwardedConnectionsAreKept(t *testing.T) {
	g := NewWithT(t)
	accepted := 0
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	g.Expect(err).NotTo(HaveOccurred())
	var mu sync.Mutex
	server := &http.Server{Handler: http.HandlerFunc(hello), ConnState: func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			mu.Lock()
			accepted++
			mu.Unlock()
		}
	}}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	clock := vclock.NewWall()
	n := vnet.New(clock, vnet.Options{Seed: seed})
	g.Expect(n.Forward("plain.contoso.com", vnet.Forward{HTTP: listener.Addr().String()})).To(Succeed())
	nic := n.Attach(vnet.NICOptions{Device: "PC-1"})
	c := nic.Client(vnet.ClientOptions{})
	for range 5 {
		_, _, err := get(t.Context(), c, "http://plain.contoso.com/")
		g.Expect(err).NotTo(HaveOccurred())
	}
	nic.CloseIdle()
	_, _, err = get(t.Context(), c, "http://plain.contoso.com/")
	g.Expect(err).NotTo(HaveOccurred())
	mu.Lock()
	g.Expect(accepted).To(Equal(2))
	mu.Unlock()
	n.Close()
	g.Expect(server.Close()).To(Succeed())
	g.Expect(<-served).To(MatchError(http.ErrServerClosed))
	_, _, err = get(t.Context(), c, "http://plain.contoso.com/")
	g.Expect(vnet.ErrorCode(err)).To(Equal(hresult.InternetCannotConnect))
	clock.Stop()
}

func TestForwardedFailuresAreWindows(t *testing.T) {
	f := newForwarded(t)
	stranger, err := pki.NewRoot(time.Now(), seed+1, "Another Root", pki.Options{})
	f.Expect(err).NotTo(HaveOccurred())
	distrustful := f.near.Attach(vnet.NICOptions{Device: "PC-2", Roots: stranger.Pool})
	_, _, err = get(t.Context(), distrustful.Client(vnet.ClientOptions{}), "https://login.contoso.com/")
	f.Expect(vnet.ErrorCode(err)).To(Equal(hresult.InternetSecureFailure))

	late := f.near.Attach(vnet.NICOptions{Device: "PC-3", Roots: f.root.Pool, Now: func() time.Time { return time.Now().AddDate(100, 0, 0) }})
	_, _, err = get(t.Context(), late.Client(vnet.ClientOptions{}), "https://login.contoso.com/")
	f.Expect(vnet.ErrorCode(err)).To(Equal(hresult.InternetSecureFailure))

	slow := f.nic.Client(vnet.ClientOptions{Timeout: 200 * time.Millisecond})
	_, _, err = get(t.Context(), slow, "https://login.contoso.com/slow")
	f.Expect(vnet.ErrorCode(err)).To(Equal(hresult.InternetTimeout))

	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("power lost")
	time.AfterFunc(100*time.Millisecond, func() { cancel(gone) })
	_, _, err = get(ctx, f.nic.Client(vnet.ClientOptions{}), "https://login.contoso.com/slow")
	f.Expect(err).To(MatchError(gone))

	f.Expect(f.near.Forward("silent.contoso.com", vnet.Forward{TLS: "127.0.0.1:1"})).To(Succeed())
	_, _, err = get(t.Context(), f.nic.Client(vnet.ClientOptions{}), "https://silent.contoso.com/")
	f.Expect(vnet.ErrorCode(err)).To(Equal(hresult.InternetCannotConnect))
}

func TestVirtualTimeIsNotForwarded(t *testing.T) {
	w := newWorld(t, vnet.Direct, bench)
	w.Expect(w.net.Forward("*", vnet.Forward{TLS: "127.0.0.1:1"})).To(MatchError(ContainSubstring("virtual")))
}
