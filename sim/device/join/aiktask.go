package join

import (
	"context"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
)

// AIKTask is the body of the scheduled task that enrols the AIK's certificate
// where there is none (\Microsoft\Windows\CertificateServicesClient\AikCertEnrollTask).
// What needs the certificate runs it and looks whether it is there afterwards.
func AIKTask(w *device.Windows) func(ctx context.Context) {
	return func(ctx context.Context) {
		u := w.Under(ctx)
		if _, ok := u.Disk.Certs.Find(device.StoreMySystem, CertAIK); ok || u.Chip == nil {
			return
		}
		if err := enrollAIK(u); err != nil && gone(u) == nil {
			code, _ := hresult.CodeOf(err)
			u.Event("aik.task.failed", journal.F("code", code.Hex()), journal.F("error", err.Error()))
		}
	}
}
