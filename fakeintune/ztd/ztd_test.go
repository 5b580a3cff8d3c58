package ztd_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/internal/rig"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/fakeintune/ztd"
	"windtunnel.test/sim/wire/graph"
	wire "windtunnel.test/sim/wire/ztd"
)

type world struct {
	*rig.Rig
	h *ztd.Handler
}

func newWorld(t testing.TB) *world {
	r := rig.New(t)
	return &world{r, ztd.New(r.Service)}
}

// register imports PCs and waits until Intune knows them.
func (w *world) register(pcs ...rig.PC) []tenant.Registration {
	w.T.Helper()
	w.Do(func(ctx context.Context) {
		var rows []graph.ImportedDevice
		for _, pc := range pcs {
			rows = append(rows, graph.ImportedDevice{SerialNumber: pc.Hardware.SMBIOS.Serial, ProductKey: "K1", HardwareIdentifier: pc.Hash(), AssignedUserPrincipalName: "ada@contoso.example"})
		}
		if _, err := w.Tenant.Import(ctx, rows); err != nil {
			w.T.Error(err)
		}
	})
	w.Pass(time.Minute)
	w.Do(func(ctx context.Context) {
		if err := w.Tenant.Sync(ctx); err != nil {
			w.T.Error(err)
		}
	})
	w.Pass(30 * time.Minute)
	return w.Tenant.Registrations()
}

func (w *world) addProfile(name string) graph.DeploymentProfile {
	w.T.Helper()
	var p graph.DeploymentProfile
	w.Do(func(ctx context.Context) {
		var err error
		p, err = w.Tenant.Profiles().Add(ctx, graph.DeploymentProfile{ODataType: graph.TypeEntraProfile, DisplayName: name, Locale: "de-DE", DeviceNameTemplate: "PC-%RAND:4%",
			OutOfBoxExperienceSetting: graph.OutOfBoxExperienceSetting{PrivacySettingsHidden: true, EulaHidden: true, KeyboardSelectionSkipped: true, UserType: graph.UserStandard, EscapeLinkHidden: true},
			Assignments:               []graph.Assignment{{Target: graph.AllDevices()}}})
		if err != nil {
			w.T.Error(err)
		}
	})
	w.Pass(30 * time.Minute)
	return p
}

func (w *world) ask(ticket string, body any) *httptest.ResponseRecorder {
	w.T.Helper()
	h := http.Header{"Content-Type": {"application/json"}}
	h.Set(wire.TicketHeader, ticket)
	return w.Call(w.h, "POST", "https://ztd.dds.microsoft.com"+wire.Path, h, body, nil)
}

func request(pc rig.PC) wire.Request {
	return wire.Request{Serial: pc.Hardware.SMBIOS.Serial, OSVersion: "10.0.26100"}
}

// answer is the profile, or the code of a negative answer.
func (w *world) answer(ticket string, req wire.Request) (wire.Profile, int) {
	w.T.Helper()
	rec := w.ask(ticket, req)
	if rec.Code != 200 {
		w.T.Fatalf("%d %s", rec.Code, rec.Body)
	}
	p, negative, err := wire.ParseAnswer(rec.Body.Bytes())
	if err != nil {
		w.T.Fatal(err)
	}
	if negative != nil {
		return p, negative.Code
	}
	return p, 0
}

func TestProfile(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(t)
	w.addProfile("Sales")
	pc := rig.NewPC(1)
	reg := w.register(pc)[0]
	p, code := w.answer(w.Ticket(pc, false), request(pc))
	g.Expect(code).To(BeZero())
	g.Expect(p.AutopilotServiceCorrelationID).NotTo(BeEmpty())
	g.Expect(p.PolicyDownloadCorrelationVector).To(HaveSuffix(".0"))
	p.AutopilotServiceCorrelationID, p.PolicyDownloadCorrelationVector = "", ""
	g.Expect(p).To(Equal(wire.Profile{
		CloudAssignedTenantID: rig.TenantID, CloudAssignedTenantDomain: rig.Domain, CloudAssignedTenantUpn: "ada@contoso.example",
		CloudAssignedOobeConfig: 1310, CloudAssignedForcedEnrollment: 1, CloudAssignedMdmID: "0000000a-0000-0000-c000-000000000000",
		CloudAssignedLanguage: "de-DE", CloudAssignedDeviceName: "PC-%RAND:4%", CloudAssignedUpdateDisabled: 1, CloudAssignedUpdateTimeout: 1_800_000,
		DeploymentProfileName: "Sales", ZtdRegistrationID: reg.ID, AadDeviceID: reg.EntraDeviceID, PolicyDownloadDate: w.Clock.Now(),
	}))
	reg, err := w.Tenant.Registration(reg.ID)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(reg.LastContacted).To(Equal(w.Clock.Now()))
	g.Expect(reg.Downloaded).To(Equal(reg.Version))
}

