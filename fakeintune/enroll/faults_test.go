package enroll_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/enroll"
	"windtunnel.test/fakeintune/internal/rig"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/mde"
)

// restricted changes the default restriction of the platform.
func restricted(r graph.PlatformRestriction) func(*world) {
	return func(w *world) {
		c := w.Tenant.DefaultRestrictions()[1]
		c.Windows = r
		w.restrict(c)
	}
}

func (w *world) limit(devices int) {
	w.restrict(graph.EnrollmentRestriction{ODataType: graph.TypeEnrollmentLimit, EnrollmentLimit: &graph.EnrollmentLimit{Limit: devices}})
}

// restrict puts a restriction in, for the user's group unless it is a default.
func (w *world) restrict(r graph.EnrollmentRestriction) {
	if r.ID == "" {
		r.DisplayName, r.Assignments = "Sales", []graph.Assignment{{Target: graph.Group("sales")}}
	}
	w.Do(func(ctx context.Context) {
		if _, err := w.Tenant.Restrictions().Add(ctx, r); err != nil {
			w.T.Error(err)
		}
	})
}

// request encodes a RequestSecurityToken.
func (w *world) request(s *mde.Security, m mde.Enrol) []byte {
	body, err := mde.EncodeEnrol(mde.Header{MessageID: "urn:uuid:77", To: enrolURL, Security: s}, &m)
	if err != nil {
		w.T.Fatal(err)
	}
	return body
}

// post sends a message as it is and gives the fault, nil if it was taken.
func (w *world) post(address string, body []byte) *mde.Fault {
	rec := w.Call(w.h, http.MethodPost, address, soap, body, nil)
	_, _, err := mde.DecodeEnrolResult(rec.Body.Bytes())
	var fault *mde.Fault
	if errors.As(err, &fault) {
		if rec.Code != http.StatusInternalServerError {
			w.T.Fatalf("a fault with status %d", rec.Code)
		}
		return fault
	}
	if err != nil {
		w.T.Fatal(err)
	}
	return nil
}

// Every fault of the table "SOAP fault" (learn.microsoft.com, mobile device
// enrollment) comes about: subcode, error type, trace id.
func TestEveryFault(t *testing.T) {
	user := func(w *world) []byte { return w.request(mde.EntraSecurity(w.userToken()), w.user()) }
	for _, tc := range []struct {
		code          hresult.Code
		subcode, kind string
		before        func(*world)
		body          func(*world) []byte
	}{
		{hresult.EnrollMessageFormat, "s:MessageFormat", "", nil, func(*world) []byte { return []byte("<x/>") }},
		{hresult.EnrollAuthentication, "s:Authentication", "", nil, func(w *world) []byte { return w.request(nil, w.user()) }},
		{hresult.EnrollAuthorization, "s:Authorization", "", func(w *world) { w.configure(enroll.Settings{Scope: enroll.ScopeNone}) }, user},
		{hresult.EnrollCertificateRequest, "s:CertificateRequest", "", nil, func(w *world) []byte {
			return w.request(mde.EntraSecurity(w.userToken()), mde.Enrol{Request: []byte{1}, Context: w.user().Context})
		}},
		{hresult.EnrollServerError, "s:EnrollmentServer", "", func(w *world) {
			w.Do(func(ctx context.Context) {
				if _, err := w.Tenant.Profiles().Update(ctx, w.registration.ProfileID, func(p *graph.DeploymentProfile) error {
					p.PreprovisioningAllowed = false
					return nil
				}); err != nil {
					w.T.Error(err)
				}
			})
		}, func(w *world) []byte { return w.request(mde.EntraSecurity(w.deviceToken()), w.technician()) }},
		{hresult.EnrollInternalService, "a:InternalServiceFault", "", func(w *world) {
			w.configure(enroll.Settings{AuthPolicy: mde.OnPremise})
			w.directory = errors.New("secret detail")
		}, func(w *world) []byte { return w.request(mde.OnPremiseSecurity(ada, secret), w.user()) }},
		{hresult.EnrollInvalidSecurity, "a:InvalidSecurity", "", nil, func(w *world) []byte {
			return bytes.Replace(user(w), []byte("#base64binary\">"), []byte("#base64binary\">*"), 1)
		}},
		{hresult.EnrollDeviceCapReached, "s:Authorization", "DeviceCapReached", func(w *world) {
			w.limit(1)
			w.Do(func(ctx context.Context) {
				if _, err := w.Tenant.Enroll(ctx, tenant.ManagedDevice{ManagedDevice: graph.ManagedDevice{UserPrincipalName: ada, AzureADDeviceID: "old"}}); err != nil {
					w.T.Error(err)
				}
			})
		}, user},
		{hresult.EnrollDeviceNotSupported, "s:Authorization", "DeviceNotSupported", restricted(graph.PlatformRestriction{PlatformBlocked: true}), user},
		{hresult.EnrollNotSupported, "s:Authorization", "NotSupported", nil, func(w *world) []byte {
			m := w.user()
			m.Context.OSEdition = "101"
			return w.request(mde.EntraSecurity(w.userToken()), m)
		}},
		{hresult.EnrollInMaintenance, "s:Authorization", "InMaintenance", func(w *world) { w.configure(enroll.Settings{Maintenance: true}) }, user},
		{hresult.EnrollUserLicense, "s:Authorization", "UserLicense", func(w *world) {
			u := w.Directory.Users[ada]
			u.Licensed = false
			w.Directory.Users[ada] = u
		}, user},
		{hresult.EnrollInvalidData, "s:Authorization", "InvalidEnrollmentData", func(w *world) { w.configure(enroll.Settings{TermsOfUse: "accepted"}) }, user},
		{hresult.EnrollCustomServerError, "s:Authorization", "CustomServerError", func(w *world) { w.configure(enroll.Settings{CustomError: "Call the <help desk>"}) }, user},
	} {
		t.Run(tc.code.Hex(), func(t *testing.T) {
			g, w := NewWithT(t), newWorld(t)
			if tc.before != nil {
				tc.before(w)
			}
			devices := len(w.Tenant.Devices())
			fault := w.post(enrolURL, tc.body(w))
			g.Expect(fault).NotTo(BeNil())
			g.Expect(fault.Code().Hex()).To(Equal(tc.code.Hex()), fault.Error())
			g.Expect(fault.Subcode).To(Equal(tc.subcode))
			g.Expect(fault.ErrorType).To(Equal(tc.kind))
			g.Expect(fault.TraceID).To(HaveLen(36))
			g.Expect(fault.Error()).NotTo(ContainSubstring("secret"))
			g.Expect(w.Refusals()).To(HaveLen(1))
			g.Expect(w.Tenant.Devices()).To(HaveLen(devices))
			if tc.kind == mde.CustomServerError {
				g.Expect(fault.Message).To(Equal("Call the <help desk>"))
			}
		})
	}
	t.Run(hresult.EnrollNotEligibleToRenew.Hex(), func(t *testing.T) {
		g, w := NewWithT(t), newWorld(t)
		d := w.enrolled()
		_, fault := w.renew(d, nil)
		g.Expect(fault.ErrorType).To(Equal(mde.NotEligibleToRenew))
		g.Expect(fault.Subcode).To(Equal("s:Authorization"))
		g.Expect(fault.Code()).To(Equal(hresult.EnrollNotEligibleToRenew))
	})
}

