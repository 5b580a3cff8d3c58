package mdm_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/internal/rig"
	"windtunnel.test/sim/device/mdm"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/syncml"
)

// plain is an OMA-DM server that a test writes message by message.
type plain struct {
	*rig.Rig
	answer func(m *syncml.Message, reply *syncml.Message) // nothing: the session ends
	before func(w http.ResponseWriter, q *http.Request) bool
	got    []*syncml.Message
	asked  []http.Header
}

func serveWith(r *rig.Rig) *plain {
	s := &plain{Rig: r}
	r.Serve(hosts.OMADM, s.handle, vnet.ClientCert(vnet.RequireClientCert))
	return s
}

func (s *plain) handle(w http.ResponseWriter, q *http.Request) {
	if s.before != nil && s.before(w, q) {
		return
	}
	b, err := io.ReadAll(q.Body)
	s.OK(err)
	m, err := syncml.Decode(b)
	s.OK(err)
	s.got, s.asked = append(s.got, m), append(s.asked, q.Header.Clone())
	reply := &syncml.Message{Header: syncml.Header{SessionID: m.Header.SessionID, MsgID: m.Header.MsgID, Target: m.Header.Source, Source: address}, Final: true}
	reply.Append(syncml.HeaderStatus(m, syncml.OK))
	if s.answer != nil {
		s.answer(m, reply)
	}
	reply.Number()
	_, err = w.Write(reply.Encode())
	s.OK(err)
}

func statuses(m *syncml.Message) []int {
	var out []int
	for _, c := range m.Commands {
		if c.Verb == syncml.Status {
			out = append(out, c.Code)
		}
	}
	return out
}

func asksFor(m *syncml.Message, code int) bool {
	for _, c := range m.Commands {
		if c.Verb == syncml.Alert && c.Code == code {
			return true
		}
	}
	return false
}

func result(area, name string) string {
	return csp.Policy{Scope: csp.Device, Area: area, Name: name}.Result()
}

// A server's package may take several messages, and a value several of them.
func TestLargeObjects(t *testing.T) {
	piece := func(text string, size int, more bool) syncml.Command {
		c := replace(policy("Long"), text)
		c.Items[0].MoreData, c.Items[0].Meta.Size = more, size
		return c
	}
	for name, tc := range map[string]struct {
		first, second syncml.Command
		codes         [2]int
		want          string
		alert         bool
	}{
		"whole":              {piece("abc", 6, true), piece("def", 0, false), [2]int{213, 200}, "abcdef", false},
		"not the size":       {piece("abc", 7, true), piece("def", 0, false), [2]int{213, 424}, "", false},
		"more than the size": {piece("abc", 5, true), piece("def", 0, false), [2]int{213, 424}, "", false},
		"no size":            {piece("abc", 0, true), piece("def", 0, false), [2]int{411, 200}, "def", false},
		"too large":          {piece("abc", 1<<30, true), replace(policy("Other"), "1"), [2]int{416, 200}, "", false},
		"no end":             {piece("abc", 6, true), replace(policy("Other"), "1"), [2]int{213, 200}, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			r := rig.New(t)
			s := serveWith(r)
			s.answer = func(m, reply *syncml.Message) {
				switch m.Header.MsgID {
				case 1:
					reply.Append(tc.first)
					reply.Final = false
				case 2:
					reply.Append(tc.second)
				}
			}
			r.Once(1, func(w *device.Windows) {
				r.Enrol(w, address)
				r.OK(mdm.Sync(w, deviceSession))
				r.Expect(w.Registry().String(device.KeyPolicyManager+`\device\Experience`, "Long")).To(gomega.Equal(tc.want))
			})
			r.Expect(s.got).To(gomega.HaveLen(3))
			r.Expect(asksFor(s.got[1], syncml.AlertNextMessage)).To(gomega.BeTrue())
			r.Expect(s.got[1].Final).To(gomega.BeFalse())
			r.Expect(statuses(s.got[1])).To(gomega.Equal([]int{200, tc.codes[0]}))
			r.Expect(statuses(s.got[2])).To(gomega.Equal([]int{200, tc.codes[1]}))
			r.Expect(asksFor(s.got[2], syncml.AlertNoEndOfData)).To(gomega.Equal(tc.alert))
			r.Expect(s.got[2].Final).To(gomega.BeTrue())
		})
	}
}

