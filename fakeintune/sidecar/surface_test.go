package sidecar_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/internal/rig"
	"windtunnel.test/fakeintune/sidecar"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/hosts"
	wire "windtunnel.test/sim/wire/sidecar"
)

// foreign is a certificate that names the device, of an authority of its own.
func (w *world) foreign() *x509.Certificate {
	ca, err := pki.NewRoot(w.Clock.Now(), 9, "other", pki.Options{})
	if err != nil {
		w.T.Fatal(err)
	}
	cert, err := ca.Issue(w.Clock.Now(), &x509.Certificate{Subject: pkix.Name{CommonName: w.device.ID, OrganizationalUnit: []string{rig.TenantID}}, NotAfter: w.Clock.Now().AddDate(1, 0, 0)}, pki.Key(1, "x").Public())
	if err != nil {
		w.T.Fatal(err)
	}
	return cert
}

func TestScripts(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	w.Do(func(ctx context.Context) {
		for name, s := range map[string]graph.DeviceManagementScript{
			"device": {RunAsAccount: graph.RunAsSystem, Assignments: []graph.Assignment{{Target: graph.AllDevices()}}},
			"user":   {RunAsAccount: graph.RunAsUser, RunAs32Bit: true, EnforceSignatureCheck: true, Assignments: []graph.Assignment{{Target: graph.AllUsers()}}},
			"none":   {},
		} {
			s.DisplayName, s.FileName, s.ScriptContent = name, name+".ps1", []byte("Write-Output '"+name+" é'")
			_, err := w.Tenant.Scripts().Add(ctx, s)
			g.Expect(err).NotTo(HaveOccurred())
		}
	})
	ask := func(kind wire.ContentType, token string) map[string]wire.Script {
		payload, code := w.session(w.agent(), kind, token, nil)
		g.Expect(code).To(Equal(200))
		list, err := wire.DecodeScripts(payload)
		g.Expect(err).NotTo(HaveOccurred())
		out := map[string]wire.Script{}
		for _, s := range list {
			out[s.PolicyBody] = s
		}
		return out
	}
	device := ask(wire.PolicyRequest, "")
	g.Expect(device).To(HaveLen(1))
	one := device["Write-Output 'device é'"]
	g.Expect(one.AccountID).To(Equal(rig.TenantID))
	g.Expect(one.ExecutionContext).To(Equal(0))
	both := ask(wire.PolicyRequest, w.UserToken(rig.TenantID, ada, "dev-one"))
	g.Expect(both).To(HaveLen(2))
	user := both["Write-Output 'user é'"]
	g.Expect([]int{user.ExecutionContext, user.RunningMode, user.EnforceSignatureCheck}).To(Equal([]int{1, 1, 1}))
	g.Expect(ask(wire.GetScript, "")).To(BeEmpty(), "no tenant has remediations")
}

func TestAvailableApps(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	w.Do(func(ctx context.Context) {
		app := w.Tenant.Apps().List()[0]
		app.ID, app.DisplayName = "", "Chosen"
		app.Assignments = []graph.MobileAppAssignment{{Intent: graph.IntentAvailable, Target: graph.AllUsers()}}
		g.Expect(w.Tenant.Load(ctx, tenant.Resources{Apps: []graph.MobileApp{app}})).To(Succeed())
	})
	token := w.UserToken(rig.TenantID, ada, "dev-one")
	payload, code := w.session(w.agent(), wire.GetAvailableApp, token, nil)
	g.Expect(code).To(Equal(200))
	apps, err := wire.DecodeApps(payload)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(names(apps)).To(Equal([]string{"Chosen"}))
	g.Expect(apps[0].Intent).To(Equal(wire.Available))
	g.Expect(names(w.apps(token, wire.AppRequest{User: true}))).NotTo(ContainElement("Chosen"))

	payload, code = w.session(w.agent(), wire.RequestApplication, token, wire.ApplicationRequest{ApplicationID: apps[0].ID})
	g.Expect(code).To(Equal(200))
	apps, err = wire.DecodeApps(payload)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(apps[0].Intent).To(Equal(wire.Required))

	payload, code = w.session(w.agent(), wire.GetAvailableApp, "", nil)
	g.Expect(code).To(Equal(200))
	g.Expect(wire.DecodeApps(payload)).To(BeEmpty(), "nobody is its user")
}

// Agents that have no certificate of their own show the MDM's.
func TestSessionsWithTheMDMCertificate(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	_, code := w.session(w.mdm, wire.GetSelectedApp, "", nil)
	g.Expect(code).To(Equal(200))
	w.Do(func(ctx context.Context) { g.Expect(w.Tenant.DeleteDevice(ctx, w.device.ID)).To(Succeed()) })
	_, code = w.session(w.mdm, wire.GetSelectedApp, "", nil)
	g.Expect(code).To(Equal(403))
}

func TestVersions(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	body := []byte(`{"SessionId":"a","RequestContentType":"GetSelectedApp","RequestPayload":"[]"}`)
	put := func(version string) int {
		return w.With(w.mdm, w.h, http.MethodPut, gateway+wire.SessionPathFor("a", version), nil, body).Code
	}
	g.Expect([]int{put("1.5"), put("1.6"), put("")}).To(Equal([]int{200, 400, 400}))
	w.h = sidecar.New(sidecar.Options{Tenants: w.Service, Authorities: w.ca, APIVersion: "1.6"})
	g.Expect([]int{put("1.5"), put("1.6")}).To(Equal([]int{400, 200}))
}

