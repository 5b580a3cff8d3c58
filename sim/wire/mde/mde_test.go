package mde_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/wire/mde"
)

func TestRoundTripMessages(t *testing.T) {
	g, must := gomega.NewWithT(t), encoded(t)

	h, d, err := mde.DecodeDiscover(must(mde.EncodeDiscover(request, discover())))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(d).To(gomega.Equal(discover()))
	g.Expect(h.MessageID).To(gomega.Equal(request.MessageID))
	g.Expect(h.To).To(gomega.Equal(request.To))
	g.Expect(h.Reply().RelatesTo).To(gomega.Equal(request.MessageID))

	h, r, err := mde.DecodeDiscoverResult(must(mde.EncodeDiscoverResult(answer, discoverResult())))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(r).To(gomega.Equal(discoverResult()))
	g.Expect(h.Security).To(gomega.Equal(answer.Security))
	g.Expect(h.ActivityID).To(gomega.Equal(answer.ActivityID))

	_, _, err = mde.DecodeGetPolicies(must(mde.EncodeGetPolicies(request, &mde.GetPolicies{})))
	g.Expect(err).NotTo(gomega.HaveOccurred())

	_, p, err := mde.DecodePolicy(must(mde.EncodePolicy(answer, policy())))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(p).To(gomega.Equal(policy()))

	_, e, err := mde.DecodeEnrolResult(must(mde.EncodeEnrolResult(answer, &mde.EnrolResult{Provisioning: []byte("doc"), Disposition: "d"})))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(*e).To(gomega.Equal(mde.EnrolResult{Provisioning: []byte("doc"), Disposition: "d"}))
}

func TestSecurityModes(t *testing.T) {
	for mode, s := range map[mde.Mode]*mde.Security{
		mde.ModeNone:        nil,
		mde.ModeFederated:   mde.FederatedSecurity([]byte("token")),
		mde.ModeEntra:       mde.EntraSecurity("eyJ0.e30.c2ln"),
		mde.ModeOnPremise:   mde.OnPremiseSecurity("user", "p&w"),
		mde.ModeCertificate: {ValueType: mde.ValueTypeX509, Token: []byte("certificate")},
	} {
		t.Run(string(mode), func(t *testing.T) {
			g, must := gomega.NewWithT(t), encoded(t)
			h, _, err := mde.DecodeEnrol(must(mde.EncodeEnrol(withSecurity(s), &mde.Enrol{Request: []byte("r")})))
			g.Expect(err).NotTo(gomega.HaveOccurred())
			g.Expect(h.Security).To(gomega.Equal(s))
			g.Expect(h.Security.Mode()).To(gomega.Equal(mode))
		})
	}
	g := gomega.NewWithT(t)
	g.Expect((&mde.Security{}).Mode()).To(gomega.Equal(mde.ModeNone))
	data, err := mde.EncodeEnrol(withSecurity(mde.EntraSecurity("t")), &mde.Enrol{Request: []byte("r")})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	broken := strings.Replace(string(data), base64.StdEncoding.EncodeToString([]byte("t")), "%%%", 1)
	_, _, err = mde.DecodeEnrol([]byte(broken))
	g.Expect(mde.ErrSecurity(err)).To(gomega.BeTrue())
}

func TestEnrolContext(t *testing.T) {
	g, must := gomega.NewWithT(t), encoded(t)
	want := &mde.Enrol{Request: []byte("pkcs10"), Context: technician()}
	_, got, err := mde.DecodeEnrol(must(mde.EncodeEnrol(request, want)))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(got).To(gomega.Equal(want))

	want = &mde.Enrol{Renew: true, Request: []byte("pkcs7")}
	_, got, err = mde.DecodeEnrol(must(mde.EncodeEnrol(request, want)))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(got).To(gomega.Equal(want))
	g.Expect(got.Context.Items()).To(gomega.HaveLen(3), "what Windows always sends")

	var c mde.Context
	g.Expect(c.Set("WhiteGlove", "True")).To(gomega.Succeed())
	g.Expect(c.WhiteGlove).To(gomega.BeTrue())
	g.Expect(c.Set("WhiteGlove", "maybe")).NotTo(gomega.Succeed())
	g.Expect(c.Set("AIKCert", "%")).NotTo(gomega.Succeed())
}

func TestDecodeTolerates(t *testing.T) {
	g := gomega.NewWithT(t)
	// Other prefixes, white space, no slash at the namespace's end, attributes with a prefix.
	text := `<?xml version="1.0"?><E:Envelope xmlns:E="http://www.w3.org/2003/05/soap-envelope" xmlns:w="http://www.w3.org/2005/08/addressing">
	 <E:Header><w:Action> ` + mde.ActionEnrol + ` </w:Action><w:MessageID>1</w:MessageID>
	  <o:Security xmlns:o="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd">
	   <o:BinarySecurityToken o:ValueType="` + mde.ValueTypeJWT + `"> dG9r
	   ZW4= </o:BinarySecurityToken></o:Security></E:Header>
	 <E:Body><RequestSecurityToken xmlns="http://docs.oasis-open.org/ws-sx/ws-trust/200512">
	  <TokenType>http://schemas.microsoft.com/5.0.0.0/ConfigurationManager/Enrollment/DeviceEnrollmentToken</TokenType>
	  <RequestType>http://docs.oasis-open.org/ws-sx/ws-trust/200512/Issue</RequestType>
	  <BinarySecurityToken ValueType="` + mde.ValueTypePKCS10 + `">cGtjczEw</BinarySecurityToken></RequestSecurityToken></E:Body></E:Envelope>`
	h, m, err := mde.DecodeEnrol([]byte(text))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(string(h.Security.Token)).To(gomega.Equal("token"))
	g.Expect(string(m.Request)).To(gomega.Equal("pkcs10"))
}

