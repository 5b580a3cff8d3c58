package enroll_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/authority"
	"windtunnel.test/fakeintune/enroll"
	"windtunnel.test/fakeintune/internal/rig"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/wire/mde"
)

// A signed message is good once, however somebody on the way writes the same
// text again: the signature is about its canonical form.
func TestReplayInOtherWords(t *testing.T) {
	for name, change := range map[string]func(string) string{
		"comment in a value": func(s string) string { return strings.Replace(s, ">Full<", ">Fu<!-- -->ll<", 1) },
		"comment":            func(s string) string { return strings.Replace(s, "<s:Body>", "<!-- --><s:Body>", 1) },
		"comment before all": func(s string) string { return "<!-- -->" + s },
		"declaration":        func(s string) string { return `<?xml version="1.0"?>` + s },
		"blanks in a tag":    func(s string) string { return strings.Replace(s, "<s:Body>", "<s:Body  >", 1) },
		"quotes":             func(s string) string { return strings.Replace(s, `u:Id="envelop"`, `u:Id='envelop'`, 1) },
		"character as number": func(s string) string {
			return strings.Replace(s, ">DESKTOP-1<", ">&#x44;ESKTOP-1<", 1)
		},
		"empty element": func(s string) string { return strings.Replace(s, "</s:Header>", "</s:Header >", 1) },
		"namespace that nobody uses": func(s string) string {
			return strings.Replace(s, "<s:Body>", `<s:Body xmlns:zz="urn:zz">`, 1)
		},
		"instruction before all": func(s string) string { return "<?x y?>" + s },
		"signature written anew": func(s string) string {
			return strings.Replace(s, "<ds:SignatureValue>", "<ds:SignatureValue> ", 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			g, w := NewWithT(t), newWorld(t)
			w.configure(enroll.Settings{AuthPolicy: mde.Certificate})
			request := w.signed(w.smartCard(w.Tenant, authority.Holder{UPN: ada}, 7), w.Clock.Now(), 2*time.Minute)
			g.Expect(w.post(enrolURL, request)).To(BeNil())
			id := w.Tenant.Devices()[0].ID
			again := []byte(change(string(request)))
			g.Expect(bytes.Equal(again, request)).To(BeFalse())
			g.Expect(w.post(enrolURL, again)).NotTo(BeNil(), "it came before")
			g.Expect(w.Tenant.Devices()[0].ID).To(Equal(id))
		})
	}
}

// Nobody gets round the memory of what came by a message that says it is good
// for years.
func TestReplayAfterLong(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	w.configure(enroll.Settings{AuthPolicy: mde.Certificate})
	request := w.signed(w.smartCard(w.Tenant, authority.Holder{UPN: ada}, 7), w.Clock.Now(), 365*24*time.Hour)
	g.Expect(w.post(enrolURL, request)).To(BeNil())
	for range 6 {
		fault := w.post(enrolURL, request)
		g.Expect(fault).NotTo(BeNil())
		g.Expect(fault.Code()).To(Equal(hresult.EnrollInvalidSecurity))
		w.Pass(12 * time.Hour)
	}
}

// atOnce posts messages at the same time and counts those that were taken.
func (w *world) atOnce(messages [][]byte) (taken int) {
	var mu sync.Mutex
	var all sync.WaitGroup
	begin := make(chan struct{})
	for _, m := range messages {
		all.Go(func() {
			<-begin
			r := httptest.NewRequestWithContext(w.T.Context(), http.MethodPost, enrolURL, bytes.NewReader(m))
			r.Header = soap.Clone()
			rec := httptest.NewRecorder()
			w.h.ServeHTTP(rec, r)
			mu.Lock()
			defer mu.Unlock()
			if rec.Code == http.StatusOK {
				taken++
			}
		})
	}
	close(begin)
	all.Wait()
	return taken
}

// Checks and what they protect are one: of many enrolments at once no more get
// in than of as many one after the other.
func TestLimitsHoldAtOnce(t *testing.T) {
	t.Run("device cap", func(t *testing.T) {
		g, w := NewWithT(t), newWorld(t)
		w.limit(2)
		messages := make([][]byte, 12)
		for i := range messages {
			m := w.own()
			m.Context.HWDevID = fmt.Sprintf("%064x", i)
			messages[i] = w.request(mde.EntraSecurity(w.UserToken(rig.TenantID, ada, "")), m)
		}
		g.Expect(w.atOnce(messages)).To(Equal(2))
		g.Expect(w.Tenant.DevicesOf(ada)).To(HaveLen(2))
	})
	t.Run("one-time limit", func(t *testing.T) {
		g, w := NewWithT(t), newWorld(t)
		messages := make([][]byte, 12)
		for i := range messages {
			messages[i] = w.request(mde.EntraSecurity(w.deviceToken()), w.technician())
		}
		g.Expect(w.atOnce(messages)).To(Equal(1))
		g.Expect(w.Tenant.Devices()).To(HaveLen(1))
	})
	t.Run("token of the page", func(t *testing.T) {
		g, w := NewWithT(t), newWorld(t)
		token, _ := w.signIn(ada, secret)
		messages := make([][]byte, 12)
		for i := range messages {
			m := w.own()
			m.Context.HWDevID = fmt.Sprintf("%064x", i)
			messages[i] = w.request(mde.FederatedSecurity([]byte(token)), m)
		}
		g.Expect(w.atOnce(messages)).To(Equal(1))
	})
}

// A registration's id is no secret. Nobody takes another's place with it.
func TestAnothersRegistration(t *testing.T) {
	for name, token := range map[string]func(*world) string{
		"a user's token without a device": func(w *world) string { return w.UserToken(rig.TenantID, ada, "") },
		"another tenant's":                func(w *world) string { return w.DeviceToken(rig.OtherID, w.registration.EntraDeviceID) },
	} {
		t.Run(name, func(t *testing.T) {
			g, w := NewWithT(t), newWorld(t)
			p, fault := w.Enrol(w.h, w.deviceToken(), w.technician())
			g.Expect(fault).To(BeNil())
			_, fault = w.Enrol(w.h, token(w), w.technician())
			g.Expect(fault).NotTo(BeNil())
			g.Expect(fault.Code()).To(Equal(hresult.EnrollAuthorization))
			w.Enrol(w.h, token(w), w.user()) // as a device of nobody's registration, or not at all
			m, err := w.Tenant.Device(p.DM.EntDMID)
			g.Expect(err).NotTo(HaveOccurred(), "the device's record stands")
			g.Expect(m.RegistrationID).To(Equal(w.registration.ID))
		})
	}
}
