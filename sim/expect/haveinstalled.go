package expect

import (
	"slices"
	"strings"

	"github.com/onsi/gomega/types"

	"windtunnel.test/sim/device"
)

// HaveInstalled succeeds for a PC on which a product is installed, by the name
// under which Windows can remove it.
func HaveInstalled(product string) types.GomegaMatcher {
	return &matcher{what: "have " + product + " installed", fits: func(pc *device.PC) (bool, string, error) {
		have := pc.Disk.Registry.Subkeys(device.KeyUninstall)
		if len(have) == 0 {
			return false, "it has nothing installed", nil
		}
		return slices.Contains(have, product), "it has " + strings.Join(have, ", "), nil
	}}
}