// What a server has no room for comes in later messages, results in pieces.
func TestServerThatTakesLittle(t *testing.T) {
	r := rig.New(t)
	s := serveWith(r)
	long := strings.Repeat("ü<", 2000)
	var whole string
	var partial syncml.Partial
	var codes []int
	s.answer = func(m, reply *syncml.Message) {
		reply.Header.MaxMsgSize = 2048
		if m.Header.MsgID == 1 {
			reply.Append(replace(policy("Long"), long), syncml.NewGet(result("Experience", "Long")), syncml.NewGet(csp.DevInfoMan))
			return
		}
		r.Expect(len(m.Encode())).To(gomega.BeNumerically("<=", 2048))
		for i := range m.Commands {
			switch c := &m.Commands[i]; {
			case c.Verb == syncml.Status && c.Ref.Msg == 1:
				codes = append(codes, c.Code)
			case c.Verb == syncml.Results:
				if done, code := partial.Take(c, 1<<20); code == syncml.OK {
					whole = done.Items[0].Data
				} else if code != 0 {
					r.Expect(code).To(gomega.Equal(syncml.ChunkAccepted))
					reply.Append(syncml.StatusFor(m, c, code))
				}
			}
		}
		if !m.Final {
			reply.Append(syncml.NewAlert(syncml.AlertNextMessage, "", ""))
			reply.Final = false
		}
	}
	r.Once(1, func(w *device.Windows) {
		r.Enrol(w, address)
		r.OK(mdm.Sync(w, deviceSession))
	})
	r.Expect(whole).To(gomega.Equal(long))
	r.Expect(codes).To(gomega.Equal([]int{200, 200, 200, 200}))
	r.Expect(len(s.got)).To(gomega.BeNumerically(">", 6))
	r.Expect(s.got[0].Header.MaxMsgSize).To(gomega.Equal(512 << 10))
}

// A server that wants credentials gets them, and knows them next time.
func TestChallenges(t *testing.T) {
	r := rig.New(t)
	s := serveWith(r)
	nonce, secret := []byte("first nonce"), "s3cret"
	s.answer = func(m, reply *syncml.Message) {
		status := &reply.Commands[0]
		switch cred := m.Header.Cred; {
		case cred == nil:
			status.Code, status.Challenge = 407, syncml.NewChallenge(syncml.AuthMD5, nonce)
		case cred.Equal(syncml.DigestCred("ada", secret, nonce)):
			nonce = append(nonce, '!')
			status.Code, status.Challenge = 212, syncml.NewChallenge(syncml.AuthMD5, nonce)
		default:
			status.Code, status.Challenge = 401, syncml.NewChallenge(syncml.AuthMD5, nonce)
		}
	}
	r.Once(1, func(w *device.Windows) {
		r.Enrol(w, address)
		r.Expect(mdm.Sync(w, deviceSession)).To(gomega.MatchError(gomega.ContainSubstring("credentials that this account does not have")))
		w.Registry().SetString(device.KeyEnrollments+`\{1}`, "AAUTHNAME", "ada")
		w.Registry().SetString(device.KeyEnrollments+`\{1}`, "AAUTHSECRET", secret)
		s.got = nil
		nonce = []byte("another nonce")
		r.OK(mdm.Sync(w, deviceSession))
		r.Expect(s.got).To(gomega.HaveLen(2), "the nonce that it knew is not the server's any more: 401, then 212")
		r.Expect(s.got[1].Header.MsgID).To(gomega.Equal(2))
		s.got = nil
		r.OK(mdm.Sync(w, deviceSession))
		r.Expect(s.got).To(gomega.HaveLen(1), "212 brought the nonce")
		secret = "changed"
		s.got = nil
		r.Expect(mdm.Sync(w, deviceSession)).To(gomega.MatchError(gomega.ContainSubstring("rejects")))
		r.Expect(s.got).To(gomega.HaveLen(3))
	})
}

