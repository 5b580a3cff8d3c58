package vnet_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
)

// scripted is a server that does with each connection what the test says, in
// turn; its name is peer.contoso.com, and a card can reach it.
func scripted(t *testing.T, each ...func(net.Conn, *bufio.Reader)) *vnet.NIC {
	t.Helper()
	g := NewWithT(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	g.Expect(err).NotTo(HaveOccurred())
	var served sync.WaitGroup
	served.Go(func() {
		for _, f := range each {
			c, err := l.Accept()
			if err != nil {
				return
			}
			f(c, bufio.NewReader(c))
			c.Close()
		}
	})
	clock := vclock.NewWall()
	n := vnet.New(clock, vnet.Options{Seed: seed})
	g.Expect(n.Forward("peer.contoso.com", vnet.Forward{HTTP: l.Addr().String()})).To(Succeed())
	t.Cleanup(func() { n.Close(); clock.Stop(); l.Close(); served.Wait() })
	return n.Attach(vnet.NICOptions{Device: "PC-1"})
}

func utters(text string) func(net.Conn, *bufio.Reader) {
	return func(c net.Conn, in *bufio.Reader) {
		if r, err := http.ReadRequest(in); err == nil {
			_, _ = io.Copy(io.Discard, r.Body)
		}
		_, _ = io.WriteString(c, text)
	}
}

const fine = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"

// A server may close a connection that was kept; who comes back later must not
// take its end for an answer (RFC 9112 9.5), as Windows does not.
func TestForwardedConnectionsThatTheServerClosedAreNotReused(t *testing.T) {
	g := NewWithT(t)
	closed := make(chan struct{})
	nic := scripted(t, utters(fine), func(c net.Conn, in *bufio.Reader) { close(closed); utters(fine)(c, in) }, utters(fine))
	client := nic.Client(vnet.ClientOptions{})
	for range 3 {
		_, body, err := get(t.Context(), client, "http://peer.contoso.com/")
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(body).To(Equal("fine"))
		g.Eventually(nic.Standing).WithTimeout(10*time.Second).Should(BeZero(), "the server's end of it is seen")
	}
	<-closed
}

func TestForwardedPeersThatMisbehave(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		code   hresult.Code
		status int
	}{
		"closes without a word":   {"", hresult.InternetAborted, 0},
		"breaks off in a header":  {"HTTP/1.1 200 OK\r\nContent-Le", hresult.InternetAborted, 0},
		"breaks off in the body":  {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", hresult.InternetAborted, 0},
		"speaks no HTTP":          {"220 smtp.contoso.com ESMTP\r\n\r\n", hresult.InternetAborted, 0},
		"is throttled":            {"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", hresult.OK, http.StatusTooManyRequests},
		"answers more than fits":  {"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", hresult.InternetAborted, 0},
		"sends an endless header": {"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 11<<20) + "\r\n\r\n", hresult.InternetAborted, 0},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			nic := scripted(t, utters(c.answer))
			status, _, err := get(t.Context(), nic.Client(vnet.ClientOptions{}), "http://peer.contoso.com/")
			if c.status != 0 {
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(status).To(Equal(c.status))
				return
			}
			g.Expect(err).To(HaveOccurred())
			g.Expect(vnet.ErrorCode(err)).To(Equal(c.code), err.Error())
		})
	}
}

// What is under way when the link goes down ends there and then, however long
// the server takes.
func TestForwardedExchangesEndWithTheLink(t *testing.T) {
	g := NewWithT(t)
	asked, over := make(chan struct{}), make(chan struct{})
	nic := scripted(t, func(_ net.Conn, in *bufio.Reader) {
		_, _ = http.ReadRequest(in)
		close(asked)
		<-over
	})
	go func() { <-asked; nic.Down() }()
	_, _, err := get(t.Context(), nic.Client(vnet.ClientOptions{}), "http://peer.contoso.com/")
	close(over)
	g.Expect(vnet.ErrorCode(err)).To(Equal(hresult.InternetAborted), "%v", err)
}
