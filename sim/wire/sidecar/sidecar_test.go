package sidecar_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/wire/sidecar"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got, indented if it is JSON, with testdata/name.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	g := gomega.NewWithT(t)
	var b bytes.Buffer
	g.Expect(json.Indent(&b, got, "", "  ")).To(gomega.Succeed())
	b.WriteByte('\n')
	path := filepath.Join("testdata", name)
	if *update {
		g.Expect(os.MkdirAll("testdata", 0o755)).To(gomega.Succeed())
		g.Expect(os.WriteFile(path, b.Bytes(), 0o644)).To(gomega.Succeed())
	}
	want, err := os.ReadFile(path)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(b.String()).To(gomega.Equal(string(want)))
}

func app(t testing.TB) sidecar.App {
	var rules []sidecar.DetectionRule
	for _, d := range detections() {
		rule, err := sidecar.NewDetectionRule(d)
		gomega.NewWithT(t).Expect(err).NotTo(gomega.HaveOccurred())
		rules = append(rules, rule)
	}
	disk := 500
	return sidecar.App{
		ID: "0e9f6b1c-0000-4000-8000-000000000001", Name: "VPN client", Version: 1, Intent: sidecar.Required, TargetType: sidecar.TargetDevice,
		DetectionRule: sidecar.Nest(rules), InstallCommand: `msiexec /i "vpn.msi" /qn`, UninstallCommand: "msiexec /x {1} /qn",
		RequirementRules: sidecar.Nest(sidecar.Requirements{OSArchitecture: 2, MinimumOS: "10.0.19045", MinimumFreeDiskMB: &disk}),
		InstallEx:        sidecar.Nest(sidecar.InstallEx{RunAs: 1, MaxRetries: 3, RetryIntervalMinutes: 5, MaxRunTimeMinutes: 60}),
		ReturnCodes:      sidecar.Nest(sidecar.DefaultReturnCodes()), SetupFile: "vpn.msi", ESPConfiguration: true, InstallContext: sidecar.ContextSystem,
		FlatDependencies: []sidecar.Dependency{{Action: 10, AppID: "0e9f6b1c-0000-4000-8000-000000000001", ChildID: "c"}}, ContentSize: 48 << 20,
	}
}

func detections() []sidecar.Detection {
	return []sidecar.Detection{
		sidecar.RegistryDetection{KeyPath: `HKEY_LOCAL_MACHINE\SOFTWARE\VPN`, KeyName: "Version", DetectionType: 5, Operator: 5, Value: "2.0"},
		sidecar.MSIDetection{ProductCode: "{1}", Operator: 0},
		sidecar.FileDetection{Path: `%ProgramFiles%\VPN`, Name: "vpn.exe", DetectionType: 1},
		sidecar.ScriptDetection{ScriptBody: "ZXhpdCAw"},
	}
}

func TestGoldenApps(t *testing.T) {
	g := gomega.NewWithT(t)
	packed, err := sidecar.EncodeApps([]sidecar.App{app(t)})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	text, err := sidecar.Unpack(packed)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	golden(t, "apps.json", text)
	apps, err := sidecar.DecodeApps(packed)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(apps).To(gomega.Equal([]sidecar.App{app(t)}))
	for i, rule := range apps[0].DetectionRule.Value {
		d, err := rule.Detection()
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(d).To(gomega.Equal(detections()[i]))
	}
	_, err = sidecar.DetectionRule{Type: 9}.Detection()
	g.Expect(err).To(gomega.HaveOccurred())
	_, err = sidecar.DetectionRule{Text: "x"}.Detection()
	g.Expect(err).To(gomega.HaveOccurred())

	none, err := sidecar.EncodeApps(nil)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	text, err = sidecar.Unpack(none)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(string(text)).To(gomega.Equal("[]"))
}

func TestMeaning(t *testing.T) {
	g := gomega.NewWithT(t)
	codes := sidecar.DefaultReturnCodes()
	for exit, want := range map[int]sidecar.ReturnCodeType{0: sidecar.ReturnSuccess, 3010: sidecar.ReturnSoftReboot, 1603: sidecar.ReturnFailed} {
		meaning, mapped := sidecar.Meaning(codes, exit)
		g.Expect(meaning).To(gomega.Equal(want))
		g.Expect(mapped).To(gomega.Equal(exit != 1603))
	}
}

