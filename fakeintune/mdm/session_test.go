package mdm_test

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/mdm"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/syncml"
)

// line is a session that a test leads message by message.
type line struct {
	*pc
	session string
	msg     int
	status  int // of the last answer
	header  http.Header
}

func (p *pc) line(session string) *line { return &line{pc: p, session: session, header: http.Header{}} }

// say sends a message with the header's status in front, unless it is the
// first, and gives the server's.
func (l *line) say(final bool, commands ...syncml.Command) *syncml.Message {
	l.w.T.Helper()
	l.msg++
	m := &syncml.Message{Final: final, Header: syncml.Header{SessionID: l.session, MsgID: l.msg, Source: l.id, Target: address}}
	if l.msg > 1 {
		m.Append(syncml.HeaderStatus(&syncml.Message{Header: syncml.Header{MsgID: l.msg - 1}}, syncml.OK))
	}
	m.Append(commands...)
	return l.send(m)
}

func (l *line) send(m *syncml.Message) *syncml.Message {
	l.w.T.Helper()
	m.Number()
	rec := l.w.With(l.cert, l.w.h, http.MethodPost, address, l.header, m.Encode())
	if l.status = rec.Code; rec.Code != http.StatusOK {
		return nil
	}
	out, err := syncml.Decode(rec.Body.Bytes())
	if err != nil {
		l.w.T.Fatal(err)
	}
	first := out.Commands[0]
	if first.Verb != syncml.Status || first.Ref != (syncml.Ref{Msg: m.Header.MsgID, Verb: syncml.SyncHdr}) {
		l.w.T.Errorf("the first command is %+v, not the header's status", first)
	}
	last := 0
	for _, c := range out.Commands[1:] {
		if c.Verb == syncml.Status {
			if c.Ref.Msg != m.Header.MsgID || c.Ref.Cmd <= last {
				l.w.T.Errorf("status of %+v after that of command %d", c.Ref, last)
			}
			last = c.Ref.Cmd
		}
	}
	return out
}

// open are the commands of package 1.
func (l *line) open(alerts ...syncml.Command) []syncml.Command {
	init := scheduled
	init.DevInfo = syncml.DevInfo{DevID: l.id, Man: "Contoso", Mod: "Aero", DmV: "1.3", Lang: "en-US"}
	return append(init.Message().Commands, alerts...)
}

func codes(m *syncml.Message) []int {
	var out []int
	for _, c := range m.Commands {
		if c.Verb == syncml.Status {
			out = append(out, c.Code)
		}
	}
	return out
}

func asks(m *syncml.Message, code int) bool {
	for _, c := range m.Commands {
		if c.Verb == syncml.Alert && c.Code == code {
			return true
		}
	}
	return false
}

// managed is a device that has everything.
func (w *world) managed(name string) *pc {
	w.T.Helper()
	p := w.enroll(tenant.EnrolledByUser, name)
	p.sync(bootstrap, "")
	p.sync(scheduled, "")
	return p
}

func TestStatusesOfWhatADeviceSends(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	l := w.managed("one").line("s")
	quiet := syncml.NewGet("./DevInfo/Man")
	quiet.NoResp = true
	m := l.say(true, l.open(
		syncml.NewAlert(syncml.AlertGeneric, "org.example.news", "1"), syncml.NewAlert(1299, "", ""), // of no such code
		syncml.NewGet("./DevInfo/Man"), syncml.NewExec("./x", "", ""), syncml.NewAtomic(syncml.NewDelete("./x")), quiet,
		syncml.NewSet(syncml.Replace, "./Vendor/MSFT/Policy/Config/A/B", syncml.Int, "1"), syncml.Command{Verb: "Copy"}, syncml.Command{Verb: "Search"})...)
	g.Expect(codes(m)).To(Equal([]int{200, 200, 200, 200, 200, 406, 405, 405, 405, 405, 406, 406}))
	g.Expect(m.EndsSession()).To(BeTrue())
}

// The device's own package may take several messages.
func TestPackageInSeveralMessages(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	p := w.enroll(tenant.EnrolledByUser, "one")
	l := p.line("s")
	first := l.open()
	m := l.say(false, first[:2]...)
	g.Expect(asks(m, syncml.AlertNextMessage)).To(BeTrue())
	g.Expect(m.Final).To(BeFalse())
	g.Expect(m.EndsSession()).To(BeFalse())
	m = l.say(true, first[2:]...)
	g.Expect(m.EndsSession()).To(BeFalse())
	g.Expect(m.Commands).To(ContainElement(HaveField("Verb", syncml.Replace)), "now that it is whole, the server sends what is due")
	g.Expect(p.device().DeviceSent).To(BeFalse())
}

