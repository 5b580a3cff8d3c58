package oobe

import (
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/defects"
	"windtunnel.test/sim/device/join"
)

// Generalize has the next start of the Windows on a disk be a first one, as
// sysprep /generalize /oobe does whose image comes back to the same PC
// (learn.microsoft.com, "Sysprep (Generalize) a Windows installation").
func Generalize(disk *device.Disk) {
	disk.Registry.SetString(device.KeyReset, "Pending", resetImage)
}

// generalized is that start: what was of this PC is gone, and Windows takes the
// TPM anew. One that leaves the state of the attestation behind has the
// certificate of an attestation key that is no more.
func generalized(w *device.Windows) error {
	aik, attested := w.Disk.Certs.Find(device.StoreMySystem, join.CertAIK)
	w.Event("device.generalized")
	w.Disk.Wipe(w.Hardware)
	w.Wiped()
	w.Registry().SetString(keySetup, "CloneTag", w.Clock.Now().Format("Mon Jan 02 15:04:05 2006"))
	if attested && w.Has(defects.KeepsAttestation) {
		join.KeepAIK(w.Disk, aik)
	}
	if w.Chip == nil {
		return nil
	}
	err := w.Chip.Clear(w.Ctx)
	if err == nil {
		err = w.Chip.Provision(w.Ctx)
	}
	if cause := powerLost(w); cause != nil {
		return cause
	}
	return err
}
