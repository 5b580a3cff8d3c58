package vnet_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/vnet"
)

func TestGatewayFaults(t *testing.T) {
	w := newOutside(t, vnet.GatewayOptions{})
	c := w.client()
	get := func(path string) (int, http.Header, string, error) {
		resp, err := c.Get("https://login.contoso.com" + path)
		if err != nil {
			return 0, nil, "", err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		return resp.StatusCode, resp.Header, string(body), err
	}
	on := func(path string, a fault.Action) []fault.Rule {
		return []fault.Rule{{Name: path, When: fault.When{Host: "login.*", Operation: "GET login.contoso.com" + path, Nth: 2}, Do: a}}
	}
	w.faults.Add(on("/busy", fault.Action{Status: 429, RetryAfter: 3 * time.Second})...)
	w.faults.Add(on("/bent", fault.Action{Corrupt: true})...)
	w.faults.Add(on("/short", fault.Action{Truncate: true})...)
	w.faults.Add(on("/gone", fault.Action{Drop: true})...)
	w.faults.Add(on("/refused", fault.Action{Refuse: true})...)
	for _, path := range []string{"/busy", "/bent", "/short", "/refused"} {
		status, _, body, err := get(path)
		w.Expect(err).NotTo(HaveOccurred())
		w.Expect(status).To(Equal(200))
		w.Expect(body).To(Equal("GET " + path + " "))
	}
	status, header, _, err := get("/busy")
	w.Expect(err).NotTo(HaveOccurred())
	w.Expect(status).To(Equal(429))
	w.Expect(header.Get("Retry-After")).To(Equal("3"))
	_, _, body, err := get("/bent")
	w.Expect(err).NotTo(HaveOccurred())
	w.Expect(body).NotTo(Equal("GET /bent "))
	w.Expect(body).To(HaveLen(len("GET /bent ")))
	_, _, body, err = get("/short")
	w.Expect(err).To(HaveOccurred(), "the body breaks off")
	w.Expect(body).To(Equal("GET /"))
	_, _, _, err = get("/refused")
	w.Expect(err).To(HaveOccurred())
	for _, path := range []string{"/busy", "/bent", "/short", "/refused"} {
		status, _, _, err := get(path)
		w.Expect(err).NotTo(HaveOccurred())
		w.Expect(status).To(Equal(200))
	}
	w.Expect(w.faults.Remove("/gone")).To(BeTrue())
	status, _, _, err = get("/gone")
	w.Expect(err).NotTo(HaveOccurred())
	w.Expect(status).To(Equal(200))
	w.Expect(w.exchanges()).To(ContainElements("GET login.contoso.com/busy 429", "GET login.contoso.com/refused 0"))
}

// TestGatewayDelaysByTheClock: a delay of an hour is over when the clock jumps.
func TestGatewayDelaysByTheClock(t *testing.T) {
	w := newOutside(t, vnet.GatewayOptions{Latency: time.Millisecond})
	w.faults.Add(fault.Rule{Name: "late", When: fault.When{Operation: "*late"}, Do: fault.Action{Delay: time.Hour}})
	for _, path := range []string{"/late", "/slow"} {
		done := make(chan error, 1)
		go func() {
			resp, err := w.client().Get("https://login.contoso.com" + path)
			if err == nil {
				resp.Body.Close()
			}
			done <- err
		}()
		for waiting := true; waiting; {
			w.clock.Jump(30 * time.Minute)
			select {
			case err := <-done:
				w.Expect(err).NotTo(HaveOccurred())
				waiting = false
			case <-time.After(time.Millisecond):
			}
		}
	}
}

func TestGatewayOutlivesDefectsAndRudeClients(t *testing.T) {
	w := newOutside(t, vnet.GatewayOptions{MaxBody: 1000, MaxHeader: 4096, SlowHeader: 50 * time.Millisecond, SlowBody: 100 * time.Millisecond})
	resp, err := w.client().Get("https://login.contoso.com/panic")
	w.Expect(err).NotTo(HaveOccurred())
	w.Expect(resp.StatusCode).To(Equal(http.StatusInternalServerError))
	w.Expect(read(resp)).NotTo(ContainSubstring("secret"))
	w.Expect(w.events.Find(func(e journal.Event) bool { return e.Kind == vnet.Panicked })).To(HaveLen(1))

	resp, err = w.client().Post("https://login.contoso.com/", "text/plain", bytes.NewReader(make([]byte, 1001)))
	w.Expect(err).NotTo(HaveOccurred())
	w.Expect(resp.StatusCode).To(Equal(http.StatusRequestEntityTooLarge))
	resp.Body.Close()
	w.Expect(w.refusals()).To(ContainElement("body of at most 1000 bytes 413"))

	req, err := http.NewRequest("GET", "http://login.contoso.com/", nil)
	w.Expect(err).NotTo(HaveOccurred())
	req.Header.Set("X-Long", strings.Repeat("x", 10_000))
	resp, err = w.client().Do(req)
	w.Expect(err).NotTo(HaveOccurred())
	w.Expect(resp.StatusCode).To(Equal(http.StatusRequestHeaderFieldsTooLarge))
	resp.Body.Close()

	// Each of these is cut off, and none of them holds the gateway up.
	for name, begin := range map[string]string{
		"says nothing":         "",
		"never ends a header":  "GET / HTTP/1.1\r\nHost: login.contoso.com\r\nX-A",
		"never sends its body": "POST / HTTP/1.1\r\nHost: login.contoso.com\r\nContent-Length: 10\r\n\r\n12345",
		"speaks no HTTP":       "\x00\x01\x02\r\n\r\n",
	} {
		for _, address := range []string{w.g.HTTPAddr(), w.g.ProxyAddr(), w.g.TLSAddr()} {
			c := w.dial(address)
			_, err := c.Write([]byte(begin))
			w.Expect(err).NotTo(HaveOccurred())
			_, _ = io.ReadAll(c) // ends when the gateway has closed the connection
			w.Expect(c.Close()).To(Succeed(), name)
		}
	}
	resp, err = w.client().Get("https://login.contoso.com/")
	w.Expect(err).NotTo(HaveOccurred())
	w.Expect(resp.StatusCode).To(Equal(200))
	resp.Body.Close()
}
