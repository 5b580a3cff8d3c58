package mdm_test

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"
	"software.sslmate.com/src/go-pkcs12"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/internal/rig"
	"windtunnel.test/sim/device/mdm"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/syncml"
)

const address = "https://" + hosts.OMADM + "/devices/omadm"

// server is an OMA-DM server that follows a script: message n of a session
// brings script[n], and what comes after the script ends the session.
type server struct {
	*rig.Rig
	script  [][]syncml.Command
	endless bool
	got     []*syncml.Message // of the last session
	begun   []syncml.Initiation
	bearer  string
}

func serve(r *rig.Rig, script ...[]syncml.Command) *server {
	s := &server{Rig: r, script: script}
	r.Serve(hosts.OMADM, s.handle, vnet.ClientCert(vnet.RequireClientCert))
	return s
}

func (s *server) handle(w http.ResponseWriter, q *http.Request) {
	s.Expect(vnet.PeerCertificates(q)).To(gomega.HaveLen(1))
	s.Expect(q.URL.RawQuery).To(gomega.Equal("mode=Maintenance&Platform=WoA"))
	s.bearer = q.Header.Get("Authorization")
	b, err := io.ReadAll(q.Body)
	s.OK(err)
	m, err := syncml.Decode(b)
	s.OK(err)
	if m.Header.MsgID == 1 {
		p, err := syncml.ReadInitiation(m)
		s.OK(err)
		s.got, s.begun = nil, append(s.begun, p)
	}
	s.got = append(s.got, m)
	reply := &syncml.Message{Header: syncml.Header{SessionID: m.Header.SessionID, MsgID: m.Header.MsgID, Target: m.Header.Source, Source: address}, Final: true}
	reply.Append(syncml.HeaderStatus(m, syncml.OK))
	switch n := len(s.got) - 1; {
	case n < len(s.script):
		reply.Append(s.script[n]...)
	case s.endless:
		reply.Append(syncml.NewGet(csp.DevInfoMan))
	}
	reply.Number()
	_, err = w.Write(reply.Encode())
	s.OK(err)
}

// codes runs one device session with the commands and gives the status of each
// command, in the order of their CmdIDs.
func (s *server) codes(w *device.Windows, session mdm.Session, commands ...syncml.Command) []int {
	s.T.Helper()
	s.script = [][]syncml.Command{commands}
	s.OK(mdm.Sync(w, session))
	s.Expect(s.got).To(gomega.HaveLen(2))
	first := s.got[1].Commands[0]
	s.Expect(first.Ref.Verb).To(gomega.Equal(syncml.SyncHdr), "the header's status comes first")
	s.Expect(first.Ref.Cmd).To(gomega.Equal(0))
	s.Expect(first.ID).To(gomega.Equal(1))
	var codes []int
	last := 0
	for _, c := range s.got[1].Commands[1:] {
		if c.Verb != syncml.Status {
			continue
		}
		s.Expect(c.Ref.Msg).To(gomega.Equal(1))
		s.Expect(c.Ref.Cmd).To(gomega.BeNumerically(">", last), "statuses come in the commands' order")
		last = c.Ref.Cmd
		codes = append(codes, c.Code)
	}
	return codes
}

var deviceSession = mdm.Session{Origin: mdm.OriginEnrolled, Login: "none"}

const sid = "S-1-12-1-1"

func replace(uri, value string) syncml.Command {
	return syncml.NewSet(syncml.Replace, uri, syncml.Chr, value)
}

func add(uri, value string) syncml.Command {
	return syncml.NewSet(syncml.Add, uri, syncml.Chr, value)
}

func policy(name string) string {
	return csp.Policy{Scope: csp.Device, Area: "Experience", Name: name}.Config()
}

