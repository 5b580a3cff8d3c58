package join

import (
	"context"
	"crypto/rsa"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/pki"
)

// TaskMaintenance is the scheduled task that sees to the TPM
// (\Microsoft\Windows\TPM\Tpm-Maintenance).
const TaskMaintenance = "Tpm-Maintenance"

// Value of KeyIdentityStore that says what the task has to do.
const (
	valueMaintenance = "TPMMaintenance"
	maintenanceDue   = 1 // Windows is new on this PC: the TPM is taken anew
	maintenanceDone  = 2 // it was; the next start looks whether its certificate is still good
)

// TakeTPMAnew has the first start of a Windows that was reset take the TPM anew,
// at some time. Our model of why attestation may fail after the Reset of a failed
// status page, and why starting once more helps (learn.microsoft.com, "Windows
// Autopilot known issues"): until then the keys are those of the Windows before,
// and an AIK certificate that is enrolled meanwhile is about a key that is gone
// afterwards.
func TakeTPMAnew(disk *device.Disk) {
	disk.Registry.SetDWORD(device.KeyIdentityStore, valueMaintenance, maintenanceDue)
}

// Maintain starts the task where it has something to do.
func Maintain(w *device.Windows) {
	switch due, _ := w.Registry().DWORD(device.KeyIdentityStore, valueMaintenance); {
	case w.Chip == nil:
	case due == maintenanceDue:
		w.Service(TaskMaintenance, func(ctx context.Context) { takeTPM(w.Under(ctx)) })
	case due == maintenanceDone:
		w.Registry().Delete(device.KeyIdentityStore, valueMaintenance)
		dropStale(w)
	}
}

// takeTPM clears the TPM and makes it ready, unless Windows has made keys in it
// by now.
func takeTPM(w *device.Windows) {
	if w.Sleep(w.Draw(w.Timing.TPM.MaintenanceDelay), "TPM maintenance") != nil {
		return
	}
	w.Registry().SetDWORD(device.KeyIdentityStore, valueMaintenance, maintenanceDone)
	if w.Disk.Keys.Get(keyDevice) != nil {
		return
	}
	err := w.Chip.Clear(w.Ctx)
	if err == nil {
		err = w.Chip.Provision(w.Ctx)
	}
	if gone(w) != nil {
		return
	}
	if err != nil {
		w.Log(logTPM, 1040, "Warning", "The TPM could not be taken: "+err.Error())
		return
	}
	w.Event("tpm.provisioned", journal.F("why", TaskMaintenance))
}

// dropStale forgets an AIK certificate that is about another key than the AIK.
func dropStale(w *device.Windows) {
	cert, ok := w.Disk.Certs.Find(device.StoreMySystem, CertAIK)
	if !ok {
		return
	}
	parsed, err := pki.Parse(cert.DER)
	if err != nil {
		return
	}
	key, err := w.Chip.AIK(w.Ctx)
	if public, is := parsed.PublicKey.(*rsa.PublicKey); err != nil || is && public.Equal(key.Public()) {
		return
	}
	w.Disk.Certs.Delete(device.StoreMySystem, CertAIK)
	DropTicket(w)
	w.Event("aik.dropped", journal.F("serial", parsed.SerialNumber.Text(16)))
}
