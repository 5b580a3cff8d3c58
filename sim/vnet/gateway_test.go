package vnet_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"go.uber.org/goleak"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
)

// outside is a network with a gateway, and a client that goes through its proxy.
type outside struct {
	*GomegaWithT
	t      *testing.T
	clock  *vclock.Wall
	n      *vnet.Network
	g      *vnet.Gateway
	root   *pki.CA
	faults *fault.Injector
	events *journal.Memory
	slow   atomic.Int32 // requests that wait in /slow
}

func newECKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return key
}

func newOutside(t *testing.T, o vnet.GatewayOptions) *outside {
	t.Helper()
	w := &outside{GomegaWithT: NewWithT(t), t: t, clock: vclock.NewWall(), events: journal.NewMemory(0)}
	t.Cleanup(func() { goleak.VerifyNone(t) })
	root, err := vnet.NewRealRoot()
	w.Expect(err).NotTo(HaveOccurred())
	w.root, o.RealRoot = root, root
	j := journal.New(w.clock, w.events)
	w.faults = fault.New(seed, j, w.clock.Now(), nil)
	w.n = vnet.New(w.clock, vnet.Options{Seed: seed, Journal: j, Faults: w.faults})
	operation := vnet.Operation(func(r *http.Request) string { return r.Method + " " + r.URL.Hostname() + r.URL.Path })
	w.n.Serve("login.contoso.com", http.HandlerFunc(w.echo), operation)
	w.n.Serve("*.mdm.contoso.com", http.HandlerFunc(w.echo))
	w.n.Serve("certs.contoso.com", http.HandlerFunc(showCertificate), vnet.ClientCert(vnet.RequestClientCert))
	w.n.Serve("strict.contoso.com", http.HandlerFunc(showCertificate), vnet.ClientCert(vnet.RequireClientCert))
	w.n.Serve("dc.contoso.com", http.HandlerFunc(w.echo))
	w.n.DomainOnly("dc.*")
	w.g, err = w.n.Gateway(o)
	w.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		w.Expect(w.g.Close(ctx)).To(Succeed())
		w.clock.Stop()
	})
	return w
}

// echo answers what it was asked; /panic has a defect, /slow waits until the client is gone or an hour has passed.
func (w *outside) echo(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	switch r.URL.Path {
	case "/panic":
		panic("the secret of the handler")
	case "/slow":
		w.slow.Add(1)
		if err := w.clock.Sleep(r.Context(), time.Hour, "slow"); err != nil {
			return
		}
	}
	rw.Header().Set("X-Host", r.Host)
	_, _ = rw.Write([]byte(r.Method + " " + r.RequestURI + " " + string(body)))
}

func showCertificate(rw http.ResponseWriter, r *http.Request) {
	certs := vnet.PeerCertificates(r)
	if len(certs) == 0 {
		http.Error(rw, "who are you?", http.StatusForbidden)
		return
	}
	_, _ = rw.Write([]byte(certs[0].Subject.CommonName))
}

func (w *outside) transport() *http.Transport {
	proxy := &url.URL{Scheme: "http", Host: w.g.ProxyAddr()}
	tr := &http.Transport{Proxy: http.ProxyURL(proxy), ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: w.root.Pool()}}
	w.t.Cleanup(tr.CloseIdleConnections)
	return tr
}

func (w *outside) client() *http.Client { return &http.Client{Transport: w.transport()} }

// exchanges are what the journal has of them.
func (w *outside) exchanges() []string {
	var list []string
	for _, e := range w.events.Timeline("") {
		if e.Kind == "http.request" {
			list = append(list, e.Text("operation")+" "+e.Text("status"))
		}
	}
	return list
}

func (w *outside) refusals() []string {
	var list []string
	for _, e := range w.events.Timeline("") {
		if e.Kind == journal.Refused {
			list = append(list, e.Text("check")+" "+e.Text("code"))
		}
	}
	return list
}

func read(resp *http.Response) string {
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return string(b)
}