// Digest (MD5): no credentials 407, wrong ones 401, each with a challenge;
// right ones 212, and the next session's nonce.
func TestDigest(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	p := w.managed("one")
	w.h.Credentials = func(tenant.ManagedDevice) mdm.Credentials {
		return mdm.Credentials{Scheme: syncml.AuthMD5, User: "device", Secret: "s3cret"}
	}
	l := p.line("s")
	nonce := func(m *syncml.Message) []byte {
		g.Expect(m.Commands[0].Challenge).NotTo(BeNil())
		g.Expect(m.Commands[0].Challenge.Type).To(Equal(syncml.AuthMD5))
		b, err := base64.StdEncoding.DecodeString(m.Commands[0].Challenge.NextNonce)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(b).To(HaveLen(16))
		return b
	}
	try := func(cred *syncml.Cred) *syncml.Message {
		l.msg++
		return l.send(&syncml.Message{Final: true, Commands: l.open(), Header: syncml.Header{SessionID: "s", MsgID: l.msg, Source: p.id, Target: address, Cred: cred}})
	}
	m := try(nil)
	g.Expect(codes(m)).To(HaveEach(407))
	g.Expect(m.EndsSession()).To(BeTrue(), "nothing but statuses")
	first := nonce(m)
	m = try(syncml.DigestCred("device", "wrong", first))
	g.Expect(codes(m)).To(HaveEach(401))
	second := nonce(m)
	g.Expect(second).NotTo(Equal(first))
	good := syncml.DigestCred("device", "s3cret", second)
	m = try(good)
	g.Expect(codes(m)).To(Equal([]int{212, 200, 200, 200}))
	third := nonce(m)
	g.Expect(w.Refusals()).To(Equal([]string{"credentials 401 Invalid credentials"}))

	// What was good once is not good again.
	l = p.line("s")
	g.Expect(codes(try(good))).To(HaveEach(401))
	l = p.line("s")
	g.Expect(codes(try(nil))).To(HaveEach(407))
	g.Expect(codes(try(syncml.DigestCred("device", "s3cret", third)))).To(HaveEach(401), "that nonce was for the session before")
	g.Expect(codes(try(nil))).To(HaveEach(407))
	try(nil)
	g.Expect(l.status).To(Equal(400), "the session is over after three tries")
}

// A nonce is used up by the first message that has its digest, even by one that
// is refused for something else.
func TestDigestOfARefusedMessage(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	p := w.managed("one")
	w.h.Credentials = func(tenant.ManagedDevice) mdm.Credentials {
		return mdm.Credentials{Scheme: syncml.AuthMD5, User: "device", Secret: "s3cret"}
	}
	l := p.line("s")
	message := func(n int, cred *syncml.Cred) *syncml.Message {
		m := &syncml.Message{Final: true, Commands: l.open(), Header: syncml.Header{SessionID: "s", MsgID: n, Source: p.id, Target: address, Cred: cred}}
		m.Number()
		return m
	}
	nonce, err := base64.StdEncoding.DecodeString(l.send(message(1, nil)).Commands[0].Challenge.NextNonce)
	g.Expect(err).NotTo(HaveOccurred())
	good := message(2, syncml.DigestCred("device", "s3cret", nonce))
	rec := w.With(p.cert, w.h, http.MethodPost, address, http.Header{"Authorization": {"Bearer forged"}}, good.Encode())
	g.Expect(rec.Code).To(Equal(401))
	again := l.send(good)
	g.Expect(codes(again)).To(HaveEach(401))
}

func TestBasic(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	p := w.managed("one")
	w.h.Credentials = func(tenant.ManagedDevice) mdm.Credentials {
		return mdm.Credentials{Scheme: syncml.AuthBasic, User: "device", Secret: "s3cret"}
	}
	l := p.line("s")
	for n, tc := range []struct {
		cred *syncml.Cred
		want int
	}{{nil, 407}, {syncml.DigestCred("device", "s3cret", nil), 401}, {syncml.BasicCred("device", "s3cret"), 212}} {
		l.msg = n + 1
		m := l.send(&syncml.Message{Final: true, Commands: l.open(), Header: syncml.Header{SessionID: "s", MsgID: l.msg, Source: p.id, Target: address, Cred: tc.cred}})
		g.Expect(m.Commands[0].Code).To(Equal(tc.want))
	}
}

