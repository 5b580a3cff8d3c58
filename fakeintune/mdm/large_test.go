package mdm_test

import (
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/syncml"
)

// A device that says how much it takes gets no message that is larger, and
// values that do not fit in pieces.
func TestLargeMessages(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	p := w.enroll(tenant.EnrolledByUser, "one")
	long := strings.Repeat("<é&", 4000)
	w.load(tenant.Resources{Configurations: []graph.DeviceConfiguration{{ODataType: graph.TypeCustomConfiguration, DisplayName: "long", Assignments: []graph.Assignment{{Target: graph.AllDevices()}},
		CustomConfiguration: &graph.CustomConfiguration{OmaSettings: []graph.OmaSetting{{ODataType: "#microsoft.graph.omaSettingString", OmaURI: "./Device/Vendor/MSFT/Policy/Config/Long/Text", Value: long}}}}}})
	got, pieces, messages := p.small(2048, nil)
	g.Expect(got["./Device/Vendor/MSFT/Policy/Config/Long/Text"]).To(Equal(long))
	g.Expect(pieces).To(BeNumerically(">", 10))
	g.Expect(messages).To(BeNumerically(">", 20))
	m := p.device()
	g.Expect(m.DeviceSent).To(BeTrue())
	g.Expect(m.Settings).To(ContainElement(And(HaveField("URI", "./Device/Vendor/MSFT/Policy/Config/Long/Text"), HaveField("Status", 200))))
	g.Expect(p.sync(scheduled, "")).To(Equal(200))
	g.Expect(p.order).NotTo(ContainElement(ContainSubstring("Policy/Config")))
}

// A piece that is refused ends the object, and the refusal is the setting's.
func TestLargeObjectIsRefused(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	p := w.enroll(tenant.EnrolledByUser, "one")
	const uri = "./Device/Vendor/MSFT/Policy/Config/Long/Text"
	w.load(tenant.Resources{Configurations: []graph.DeviceConfiguration{{ODataType: graph.TypeCustomConfiguration, DisplayName: "long", Assignments: []graph.Assignment{{Target: graph.AllDevices()}},
		CustomConfiguration: &graph.CustomConfiguration{OmaSettings: []graph.OmaSetting{{ODataType: "#microsoft.graph.omaSettingString", OmaURI: uri, Value: strings.Repeat("x", 9000)}}}}}})
	got, pieces, _ := p.small(2048, func(target string) syncml.StatusCode {
		if target == uri {
			return syncml.RequestSizeTooBig
		}
		return 0
	})
	g.Expect(pieces).To(BeNumerically(">=", 1))
	g.Expect(got).NotTo(HaveKey(uri))
	g.Expect(p.device().Settings).To(ContainElement(And(HaveField("URI", uri), HaveField("Status", 416))))
	g.Expect(p.device().DeviceSent).To(BeTrue())
}

// small runs a session with small messages. refuse may refuse pieces.
func (p *pc) small(limit int, refuse func(uri string) syncml.StatusCode) (got map[string]string, pieces, messages int) {
	g := NewWithT(p.w.T)
	got = map[string]string{}
	l := p.line("small")
	m := &syncml.Message{Final: true, Header: syncml.Header{SessionID: "small", MsgID: 1, Source: p.id, Target: address, MaxMsgSize: limit}, Commands: l.open()}
	l.msg = 1
	var partial syncml.Partial
	for reply := l.send(m); !reply.EndsSession(); messages++ {
		g.Expect(len(reply.Encode())).To(BeNumerically("<=", limit))
		var answers []syncml.Command
		for i := range reply.Commands {
			c := &reply.Commands[i]
			if c.Verb == syncml.Status {
				continue
			}
			whole, code := partial.Take(c, 1<<20)
			switch {
			case code == syncml.ChunkAccepted:
				pieces++
				g.Expect(reply.Final).To(BeFalse())
				g.Expect(i).To(Equal(len(reply.Commands)-1), "a piece is the last of its message")
				if refuse != nil && refuse(c.Items[0].Target) != 0 {
					code, partial = refuse(c.Items[0].Target), syncml.Partial{}
				}
			case code == 0 || code == syncml.OK:
				code = syncml.OK
				if whole.Verb == syncml.Replace || whole.Verb == syncml.Add {
					uri, err := csp.Canonical(whole.Items[0].Target)
					g.Expect(err).NotTo(HaveOccurred())
					got[uri] = whole.Items[0].Data
				}
			default:
				p.w.T.Fatalf("%s: %v", c.Items[0].Target, code)
			}
			answers = append(answers, syncml.StatusFor(reply, c, code))
		}
		if !reply.Final {
			answers = append(answers, syncml.NewAlert(syncml.AlertNextMessage, "", ""))
		}
		reply = l.say(reply.Final, answers...)
		g.Expect(messages).To(BeNumerically("<", 500))
	}
	return got, pieces, messages
}

// The device's results may come in pieces as well.
func TestLargeResults(t *testing.T) {
	for _, tc := range []struct {
		name string
		size int
		code int
		want string
	}{{"whole", 12, 200, "SERIALNUMBER"}, {"another size than promised", 14, 424, ""}, {"more than promised", 9, 424, ""}, {"without size", 0, 411, ""}, {"too large", 1 << 30, 416, ""}} {
		t.Run(tc.name, func(t *testing.T) {
			g, w := NewWithT(t), newWorld(t)
			p := w.enroll(tenant.EnrolledByUser, "one")
			l := p.line("s")
			m := l.say(true, l.open()...)
			get := find(m, csp.DevDetailSMBIOSSerial)
			piece := func(text string, size int, more bool) syncml.Command {
				c := syncml.ResultsFor(m, get, syncml.Item{Source: csp.DevDetailSMBIOSSerial, Data: text, MoreData: more, Meta: syncml.Meta{Size: size}})
				return c
			}
			next := l.say(false, syncml.StatusFor(m, get, syncml.OK), piece("SERIAL", tc.size, true))
			if tc.size == 0 || tc.size > 100 {
				g.Expect(codes(next)).To(Equal([]int{200, tc.code}))
				return
			}
			g.Expect(codes(next)).To(Equal([]int{200, 213}))
			g.Expect(asks(next, syncml.AlertNextMessage)).To(BeTrue())
			next = l.say(true, piece("NUMBER", 0, false))
			g.Expect(codes(next)).To(Equal([]int{200, tc.code}))
			g.Expect(p.device().SerialNumber).To(Equal(tc.want))
		})
	}
	t.Run("its end does not come", func(t *testing.T) {
		g, w := NewWithT(t), newWorld(t)
		l := w.enroll(tenant.EnrolledByUser, "one").line("s")
		m := l.say(true, l.open()...)
		get := find(m, csp.DevDetailSMBIOSSerial)
		l.say(false, syncml.ResultsFor(m, get, syncml.Item{Source: csp.DevDetailSMBIOSSerial, Data: "SERIAL", MoreData: true, Meta: syncml.Meta{Size: 12}}))
		next := l.say(true, syncml.ResultsFor(m, get, syncml.Item{Source: csp.DevDetailOEM, Data: "Contoso"}))
		g.Expect(asks(next, syncml.AlertNoEndOfData)).To(BeTrue())
	})
}

func find(m *syncml.Message, uri string) *syncml.Command {
	for i := range m.Commands {
		if c := &m.Commands[i]; len(c.Items) > 0 && c.Items[0].Target == uri {
			return c
		}
	}
	return &syncml.Command{}
}
