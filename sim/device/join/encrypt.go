package join

import (
	"context"

	"windtunnel.test/sim/device"
)

// encrypt has Windows encrypt its drive once the recovery key can be kept. On a
// PC that Autopilot sets up the policies of device setup still count for it (see
// device.SettleEncryption). On one that Autopilot does not know Windows begins by
// itself, beside management, and whichever is first decides the method
// (learn.microsoft.com, "Windows Autopilot known issues"; how long it waits is
// our model).
func encrypt(w *device.Windows) {
	if _, autopilot := w.Disk.Files.Read(device.FileProfile); autopilot {
		w.EncryptDevice()
		return
	}
	w.Service("automatic device encryption", func(ctx context.Context) {
		under := w.Under(ctx)
		if under.Sleep(under.Draw(w.Timing.Device.EncryptionStart), "automatic device encryption") == nil {
			under.EncryptDevice()
		}
	})
}