func TestAttacks(t *testing.T) {
	const session = gateway + "/SideCarGatewaySessions('a')?api-version=1.5"
	const good = `{"SessionId":"a","RequestContentType":"GetSelectedApp","RequestPayload":"[]"}`
	for _, tc := range []struct {
		name, method, address, content, body string
		status                               int
		check                                string
	}{
		{"content type", "PUT", session, "text/xml", good, 415, "content type"},
		{"content type of a request", "POST", gateway + wire.CertificatePath, "application/json", "x", 415, "content type"},
		{"truncated", "PUT", session, "application/json", good[:40], 400, "message format"},
		{"empty", "PUT", session, "application/json", "", 400, "message format"},
		{"too large", "PUT", session, "application/json", `{"a":"` + strings.Repeat("x", 5<<20), 413, "message length"},
		{"deep", "PUT", session, "application/json", strings.Repeat("[", 20000), 400, "message format"},
		{"another session's id", "PUT", session, "application/json", strings.Replace(good, `"a"`, `"b"`, 1), 400, "session id"},
		{"no request", "PUT", session, "application/json", `{"SessionId":"a"}`, 400, "message format"},
		{"unknown request", "PUT", session, "application/json", strings.Replace(good, "GetSelectedApp", "GetEverything", 1), 501, "content type not modelled"},
		{"wrong payload", "PUT", session, "application/json", strings.Replace(good, "[]", `{\"EspPhase\":\"x\"}`, 1), 400, "payload"},
		{"broken request for a certificate", "POST", gateway + wire.CertificatePath, "application/pkcs10", "0\x82", 400, "certificate request"},
		{"method", "POST", session, "application/json", good, 405, "method"},
		{"path", "GET", gateway + "/Other", "", "", 404, "not modelled"},
		{"company portal", "GET", "https://" + hosts.SideCar + "/TrafficGateway/TrafficRoutingService/IWService/StatelessIWService/Devices?api-version=16.4", "", "", 501, "not modelled"},
		{"token renewal", "POST", "https://" + hosts.SideCar + "/TokenRenewalService/Renew", "", "", 501, "not modelled"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g, w := NewWithT(t), newWorld(t)
			before := fmt.Sprintf("%+v", w.device)
			header := http.Header{}
			if tc.content != "" {
				header.Set("Content-Type", tc.content)
			}
			rec := w.With(w.mdm, w.h, tc.method, tc.address, header, []byte(tc.body))
			g.Expect(rec.Code).To(Equal(tc.status))
			g.Expect(rec.Body.String()).To(Equal(tc.check + "\n"))
			g.Expect(w.Refusals()).To(ConsistOf(tc.check + " " + http.StatusText(tc.status)))
			after, err := w.Tenant.Device(w.device.ID)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(fmt.Sprintf("%+v", after)).To(Equal(before))
		})
	}
	t.Run("unknown members", func(t *testing.T) {
		g, w := NewWithT(t), newWorld(t)
		body := strings.Replace(good, `{`, `{"UnlockWin10SModeTenantId":null,"Later":{"a":1},`, 1)
		g.Expect(w.With(w.mdm, w.h, "PUT", session, nil, []byte(body)).Code).To(Equal(200))
	})
}

// What the service seals and encrypts opens with openssl and unzip alone.
func TestContentWithOpenSSL(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	app := w.apps("", wire.AppRequest{})[0]
	payload, _ := w.session(w.mdm, wire.GetContentInfo, "", wire.Content{ApplicationID: app.ID, ApplicationVersion: 1, CertificateBlob: w.mdm.Raw})
	c, err := wire.DecodeContent(payload)
	g.Expect(err).NotTo(HaveOccurred())
	location, sealed, err := c.Location()
	g.Expect(err).NotTo(HaveOccurred())

	dir := t.TempDir()
	write := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		g.Expect(os.WriteFile(path, b, 0o600)).To(Succeed())
		return path
	}
	run := func(name string, args ...string) []byte {
		var out, problems bytes.Buffer
		cmd := exec.Command(name, args...)
		cmd.Stdout, cmd.Stderr = &out, &problems
		g.Expect(cmd.Run()).To(Succeed(), problems.String())
		return out.Bytes()
	}
	key, err := x509.MarshalPKCS8PrivateKey(pki.RSAKey(3))
	g.Expect(err).NotTo(HaveOccurred())
	_, rest, _ := strings.Cut(sealed, "<EncryptedContent>")
	text, _, _ := strings.Cut(rest, "</EncryptedContent>")
	cms, err := base64.StdEncoding.DecodeString(text)
	g.Expect(err).NotTo(HaveOccurred())
	plain := run("openssl", "cms", "-decrypt", "-inform", "DER", "-in", write("info.p7m", cms),
		"-recip", write("cert.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.mdm.Raw})),
		"-inkey", write("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
	var info struct{ EncryptionKey, IV, MacKey []byte }
	g.Expect(json.Unmarshal(plain, &info)).To(Succeed())

	file := w.published[strings.TrimPrefix(location, "https://"+hosts.ContentCDN)]
	g.Expect(file[32:48]).To(Equal(info.IV))
	mac := run("openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", "hexkey:"+hex.EncodeToString(info.MacKey), "-r", write("rest.bin", file[32:]))
	g.Expect(string(mac)).To(HavePrefix(hex.EncodeToString(file[:32])))
	archive := run("openssl", "enc", "-d", "-aes-256-cbc", "-K", hex.EncodeToString(info.EncryptionKey), "-iv", hex.EncodeToString(info.IV), "-in", write("body.bin", file[48:]))
	run("unzip", "-tq", write("app.zip", archive))
	g.Expect(string(run("unzip", "-p", filepath.Join(dir, "app.zip"), app.SetupFile))).To(ContainSubstring("VPN"))
}
