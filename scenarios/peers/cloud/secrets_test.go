package cloud_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/wire/mde"
)

var _ = Describe("windtunnel serve, and secrets", func() {
	It("keeps them out of the journal, of refusals and of what it prints", func() {
		dir := filepath.Join(GinkgoT().TempDir(), "state")
		e := enroller{start(filepath.Join("testdata", "password.yaml"), "--state", dir), GinkgoT().TempDir()}
		secrets := map[string]string{"password": staffPassword, "client secret": e.App().Secret}
		token := func(form url.Values) (status int, answer map[string]any) {
			GinkgoHelper()
			resp, err := e.Client().PostForm("https://login.microsoftonline.com/"+e.Ready.TenantID+"/oauth2/v2.0/token", form)
			Expect(err).NotTo(HaveOccurred())
			defer resp.Body.Close()
			Expect(json.NewDecoder(resp.Body).Decode(&answer)).To(Succeed())
			return resp.StatusCode, answer
		}

		By("sign-ins, good and bad")
		password := url.Values{"grant_type": {"password"}, "client_id": {azureCLI}, "username": {staff}, "password": {staffPassword}, "scope": {graphDefault + " offline_access"}}
		status, answer := token(password)
		Expect(status).To(Equal(http.StatusOK), "%v", answer)
		secrets["access token"], secrets["refresh token"] = answer["access_token"].(string), answer["refresh_token"].(string)
		_, answer = token(url.Values{"grant_type": {"refresh_token"}, "client_id": {azureCLI}, "refresh_token": {secrets["refresh token"]}, "scope": {graphDefault}})
		secrets["next refresh token"] = answer["refresh_token"].(string)
		for name, form := range map[string]url.Values{
			"wrong password":      {"grant_type": {"password"}, "client_id": {azureCLI}, "username": {staff}, "password": {"mistyped-7391"}, "scope": {graphDefault}},
			"wrong secret":        {"grant_type": {"client_credentials"}, "client_id": {e.App().ClientID}, "client_secret": {"mistyped-7392"}, "scope": {graphDefault}},
			"wrong refresh token": {"grant_type": {"refresh_token"}, "client_id": {azureCLI}, "refresh_token": {"mistyped-7393"}, "scope": {graphDefault}},
			"wrong code":          {"grant_type": {"authorization_code"}, "client_id": {azureCLI}, "code": {"mistyped-7394"}, "redirect_uri": {"http://localhost"}, "scope": {graphDefault}},
			"wrong assertion":     {"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "client_id": {e.App().ClientID}, "client_secret": {e.App().Secret}, "assertion": {"mistyped-7395.a.b"}, "requested_token_use": {"on_behalf_of"}, "scope": {graphDefault}},
		} {
			status, answer := token(form)
			Expect(status).To(BeNumerically(">=", 400), name)
			text, err := json.Marshal(answer)
			Expect(err).NotTo(HaveOccurred())
			Expect(string(text)).NotTo(ContainSubstring("mistyped"), name)
		}
		secrets["what was mistyped"] = "mistyped-739"
		Expect(e.Run("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Authorization: Bearer mistyped-7396", "https://graph.microsoft.com/v1.0/me")).To(Equal("401"))
		Expect(e.Run("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Authorization: Bearer "+secrets["access token"], "https://graph.microsoft.com/v1.0/me")).To(Equal("200"))

		By("enrolments, good and bad")
		found := e.discover()
		code, document := e.post(e.Client(), found.EnrollmentURL, e.request(found.EnrollmentURL, mde.OnPremiseSecurity(staff, staffPassword), newKey()))
		e.provisioned(code, document, nil, nil)
		code, document = e.post(e.Client(), found.EnrollmentURL, e.request(found.EnrollmentURL, mde.OnPremiseSecurity(staff, "mistyped-7397"), newKey()))
		Expect(code).To(Equal(500))
		Expect(string(document)).NotTo(ContainSubstring("mistyped"))

		events, err := json.Marshal(e.Journal(""))
		Expect(err).NotTo(HaveOccurred())
		Expect(len(e.Journal("refused"))).To(BeNumerically(">=", 6))
		for name, secret := range secrets {
			Expect(string(events)).NotTo(ContainSubstring(secret), "the journal has the %s", name)
			Expect(e.said.String()).NotTo(ContainSubstring(secret), "it prints the %s", name)
		}
		for _, name := range []string{"access token", "refresh token", "next refresh token"} {
			for _, file := range []string{"tenant.db", "tenant.db-wal"} {
				kept, err := os.ReadFile(filepath.Join(dir, file))
				Expect(err).NotTo(HaveOccurred())
				Expect(string(kept)).NotTo(ContainSubstring(secrets[name]), "%s has the %s", file, name)
			}
		}
		info, err := os.Stat(filepath.Join(dir, "tenant.db"))
		Expect(err).NotTo(HaveOccurred())
		Expect(info.Mode().Perm()).To(BeEquivalentTo(0o600))
	})
})