func TestTermsOfUse(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	w.configure(enroll.Settings{TermsOfUse: "accepted"})
	m := w.user()
	m.Context.EnrollmentData = "accepted"
	_, fault := w.Enrol(w.h, w.userToken(), m)
	g.Expect(fault).To(BeNil())
	_, fault = w.Enrol(w.h, w.deviceToken(), w.technician())
	g.Expect(fault).To(BeNil(), "a technician accepts nothing")
}

// Restrictions are for groups of users; who enrols without one gets the
// default.
func TestRestrictionsByGroup(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	w.restrict(graph.EnrollmentRestriction{ODataType: graph.TypePlatformRestriction,
		SinglePlatformRestriction: &graph.SinglePlatformRestriction{PlatformType: graph.PlatformWindows, Restriction: graph.PlatformRestriction{PlatformBlocked: true}}})
	_, fault := w.Enrol(w.h, w.userToken(), w.user())
	g.Expect(fault.Code()).To(Equal(hresult.EnrollDeviceNotSupported))
	_, fault = w.Enrol(w.h, w.deviceToken(), w.technician())
	g.Expect(fault).To(BeNil())
}

func TestPersonallyOwned(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	restricted(graph.PlatformRestriction{PersonalDeviceEnrollmentBlocked: true})(w)
	_, fault := w.Enrol(w.h, w.userToken(), w.user())
	g.Expect(fault).To(BeNil(), "a registered device is the company's")
	own := w.user()
	own.Context.ZeroTouchProvisioning = ""
	_, fault = w.Enrol(w.h, w.UserToken(rig.TenantID, ada, ""), own)
	g.Expect(fault.Code()).To(Equal(hresult.EnrollDeviceNotSupported))
	g.Expect(w.Refusals()).To(ConsistOf("personally owned 0x80180014"))
}

