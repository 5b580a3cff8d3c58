package fakeentra_test

import (
	"net/http"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeentra"
	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/store/sqlite"
	"windtunnel.test/sim/wire/drs"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/oauth"
)

var birth = time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)

// reopened is a world that goes on with the state of a file.
func reopened(t testing.TB, path string) *world {
	t.Helper()
	db, err := sqlite.Open(path)
	must(t, err)
	w := newWorld(t, func(o *fakeentra.Options) { o.DB, o.Since = db, birth })
	must(t, db.Err())
	return w
}

func (w *world) end() { must(w.t, w.entra.AIK.DB.Close()) }

// moved is the PC in a world that came after its own.
func (p *pc) moved(w *world) *pc {
	other := *p
	other.world = w
	return &other
}

// Everything that a device and a person were given is good at the service that
// goes on with the state, and nothing is given out a second time.
func TestRestart(t *testing.T) {
	g := NewWithT(t)
	path := filepath.Join(t.TempDir(), "state")
	first := reopened(t, path)
	p := first.pc(0).ready()
	p.register()
	p.joinAsDevice()
	first.now = first.now.Add(time.Hour)
	ticket := p.ticket(true)
	prt, sessionKey, refused := p.prtOf(adele, password)
	g.Expect(refused).To(BeNil())
	userToken := first.userToken(oauth.ResourceDRS)
	joinNonce := p.nonce()
	halfway, challenge := p.challenged()
	roots := [][]byte{first.entra.AIK.Root().Raw, first.entra.DRS.CA().Raw}
	devices := first.entra.Directory.Devices(tenantID)
	first.end()

	second := reopened(t, path)
	defer second.end()
	second.now = first.now.Add(time.Minute)
	p = p.moved(second)
	g.Expect([][]byte{second.entra.AIK.Root().Raw, second.entra.DRS.CA().Raw}).To(Equal(roots), "the same authorities")
	g.Expect(second.entra.Directory.Devices(tenantID)).To(Equal(devices))

	// Signing keys, and what they signed.
	claims, err := second.entra.STS.VerifyToken(userToken, oauth.ResourceDRS, second.now)
	g.Expect(err).NotTo(HaveOccurred())
	_, err = second.entra.MSA.VerifyTicket(ticket, "", second.now)
	g.Expect(err).NotTo(HaveOccurred())
	_, _, err = second.entra.AIK.Attested(p.aikCert, second.now)
	g.Expect(err).NotTo(HaveOccurred())
	d, err := second.entra.DRS.Device(parse(t, p.cert), second.now)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(d.DeviceID).To(Equal(p.device))

	// What was begun goes on: a session, an AIK's challenge, a join's nonce.
	out, refused := p.usePRT(prt, sessionKey, nil)
	g.Expect(refused).To(BeNil())
	sent := p.request2(halfway, challenge, p.chip.activate(challenge.Credential), p.signer)
	status, body := p.sendAIK(sent)
	g.Expect(status).To(Equal(http.StatusOK), string(body))
	r := p.attested(p.joinRequest(), joinNonce)
	r.Attributes.DeviceTicket = []byte(ticket)
	_, refusal := p.sendJoin(r, drs.HeaderNonce, joinNonce)
	g.Expect(refusal).To(BeNil())
	_, refusal = p.sendJoin(r, drs.HeaderNonce, joinNonce)
	g.Expect(refusal).NotTo(BeNil(), "a nonce is good once, whoever gave it")

	// Identifiers and secrets are new ones.
	again, err := second.entra.STS.VerifyToken(second.userToken(oauth.ResourceDRS), oauth.ResourceDRS, second.now)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(again.TokenID).NotTo(Equal(claims.TokenID))
	g.Expect(again.ObjectID).To(Equal(claims.ObjectID))
	g.Expect(p.nonce()).NotTo(Equal(joinNonce))
	g.Expect(out.RefreshToken).NotTo(Equal(prt))
}

// Whatever a service counts in memory it counts anew after a start: what it
// draws must differ none the less.
func TestRestartedServicesRepeatNothing(t *testing.T) {
	g := NewWithT(t)
	path := filepath.Join(t.TempDir(), "state")
	seen := map[string]bool{}
	for range 3 {
		w := reopened(t, path)
		for range 5 {
			g.Expect(seen).NotTo(HaveKey(w.challenge()))
			seen[w.challenge()] = true
			org, err := w.entra.Directory.LoadOrganization(graph.Organization{DisplayName: "another"})
			must(t, err)
			g.Expect(seen).NotTo(HaveKey(org.ID))
			seen[org.ID] = true
			dev, err := w.entra.Directory.Join(tenant.Join{TenantID: tenantID, Trust: "AzureAd", NoQuota: true,
				Certify: func(tenant.Device) (string, error) { return "", nil }})
			must(t, err)
			g.Expect(seen).NotTo(HaveKey(dev.DeviceID))
			seen[dev.DeviceID] = true
		}
		w.end()
	}
}
