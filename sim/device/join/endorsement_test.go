package join_test

import (
	"testing"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/join"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/vtpm"
)

// A TPM that has an AIK certificate needs no EK certificate any more, but for
// Windows before KB4512941.
func TestLostEKCertificate(t *testing.T) {
	for build, code := range map[string]hresult.Code{"18362.328": hresult.TPMAttestationRetriesExceeded, "18362.329": 0, "26200.6584": 0} {
		r := world(t)
		r.Model = "stm-st33htph"
		pc := r.registered(func(w *device.Windows) error {
			r.OK(join.Attest(w))
			r.OK(w.Chip.Do(w.Ctx, "TPM2_NV_UndefineSpace", vtpm.Cost{Light: 1, NVWrite: 1}, func(t transport.TPM) error {
				name, err := tpm2.NVReadPublic{NVIndex: tpm2.TPMHandle(0x01C00002)}.Execute(t)
				if err != nil {
					return err
				}
				_, err = tpm2.NVUndefineSpace{AuthHandle: tpm2.TPMRHPlatform, NVIndex: tpm2.NamedHandle{Handle: 0x01C00002, Name: name.NVName}}.Execute(t)
				return err
			}))
			join.DropTicket(w)
			r.Expect(codeOf(join.Attest(w))).To(gomega.Equal(code), build)
			return device.ErrShutdown
		})
		pc.Installation.Build = build
		r.Boot(pc)
	}
}

// Windows before KB4512941 does not know Infineon's firmware above 7.69: that of
// the usual part is 7.85.
func TestNewInfineonFirmware(t *testing.T) {
	for build, code := range map[string]hresult.Code{"18362.328": hresult.TPMAttestationRetriesExceeded, "18362.329": 0} {
		r := world(t)
		pc := r.registered(func(w *device.Windows) error {
			r.Expect(codeOf(join.Attest(w))).To(gomega.Equal(code), build)
			return device.ErrShutdown
		})
		pc.Installation.Build = build
		r.Boot(pc)
	}
}

// A certificate of another Windows' attestation key is shown when Windows
// attests, and for nothing before.
func TestForeignAIK(t *testing.T) {
	r := world(t)
	var kept device.Certificate
	r.Boot(r.registered(func(w *device.Windows) error {
		r.OK(join.Attest(w))
		kept, _ = w.Disk.Certs.Find(device.StoreMySystem, join.CertAIK)
		w.Disk.Wipe(w.Hardware)
		r.OK(w.Chip.Clear(w.Ctx))
		r.OK(w.Chip.Provision(w.Ctx))
		join.KeepAIK(w.Disk, kept)
		_, err := join.Ticket(w)
		r.OK(err)
		join.DropTicket(w)
		r.Expect(codeOf(join.Attest(w))).To(gomega.Equal(hresult.TPMAttestationRetriesExceeded))
		return device.ErrShutdown
	}))
	r.Expect(r.Logged("tpm.attest.failed", "")).To(gomega.HaveLen(4))
}

// Where the TPM was cleared, the certificate is dropped and attestation goes on
// with a new key.
func TestClearedSince(t *testing.T) {
	r := world(t)
	r.Boot(r.registered(func(w *device.Windows) error {
		r.OK(join.Attest(w))
		join.DropTicket(w)
		r.OK(w.Chip.Clear(w.Ctx))
		_, err := join.Ticket(w)
		r.OK(err)
		r.OK(join.Attest(w))
		return device.ErrShutdown
	}))
	r.Expect(r.Logged("aik.dropped", "")).To(gomega.HaveLen(1))
}