func TestSession(t *testing.T) {
	g := gomega.NewWithT(t)
	client := sidecar.ClientInfo{DeviceName: "PC-1", OperatingSystemVersion: "10.0.26100", SideCarAgentVersion: "1.83.107.0", ExtendedInventoryMap: map[string]string{"SKU": "72"}}
	id := "11111111-2222-4333-8444-555555555555"
	s, err := sidecar.NewSession(id, sidecar.GetContentInfo, "AgentRestart", client, sidecar.Content{ApplicationID: "a", CertificateBlob: []byte("der")})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	data, err := s.Encode()
	g.Expect(err).NotTo(gomega.HaveOccurred())
	golden(t, "session-request.json", data)
	back, err := sidecar.DecodeSession(data)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(back).To(gomega.Equal(s))
	g.Expect(back.Client()).To(gomega.Equal(client))

	content, err := sidecar.DecodeContent(back.RequestPayload)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	_, _, err = content.Location()
	g.Expect(err).To(gomega.MatchError(sidecar.ErrNoContent))
	payload, err := content.Answer("https://cdn.example/a.bin", "<EncryptedMessage/>")
	g.Expect(err).NotTo(gomega.HaveOccurred())
	data, err = back.Answer(payload).Encode()
	g.Expect(err).NotTo(gomega.HaveOccurred())
	golden(t, "session-answer.json", data)
	g.Expect(back.ResponsePayload).To(gomega.BeNil(), "the request stays as it was")
	content, err = sidecar.DecodeContent(payload)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	location, info, err := content.Location()
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(location + " " + info).To(gomega.Equal("https://cdn.example/a.bin <EncryptedMessage/>"))

	empty, err := sidecar.NewSession(id, sidecar.GetSelectedApp, "Schedule", client, nil)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(empty.RequestPayload).To(gomega.Equal("[]"))
	for _, bad := range []string{"", "[]", "{}", `{"SessionId":"a"}`} {
		_, err := sidecar.DecodeSession([]byte(bad))
		g.Expect(err).To(gomega.HaveOccurred(), bad)
	}
}

func TestSessionPath(t *testing.T) {
	g := gomega.NewWithT(t)
	u, err := url.Parse("https://fef.example/SideCar/StatelessSideCarGatewayService" + sidecar.SessionPath("id-1"))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(u.Query().Get("api-version")).To(gomega.Equal("1.5"))
	for path, want := range map[string]string{u.Path: "id-1", strings.ToLower(u.Path): "id-1", "/x": "", "/SideCarGatewaySessions('id": ""} {
		id, ok := sidecar.ParseSessionPath(path)
		g.Expect(ok).To(gomega.Equal(want != ""), path)
		if ok {
			g.Expect(id).To(gomega.Equal(want))
		}
	}
}

func TestServiceAddresses(t *testing.T) {
	g := gomega.NewWithT(t)
	data, err := sidecar.EncodeServiceAddresses(sidecar.Service{ServiceName: "Other", URL: "https://o"}, sidecar.Service{ServiceName: sidecar.GatewayService, URL: "https://fef.example/SideCar"})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	golden(t, "addresses.json", data)
	g.Expect(sidecar.DecodeServiceAddresses(data)).To(gomega.Equal("https://fef.example/SideCar"))
	_, err = sidecar.DecodeServiceAddresses([]byte("[]"))
	g.Expect(err).To(gomega.MatchError(sidecar.ErrNoGateway))
	_, err = sidecar.DecodeServiceAddresses([]byte("{"))
	g.Expect(err).To(gomega.HaveOccurred())
}

func TestStatus(t *testing.T) {
	g := gomega.NewWithT(t)
	exit := 1603
	want := []sidecar.AppStatus{{
		ApplicationID: "a", Version: 1, TargetType: sidecar.TargetDevice, EnforcementState: sidecar.EnforcementErrorInstalling, ErrorCode: hresult.AppNotDetected,
		ExitCode: &exit, ESPPhase: sidecar.ESPDeviceSetup, TimestampUTC: "2026-09-01T08:00:00Z",
	}}
	payload, err := sidecar.EncodeStatus(want)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	golden(t, "status.json", []byte(payload))
	g.Expect(sidecar.DecodeStatus(payload)).To(gomega.Equal(want))
	g.Expect(want[0].EnforcementState.Failed()).To(gomega.BeTrue())
	g.Expect(sidecar.EnforcementSuccess.Failed()).To(gomega.BeFalse())
	for _, bad := range []string{"", "{}", "[{}]"} {
		_, err := sidecar.DecodeStatus(bad)
		g.Expect(err).To(gomega.HaveOccurred())
	}
}

