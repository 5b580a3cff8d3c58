package graph_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/graph"
	"windtunnel.test/fakeintune/internal/rig"
	"windtunnel.test/fakeintune/tenant"
	wire "windtunnel.test/sim/wire/graph"
)

func TestAttackers(t *testing.T) {
	g := NewWithT(t)
	a := newAdmin(t)
	id := a.register("lab")[0].ID
	const write, read = "DeviceManagementServiceConfig.ReadWrite.All", "DeviceManagementServiceConfig.Read.All"
	good := a.Token(rig.TenantID, write)
	header, payload, _ := strings.Cut(good, ".")
	payload, signature, _ := strings.Cut(payload, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + payload + "."
	claims, err := base64.RawURLEncoding.DecodeString(payload)
	g.Expect(err).NotTo(HaveOccurred())
	changed := base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(claims), rig.TenantID, rig.OtherID, 1)))
	for name, c := range map[string]struct {
		method, token, code string
		status              int
	}{
		"no token":            {"GET", "", wire.CodeInvalidToken, 401},
		"not a token":         {"GET", "abc", wire.CodeInvalidToken, 401},
		"forged":              {"GET", a.ForgedToken(rig.TenantID, write), wire.CodeInvalidToken, 401},
		"alg none":            {"GET", none, wire.CodeInvalidToken, 401},
		"changed":             {"GET", header + "." + changed + "." + signature, wire.CodeInvalidToken, 401},
		"another audience":    {"GET", a.TokenFor("https://enrollment.manage.microsoft.com/", rig.TenantID, write), wire.CodeInvalidToken, 401},
		"not a customer":      {"GET", a.Token("33333333-3333-4333-8333-333333333333", write), wire.CodeInvalidToken, 401},
		"no permission":       {"GET", a.Token(rig.TenantID), wire.CodeForbidden, 403},
		"another permission":  {"GET", a.Token(rig.TenantID, "DeviceManagementApps.ReadWrite.All"), wire.CodeForbidden, 403},
		"reader writes":       {"DELETE", a.Token(rig.TenantID, read), wire.CodeForbidden, 403},
		"reader reads":        {"GET", a.Token(rig.TenantID, read), "", 200},
		"foreign tenant's":    {"GET", a.Token(rig.OtherID, write), wire.CodeNotFound, 404},
		"foreign one deletes": {"DELETE", a.Token(rig.OtherID, write), wire.CodeNotFound, 404},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			refused := len(a.Refusals())
			h := http.Header{}
			if c.token != "" {
				h.Set("Authorization", "Bearer "+c.token)
			}
			rec := a.Call(a.h, c.method, identities+"/"+id, h, nil, nil)
			g.Expect(rec.Code).To(Equal(c.status), rec.Body.String())
			if c.status == 401 || c.status == 403 {
				g.Expect(a.Refusals()).To(HaveLen(refused+1), "it is journaled")
			}
			if c.status == 401 {
				g.Expect(rec.Header().Get("WWW-Authenticate")).To(HavePrefix("Bearer"))
			}
			if c.code != "" {
				var e wire.Error
				g.Expect(json.Unmarshal(rec.Body.Bytes(), &e)).To(Succeed())
				g.Expect(e.Error.Code).To(Equal(c.code))
			}
		})
	}
	// A token's hour is over.
	a.Pass(2 * 3600e9)
	rec := a.Call(a.h, "GET", identities, http.Header{"Authorization": {"Bearer " + good}}, nil, nil)
	g.Expect(rec.Code).To(Equal(401))
	a.signIn()
	g.Expect(a.identities("")).To(HaveLen(1), "nothing was changed")
}