func TestNegativeAnswers(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(t)
	pc := rig.NewPC(1)
	ask := func() int { _, code := w.answer(w.Ticket(pc, false), request(pc)); return code }
	g.Expect(ask()).To(Equal(807), "not registered")
	w.register(pc)
	g.Expect(ask()).To(Equal(815), "no profile")
	p := w.addProfile("Sales")
	g.Expect(ask()).To(BeZero())
	w.Do(func(ctx context.Context) { g.Expect(w.Tenant.Profiles().Delete(ctx, p.ID)).To(Succeed()) })
	g.Expect(ask()).To(Equal(809), "profile deleted")
	w.Do(func(ctx context.Context) {
		g.Expect(w.Tenant.Unregister(ctx, w.Tenant.Registrations()[0].ID)).To(Succeed())
	})
	w.Pass(13 * time.Hour)
	g.Expect(ask()).To(Equal(807), "deregistered")
	g.Expect(w.Refusals()).To(Equal([]string{"registration 807 ZtdDeviceIsNotRegistered", "assignment 815 ZtdDeviceHasNoAssignedProfile",
		"profile 809 ZtdDeviceHasNoAssignedProfile", "registration 807 ZtdDeviceIsNotRegistered"}))
}

func TestHardwareChanges(t *testing.T) {
	registered := rig.NewPC(1)
	board := rig.NewPC(2)
	board.Hardware.SMBIOS.Serial = registered.Hardware.SMBIOS.Serial
	moved := rig.NewPC(2)
	moved.Hardware.EKModulus = registered.Hardware.EKModulus
	newTPM := registered
	newTPM.Hardware.EKModulus = rig.NewPC(3).Hardware.EKModulus
	newDisk := registered
	newDisk.Hardware.OSVersion.Revision = 4652
	for name, c := range map[string]struct {
		ticket    rig.PC
		validated bool
		change    func(*wire.Request)
		code      int
		check     string
	}{
		"as registered":                         {registered, false, nil, 0, ""},
		"as registered, proved":                 {registered, true, nil, 0, ""},
		"other build and disk":                  {registered, false, func(r *wire.Request) { r.HardwareHash = base64.StdEncoding.EncodeToString(newDisk.Hash()) }, 0, ""},
		"new board, serial number written anew": {board, false, nil, 908, "hardware"},
		"known TPM in an unknown board":         {moved, true, func(r *wire.Request) { r.Serial = "?" }, 908, "hardware"},
		"unknown hardware, nothing proved":      {moved, false, func(r *wire.Request) { r.Serial = "?" }, 807, "registration"},
		"new TPM, proved":                       {newTPM, true, nil, 908, "endorsement key"},
		"new TPM, not proved yet":               {newTPM, false, nil, 0, ""},
		"new TPM, in the hash":                  {registered, false, func(r *wire.Request) { r.HardwareHash = base64.StdEncoding.EncodeToString(newTPM.Hash()) }, 908, "hardware hash"},
		"ticket of another device":              {registered, false, func(r *wire.Request) { r.Serial = "PC-002" }, 908, "serial number"},
		"other product key":                     {registered, false, func(r *wire.Request) { r.ProductKeyID = "K2" }, 908, "product key"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			w := newWorld(t)
			w.addProfile("Sales")
			id := w.register(registered)[0].ID
			req := request(c.ticket)
			if c.change != nil {
				c.change(&req)
			}
			_, code := w.answer(w.Ticket(c.ticket, c.validated), req)
			g.Expect(code).To(Equal(c.code))
			reg, err := w.Tenant.Registration(id)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(reg.Remediation == graph.RemediationManual).To(Equal(code == 908), "somebody has to look at it")
			if code != 0 {
				g.Expect(w.Refusals()).To(HaveLen(1))
				g.Expect(w.Refusals()[0]).To(HavePrefix(c.check + " "))
			}
		})
	}
}