// packed writes a payload that claims a length.
func packed(t testing.TB, length uint32, text string) string {
	g := gomega.NewWithT(t)
	var b bytes.Buffer
	g.Expect(binary.Write(&b, binary.LittleEndian, length)).To(gomega.Succeed())
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(text))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(z.Close()).To(gomega.Succeed())
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

func TestUnpackRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		cause error
	}{
		"no base64": {text: "%"}, "too short": {text: "AAA="}, "no gzip": {text: "AAAAAAAA"},
		"longer than told":  {text: packed(t, 1, "abc"), cause: sidecar.ErrPayload},
		"shorter than told": {text: packed(t, 9, "abc"), cause: sidecar.ErrPayload},
		"huge":              {text: packed(t, sidecar.MaxPayload+1, "abc"), cause: sidecar.ErrPayload},
		"cut short":         {text: packed(t, 3, "abc")[:24]},
		"huge text":         {text: strings.Repeat("A", sidecar.MaxPayload+4), cause: sidecar.ErrPayload},
	} {
		t.Run(name, func(t *testing.T) {
			g := gomega.NewWithT(t)
			_, err := sidecar.Unpack(c.text)
			g.Expect(err).To(gomega.HaveOccurred())
			if c.cause != nil {
				g.Expect(err).To(gomega.MatchError(c.cause))
			}
		})
	}
}

func TestPackRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := gomega.NewWithT(t)
		text := rapid.SliceOf(rapid.Byte()).Draw(t, "text")
		one, err := sidecar.Pack(text)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		two, err := sidecar.Pack(text)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(one).To(gomega.Equal(two))
		back, err := sidecar.Unpack(one)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(bytes.Equal(back, text)).To(gomega.BeTrue())
	})
}

func TestNested(t *testing.T) {
	g := gomega.NewWithT(t)
	var n sidecar.Nested[[]int]
	g.Expect(json.Unmarshal([]byte(`""`), &n)).To(gomega.Succeed())
	g.Expect(n.Value).To(gomega.BeNil())
	g.Expect(json.Unmarshal([]byte(`"[1,2]"`), &n)).To(gomega.Succeed())
	g.Expect(n.Value).To(gomega.Equal([]int{1, 2}))
	g.Expect(json.Unmarshal([]byte(`"x"`), &n)).NotTo(gomega.Succeed())
	g.Expect(json.Unmarshal([]byte(`[1]`), &n)).NotTo(gomega.Succeed())
}

func FuzzDecode(f *testing.F) {
	payload, err := sidecar.EncodeApps([]sidecar.App{app(f)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(payload)
	f.Add(`{"SessionId":"a","RequestContentType":"GetContentInfo","ClientInfo":"{}"}`)
	f.Add(`[{"Services":[{"ServiceName":"SideCarGatewayService","Url":"https://x"}]}]`)
	f.Add(`{"ContentInfo":"{}","DecryptInfo":""}`)
	f.Fuzz(func(_ *testing.T, text string) {
		if apps, err := sidecar.DecodeApps(text); err == nil {
			for _, a := range apps {
				for _, r := range a.DetectionRule.Value {
					_, _ = r.Detection()
				}
			}
		}
		if s, err := sidecar.DecodeSession([]byte(text)); err == nil {
			_, _ = s.Client()
		}
		_, _ = sidecar.DecodeServiceAddresses([]byte(text))
		_, _ = sidecar.DecodeStatus(text)
		_, _ = sidecar.ParseSessionPath(text)
		if c, err := sidecar.DecodeContent(text); err == nil {
			_, _, _ = c.Location()
		}
	})
}

func BenchmarkApps(b *testing.B) {
	apps := []sidecar.App{app(b)}
	payload, err := sidecar.EncodeApps(apps)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := sidecar.EncodeApps(apps); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := sidecar.DecodeApps(payload); err != nil {
				b.Fatal(err)
			}
		}
	})
}
