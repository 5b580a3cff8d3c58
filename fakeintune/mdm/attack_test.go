package mdm_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/wire/syncml"
)

var update = flag.Bool("update", false, "write the golden files")

// What nobody who keeps to the protocol sends is refused by its check, changes
// nothing and tells nothing.
func TestAttacks(t *testing.T) {
	valid := func(p *pc) []byte {
		l := p.line("s")
		m := &syncml.Message{Final: true, Commands: l.open(), Header: syncml.Header{SessionID: "s", MsgID: 1, Source: p.id, Target: address}}
		m.Number()
		return m.Encode()
	}
	with := func(p *pc, change func(h *syncml.Header)) []byte {
		m, err := syncml.Decode(valid(p))
		if err != nil {
			t.Fatal(err)
		}
		change(&m.Header)
		return m.Encode()
	}
	for _, tc := range []struct {
		name    string
		body    func(p *pc) []byte
		content string
		status  int
		check   string
	}{
		{"XML that says it is WBXML", valid, "application/vnd.syncml.dm+wbxml", 400, "message format"},
		{"WBXML cut short", func(*pc) []byte { return []byte{0x02, 0xA4, 0x01, 0x6A, 0x00, 0x6D} }, "application/vnd.syncml.dm+wbxml", 400, "message format"},
		{"another type", valid, "text/xml", 415, "content type"},
		{"another encoding", valid, "application/vnd.syncml.dm+xml; charset=utf-16", 415, "content type"},
		{"no type at all", valid, ";;", 415, "content type"},
		{"empty", func(*pc) []byte { return nil }, "", 400, "message format"},
		{"truncated", func(p *pc) []byte { b := valid(p); return b[:len(b)-20] }, "", 400, "message format"},
		{"something after it", func(p *pc) []byte { return append(valid(p), valid(p)...) }, "", 400, "message format"},
		{"too large", func(p *pc) []byte { return append(valid(p), bytes.Repeat([]byte(" "), syncml.MaxBytes)...) }, "", 413, "message length"},
		{"deep", func(p *pc) []byte {
			return bytes.Replace(valid(p), []byte("<SyncBody>"), []byte("<SyncBody>"+strings.Repeat("<Atomic>", 5000)), 1)
		}, "", 400, "message format"},
		{"entity expansion", func(p *pc) []byte {
			return append([]byte(`<!DOCTYPE SyncML [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>`),
				bytes.Replace(valid(p), []byte("Contoso"), []byte("&b;&c;"), 1)...)
		}, "", 400, "message format"},
		{"another version", func(p *pc) []byte { return bytes.Replace(valid(p), []byte("DM/1.2"), []byte("DM/9.9"), 1) }, "", 400, "message format"},
		{"another namespace", func(p *pc) []byte {
			return bytes.Replace(valid(p), []byte("SYNCML:SYNCML1.2"), []byte("SYNCML:SYNCML9"), 1)
		}, "", 400, "message format"},
		{"no session", func(p *pc) []byte { return with(p, func(h *syncml.Header) { h.SessionID = "" }) }, "", 400, "session id"},
		{"message 0", func(p *pc) []byte { return with(p, func(h *syncml.Header) { h.MsgID = 0 }) }, "", 400, "session state"},
		{"a number that is none", func(p *pc) []byte {
			return bytes.Replace(valid(p), []byte("<MsgID>1<"), []byte("<MsgID>99999999999999999999<"), 1)
		}, "", 400, "message format"},
		{"no room for an answer", func(p *pc) []byte { return with(p, func(h *syncml.Header) { h.MaxMsgSize = 10 }) }, "", 400, "MaxMsgSize"},
		{"another device", func(p *pc) []byte {
			return with(p, func(h *syncml.Header) { h.Source = "00000000-0000-4000-8000-000000000000" })
		}, "", 403, "SyncHdr source"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g, w := NewWithT(t), newWorld(t)
			p := w.managed("one")
			before := fmt.Sprintf("%+v", p.device())
			events := len(w.ended)
			header := http.Header{}
			if tc.content != "" {
				header.Set("Content-Type", tc.content)
			}
			rec := w.With(p.cert, w.h, http.MethodPost, address, header, tc.body(p))
			g.Expect(rec.Code).To(Equal(tc.status))
			g.Expect(rec.Body.String()).To(Equal(tc.check + "\n"))
			g.Expect(w.Refusals()).To(ConsistOf(tc.check + " " + http.StatusText(tc.status)))
			g.Expect(fmt.Sprintf("%+v", p.device())).To(Equal(before))
			g.Expect(w.ended).To(HaveLen(events))
			g.Expect(p.sync(scheduled, "")).To(Equal(200), "the device itself goes on")
		})
	}
}