func TestDecodeRefuses(t *testing.T) {
	must := encoded(t)
	good := string(must(mde.EncodeDiscover(request, discover())))
	for name, c := range map[string]struct {
		text  string
		cause error
	}{
		"nothing":       {text: ""},
		"no XML":        {text: "{}"},
		"cut short":     {text: good[:len(good)-20]},
		"other message": {text: string(must(mde.EncodeGetPolicies(request, &mde.GetPolicies{})))},
		"other action":  {text: strings.Replace(good, "/Discover</a:Action>", "/Other</a:Action>", 1)},
		"other root":    {text: "<a/>"},
		"SOAP 1.1":      {text: strings.ReplaceAll(good, "http://www.w3.org/2003/05/soap-envelope", "http://schemas.xmlsoap.org/soap/envelope/")},
		"two roots":     {text: good + "<a/>"},
		"text after":    {text: good + "a"},
		"too big":       {text: good + strings.Repeat(" ", mde.MaxBytes), cause: mde.ErrTooBig},
		"too deep":      {text: strings.Replace(good, "<EmailAddress>", "<EmailAddress>"+strings.Repeat("<a>", 100), 1), cause: mde.ErrTooDeep},
		"doctype":       {text: `<!DOCTYPE a [<!ENTITY e "x">]>` + good, cause: mde.ErrDoctype},
		// encoding/xml expands no entity but the five that XML predefines, so there is nothing that could grow.
		"entity": {text: strings.Replace(good, "user@", "&e;", 1)},
	} {
		t.Run(name, func(t *testing.T) {
			g := gomega.NewWithT(t)
			_, _, err := mde.DecodeDiscover([]byte(c.text))
			g.Expect(err).To(gomega.HaveOccurred())
			if c.cause != nil {
				g.Expect(err).To(gomega.MatchError(c.cause))
			}
		})
	}
}

func TestFaults(t *testing.T) {
	g := gomega.NewWithT(t)
	both := map[hresult.Code]string{
		hresult.EnrollMessageFormat: "s:MessageFormat", hresult.EnrollAuthentication: "s:Authentication", hresult.EnrollAuthorization: "s:Authorization",
		hresult.EnrollCertificateRequest: "s:CertificateRequest", hresult.EnrollServerError: "s:EnrollmentServer",
		hresult.EnrollInternalService: "a:InternalServiceFault", hresult.EnrollInvalidSecurity: "a:InvalidSecurity",
		hresult.EnrollDeviceCapReached: "DeviceCapReached", hresult.EnrollDeviceNotSupported: "DeviceNotSupported", hresult.EnrollNotSupported: "NotSupported",
		hresult.EnrollNotEligibleToRenew: "NotEligibleToRenew", hresult.EnrollInMaintenance: "InMaintenance", hresult.EnrollUserLicense: "UserLicense",
		hresult.EnrollInvalidData: "InvalidEnrollmentData", hresult.EnrollCustomServerError: "CustomServerError",
	}
	for code, name := range both {
		f, ok := mde.NewFault(code, "reason")
		g.Expect(ok).To(gomega.BeTrue(), name)
		g.Expect(f.Subcode + "/" + f.ErrorType).To(gomega.ContainSubstring(name))
		data, err := mde.EncodeFault(answer, f)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		_, _, err = mde.DecodeEnrolResult(data)
		var got *mde.Fault
		g.Expect(errors.As(err, &got)).To(gomega.BeTrue(), fmt.Sprint(err))
		g.Expect(got).To(gomega.Equal(f))
		g.Expect(got.Code()).To(gomega.Equal(code))
		g.Expect(got.Error()).To(gomega.ContainSubstring(code.Hex()))
	}
	_, ok := mde.NewFault(hresult.EnrollConnectivity, "")
	g.Expect(ok).To(gomega.BeFalse(), "the client makes this code by itself")
	g.Expect((&mde.Fault{Subcode: "x:Other", ErrorType: "Other"}).Code()).To(gomega.Equal(hresult.EnrollUnknown))
	g.Expect((&mde.Fault{Subcode: "soap:Authorization"}).Code()).To(gomega.Equal(hresult.EnrollAuthorization))
}

