package sts_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/wire/oauth"
)

func (r *rig) deviceCode(path string, pairs ...string) oauth.DeviceCode {
	r.t.Helper()
	rec := r.do(http.MethodPost, path, values(pairs...).Encode(), "Content-Type", formType)
	r.g.Expect(rec.Code).To(Equal(http.StatusOK), rec.Body.String())
	var d oauth.DeviceCode
	r.must(json.Unmarshal(rec.Body.Bytes(), &d))
	return d
}

const deviceCodePath = "/contoso.com/oauth2/v2.0/devicecode"

func (r *rig) poll(d oauth.DeviceCode, more ...string) (oauth.TokenResponse, *oauth.Error) {
	r.t.Helper()
	r.now = r.now.Add(time.Duration(d.Interval) * time.Second)
	return r.token(append([]string{"grant_type", oauth.GrantDeviceCode, "client_id", tool, "device_code", d.DeviceCode}, more...)...)
}

func TestDeviceCode(t *testing.T) {
	r := newRig(t)
	d := r.deviceCode(deviceCodePath, "client_id", tool, "scope", "openid offline_access User.Read")
	r.g.Expect([]int64{d.ExpiresIn, d.Interval}).To(Equal([]int64{900, 5}))
	r.g.Expect(d.VerificationURI).To(Equal("https://login.microsoftonline.com/common/oauth2/deviceauth"))
	r.g.Expect(d.UserCode).To(MatchRegexp("^[B-Z2-9]{9}$"))
	_, refused := r.poll(d)
	r.refused(refused, oauth.AuthorizationPending)
	r.g.Expect(refused.Name).To(Equal(oauth.Pending))
	r.now = r.now.Add(-time.Duration(d.Interval) * time.Second)
	_, refused = r.poll(d) // at once
	r.g.Expect(refused.Name).To(Equal(oauth.SlowDown))
	_, refused = r.poll(d, "client_id", web)
	r.refused(refused, oauth.BadVerificationCode)
	_, refused = r.poll(d, "device_code", "guess")
	r.refused(refused, oauth.BadVerificationCode)

	p := r.open("/common/oauth2/deviceauth")
	r.g.Expect(p.press("next", "otc", "WRONG").Body.String()).To(ContainSubstring("AADSTS70018"))
	approve := p.press("next", "otc", " "+d.UserCode[:4]+"-"+d.UserCode[4:]).signIn(adele)
	r.g.Expect(approve.Body.String()).To(ContainSubstring("Are you trying to sign in to Tool?"))
	_, refused = r.poll(d)
	r.refused(refused, oauth.AuthorizationPending)
	r.g.Expect(approve.press("next").Body.String()).To(ContainSubstring("You have signed in"))
	out, refused := r.poll(d)
	r.g.Expect(refused).To(BeNil())
	r.g.Expect([]string{r.claims(out.AccessToken).UPN, r.claims(out.IDToken).PreferredUsername}).To(Equal([]string{adele, adele}))
	r.g.Expect(out.RefreshToken).NotTo(BeEmpty())
	_, refused = r.poll(d)
	r.refused(refused, oauth.BadVerificationCode)
	r.g.Expect(p.press("next", "otc", d.UserCode).Body.String()).To(ContainSubstring("AADSTS70018"), "a user code is good once")

	// Version 1, at common.
	v1 := r.deviceCode("/common/oauth2/devicecode", "client_id", tool, "resource", oauth.ResourceGraph)
	r.g.Expect(v1.V1).To(BeTrue())
	r.open("/common/oauth2/deviceauth").press("next", "otc", v1.UserCode).signIn(adele).press("next")
	out, refused = r.tokenAt("/common/oauth2/token", values("grant_type", oauth.GrantDeviceCode1, "client_id", tool, "code", v1.DeviceCode, "resource", oauth.ResourceGraph))
	r.g.Expect(refused).To(BeNil())
	r.g.Expect(out.Resource).To(Equal(oauth.ResourceGraph))
}

func TestDeviceCodesThatComeToNothing(t *testing.T) {
	r := newRig(t)
	d := r.deviceCode(deviceCodePath, "client_id", tool, "scope", "User.Read")
	r.open("/common/oauth2/deviceauth").press("next", "otc", d.UserCode).press("cancel")
	_, refused := r.poll(d)
	r.refused(refused, oauth.UserDeclined)
	r.g.Expect(refused.Name).To(Equal(oauth.Declined))

	d = r.deviceCode(deviceCodePath, "client_id", tool, "scope", "User.Read")
	other := r.open("/common/oauth2/deviceauth?user_code=" + d.UserCode)
	r.g.Expect(other.form().Get("otc")).To(Equal(d.UserCode))
	r.g.Expect(other.press("next").signIn("adele@fabrikam.com").Body.String()).To(ContainSubstring("AADSTS50034"), "of another tenant")
	r.now = r.now.Add(16 * time.Minute)
	_, refused = r.poll(d)
	r.refused(refused, oauth.DeviceCodeExpired)
	r.g.Expect(refused.Name).To(Equal(oauth.ExpiredToken))
	r.g.Expect(r.open("/common/oauth2/deviceauth").press("next", "otc", d.UserCode).Body.String()).To(ContainSubstring("AADSTS70019"))

	for want, form := range map[string]string{
		"AADSTS900144":  "scope=User.Read",
		"AADSTS700016":  "client_id=x&scope=User.Read",
		"AADSTS7000218": "client_id=" + web + "&scope=User.Read",
		"AADSTS28000":   "client_id=" + tool + "&scope=https://a/b+https://c/d",
	} {
		r.g.Expect(r.do(http.MethodPost, deviceCodePath, form, "Content-Type", formType).Body.String()).To(ContainSubstring(want))
	}
	_, refused = r.token("grant_type", oauth.GrantDeviceCode, "client_id", tool)
	r.refused(refused, oauth.MissingBodyParameter)
}