func TestStatusCodes(t *testing.T) {
	r := rig.New(t)
	s := serve(r)
	r.Once(1, func(w *device.Windows) {
		r.Enrol(w, address)
		set, block := csp.FirstSyncStatus(csp.Device, csp.ServerHasFinishedProvisioning), csp.FirstSyncStatus(csp.Device, csp.BlockInStatusPage)
		r.Expect(s.codes(w, deviceSession,
			replace(policy("AllowCortana"), "0"),
			syncml.NewGet(csp.Policy{Scope: csp.Device, Area: "Experience", Name: "AllowCortana"}.Result()),
			replace(csp.Policy{Scope: csp.Device, Area: "Experience", Name: "AllowCortana"}.Result(), "1"), // the result cannot be set
			syncml.NewGet("./Vendor/MSFT/NoSuchCSP/Node"),
			replace("./Vendor/MSFT/NoSuchCSP/Node", "1"),
			replace("no locuri", "1"),
			replace(csp.DevInfoMan, "me"),                        // read only
			syncml.NewDelete(csp.DevInfoMan),                     //
			syncml.NewExec(policy("x"), "", ""),                  //
			syncml.Command{Verb: "Copy"},                         // not one of ours
			syncml.Command{Verb: "Search"},                       //
			replace(block, "many"),                               // no number
			replace(block, "2"),                                  //
			replace(set, "true"),                                 //
			replace(set, "false"),                                // latched
			replace(set, "true"),                                 //
			replace("./User/Vendor/MSFT/Policy/Config/A/B", "1"), // nobody is signed in
			syncml.NewDelete(policy("AllowCortana")),
			syncml.NewDelete(policy("AllowCortana")),
		)).To(gomega.Equal([]int{200, 200, 405, 404, 404, 400, 405, 405, 405, 406, 406, 400, 200, 200, 405, 200, 405, 200, 404}))
		value, _ := w.Registry().DWORD(device.KeyEnrollments+`\{1}\FirstSync`, csp.ServerHasFinishedProvisioning)
		r.Expect(value).To(gomega.Equal(uint32(1)))
	})
	r.Expect(s.begun).To(gomega.HaveLen(1))
	r.Expect(s.begun[0].BootstrapSync).To(gomega.Equal("device"))
	r.Expect(string(s.begun[0].Login)).To(gomega.Equal("none"))
	r.Expect(s.bearer).To(gomega.BeEmpty())
}