func TestGatewayServesRealClients(t *testing.T) {
	for name, h2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2.0": true} {
		t.Run(name, func(t *testing.T) {
			w := newOutside(t, vnet.GatewayOptions{})
			tr := w.transport()
			if !h2 {
				tr.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
				tr.ForceAttemptHTTP2 = false
			}
			c := &http.Client{Transport: tr}
			resp, err := c.Post("https://login.contoso.com/Common/OAuth2/../Token?a=b", "text/plain", strings.NewReader("hello"))
			w.Expect(err).NotTo(HaveOccurred())
			w.Expect(read(resp)).To(Equal("POST /Common/OAuth2/../Token?a=b hello"))
			w.Expect(resp.Proto).To(Equal(name))
			w.Expect(resp.Header.Get("X-Host")).To(Equal("login.contoso.com"))
			leaf := resp.TLS.PeerCertificates[0]
			w.Expect(leaf.PublicKey.(*ecdsa.PublicKey).Curve).To(Equal(elliptic.P256()))
			w.Expect(leaf.DNSNames).To(ConsistOf("login.contoso.com"))

			for _, host := range []string{"r.mdm.contoso.com", "FEF.MDM.Contoso.com", "a.b.mdm.contoso.com"} {
				resp, err = c.Get("https://" + host + "/")
				w.Expect(err).NotTo(HaveOccurred())
				w.Expect(read(resp)).To(Equal("GET / "))
			}
			resp, err = c.Head("https://login.contoso.com/")
			w.Expect(err).NotTo(HaveOccurred())
			w.Expect(resp.ContentLength).To(BeEquivalentTo(len("HEAD / ")))
			resp.Body.Close()
			w.Expect(w.exchanges()).To(HaveExactElements(
				"POST login.contoso.com/Common/OAuth2/../Token 200", "/ 200", "/ 200", "/ 200", "HEAD login.contoso.com/ 200"))
			w.Expect(w.g.Names()).To(HaveExactElements("*.mdm.contoso.com", "certs.contoso.com", "dc.contoso.com", "login.contoso.com", "strict.contoso.com"))
		})
	}
}

// TestGatewayAnswersPlainHTTP: through the proxy in absolute form, through CONNECT to port 80, and directly.
func TestGatewayAnswersPlainHTTP(t *testing.T) {
	w := newOutside(t, vnet.GatewayOptions{})
	resp, err := w.client().Get("http://login.contoso.com/x")
	w.Expect(err).NotTo(HaveOccurred())
	w.Expect(read(resp)).To(Equal("GET /x "))

	req, err := http.NewRequest("GET", "http://"+w.g.HTTPAddr()+"/y", nil)
	w.Expect(err).NotTo(HaveOccurred())
	req.Host = "login.contoso.com"
	direct := &http.Transport{}
	defer direct.CloseIdleConnections()
	resp, err = direct.RoundTrip(req)
	w.Expect(err).NotTo(HaveOccurred())
	w.Expect(read(resp)).To(Equal("GET /y "))
	req.Host = "login.fabrikam.com"
	resp, err = direct.RoundTrip(req)
	w.Expect(err).NotTo(HaveOccurred())
	w.Expect(resp.StatusCode).To(Equal(http.StatusMisdirectedRequest))
	w.Expect(read(resp)).To(ContainSubstring("login.fabrikam.com"))

	c := w.dial(w.g.ProxyAddr())
	_, err = c.Write([]byte("CONNECT login.contoso.com:80 HTTP/1.1\r\nHost: login.contoso.com:80\r\n\r\nGET /z HTTP/1.1\r\nHost: login.contoso.com\r\nConnection: close\r\n\r\n"))
	w.Expect(err).NotTo(HaveOccurred())
	all, err := io.ReadAll(c)
	w.Expect(err).NotTo(HaveOccurred())
	w.Expect(string(all)).To(HavePrefix("HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 200 OK\r\n"))
	w.Expect(string(all)).To(HaveSuffix("GET /z "))
}

func (w *outside) dial(address string) net.Conn {
	c, err := net.Dial("tcp", address)
	w.Expect(err).NotTo(HaveOccurred())
	w.t.Cleanup(func() { c.Close() })
	return c
}

