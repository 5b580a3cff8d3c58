package sidecar_test

import (
	"testing"

	"github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/wire/installer"
	"windtunnel.test/sim/wire/sidecar"
)

func TestSetupRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := gomega.NewWithT(t)
		name := rapid.StringMatching(`[a-zA-Z0-9]{1,8}\\?[a-zA-Z0-9]{1,8}\.exe`).Draw(t, "name")
		manifest := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "manifest")
		archive, err := sidecar.WriteSetup(name, manifest)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		again, _ := sidecar.WriteSetup(name, manifest)
		g.Expect(again).To(gomega.Equal(archive))
		got, err := sidecar.ReadSetup(archive, name)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(string(got)).To(gomega.Equal(string(manifest)))
	})
}

func TestSetupRefusals(t *testing.T) {
	g := gomega.NewWithT(t)
	_, err := sidecar.WriteSetup("", nil)
	g.Expect(err).To(gomega.MatchError(sidecar.ErrSetup))
	_, err = sidecar.WriteSetup("a.exe", make([]byte, installer.MaxBytes+1))
	g.Expect(err).To(gomega.MatchError(sidecar.ErrSetup))
	archive, err := sidecar.WriteSetup("Setup.exe", []byte("x"))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	_, err = sidecar.ReadSetup(archive, "other.exe")
	g.Expect(err).To(gomega.MatchError(sidecar.ErrSetup))
	g.Expect(sidecar.ReadSetup(archive, "SETUP.EXE")).To(gomega.Equal([]byte("x")))
	_, err = sidecar.ReadSetup([]byte("no archive"), "a.exe")
	g.Expect(err).To(gomega.HaveOccurred())
}

func TestAppRequest(t *testing.T) {
	g := gomega.NewWithT(t)
	for payload, want := range map[string]sidecar.AppRequest{
		"[]":                          {},
		"":                            {},
		`{"EspPhase":2,"User":true}`:  {ESPPhase: sidecar.ESPAccountSetup, User: true},
		`{"EspPhase":1,"User":false}`: {ESPPhase: sidecar.ESPDeviceSetup},
	} {
		g.Expect(sidecar.DecodeAppRequest(payload)).To(gomega.Equal(want), payload)
	}
	_, err := sidecar.DecodeAppRequest(`{"EspPhase":9}`)
	g.Expect(err).To(gomega.HaveOccurred())
}

func FuzzReadSetup(f *testing.F) {
	archive, _ := sidecar.WriteSetup("a.exe", []byte("{}"))
	f.Add(archive)
	f.Add([]byte("PK"))
	f.Fuzz(func(_ *testing.T, data []byte) {
		_, _ = sidecar.ReadSetup(data, "a.exe")
	})
}