func TestUserSession(t *testing.T) {
	r := rig.New(t)
	s := serve(r)
	r.Once(1, func(w *device.Windows) {
		r.Enrol(w, address)
		user := csp.Policy{Scope: csp.User, Area: "Experience", Name: "AllowCortana"}
		node, skip := csp.FirstSyncStatus(csp.User), csp.FirstSyncStatus(csp.User, csp.ServerHasFinishedProvisioning)
		session := mdm.Session{Origin: mdm.OriginLogin, Login: "user", UserSID: sid, Token: "the.users.token"}
		r.Expect(s.codes(w, session, add(node, ""), replace(user.Config(), "0"))).To(gomega.Equal([]int{405, 405}), "nobody has signed in")
		w.LogOn(device.Account{SID: "S-1-5-21-1", Name: "defaultuser0", Default: true})
		r.Expect(s.codes(w, session, add(node, ""))).To(gomega.Equal([]int{405}), "setup's own account is nobody's")
		w.LogOn(device.Account{SID: sid, Name: "anna", UPN: "anna@contoso.test"})
		r.Expect(s.codes(w, session,
			replace(skip, "true"), // before its interior node was added
			add(node, ""), add(node, ""),
			replace(skip, "true"),
			replace(user.Config(), "0"), syncml.NewGet(user.Result()),
		)).To(gomega.Equal([]int{404, 200, 418, 200, 200, 200}))
		r.Expect(w.Registry().String(device.KeyPolicyManager+`\`+sid+`\Experience`, "AllowCortana")).To(gomega.Equal("0"))
	})
	r.Expect(s.bearer).To(gomega.Equal("Bearer the.users.token"))
	r.Expect(s.begun[0].Login).To(gomega.BeEquivalentTo(mdm.LoginNone))
	r.Expect(s.begun[2].AADUserToken).To(gomega.Equal("the.users.token"))
	r.Expect(s.begun[2].BootstrapSync).To(gomega.Equal("user"))
}

func TestAtomic(t *testing.T) {
	r := rig.New(t)
	s := serve(r)
	r.Once(1, func(w *device.Windows) {
		r.Enrol(w, address)
		r.Expect(s.codes(w, deviceSession, syncml.NewAtomic(replace(policy("A"), "1"), replace(policy("B"), "1")))).To(gomega.Equal([]int{200, 200, 200}))
		for name, c := range map[string]struct {
			bad  syncml.Command
			code int
		}{
			"fails": {replace("./Vendor/MSFT/NoSuchCSP/Node", "1"), 404},
			"get":   {syncml.NewGet(policy("A")), 500},
			"inner": {syncml.NewAtomic(), 500},
		} {
			r.Expect(s.codes(w, deviceSession, syncml.NewAtomic(replace(policy("A"), "2"), syncml.NewDelete(policy("B")), c.bad, replace(policy("C"), "1")))).
				To(gomega.Equal([]int{507, 216, 216, c.code, 215}), name)
			key := device.KeyPolicyManager + `\device\Experience`
			r.Expect(w.Registry().ValueNames(key)).To(gomega.Equal([]string{"A", "B"}), name)
			r.Expect(w.Registry().String(key, "A")).To(gomega.Equal("1"), name)
		}
		r.Expect(s.codes(w, deviceSession, syncml.Command{Verb: syncml.Sequence, Commands: []syncml.Command{replace(policy("C"), "1"), syncml.NewGet(policy("C"))}})).
			To(gomega.Equal([]int{200, 200, 200}))
	})
}

func TestResults(t *testing.T) {
	r := rig.New(t)
	s := serve(r)
	pc := r.Once(1, func(w *device.Windows) {
		r.Enrol(w, address)
		skip := csp.FirstSyncStatus(csp.Device, csp.SkipUserStatusPage)
		s.script = [][]syncml.Command{
			{replace(skip, "true"), syncml.NewGet(skip), syncml.NewGet(csp.FirstSyncStatus(csp.Device, csp.IsSyncDone))},
			{syncml.NewGet(csp.DevDetailSMBIOSSerial), syncml.NewGet(csp.DevDetailSwV), syncml.NewGet(csp.DMClient(csp.Device, csp.EntDMID))},
		}
		r.OK(mdm.Sync(w, deviceSession))
		raw, _ := w.Registry().DWORD(device.KeyEnrollments+`\{1}\FirstSync`, csp.SkipUserStatusPage)
		r.Expect(raw).To(gomega.Equal(uint32(0xFFFFFFFF)))
	})
	r.Expect(s.got).To(gomega.HaveLen(3))
	value := func(msg, cmd int) string { return s.got[msg].Answers(msg)[cmd].Results[0].Data }
	r.Expect([]string{value(1, 3), value(1, 4)}).To(gomega.Equal([]string{"true", "false"}))
	r.Expect([]string{value(2, 2), value(2, 3), value(2, 4)}).To(gomega.Equal([]string{pc.Hardware.Serial, "10.0.26100.4652", "dmid"}))
}

// The status page's lists are ticked off as their items are processed, in
// whatever order list and item come.
func TestExpectedLists(t *testing.T) {
	r := rig.New(t)
	s := serve(r)
	r.Once(1, func(w *device.Windows) {
		r.Enrol(w, address)
		list := csp.JoinList([]string{policy("Early"), policy("Late"), policy("Never")})
		s.codes(w, deviceSession, replace(policy("Early"), "1"), replace(csp.FirstSyncStatus(csp.Device, csp.ExpectedPolicies), list), replace(policy("Late"), "1"))
		stamps := w.Registry().Subkeys(device.KeyESPInfo + `\ExpectedPolicies`)
		r.Expect(stamps).To(gomega.HaveLen(1))
		var state []uint32
		key := device.KeyESPInfo + `\ExpectedPolicies\` + stamps[0]
		for _, name := range []string{"Early", "Late", "Never"} {
			uri, err := csp.Canonical(policy(name))
			r.OK(err)
			v, ok := w.Registry().DWORD(key, uri)
			r.Expect(ok).To(gomega.BeTrue(), name)
			state = append(state, v)
		}
		r.Expect(state).To(gomega.Equal([]uint32{1, 1, 0}))
	})
}

func TestPFX(t *testing.T) {
	r := rig.New(t)
	s := serve(r)
	ca, err := pki.NewRoot(rig.Start, rig.Seed, "PFX CA", pki.Options{})
	r.OK(err)
	key := pki.RSAKey(1)
	cert, err := ca.Issue(rig.Start, &x509.Certificate{NotBefore: rig.Start, NotAfter: rig.Start.AddDate(1, 0, 0)}, key.Public())
	r.OK(err)
	blob, err := pkcs12.Modern2023.Encode(key, cert, nil, "secret")
	r.OK(err)
	r.Once(1, func(w *device.Windows) {
		r.Enrol(w, address)
		p := csp.PFX{Scope: csp.Device, ID: "Wi-Fi"}
		expected := csp.FirstSyncStatus(csp.Device, csp.ExpectedPFXCerts)
		install := func(password, blob string) syncml.Command {
			var commands []syncml.Command
			for _, n := range p.Nodes(csp.KeyInTPM, blob, password, false) {
				commands = append(commands, add(n.URI, n.Value))
			}
			return syncml.NewAtomic(commands...)
		}
		r.Expect(s.codes(w, deviceSession, replace(expected, csp.JoinList([]string{p.Node()})), install("wrong", base64.StdEncoding.EncodeToString(blob)))[1]).To(gomega.Equal(507))
		_, there := w.Disk.Certs.Find(device.StoreMySystem, "Wi-Fi")
		r.Expect(there).To(gomega.BeFalse())
		r.Expect(s.codes(w, deviceSession, replace(expected, csp.JoinList([]string{p.Node()})), install("secret", base64.StdEncoding.EncodeToString(blob)),
			syncml.NewGet(p.Node(csp.PFXThumbprint)), syncml.NewGet(p.Node(csp.PFXStatus)), syncml.NewGet(p.Node(csp.PFXCertPassword)))[1]).To(gomega.Equal(200))
		got, there := w.Disk.Certs.Find(device.StoreMySystem, "Wi-Fi")
		r.Expect(there).To(gomega.BeTrue())
		r.Expect(got.DER).To(gomega.Equal(cert.Raw))
		stamp := w.Registry().Subkeys(device.KeyESPInfo + `\ExpectedPFXCerts`)[0]
		names := w.Registry().ValueNames(device.KeyESPInfo + `\ExpectedPFXCerts\` + stamp)
		v, _ := w.Registry().DWORD(device.KeyESPInfo+`\ExpectedPFXCerts\`+stamp, names[0])
		r.Expect(v).To(gomega.Equal(uint32(1)))
		r.Expect(s.codes(w, deviceSession, syncml.NewDelete(p.Node()), syncml.NewDelete(p.Node()))).To(gomega.Equal([]int{200, 404}))
	})
}

// Policies are more than readable: the sign-in assistant can be disabled.
func TestPolicyDisablesTheSignInAssistant(t *testing.T) {
	r := rig.New(t)
	s := serve(r)
	r.Once(1, func(w *device.Windows) {
		r.Enrol(w, address)
		p := csp.Policy{Scope: csp.Device, Area: "Accounts", Name: "AllowMicrosoftAccountSignInAssistant"}.Config()
		s.codes(w, deviceSession, replace(p, "0"))
		r.Expect(w.ServiceEnabled(device.ServiceWLID)).To(gomega.BeFalse())
		s.codes(w, deviceSession, replace(p, "1"))
		r.Expect(w.ServiceEnabled(device.ServiceWLID)).To(gomega.BeTrue())
	})
}

func TestEndlessSessionIsGivenUp(t *testing.T) {
	r := rig.New(t)
	s := serve(r)
	s.endless = true
	r.Once(1, func(w *device.Windows) {
		r.Enrol(w, address)
		code, _ := hresult.CodeOf(mdm.Sync(w, deviceSession))
		r.Expect(code).To(gomega.Equal(hresult.WaitTimeout))
	})
	r.Expect(len(s.got)).To(gomega.BeNumerically("<", 100))
}

func TestSessionsThatFail(t *testing.T) {
	r := rig.New(t)
	var status int
	var body string
	r.Serve(hosts.OMADM, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
	other := syncml.Message{Header: syncml.Header{SessionID: "ffff", MsgID: 1, Target: "dmid", Source: address}, Final: true}
	r.Once(1, func(w *device.Windows) {
		code := func() hresult.Code {
			c, _ := hresult.CodeOf(mdm.Sync(w, deviceSession))
			return c
		}
		r.Expect(code()).To(gomega.Equal(hresult.EnrollNotEnrolled))
		r.Enrol(w, address)
		status = 403
		r.Expect(code()).To(gomega.Equal(hresult.FromHTTPStatus(403)))
		status, body = 200, "<html>"
		r.Expect(code()).To(gomega.Equal(hresult.InvalidData))
		body = string(other.Encode())
		r.Expect(code()).To(gomega.Equal(hresult.InvalidData))
		mdm.Forget(w)
		r.Expect(mdm.Enrolled(w)).To(gomega.BeFalse())
		r.Expect(w.Disk.Keys.Containers()).To(gomega.BeEmpty())
	})
	r.Expect(r.Logged("mdm.session", "")).To(gomega.HaveLen(4))
}

// Two who want a session at the same time have it one after the other.
func TestSessionsOneAtATime(t *testing.T) {
	r := rig.New(t)
	open, most := 0, 0
	s := serve(r)
	h := s.handle
	r.Serve("slow."+hosts.OMADM, func(w http.ResponseWriter, q *http.Request) {
		open++
		most = max(most, open)
		_ = r.Clock.Sleep(q.Context(), time.Minute, "slow")
		open--
		h(w, q)
	}, vnet.ClientCert(vnet.RequireClientCert))
	r.Once(1, func(w *device.Windows) {
		r.Enrol(w, strings.Replace(address, "://", "://slow.", 1))
		w.Service("other", func(ctx context.Context) { r.OK(mdm.Sync(w.Under(ctx), deviceSession)) })
		r.OK(w.Sleep(time.Second, "let it begin"))
		r.OK(mdm.Sync(w, deviceSession))
	})
	r.Expect(most).To(gomega.Equal(1))
	r.Expect(s.begun[0].SessionID).NotTo(gomega.Equal(s.begun[1].SessionID))
}
