package device_test

import (
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/wire/installer"
)

// What an installer does is done wholly at its end, and taken back wholly.
func TestSetup(t *testing.T) {
	r := newRig(t)
	r.once(func(w *device.Windows) error {
		m := installer.Manifest{Product: "P", Version: "2.1", Duration: time.Minute, Spread: 10 * time.Minute, ExitCodes: []int{1603}, Files: []string{`C:\P\p.exe`},
			Registry: []installer.RegistryValue{{Key: `HKEY_CURRENT_USER\SOFTWARE\P`, Name: "N", Value: "7", DWORD: true}}}
		free, began := w.Disk.Room(), w.Clock.Now()
		code, err := w.RunSetup(device.Setup{Manifest: m, Size: 5 << 20, SID: "S-1"})
		r.ok(err)
		r.Expect(code).To(gomega.Equal(1603))
		first := w.Clock.Now().Sub(began)
		r.Expect(first).To(gomega.And(gomega.BeNumerically(">=", time.Minute), gomega.BeNumerically("<=", 11*time.Minute)))
		_, there := w.FileInfo(`C:\P\p.exe`)
		r.Expect(there).To(gomega.BeFalse())

		began = w.Clock.Now()
		code, err = w.RunSetup(device.Setup{Manifest: m, Size: 5 << 20, SID: "S-1"})
		r.ok(err)
		r.Expect(code).To(gomega.BeZero(), "the second run")
		r.Expect(w.Clock.Now().Sub(began)).To(gomega.Equal(first), "a PC takes as long as it takes")
		f, there := w.FileInfo(`c:\p\P.exe`)
		r.Expect(there).To(gomega.BeTrue())
		r.Expect([]any{f.Product, f.Version, f.Size}).To(gomega.Equal([]any{"P", "2.1", int64(5 << 20)}))
		v, _ := w.Registry().DWORD(`HKU\S-1\SOFTWARE\P`, "N")
		r.Expect(v).To(gomega.Equal(uint32(7)))
		r.Expect(w.Disk.Room()).To(gomega.Equal(free - 5<<20))

		code, err = w.RunSetup(device.Setup{Manifest: m, SID: "S-1", Uninstall: true})
		r.ok(err)
		r.Expect(code).To(gomega.BeZero())
		_, there = w.FileInfo(`C:\P\p.exe`)
		r.Expect(there).To(gomega.BeFalse())
		r.Expect(w.Registry().HasValue(`HKU\S-1\SOFTWARE\P`, "N")).To(gomega.BeFalse())
		r.Expect(w.Disk.Room()).To(gomega.Equal(free))
		code, err = w.RunSetup(device.Setup{Manifest: m, Uninstall: true})
		r.ok(err)
		r.Expect(code).To(gomega.Equal(device.ExitNotInstalled))
		return device.ErrShutdown
	})
}

// One that waits for an answer is ended when its time is up, and gives Windows
// Installer's lock back.
func TestSetupLimit(t *testing.T) {
	r := newRig(t)
	r.once(func(w *device.Windows) error {
		began := w.Clock.Now()
		_, err := w.RunSetup(device.Setup{Manifest: installer.Manifest{Product: "H", MSI: true, Hangs: true}, Limit: time.Hour})
		r.Expect(err).To(gomega.MatchError(device.ErrInstallLimit))
		r.Expect(w.Clock.Now().Sub(began)).To(gomega.Equal(time.Hour))
		code, err := w.RunInstaller(installer.Manifest{Product: "P", MSI: true, Duration: time.Second}, 1)
		r.ok(err)
		r.Expect(code).To(gomega.BeZero())
		return device.ErrShutdown
	})
}

func TestExpandHive(t *testing.T) {
	g := gomega.NewWithT(t)
	for in, want := range map[string]string{
		`HKEY_LOCAL_MACHINE\SOFTWARE\A`: `HKLM\SOFTWARE\A`, `hklm:\SOFTWARE`: `HKLM\SOFTWARE`, `Computer\HKEY_LOCAL_MACHINE\A`: `HKLM\A`,
		`Registry::HKEY_CURRENT_USER\A`: `HKU\S-9\A`, `HKEY_USERS\S-1\A`: `HKU\S-1\A`, `HKLM`: `HKLM`, "": "", `Odd\A`: `Odd\A`,
	} {
		g.Expect(device.ExpandHive(in, "S-9")).To(gomega.Equal(want), in)
	}
	g.Expect(device.ExpandHive(`HKCU\A`, "")).To(gomega.Equal(`HKU\S-1-5-18\A`))
}
