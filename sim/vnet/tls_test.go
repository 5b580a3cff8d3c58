package vnet_test

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/vnet"
)

const secureFailure = "0x80072F8F"

// TestServerIsVerified covers what a device finds wrong with a service's certificate, by its own roots and clock.
func TestServerIsVerified(t *testing.T) {
	other, err := pki.NewRoot(start, seed, "Other Root", pki.Options{})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	wrongName := issued(t, other, "elsewhere.contoso.com", start, x509.ExtKeyUsageServerAuth)

	for _, c := range []struct {
		name  string
		nic   vnet.NICOptions
		serve []vnet.ServeOption
		want  any // pointer to the x509 error that is wrapped
		ok    bool
	}{
		{name: "good", ok: true},
		{name: "clock a day slow is still within the grace", nic: clockOff(-24 * time.Hour), ok: true},
		{name: "clock at the epoch of the firmware", nic: clockOff(-5 * 365 * 24 * time.Hour), want: new(x509.CertificateInvalidError)},
		{name: "clock two years fast", nic: clockOff(2 * 365 * 24 * time.Hour), want: new(x509.CertificateInvalidError)},
		{name: "root is not in the device's store", nic: vnet.NICOptions{Roots: other.Pool}, want: new(x509.UnknownAuthorityError)},
		{name: "another name", nic: vnet.NICOptions{Roots: other.Pool}, serve: []vnet.ServeOption{vnet.Presents(wrongName)}, want: new(x509.HostnameError)},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachHome(t, func(t *testing.T, home vnet.Home) {
				w := newWorld(t, home, bench)
				w.net.Serve("www.contoso.com", http.HandlerFunc(hello), c.serve...)
				o := c.nic
				o.Device, o.Site = "pc-1", w.site
				nic := w.net.Attach(o)
				took := w.run(func(ctx context.Context) {
					_, _, err := get(ctx, nic.Client(vnet.ClientOptions{}), "https://www.contoso.com/")
					nic.CloseIdle()
					if c.ok {
						w.Expect(err).NotTo(HaveOccurred())
						return
					}
					var verification *tls.CertificateVerificationError
					w.Expect(errors.As(err, &verification)).To(BeTrue(), "%v", err)
					w.Expect(errors.As(err, c.want)).To(BeTrue(), "%v", err)
					w.Expect(vnet.ErrorCode(err).Hex()).To(Equal(secureFailure))
				})
				if !c.ok {
					w.Expect(took).To(Equal(newConnection))
				}
			})
		})
	}
}

func clockOff(d time.Duration) vnet.NICOptions {
	return vnet.NICOptions{Now: func() time.Time { return start.Add(d) }}
}

// issued is a certificate with its seeded key.
func issued(t testing.TB, ca *pki.CA, name string, now time.Time, use x509.ExtKeyUsage) tls.Certificate {
	key := pki.Key(seed, "leaf", name)
	cert, err := ca.Issue(now, &x509.Certificate{
		DNSNames: []string{name}, NotAfter: now.AddDate(1, 0, 0), ExtKeyUsage: []x509.ExtKeyUsage{use},
	}, key.Public())
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}
}

func TestCertificatesAreRenewed(t *testing.T) {
	eachHome(t, func(t *testing.T, home vnet.Home) {
		w := newWorld(t, home, bench)
		w.net.Serve("www.contoso.com", http.HandlerFunc(hello))
		nic := w.nic("pc-1")
		w.run(func(ctx context.Context) {
			for range 4 {
				_, _, err := get(ctx, nic.Client(vnet.ClientOptions{}), "https://www.contoso.com/")
				w.Expect(err).NotTo(HaveOccurred())
				w.Expect(w.clock.Sleep(ctx, 300*24*time.Hour, "shelf")).To(Succeed())
			}
			nic.CloseIdle()
		})
	})
}

