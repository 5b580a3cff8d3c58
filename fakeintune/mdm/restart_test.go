package mdm_test

import (
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/authority"
	"windtunnel.test/fakeintune/internal/rig"
	"windtunnel.test/fakeintune/mdm"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/syncml"
)

// A session that is open when the process ends goes on with the next one, with
// what waits for its next message.
func TestRestart(t *testing.T) {
	g := NewWithT(t)
	path := filepath.Join(t.TempDir(), "state")
	w := furnish(rig.Kept(t, path))
	p := w.enroll(tenant.EnrolledByUser, "one")
	l := p.line("s")
	m := &syncml.Message{Final: true, Header: syncml.Header{SessionID: "s", MsgID: 1, Source: p.id, Target: address, MaxMsgSize: 2048}, Commands: l.open()}
	l.msg = 1
	reply := l.send(m)
	g.Expect(reply.Final).To(BeFalse())

	w.Rig = w.After(0, path)
	var err error
	w.ca, err = authority.New(w.Service)
	g.Expect(err).NotTo(HaveOccurred())
	w.h, err = mdm.New(mdm.Options{Tenants: w.Service, Authorities: w.ca, Content: w})
	g.Expect(err).NotTo(HaveOccurred())
	last := ""
	for n := 0; !reply.EndsSession(); n++ {
		g.Expect(n).To(BeNumerically("<", 200))
		var answers []syncml.Command
		for i := range reply.Commands {
			c := &reply.Commands[i]
			if c.Verb == syncml.Status {
				continue
			}
			code := syncml.OK
			if c.Items[0].MoreData {
				code = syncml.ChunkAccepted
			}
			last = c.Items[0].Target
			answers = append(answers, syncml.StatusFor(reply, c, code))
		}
		if !reply.Final {
			answers = append(answers, syncml.NewAlert(syncml.AlertNextMessage, "", ""))
		}
		reply = l.say(reply.Final, answers...)
		g.Expect(l.status).To(Equal(200))
	}
	g.Expect(last).To(HaveSuffix(csp.ServerHasFinishedProvisioning))
	g.Expect(p.device().DeviceSent).To(BeTrue())
}
