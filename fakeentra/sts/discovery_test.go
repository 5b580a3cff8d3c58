package sts_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/wire/oauth"
)

func TestInstanceDiscovery(t *testing.T) {
	r := newRig(t)
	ask := func(version, endpoint string) (int, oauth.InstanceDiscovery, oauth.Error) {
		rec := r.do(http.MethodGet, "/common/discovery/instance?api-version="+version+"&authorization_endpoint="+url.QueryEscape(endpoint), "")
		var out oauth.InstanceDiscovery
		var refused oauth.Error
		r.must(json.Unmarshal(rec.Body.Bytes(), &out))
		r.must(json.Unmarshal(rec.Body.Bytes(), &refused))
		return rec.Code, out, refused
	}
	status, out, _ := ask("1.1", "https://login.microsoftonline.com/contoso.com/oauth2/v2.0/authorize")
	r.g.Expect(status).To(Equal(http.StatusOK))
	r.g.Expect(out.TenantDiscoveryEndpoint).To(Equal("https://login.microsoftonline.com/contoso.com/v2.0/.well-known/openid-configuration"))
	r.g.Expect(out.Metadata[0].Aliases).To(ContainElements("login.microsoftonline.com", "login.windows.net", "sts.windows.net"))
	r.g.Expect(out.Metadata[0].PreferredCache).To(Equal("login.windows.net"))
	_, out, _ = ask("1.0", "https://login.windows.net/common/oauth2/authorize")
	r.g.Expect(out.TenantDiscoveryEndpoint).To(Equal("https://login.windows.net/common/.well-known/openid-configuration"))
	r.g.Expect(out.Metadata).To(BeEmpty())
	for _, endpoint := range []string{"https://login.contoso.example/common/oauth2/authorize", "http://login.microsoftonline.com/common/oauth2/authorize",
		"https://login.microsoftonline.com/", "https://login.microsoftonline.com@evil.example/common/oauth2/authorize", "https://login.microsoftonline.com.evil.example/a/b", "%%"} {
		status, _, refused := ask("1.1", endpoint)
		r.g.Expect(status).To(Equal(http.StatusBadRequest), endpoint)
		r.g.Expect(refused.Name).To(Equal(oauth.InvalidInstance), endpoint)
		r.refused(&refused, oauth.UnknownInstance)
	}
	_, _, refused := ask("2.0", "https://login.microsoftonline.com/common/oauth2/authorize")
	r.refused(&refused, oauth.InvalidInput)
	_, _, refused = ask("1.1", "")
	r.refused(&refused, oauth.MissingParameter)
}

func TestConfigurationOfEveryAuthority(t *testing.T) {
	r := newRig(t)
	for name, want := range map[string]struct{ in, issuer1, issuer2 string }{
		tenantID:            {tenantID, "https://sts.windows.net/" + tenantID + "/", "https://login.microsoftonline.com/" + tenantID + "/v2.0"},
		"Contoso.com":       {tenantID, "https://sts.windows.net/" + tenantID + "/", "https://login.microsoftonline.com/" + tenantID + "/v2.0"},
		oauth.Common:        {"common", "https://sts.windows.net/{tenantid}/", "https://login.microsoftonline.com/{tenantid}/v2.0"},
		oauth.Organizations: {"organizations", "https://sts.windows.net/{tenantid}/", "https://login.microsoftonline.com/{tenantid}/v2.0"},
		oauth.Consumers:     {"consumers", "https://sts.windows.net/" + oauth.ConsumersTenant + "/", "https://login.microsoftonline.com/" + oauth.ConsumersTenant + "/v2.0"},
	} {
		var v1, v2 oauth.Metadata
		r.must(json.Unmarshal(r.do(http.MethodGet, "/"+name+"/.well-known/openid-configuration", "").Body.Bytes(), &v1))
		rec := r.do(http.MethodGet, "/"+name+"/v2.0/.well-known/openid-configuration", "")
		r.must(json.Unmarshal(rec.Body.Bytes(), &v2))
		r.g.Expect([]string{v1.Issuer, v2.Issuer}).To(Equal([]string{want.issuer1, want.issuer2}), name)
		r.g.Expect(v1.TokenEndpoint).To(Equal("https://login.microsoftonline.com/" + want.in + "/oauth2/token"))
		r.g.Expect(v2.DeviceEndpoint).To(Equal("https://login.microsoftonline.com/" + want.in + "/oauth2/v2.0/devicecode"))
		r.g.Expect(rec.Header().Get("Access-Control-Allow-Origin")).To(Equal("*"))
		r.g.Expect(rec.Header().Get("x-ms-request-id")).NotTo(BeEmpty())
	}
	rec := r.do(http.MethodGet, "/nowhere.example/v2.0/.well-known/openid-configuration", "")
	var refused oauth.Error
	r.must(json.Unmarshal(rec.Body.Bytes(), &refused))
	r.refused(&refused, oauth.TenantNotFound)
}

