package expect

import (
	"github.com/onsi/gomega/types"

	"windtunnel.test/sim/device"
)

// BeResealed succeeds for a PC that has been pre-provisioned and resealed, and
// that nobody has unpacked since.
func BeResealed() types.GomegaMatcher {
	return &matcher{what: "be resealed", fits: func(pc *device.PC) (bool, string, error) {
		stage := pc.Disk.Registry.String(device.KeyOOBE, "Stage")
		if stage == "" {
			return false, "nobody has got beyond its first screens", nil
		}
		return stage == "resealed", "its setup is at " + stage, nil
	}}
}