func TestBadBodies(t *testing.T) {
	g := NewWithT(t)
	a := newAdmin(t)
	rec := a.call(400, "POST", imports, []byte(`{"serialNumber":"x","hardwareIdentifier":"abc"}`), nil)
	g.Expect(rec.Body.String()).To(ContainSubstring("Edm.Binary"))
	for _, body := range []string{"", "{", "[]", `{"serialNumber":1}`, "\x00", strings.Repeat("[", 100000)} {
		a.call(400, "POST", imports, []byte(body), nil)
	}
	many := wire.ImportRequest{Devices: make([]wire.ImportedDevice, 501)}
	a.call(400, "POST", imports+"/import", many, nil)
	a.call(413, "POST", imports+"/import", []byte(strings.Repeat(" ", 4<<20+1)), nil)
	auth := http.Header{"Authorization": {"Bearer " + a.token}, "Content-Type": {"text/xml"}}
	g.Expect(a.Call(a.h, "POST", imports, auth, []byte("<a/>"), nil).Code).To(Equal(415))
	a.call(400, "GET", identities+"?$filter=%zz", nil, nil)
	a.call(501, "GET", "/v2.0/deviceManagement/managedDevices", nil, nil)
	a.call(501, "GET", identities+"('x", nil, nil)
	g.Expect(a.Tenant.Imports()).To(BeEmpty())
	bom := append([]byte("\xef\xbb\xbf"), fmt.Appendf(nil, `{"serialNumber":"x"}`)...)
	a.call(201, "POST", imports, bom, nil)
}

// The zero options serve too: nobody gets in.
func TestNobodyGetsInWithoutIssuer(t *testing.T) {
	g := NewWithT(t)
	r := rig.New(t)
	o := r.Service.Options
	o.Tokens, o.DB = nil, nil
	rec := httptest.NewRecorder()
	req := httptest.NewRequest("GET", identities, nil)
	req.Header.Set("Authorization", "Bearer "+r.Token(rig.TenantID))
	graph.New(tenant.New(o)).ServeHTTP(rec, req)
	g.Expect(rec.Code).To(Equal(401))
}

func FuzzRequest(f *testing.F) {
	f.Add("POST", imports, `{"serialNumber":"x","hardwareIdentifier":"AAAA"}`)
	f.Add("POST", imports+"/import", `{"importedWindowsAutopilotDeviceIdentities":[null,{}]}`)
	f.Add("GET", identities+"?$filter=contains(serialNumber,'x')", "")
	f.Add("POST", identities+"/x/updateDeviceProperties", "{groupTag:'x'}")
	f.Add("PATCH", profiles+"/x", `{"assignments":[{"target":null}]}`)
	f.Add("POST", "/v1.0/deviceAppManagement/mobileApps", `{"@odata.type":"#microsoft.graph.win32LobApp","displayName":"x","rules":[{}]}`)
	f.Add("POST", identities+"/deleteDevices", `{"serialNumbers":["x"]}`)
	f.Add("POST", devices+"/x/wipe", `{"keepUserData":true}`)
	f.Add("POST", configurations, `{"@odata.type":"#microsoft.graph.deviceEnrollmentPlatformRestrictionConfiguration","displayName":"x","platformType":"windows"}`)
	f.Add("POST", "/beta/deviceManagement/configurationPolicies", `{"name":"x","settings":[null]}`)
	f.Add("POST", "/beta/deviceAppManagement/mobileApps/x/microsoft.graph.win32LobApp/contentVersions/1/files", `{"name":"x","size":1,"sizeEncrypted":64}`)
	r := rig.New(f)
	a := &admin{Rig: r, h: graph.New(r.Service)}
	a.signIn()
	f.Fuzz(func(t *testing.T, method, address, body string) {
		req, err := http.NewRequestWithContext(t.Context(), method, "https://graph.microsoft.com"+address, strings.NewReader(body))
		if err != nil {
			return
		}
		req.Header.Set("Authorization", "Bearer "+a.token)
		rec := httptest.NewRecorder()
		a.h.ServeHTTP(rec, req)
		if rec.Code == http.StatusInternalServerError {
			t.Errorf("%s %s %q: %s", method, address, body, rec.Body)
		}
	})
}