// A device that gives up (alert 1223) has its session ended, and nothing is
// said to be complete.
func TestAbort(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	p := w.enroll(tenant.EnrolledByUser, "one")
	l := p.line("s")
	g.Expect(l.say(true, l.open()...).EndsSession()).To(BeFalse())
	g.Expect(l.say(true, syncml.NewAlert(syncml.AlertSessionAbort, "", "")).EndsSession()).To(BeTrue())
	g.Expect(p.device().DeviceSent).To(BeFalse())
	g.Expect(w.ended).To(HaveLen(1))
	g.Expect(l.say(true)).To(BeNil())
	g.Expect(l.status).To(Equal(400))
}

func TestUserEndsTheEnrolment(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	p := w.managed("one")
	l := p.line("s")
	g.Expect(l.say(true, syncml.UnenrolmentAlert()).EndsSession()).To(BeTrue(), "the sample has nothing but the alert")
	_, err := w.Tenant.Device(p.id)
	g.Expect(err).To(MatchError(tenant.ErrNotFound))
	g.Expect(w.Directory.Managed).To(HaveKeyWithValue("dev-one", false))
	g.Expect(p.sync(scheduled, "")).To(Equal(403), "its certificate is nobody's any more")
}

// What was accepted with 202 ends by an alert.
func TestAsynchronousResults(t *testing.T) {
	for _, tc := range []struct {
		code int
		data string
		want int
	}{{syncml.AlertGeneric, "0", 70}, {syncml.AlertClientEvent, "0", 70}, {syncml.AlertGeneric, "-2147023293", 60}} {
		g, w := NewWithT(t), newWorld(t)
		p := w.enroll(tenant.EnrolledByUser, "one")
		p.sync(bootstrap, "")
		result := syncml.NewAlert(tc.code, syncml.TypeInstallResult, tc.data)
		result.Items[0].Source = "./Device/Vendor/MSFT/EnterpriseDesktopAppManagement/MSI/%7B11111111-0000-4000-8000-000000000001%7D/DownloadInstall"
		l := p.line("s")
		m := l.say(true, l.open(result)...)
		g.Expect(find(m, agentGet).Verb).To(Equal(syncml.Get), "that one has not said anything")
		apps := p.device().Apps
		g.Expect(apps).To(HaveLen(1))
		g.Expect(apps[0].State).To(Equal(tc.want))
	}
}

const agentGet = "./Device/Vendor/MSFT/EnterpriseDesktopAppManagement/MSI/%7B5E9F4F3A-61A1-4E1B-9C53-0A8D4C6E2B71%7D/Status"

// A setting that is not assigned any more is deleted; an app stays.
func TestSettingsAreRemoved(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	p := w.managed("one")
	const uri = "./Device/Vendor/MSFT/Policy/Config/Browser/AllowPopups"
	for _, c := range w.Tenant.Configurations().List() {
		w.Do(func(ctx context.Context) { g.Expect(w.Tenant.Configurations().Delete(ctx, c.ID)).To(Succeed()) })
	}
	for _, a := range w.Tenant.Apps().List() {
		w.Do(func(ctx context.Context) { g.Expect(w.Tenant.Apps().Delete(ctx, a.ID)).To(Succeed()) })
	}
	g.Expect(p.device().Settings).NotTo(BeEmpty())
	g.Expect(p.sync(scheduled, "")).To(Equal(200))
	g.Expect(p.order).To(ContainElement("Delete " + uri))
	g.Expect(p.order).To(HaveLen(3), "two policies and a certificate: %v", p.order)
	g.Expect(p.order).NotTo(ContainElement(ContainSubstring("MSI")))
	g.Expect(p.device().Settings).To(BeEmpty())
	p.sync(scheduled, "")
	g.Expect(p.order).To(BeEmpty())
}