func TestGatewayRefusesWhatItDoesNotServe(t *testing.T) {
	w := newOutside(t, vnet.GatewayOptions{})
	for _, target := range []string{
		"www.example.com:443", "mdm.contoso.com:443", "login.contoso.com.evil.com:443", "dc.contoso.com:443",
		"login.contoso.com:22", "login.contoso.com:8443", "127.0.0.1:443", "localhost:80", "[::1]:443",
	} {
		c := w.dial(w.g.ProxyAddr())
		_, err := c.Write([]byte("CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n\r\n"))
		w.Expect(err).NotTo(HaveOccurred())
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		w.Expect(err).NotTo(HaveOccurred())
		w.Expect(resp.StatusCode).To(Equal(http.StatusForbidden), target)
		w.Expect(read(resp)).To(And(ContainSubstring("Windtunnel"), ContainSubstring(target)), target)
	}
	w.Expect(w.refusals()).To(HaveEach("proxy serves the name 403"))
	_, err := w.client().Get("https://www.example.com/")
	w.Expect(err).To(MatchError(ContainSubstring("Forbidden")))
	resp, err := w.client().Get("http://www.example.com/")
	w.Expect(err).NotTo(HaveOccurred())
	w.Expect(resp.StatusCode).To(Equal(http.StatusForbidden))
	w.Expect(read(resp)).To(ContainSubstring("never connects"))
	resp, err = http.Get("http://" + w.g.ProxyAddr() + "/")
	w.Expect(err).NotTo(HaveOccurred())
	w.Expect(resp.StatusCode).To(Equal(http.StatusBadRequest))
	w.Expect(read(resp)).To(ContainSubstring("HTTPS_PROXY"))
	http.DefaultClient.CloseIdleConnections()

	// A tunnel without a name in TLS is for the name that it was asked for.
	c := w.dial(w.g.ProxyAddr())
	_, err = c.Write([]byte("CONNECT login.contoso.com:443 HTTP/1.1\r\nHost: login.contoso.com:443\r\n\r\n"))
	w.Expect(err).NotTo(HaveOccurred())
	_, err = http.ReadResponse(bufio.NewReader(c), nil)
	w.Expect(err).NotTo(HaveOccurred())
	silent := tls.Client(c, &tls.Config{InsecureSkipVerify: true})
	for host, status := range map[string]int{"login.contoso.com": 200, "strict.contoso.com": http.StatusMisdirectedRequest} {
		_, err = silent.Write([]byte("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n"))
		w.Expect(err).NotTo(HaveOccurred())
		resp, err = http.ReadResponse(bufio.NewReader(silent), nil)
		w.Expect(err).NotTo(HaveOccurred())
		read(resp)
		w.Expect(resp.StatusCode).To(Equal(status), host)
	}

	// In TLS: an unknown name, none at all, and a Host that the certificate is not for.
	for _, name := range []string{"www.example.com", ""} {
		_, err := tls.Dial("tcp", w.g.TLSAddr(), &tls.Config{ServerName: name, InsecureSkipVerify: true})
		w.Expect(err).To(MatchError(ContainSubstring("unrecognized name")))
	}
	req, err := http.NewRequest("GET", "https://login.contoso.com/", nil)
	w.Expect(err).NotTo(HaveOccurred())
	for _, host := range []string{"certs.contoso.com", "www.example.com"} {
		req.Host = host
		resp, err = w.client().Do(req)
		w.Expect(err).NotTo(HaveOccurred())
		w.Expect(resp.StatusCode).To(Equal(http.StatusMisdirectedRequest))
		w.Expect(read(resp)).To(ContainSubstring(host))
	}
}

func TestGatewayListensOnThisMachineOnly(t *testing.T) {
	g := NewWithT(t)
	clock := vclock.NewWall()
	defer clock.Stop()
	n := vnet.New(clock, vnet.Options{Seed: seed})
	root, err := vnet.NewRealRoot()
	g.Expect(err).NotTo(HaveOccurred())
	for _, address := range []string{"0.0.0.0:0", ":0", "192.0.2.1:0", "example.com:0", "nonsense"} {
		_, err := n.Gateway(vnet.GatewayOptions{RealRoot: root, ListenProxy: address})
		g.Expect(err).To(HaveOccurred(), address)
	}
	open, err := n.Gateway(vnet.GatewayOptions{RealRoot: root, ListenProxy: "0.0.0.0:0", AnyAddress: true})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(open.Close(t.Context())).To(Succeed())
	_, err = n.Gateway(vnet.GatewayOptions{})
	g.Expect(err).To(MatchError(ContainSubstring("no authority")))
	virtual := vnet.New(vclock.NewVirtual(vclock.Options{}), vnet.Options{})
	_, err = virtual.Gateway(vnet.GatewayOptions{RealRoot: root})
	g.Expect(err).To(MatchError(ContainSubstring("wall clock")))
	goleak.VerifyNone(t)
}