func TestInterception(t *testing.T) {
	eachHome(t, func(t *testing.T, home vnet.Home) {
		proxyCA, err := pki.NewRoot(start, seed, "Corporate Proxy", pki.Options{})
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		site := bench
		site.Proxy = &vnet.ProxyConfig{TLSIntercept: proxyCA, Bypass: []string{"*.manage.contoso.com"}, Latency: 5 * time.Millisecond}
		w := newWorld(t, home, site)
		var peers int
		count := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { peers = len(vnet.PeerCertificates(r)) })
		w.net.Serve("login.contoso.com", count, vnet.ClientCert(vnet.RequireClientCert))
		w.net.Serve("*.manage.contoso.com", count, vnet.ClientCert(vnet.RequireClientCert))

		both := w.root.Pool()
		both.AddCert(proxyCA.Cert)
		trusting := w.net.Attach(vnet.NICOptions{Device: "pc-2", Site: w.site, Roots: func() *x509.CertPool { return both }})
		cert := issued(t, w.root, "pc", start, x509.ExtKeyUsageClientAuth)
		o := vnet.ClientOptions{Certificate: &vnet.ClientCertificate{Cert: cert.Leaf, Signer: cert.PrivateKey.(crypto.Signer)}}
		w.run(func(ctx context.Context) {
			nic := w.nic("pc-1")
			_, _, err := get(ctx, nic.Client(o), "https://login.contoso.com/")
			w.Expect(errors.As(err, new(x509.UnknownAuthorityError))).To(BeTrue(), "%v", err)
			_, _, err = get(ctx, nic.Client(o), "https://r.manage.contoso.com/")
			w.Expect(err).NotTo(HaveOccurred())
			w.Expect(peers).To(Equal(1), "the bypass leaves the device's certificate")
			_, _, err = get(ctx, trusting.Client(o), "https://login.contoso.com/")
			w.Expect(err).NotTo(HaveOccurred())
			w.Expect(peers).To(Equal(0), "a proxy cannot pass the device's certificate on")
			nic.CloseIdle()
			trusting.CloseIdle()
		})
	})
}

// slowSigner takes virtual time for a signature, as a key in a TPM does.
type slowSigner struct {
	crypto.Signer
	ctx  context.Context
	w    *world
	fail error
}

func (s slowSigner) Sign(r io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	if err := s.w.clock.Sleep(s.ctx, 200*time.Millisecond, "tpm.sign"); err != nil {
		return nil, err
	}
	if s.fail != nil {
		return nil, s.fail
	}
	return s.Signer.Sign(r, digest, o)
}

var errLockout = errors.New("TPM is locked out")