// Unknown elements and attributes are passed over.
func TestUnknownElements(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	p := w.managed("one")
	l := p.line("s")
	m := &syncml.Message{Final: true, Commands: l.open(), Header: syncml.Header{SessionID: "s", MsgID: 1, Source: p.id, Target: address}}
	m.Number()
	body := bytes.Replace(m.Encode(), []byte("<SyncBody>"), []byte(`<Vendor a="1"><x/></Vendor><SyncBody xmlns:msft="http://schemas.microsoft.com/MobileDevice/MDM">`), 1)
	g.Expect(w.With(p.cert, w.h, http.MethodPost, address, nil, body).Code).To(Equal(200))
}

// A session is the certificate's: nobody continues another's, nor one's own
// twice.
func TestSessionsAreNotShared(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	one, two := w.enroll(tenant.EnrolledByUser, "one"), w.enroll(tenant.EnrolledByUser, "two")
	l := one.line("s")
	m := l.say(true, l.open()...)

	other := two.line("s")
	other.msg = 1
	g.Expect(other.say(true)).To(BeNil(), "the id of another device's session opens nothing")
	g.Expect(other.status).To(Equal(400))

	status := syncml.StatusFor(m, &m.Commands[len(m.Commands)-1], syncml.OK)
	g.Expect(l.say(true, status)).NotTo(BeNil())
	l.msg--
	g.Expect(l.say(true, status)).To(BeNil(), "a replayed message")
	g.Expect(l.status).To(Equal(400))
	l.session = "t"
	g.Expect(l.say(true)).To(BeNil(), "another session's id")
	g.Expect(l.status).To(Equal(400))
	g.Expect(w.Refusals()).To(HaveLen(3))
}

// A package that never ends is not kept.
func TestEndlessPackage(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	l := w.managed("one").line("s")
	l.say(false, l.open()...)
	junk := syncml.NewAlert(syncml.AlertGeneric, "org.example.junk", strings.Repeat("x", 1<<20))
	for range 6 {
		l.say(false, junk)
	}
	g.Expect(l.status).To(Equal(400))
	g.Expect(w.Refusals()).To(ContainElement("package length Request Entity Too Large"))
}

// The messages of a first session stand as they always were, and xmllint and
// libwbxml take them for what they are.
func TestMessagesOfAFirstSession(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	p := w.enroll(tenant.EnrolledWhiteGlove, "one")
	l := p.line("1")
	var all bytes.Buffer
	reply := l.say(true, l.open()...)
	for n := 1; ; n++ {
		text := reply.Encode()
		all.Write(text)
		all.WriteByte('\n')
		file := filepath.Join(t.TempDir(), fmt.Sprintf("%d.xml", n))
		g.Expect(os.WriteFile(file, text, 0o600)).To(Succeed())
		out, err := exec.Command("xmllint", "--nonet", "--noout", file).CombinedOutput()
		g.Expect(err).NotTo(HaveOccurred(), string(out))
		g.Expect(strict(text)).To(Succeed())
		if reply.EndsSession() {
			break
		}
		var answers []syncml.Command
		for i := range reply.Commands {
			if c := &reply.Commands[i]; c.Verb != syncml.Status {
				answers = append(answers, syncml.StatusFor(reply, c, syncml.OK))
			}
		}
		reply = l.say(true, answers...)
	}
	// Keys and salts of the certificate's file are drawn by its library.
	text := regexp.MustCompile(`(PFXCertBlob</LocURI></Target><Meta><Format xmlns="syncml:metinf">chr</Format></Meta><Data>)[^<]*`).ReplaceAll(all.Bytes(), []byte("$1..."))
	golden := filepath.Join("testdata", "first-session.xml")
	if *update {
		g.Expect(os.MkdirAll("testdata", 0o755)).To(Succeed())
		g.Expect(os.WriteFile(golden, text, 0o644)).To(Succeed())
	}
	want, err := os.ReadFile(golden)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(text)).To(Equal(string(want)))
}

// Of two equal messages that come at once, one is answered.
func TestMessagesAtOnce(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	l := w.enroll(tenant.EnrolledByUser, "one").line("s")
	m := l.say(true, l.open()...)
	again := &syncml.Message{Final: true, Header: syncml.Header{SessionID: "s", MsgID: 2, Source: l.id, Target: address}}
	again.Append(syncml.HeaderStatus(m, syncml.OK))
	again.Number()
	results := make(chan int, 8)
	for range cap(results) {
		go func() {
			r := httptest.NewRequest(http.MethodPost, address, bytes.NewReader(again.Encode()))
			r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{l.cert}}
			rec := httptest.NewRecorder()
			w.h.ServeHTTP(rec, r)
			results <- rec.Code
		}()
	}
	good := 0
	for range cap(results) {
		if <-results == 200 {
			good++
		}
	}
	g.Expect(good).To(Equal(1))
}
