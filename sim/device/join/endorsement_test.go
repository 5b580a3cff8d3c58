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