func TestRefresh(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(t)
	w.Directory.Users["bob@contoso.example"] = tenant.DirectoryUser{UPN: "bob@contoso.example", Licensed: true}
	w.addProfile("Sales")
	pc := rig.NewPC(1)
	id := w.register(pc)[0].ID
	ask := func() wire.Profile { p, _ := w.answer(w.Ticket(pc, false), request(pc)); return p }
	first := ask()
	w.Do(func(ctx context.Context) {
		g.Expect(w.Tenant.AssignUser(ctx, id, "bob@contoso.example", "")).To(Succeed())
	})
	reg, _ := w.Tenant.Registration(id)
	g.Expect(reg.Version).To(Equal(reg.Downloaded + 1))
	second := ask()
	g.Expect(first.CloudAssignedTenantUpn + " " + second.CloudAssignedTenantUpn).To(Equal("ada@contoso.example bob@contoso.example"))
	g.Expect(second.AutopilotServiceCorrelationID).NotTo(Equal(first.AutopilotServiceCorrelationID))
}

func TestTickets(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(t)
	w.addProfile("Sales")
	pc := rig.NewPC(1)
	w.register(pc)
	good := w.Ticket(pc, false)
	header, rest, _ := strings.Cut(good, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	claims, err := base64.RawURLEncoding.DecodeString(payload)
	g.Expect(err).NotTo(HaveOccurred())
	forged := header + "." + base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(claims), `"tpm":false`, `"tpm":true`, 1))) + "." + signature
	foreign := rig.New(t).Token(rig.TenantID)
	for name, ticket := range map[string]string{"none": "", "nonsense": "x.y.z", "forged": forged, "an access token": foreign} {
		rec := w.ask(ticket, request(pc))
		g.Expect(rec.Code).To(Equal(401), name)
		g.Expect(rec.Body.String()).NotTo(ContainSubstring("CloudAssigned"))
	}
	w.Pass(2 * time.Hour)
	g.Expect(w.ask(good, request(pc)).Code).To(Equal(401), "expired")
	g.Expect(w.Refusals()).To(HaveLen(5))
	g.Expect(w.Refusals()[4]).To(Equal("device ticket 401"))
}

func TestBadBodies(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(t)
	pc := rig.NewPC(1)
	for body, status := range map[string]int{"": 400, "{": 400, `{"serial":1}`: 400, `{"hardwareHash":"AAAA"}`: 400, `{"hardwareHash":"!"}`: 400, strings.Repeat(" ", 20000): 413} {
		g.Expect(w.ask(w.Ticket(pc, false), []byte(body)).Code).To(Equal(status), body)
	}
	h := http.Header{"Content-Type": {"text/xml"}}
	h.Set(wire.TicketHeader, w.Ticket(pc, false))
	g.Expect(w.Call(w.h, "POST", wire.Path, h, []byte("<a/>"), nil).Code).To(Equal(415))
}

func TestNotModelled(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(t)
	rec := w.Call(w.h, "GET", wire.Path, nil, nil, nil)
	g.Expect(rec.Code).To(Equal(501))
	var body struct{ Message string }
	g.Expect(json.Unmarshal(rec.Body.Bytes(), &body)).To(Succeed())
	g.Expect(body.Message).To(ContainSubstring("not modelled"))
	g.Expect(ztd.Operation(httptest.NewRequest("POST", "/ZTD/v1/profile", nil))).To(Equal("ztd.profile"))
	g.Expect(ztd.Operation(httptest.NewRequest("GET", "/x", nil))).To(Equal("GET /x"))
}

func FuzzProfile(f *testing.F) {
	w := newWorld(f)
	pc := rig.NewPC(1)
	w.addProfile("Sales")
	w.register(pc)
	ticket := w.Ticket(pc, true)
	f.Add(`{"serial":"PC-001"}`)
	f.Add(`{"serial":"PC-001","hardwareHash":"` + base64.StdEncoding.EncodeToString(pc.Hash()) + `"}`)
	f.Fuzz(func(t *testing.T, body string) {
		req := httptest.NewRequestWithContext(t.Context(), "POST", wire.Path, strings.NewReader(body))
		req.Header.Set(wire.TicketHeader, ticket)
		rec := httptest.NewRecorder()
		w.h.ServeHTTP(rec, req)
		if rec.Code == http.StatusInternalServerError {
			t.Errorf("%q: %s", body, rec.Body)
		}
	})
}