func TestActions(t *testing.T) {
	for _, tc := range []struct {
		action tenant.Action
		want   string // command; "" none
		gone   bool
	}{
		{tenant.Action{Name: tenant.ActionSync}, "", false},
		{tenant.Action{Name: tenant.ActionReboot}, "Exec ./Device/Vendor/MSFT/Reboot/RebootNow", false},
		{tenant.Action{Name: tenant.ActionWipe}, "Exec ./Device/Vendor/MSFT/RemoteWipe/doWipe", true},
		{tenant.Action{Name: tenant.ActionWipe, KeepEnrollmentData: true, KeepUserData: true}, "Exec ./Device/Vendor/MSFT/RemoteWipe/doWipePersistUserData", false},
		{tenant.Action{Name: tenant.ActionRetire}, "Exec ./Device/Vendor/MSFT/DMClient/Provider/MS%20DM%20Server/Unenroll", true},
		{tenant.Action{Name: tenant.ActionClean}, "Exec ./Device/Vendor/MSFT/CleanPC/CleanPCWithoutRetainingUserData", false},
		{tenant.Action{Name: tenant.ActionClean, KeepUserData: true}, "Exec ./Device/Vendor/MSFT/CleanPC/CleanPCRetainingUserData", false},
		{tenant.Action{Name: tenant.ActionRotateKeys}, "Exec ./Device/Vendor/MSFT/BitLocker/RotateRecoveryPasswords", false},
		{tenant.Action{Name: tenant.ActionRotatePassword}, "Exec ./Device/Vendor/MSFT/LAPS/Actions/ResetPassword", false},
		{tenant.Action{Name: tenant.ActionAutopilotReset}, "Exec ./Device/Vendor/MSFT/RemoteWipe/AutomaticRedeployment/doAutomaticRedeployment", false},
	} {
		g, w := NewWithT(t), newWorld(t)
		p := w.managed("one")
		queue := func() {
			w.Do(func(ctx context.Context) {
				_, err := w.Tenant.Queue(ctx, p.id, tc.action)
				g.Expect(err).NotTo(HaveOccurred())
			})
		}
		if tc.want != "" { // a device that does not know the node
			queue()
			l := p.line("s")
			m := l.say(true, l.open()...)
			uri := strings.TrimPrefix(tc.want, "Exec ")
			g.Expect(find(m, uri).Verb).To(Equal(syncml.Exec))
			g.Expect(p.device().Actions[0].State).To(Equal(graph.ActionActive))
			g.Expect(l.say(true, syncml.StatusFor(m, find(m, uri), syncml.NotFound)).EndsSession()).To(BeTrue())
			g.Expect(p.device().Actions[0].State).To(Equal(graph.ActionFailed))
		}
		queue()
		g.Expect(p.sync(scheduled, "")).To(Equal(200))
		_, err := w.Tenant.Device(p.id)
		if tc.gone {
			g.Expect(err).To(MatchError(tenant.ErrNotFound))
			g.Expect(p.sync(scheduled, "")).To(Equal(403))
			continue
		}
		if tc.want != "" {
			g.Expect(p.order).To(ConsistOf(tc.want))
		}
		g.Expect(p.device().Actions[0].State).To(Equal(graph.ActionDone))
		p.sync(scheduled, "")
		g.Expect(p.order).To(BeEmpty())
	}
}

// The headers of a session are read and change nothing that they should not.
func TestHeaders(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	p := w.managed("one")
	l := p.line("s")
	l.header = http.Header{"Useragentorigin": {"3"}, "Ms-Cv": {"abc.1"}, "Client-Request-Id": {p.id}, "Content-Type": {syncml.ContentType}, "Ms-Signature": {"AAAA"}}
	l.say(true, l.open()...)
	g.Expect(w.ended[len(w.ended)-1].Origin).To(Equal(3))
	for query, want := range map[string]int{"?mode=Maintenance&Platform=WoA": 200, "?mode=Machine&Platform=WoA": 200, "?mode=machine": 200, "": 200, "?mode=Other": 400} {
		m := &syncml.Message{Final: true, Commands: l.open(), Header: syncml.Header{SessionID: "q", MsgID: 1, Source: p.id, Target: address}}
		m.Number()
		to, _, _ := strings.Cut(address, "?")
		g.Expect(w.With(p.cert, w.h, http.MethodPost, to+query, nil, m.Encode()).Code).To(Equal(want), query)
	}
}

// A device that speaks WBXML is answered in it.
func TestWBXML(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	p := w.enroll(tenant.EnrolledByUser, "one")
	m := &syncml.Message{Final: true, Commands: p.line("s").open(), Header: syncml.Header{SessionID: "s", MsgID: 1, Source: p.id, Target: address}}
	m.Number()
	body, err := m.EncodeWBXML()
	g.Expect(err).NotTo(HaveOccurred())
	rec := w.With(p.cert, w.h, http.MethodPost, address, http.Header{"Content-Type": {syncml.ContentTypeWBXML}}, body)
	g.Expect(rec.Code).To(Equal(200))
	g.Expect(rec.Header().Get("Content-Type")).To(Equal(syncml.ContentTypeWBXML))
	reply, err := syncml.DecodeWBXML(rec.Body.Bytes())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(reply.EndsSession()).To(BeFalse())
	g.Expect(codes(reply)).To(Equal([]int{200, 200, 200, 200}))
}
