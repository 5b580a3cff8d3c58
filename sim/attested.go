package sim

import (
	"windtunnel.test/fakeentra/service"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/join"
)

// attested counts the PCs that hold an AIK certificate of the attestation
// service, valid now, which that service issued for the endorsement key of the
// TPM that is in the PC.
func (w *World) attested() int {
	n := 0
	for _, pc := range w.PCs {
		cert, ok := pc.Disk.Certs.Find(device.StoreMySystem, join.CertAIK)
		if !ok || pc.Chip == nil {
			continue
		}
		_, issuedFor, err := w.Entra.AIK.Attested(cert.DER, w.Clock.Now())
		if err != nil {
			continue
		}
		if own, err := service.EKHash(pc.Chip.EKPublic()); err == nil && own == issuedFor {
			n++
		}
	}
	return n
}