// TestVersionRestrictions: the bounds belong to what may enrol; what is left out
// of a bound or of the PC's version does not count.
func TestVersionRestrictions(t *testing.T) {
	for _, c := range []struct {
		version, least, most string
		refused              bool
	}{
		{"10.0.26100.1742", "", "", false},
		{"10.0.26100.1742", "10.0.26100.1742", "10.0.26100.1742", false},
		{"10.0.26100.1741", "10.0.26100.1742", "", true},
		{"10.0.26100.1743", "", "10.0.26100.1742", true},
		{"10.0.9200.1", "10.0.22631.0", "", true}, // numbers, not texts
		{"10.0.26100.1742", "10.0", "10.0", false},
		{"10.0.26100", "10.0.26100.4652", "", false},
	} {
		g, w := NewWithT(t), newWorld(t)
		restricted(graph.PlatformRestriction{OSMinimumVersion: c.least, OSMaximumVersion: c.most})(w)
		m := w.user()
		m.Context.OSVersion = c.version
		_, fault := w.Enrol(w.h, w.userToken(), m)
		g.Expect(fault != nil).To(Equal(c.refused), "%+v: %v", c, fault)
		if c.refused {
			g.Expect(fault.Code()).To(Equal(hresult.EnrollDeviceNotSupported))
			g.Expect(w.Refusals()).To(ConsistOf("version restriction 0x80180014"))
		}
	}
}

// What is no message at all, or not one that can be told apart from another.
func TestBadMessages(t *testing.T) {
	w := newWorld(t)
	good := string(w.request(mde.EntraSecurity(w.userToken()), w.user()))
	token, _, _ := strings.Cut(good[strings.Index(good, "<wsse:Security"):], "</wsse:Security>")
	security := token + "</wsse:Security>"
	body := good[strings.Index(good, "<s:Body>"):strings.Index(good, "</s:Envelope>")]
	for name, message := range map[string]string{
		"nothing":             "",
		"no XML":              "{}",
		"truncated":           good[:len(good)/2],
		"too big":             strings.Replace(good, "</s:Body>", "<!--"+strings.Repeat("x", mde.MaxBytes)+"--></s:Body>", 1),
		"too deep":            strings.Replace(good, "<s:Body>", "<s:Body>"+strings.Repeat("<a>", 5000), 1),
		"entity expansion":    `<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>` + strings.Replace(good, "DESKTOP-1", "&b;", 1),
		"external entity":     `<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]>` + strings.Replace(good, "DESKTOP-1", "&a;", 1),
		"undefined entity":    strings.Replace(good, "DESKTOP-1", "&b;", 1),
		"many attributes":     strings.Replace(good, "<s:Body>", "<s:Body "+attributes(4000)+">", 1),
		"attribute twice":     strings.Replace(good, `Name="DeviceName"`, `Name="DeviceName" Name="DeviceName"`, 1),
		"SOAP 1.1":            strings.Replace(good, "http://www.w3.org/2003/05/soap-envelope", "http://schemas.xmlsoap.org/soap/envelope/", 1),
		"other trust version": strings.ReplaceAll(good, "http://docs.oasis-open.org/ws-sx/ws-trust/200512", "http://schemas.xmlsoap.org/ws/2005/02/trust"),
		"undeclared prefix":   strings.Replace(good, "xmlns:wst=", "xmlns:nobody=", 1),
		"second body":         strings.Replace(good, "</s:Envelope>", body+"</s:Envelope>", 1),
		"second header":       strings.Replace(good, "<s:Body>", "<s:Header/><s:Body>", 1),
		"second security":     strings.Replace(good, security, security+security, 1),
		"second action":       strings.Replace(good, "<a:MessageID>", "<a:Action>x</a:Action><a:MessageID>", 1),
		"second request":      strings.Replace(good, "</s:Body>", "<wst:RequestSecurityToken/></s:Body>", 1),
		"other action":        strings.Replace(good, mde.ActionEnrol, mde.ActionDiscover, 1),
		"other token type":    strings.Replace(good, "/DeviceEnrollmentToken<", "/Other<", 1),
		"other request type":  strings.Replace(good, "/Issue<", "/Cancel<", 1),
		"flag that is none":   strings.Replace(good, "<ac:Value>true<", "<ac:Value>perhaps<", 1),
	} {
		g := NewWithT(t)
		g.Expect(message).NotTo(Equal(good), name)
		fault := w.post(enrolURL, []byte(message))
		g.Expect(fault).NotTo(BeNil(), name)
		g.Expect(fault.Code().Hex()).To(Equal(hresult.EnrollMessageFormat.Hex()), name+": "+fault.Error())
		g.Expect(w.Tenant.Devices()).To(BeEmpty(), name)
	}
	g := NewWithT(t)
	for name, h := range map[string]http.Header{
		"none": {}, "other": {"Content-Type": {"text/xml"}}, "two": {"Content-Type": {mde.ContentType, mde.ContentType}}, "broken": {"Content-Type": {"application/soap+xml; ;;"}},
	} {
		rec := w.Call(w.h, http.MethodPost, enrolURL, h, []byte(good), nil)
		g.Expect(rec.Code).To(Equal(http.StatusUnsupportedMediaType), name)
		g.Expect(rec.Body.String()).To(ContainSubstring("MessageFormat"), name)
	}
	g.Expect(w.post(enrolURL, []byte(good))).To(BeNil())
}

func attributes(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(" a")
		b.WriteString(strings.Repeat("b", i%50))
		b.WriteByte(byte('a' + i%26))
		b.WriteString(`="v"`)
	}
	return b.String()
}