func TestThrottledSession(t *testing.T) {
	r := rig.New(t)
	s := serveWith(r)
	busy := 2
	s.before = func(w http.ResponseWriter, _ *http.Request) bool {
		if busy == 0 {
			return false
		}
		busy--
		w.Header().Set("Retry-After", "90")
		w.WriteHeader(http.StatusTooManyRequests)
		return true
	}
	r.Once(1, func(w *device.Windows) {
		r.Enrol(w, address)
		begin := w.Clock.Now()
		r.OK(mdm.Sync(w, deviceSession))
		r.Expect(w.Clock.Now().Sub(begin)).To(gomega.BeNumerically("~", 3*time.Minute, 5*time.Second))
	})
	r.Expect(s.got).To(gomega.HaveLen(1))
}

func TestServerAborts(t *testing.T) {
	r := rig.New(t)
	s := serveWith(r)
	s.answer = func(_, reply *syncml.Message) {
		reply.Append(syncml.NewAlert(syncml.AlertSessionAbort, "", ""), replace(policy("A"), "1"))
	}
	r.Once(1, func(w *device.Windows) {
		r.Enrol(w, address)
		err := mdm.Sync(w, deviceSession)
		code, _ := hresult.CodeOf(err)
		r.Expect(code).To(gomega.Equal(hresult.Aborted))
		r.Expect(w.Registry().String(device.KeyPolicyManager+`\device\Experience`, "A")).To(gomega.BeEmpty())
	})
	r.Expect(s.got).To(gomega.HaveLen(1))
}

func TestUserEndsTheEnrolment(t *testing.T) {
	for name, down := range map[string]bool{"told": false, "server away": true} {
		t.Run(name, func(t *testing.T) {
			r := rig.New(t)
			s := serveWith(r)
			s.before = func(w http.ResponseWriter, _ *http.Request) bool {
				if down {
					w.WriteHeader(http.StatusForbidden)
				}
				return down
			}
			r.Once(1, func(w *device.Windows) {
				r.Enrol(w, address)
				r.OK(mdm.Unenrol(w))
				r.Expect(mdm.Enrolled(w)).To(gomega.BeFalse())
			})
			if down {
				return
			}
			init, err := syncml.ReadInitiation(s.got[0])
			r.OK(err)
			r.Expect(init.Unenrolment).To(gomega.BeTrue())
			r.Expect(s.asked[0].Get("MDM-GenericAlert")).To(gomega.Equal(syncml.TypeUserUnenrollment))
			r.Expect(s.asked[0].Get("MS-CV")).To(gomega.MatchRegexp(`^[A-Za-z0-9+/]{22}\.1$`))
			r.Expect(s.asked[0].Get("client-request-id")).To(gomega.Equal(init.Device))
			r.Expect(s.asked[0].Get("UserAgentOrigin")).To(gomega.Equal("1"))
		})
	}
}

func TestMoreStatusCodes(t *testing.T) {
	r := rig.New(t)
	s := serve(r)
	r.Once(1, func(w *device.Windows) {
		r.Enrol(w, address)
		odd := replace(policy("A"), "1")
		odd.Items[0].Meta.Format = "yaml"
		r.Expect(s.codes(w, deviceSession,
			replace("./"+strings.Repeat("x", csp.MaxURI), "1"), // too long
			odd, // no such format
			replace("./Vendor/MSFT/DMClient/Provider/Other/UPN", "x"),                                                 // another server's account
			syncml.NewExec("./Vendor/MSFT/Personalization/x", "", ""), syncml.NewExec("./Vendor/MSFT/DFCI/x", "", ""), // nodes that this Windows does not have
			syncml.NewExec("./Vendor/MSFT/Defender/Scan", "", ""), syncml.NewAlert(syncml.AlertGeneric, "", "")),
		).To(gomega.Equal([]int{414, 415, 425, 404, 404, 404, 200}))
		// What an Exec began cannot be undone.
		r.Expect(s.codes(w, deviceSession, syncml.NewAtomic(
			replace(policy("A"), "1"), syncml.NewExec(csp.DMClient(csp.Device, csp.Unenroll), "", ""), syncml.NewGet(csp.DevInfoMan), replace(policy("B"), "1")),
		)).To(gomega.Equal([]int{507, 216, 516, 500, 215}))
	})
}