func TestKeyDocuments(t *testing.T) {
	r := newRig(t)
	read := func(path string) map[string]any {
		var doc struct{ Keys []map[string]any }
		r.must(json.Unmarshal(r.do(http.MethodGet, path, "").Body.Bytes(), &doc))
		r.g.Expect(doc.Keys).To(HaveLen(1))
		for _, member := range []string{"kty", "use", "kid", "x5t", "n", "e", "x5c"} {
			r.g.Expect(doc.Keys[0]).To(HaveKey(member), path)
		}
		return doc.Keys[0]
	}
	r.g.Expect(read("/common/discovery/keys")).NotTo(HaveKey("issuer"))
	r.g.Expect(read("/common/discovery/v2.0/keys")).To(HaveKeyWithValue("issuer", "https://login.microsoftonline.com/{tenantid}/v2.0"))
	r.g.Expect(read("/contoso.com/discovery/v2.0/keys")).To(HaveKeyWithValue("issuer", "https://login.microsoftonline.com/"+tenantID+"/v2.0"))
}

func TestUserRealmAndCredentialType(t *testing.T) {
	r := newRig(t)
	for path, want := range map[string]string{
		"/common/userrealm/adele%40contoso.com?api-version=1.0":                  `"account_type":"Managed"`,
		"/common/UserRealm/adele@contoso.com?api-version=2.1":                    `"NameSpaceType":"Managed"`,
		"/common/userrealm?user=adele@contoso.com&api-version=2.1":               `"DomainName":"contoso.com"`,
		"/common/userrealm/?user=adele@contoso.com&api-version=1.0":              `"domain_name":"contoso.com"`,
		"/GetUserRealm.srf?login=adele@contoso.com&json=1":                       `"NameSpaceType":"Managed"`,
		"/contoso.com/userrealm/adele@nowhere.example?api-version=1.0":           `"account_type":"Unknown"`,
		"/common/userrealm/adele?api-version=1.0":                                `"account_type":"Unknown"`,
		"/common/userrealm?api-version=1.0":                                      `AADSTS90014`,
		"/common/userrealm/%3Cscript%3E@nowhere.example?api-version=2.1":         `"NameSpaceType":"Unknown"`,
		"/common/userrealm/nobody@contoso.com?api-version=1.0&checkForMicrosoft": `"account_type":"Managed"`,
	} {
		rec := r.do(http.MethodGet, path, "")
		r.g.Expect(rec.Body.String()).To(ContainSubstring(want), path)
		r.g.Expect(rec.Header().Get("Content-Type")).To(HavePrefix("application/json"))
	}
	ask := func(body, contentType string) string {
		return r.do(http.MethodPost, "/common/GetCredentialType?mkt=en-US", body, "Content-Type", contentType).Body.String()
	}
	r.g.Expect(ask(`{"username":"adele@contoso.com","isOtherIdpSupported":true}`, "application/json; charset=UTF-8")).To(And(ContainSubstring(`"IfExistsResult":0`), ContainSubstring(`"HasPassword":true`)))
	r.g.Expect(ask(`{"username":"nobody@contoso.com"}`, "application/json")).To(And(ContainSubstring(`"IfExistsResult":1`), ContainSubstring(`"DomainType":3`)))
	r.g.Expect(ask(`{"username":"x@nowhere.example"}`, "application/json")).To(ContainSubstring(`"DomainType":1`))
	for _, c := range [][2]string{{`{"username":`, "application/json"}, {`{}`, "application/json"}, {`{"username":"a@b"}`, "text/plain"}} {
		r.g.Expect(ask(c[0], c[1])).To(ContainSubstring("AADSTS9002313"))
	}
}

func TestTheRest(t *testing.T) {
	r := newRig(t)
	r.g.Expect(r.open("/error?code=50126").Body.String()).To(ContainSubstring("AADSTS50126"))
	r.g.Expect(r.open("/error?code=<b>").Code).To(Equal(http.StatusNotFound))
	r.g.Expect(r.open("/common/oauth2/nativeclient").Code).To(Equal(http.StatusOK))
	r.g.Expect(r.open("/contoso.com/oauth2/v2.0/token").Body.String()).To(ContainSubstring("AADSTS900561"))
	r.g.Expect(r.open("/contoso.com/nothing").Code).To(Equal(http.StatusNotImplemented))
	r.g.Expect(r.do(http.MethodDelete, "/contoso.com/oauth2/token", "").Code).To(Equal(http.StatusNotImplemented))
	r.g.Expect(r.do(http.MethodOptions, "/contoso.com/oauth2/v2.0/token", "").Header().Get("Access-Control-Allow-Methods")).To(ContainSubstring("POST"))
	r.g.Expect(r.do(http.MethodOptions, "/contoso.com/oauth2/v2.0/authorize", "").Code).To(Equal(http.StatusNotImplemented))
}

func TestLogoutGoesNowhereElse(t *testing.T) {
	r := newRig(t)
	r.g.Expect(r.open("/common/oauth2/v2.0/logout").Body.String()).To(ContainSubstring("You signed out"))
	r.g.Expect(r.open("/common/oauth2/logout?post_logout_redirect_uri=https://evil.example/").Code).To(Equal(http.StatusOK))
	r.g.Expect(r.open("/contoso.com/oauth2/logout?client_id=" + web + "&post_logout_redirect_uri=https://evil.example/").Header().Get("Location")).To(BeEmpty())
	u, q := r.open("/contoso.com/oauth2/v2.0/logout?client_id=" + web + "&state=s&post_logout_redirect_uri=" + url.QueryEscape(webAddress)).location()
	r.g.Expect(u.Host).To(Equal("web.contoso.com"))
	r.g.Expect(q).To(And(HaveKeyWithValue("state", []string{"s"}), HaveKeyWithValue("x", []string{"1"})))
}