func TestProvisioningLayouts(t *testing.T) {
	for _, layout := range []mde.Layout{mde.LayoutIntune, mde.LayoutSpec} {
		g, must := gomega.NewWithT(t), encoded(t)
		data := must(provisioning().Encode(layout))
		got, err := mde.DecodeProvisioning(data)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(got).To(gomega.Equal(provisioning()))
	}
}

// Clients that look by position find Root, CA and My in this order, and the device's certificate in the third parameter of
// depth four.
func TestProvisioningPositions(t *testing.T) {
	g, must := gomega.NewWithT(t), encoded(t)
	top, err := mde.DecodeWAP(must(provisioning().Encode(mde.LayoutIntune)))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	var names, values []string
	for _, c := range top {
		names = append(names, c.Type)
	}
	g.Expect(names).To(gomega.Equal([]string{"CertificateStore", "APPLICATION", "DMClient"}))
	names = nil
	for _, store := range top[0].Children {
		names = append(names, store.Type)
		for _, s := range store.Children {
			for _, c := range s.Children {
				if v, ok := c.Parm("EncodedCertificate"); ok {
					values = append(values, v)
				}
			}
		}
	}
	g.Expect(names).To(gomega.Equal([]string{"Root", "CA", "My"}))
	g.Expect(values[2]).To(gomega.Equal(base64.StdEncoding.EncodeToString([]byte("client"))))
}

func TestProvisioningRefuses(t *testing.T) {
	g, must := gomega.NewWithT(t), encoded(t)
	good := string(must(provisioning().Encode(mde.LayoutIntune)))
	for _, bad := range []string{
		"", "<a/>", `<wap-provisioningdoc version="1.1"/>`,
		strings.Replace(good, `value="42"`, `value="x"`, 1),
		strings.Replace(good, `value="30000"`, `value="x"`, 1),
		strings.Replace(good, `name="PollOnLogin" value="true"`, `name="PollOnLogin" value="x"`, 1),
		strings.Replace(good, base64.StdEncoding.EncodeToString([]byte("client")), "Zm9v", 1),
		strings.Replace(good, base64.StdEncoding.EncodeToString([]byte("client")), "%", 1),
	} {
		_, err := mde.DecodeProvisioning([]byte(bad))
		g.Expect(err).To(gomega.HaveOccurred(), bad)
	}
}

func TestPolicyRefuses(t *testing.T) {
	g, must := gomega.NewWithT(t), encoded(t)
	good := string(must(mde.EncodePolicy(answer, policy())))
	for _, bad := range []string{
		strings.Replace(good, "<policySchema>3<", "<policySchema>2<", 1),
		strings.Replace(good, "<oIDReferenceID>0<", "<oIDReferenceID>7<", 1),
		good[:strings.Index(good, "<policies>")] + good[strings.Index(good, "</policies>")+len("</policies>"):],
	} {
		_, _, err := mde.DecodePolicy([]byte(bad))
		g.Expect(err).To(gomega.HaveOccurred())
	}
}

func texts() *rapid.Generator[string] { return rapid.StringMatching(`[a-zA-Z0-9<>&"'=;é/]{0,16}`) }

func TestContextRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bytes := rapid.SliceOfN(rapid.Byte(), 1, 8)
		want := &mde.Enrol{Request: bytes.Draw(t, "request"), Renew: rapid.Bool().Draw(t, "renew"), Context: mde.Context{
			OSEdition: texts().Draw(t, "edition"), DeviceName: texts().Draw(t, "name"), MAC: rapid.SliceOfN(texts(), 1, 3).Draw(t, "mac"),
			ZeroTouchProvisioning: texts().Draw(t, "ztd"), WhiteGlove: rapid.Bool().Draw(t, "wg"), BulkAADJ: rapid.Bool().Draw(t, "bulk"),
			UXInitiated: rapid.Bool().Draw(t, "ux"), AIKPub: bytes.Draw(t, "pub"), AADPub: bytes.Draw(t, "aad"),
			Extra: []mde.ContextItem{{Name: "Zzz" + texts().Draw(t, "extra name"), Value: texts().Draw(t, "extra")}},
		}}
		g := gomega.NewWithT(t)
		data, err := mde.EncodeEnrol(request, want)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		_, got, err := mde.DecodeEnrol(data)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(got).To(gomega.Equal(want))
	})
}

func TestProvisioningRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := provisioning()
		want.Roots = rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 1, 9), 1, 3).Draw(t, "roots")
		want.App.Addr, want.App.CertSearch = texts().Draw(t, "addr"), texts().Draw(t, "search")
		want.App.ProviderID = "p" + texts().Draw(t, "provider")
		want.App.InitialBackoff, want.DM.UPN = rapid.IntRange(0, 1<<30).Draw(t, "backoff"), texts().Draw(t, "upn")
		want.DM.Poll.RemainingRetries = rapid.IntRange(-5, 5).Draw(t, "retries")
		layout := rapid.SampledFrom([]mde.Layout{mde.LayoutIntune, mde.LayoutSpec}).Draw(t, "layout")
		g := gomega.NewWithT(t)
		data, err := want.Encode(layout)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		got, err := mde.DecodeProvisioning(data)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(got).To(gomega.Equal(want))
	})
}
