package oobe

import (
	"errors"
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/defects"
	"windtunnel.test/sim/device/internal/rig"
	"windtunnel.test/sim/hresult"
)

// TestUnreachable: only codes of the transport say that an identity provider
// could not be talked to.
func TestUnreachable(t *testing.T) {
	for code, want := range map[hresult.Code]bool{
		0x80072EE2: true, 0x80072EE7: true, 0x80072EFD: true, 0x80072F8F: true, 0x80072EE0: true, 0x80072FFF: true,
		0x80072EDF: false, 0x80073000: false, 0x80180018: false, hresult.Fail: false,
	} {
		NewWithT(t).Expect(unreachable(hresult.New("sign in", code, errors.New("x")))).To(Equal(want), code.Hex())
	}
	NewWithT(t).Expect(unreachable(errors.New("no code"))).To(BeFalse())
	NewWithT(t).Expect(unreachable(nil)).To(BeFalse())
}

// TestStartedAgain counts until somebody sets the value back.
func TestStartedAgain(t *testing.T) {
	r := rig.New(t)
	r.Once(0, func(w *device.Windows) {
		r.Expect(startedAgain(w)).To(Equal(1))
		r.Expect(startedAgain(w)).To(Equal(2))
		w.Registry().SetDWORD(device.ExpandHive(keyCurrentVersion, ""), "UserOOBE", 1)
		r.Expect(startedAgain(w)).To(Equal(2))
	})
}

// TestRed: a success looks like a failure where Windows has that defect and
// speaks another language than English.
func TestRed(t *testing.T) {
	r := rig.New(t)
	r.Once(0, func(w *device.Windows) {
		defect := w.Has(defects.RedSuccess)
		for id, other := range map[string]bool{"": false, "0409": false, "0809": false, "0407": true, "0411": true} {
			w.Registry().SetString(keyLanguage, "InstallLanguage", id)
			r.Expect(red(w)).To(Equal(other && defect), id)
		}
	})
}