func TestGatewayProvesClientCertificates(t *testing.T) {
	w := newOutside(t, vnet.GatewayOptions{})
	key, wrong := newECKey(t), newECKey(t)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "PC-1"},
		NotAfter: vclock.RealNow().AddDate(1, 0, 0)}, &x509.Certificate{SerialNumber: big.NewInt(1)}, key.Public(), key)
	w.Expect(err).NotTo(HaveOccurred())
	with := func(k *ecdsa.PrivateKey) *http.Client {
		tr := w.transport()
		if k != nil {
			tr.TLSClientConfig.Certificates = []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: k}}
		}
		return &http.Client{Transport: tr}
	}
	for _, host := range []string{"certs.contoso.com", "strict.contoso.com"} {
		resp, err := with(key).Get("https://" + host + "/")
		w.Expect(err).NotTo(HaveOccurred())
		w.Expect(read(resp)).To(Equal("PC-1"))
		_, err = with(wrong).Get("https://" + host + "/")
		w.Expect(err).To(HaveOccurred(), "a certificate without its key")
	}
	resp, err := with(nil).Get("https://certs.contoso.com/")
	w.Expect(err).NotTo(HaveOccurred())
	w.Expect(resp.StatusCode).To(Equal(http.StatusForbidden))
	resp.Body.Close()
	_, err = with(nil).Get("https://strict.contoso.com/")
	w.Expect(err).To(HaveOccurred())
	resp, err = with(key).Get("https://login.contoso.com/")
	w.Expect(err).NotTo(HaveOccurred(), "a service that does not ask does not mind")
	resp.Body.Close()
}

// TestGatewaySwitches puts another network behind the same listeners.
func TestGatewaySwitches(t *testing.T) {
	w := newOutside(t, vnet.GatewayOptions{})
	other := vnet.New(w.clock, vnet.Options{Seed: seed})
	other.Serve("new.contoso.com", http.HandlerFunc(hello))
	c := w.client()
	resp, err := c.Get("https://login.contoso.com/")
	w.Expect(err).NotTo(HaveOccurred())
	resp.Body.Close()
	w.Expect(w.g.Replace(t.Context(), func() (*vnet.Network, error) { return other, nil })).To(Succeed())
	w.Expect(w.g.Names()).To(HaveExactElements("new.contoso.com"))
	resp, err = c.Get("https://new.contoso.com/")
	w.Expect(err).NotTo(HaveOccurred())
	w.Expect(resp.StatusCode).To(Equal(200))
	resp.Body.Close()
	resp, err = c.Get("https://login.contoso.com/") // on the connection that stands
	w.Expect(err).NotTo(HaveOccurred())
	w.Expect(resp.StatusCode).To(Equal(http.StatusMisdirectedRequest))
	resp.Body.Close()
}

// TestGatewayHoldsExchangesWhileItReplaces: none is answered by halves.
func TestGatewayHoldsExchangesWhileItReplaces(t *testing.T) {
	w := newOutside(t, vnet.GatewayOptions{})
	get := func(path string) chan error {
		done := make(chan error, 1)
		go func() {
			resp, err := w.client().Get("https://login.contoso.com" + path)
			if err == nil {
				resp.Body.Close()
			}
			done <- err
		}()
		return done
	}
	under := get("/slow")
	w.Eventually(w.slow.Load).Should(BeEquivalentTo(1))
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	var held chan error
	w.Expect(w.g.Replace(ctx, func() (*vnet.Network, error) {
		w.Expect(ctx.Err()).To(HaveOccurred(), "it has waited")
		held = get("/")
		w.Consistently(held, "50ms").ShouldNot(Receive())
		return w.n, nil
	})).To(Succeed())
	w.Eventually(held).Should(Receive(BeNil()))
	w.clock.Jump(2 * time.Hour)
	w.Eventually(under).Should(Receive(HaveOccurred()), "it was given up, whatever it answers")
	w.Expect(w.g.Replace(t.Context(), func() (*vnet.Network, error) { return w.n, nil })).To(Succeed(), "nobody is inside")
	w.Eventually(get("/")).Should(Receive(BeNil()))
}

// TestGatewayCloses lets an exchange under way end, and no longer than it is given.
func TestGatewayCloses(t *testing.T) {
	w := newOutside(t, vnet.GatewayOptions{})
	began := make(chan error, 1)
	go func() {
		_, err := w.client().Get("https://login.contoso.com/slow")
		began <- err
	}()
	w.Eventually(w.slow.Load).Should(BeEquivalentTo(1))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w.Expect(w.g.Close(ctx)).To(MatchError(context.Canceled))
	w.Expect(<-began).To(HaveOccurred())
}