func TestClientCertificates(t *testing.T) {
	type given struct {
		cert *tls.Certificate
		key  crypto.Signer
		fail error
	}
	ca, err := pki.NewRoot(start, seed, "Device CA", pki.Options{})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	ec := issued(t, ca, "pc-1", start, x509.ExtKeyUsageClientAuth)
	rsaKey := pki.RSAKey(0)
	rsaCert, err := ca.Issue(start, &x509.Certificate{NotAfter: start.AddDate(1, 0, 0)}, rsaKey.Public())
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	rs := tls.Certificate{Leaf: rsaCert}

	for _, c := range []struct {
		name  string
		mode  vnet.ClientCertMode
		given given
		peers int
		code  string
		err   string
		took  time.Duration
	}{
		{name: "ECDSA", mode: vnet.RequestClientCert, given: given{cert: &ec, key: ec.PrivateKey.(crypto.Signer)}, peers: 1,
			took: newConnection + 200*time.Millisecond + smallLeg + mediumLeg},
		{name: "RSA", mode: vnet.RequireClientCert, given: given{cert: &rs, key: rsaKey}, peers: 1,
			took: newConnection + 20*time.Millisecond + 200*time.Millisecond + smallLeg + mediumLeg},
		{name: "not asked for", mode: vnet.NoClientCert, given: given{cert: &ec, key: ec.PrivateKey.(crypto.Signer)},
			took: newConnection + smallLeg + mediumLeg},
		{name: "none, asked for", mode: vnet.RequestClientCert, took: newConnection + smallLeg + mediumLeg},
		{name: "none, required", mode: vnet.RequireClientCert, code: secureFailure, err: "certificate required", took: newConnection},
		{name: "another ECDSA key", mode: vnet.RequestClientCert, given: given{cert: &ec, key: pki.Key(seed, "thief")},
			code: secureFailure, err: "error decrypting message", took: newConnection + 200*time.Millisecond},
		{name: "another RSA key", mode: vnet.RequestClientCert, given: given{cert: &rs, key: pki.RSAKey(1)},
			code: secureFailure, err: "error decrypting message", took: newConnection + 220*time.Millisecond},
		{name: "key fails", mode: vnet.RequestClientCert, given: given{cert: &ec, key: ec.PrivateKey.(crypto.Signer), fail: errLockout},
			code: "0x00000000", err: "locked out", took: newConnection + 200*time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachHome(t, func(t *testing.T, home vnet.Home) {
				w := newWorld(t, home, bench)
				peers := -1
				w.net.Serve("mdm.contoso.com", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					peers = len(vnet.PeerCertificates(r))
					hello(rw, r)
				}), vnet.ClientCert(c.mode))
				var o vnet.ClientOptions
				if c.given.cert != nil {
					o.Certificate = &vnet.ClientCertificate{Cert: c.given.cert.Leaf, SignerFor: func(ctx context.Context) crypto.Signer {
						return slowSigner{c.given.key, ctx, w, c.given.fail}
					}}
				}
				nic := w.nic("pc-1")
				took := w.run(func(ctx context.Context) {
					_, _, err := get(ctx, nic.Client(o), "https://mdm.contoso.com/")
					nic.CloseIdle()
					if c.err == "" {
						w.Expect(err).NotTo(HaveOccurred())
						w.Expect(peers).To(Equal(c.peers))
						return
					}
					w.Expect(err).To(MatchError(ContainSubstring(c.err)))
					w.Expect(vnet.ErrorCode(err).Hex()).To(Equal(c.code))
					if c.given.fail != nil {
						w.Expect(err).To(MatchError(c.given.fail))
					}
				})
				w.Expect(took).To(Equal(c.took))
			})
		})
	}
}

// TestPowerCutWhileSigning ends a device in the middle of a handshake.
func TestPowerCutWhileSigning(t *testing.T) {
	eachHome(t, func(t *testing.T, home vnet.Home) {
		w := newWorld(t, home, bench)
		w.net.Serve("mdm.contoso.com", http.HandlerFunc(hello), vnet.ClientCert(vnet.RequireClientCert))
		cert := issued(t, w.root, "pc-1", start, x509.ExtKeyUsageClientAuth)
		nic := w.nic("pc-1")
		powered, cut := w.clock.WithCancel(context.Background())
		var got error
		w.clock.Go(powered, "pc-1", func(ctx context.Context) {
			_, _, got = get(ctx, nic.Client(vnet.ClientOptions{Certificate: &vnet.ClientCertificate{
				Cert: cert.Leaf, SignerFor: func(ctx context.Context) crypto.Signer {
					return slowSigner{cert.PrivateKey.(crypto.Signer), ctx, w, nil}
				},
			}}), "https://mdm.contoso.com/")
		})
		w.clock.AfterFunc(context.Background(), newConnection+100*time.Millisecond, "hand", func(context.Context) { cut(errPowerCut) })
		w.Expect(w.clock.Run(context.Background(), time.Time{})).To(Succeed())
		w.Expect(got).To(MatchError(errPowerCut))
	})
}

// TestStopUnwindsRequests stops a run while a handler and a handshake are under way.
func TestStopUnwindsRequests(t *testing.T) {
	eachHome(t, func(t *testing.T, home vnet.Home) {
		w := newWorld(t, home, bench)
		w.net.Serve("slow.contoso.com", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			for { // ignores that the clock was stopped
				_ = w.clock.Sleep(r.Context(), time.Hour, "handler")
			}
		}))
		nic := w.nic("pc-1")
		w.clock.Go(context.Background(), "pc-1", func(ctx context.Context) {
			_, _, _ = get(ctx, nic.Client(vnet.ClientOptions{}), "https://slow.contoso.com/") // is unwound
		})
		w.Expect(w.clock.Run(context.Background(), start.Add(time.Minute))).To(Succeed())
		w.clock.Stop()
		nic.CloseIdle()
	})
}
